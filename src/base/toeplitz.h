/* toeplitz.h - the hash by which cards choose the queue of a received packet (RSS).
 *
 * Source: Microsoft, "RSS hashing functions" and "Verifying the RSS hash calculation".
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef BASE_TOEPLITZ_H
#define BASE_TOEPLITZ_H

#include "base/endpoint.h"
#include <stdint.h>

enum {
	TOEPLITZ_KEY_BYTES = 64,  /* the longest; most cards have 40 or 52 */
	TOEPLITZ_QUEUES = 1024,   /* entries of the longest table */
	TOEPLITZ_KEY_MIN = 4 + 12 /* what an IPv4 packet with ports needs */
};

/* The hash of `len` bytes. The key has at least len + 4. */
uint32_t toeplitz_hash(const uint8_t *key, const uint8_t *bytes, uint32_t len);

/* What a card has been told: packets go to queues[hash % count]. */
struct toeplitz {
	uint8_t key[TOEPLITZ_KEY_BYTES];
	uint16_t queues[TOEPLITZ_QUEUES];
	uint32_t count; /* a power of two; 0: how the card chooses is not known */
};

/* The queue of TCP segments over IPv4 from peer to local. count is not 0. */
uint16_t toeplitz_queue(const struct toeplitz *t, const struct endpoint *peer,
			const struct endpoint *local);

#endif
