/* checksum_x86.c - AVX2, chosen at run time: 32 bytes an instruction.
 *
 * vpmaddwd adds neighbouring 16-bit words into 32-bit lanes, but takes them for signed. So each
 * word has its top bit turned over, which is 32768 too little, and the difference is added at the
 * end.
 *
 * SPDX-License-Identifier: MIT
 */
#include "base/checksum_bulk.h"
#include <immintrin.h>

#define AVX2 __attribute__((target("avx2")))

enum {
	/* A 32-bit lane changes by up to 2^16 a block, and stays within 31 bits for so many bytes.
	 */
	RUN_BYTES = 512 << 10,
	BLOCK_BYTES = 64,
};

AVX2 static inline __m256i add_words(__m256i lanes, __m256i v)
{
	const __m256i top = _mm256_set1_epi16((short)0x8000);
	const __m256i ones = _mm256_set1_epi16(1);

	return _mm256_add_epi32(lanes, _mm256_madd_epi16(_mm256_xor_si256(v, top), ones));
}

/* The sum of all lanes of both, and 32768 for each 16-bit word of `bytes`. */
AVX2 static inline uint64_t lanes_sum(__m256i a, __m256i b, size_t bytes)
{
	const __m256i lo = _mm256_add_epi64(_mm256_cvtepi32_epi64(_mm256_castsi256_si128(a)),
					    _mm256_cvtepi32_epi64(_mm256_castsi256_si128(b)));
	const __m256i hi = _mm256_add_epi64(_mm256_cvtepi32_epi64(_mm256_extracti128_si256(a, 1)),
					    _mm256_cvtepi32_epi64(_mm256_extracti128_si256(b, 1)));
	const __m256i four = _mm256_add_epi64(lo, hi);
	const __m128i two =
	    _mm_add_epi64(_mm256_castsi256_si128(four), _mm256_extracti128_si256(four, 1));
	int64_t sum = _mm_extract_epi64(two, 0) + _mm_extract_epi64(two, 1);

	return (uint64_t)(sum + (int64_t)(bytes / 2) * 32768);
}

AVX2 static inline __m256i load(const uint8_t *p)
{
	return _mm256_loadu_si256((const __m256i *)(const void *)p);
}

AVX2 static uint64_t sum_blocks(const uint8_t *p, size_t len)
{
	uint64_t sum = 0;

	while (len > 0) {
		size_t run = len < RUN_BYTES ? len : RUN_BYTES;
		__m256i a = _mm256_setzero_si256(), b = a;

		for (const uint8_t *end = p + run; p < end; p += BLOCK_BYTES) {
			a = add_words(a, load(p));
			b = add_words(b, load(p + 32));
		}
		sum += lanes_sum(a, b, run);
		len -= run;
	}
	return sum;
}

AVX2 static uint64_t copy_blocks(uint8_t *restrict dst, const uint8_t *restrict src, size_t len)
{
	uint64_t sum = 0;

	while (len > 0) {
		size_t run = len < RUN_BYTES ? len : RUN_BYTES;
		__m256i a = _mm256_setzero_si256(), b = a;

		for (const uint8_t *end = src + run; src < end; src += BLOCK_BYTES) {
			const __m256i v = load(src), w = load(src + 32);

			_mm256_storeu_si256((__m256i *)(void *)dst, v);
			_mm256_storeu_si256((__m256i *)(void *)(dst + 32), w);
			dst += BLOCK_BYTES;
			a = add_words(a, v);
			b = add_words(b, w);
		}
		sum += lanes_sum(a, b, run);
		len -= run;
	}
	return sum;
}

size_t csum_bulk(const uint8_t *p, size_t len, uint64_t *sum)
{
	size_t bulk = __builtin_cpu_supports("avx2") ? len / BLOCK_BYTES * BLOCK_BYTES : 0;

	*sum = bulk > 0 ? sum_blocks(p, bulk) : 0;
	return bulk;
}

size_t csum_bulk_copy(uint8_t *restrict dst, const uint8_t *restrict src, size_t len, uint64_t *sum)
{
	size_t bulk = __builtin_cpu_supports("avx2") ? len / BLOCK_BYTES * BLOCK_BYTES : 0;

	*sum = bulk > 0 ? copy_blocks(dst, src, bulk) : 0;
	return bulk;
}
