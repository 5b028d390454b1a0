/* tcp_table.h - all of a stack's TCP: where control blocks, half-open connections and the pieces of
 * queues come from, and how a segment finds its connection.
 *
 * Everything is made by tcp_create() and fixed from then on. Look-up is by SipHash with a secret
 * key: a peer cannot choose ports that fall into one slot.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef INET_TCP_TABLE_H
#define INET_TCP_TABLE_H

#include "inet/tcp.h"
#include "inet/tcp_cb.h"
#include "inet/tcp_sets.h"

enum {
	TCP_BOUND_SLOTS = 1024,
	TCP_RECENT_SHIFT = 22, /* of a product of 32 bits */
	TCP_RECENT = 1 << (32 - TCP_RECENT_SHIFT),
	TCP_AHEAD_FRAMES = 32, /* of a burst, for tcp_ahead.h */
};

/* Which pool: the stack's own, or another one, as the device's. */
enum tcp_pool_kind { TCP_POOL_OWN, TCP_POOL_OTHER, TCP_POOL_KINDS };

/* A connection in SYN-RECEIVED that came from a listener: what is needed to answer, and to make a
 * control block when the peer proves that it received the answer. */
struct tcp_half {
	struct tcp_half *hash_next;
	struct tcp_cb *listener;
	struct wheel_entry timer; /* the next SYN-ACK */
	struct list link;         /* in the table's list of them */
	struct ip_addr peer_ip;
	uint32_t local_port_peer_port; /* the ports, each 16 bits */
	uint32_t iss, irs;
	uint32_t ts_recent;
	uint32_t made_tick; /* tcp_clock() */
	uint32_t challenge_tick;
	uint16_t peer_wnd;
	uint16_t peer_mss;
	uint8_t snd_shift, rcv_shift; /* window scales: the peer's, ours as offered */
	uint8_t retries;              /* SYN-ACKs after the first */
	uint8_t group;                /* of its peer's address */
	uint8_t challenges;           /* since challenge_tick */
	bool timestamps : 1;
	bool sack : 1;
	bool window_scale : 1;
	bool ecn : 1;
};

/* Their timers and the way to the peer are inside; there are up to two hash slots for each. */
_Static_assert(sizeof(struct tcp_half) + 2 * sizeof(void *) <= TCP_HALF_OPEN_BYTES_MAX,
	       "a half-open connection and its hash slots");
_Static_assert(sizeof(struct tcp_cb) + 2 * sizeof(void *) <= TCP_CONNECTION_BYTES_MAX,
	       "a connection and its hash slots");
_Static_assert(sizeof(struct tcp_half) % TCP_SLAB_ALIGN == 0 &&
		   sizeof(struct tcp_cb) % TCP_SLAB_ALIGN == 0,
	       "nothing is lost between two");

struct tcp_table {
	struct list output;  /* connections that have something to send: out_link */
	struct tcp_cb *last; /* the connection of the last segment: tcp_fast.h guesses it first */
	struct tcp_cb *recent[TCP_RECENT]; /* and these next: tcp_table_find_wire() */
	/* While a burst is taken in, whose each of its segments seems to be; NULL: no idea. */
	struct tcp_cb *ahead[TCP_AHEAD_FRAMES];
	struct tcp_cb **slots;
	uint32_t slot_mask;
	uint64_t hash_key[2], isn_key[2], port_key[2];
	struct wheel wheel, half_wheel; /* connections; half-open ones */
	uint64_t next_ns;               /* at or before the wheel_next() of both */

	const struct tcp_cc *cc; /* of new sockets */
	struct tcp_slab cbs, halves, chunks;
	struct tcp_sets reassemblies[TCP_SET_SIZES], ranges[TCP_SET_SIZES], sent[TCP_SET_SIZES];
	struct tcp_half **half_slots;
	uint32_t half_mask;
	struct list half_open; /* all of them: link */
	uint32_t group_count[TCP_PEER_GROUPS];
	uint64_t cookies_until_ns; /* till then an acknowledgement may answer a cookie */
	uint32_t group_opened[TCP_PEER_GROUPS]; /* connections that came from a listener */
	struct tcp_cb *bound[TCP_BOUND_SLOTS];  /* by port: bound_next */
	uint32_t listeners;
	struct list time_wait; /* closed by their programs, oldest first: link */
	/* Shut down both ways, oldest first, some of them looked at already: link. */
	struct list closing;
	uint32_t port_next;
	/* Buffers held, while a pool is scarce (tcp_pressure.c), and when they are counted again.
	 */
	uint32_t group_buffers[TCP_POOL_KINDS][TCP_PEER_GROUPS];
	uint64_t group_buffers_ns;
	uint64_t tuned_bytes; /* of all connections: tcp_tune.h */
	uint32_t challenges_left;
	uint64_t challenges_until_ns;
};

/* The i-th control block of those that were ever in use (cbs.touched); of one that was freed the
 * queues are empty. */
static inline struct tcp_cb *tcp_cb_at(const struct tcp_table *t, uint32_t i)
{
	return (struct tcp_cb *)(void *)(t->cbs.block + (size_t)i * t->cbs.size);
}

/* The keyed hash by which both tables are looked up. */
uint32_t tcp_table_hash(const struct tcp_table *t, const struct ip_addr *peer_ip,
			uint16_t peer_port, uint16_t local_port);

/* Which of TCP_PEER_GROUPS a peer belongs to: not of its choosing. */
uint8_t tcp_peer_group(const struct tcp_table *t, const struct ip_addr *ip);

/* The connection of these endpoints, or NULL. */
struct tcp_cb *tcp_table_find(struct tcp_table *t, const struct ip_addr *peer_ip,
			      uint16_t peer_port, uint16_t local_port);

/* The same, of a segment's wire_peer and wire_ports (tcp_cb.h): without SipHash mostly. A peer that
 * chooses its ports so that they fall together is slower by that, and nobody else is. */
struct tcp_cb *tcp_table_find_wire(struct tcp_table *t, uint32_t peer, uint32_t ports);

/* Where that looks first: NULL, or a connection that was heard of lately, perhaps another one. */
static inline struct tcp_cb **tcp_table_recent(struct tcp_table *t, uint32_t peer, uint32_t ports)
{
	return &t->recent[(peer ^ ports) * UINT32_C(0x9e3779b1) >> TCP_RECENT_SHIFT];
}

void tcp_table_add(struct tcp_table *t, struct tcp_cb *cb);
void tcp_table_remove(struct tcp_table *t, struct tcp_cb *cb);

/* Half-open connections: tcp_half.c. */
struct tcp_half *tcp_half_find(struct tcp_table *t, const struct ip_addr *peer_ip,
			       uint16_t peer_port, uint16_t local_port);
void tcp_half_add(struct tcp_table *t, struct tcp_half *h);
void tcp_half_remove(struct tcp_table *t, struct tcp_half *h); /* and frees it */

/* A zeroed control block in CLOSED with its defaults, or NULL. When all are in use the oldest
 * TIME-WAIT gives way; when nearly all are, and there is no TIME-WAIT, a connection that is shut
 * down both ways and of whose peer nothing is wanted or heard any more: TCP_DESERTED_NS. */
struct tcp_cb *tcp_cb_new(struct stack *s, void *user);
void tcp_cb_free(struct tcp_cb *cb);

/* Bound sockets and listeners. */
void tcp_bound_add(struct tcp_table *t, struct tcp_cb *cb);
void tcp_bound_remove(struct tcp_table *t, struct tcp_cb *cb); /* harmless when not bound */
/* May a socket be bound there? */
bool tcp_bound_conflict(const struct tcp_table *t, const struct endpoint *local, bool reuse_port);
struct tcp_cb *tcp_listener_find(const struct tcp_table *t, const struct ip_addr *local_ip,
				 uint16_t local_port);

/* Takes a port for a control block, among the stacks of our address. False: another has it. The
 * port is dropped with the control block, or for another one. */
bool tcp_port_take(struct tcp_cb *cb, uint16_t port, bool share);

/* Takes a port for a connection to peer (RFC 6056 3.3.3), or to be bound (peer NULL); 0: there is
 * none. */
uint16_t tcp_port_choose(struct tcp_cb *cb, const struct endpoint *peer, bool share);

/* RFC 6528: the initial sequence number of a connection. */
uint32_t tcp_isn(const struct stack *s, const struct ip_addr *peer_ip, uint16_t peer_port,
		 uint16_t local_port);
/* The offset of its timestamps (RFC 7323 5.4), the same for each connection of the same addresses
 * and ports, so that RFC 6191 may compare them; of others nobody learns anything by it. */
uint32_t tcp_timestamp_offset(const struct stack *s, const struct ip_addr *peer_ip,
			      uint16_t peer_port, uint16_t local_port);

/* May a challenge ACK go out for this connection, now? Counts it. `tick` and `count` are the
 * connection's. */
bool tcp_challenge_allowed(struct stack *s, uint32_t *tick, uint8_t *count);

/* The same for the acknowledgement of a bare segment that is not acceptable (RFC 9293 3.10.7.4,
 * first): a keepalive, a window probe, a FIN that comes again. It counts for its connection alone:
 * what others provoke must not silence the answer that keeps a connection alive. */
bool tcp_bare_answer_allowed(struct stack *s, uint32_t *tick, uint8_t *count);

#endif
