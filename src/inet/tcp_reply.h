/* tcp_reply.h - single segments that belong to no control block: resets, and what a half-open
 * connection has to say. They go through ip_send() and its bounded queue, and are lost without
 * harm.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef INET_TCP_REPLY_H
#define INET_TCP_REPLY_H

#include "inet/tcp_table.h"

/* RFC 9293 3.5.2, group 1, and 3.10.7.1: the reset that answers seg, which is not one itself. */
void tcp_reply_reset(struct stack *s, const struct packet *pkt, const struct tcp_segment *seg);

/* The reset that ends a synchronized connection (RFC 9293 3.10.5). */
void tcp_reply_abort(struct tcp_cb *cb);

/* The same for one whose stack is about to go: a peer that misses what was sent last would answer
 * that reset with a challenge (RFC 5961 3.2), to nobody. So there is one more where the peer's gap
 * begins. */
void tcp_reply_last_abort(struct tcp_cb *cb);

/* SYN-ACK of a half-open connection, the first or again, with a timestamp of that tick; a bare ACK
 * (RFC 5961's challenge). */
void tcp_reply_syn_ack(struct stack *s, const struct tcp_half *h, uint32_t tick);
void tcp_reply_ack(struct stack *s, const struct tcp_half *h);

/* Acknowledges what was received so far, at once, with the echo of marks as it is (RFC 8257 3.2).
 */
void tcp_reply_before_change(struct tcp_cb *cb);

#endif
