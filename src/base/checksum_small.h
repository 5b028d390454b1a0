/* checksum_small.h - the Internet checksum of a small block, in line: a call and the way of one
 * through all sizes are much of what such a block costs. checksum.h says what a sum is, and is for
 * blocks of any size.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef BASE_CHECKSUM_SMALL_H
#define BASE_CHECKSUM_SMALL_H

#include "base/checksum.h"
#include <stdbool.h>

/* Below are the few bytes of a function of their own, from the end on vector code begins to pay for
 * its start and end. */
enum { CSUM_SMALL_MIN_BYTES = 8, CSUM_SMALL_END_BYTES = 256 };

static inline uint64_t csum_load64(const uint8_t *p)
{
	uint64_t w;

	memcpy(&w, p, sizeof(w));
	return w;
}

/* AddressSanitizer does not see what assembly reads. */
#if defined(__SANITIZE_ADDRESS__)
#define CSUM_IN_C 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define CSUM_IN_C 1
#endif
#endif

/* s plus the 64-bit words of 16, 32 and 64 bytes at p, with the carries. Compilers make a chain of
 * adc of neither C nor intrinsics, or store each link of it. */
#if defined(__x86_64__) && !defined(CSUM_IN_C)
static inline uint64_t csum_add_16(uint64_t s, const uint8_t *p)
{
	__asm__("addq (%1), %0\n\tadcq 8(%1), %0\n\tadcq $0, %0"
		: "+&r"(s)
		: "r"(p), "m"(*(const uint8_t(*)[16])p)
		: "cc");
	return s;
}

static inline uint64_t csum_add_32(uint64_t s, const uint8_t *p)
{
	__asm__("addq (%1), %0\n\tadcq 8(%1), %0\n\tadcq 16(%1), %0\n\tadcq 24(%1), %0\n\t"
		"adcq $0, %0"
		: "+&r"(s)
		: "r"(p), "m"(*(const uint8_t(*)[32])p)
		: "cc");
	return s;
}

static inline uint64_t csum_add_64(uint64_t s, const uint8_t *p)
{
	__asm__("addq (%1), %0\n\tadcq 8(%1), %0\n\tadcq 16(%1), %0\n\tadcq 24(%1), %0\n\t"
		"adcq 32(%1), %0\n\tadcq 40(%1), %0\n\tadcq 48(%1), %0\n\tadcq 56(%1), %0\n\t"
		"adcq $0, %0"
		: "+&r"(s)
		: "r"(p), "m"(*(const uint8_t(*)[64])p)
		: "cc");
	return s;
}
#else
static inline uint64_t csum_add_16(uint64_t s, const uint8_t *p)
{
	return csum_add64(csum_add64(s, csum_load64(p)), csum_load64(p + 8));
}

static inline uint64_t csum_add_32(uint64_t s, const uint8_t *p)
{
	return csum_add_16(csum_add_16(s, p), p + 16);
}

static inline uint64_t csum_add_64(uint64_t s, const uint8_t *p)
{
	return csum_add_32(csum_add_32(s, p), p + 32);
}
#endif

/* The last 1 to 7 of at least 8 bytes. What is in front of them is shifted out, and they start at
 * an even place, so their words stay whole. */
static inline uint64_t csum_tail(const uint8_t *end, size_t n)
{
	return csum_load64(end - 8) >> (64 - 8 * n);
}

/* n bytes, a constant. Returns where the next of the copy go. */
static inline uint8_t *csum_copy_piece(bool copy, uint8_t *to, const uint8_t *p, size_t n)
{
	if (!copy)
		return to;
	memcpy(to, p, n);
	return to + n;
}

/* The part of csum_small() below 32 bytes. */
static inline __attribute__((always_inline)) uint64_t
csum_rest(bool copy, uint8_t *to, const uint8_t *p, size_t len, uint64_t s)
{
	if (len & 16) {
		to = csum_copy_piece(copy, to, p, 16);
		s = csum_add_16(s, p);
		p += 16;
	}
	if (len & 8) {
		to = csum_copy_piece(copy, to, p, 8);
		s = csum_add64(s, csum_load64(p));
		p += 8;
	}
	if (len & 7) {
		size_t n = len & 7;

		if (copy)
			memcpy(to + n - 8, p + n - 8, 8);
		s = csum_add64(s, csum_tail(p + n, n));
	}
	return s;
}

/* 8 to 255 bytes, copied on the way if `copy`, a constant, says so. No loop: a bit of len says for
 * each size of piece whether there is one. */
static inline __attribute__((always_inline)) uint32_t
csum_small(bool copy, uint8_t *to, const uint8_t *p, size_t len, uint64_t s)
{
	if (len & 128) {
		to = csum_copy_piece(copy, to, p, 128);
		s = csum_add_64(csum_add_64(s, p), p + 64);
		p += 128;
	}
	if (len & 64) {
		to = csum_copy_piece(copy, to, p, 64);
		s = csum_add_64(s, p);
		p += 64;
	}
	if (len & 32) {
		to = csum_copy_piece(copy, to, p, 32);
		s = csum_add_32(s, p);
		p += 32;
	}
	if (len % 32 != 0)
		s = csum_rest(copy, to, p, len, s);
	return csum_fold64(s);
}

static inline bool csum_is_small(size_t len)
{
	return len - CSUM_SMALL_MIN_BYTES < CSUM_SMALL_END_BYTES - CSUM_SMALL_MIN_BYTES;
}

/* csum_partial() and csum_copy() where most blocks are small. */
static inline __attribute__((always_inline)) uint32_t csum_partial_small(const void *data,
									 size_t len, uint64_t sum)
{
	if (__builtin_expect(!csum_is_small(len), 0))
		return csum_partial(data, len, csum_fold64(sum));
	return csum_small(false, NULL, data, len, sum);
}

static inline uint32_t csum_copy_small(void *restrict dst, const void *restrict src, size_t len,
				       uint32_t sum)
{
	if (__builtin_expect(!csum_is_small(len), 0))
		return csum_copy(dst, src, len, sum);
	return csum_small(true, dst, src, len, sum);
}

#endif
