/* pattern.h - streams of bytes that anybody can check who knows their key: the byte at each offset
 * follows from (key, offset). Bytes that are lost, doubled, moved or of another connection differ.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef SIM_PATTERN_H
#define SIM_PATTERN_H

#include <stdint.h>

/* A number in which each bit depends on all bits of x (the finalizer of SplitMix64). */
static inline uint64_t pattern_mix(uint64_t x)
{
	x += 0x9e3779b97f4a7c15u;
	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
	x = (x ^ x >> 27) * 0x94d049bb133111ebu;
	return x ^ x >> 31;
}

/* Writes bytes offset .. offset + len - 1 of the stream. */
void pattern_fill(uint8_t *dst, uint64_t key, uint64_t offset, uint32_t len);

/* -1: all len bytes are those of the stream from offset on. Else the place of the first that is
 * not.
 */
int64_t pattern_check(const uint8_t *p, uint64_t key, uint64_t offset, uint32_t len);

#endif
