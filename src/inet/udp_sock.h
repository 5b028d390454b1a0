/* udp_sock.h - a UDP socket and the tables that find it. Inside udp*.c only.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef INET_UDP_SOCK_H
#define INET_UDP_SOCK_H

#include "base/checksum.h"
#include "inet/core.h"
#include "inet/ip.h"
#include "mem/buf.h"
#include <stddef.h>
#include <sys/socket.h>

/* RFC 768: offsets in bytes, and the whole. */
enum { UDP_LENGTH = 4, UDP_CHECKSUM = 6, UDP_HEADER_BYTES = 8 };

struct udp_sock {
	struct sock sock; /* first; sock.error is pending until a verb tells of it */

	/* Tables */
	struct udp_sock *port_next; /* of the same port's bucket; of the free list */
	struct udp_sock *peer_next; /* connected: of the same hash of local port and peer */
	bool open;
	bool closing; /* the program's no longer: goes with its last packet */
	bool shut_read, shut_write;
	struct linger linger; /* kept for getsockopt(): a datagram has nothing to linger for */

	/* Receiving: datagrams in order, linked by buf.next; buf.mark is how much of the first was
	 * taken, and the sender lies in front of data (udp_recv.c) */
	struct buf *first, *last;
	uint32_t held_bytes; /* of memory, not of payload */
	uint32_t recv_max_bytes;

	/* Sending */
	struct ip_path path;     /* to path_dst, the destination used last */
	struct ip_addr path_dst; /* any: none yet */
	uint32_t packets;        /* in the output queue */
	struct list blocked;     /* of udp_table.blocked: -EAGAIN was given, an event is due */
};

struct udp_table {
	/* Whose the last datagram was, the first guess, and where it came from, as these lie in a
	 * packet: the source, and both ports. NULL when a table has changed since. */
	struct udp_sock *last;
	uint32_t last_src_wire, last_ports_wire;
	struct list blocked;      /* sockets that wait for room in the output queue */
	uint64_t held_bytes;      /* of all receive queues */
	uint64_t held_max_bytes;  /* half of the stack's pool: datagrams do not starve the rest */
	uint32_t small_max_bytes; /* payload: of those that udp_fast.h sends, at most */

	struct udp_sock *socks;
	struct udp_sock *free;
	struct udp_sock **by_port, **by_peer;
	uint32_t bucket_mask;
	uint32_t connected; /* sockets in by_peer */
};

static inline struct udp_sock *udp_of(const struct sock *k)
{
	return container_of(k, struct udp_sock, sock);
}

/* udp_table.c */

/* The socket that takes a datagram from `peer` to `local`; NULL: nobody. */
struct udp_sock *udp_find(struct stack *s, const struct endpoint *local,
			  const struct endpoint *peer);
/* The same for a plain packet to our address, of its source and both ports as they lie in it; it
 * becomes the first guess for the next. NULL: nobody, or the source is impossible. */
struct udp_sock *udp_find_plain(struct stack *s, uint32_t src_wire, uint32_t ports_wire);
/* Gives k a port: `port`, or one chosen when it is 0. -EADDRINUSE. */
int udp_take_port(struct udp_sock *k, uint16_t port, bool reuse_port);
void udp_set_peer(struct udp_sock *k, const struct endpoint *peer);
void udp_unlink(struct udp_sock *k); /* from both tables */

/* udp_recv.c */
void udp_drop_queue(struct udp_sock *k);

/* What a queued datagram counts for. */
static inline uint32_t udp_memory_of(const struct buf *b)
{
	return b->room + (uint32_t)sizeof(*b);
}

static inline bool udp_is_full(const struct udp_sock *k, const struct buf *b)
{
	const struct udp_table *t = k->sock.stack->udp;

	return k->held_bytes + udp_memory_of(b) > k->recv_max_bytes ||
	       t->held_bytes + udp_memory_of(b) > t->held_max_bytes;
}

/* Would b, held, leave too little for others? */
static inline bool udp_is_starving(const struct stack *s, const struct buf *b)
{
	return b->pool == s->pool && s->pool->free_count < s->pool->count / UDP_POOL_LOW_DIVISOR;
}

/* Puts b, whose data is a datagram's payload, into k's queue, and the sender over the headers in
 * front of it. */
static inline void udp_keep(struct udp_sock *k, struct buf *b, const struct ip_addr *ip,
			    uint16_t port)
{
	uint8_t *from = b->data - sizeof(struct endpoint);

	_Static_assert(sizeof(struct endpoint) <= 20 + UDP_HEADER_BYTES, "fits there");
	/* Without the padding behind the port, which has no value: valgrind would follow it into
	 * the frame that the device writes to the same place later. */
	memcpy(from, ip, sizeof(*ip));
	memcpy(from + offsetof(struct endpoint, port), &port, sizeof(port));
	b->mark = 0;
	b->next = NULL;
	if (k->last != NULL)
		k->last->next = b;
	else
		k->first = b;
	k->last = b;
	k->held_bytes += udp_memory_of(b);
	k->sock.stack->udp->held_bytes += udp_memory_of(b);
	event_raise(&k->sock, STACK_EV_READ);
}

/* Writes a header, but for its checksum. Returns the sum of it, of 64-bit words. */
static inline uint64_t udp_write_header(uint8_t *h, uint16_t src, uint16_t dst, uint32_t bytes)
{
	return put_be64(h, (uint64_t)src << 48 | (uint64_t)dst << 32 | bytes << 16);
}

#endif
