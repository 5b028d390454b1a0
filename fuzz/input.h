/* input.h - a fuzzer's bytes, taken in order as numbers. Past their end all numbers are 0.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef FUZZ_INPUT_H
#define FUZZ_INPUT_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

struct input {
	const uint8_t *p;
	size_t left;
};

static inline uint8_t take8(struct input *in)
{
	if (in->left == 0)
		return 0;
	in->left--;
	return *in->p++;
}

static inline uint16_t take16(struct input *in)
{
	uint16_t high = take8(in);

	return (uint16_t)(high << 8 | take8(in));
}

static inline uint32_t take32(struct input *in)
{
	uint32_t high = take16(in);

	return high << 16 | take16(in);
}

/* At most max bytes to dst; how many there were. */
static inline size_t take_bytes(struct input *in, uint8_t *dst, size_t max)
{
	size_t n = in->left < max ? in->left : max;

	memcpy(dst, in->p, n);
	in->p += n;
	in->left -= n;
	return n;
}

/* A time from 1 us to 134 s in one byte: five bits of order, three of fraction. */
static inline uint64_t take_ns(struct input *in)
{
	uint8_t b = take8(in);

	return (UINT64_C(8) + (b & 7)) * 125 << (b >> 3) % 28;
}

#define EXPECT(holds)                                                                              \
	do {                                                                                       \
		if (!(holds))                                                                      \
			abort();                                                                   \
	} while (0)

#endif
