/* pkt_host.h - a host in virtual time: one stack, the network next to it, and a clock that moves
 * when it is told to.
 *
 * The network is bare IPv4 packets: ARP is answered for every address but the host's own, unless
 * it is to be shown; Ethernet is put on and taken off here. Time starts at 0; between two moments
 * the stack's timers run exactly when they are due. Sockets have the calls of POSIX with
 * non-blocking results: what would block is -EAGAIN, and whoever wants to wait moves time and tries
 * again.
 *
 * The stack is driven through stack.h alone, as a program's libOS drives it. Nothing here is
 * static: a process may have any number of hosts, each in one thread at a time.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef TOOLS_PKT_HOST_H
#define TOOLS_PKT_HOST_H

#include "base/endpoint.h"
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

enum {
	HOST_PACKETS_MAX = 1 << 16, /* sent and not looked at yet; more: the host is stuck */
	HOST_SPINS_MAX = 10000,     /* timers in a row that do not move time; more: stuck */
};

struct host;
struct host_sock;

struct host_config {
	struct ip_addr local, gateway;
	uint8_t prefix_len;
	uint16_t mtu;
	uint8_t mtu_probing; /* enum stack_mtu_probing */
	uint64_t seed;       /* of the stack's key: ISNs and ports */
	bool show_arp;       /* ARP packets are handed out as others are, and not answered */
	FILE *capture;       /* pcapng of all frames, NULL: none; borrowed */
};

/* A packet that the stack has sent, without Ethernet. */
struct host_packet {
	struct host_packet *next;
	uint64_t time_ns;
	uint8_t to[6]; /* the MAC that it went to */
	bool arp;
	uint32_t len;
	uint8_t data[];
};

/* MACs: of the host, and of the gateway and everybody else. */
extern const uint8_t host_own_mac[6], host_network_mac[6];

/* 0, -EINVAL, -ENOMEM. */
int host_create(struct host **out, const struct host_config *cfg);
/* Ends the host; its sockets must be closed. Returns how many packet buffers the stack has not
 * given back, which is 0 or a leak. */
uint32_t host_destroy(struct host *h);

uint64_t host_now(const struct host *h);
/* Why the stack cannot go on (it spins, or sends without end); NULL: it can. */
const char *host_stuck(const struct host *h);
/* When a timer of the stack is due; UINT64_MAX: none. */
uint64_t host_deadline(const struct host *h);
/* Moves time to the next timer or to until_ns, whichever comes first. True: a timer ran, and
 * until_ns may not be reached yet. */
bool host_step(struct host *h, uint64_t until_ns);

/* An IP packet arrives now. 0; -ENOMEM: the host's pool is empty. */
int host_inject(struct host *h, const uint8_t *packet, uint32_t len);
/* The same for an ARP packet, from a MAC of its own. */
int host_inject_arp(struct host *h, const uint8_t *packet, uint32_t len, const uint8_t mac[6]);
/* The oldest packet sent; NULL: none. host_packet_next() gives it away, to free(). */
const struct host_packet *host_packet_peek(const struct host *h);
struct host_packet *host_packet_next(struct host *h);

/* Sockets: 0 or more, or -errno as the calls of POSIX have it. */
int host_socket(struct host *h, int domain, int type, int protocol, struct host_sock **out);
int host_bind(struct host_sock *s, const struct endpoint *local);
int host_listen(struct host_sock *s, int backlog);
int host_accept(struct host_sock *s, struct host_sock **out, struct endpoint *peer);
/* -EINPROGRESS the first time and until host_connect_state() says how it ended, then -EISCONN. */
int host_connect(struct host_sock *s, const struct endpoint *peer);
/* -EINPROGRESS; 0: connected; or the error, which counts as reported. */
int host_connect_state(struct host_sock *s);
/* A stream takes as many bytes as fit. to: NULL but for datagrams to one peer. */
int64_t host_send(struct host_sock *s, const void *data, size_t len, const struct endpoint *to);
/* flags: MSG_PEEK. 0: end of the stream. from may be NULL. */
int64_t host_recv(struct host_sock *s, void *data, size_t len, int flags, struct endpoint *from);
int host_shutdown(struct host_sock *s, int how);
int host_close(struct host_sock *s); /* 0; the socket is gone */
int host_setsockopt(struct host_sock *s, int level, int name, const void *value, uint32_t len);
int host_getsockopt(struct host_sock *s, int level, int name, void *value, uint32_t *len);
/* POLLIN, POLLOUT, POLLERR, POLLHUP as they are now. */
int host_poll(struct host_sock *s);
int host_type(const struct host_sock *s); /* SOCK_STREAM, SOCK_DGRAM */
struct endpoint host_local(const struct host_sock *s);
struct endpoint host_peer(const struct host_sock *s);

#endif
