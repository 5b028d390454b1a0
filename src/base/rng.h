/* rng.h - random numbers from a key: the same key gives the same numbers, and without the key
 * nobody can tell the next one from those before (ChaCha with 8 rounds in counter mode; Bernstein,
 * "ChaCha, a variant of Salsa20", 2008). The key comes from the kernel, or from a test's seed.
 *
 * A generator belongs to one thread; it is a plain value and allocates nothing.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef BASE_RNG_H
#define BASE_RNG_H

#include <stdint.h>

enum { RNG_BUFFER_WORDS = 32 }; /* 64-bit numbers made at once: four ChaCha blocks */

struct rng {
	uint64_t buffer[RNG_BUFFER_WORDS];
	uint64_t key[2];
	uint64_t block; /* the number of the next ChaCha block */
	uint32_t used;  /* words of `buffer` handed out */
};

void rng_init(struct rng *r, const uint64_t key[2]);

/* Fills the buffer anew; rng_u64() calls it. */
void rng_refill(struct rng *r);

static inline uint64_t rng_u64(struct rng *r)
{
	if (__builtin_expect(r->used == RNG_BUFFER_WORDS, 0))
		rng_refill(r);
	return r->buffer[r->used++];
}

/* A number from 0 to n - 1, each as likely; n > 0. */
uint64_t rng_below(struct rng *r, uint64_t n);

#endif
