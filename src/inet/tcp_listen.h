/* tcp_listen.h - passive opens: LISTEN, and SYN-RECEIVED as a struct tcp_half.
 *
 * What SYNs can make us hold: max_half_open in all, of which one group of peers has a quarter at
 * most; a SYN beyond that is answered by a cookie, for which nothing is held (tcp_cookie.h), so
 * that a flood shuts nobody out. Established connections that the program has not accepted are
 * bounded by the listener's backlog; while it is full the handshake is not completed, and the peer
 * tries again: half-open connections that are kept wait for it, and no cookies are given.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef INET_TCP_LISTEN_H
#define INET_TCP_LISTEN_H

#include "inet/tcp_table.h"

/* RFC 9293 3.10.7.2. iss_floor: 0, or the sequence number that the new connection must begin
 * beyond, as it takes the place of one in TIME-WAIT (RFC 6191). Returns the connection that a
 * cookie's acknowledgement has made, as tcp_half_segment() does. */
struct tcp_cb *tcp_listen_segment(struct tcp_cb *listener, const struct tcp_segment *seg,
				  const struct packet *pkt, uint32_t iss_floor);

/* RFC 9293 3.10.7.4 for SYN-RECEIVED. Returns the established connection that seg has made, which
 * is to process seg from the fifth step on, or NULL: seg has been dealt with. */
struct tcp_cb *tcp_half_segment(struct stack *s, struct tcp_half *h, const struct tcp_segment *seg,
				const struct packet *pkt);

void tcp_half_timeout(struct stack *s, struct tcp_half *h);

/* The listener goes: its half-open connections are forgotten, those not accepted are reset. */
void tcp_listen_close(struct tcp_cb *listener);

/* The window and the MSS that a SYN-ACK tells. */
uint16_t tcp_half_window(const struct tcp_half *h);
uint16_t tcp_half_mss(const struct tcp_half *h);

#endif
