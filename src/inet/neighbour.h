/* neighbour.h - who on this link has which MAC address: a bounded table, filled by ARP (arp.h).
 *
 * An entry that the program's own traffic uses is live; one made because a peer made us answer is
 * passive, until the program's traffic uses it too. Passive entries have a share of the table and
 * replace each other: no flood of made-up addresses displaces a live or static entry.
 *
 * A live entry is never overwritten because somebody says so: another MAC for it is believed only
 * after the old one left a unicast request unanswered. Near the end of its time an entry in use is
 * asked for again, by unicast, and stays usable meanwhile.
 *
 * Inside src/inet only.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef INET_NEIGHBOUR_H
#define INET_NEIGHBOUR_H

#include "inet/core.h"

struct out_packet;
struct ip_path;

enum neighbour_state {
	NEIGHBOUR_FREE,
	NEIGHBOUR_INCOMPLETE, /* no MAC yet: broadcast requests, packets and paths wait */
	NEIGHBOUR_VALID,      /* confirmed within the last arp_cache_ttl_s */
	NEIGHBOUR_PROBED,     /* usable; unicast requests ask whether it still is */
	NEIGHBOUR_FAILED,     /* nobody answered: held so that asking is not repeated at once */
	NEIGHBOUR_STATIC,     /* configured: never changes */
};

struct neighbour {
	uint32_t generation; /* changes with the MAC and with each new use of this slot: an ip_path
				that remembers it knows whether its headers are still right */
	uint8_t mac[6];
	uint8_t state;	/* enum neighbour_state */
	uint8_t tries;	/* requests sent in this state */
	bool passive;	/* made for an answer, not by the program's own traffic */
	bool contested; /* another MAC claims the address: `claimed_mac` */
	uint8_t claimed_mac[6];
	uint64_t used_ns; /* last use, by ip_path_write() too */
	uint64_t confirmed_ns;
	uint64_t deadline_ns;	 /* of this state */
	struct list by_deadline; /* a list of the table: one a state, each in order of deadline */
	struct list by_age;	 /* passive ones, oldest first */
	struct ip_addr ip;
	struct neighbour *hash_next;
	struct list paths;		 /* struct ip_path.waiting */
	struct out_packet *first, *last; /* packets that wait for the MAC */
	uint32_t packets;
};

int neighbour_create(struct stack *s);	 /* -ENOMEM */
void neighbour_destroy(struct stack *s); /* harmless when there is no table */

/* The entry of an on-link address, made and asked for if need be. 0: *out is usable; -EAGAIN: *out
 * waits for an answer; -EHOSTUNREACH: none came, lately, or own address; -ENOMEM: no place.
 * `answer`: the packet is an answer to a peer, not the program's own. */
int neighbour_find(struct stack *s, const struct ip_addr *ip, bool answer, struct neighbour **out);

/* What an ARP packet said: `ip` is at `mac`. `solicited`: it was a reply to us, else news that
 * nobody asked for; `asks_us`: it was a request for our address (RFC 826 then makes an entry). */
void neighbour_heard(struct stack *s, const struct ip_addr *ip, const uint8_t mac[6],
		     bool solicited, bool asks_us);

int neighbour_add_static(struct stack *s, const struct ip_addr *ip, const uint8_t mac[6]);

void neighbour_tick(struct stack *s);
uint64_t neighbour_next_deadline(const struct stack *s);

#endif
