/* seq.h - comparison of sequence numbers, which wrap (RFC 9293 3.4). Two numbers compare as their
 * distance is less than 2^31 one way or the other: true of all that one window can hold.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef BASE_SEQ_H
#define BASE_SEQ_H

#include <stdbool.h>
#include <stdint.h>

static inline bool seq_lt(uint32_t a, uint32_t b)
{
	return (int32_t)(a - b) < 0;
}

static inline bool seq_leq(uint32_t a, uint32_t b)
{
	return (int32_t)(a - b) <= 0;
}

static inline bool seq_gt(uint32_t a, uint32_t b)
{
	return (int32_t)(a - b) > 0;
}

static inline bool seq_geq(uint32_t a, uint32_t b)
{
	return (int32_t)(a - b) >= 0;
}

#endif
