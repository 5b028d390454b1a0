/* inet_share_sort.h - whom a received frame concerns, of several stacks that have one address.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef LIBOS_INET_SHARE_SORT_H
#define LIBOS_INET_SHARE_SORT_H

#include "base/endpoint.h"
#include "base/ports.h"

enum share_kind {
	SHARE_ONE,    /* anybody, but one: pings, and what is not understood here */
	SHARE_ALL,    /* everybody learns from it, one answers: ARP, ICMP */
	SHARE_PIECES, /* of a TCP or UDP packet, whose owner is in the first alone: everybody puts
			 them together, nobody answers for others */
	SHARE_PORT,   /* who has the port */
};

struct share_sorted {
	enum share_kind kind;
	/* SHARE_PORT: */
	enum ports_protocol protocol;
	uint16_t port;        /* ours */
	struct endpoint peer; /* the sender */
	bool opens;           /* a TCP segment with SYN, and without ACK */
};

/* Sorts an Ethernet frame; what is checked further is the stack's affair. */
struct share_sorted share_sort(const uint8_t *frame, uint32_t len);

/* One of the members in a set, which is not empty: always the same for the same peer and port while
 * the set stays the same. */
unsigned share_pick(uint64_t members, const struct share_sorted *s, const uint64_t key[2]);

#endif
