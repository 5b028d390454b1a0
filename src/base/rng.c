/* rng.c - ChaCha8, four blocks at a time: each vector holds one word of the state for four blocks.
 * The words come out in that order, not block after block: which is as random, and needs no
 * transposition.
 *
 * SPDX-License-Identifier: MIT
 */
#include "base/rng.h"
#include <assert.h>
#include <string.h>

enum { ROUNDS = 8, BLOCKS = 4 };

typedef uint32_t lanes __attribute__((vector_size(4 * BLOCKS)));

__extension__ typedef unsigned __int128 u128;

static inline lanes rotl(lanes x, int n)
{
	return x << n | x >> (32 - n);
}

static inline void quarter_round(lanes *a, lanes *b, lanes *c, lanes *d)
{
	*a += *b;
	*d = rotl(*d ^ *a, 16);
	*c += *d;
	*b = rotl(*b ^ *c, 12);
	*a += *b;
	*d = rotl(*d ^ *a, 8);
	*c += *d;
	*b = rotl(*b ^ *c, 7);
}

static inline lanes all(uint32_t v)
{
	return (lanes){v, v, v, v};
}

/* The input matrix of blocks n .. n + 3: "expand 16-byte k", the key twice, the block number, no
 * nonce. */
static void set_up(lanes x[16], const uint64_t key[2], uint64_t n)
{
	const lanes words[8] = {
	    all(0x61707865),       all(0x3120646e),
	    all(0x79622d36),       all(0x6b206574),
	    all((uint32_t)key[0]), all((uint32_t)(key[0] >> 32)),
	    all((uint32_t)key[1]), all((uint32_t)(key[1] >> 32)),
	};

	memcpy(x, words, sizeof(words));
	memcpy(x + 8, words + 4, 4 * sizeof(lanes));
	for (int i = 0; i < BLOCKS; i++) {
		x[12][i] = (uint32_t)(n + (uint64_t)i);
		x[13][i] = (uint32_t)((n + (uint64_t)i) >> 32);
	}
	x[14] = all(0);
	x[15] = all(0);
}

void rng_refill(struct rng *r)
{
	lanes in[16], x[16];

	_Static_assert(sizeof(x) == sizeof(r->buffer), "four blocks fill the buffer");
	set_up(in, r->key, r->block);
	memcpy(x, in, sizeof(x));
	for (int i = 0; i < ROUNDS; i += 2) {
		quarter_round(&x[0], &x[4], &x[8], &x[12]);
		quarter_round(&x[1], &x[5], &x[9], &x[13]);
		quarter_round(&x[2], &x[6], &x[10], &x[14]);
		quarter_round(&x[3], &x[7], &x[11], &x[15]);
		quarter_round(&x[0], &x[5], &x[10], &x[15]);
		quarter_round(&x[1], &x[6], &x[11], &x[12]);
		quarter_round(&x[2], &x[7], &x[8], &x[13]);
		quarter_round(&x[3], &x[4], &x[9], &x[14]);
	}
	for (int i = 0; i < 16; i++)
		x[i] += in[i];
	memcpy(r->buffer, x, sizeof(x));
	r->block += BLOCKS;
	r->used = 0;
}

void rng_init(struct rng *r, const uint64_t key[2])
{
	r->key[0] = key[0];
	r->key[1] = key[1];
	r->block = 0;
	r->used = RNG_BUFFER_WORDS;
	memset(r->buffer, 0, sizeof(r->buffer));
}

/* Lemire, "Fast Random Integer Generation in an Interval" (2019): the high half of x * n is even
 * once the few x whose low half is below 2^64 mod n are thrown away. */
uint64_t rng_below(struct rng *r, uint64_t n)
{
	u128 product;

	assert(n > 0);
	product = (u128)rng_u64(r) * n;
	if ((uint64_t)product < n) {
		uint64_t reject_below = -n % n;

		while ((uint64_t)product < reject_below)
			product = (u128)rng_u64(r) * n;
	}
	return (uint64_t)(product >> 64);
}
