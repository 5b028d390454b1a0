/* tcp.h - TCP as the rest of the stack sees it. The verbs are those of stack.h for SOCK_STREAM,
 * with the same contract; stack.now_ns is the time.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef INET_TCP_H
#define INET_TCP_H

#include "inet/core.h"
#include "inet/icmp.h"
#include "inet/ip.h"
#include "mem/frame.h"

/* What TCP needs of a buffer's headroom, besides IP_HEADERS_ROOM: see tcp_sendq.h. */
enum { TCP_HEADERS_ROOM = 72 };

int tcp_create(struct stack *s);   /* makes s->tcp. -ENOMEM */
void tcp_destroy(struct stack *s); /* harmless when s->tcp is NULL */

/* A segment for our address, or for a broadcast one (pkt->broadcast). Takes pkt->buf. Counts it
 * once: rx_tcp, or one of the drop_ counters. */
void tcp_input(struct stack *s, struct packet *pkt);

/* Fills up to n frames with what connections have to send now; says how many. */
int tcp_output(struct stack *s, struct frame frames[], int n);

void tcp_tick(struct stack *s);

/* An ICMP error that quotes a segment from our address. TCP finds the connection and checks the
 * sequence number (RFC 5927 4.1); false: it is about nothing of ours. */
bool tcp_icmp_error(struct stack *s, const struct icmp_error *e);

/* A path that ip_path_wait() was called for: error 0, it is worth asking ip_path_find() again, or
 * -EHOSTUNREACH: no answer came. */
void tcp_path_resolved(struct stack *s, struct ip_path *p, int error);

/* As stack_busy(), of connections. */
bool tcp_busy(const struct stack *s);

/* As stack_reset_orphans(). */
int tcp_reset_orphans(struct stack *s, int n);

int tcp_open(struct stack *s, void *user, struct sock **out);
int tcp_bind(struct sock *k, const struct endpoint *local, bool reuse_port);
int tcp_listen(struct sock *k, int backlog);
int tcp_accept(struct sock *k, void *user, struct sock **out);
int tcp_connect(struct sock *k, const struct endpoint *peer);
int64_t tcp_send(struct sock *k, struct buf *b, const uint8_t *data, uint32_t len, bool *zero_copy);
uint64_t tcp_acked(const struct sock *k);
uint64_t tcp_accepted(const struct sock *k);
int tcp_recv(struct sock *k, uint32_t max, struct stack_received *out);
int64_t tcp_peek(const struct sock *k, uint8_t *dst, uint32_t max);
int tcp_shutdown(struct sock *k, int how);
void tcp_close(struct sock *k);
void tcp_abort(struct sock *k);
bool tcp_ended(const struct sock *k);
int tcp_setsockopt(struct sock *k, int level, int name, const void *val, uint32_t len);
int tcp_getsockopt(struct sock *k, int level, int name, void *val, uint32_t *len);
void tcp_copy_options(struct sock *to, const struct sock *from);

#endif
