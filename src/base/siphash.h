/* siphash.h - SipHash (Aumasson, Bernstein: "SipHash: a fast short-input PRF", 2012), a keyed hash
 * whose collisions nobody without the key can choose.
 *
 * siphash24() is the original with its margin, for what peers see: initial sequence numbers, port
 * offsets, cookies. siphash13_N() hash N 64-bit words with one round a word and three at the end,
 * for hash tables, whose values never leave the process. siphash13_N(key, w...) is SipHash-1-3 of
 * the words' little-endian bytes.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef BASE_SIPHASH_H
#define BASE_SIPHASH_H

#include <stddef.h>
#include <stdint.h>

struct siphash_state {
	uint64_t v0, v1, v2, v3;
};

static inline uint64_t siphash_rotl(uint64_t x, unsigned n)
{
	return x << n | x >> (64 - n);
}

static inline void siphash_init(struct siphash_state *s, const uint64_t key[2])
{
	s->v0 = key[0] ^ 0x736f6d6570736575u;
	s->v1 = key[1] ^ 0x646f72616e646f6du;
	s->v2 = key[0] ^ 0x6c7967656e657261u;
	s->v3 = key[1] ^ 0x7465646279746573u;
}

static inline void siphash_round(struct siphash_state *s)
{
	s->v0 += s->v1;
	s->v2 += s->v3;
	s->v1 = siphash_rotl(s->v1, 13) ^ s->v0;
	s->v3 = siphash_rotl(s->v3, 16) ^ s->v2;
	s->v0 = siphash_rotl(s->v0, 32);
	s->v2 += s->v1;
	s->v0 += s->v3;
	s->v1 = siphash_rotl(s->v1, 17) ^ s->v2;
	s->v3 = siphash_rotl(s->v3, 21) ^ s->v0;
	s->v2 = siphash_rotl(s->v2, 32);
}

/* One message word, with one round. */
static inline void siphash13_word(struct siphash_state *s, uint64_t w)
{
	s->v3 ^= w;
	siphash_round(s);
	s->v0 ^= w;
}

/* The last word holds the length of the message alone, as all before it were whole. */
static inline uint64_t siphash13_end(struct siphash_state *s, unsigned words)
{
	siphash13_word(s, (uint64_t)(8 * words) << 56);
	s->v2 ^= 0xff;
	siphash_round(s);
	siphash_round(s);
	siphash_round(s);
	return s->v0 ^ s->v1 ^ s->v2 ^ s->v3;
}

static inline uint64_t siphash13_1(const uint64_t key[2], uint64_t a)
{
	struct siphash_state s;

	siphash_init(&s, key);
	siphash13_word(&s, a);
	return siphash13_end(&s, 1);
}

static inline uint64_t siphash13_2(const uint64_t key[2], uint64_t a, uint64_t b)
{
	struct siphash_state s;

	siphash_init(&s, key);
	siphash13_word(&s, a);
	siphash13_word(&s, b);
	return siphash13_end(&s, 2);
}

static inline uint64_t siphash13_3(const uint64_t key[2], uint64_t a, uint64_t b, uint64_t c)
{
	struct siphash_state s;

	siphash_init(&s, key);
	siphash13_word(&s, a);
	siphash13_word(&s, b);
	siphash13_word(&s, c);
	return siphash13_end(&s, 3);
}

static inline uint64_t siphash13_4(const uint64_t key[2], uint64_t a, uint64_t b, uint64_t c,
				   uint64_t d)
{
	struct siphash_state s;

	siphash_init(&s, key);
	siphash13_word(&s, a);
	siphash13_word(&s, b);
	siphash13_word(&s, c);
	siphash13_word(&s, d);
	return siphash13_end(&s, 4);
}

static inline uint64_t siphash13_5(const uint64_t key[2], uint64_t a, uint64_t b, uint64_t c,
				   uint64_t d, uint64_t e)
{
	struct siphash_state s;

	siphash_init(&s, key);
	siphash13_word(&s, a);
	siphash13_word(&s, b);
	siphash13_word(&s, c);
	siphash13_word(&s, d);
	siphash13_word(&s, e);
	return siphash13_end(&s, 5);
}

/* SipHash-2-4 of len bytes. The key is 16 bytes as two little-endian words. */
uint64_t siphash24(const uint64_t key[2], const void *data, size_t len);

#endif
