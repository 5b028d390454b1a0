/* siphash.c - SipHash-2-4 of a string of bytes.
 *
 * SPDX-License-Identifier: MIT
 */
#include "base/siphash.h"
#include <string.h>

static void word24(struct siphash_state *s, uint64_t w)
{
	s->v3 ^= w;
	siphash_round(s);
	siphash_round(s);
	s->v0 ^= w;
}

uint64_t siphash24(const uint64_t key[2], const void *data, size_t len)
{
	const uint8_t *p = data;
	struct siphash_state s;
	uint64_t w;
	size_t left;

	siphash_init(&s, key);
	for (left = len; left >= 8; left -= 8, p += 8) {
		memcpy(&w, p, 8);
		word24(&s, w);
	}
	w = 0;
	if (left > 0)
		memcpy(&w, p, left);
	word24(&s, w | (uint64_t)len << 56);
	s.v2 ^= 0xff;
	for (int i = 0; i < 4; i++)
		siphash_round(&s);
	return s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
}
