/* checksum.c - the Internet checksum: 64-bit words added with carry, and by vector code where a
 * block is large. The way of a block that checksum_small.h is for calls nothing.
 *
 * SPDX-License-Identifier: MIT
 */
#include "base/checksum.h"
#include "base/checksum_bulk.h"
#include "base/checksum_small.h"

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
	return csum_fold64(csum_add64(sum, w));
}

static __attribute__((noinline)) uint32_t sum_large(const uint8_t *p, size_t len, uint32_t sum)
{
	uint64_t s;
	size_t bulk = csum_bulk(p, len, &s);

	s = csum_add64(s, sum);
	for (p += bulk, len -= bulk; len >= CSUM_SMALL_END_BYTES; p += 64, len -= 64)
		s = csum_add_64(s, p); /* there is no vector code */
	return len < CSUM_SMALL_MIN_BYTES ? sum_few(p, len, csum_fold64(s))
					  : csum_small(false, NULL, p, len, s);
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
	return sum_large(p + bulk, len - bulk, csum_fold64(csum_add64(s, sum)));
}

uint32_t csum_partial(const void *data, size_t len, uint32_t sum)
{
	if (__builtin_expect(len < CSUM_SMALL_MIN_BYTES, 0))
		return sum_few(data, len, sum);
	if (len >= CSUM_SMALL_END_BYTES)
		return sum_large(data, len, sum);
	return csum_small(false, NULL, data, len, sum);
}

uint32_t csum_copy(void *restrict dst, const void *restrict src, size_t len, uint32_t sum)
{
	if (__builtin_expect(len < CSUM_SMALL_MIN_BYTES, 0))
		return copy_few(dst, src, len, sum);
	if (len >= CSUM_SMALL_END_BYTES)
		return copy_large(dst, src, len, sum);
	return csum_small(true, dst, src, len, sum);
}
