/* scan.h - looks for a token in an array, many at a time. scan_x86.c or scan_other.c is built.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef RT_SCAN_H
#define RT_SCAN_H

#include "demi/types.h"
#include <stdbool.h>
#include <stdint.h>

enum { SCAN_BLOCK = 32 }; /* tokens that are compared without a branch; at most 32 */

/* Looks for qt in qts[from..to-1] by whole blocks, from *low = *high, an index of them, outwards on
 * both sides in turn: *low and *high become the ends of what was looked at, which is nothing where
 * the processor cannot. True: it is at *at. */
bool scan_blocks(const demi_qtoken_t *qts, uint32_t from, uint32_t to, demi_qtoken_t qt,
		 uint32_t *low, uint32_t *high, uint32_t *at);

#endif
