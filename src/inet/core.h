/* core.h - what the files of src/inet share: the stack object and the head of every socket. Nothing
 * outside src/inet includes it.
 *
 * Each module owns one pointer in struct stack, makes it in its create and frees it in its destroy;
 * others go through the module's header. Time is s->now_ns, set by each door that is told it.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef INET_CORE_H
#define INET_CORE_H

#include "base/list.h"
#include "base/rng.h"
#include "inet/limits.h"
#include "inet/rate.h"
#include "inet/stack.h"
#include <stdbool.h>
#include <stdint.h>

struct neighbour_table; /* neighbour.h */
struct output_queue;    /* output.h */
struct pmtu_table;      /* pmtu.h */
struct reassembly;      /* reassembly.h */
struct tcp_table;       /* TCP's own */
struct udp_table;       /* udp.h */

struct stack {
	uint64_t now_ns; /* of the current call */
	uint64_t mac48;  /* own MAC as the low six bytes of a little-endian load */
	/* Host order: own IPv4 address, prefix mask, and the prefix's two broadcast addresses,
	 * which are UINT32_MAX where it has none (ip4.h). */
	uint32_t addr4, mask4, network4, broadcast4;
	/* The three addresses as they lie in packets. */
	uint32_t addr4_wire, network4_wire, broadcast4_wire;
	uint16_t ip_mtu; /* cfg.mtu: bytes of an IP packet */
	uint16_t vlan_id;
	bool tcp_first;  /* whose turn it is in stack_output() */
	uint32_t queued; /* packets that output_fill() would give */
	struct pool *pool;
	struct list events; /* struct sock.event_link: those with event bits */

	struct tcp_table *tcp;
	struct udp_table *udp;
	struct neighbour_table *neighbours;
	struct output_queue *output;
	struct reassembly *reassembly;
	struct pmtu_table *pmtu;

	struct rate arp_replies, icmp_errors, icmp_echoes;
	uint64_t arp_defend_ns;   /* our address is not defended again before */
	uint64_t ip_deadline_ns;  /* no timer below TCP is due before */
	uint64_t narrow_until_ns; /* then no path is known that ip_path_is_narrow() */
	uint32_t copy_room_bytes; /* what a fresh buffer of the pool takes behind its headroom */

	uint16_t ip_ids[IP_ID_COUNTERS];

	struct stack_stats stats;
	struct rng rng;          /* keyed by cfg.key: for what a peer must not guess */
	uint64_t hash_key[2];    /* of small keyed hashes below TCP */
	struct stack_config cfg; /* as given, defaults filled in */
};

/* Time does not go backwards, even if a caller's readings do. */
static inline void stack_set_time(struct stack *s, uint64_t now_ns)
{
	if (now_ns > s->now_ns)
		s->now_ns = now_ns;
}

enum sock_kind { SOCK_TCP, SOCK_UDP };

/* The head of a TCP or UDP socket, its first member. A module that opens a socket zeroes it, calls
 * sock_init(), and before it frees the memory sock_gone(). */
struct sock {
	struct stack *stack;
	void *user;
	struct list event_link; /* on stack.events while event_bits is not 0 */
	uint16_t event_bits;    /* STACK_EV_ */
	uint8_t kind;           /* enum sock_kind */
	bool reuse_port;
	int error;             /* 0, or the -errno that ended it (TCP) or is pending (UDP) */
	struct endpoint local; /* port 0: not bound */
	struct endpoint peer;  /* port 0: not connected */
};

static inline void sock_init(struct sock *k, struct stack *s, enum sock_kind kind, void *user)
{
	k->stack = s;
	k->user = user;
	k->kind = (uint8_t)kind;
	list_init(&k->event_link);
}

static inline void sock_gone(struct sock *k)
{
	if (k->event_bits != 0)
		list_del(&k->event_link);
	k->event_bits = 0;
}

/* A received frame goes no further: counted, and given back. */
static inline void stack_drop(struct buf *b, uint64_t *counter)
{
	++*counter;
	buf_unref(b);
}

/* Adds STACK_EV_ bits to what stack_events() will say about k, once. */
static inline void event_raise(struct sock *k, uint32_t bits)
{
	uint32_t before = k->event_bits;

	k->event_bits = (uint16_t)(before | bits);
	if (before == 0)
		list_add_tail(&k->stack->events, &k->event_link);
}

#endif
