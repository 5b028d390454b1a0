/* scan_x86.c - see scan.h; with AVX2, where the processor has that.
 *
 * SPDX-License-Identifier: MIT
 */
#include "rt/scan.h"
#include <immintrin.h>

/* Which of the SCAN_BLOCK tokens from qts on are qt, a bit each. */
__attribute__((target("avx2"))) static inline uint32_t block_matches(const demi_qtoken_t *qts,
								     demi_qtoken_t qt)
{
	const __m256i wanted = _mm256_set1_epi64x((int64_t)qt);
	uint32_t matches = 0;

	for (unsigned i = 0; i < SCAN_BLOCK; i += 4) {
		__m256i four = _mm256_loadu_si256((const __m256i *)(const void *)&qts[i]);
		__m256i same = _mm256_cmpeq_epi64(four, wanted);

		matches |= (uint32_t)_mm256_movemask_pd(_mm256_castsi256_pd(same)) << i;
	}
	return matches;
}

__attribute__((target("avx2"))) static bool scan_wide(const demi_qtoken_t *qts, uint32_t from,
						      uint32_t to, demi_qtoken_t qt, uint32_t *low,
						      uint32_t *high, uint32_t *at)
{
	bool below, above;

	while (below = *low - from >= SCAN_BLOCK, above = to - *high >= SCAN_BLOCK,
	       below || above) {
		uint32_t under = below ? block_matches(&qts[*low - SCAN_BLOCK], qt) : 0;
		uint32_t over = above ? block_matches(&qts[*high], qt) : 0;
		uint64_t both = under | (uint64_t)over << SCAN_BLOCK;

		if (both != 0) {
			uint32_t bit = (uint32_t)__builtin_ctzll(both);

			*at = bit < SCAN_BLOCK ? *low - SCAN_BLOCK + bit : *high + bit - SCAN_BLOCK;
			return true;
		}
		*low -= below ? SCAN_BLOCK : 0;
		*high += above ? SCAN_BLOCK : 0;
	}
	return false;
}

bool scan_blocks(const demi_qtoken_t *qts, uint32_t from, uint32_t to, demi_qtoken_t qt,
		 uint32_t *low, uint32_t *high, uint32_t *at)
{
	return __builtin_cpu_supports("avx2") && scan_wide(qts, from, to, qt, low, high, at);
}
