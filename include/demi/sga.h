/* demi/sga.h - memory for messages.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef DEMI_SGA_H
#define DEMI_SGA_H

#include <demi/types.h>
#include <stddef.h>

DEMI_BEGIN_DECLS

/* Allocates a scatter-gather array of one segment of `size` bytes, 1 to 16 MiB, that demi_push()
 * can send without a copy. Returns the null sga (sga_buf NULL, all else zero) when size is 0 or too
 * large, when memory ran out, or before demi_init(). The caller owns the result and gives it back
 * with demi_sgafree(), before or after the pushes that use it complete. */
demi_sgarray_t demi_sgaalloc(size_t size);

/* Gives back an sga from demi_sgaalloc() or from a pop, once. May be called right after
 * demi_push(): the library keeps the memory until it is done with it. Returns 0; EINVAL: sga is
 * NULL, its sga_buf is NULL or sga_numsegs is not 1; ENOSYS: before demi_init(). */
int demi_sgafree(demi_sgarray_t *sga);

DEMI_END_DECLS

#endif
