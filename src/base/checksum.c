/* checksum.c - the Internet checksum: 64-bit words added with carry, and by vector code where a
 * block is large. The way of a packet of 8 to 255 bytes is the hot one: it calls nothing.
 *
 * SPDX-License-Identifier: MIT
 */
#include "base/checksum.h"
#include "base/checksum_bulk.h"
#include <stdbool.h>
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
	return csum_fold64(add1(sum, w));
}

/* n bytes, a constant, at offset `at`. */
static inline void copy_piece(bool copy, uint8_t *to, const uint8_t *p, size_t at, size_t n)
{
	if (copy)
		memcpy(to + at, p + at, n);
}

/* 8 to 255 bytes, copied on the way if `copy`, a constant, says so. No loop: a bit of len says for
 * each size of piece whether there is one. */
static inline __attribute__((always_inline)) uint32_t
sum_many(bool copy, uint8_t *to, const uint8_t *p, size_t len, uint64_t s)
{
	size_t at = 0;

	if (len & 128) {
		copy_piece(copy, to, p, 0, 128);
		s = add64_bytes(add64_bytes(s, p), p + 64);
		at = 128;
	}
	if (len & 64) {
		copy_piece(copy, to, p, at, 64);
		s = add64_bytes(s, p + at);
		at += 64;
	}
	if (len & 32) {
		copy_piece(copy, to, p, at, 32);
		s = add4(s, load64(p + at), load64(p + at + 8), load64(p + at + 16),
			 load64(p + at + 24));
		at += 32;
	}
	if (len & 16) {
		copy_piece(copy, to, p, at, 16);
		s = add2(s, load64(p + at), load64(p + at + 8));
		at += 16;
	}
	if (len & 8) {
		copy_piece(copy, to, p, at, 8);
		s = add1(s, load64(p + at));
	}
	if (len & 7) {
		copy_piece(copy, to, p, len - 8, 8);
		s = add1(s, tail_of_many(p + len, len & 7));
	}
	return csum_fold64(s);
}

static __attribute__((noinline)) uint32_t sum_large(const uint8_t *p, size_t len, uint32_t sum)
{
	uint64_t s;
	size_t bulk = csum_bulk(p, len, &s);

	s = add1(s, sum);
	for (p += bulk, len -= bulk; len >= BULK_FROM_BYTES; p += 64, len -= 64)
		s = add64_bytes(s, p); /* there is no vector code */
	return len < 8 ? sum_few(p, len, csum_fold64(s)) : sum_many(false, NULL, p, len, s);
}

static __attribute__((noinline)) uint32_t copy_few(uint8_t *to, const uint8_t *p, size_t len,
						   uint32_t sum)
{
	memcpy(to, p, len);
	return sum_few(p, len, sum);
}

static __attribute__((noinline)) uint32_t copy_large(uint8_t *to, const uint8_t *p, size_t len,
						     uint32_t sum)
{
	uint64_t s;
	size_t bulk = csum_bulk_copy(to, p, len, &s);

	memcpy(to + bulk, p + bulk, len - bulk);
	return sum_large(p + bulk, len - bulk, csum_fold64(add1(s, sum)));
}

uint32_t csum_partial(const void *data, size_t len, uint32_t sum)
{
	if (__builtin_expect(len < 8, 0))
		return sum_few(data, len, sum);
	if (len >= BULK_FROM_BYTES)
		return sum_large(data, len, sum);
	return sum_many(false, NULL, data, len, sum);
}

uint32_t csum_copy(void *restrict dst, const void *restrict src, size_t len, uint32_t sum)
{
	if (__builtin_expect(len < 8, 0))
		return copy_few(dst, src, len, sum);
	if (len >= BULK_FROM_BYTES)
		return copy_large(dst, src, len, sum);
	return sum_many(true, dst, src, len, sum);
}
