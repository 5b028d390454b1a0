/* ip4.h - IPv4 input, and what kinds of addresses there are. Inside src/inet only.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef INET_IP4_H
#define INET_IP4_H

#include "inet/core.h"
#include "inet/ip.h"
#include "mem/buf.h"

enum { IP4_VERSION_IHL = 0x45 };                  /* version 4, a header of five words */
enum { FRAGMENT_UNIT_BYTES = 8 };                 /* what offsets of fragments count in */
enum { IP4_MTU_MIN = 68, IP4_MAX_BYTES = 65535 }; /* of a packet (RFC 791) */
enum { IP4_TTL_SENT = 64 }; /* RFC 1122 3.2.1.7, the assigned numbers' default */

/* The packet begins `offset` bytes into b; `broadcast`: the frame was not for our MAC alone. Takes
 * b. */
void ip4_input(struct stack *s, struct buf *b, uint32_t offset, bool broadcast);

/* Hands a whole packet to its transport; takes pkt->buf. */
void ip_deliver(struct stack *s, struct packet *pkt);

/* All addresses here are in host order, where nothing else is said. */

/* Could be one host's: not 0/8, loopback, multicast, reserved or 255.255.255.255 (RFC 6890). */
static inline bool ip4_is_unicast(uint32_t a)
{
	return a - (UINT32_C(1) << 24) < UINT32_C(223) << 24 && a >> 24 != 127;
}

/* Could one host of this or another link have this address, in wire order? */
static inline bool ip4_is_plain_source(const struct stack *s, uint32_t wire)
{
	uint8_t first = (uint8_t)wire;

	return (uint8_t)(first - 1) < 223 && first != 127 && wire != s->addr4_wire &&
	       wire != s->network4_wire && wire != s->broadcast4_wire;
}

static inline bool ip4_on_link(const struct stack *s, uint32_t a)
{
	return ((a ^ s->addr4) & s->mask4) == 0;
}

/* A broadcast address, as seen from here: all ones, or the prefix with all ones or all zeroes
 * behind it (RFC 1122 3.3.6), which prefixes of 31 and more bits do not have (RFC 3021). */
static inline bool ip4_is_broadcast(const struct stack *s, uint32_t a)
{
	return a == s->broadcast4 || a == s->network4 || a == UINT32_MAX;
}

#endif
