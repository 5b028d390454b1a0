/* checksum.c - the Internet checksum: 64-bit words added with carry, and by vector code where a
 * block is large. The way of a packet of 8 to 255 bytes is the hot one: it calls nothing.
 *
 * SPDX-License-Identifier: MIT
 */
#include "base/checksum.h"
#include "base/checksum_bulk.h"
#if defined(__x86_64__)
#include <immintrin.h>
#endif

enum { BULK_FROM_BYTES = 256 }; /* where vector code begins to pay for its start and end */

static inline uint64_t load64(const uint8_t *p)
{
	uint64_t w;

	memcpy(&w, p, sizeof(w));
	return w;
}

static inline uint32_t load32(const uint8_t *p)
{
	uint32_t w;

	memcpy(&w, p, sizeof(w));
	return w;
}

static inline uint16_t load16(const uint8_t *p)
{
	uint16_t w;

	memcpy(&w, p, sizeof(w));
	return w;
}

/* a + b + *carry; *carry becomes the carry out. Compilers turn the first into one adc and do not
 * see through the second. */
#if defined(__x86_64__)
static inline uint64_t add_carry(uint64_t a, uint64_t b, unsigned char *carry)
{
	unsigned long long sum;

	*carry = _addcarry_u64(*carry, a, b, &sum);
	return sum;
}
#else
static inline uint64_t add_carry(uint64_t a, uint64_t b, unsigned char *carry)
{
	uint64_t sum;
	unsigned char out = __builtin_add_overflow(a, b, &sum);

	out |= __builtin_add_overflow(sum, *carry, &sum);
	*carry = out;
	return sum;
}
#endif

static inline uint64_t add1(uint64_t s, uint64_t a)
{
	unsigned char carry = 0;

	s = add_carry(a, s, &carry);
	return s + carry;
}

static inline uint64_t add2(uint64_t s, uint64_t a, uint64_t b)
{
	unsigned char carry = 0;

	s = add_carry(a, s, &carry);
	s = add_carry(b, s, &carry);
	return s + carry;
}

static inline uint64_t add4(uint64_t s, uint64_t a, uint64_t b, uint64_t c, uint64_t d)
{
	unsigned char carry = 0;

	s = add_carry(a, s, &carry);
	s = add_carry(b, s, &carry);
	s = add_carry(c, s, &carry);
	s = add_carry(d, s, &carry);
	return s + carry;
}

static inline uint64_t add64_bytes(uint64_t s, const uint8_t *p)
{
	unsigned char carry = 0;

	s = add_carry(load64(p), s, &carry);
	s = add_carry(load64(p + 8), s, &carry);
	s = add_carry(load64(p + 16), s, &carry);
	s = add_carry(load64(p + 24), s, &carry);
	s = add_carry(load64(p + 32), s, &carry);
	s = add_carry(load64(p + 40), s, &carry);
	s = add_carry(load64(p + 48), s, &carry);
	s = add_carry(load64(p + 56), s, &carry);
	return s + carry;
}

/* The last 1 to 7 of at least 8 bytes. What is in front of them is shifted out, and they start at
 * an even place, so their words stay whole. */
static inline uint64_t tail_of_many(const uint8_t *end, size_t n)
{
	return load64(end - 8) >> (64 - 8 * n);
}

/* 64 to 32 bits, with end-around carry. */
static inline uint32_t fold64(uint64_t s)
{
	s += s << 32 | s >> 32;
	return (uint32_t)(s >> 32);
}

/* Fewer than 8 bytes. */
static __attribute__((noinline)) uint32_t sum_few(const uint8_t *p, size_t n, uint32_t sum)
{
	uint64_t w = 0;
	unsigned at = 0;

	if (n & 4) {
		w = load32(p);
		at = 4;
	}
	if (n & 2) {
		w |= (uint64_t)load16(p + at) << 8 * at;
		at += 2;
	}
	if (n & 1)
		w |= (uint64_t)p[at] << 8 * at;
	return fold64(add1(sum, w));
}

/* At least 8 bytes. */
static inline uint32_t sum_many(const uint8_t *p, size_t len, uint64_t s)
{
	for (const uint8_t *end = p + (len & ~(size_t)63); p != end; p += 64)
		s = add64_bytes(s, p);
	if (len & 32) {
		s = add4(s, load64(p), load64(p + 8), load64(p + 16), load64(p + 24));
		p += 32;
	}
	if (len & 16) {
		s = add2(s, load64(p), load64(p + 8));
		p += 16;
	}
	if (len & 8) {
		s = add1(s, load64(p));
		p += 8;
	}
	if (len & 7)
		s = add1(s, tail_of_many(p + (len & 7), len & 7));
	return fold64(s);
}

static __attribute__((noinline)) uint32_t sum_large(const uint8_t *p, size_t len, uint32_t sum)
{
	uint64_t bulk_sum;
	size_t bulk = csum_bulk(p, len, &bulk_sum);

	return sum_many(p + bulk, len - bulk, add1(sum, bulk_sum));
}

uint32_t csum_partial(const void *data, size_t len, uint32_t sum)
{
	if (__builtin_expect(len < 8, 0))
		return sum_few(data, len, sum);
	if (len >= BULK_FROM_BYTES)
		return sum_large(data, len, sum);
	return sum_many(data, len, sum);
}

/* What is in the nearest cache is summed after it was copied as fast as on the way. */
uint32_t csum_copy(void *restrict dst, const void *restrict src, size_t len, uint32_t sum)
{
	uint8_t *d = dst;
	const uint8_t *p = src;
	uint64_t bulk_sum;

	if (len >= BULK_FROM_BYTES) {
		size_t bulk = csum_bulk_copy(d, p, len, &bulk_sum);

		sum = fold64(add1(sum, bulk_sum));
		d += bulk;
		p += bulk;
		len -= bulk;
	}
	memcpy(d, p, len);
	return csum_partial(p, len, sum);
}
