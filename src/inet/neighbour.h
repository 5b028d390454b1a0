/* neighbour.h - who on this link has which MAC address: a bounded table, filled by ARP (arp.h).
 *
 * An entry that the program's own traffic uses is live; one made because a peer made us answer is
 *  * passive, until the program's traffic uses it too. Passive entries have a share of the table
 * and replace each other; live ones whose MAC is not known give way before those in use, as a
 * program may answer strangers too. So no flood of made-up addresses displaces a neighbour that is
 * there.
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
	NEIGHBOUR_INCOMPLETE, /* no MAC yet: broadcast requests; packets and paths wait */
	NEIGHBOUR_VALID,      /* usable, confirmed not long ago */
	NEIGHBOUR_STALE,      /* usable, to be asked for again when used, or to expire */
	NEIGHBOUR_PROBED,     /* usable; unicast requests ask whether it still is */
	NEIGHBOUR_FAILED,     /* nobody answered: held so that asking is not repeated at once */
	NEIGHBOUR_STATIC,     /* configured: never changes */
	NEIGHBOUR_STATES,
};

struct neighbour {
	uint32_t generation; /* changes with the MAC and with each new use of this slot: an ip_path
				that remembers it knows whether its headers are still right */
	uint8_t mac[6];
	uint8_t state;           /* enum neighbour_state */
	uint8_t tries;           /* requests sent in this state */
	bool passive;            /* made for an answer, not by the program's own traffic */
	bool contested;          /* another MAC has claimed the address since it was confirmed */
	uint64_t used_ns;        /* last use, by ip_path_write() too */
	uint64_t since_ns;       /* of this state; VALID: last confirmation */
	uint64_t deadline_ns;    /* of this state */
	struct list by_deadline; /* the list of its state, which is in order of deadline */
	struct list by_age;      /* passive ones, oldest first */
	struct ip_addr ip;
	struct neighbour *hash_next;
	struct list paths;               /* struct ip_path.waiting */
	struct out_packet *first, *last; /* packets that wait for the MAC */
	uint32_t packets;
	struct list by_packets; /* those with packets, oldest first */
};

/* What an ARP packet was, to those who learn from it. */
enum arp_news {
	ARP_NEWS_REPLY,   /* a reply to us */
	ARP_NEWS_ASKS_US, /* a request for our address */
	ARP_NEWS_UNASKED, /* anything else: an announcement, a request for others */
};

int neighbour_create(struct stack *s);   /* -ENOMEM */
void neighbour_destroy(struct stack *s); /* harmless when there is no table */

/* The entry of an on-link address, made and asked for if need be. 0: *out is usable; -EAGAIN: *out
 * waits for an answer; -EHOSTUNREACH: none came, lately, or own address; -ENOMEM: no place.
 * `answer`: the packet is an answer to a peer, not the program's own. */
int neighbour_find(struct stack *s, const struct ip_addr *ip, bool answer, struct neighbour **out);

/* The entry of an on-link address, if there is one. */
struct neighbour *neighbour_known(struct stack *s, const struct ip_addr *ip);

/* n may have gone: if it has a MAC, asks it, once in a while. */
void neighbour_doubt(struct stack *s, struct neighbour *n);

/* An ARP packet said that `ip`, on this link, is at `mac`. False: another MAC holds it, and is now
 * being asked. */
bool neighbour_heard(struct stack *s, const struct ip_addr *ip, const uint8_t mac[6],
		     enum arp_news news);

/* Takes p, complete but for the destination's MAC: sent when n, which is INCOMPLETE, has one, or
 * dropped when too many wait already. */
void neighbour_wait(struct stack *s, struct neighbour *n, struct out_packet *p);

/* -ENOMEM: table full. */
int neighbour_add_static(struct stack *s, const struct ip_addr *ip, const uint8_t mac[6]);

void neighbour_tick(struct stack *s);
uint64_t neighbour_next_deadline(const struct stack *s);

#endif
