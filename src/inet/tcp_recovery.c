/* tcp_recovery.c - see tcp_recovery.h.
 *
 * SPDX-License-Identifier: MIT
 */
#include "inet/tcp_recovery.h"
#include "inet/tcp_ecn.h"
#include "inet/tcp_mtu.h"
#include "inet/tcp_output.h"
#include "inet/tcp_rack.h"
#include "inet/tcp_ranges.h"
#include "inet/tcp_undo.h"

static uint32_t seq_max(uint32_t a, uint32_t b)
{
	return seq_gt(a, b) ? a : b;
}

static uint32_t seq_min(uint32_t a, uint32_t b)
{
	return seq_lt(a, b) ? a : b;
}

uint32_t tcp_arrived(const struct tcp_cb *cb)
{
	uint32_t guess, flight = tcp_flight(cb);

	if (tcp_has_scoreboard(cb))
		return cb->sacked_bytes;
	guess = cb->dupacks * cb->mss;
	return guess < flight ? guess : flight;
}

uint32_t tcp_pipe(const struct tcp_cb *cb)
{
	uint32_t pipe = tcp_flight(cb);

	if (cb->recovery == TCP_OPEN && cb->dupacks == 0 && cb->sacked_bytes == 0)
		return pipe;
	pipe -= tcp_arrived(cb);
	if (cb->recovery == TCP_OPEN)
		return pipe;
	return cb->lost_bytes < pipe ? pipe - cb->lost_bytes : 0;
}

/* What lies before `end` is lost. */
static void lose_until(struct tcp_cb *cb, uint32_t end)
{
	uint32_t from = seq_max(cb->lost_end, cb->rtx_next);

	if (seq_gt(end, from))
		cb->lost_bytes += end - from - tcp_ranges_overlap(cb, from, end);
	cb->lost_end = seq_max(cb->lost_end, end);
}

/* What lies before `to` was sent again, or needs not be. */
static void advance_rtx(struct tcp_cb *cb, uint32_t to)
{
	uint32_t until = seq_min(to, cb->lost_end);

	if (seq_gt(until, cb->rtx_next))
		cb->lost_bytes -=
		    until - cb->rtx_next - tcp_ranges_overlap(cb, cb->rtx_next, until);
	cb->rtx_next = seq_max(cb->rtx_next, to);
}

/* Nothing is lost yet. */
static void begin(struct tcp_cb *cb, enum tcp_recovery recovery)
{
	if (cb->mtu_probe_bytes != 0)
		tcp_mtu_probe_forget(cb);
	cb->mtu_recovery = false;
	cb->recovery = recovery;
	cb->recover = cb->snd_nxt;
	if (cb->sent == NULL) {
		cb->rtx_next = cb->lost_end = cb->snd_una;
		cb->lost_bytes = 0;
	}
	cb->prr_delivered = cb->prr_out = 0;
	cb->rescue = TCP_RESCUE_EARLY;
	cb->rtx_due = true;
	cb->rtt_start_ns = 0; /* Karn: what is sent again is not timed */
}

void tcp_recovery_lose_all(struct tcp_cb *cb)
{
	if (tcp_ranges_reneged(cb))
		tcp_ranges_clear(cb);
	tcp_recovery_forget_dupacks(cb);
	begin(cb, TCP_LOSS_RECOVERY);
	if (cb->sent != NULL)
		tcp_sent_lose_all(cb);
	else
		lose_until(cb, cb->snd_nxt);
}

void tcp_recovery_time_out(struct tcp_cb *cb)
{
	if (cb->sent == NULL || tcp_ranges_reneged(cb)) {
		tcp_recovery_lose_all(cb);
		return;
	}
	tcp_recovery_forget_dupacks(cb);
	begin(cb, TCP_LOSS_RECOVERY);
	tcp_rack_time_out(cb);
	if (cb->sent == NULL)
		lose_until(cb, cb->snd_nxt);
}

/* RFC 6582 3.2, step 3, a partial acknowledgement: the next segment is lost too. Of the segments
 * that it covers all but the one that was sent again had brought a duplicate ACK each. */
static void lose_next(struct tcp_cb *cb, uint32_t bytes)
{
	uint32_t counted = bytes > cb->mss ? bytes / cb->mss - 1 : 0;

	cb->rtx_next = cb->lost_end = cb->snd_una;
	cb->lost_bytes = 0;
	lose_until(cb, seq_min(cb->snd_una + cb->mss, cb->snd_nxt));
	cb->dupacks = cb->dupacks > counted ? (uint8_t)(cb->dupacks - counted) : 0;
	cb->rtx_due = true;
}

static void over(struct tcp_cb *cb)
{
	cb->recovery = TCP_OPEN;
	cb->mtu_recovery = false;
	tcp_rack_recovered(cb);
}

void tcp_recovery_advance(struct tcp_cb *cb, uint32_t bytes)
{
	if (cb->sent == NULL)
		advance_rtx(cb, cb->snd_una);
	if (seq_geq(cb->snd_una, cb->recover)) {
		tcp_recovery_forget_dupacks(cb);
		cb->rtx_due = false;
		if (cb->recovery == TCP_LOSS_RECOVERY)
			over(cb);
		return; /* fast recovery ends in tcp_recovery_ack() */
	}
	if (cb->rescue == TCP_RESCUE_EARLY)
		cb->rescue = TCP_RESCUE_DUE;
	if (cb->recovery == TCP_LOSS_RECOVERY)
		cb->cc->acked(cb, bytes);
	else if (!tcp_has_scoreboard(cb))
		lose_next(cb, bytes);
}

/* What the window is reduced from: what is outstanding, without what limited transmit has added for
 * segments that are reported (RFC 5681 3.2, step 2), and without what a recovery that has just
 * ended left reported; that is no more than cwnd. Acknowledgements that came in one burst with the
 * one that tells of the loss have made it smaller than the sender ever let it be: where it used all
 * of cwnd, that counts. */
static uint32_t flight_before_loss(const struct tcp_cb *cb)
{
	uint32_t flight = tcp_flight(cb);

	return cb->cwnd_limited || flight > cb->cwnd ? cb->cwnd : flight;
}

/* RFC 6675 5 step 4, RFC 6582 3.2 step 2. `outstanding` is what the window is halved from, `pipe`
 * what was on its way before the acknowledgement that tells of the loss. What lies before rtx_next
 * has just been sent again. */
static void begin_fast(struct tcp_cb *cb, uint32_t outstanding, uint32_t pipe, uint32_t rtx_next)
{
	tcp_undo_prepare(cb);
	if (rtx_next != cb->snd_una)
		tcp_undo_forget(cb); /* an echo of what the last recovery sent again says nothing */
	cb->cc->loss(cb, outstanding);
	tcp_ecn_reduced(cb);
	begin(cb, TCP_FAST_RECOVERY);
	if (cb->sent != NULL) {
		cb->sent->reduced = tcp_fine_clock(cb->sock.stack);
	} else {
		lose_until(cb, seq_min(cb->snd_una + cb->mss, cb->snd_nxt));
		advance_rtx(cb, rtx_next);
		cb->rtx_due = cb->rtx_next == cb->snd_una;
	}
	cb->prr_flight = pipe > 0 ? pipe : 1; /* RFC 9937 6.2 */
	cb->sock.stack->stats.tcp_fast_recoveries++;
}

/* What was sent for the first time after all that was sent again has arrived, but not that. */
static bool is_lost_again(const struct tcp_cb *cb)
{
	return cb->rtx_next != cb->snd_una &&
	       seq_gt(tcp_ranges_end(cb), cb->rtx_mark + (TCP_DUPACKS - 1) * cb->mss);
}

/* The first segment is not lost, or has been sent again before: the echo that acknowledges it says
 * nothing of what is sent again now. */
static bool first_was_sent_again(const struct tcp_cb *cb)
{
	const struct tcp_run *first = &cb->sent->run[tcp_sent_find(cb->sent, cb->snd_una)];

	return !first->lost || first->again;
}

/* A probe of the path's MTU is lost, and goes again in smaller segments: no sign of congestion
 * (RFC 4821 7.6.2). */
static void begin_for_probe(struct tcp_cb *cb)
{
	tcp_mtu_probe_lost(cb);
	tcp_undo_forget(cb);
	begin(cb, TCP_LOSS_RECOVERY);
	cb->mtu_recovery = true;
}

/* By the log. True: more is lost than was known. */
static bool look_by_time(struct tcp_cb *cb, uint32_t delivered)
{
	uint32_t flight = flight_before_loss(cb), pipe = tcp_pipe(cb) + delivered;
	struct tcp_rack_losses losses = tcp_rack_look(cb);

	if (cb->recovery == TCP_OPEN && cb->mtu_probe_bytes != 0 &&
	    tcp_mtu_only_probe_is_lost(cb)) {
		begin_for_probe(cb);
	} else if ((cb->recovery == TCP_OPEN && cb->lost_bytes > 0) ||
		   (cb->mtu_recovery && losses.any)) {
		begin_fast(cb, flight, pipe, cb->snd_una);
		if (cb->sent != NULL && first_was_sent_again(cb))
			tcp_undo_forget(cb);
	} else if (losses.anew && cb->recovery != TCP_OPEN) {
		pipe = tcp_pipe(cb);
		begin_fast(cb, pipe, pipe, cb->snd_una);
	} else if (losses.again && cb->recovery != TCP_OPEN) {
		cb->rtx_due = true; /* one in the place of one, paid for already */
	}
	return losses.any;
}

/* In recovery, with SACK: more may be known to be lost. The loss of what was sent again is a second
 * sign of congestion (RFC 5681 4.3). After a timeout all is lost that can be. */
static void look_for_losses(struct tcp_cb *cb)
{
	uint32_t pipe;

	if (is_lost_again(cb)) {
		pipe = tcp_pipe(cb);
		begin_fast(cb, pipe, pipe, cb->snd_una);
	}
	if (cb->recovery == TCP_FAST_RECOVERY)
		lose_until(cb, tcp_ranges_lost_end(cb));
}

/* RFC 9937 6.2. cwnd is what is on its way and what may join it. While more is on its way than
 * ssthresh, that falls in proportion to what arrives; below it, it grows by what arrives, and by
 * one segment more while things get better. So the window comes down without a pause and without a
 * burst, and the loss of half of it ends at ssthresh all the same. */
static void reduce_proportionally(struct tcp_cb *cb, uint32_t delivered, bool better)
{
	uint32_t pipe = tcp_pipe(cb);
	int64_t room;

	cb->prr_delivered += delivered;
	if (pipe > cb->ssthresh) {
		uint64_t due = (uint64_t)cb->prr_delivered * cb->ssthresh + cb->prr_flight - 1;

		room = (int64_t)(due / cb->prr_flight) - cb->prr_out;
	} else {
		room = (int64_t)cb->prr_delivered - cb->prr_out;
		if (room < delivered)
			room = delivered;
		if (better)
			room += cb->mss;
		if (room > cb->ssthresh - pipe)
			room = cb->ssthresh - pipe;
	}
	if (cb->prr_out == 0 && room < cb->mss)
		room = cb->mss;
	cb->cwnd = pipe + (room > 0 ? (uint32_t)room : 0);
}

/* All that was outstanding when recovery began has arrived. Where the peer's window has held the
 * sender back less than ssthresh is on its way: slow start fills that up, not one burst. */
static void end_fast(struct tcp_cb *cb, uint32_t delivered)
{
	uint32_t cwnd = tcp_pipe(cb) + delivered + cb->mss;

	cb->cwnd = cwnd < cb->ssthresh ? cwnd : cb->ssthresh;
	cb->dupacks = 0;
	over(cb);
}

/* Is it time to take it that something is lost? Without SACK, duplicate ACKs at the very end of a
 * recovery were caused by what it has sent needlessly (RFC 6582 4). */
static bool notices_loss(const struct tcp_cb *cb)
{
	if (tcp_has_scoreboard(cb))
		return cb->dupacks >= TCP_DUPACKS || tcp_ranges_lost_end(cb) != cb->snd_una;
	return cb->dupacks >= TCP_DUPACKS && cb->snd_una != cb->recover;
}

/* Without a log. */
static void look_by_number(struct tcp_cb *cb, uint32_t delivered, uint32_t rtx_next)
{
	if (cb->recovery == TCP_OPEN && notices_loss(cb))
		begin_fast(cb, flight_before_loss(cb), tcp_pipe(cb) + delivered, rtx_next);
	if (cb->recovery != TCP_OPEN && tcp_has_scoreboard(cb))
		look_for_losses(cb);
}

/* Is anything out of order? Else the timer is that of a probe. */
static bool by_time_matters(const struct tcp_cb *cb)
{
	return cb->recovery != TCP_OPEN || cb->sacked_bytes > 0 || cb->lost_bytes > 0;
}

void tcp_recovery_timed_losses(struct tcp_cb *cb)
{
	if (look_by_time(cb, 0) && cb->recovery == TCP_FAST_RECOVERY)
		reduce_proportionally(cb, 0, false);
}

void tcp_recovery_ack(struct tcp_cb *cb, const struct tcp_ack_news *news)
{
	uint32_t lost_end = cb->lost_end, rtx_next = cb->snd_una, gone, delivered;
	bool more;

	if (news->duplicate && cb->dupacks < UINT8_MAX)
		cb->dupacks++;
	gone = news->advanced + tcp_arrived(cb);
	delivered = gone > news->arrived ? gone - news->arrived : 0;
	if (cb->recovery == TCP_FAST_RECOVERY && seq_geq(cb->snd_una, cb->recover)) {
		rtx_next = cb->rtx_next;
		end_fast(cb, delivered);
	}
	if (cb->sent != NULL) {
		more = by_time_matters(cb) && look_by_time(cb, delivered);
	} else {
		look_by_number(cb, delivered, rtx_next);
		more = cb->lost_end != lost_end;
	}
	if (cb->recovery == TCP_FAST_RECOVERY && delivered > 0)
		reduce_proportionally(cb, delivered, news->advanced > 0 && !more);
	if (cb->recovery != TCP_OPEN || news->duplicate)
		tcp_output_request(cb);
}

/* RFC 6675 4, NextSeg, rule 4: the end of what is outstanding, of which nothing behind it will tell
 * whether it has arrived. Not what was sent for the first time in this very recovery: that is on
 * its way. */
static uint32_t rescue(const struct tcp_cb *cb, uint32_t *seq)
{
	uint32_t flight = tcp_flight(cb);

	if (cb->rescue != TCP_RESCUE_DUE || cb->snd_nxt != cb->recover ||
	    tcp_ranges_end(cb) == cb->snd_nxt)
		return 0;
	*seq = seq_max(cb->rtx_next, cb->snd_nxt - (flight < cb->mss ? flight : cb->mss));
	return cb->snd_nxt - *seq;
}

/* The next hole before `end`, at most a segment of it. */
static uint32_t next_hole(const struct tcp_cb *cb, uint32_t end, uint32_t *seq)
{
	uint32_t hole = UINT32_MAX, len;

	if (seq_geq(cb->rtx_next, end))
		return 0;
	*seq = tcp_ranges_hole(cb, cb->rtx_next, &hole);
	if (seq_geq(*seq, end))
		return 0;
	len = cb->snd_nxt - *seq;
	if (len > hole)
		len = hole;
	return len < cb->mss ? len : cb->mss;
}

/* May so many bytes go? The first of a recovery may, whatever cwnd says (RFC 6675 5, step 4.3). */
static bool fits_cwnd(const struct tcp_cb *cb, uint32_t len)
{
	uint32_t pipe = tcp_pipe(cb);

	return cb->rtx_due || pipe == 0 || pipe + len <= cb->cwnd;
}

uint32_t tcp_recovery_next(const struct tcp_cb *cb, enum tcp_rtx_rule rule, uint32_t *seq)
{
	uint32_t edge = cb->snd_una + cb->snd_wnd, len;

	if (rule == TCP_RTX_LOST && cb->sent != NULL) {
		len = tcp_sent_next_lost(cb, seq);
		len = len < cb->mss ? len : cb->mss;
	} else if (rule == TCP_RTX_LOST) {
		len = next_hole(cb, cb->lost_end, seq);
	} else {
		if (cb->recovery != TCP_FAST_RECOVERY || !tcp_has_scoreboard(cb) ||
		    cb->sent != NULL)
			return 0; /* by the log all of this is lost or on its way */
		len = next_hole(cb, tcp_ranges_end(cb), seq);
		if (len == 0)
			len = rescue(cb, seq);
	}
	if (len == 0 || !fits_cwnd(cb, len) || seq_geq(*seq, edge))
		return 0;
	return edge - *seq < len ? edge - *seq : len;
}

void tcp_recovery_sent_again(struct tcp_cb *cb, enum tcp_rtx_rule rule, uint32_t seq, uint32_t end)
{
	if (rule == TCP_RTX_DOUBTED && seq_geq(seq, tcp_ranges_end(cb)))
		cb->rescue = TCP_RESCUE_DONE; /* and HighRxt stays where it is */
	else if (cb->sent != NULL)
		tcp_sent_again(cb, seq, end);
	else
		advance_rtx(cb, end);
	cb->rtx_mark = cb->snd_nxt;
	cb->prr_out += end - seq;
	cb->rtx_due = false;
	cb->rtt_start_ns = 0;
	cb->retransmitted++;
	tcp_undo_sent_again(cb);
	cb->sock.stack->stats.tcp_retransmitted++;
}

void tcp_recovery_probed(struct tcp_cb *cb, uint32_t seq, uint32_t end)
{
	if (cb->mtu_probe_bytes != 0 && seq_gt(cb->mtu_probe_end, seq))
		tcp_mtu_probe_forget(cb);
	tcp_sent_again(cb, seq, end);
	tcp_undo_forget(cb); /* a report of two is of this one */
	cb->rtt_start_ns = 0;
	cb->retransmitted++;
	cb->sock.stack->stats.tcp_retransmitted++;
}
