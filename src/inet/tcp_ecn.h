/* tcp_ecn.h - Explicit Congestion Notification (RFC 3168; the receiver's part for DCTCP, RFC 8257
 * 3.2). Routers mark packets instead of dropping them: the receiver echoes a mark in each
 * acknowledgement until the sender says that it has reduced its window (CWR), which it does once a
 * round trip. Data that is sent for the first time may be marked, nothing else.
 *
 * What it takes is agreed on in the handshake. A connection with ECN never takes the short way of
 * tcp_fast.h; one without pays nothing.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef INET_TCP_ECN_H
#define INET_TCP_ECN_H

#include "inet/ip.h"
#include "inet/tcp_table.h"

/* Code points of the IP header (RFC 3168 5). */
enum { ECN_NOT_ECT = 0, ECN_ECT_0 = 2, ECN_CE = 3 };

/* Does a SYN ask for ECN, a SYN-ACK agree to it (RFC 3168 6.1.1)? */
static inline bool tcp_ecn_is_setup_syn(uint8_t flags)
{
	return (flags & (TCP_ECE | TCP_CWR)) == (TCP_ECE | TCP_CWR);
}
static inline bool tcp_ecn_is_setup_syn_ack(uint8_t flags)
{
	return (flags & (TCP_ECE | TCP_CWR)) == TCP_ECE;
}

/* Is a SYN of ours to ask? Only the first one: it may be what a broken middlebox drops. */
bool tcp_ecn_asks(const struct tcp_cb *cb);

/* Is a SYN that asks answered so, with this congestion control? */
bool tcp_ecn_answers(const struct stack *s, const struct tcp_cc *cc);

/* An acceptable segment came, in a packet with that code point; its text is not taken yet. */
void tcp_ecn_received(struct tcp_cb *cb, const struct tcp_segment *seg, uint8_t codepoint);

/* An acknowledgement was taken, of `bytes` more than the one before. */
void tcp_ecn_acknowledged(struct tcp_cb *cb, const struct tcp_segment *seg, uint32_t bytes);

/* The window was reduced, because of a loss or of marks. */
static inline void tcp_ecn_reduced(struct tcp_cb *cb)
{
	cb->ecn_cwr = cb->ecn_reduced = cb->ecn;
	cb->ecn_recover = cb->snd_nxt;
}

/* The code point of a segment with text at seq. Not that of a probe of a closed window (6.1.6). */
static inline uint8_t tcp_ecn_codepoint(const struct tcp_cb *cb, uint32_t seq)
{
	return cb->ecn && seq == cb->snd_nxt && cb->snd_wnd != 0 ? ECN_ECT_0 : ECN_NOT_ECT;
}

/* The flags of one, or of a segment without text (codepoint ECN_NOT_ECT). */
static inline uint8_t tcp_ecn_flags(struct tcp_cb *cb, uint8_t codepoint)
{
	uint8_t flags = cb->ecn_echo ? TCP_ECE : 0;

	if (codepoint != ECN_NOT_ECT && cb->ecn_cwr) {
		cb->ecn_cwr = false;
		flags |= TCP_CWR;
	}
	return flags;
}

#endif
