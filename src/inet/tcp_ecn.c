/* tcp_ecn.c - see tcp_ecn.h.
 *
 * SPDX-License-Identifier: MIT
 */
#include "inet/tcp_ecn.h"
#include "inet/tcp_receive.h"
#include "inet/tcp_reply.h"
#include "inet/tcp_timer.h"
#include "inet/tcp_undo.h"

bool tcp_ecn_asks(const struct tcp_cb *cb)
{
	return cb->rtx_count == 0 && (cb->sock.stack->cfg.ecn == STACK_ECN_ON || cb->cc->needs_ecn);
}

bool tcp_ecn_answers(const struct stack *s, const struct tcp_cc *cc)
{
	return s->cfg.ecn != STACK_ECN_OFF || cc->needs_ecn;
}

/* RFC 8257 3.2: the sender is to know how many bytes were marked. So each acknowledgement is of
 * bytes that all were, or all were not: where that changes, what came before is acknowledged now,
 * and what changes it as soon as it is taken. */
static void echo_exactly(struct tcp_cb *cb, bool marked)
{
	if (cb->ecn_echo == marked)
		return;
	if (cb->rcv_nxt != cb->last_ack_sent)
		tcp_reply_before_change(cb);
	cb->ecn_echo = marked;
	tcp_ack_now(cb);
}

void tcp_ecn_received(struct tcp_cb *cb, const struct tcp_segment *seg, uint8_t codepoint)
{
	if (cb->cc->needs_ecn) {
		if (seg->len > 0)
			echo_exactly(cb, codepoint == ECN_CE);
		return;
	}
	if (seg->flags & TCP_CWR)
		cb->ecn_echo = false;
	if (codepoint == ECN_CE)
		cb->ecn_echo = true;
}

/* Marks go on reducing the window below the two segments that ssthresh ends at, to one (RFC 9438
 * 4.6). One that is marked itself waits for a time-out before the next goes (RFC 3168 6.1.2). */
static void reduce(struct tcp_cb *cb, uint32_t flight)
{
	const struct stack *s = cb->sock.stack;

	if (cb->cwnd <= cb->mss) {
		cb->pace_next_ns = s->now_ns + cb->rto_ns;
		if (cb->snd_una != cb->snd_nxt)
			tcp_timer_start_rtx(cb);
	}
	cb->cc->marked(cb, flight);
	if (cb->cwnd > cb->ssthresh)
		cb->cwnd = cb->ssthresh;
	if (cb->ssthresh == 2 * cb->mss && flight <= cb->ssthresh && cb->cc->counted == NULL)
		cb->cwnd = cb->mss;
}

void tcp_ecn_acknowledged(struct tcp_cb *cb, const struct tcp_segment *seg, uint32_t bytes)
{
	uint32_t flight = tcp_flight(cb) + bytes; /* before it */
	bool echo = seg->flags & TCP_ECE;

	if (cb->ecn_reduced && seq_geq(cb->snd_una, cb->ecn_recover))
		cb->ecn_reduced = false;
	if (cb->cc->counted != NULL)
		cb->cc->counted(cb, bytes, echo);
	if (!echo || cb->ecn_reduced || cb->recovery != TCP_OPEN)
		return;
	tcp_undo_forget(cb);
	reduce(cb, flight < cb->cwnd ? flight : cb->cwnd);
	tcp_ecn_reduced(cb);
	cb->sock.stack->stats.tcp_ecn_reductions++;
}
