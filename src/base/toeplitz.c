/* toeplitz.c - see toeplitz.h.
 *
 * SPDX-License-Identifier: MIT
 */
#include "base/toeplitz.h"
#include "base/bytes.h"

/* For each bit that is set, the 32 bits of the key that begin there. */
uint32_t toeplitz_hash(const uint8_t *key, const uint8_t *bytes, uint32_t len)
{
	uint64_t window = (uint64_t)get_be32(key) << 32;
	uint32_t hash = 0;

	for (uint32_t i = 0; i < len; i++) {
		window |= (uint64_t)key[i + 4] << 24;
		for (uint8_t bit = 0x80; bit != 0; bit >>= 1) {
			if (bytes[i] & bit)
				hash ^= (uint32_t)(window >> 32);
			window <<= 1;
		}
	}
	return hash;
}

uint16_t toeplitz_queue(const struct toeplitz *t, const struct endpoint *peer,
			const struct endpoint *local)
{
	uint8_t input[12];

	put_be32(input, ip4_get(&peer->ip));
	put_be32(input + 4, ip4_get(&local->ip));
	put_be16(input + 8, peer->port);
	put_be16(input + 10, local->port);
	return t->queues[toeplitz_hash(t->key, input, sizeof(input)) & (t->count - 1)];
}
