/* udp.h - UDP (RFC 768, RFC 1122 4.1) as the rest of the stack sees it. The verbs are those of
 * stack.h for SOCK_DGRAM, with the same contract; stack.now_ns is the time.
 *
 * An ICMP error reaches a connected socket only, as with kernel sockets: on others it would tell
 * one peer's trouble to all.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef INET_UDP_H
#define INET_UDP_H

#include "inet/core.h"
#include "inet/icmp.h"
#include "inet/ip.h"

int udp_create(struct stack *s); /* makes s->udp. -ENOMEM */
void udp_destroy(struct stack *s);

/* A datagram for our address or a broadcast one; takes pkt->buf. */
void udp_input(struct stack *s, struct packet *pkt);

/* False: no socket can have sent what e quotes. */
bool udp_icmp_error(struct stack *s, const struct icmp_error *e);

/* The output queue (output.h) has taken a packet of k's, or is done with one. */
void udp_packet_added(struct sock *k);
void udp_packet_gone(struct sock *k);

/* k's packet could not be sent: pending, when k is connected, until the next verb says so. */
void udp_error(struct sock *k, int error);

int udp_open(struct stack *s, void *user, struct sock **out);
int udp_bind(struct sock *k, const struct endpoint *local, bool reuse_port);
int udp_connect(struct sock *k, const struct endpoint *peer);
int udp_sendto(struct sock *k, struct buf *b, const uint8_t *data, uint32_t len,
	       const struct endpoint *peer);
int udp_recv(struct sock *k, uint32_t max, struct stack_received *out);
int64_t udp_peek(const struct sock *k, uint8_t *dst, uint32_t max);
int udp_shutdown(struct sock *k, int how);
void udp_close(struct sock *k);
int udp_setsockopt(struct sock *k, int level, int name, const void *val, uint32_t len);
int udp_getsockopt(struct sock *k, int level, int name, void *val, uint32_t *len);

#endif
