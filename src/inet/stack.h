/* stack.h - the TCP/IP stack: a pure machine.
 *
 * Time (ns of any monotonic clock), randomness (a key), memory (pools) and configuration come in as
 * arguments; frames in, frames out, events out, next deadline out. It reads no clock, opens
 * nothing, allocates nothing after stack_create(), never blocks and never calls back. A stack
 * belongs to one thread; a process may hold any number.
 *
 * The loop of its driver:
 *
 *     n = link rx(bufs);            stack_input(s, bufs, n, now)
 *     if (now >= deadline)          stack_tick(s, now)
 *     while (k = stack_events(s, ev, N))            act on ev[]
 *     do { k = stack_output(s, frames, N, now);     link tx(frames, k) } while (k == N)
 *     deadline = stack_next_deadline(s)
 *
 * Errors: 0 or -errno. A frame that is dropped is not an error: it bumps a named counter (struct
 * stack_stats).
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef INET_STACK_H
#define INET_STACK_H

#include "base/endpoint.h"
#include "base/ports.h"
#include "mem/frame.h"
#include "mem/pool.h"
#include <stdbool.h>
#include <stdint.h>

struct stack;
struct sock; /* a TCP or UDP socket; the pointer is valid from open until close/abort */

/* RFC 3168: whether connections have it. */
enum stack_ecn {
	STACK_ECN_OFF,
	STACK_ECN_PASSIVE, /* where the peer asks for it */
	STACK_ECN_ON,      /* asks for it too */
};

/* RFC 4821: whether segments probe for what their path takes. */
enum stack_mtu_probing {
	STACK_MTU_OFF,
	STACK_MTU_BLACK_HOLE, /* once time-outs suggest that it drops large ones in silence */
	STACK_MTU_ALWAYS,
};

/* What a stack is made with. stack_config_init() fills in the defaults; capacities are fixed for
 * its life. */
struct stack_config {
	uint8_t mac[6];
	struct ip_addr addr;    /* own address */
	uint8_t prefix_len;     /* bits of the on-link prefix; 0: everything is on-link */
	struct ip_addr gateway; /* ip_is_any(): none */
	uint16_t mtu;           /* bytes of an IP packet: 68 (RFC 791) ..65535 */
	uint16_t vlan_id;       /* 1..4094: the 802.1Q tag of all our frames; 0: untagged */
	uint16_t mss;           /* cap of the TCP MSS; 0: from the MTU */

	uint32_t offloads;      /* OFFLOAD_ of the link */
	uint16_t max_frags;     /* payload fragments a frame may have; 0: contiguous frames only */
	uint32_t tso_max_bytes; /* payload of one TSO frame */

	uint64_t key[2];   /* secret: seeds ISNs, ports, hashes, the generator. From getrandom(2) */
	struct pool *pool; /* for headers, copied payload, ARP and ICMP; borrowed */

	/* The ports of all stacks that have this address, each in its thread, and which of them
	 * this one is: ports_join() was called for it. Borrowed; NULL: it is alone. */
	struct ports *ports;
	unsigned ports_member;

	/* Capacities */
	uint32_t max_tcp; /* connections, TIME-WAIT included */
	/* Of them those that one peer has opened, TIME-WAIT not included; peers are told apart by
	 * group (tcp_limits.h). 0: three quarters of max_tcp. */
	uint32_t max_tcp_per_peer;
	uint32_t max_half_open; /* SYN-RECEIVED, in all */
	uint32_t max_listeners;
	uint32_t max_udp;
	uint32_t max_neighbours;
	uint32_t send_buffer_bytes; /* per connection: accepted, not yet acknowledged */
	uint32_t recv_buffer_bytes; /* per connection: the largest window, up to 4 MiB and more */
	/* Both grow so far by themselves, as a connection's bandwidth and round trip ask for it; 0:
	 * they do not. And by so much in all, of all connections together. */
	uint32_t buffer_max_bytes;
	uint64_t buffer_total_bytes;

	/* ARP */
	bool arp_disable_requests; /* only static entries */
	uint32_t arp_cache_ttl_s;
	uint32_t arp_request_timeout_ms;
	uint32_t arp_request_retries;

	/* TCP */
	/* TCP_CONGESTION of new sockets, borrowed: "cubic", "reno", "dctcp", "none" */
	const char *congestion;
	uint8_t ecn;         /* enum stack_ecn; default STACK_ECN_PASSIVE */
	uint8_t mtu_probing; /* enum stack_mtu_probing; default STACK_MTU_BLACK_HOLE */
	/* Connections that are faster are paced (tcp_pace.h); 0: none is; default 20 Mbit/s. */
	uint64_t pace_above_bytes_per_s;
	bool nagle;            /* default off */
	uint32_t time_wait_ms; /* 2 MSL; 0: none */
	bool keepalive;        /* new sockets' default */
	uint32_t keepalive_idle_ms, keepalive_interval_ms, keepalive_probes;
	uint32_t user_timeout_ms; /* 0: R2 decides */
	uint32_t zero_copy_bytes; /* a send of at least this many references the program's memory;
				     default 4096 */
};

void stack_config_init(struct stack_config *cfg);

/* Copies cfg. -EINVAL (an impossible value), -ENOMEM. */
int stack_create(struct stack **out, const struct stack_config *cfg, uint64_t now_ns);
void stack_destroy(struct stack *s); /* drops all without a word to peers; NULL is harmless */

/* A burst of frames from the link. Takes all n references. */
void stack_input(struct stack *s, struct buf *const bufs[], int n, uint64_t now_ns);

/* Fills up to n frames to be sent, now; says how many. Fewer than n: that is all, and the driver's
 * turn ends; asked again before the program had a turn, the stack would acknowledge in frames of
 * their own what an answer could have carried. The frames' references are the caller's (frame.h);
 * frames that the link did not take are kept by the caller and offered again. */
int stack_output(struct stack *s, struct frame frames[], int n, uint64_t now_ns);

/* Runs the timers that are due. Calling early is harmless. */
void stack_tick(struct stack *s, uint64_t now_ns);

/* When stack_tick() has something to do; UINT64_MAX: nothing. May be early, never late. */
uint64_t stack_next_deadline(const struct stack *s);

/* Whether the driver's turn would find nothing to do: no timer is due, nothing became ready,
 * nothing is to be sent. Takes the time, as the turn does. */
bool stack_idle(struct stack *s, uint64_t now_ns);

/* What became ready, each socket at most once a call. Bits are edges: they say that a verb which
 * gave -EAGAIN is worth another try. */
enum {
	STACK_EV_CONNECTED = 1 << 0, /* stack_connect() succeeded */
	STACK_EV_ACCEPT = 1 << 1,    /* stack_accept() has one */
	STACK_EV_READ = 1 << 2,   /* stack_recv() has bytes, a datagram, or the end of the stream */
	STACK_EV_WRITE = 1 << 3,  /* room in the send buffer again, after -EAGAIN */
	STACK_EV_ACKED = 1 << 4,  /* stack_acked() moved past a zero-copy send */
	STACK_EV_FAILED = 1 << 5, /* stack_error() says why; the socket only takes close */
	/* After stack_shutdown(SHUT_WR): FIN acknowledged; or, where both ends have sent theirs at
	 * once, a reset in place of that (RFC 9293 3.10.7.4, second), nothing else outstanding. */
	STACK_EV_CLOSED = 1 << 6,
};
struct stack_event {
	struct sock *sock;
	void *user;
	uint32_t bits;
};
int stack_events(struct stack *s, struct stack_event ev[], int n);

/* Sockets. `user` comes back with each event. */
int stack_open(struct stack *s, int type, void *user,
	       struct sock **out); /* SOCK_STREAM, SOCK_DGRAM; -ENOMEM when the table is full */
void stack_set_user(struct sock *k, void *user);
int stack_bind(struct sock *k, const struct endpoint *local,
	       bool reuse_port); /* port 0 chooses. -EADDRINUSE -EADDRNOTAVAIL -EINVAL (bound) */
int stack_listen(struct sock *k, int backlog); /* -EADDRINUSE -EDESTADDRREQ -EINVAL */
/* The next established connection of the backlog; `user` is the new socket's. -EAGAIN, -EINVAL. */
int stack_accept(struct sock *k, void *user, struct sock **out);
int stack_connect(struct sock *k, const struct endpoint *peer,
		  uint64_t now_ns); /* 0 (UDP), -EINPROGRESS, -EADDRNOTAVAIL, -ENETUNREACH ... */

/* TCP: accepts up to len bytes at data inside b; returns how many, or -EAGAIN (none: wait for
 * STACK_EV_WRITE), -EPIPE (after shutdown), -ENOTCONN, or the connection's error. When len >=
 * zero_copy_bytes and the link can take fragments the stack takes references to b and *zero_copy is
 * set true: the bytes may not change until stack_acked() reaches the sum of bytes accepted so far.
 * Else they are copied and the caller's again on return. Takes no reference otherwise. */
int64_t stack_send(struct sock *k, struct buf *b, const uint8_t *data, uint32_t len,
		   bool *zero_copy, uint64_t now_ns);
uint64_t stack_acked(const struct sock *k);    /* bytes acknowledged in all */
uint64_t stack_accepted(const struct sock *k); /* bytes accepted in all */

/* UDP: one datagram; peer NULL for the connected one. 0; -EAGAIN (queue full: wait for
 * STACK_EV_WRITE), -EMSGSIZE, -ENETUNREACH, -EHOSTUNREACH, -ECONNREFUSED (an ICMP error since the
 * last call), -EDESTADDRREQ, -EPIPE, -ENOMEM. The bytes are copied or referenced as with
 * stack_send(): they may not change while !buf_sole(b). An unbound socket gets a port. */
int stack_sendto(struct sock *k, struct buf *b, const uint8_t *data, uint32_t len,
		 const struct endpoint *peer, uint64_t now_ns);

/* Received bytes without a copy: out->buf is a reference given to the caller, data and len (at most
 * max) the next bytes of the stream or of one datagram, whose rest, beyond max, stays for the next
 * call, with the same sender. Two results may share one buffer: its own data and len mean nothing.
 * Returns 1; 0: end of stream; -EAGAIN; -EINVAL (max is 0); or the connection's error. One call
 * gives bytes of one received frame or of several copied together. */
struct stack_received {
	struct buf *buf;
	uint8_t *data;
	uint32_t len;
	struct endpoint from; /* datagrams: the sender; streams: not set */
};
int stack_recv(struct sock *k, uint32_t max, struct stack_received *out, uint64_t now_ns);

/* The next received bytes, copied to dst (at most max) and left where they are: the window does not
 * move. For UDP the next datagram, cut at max. How many bytes (0 for an empty datagram and at the
 * end of the stream), -EAGAIN, or the connection's error. */
int64_t stack_peek(const struct sock *k, uint8_t *dst, uint32_t max);

int stack_shutdown(struct sock *k, int how,
		   uint64_t now_ns); /* SHUT_RD, SHUT_WR, SHUT_RDWR; -ENOTCONN */
/* Gives the socket back: what was accepted is sent, then FIN; the stack finishes alone. Unread
 * received data makes it a reset (RFC 9293 3.6.1, RFC 1122 4.2.2.13). With SO_LINGER all of it must
 * be acknowledged in that time, or what is left is given up with a reset: of 0 s, at once. */
void stack_close(struct sock *k, uint64_t now_ns);
void stack_abort(struct sock *k, uint64_t now_ns); /* reset, at once */

/* A connection both ends of which were sent, received and acknowledged, or that failed: nothing
 * comes any more. */
bool stack_ended(const struct sock *k);

int stack_error(const struct sock *k); /* 0, or the -errno that ended the connection */
struct endpoint stack_local(const struct sock *k);
struct endpoint stack_peer(const struct sock *k);

/* Socket options with the kernel's level, name, type and unit. -ENOTSUP: level; -ENOPROTOOPT: name;
 * -EINVAL. */
int stack_setsockopt(struct sock *k, int level, int name, const void *val, uint32_t len);
int stack_getsockopt(struct sock *k, int level, int name, void *val, uint32_t *len);
/* A TCP socket that is not connected yet gets the options of another. */
void stack_copy_options(struct sock *to, const struct sock *from);

/* A static neighbour. -ENOMEM: table full. */
int stack_add_neighbour(struct stack *s, const struct ip_addr *ip, const uint8_t mac[6]);

/* True while something accepted is not yet delivered: data or FIN unacknowledged, frames waiting.
 * What an exiting program waits for. */
bool stack_busy(const struct stack *s);

/* Resets up to n connections that were closed and that the stack still finishes alone; says how
 * many. For the end of a stack, before which output sends them: once it is gone nobody answers
 * their peers any more. */
int stack_reset_orphans(struct stack *s, int n, uint64_t now_ns);

/* Whether the stack has the connection, half-open or in TIME-WAIT as well, of this peer with a
 * local port: what another stack of the same address asks before it answers for it. */
bool stack_has_connection(struct stack *s, const struct endpoint *peer, uint16_t local_port);

/* Named counters: X(name, what it counts). Every dropped frame is in exactly one of the drop_ ones.
 */
#include "inet/stats.h"
const struct stack_stats *stack_stats(const struct stack *s);

#endif
