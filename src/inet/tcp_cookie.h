/* tcp_cookie.h - SYN cookies (RFC 4987 3.6): a SYN that finds no place among the half-open
 * connections is answered all the same, and nothing is kept of it. What we would have to remember
 * is in our initial sequence number, which the peer's acknowledgement brings back:
 *
 *	bits 31..29	which of eight MSSs the peer's was at least
 *	bits 28..0	SipHash of the connection, the peer's number, those three bits and the time
 *
 * and in the lowest bits of our timestamp, when the peer has sent one, which it echoes: its window
 * scale, and whether it does SACK and ECN. Without timestamps the connection has none of these.
 *
 * A cookie is good for TCP_COOKIE_PERIOD_NS, at most twice that. Whoever guesses at one is right
 * once in 2^28 times, and only within that time of one that was sent.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef INET_TCP_COOKIE_H
#define INET_TCP_COOKIE_H

#include "inet/tcp_table.h"

/* Makes of h, which has all of the peer's SYN, what the SYN-ACK is to say: h->iss, h->made_tick for
 * its timestamp, and of its options those alone that will be known later. */
void tcp_cookie_make(struct stack *s, struct tcp_half *h);

/* Does seg, with an ACK, answer a cookie? Then *h is filled in as if it had been kept, but for the
 * time of our SYN-ACK. */
bool tcp_cookie_check(struct stack *s, struct tcp_cb *listener, const struct tcp_segment *seg,
		      const struct packet *pkt, struct tcp_half *h);

#endif
