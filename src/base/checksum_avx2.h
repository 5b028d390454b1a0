/* checksum_avx2.h - bulk parts of checksum.c for processors that have AVX2.
 *
 * Both take a length that is a multiple of CSUM_AVX2_BLOCK and give a sum that fits 2^48 for any
 * length below 2^32.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef BASE_CHECKSUM_AVX2_H
#define BASE_CHECKSUM_AVX2_H

#include <stddef.h>
#include <stdint.h>

enum { CSUM_AVX2_BLOCK = 64 };

uint64_t csum_avx2(const uint8_t *p, size_t len);
uint64_t csum_copy_avx2(uint8_t *restrict dst, const uint8_t *restrict src, size_t len);

#endif
