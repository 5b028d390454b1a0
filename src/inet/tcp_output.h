/* tcp_output.h - what a connection has to send, pulled by tcp_output().
 *
 * Nothing is sent when something happens; the connection is put on the table's output queue, and
 * what it then sends is decided when frames are asked for: data, what is lost, a FIN, or an
 * acknowledgement if none of these has carried it.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef INET_TCP_OUTPUT_H
#define INET_TCP_OUTPUT_H

#include "base/usually.h"
#include "inet/tcp_table.h"

/* Puts cb on the output queue. */
static inline void tcp_output_request(struct tcp_cb *cb)
{
	if (usually(list_empty(&cb->out_link)))
		list_add_tail(&cb->sock.stack->tcp->output, &cb->out_link);
}

/* The next segment, or one of its own, acknowledges what was received. */
static inline void tcp_ack_now(struct tcp_cb *cb)
{
	cb->ack_need = TCP_ACK_NOW;
	tcp_output_request(cb);
}

/* A challenge ACK (RFC 5961), if its limits let it. */
static inline void tcp_challenge(struct tcp_cb *cb)
{
	if (tcp_challenge_allowed(cb->sock.stack, &cb->challenge_tick, &cb->challenges))
		tcp_ack_now(cb);
}

/* The acknowledgement of a bare segment that is not acceptable, if its limit lets it. */
static inline void tcp_answer_bare(struct tcp_cb *cb)
{
	if (tcp_bare_answer_allowed(cb->sock.stack, &cb->challenge_tick, &cb->challenges))
		tcp_ack_now(cb);
}

/* Payload bytes and options of the largest segments that are allowed: by the peer, our interface
 * and configuration, and what is told of the path. */
uint32_t tcp_largest_mss(const struct tcp_cb *cb);

/* Payload bytes of our segments, from that, what the path was found to take, and the options; to be
 * called when one of them is learnt, or at mss_deadline_ns forgotten (RFC 1191 6.3: then a larger
 * one is tried again). */
void tcp_update_mss(struct tcp_cb *cb);

/* To be called when what it depends on changes: the MSS, or the send buffer's limit. */
void tcp_update_message_max(struct tcp_cb *cb);

/* The MSS that our SYN tells (RFC 9293 3.7.1): what the interface takes. */
uint16_t tcp_own_mss(const struct tcp_cb *cb);

/* The scale of our windows (RFC 7323 2.2): the smallest that can tell the whole buffer. */
uint8_t tcp_window_shift(uint32_t bytes);

#endif
