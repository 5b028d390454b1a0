/* tcp_ack.h - RFC 9293 3.10.7.4, fifth: what an acknowledgement says about what we sent. What it
 * says about losses is in tcp_recovery.h.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef INET_TCP_ACK_H
#define INET_TCP_ACK_H

#include "base/usually.h"
#include "inet/tcp_sendq.h"
#include "inet/tcp_timer.h"

/* Takes in a segment with ACK, in a synchronized state. False: the segment goes no further
 * (acknowledges what was never sent, or is too old: RFC 5961 5.2). */
bool tcp_ack_segment(struct tcp_cb *cb, const struct tcp_segment *seg);

/* snd_una moves to ack, in (snd_una, snd_nxt]: releases what is acknowledged, takes the time, tells
 * the program and the congestion control. */
void tcp_ack_advance(struct tcp_cb *cb, uint32_t ack);

/* A round trip of a stream. */
static inline void tcp_ack_learn_min(struct tcp_cb *cb, uint64_t rtt_ns)
{
	uint32_t rtt = tcp_ns_to_fine(rtt_ns) | 1;

	if (cb->min_rtt == 0 || rtt < cb->min_rtt)
		cb->min_rtt = rtt;
	cb->tlp_untimed = false;
}

/* A round trip ends with ack, if one is timed. Karn's rule holds: a timing is given up when
 * anything is sent again (RFC 6298 3). */
static inline void tcp_ack_time(struct tcp_cb *cb, uint32_t ack)
{
	if (cb->rtt_start_ns == 0 || seq_lt(ack, cb->rtt_seq))
		return;
	tcp_timer_sample(cb, cb->sock.stack->now_ns - cb->rtt_start_ns);
	tcp_ack_learn_min(cb, cb->sock.stack->now_ns - cb->rtt_start_ns);
	cb->rtt_start_ns = 0;
}

/* So many bytes were acknowledged at once: no segment of them was larger (RFC 5927 7.2 calls it
 * maxsizeacked). */
static inline void tcp_ack_size(struct tcp_cb *cb, uint32_t bytes)
{
	if (rarely(bytes > cb->largest_acked))
		cb->largest_acked = (uint16_t)(bytes < cb->mss ? bytes : cb->mss);
}

/* Outside recovery so many bytes were acknowledged: the congestion window may grow, a program that
 * waits for room may go on. */
void tcp_ack_grows(struct tcp_cb *cb, uint32_t bytes);

/* Drops what lies before snd_una, and lets the retransmission timer know. */
void tcp_ack_release(struct tcp_cb *cb);

/* tcp_ack_advance() for a connection whose `rare` is zero. */
static inline void tcp_ack_advance_plain(struct tcp_cb *cb, uint32_t ack)
{
	uint32_t bytes = ack - cb->snd_una;

	tcp_ack_size(cb, bytes);
	cb->acked_bytes += bytes;
	cb->snd_una = ack;
	cb->rtx_count = 0;
	cb->progress_ns = cb->sock.stack->now_ns;
	if (usually(cb->message == TCP_MESSAGE_SENT && ack == cb->snd_nxt)) {
		tcp_sendq_release_message(cb);
		cb->rtx_deadline_ns = UINT64_MAX;
		if (usually(cb->rtt_start_ns != 0))
			tcp_timer_sample(cb, cb->progress_ns - cb->rtt_start_ns);
		cb->rtt_start_ns = 0;
	} else {
		tcp_ack_time(cb, ack);
		tcp_ack_release(cb);
	}
	if (rarely(cb->after_ack != 0))
		tcp_ack_grows(cb, bytes);
}

/* SND.WND from a segment (RFC 9293 3.10.7.4: SND.WL1, SND.WL2). */
void tcp_ack_window(struct tcp_cb *cb, const struct tcp_segment *seg);

#endif
