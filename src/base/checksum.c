/* checksum.c - the Internet checksum by 64-bit words with carry, and by AVX2 where a block is large
 * and the processor has it. x86-64.
 *
 * SPDX-License-Identifier: MIT
 */
#include "base/checksum.h"
#include "base/checksum_avx2.h"
#include <immintrin.h>
#include <stdbool.h>

enum { AVX2_FROM_BYTES = 256 }; /* where it begins to pay for its start and end */

/* The intrinsics' type for 64-bit words. */
typedef unsigned long long word;

static inline word load64(const uint8_t *p)
{
	word w;

	memcpy(&w, p, sizeof(w));
	return w;
}

static inline word load32(const uint8_t *p)
{
	uint32_t w;

	memcpy(&w, p, sizeof(w));
	return w;
}

static inline word load16(const uint8_t *p)
{
	uint16_t w;

	memcpy(&w, p, sizeof(w));
	return w;
}

static inline word add1(word s, word w)
{
	unsigned char c = _addcarry_u64(0, s, w, &s);

	return s + c;
}

static inline word add2(word s, const uint8_t *p)
{
	unsigned char c = _addcarry_u64(0, s, load64(p), &s);

	c = _addcarry_u64(c, s, load64(p + 8), &s);
	return s + c;
}

static inline word add4(word s, const uint8_t *p)
{
	unsigned char c = _addcarry_u64(0, s, load64(p), &s);

	c = _addcarry_u64(c, s, load64(p + 8), &s);
	c = _addcarry_u64(c, s, load64(p + 16), &s);
	c = _addcarry_u64(c, s, load64(p + 24), &s);
	return s + c;
}

static inline word add8(word s, const uint8_t *p)
{
	unsigned char c = _addcarry_u64(0, s, load64(p), &s);

	c = _addcarry_u64(c, s, load64(p + 8), &s);
	c = _addcarry_u64(c, s, load64(p + 16), &s);
	c = _addcarry_u64(c, s, load64(p + 24), &s);
	c = _addcarry_u64(c, s, load64(p + 32), &s);
	c = _addcarry_u64(c, s, load64(p + 40), &s);
	c = _addcarry_u64(c, s, load64(p + 48), &s);
	c = _addcarry_u64(c, s, load64(p + 56), &s);
	return s + c;
}

/* 1 to 7 bytes: the last of at least 8. What is in front of them is shifted out, and they start at
 * an even place, so the words are whole. */
static inline word tail_of_many(const uint8_t *end, size_t n)
{
	return load64(end - 8) >> (64 - 8 * n);
}

/* 1 to 7 bytes that are all there is. */
static inline word tail_alone(const uint8_t *p, size_t n)
{
	word w = 0;
	unsigned at = 0;

	if (n & 4) {
		w = load32(p);
		at = 4;
	}
	if (n & 2) {
		w |= load16(p + at) << 8 * at;
		at += 2;
	}
	if (n & 1)
		w |= (word)p[at] << 8 * at;
	return w;
}

/* 64 to 32 bits, with end-around carry. */
static inline uint32_t fold64(word s)
{
	s += s << 32 | s >> 32;
	return (uint32_t)(s >> 32);
}

static inline bool has_avx2(void)
{
	return __builtin_cpu_supports("avx2");
}

uint32_t csum_partial(const void *data, size_t len, uint32_t sum)
{
	const uint8_t *p = data;
	word s = sum;

	if (len < 8)
		return fold64(add1(s, tail_alone(p, len)));
	if (len >= AVX2_FROM_BYTES && has_avx2()) {
		size_t bulk = len & ~(size_t)(CSUM_AVX2_BLOCK - 1);

		s = add1(s, csum_avx2(p, bulk));
		p += bulk;
		len -= bulk;
	}
	for (; len >= 64; p += 64, len -= 64)
		s = add8(s, p);
	if (len & 32) {
		s = add4(s, p);
		p += 32;
	}
	if (len & 16) {
		s = add2(s, p);
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

static inline word copy8(uint8_t *dst, const uint8_t *src)
{
	word w = load64(src);

	memcpy(dst, &w, 8);
	return w;
}

static inline word copy_add4(word s, uint8_t *dst, const uint8_t *src)
{
	unsigned char c = _addcarry_u64(0, s, copy8(dst, src), &s);

	c = _addcarry_u64(c, s, copy8(dst + 8, src + 8), &s);
	c = _addcarry_u64(c, s, copy8(dst + 16, src + 16), &s);
	c = _addcarry_u64(c, s, copy8(dst + 24, src + 24), &s);
	return s + c;
}

/* Fewer than 8 bytes. */
static word copy_few(uint8_t *dst, const uint8_t *src, size_t n)
{
	for (size_t i = 0; i < n; i++)
		dst[i] = src[i];
	return tail_alone(src, n);
}

uint32_t csum_copy(void *restrict dst, const void *restrict src, size_t len, uint32_t sum)
{
	uint8_t *d = dst;
	const uint8_t *p = src;
	word s = sum;

	if (len < 8)
		return fold64(add1(s, copy_few(d, p, len)));
	if (len >= AVX2_FROM_BYTES && has_avx2()) {
		size_t bulk = len & ~(size_t)(CSUM_AVX2_BLOCK - 1);

		s = add1(s, csum_copy_avx2(d, p, bulk));
		d += bulk;
		p += bulk;
		len -= bulk;
	}
	for (; len >= 32; d += 32, p += 32, len -= 32)
		s = copy_add4(s, d, p);
	for (; len >= 8; d += 8, p += 8, len -= 8)
		s = add1(s, copy8(d, p));
	if (len > 0) {
		/* Some of the 8 bytes are copied a second time. */
		copy8(d + len - 8, p + len - 8);
		s = add1(s, tail_of_many(p + len, len));
	}
	return fold64(s);
}
