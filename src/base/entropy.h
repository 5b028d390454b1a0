/* entropy.h - unpredictable bytes from the kernel, for keys.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef BASE_ENTROPY_H
#define BASE_ENTROPY_H

#include <stddef.h>

/* Fills to[0..bytes-1] by getrandom(2); waits, soon after boot, until the kernel has gathered
 * enough. 0 or -errno (ENOSYS, EPERM: a sandbox forbids the call), and then nothing may be used. */
int entropy_fill(void *to, size_t bytes);

#endif
