/* udp_sock.h - a UDP socket and the tables that find it. Inside udp*.c only.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef INET_UDP_SOCK_H
#define INET_UDP_SOCK_H

#include "inet/core.h"
#include "inet/ip.h"
#include "mem/buf.h"
#include <sys/socket.h>

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
	struct udp_sock *socks;
	struct udp_sock *free;
	struct udp_sock **by_port, **by_peer;
	uint32_t bucket_mask;
	uint32_t connected;      /* sockets in by_peer */
	struct udp_sock *last;   /* the one of them that was found last, the first guess; or NULL */
	struct list blocked;     /* sockets that wait for room in the output queue */
	uint64_t held_bytes;     /* of all receive queues */
	uint64_t held_max_bytes; /* half of the stack's pool: datagrams do not starve the rest */
};

static inline struct udp_sock *udp_of(const struct sock *k)
{
	return container_of(k, struct udp_sock, sock);
}

/* udp_table.c */

/* The socket that takes a datagram from `peer` to `local`; NULL: nobody. */
struct udp_sock *udp_find(struct stack *s, const struct endpoint *local,
			  const struct endpoint *peer);
/* The socket connected so; NULL: none. */
struct udp_sock *udp_find_connected(struct stack *s, uint16_t port, const struct endpoint *peer);
/* Gives k a port: `port`, or one chosen when it is 0. -EADDRINUSE. */
int udp_take_port(struct udp_sock *k, uint16_t port, bool reuse_port);
void udp_set_peer(struct udp_sock *k, const struct endpoint *peer);
void udp_unlink(struct udp_sock *k); /* from both tables */

/* udp_recv.c */
void udp_drop_queue(struct udp_sock *k);

#endif
