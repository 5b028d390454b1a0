/* checksum_bulk.h - vector code for the bulk of a large block, where the processor has it.
 * checksum_x86.c and checksum_other.c: one is built.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef BASE_CHECKSUM_BULK_H
#define BASE_CHECKSUM_BULK_H

#include <stddef.h>
#include <stdint.h>

/* Sums the first bytes of a block, as many as suit it, writes the sum to *sum and returns how many:
 * a multiple of 8, 0 when it cannot. */
size_t csum_bulk(const uint8_t *p, size_t len, uint64_t *sum);

/* The same, and copies them. */
size_t csum_bulk_copy(uint8_t *restrict dst, const uint8_t *restrict src, size_t len,
		      uint64_t *sum);

#endif
