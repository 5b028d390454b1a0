/* eth.h - Ethernet II and 802.1Q. Inside src/inet only.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef INET_ETH_H
#define INET_ETH_H

#include "inet/core.h"
#include "mem/buf.h"

enum { ETH_HEADER_BYTES = 14, ETH_TAG_BYTES = 4, ETH_ADDR_BYTES = 6 };
enum { ETH_TYPE_IP4 = 0x0800, ETH_TYPE_ARP = 0x0806, ETH_TYPE_VLAN = 0x8100 };

extern const uint8_t eth_broadcast[ETH_ADDR_BYTES];

/* One frame; takes b. */
void eth_input(struct stack *s, struct buf *b);

/* Bytes of the Ethernet header of all our frames: 14, or 18 with a tag. */
static inline uint32_t eth_header_bytes(const struct stack *s)
{
	return s->vlan_id ? ETH_HEADER_BYTES + ETH_TAG_BYTES : ETH_HEADER_BYTES;
}

/* Writes an Ethernet header of eth_header_bytes() at h. */
void eth_write(const struct stack *s, uint8_t *h, const uint8_t dst[ETH_ADDR_BYTES], uint16_t type);

/* A MAC as a number: its six bytes as the low ones of a little-endian load. */
static inline uint64_t eth_mac48(const uint8_t mac[ETH_ADDR_BYTES])
{
	uint32_t low;
	uint16_t high;

	memcpy(&low, mac, sizeof(low));
	memcpy(&high, mac + sizeof(low), sizeof(high));
	return (uint64_t)high << 32 | low;
}

#endif
