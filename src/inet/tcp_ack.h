/* tcp_ack.h - RFC 9293 3.10.7.4, fifth: what an acknowledgement says about what we sent, and
 * recovery of what was lost (RFC 5681, 6582, 6675, 3042).
 *
 * What is outstanding is three things: reported by SACK (tcp_ranges.h), or guessed from duplicate
 * ACKs where there is no SACK; lost, by rule; or on its way. The last is the pipe of RFC 6675,
 * which the congestion window bounds, in recovery and out of it. So limited transmit (RFC 3042) and
 * the inflation of the window in RFC 6582 need no code of their own.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef INET_TCP_ACK_H
#define INET_TCP_ACK_H

#include "inet/tcp_cb.h"

/* Takes in a segment with ACK, in a synchronized state. False: the segment goes no further
 * (acknowledges what was never sent, or is too old: RFC 5961 5.2). */
bool tcp_ack_segment(struct tcp_cb *cb, const struct tcp_segment *seg);

/* snd_una moves to ack, in (snd_una, snd_nxt]: releases what is acknowledged, takes the time, tells
 * the program and the congestion control. */
void tcp_ack_advance(struct tcp_cb *cb, uint32_t ack);

/* SND.WND from a segment (RFC 9293 3.10.7.4: SND.WL1, SND.WL2). */
void tcp_ack_window(struct tcp_cb *cb, const struct tcp_segment *seg);

/* Bytes on their way (RFC 6675 4, SetPipe). */
uint32_t tcp_pipe(const struct tcp_cb *cb);

/* Bytes that are known to have arrived out of order: reported, or one segment for each duplicate
 * ACK. */
uint32_t tcp_arrived(const struct tcp_cb *cb);

#endif
