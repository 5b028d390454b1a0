/* tcp_timer.c - see tcp_timer.h.
 *
 * SPDX-License-Identifier: MIT
 */
#include "inet/tcp_timer.h"
#include "inet/tcp_ecn.h"
#include "inet/tcp_icmp.h"
#include "inet/tcp_listen.h"
#include "inet/tcp_mtu.h"
#include "inet/tcp_output.h"
#include "inet/tcp_rack.h"
#include "inet/tcp_recovery.h"
#include "inet/tcp_reply.h"
#include "inet/tcp_undo.h"
#include <errno.h>

static uint64_t min_ns(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

void tcp_timer_arm(struct tcp_cb *cb, uint64_t deadline_ns)
{
	struct tcp_table *t = cb->sock.stack->tcp;

	wheel_arm(&t->wheel, &cb->timer, deadline_ns);
	t->next_ns = min_ns(t->next_ns, deadline_ns);
}

void tcp_timer_arm_half(struct tcp_table *t, struct tcp_half *h, uint64_t deadline_ns)
{
	wheel_arm(&t->half_wheel, &h->timer, deadline_ns);
	t->next_ns = min_ns(t->next_ns, deadline_ns);
}

void tcp_timer_long_rto(struct tcp_cb *cb)
{
	cb->rto_ns = min_ns(cb->srtt_ns + 4 * cb->rttvar_ns, TCP_RTO_MAX_NS);
}

/* Closed by a program that has set SO_LINGER, and what it sent is not all acknowledged. */
static bool lingers(const struct tcp_cb *cb)
{
	return cb->orphan && cb->linger && !tcp_fin_acked(cb);
}

void tcp_timer_start_life(struct tcp_cb *cb)
{
	uint64_t now = cb->sock.stack->now_ns;

	if (cb->state == TCP_TIME_WAIT)
		return; /* which has its own end already */
	if (cb->state == TCP_FIN_WAIT_2 && !cb->owned)
		cb->life_deadline_ns = now + TCP_FIN_WAIT_2_NS;
	else if (lingers(cb))
		cb->life_deadline_ns = now + TCP_S(cb->linger_s);
	else if (cb->keepalive && tcp_synchronized(cb))
		cb->life_deadline_ns = now + TCP_MS(cb->keepalive_idle_ms);
	else
		cb->life_deadline_ns = UINT64_MAX;
	tcp_timer_need(cb, cb->life_deadline_ns);
}

/* How long without progress until the connection is given up (RFC 9293 3.8.3, 3.10.8). */
static uint64_t patience_ns(const struct tcp_cb *cb)
{
	if (cb->user_timeout_ms != 0)
		return TCP_MS(cb->user_timeout_ms);
	return !cb->syn_unacked ? TCP_R2_NS : TCP_R2_SYN_NS;
}

/* The timer runs again, but not beyond the moment of giving up. */
static void restart_rtx(struct tcp_cb *cb, uint64_t wait_ns)
{
	uint64_t now = cb->sock.stack->now_ns, end = cb->progress_ns + patience_ns(cb);

	cb->rtx_deadline_ns = now + wait_ns;
	if (cb->rtx_deadline_ns > end && end > now)
		cb->rtx_deadline_ns = end;
}

static void count_up(uint8_t *count)
{
	if (*count < UINT8_MAX)
		++*count;
}

/* RFC 6298 5.5. */
static void back_off(struct tcp_cb *cb)
{
	count_up(&cb->rtx_count);
	cb->rto_ns = min_ns(2 * cb->rto_ns, TCP_RTO_MAX_NS);
	restart_rtx(cb, cb->rto_ns);
}

/* RFC 9293 3.8.6.1, MUST-36: probes come further and further apart. That says nothing of the path,
 * and the time-out itself stays what it is. */
static uint64_t with_probes_ns(const struct tcp_cb *cb)
{
	uint64_t wait_ns = cb->rto_ns;

	for (uint8_t i = 0; i < cb->probe_count && wait_ns < TCP_PERSIST_MAX_NS; i++)
		wait_ns *= 2;
	return min_ns(wait_ns, TCP_PERSIST_MAX_NS);
}

static void back_off_probing(struct tcp_cb *cb)
{
	count_up(&cb->probe_count);
	restart_rtx(cb, with_probes_ns(cb));
}

/* RFC 9293 3.8.3, MUST-20: R1 is reached, and nothing was heard since the last attempt. The next
 * hop may be the one who is gone. */
static void doubt_path(struct tcp_cb *cb)
{
	struct stack *s = cb->sock.stack;
	uint32_t attempts = (uint32_t)cb->rtx_count + cb->probe_count;

	if (attempts >= TCP_R1_RETRANSMISSIONS && s->now_ns - cb->heard_ns >= with_probes_ns(cb))
		ip_path_doubt(s, &cb->path);
}

/* RFC 6298 5.4 to 5.7. */
static void retransmission_timeout(struct tcp_cb *cb)
{
	bool smaller;

	if (cb->syn_unacked) {
		cb->rtx_due = true;
	} else {
		if (cb->claimed_mtu != 0)
			tcp_icmp_time_out(cb);
		smaller = tcp_mtu_time_out(cb);
		if (cb->rtx_count == 0)
			tcp_undo_prepare(cb);
		cb->cc->timeout(cb, tcp_flight(cb), cb->rtx_count == 0);
		tcp_ecn_reduced(cb);
		if (smaller)
			tcp_recovery_lose_all(cb);
		else
			tcp_recovery_time_out(cb);
		cb->sock.stack->stats.tcp_timeouts++;
	}
	back_off(cb);
}

/* Less than half of the largest window has been open for long: the peer has a smaller buffer than
 * it had, and its half is the measure from now on (RFC 9293 3.8.6.2.1 calls it an estimate). Each
 * window would wait for the time-out otherwise. A silly window is no measure. */
static void window_became_smaller(struct tcp_cb *cb)
{
	uint32_t wnd = cb->snd_wnd > 2 * TCP_MSS_DEFAULT ? cb->snd_wnd : 2 * TCP_MSS_DEFAULT;

	if (wnd < cb->max_snd_wnd)
		cb->max_snd_wnd = wnd;
}

/* Nothing is outstanding, or the window is closed: RFC 9293 3.8.6.1. */
static void persist_timeout(struct tcp_cb *cb)
{
	if (cb->snd_wnd == 0) {
		cb->probe_due = true;
	} else {
		cb->small_due = true;
		window_became_smaller(cb);
	}
	back_off_probing(cb);
}

static bool all_is_acknowledged(const struct tcp_cb *cb)
{
	if (cb->fin_queued)
		return tcp_fin_acked(cb);
	return !cb->syn_unacked && cb->snd_una == cb->snd_end;
}

/* Why a connection is given up: what an ICMP error has said in this series of attempts. */
static int reason_of_silence(const struct tcp_cb *cb)
{
	return cb->soft_error != 0 ? -cb->soft_error : -ETIMEDOUT;
}

/* The retransmission or persist timer. False: the connection is gone. */
static bool rtx_fired(struct tcp_cb *cb)
{
	cb->rtx_deadline_ns = UINT64_MAX;
	tcp_output_request(cb);
	if (all_is_acknowledged(cb))
		return true; /* only an acknowledgement waited for a route */
	if (cb->sock.stack->now_ns - cb->progress_ns >= patience_ns(cb)) {
		tcp_fail(cb, reason_of_silence(cb));
		return false;
	}
	if (cb->rtx_count + cb->probe_count == 0 && !cb->syn_unacked)
		cb->soft_error = 0; /* what it was of may have come through since */
	doubt_path(cb);
	if (!cb->syn_unacked && (cb->snd_wnd == 0 || cb->snd_nxt == cb->snd_una))
		persist_timeout(cb);
	else
		retransmission_timeout(cb);
	return true;
}

/* RFC 9293 3.8.4. While data is outstanding its retransmission is probe enough. */
static bool keepalive_fired(struct tcp_cb *cb)
{
	uint64_t now = cb->sock.stack->now_ns;
	uint64_t idle_end = cb->heard_ns + TCP_MS(cb->keepalive_idle_ms);

	if (idle_end > now || cb->snd_nxt != cb->snd_una) {
		cb->keepalive_sent = 0;
		cb->life_deadline_ns =
		    idle_end > now ? idle_end : now + TCP_MS(cb->keepalive_idle_ms);
		return true;
	}
	if (cb->keepalive_sent >= cb->keepalive_probes) {
		tcp_fail(cb, -ETIMEDOUT);
		return false;
	}
	cb->keepalive_sent++;
	cb->keepalive_due = true;
	cb->life_deadline_ns = now + TCP_MS(cb->keepalive_interval_ms);
	tcp_output_request(cb);
	return true;
}

static bool life_fired(struct tcp_cb *cb)
{
	cb->life_deadline_ns = UINT64_MAX;
	if (cb->state == TCP_TIME_WAIT || (cb->state == TCP_FIN_WAIT_2 && !cb->owned)) {
		tcp_finish(cb);
		return false;
	}
	if (lingers(cb)) {
		tcp_reply_abort(cb);
		tcp_finish(cb);
		return false;
	}
	return !cb->keepalive || keepalive_fired(cb);
}

/* The peer has waited long enough, and the program did not answer. */
static void ack_fired(struct tcp_cb *cb)
{
	cb->ack_deadline_ns = UINT64_MAX;
	if (cb->ack_need != TCP_ACK_NONE) {
		cb->replies = false;
		tcp_ack_now(cb);
	}
}

/* RFC 5681 4.1: after a pause of a time-out the window must be learnt anew. When, if ever, this is
 * to be looked at again. */
static uint64_t check_idle(struct tcp_cb *cb)
{
	uint64_t idle_ns = cb->progress_ns + cb->rto_ns;

	if (cb->snd_nxt != cb->snd_una || cb->cwnd <= TCP_INITIAL_SEGMENTS * cb->mss ||
	    !tcp_synchronized(cb))
		return UINT64_MAX;
	if (idle_ns > cb->sock.stack->now_ns)
		return idle_ns;
	cb->cc->idle(cb);
	return UINT64_MAX;
}

static void fired(struct tcp_cb *cb)
{
	uint64_t now = cb->sock.stack->now_ns, next;

	cb->timer.deadline_ns = UINT64_MAX;
	if (cb->ack_deadline_ns <= now)
		ack_fired(cb);
	if (cb->rtx_deadline_ns <= now && !rtx_fired(cb))
		return;
	if (cb->pace_waits && cb->pace_next_ns <= now) {
		cb->pace_waits = false;
		tcp_output_request(cb);
	}
	if (cb->rack_deadline_ns <= now)
		tcp_rack_fired(cb);
	if (cb->life_deadline_ns <= now && !life_fired(cb))
		return;
	if (cb->mss_deadline_ns <= now)
		tcp_mtu_deadline(cb);
	next = min_ns(min_ns(cb->ack_deadline_ns, cb->rtx_deadline_ns), cb->life_deadline_ns);
	next = min_ns(next, cb->rack_deadline_ns);
	if (cb->pace_waits)
		next = min_ns(next, cb->pace_next_ns);
	next = min_ns(min_ns(next, cb->mss_deadline_ns), check_idle(cb));
	if (next != UINT64_MAX)
		tcp_timer_need(cb, next);
}

void tcp_tick(struct stack *s)
{
	struct tcp_table *t = s->tcp;
	struct wheel_entry *e;

	while ((e = wheel_pop(&t->wheel, s->now_ns)) != NULL)
		fired(container_of(e, struct tcp_cb, timer));
	while ((e = wheel_pop(&t->half_wheel, s->now_ns)) != NULL)
		tcp_half_timeout(s, container_of(e, struct tcp_half, timer));
	t->next_ns = min_ns(wheel_next(&t->wheel), wheel_next(&t->half_wheel));
}
