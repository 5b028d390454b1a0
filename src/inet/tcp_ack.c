/* tcp_ack.c - see tcp_ack.h.
 *
 * SPDX-License-Identifier: MIT
 */
#include "inet/tcp_ack.h"
#include "inet/tcp_ecn.h"
#include "inet/tcp_mtu.h"
#include "inet/tcp_output.h"
#include "inet/tcp_rack.h"
#include "inet/tcp_ranges.h"
#include "inet/tcp_recovery.h"
#include "inet/tcp_sendq.h"
#include "inet/tcp_timer.h"
#include "inet/tcp_tune.h"
#include "inet/tcp_undo.h"

/* Room in the send buffer again: told when half of it is free, so that a program does not dribble.
 */
static void tell_writer(struct tcp_cb *cb)
{
	if (cb->want_write && tcp_queued(cb) <= cb->send_limit / 2) {
		cb->want_write = false;
		tcp_raise(cb, STACK_EV_WRITE);
	}
}

void tcp_ack_grows(struct tcp_cb *cb, uint32_t bytes)
{
	if (cb->cwnd_limited) {
		cb->cc->acked(cb, bytes);
		tcp_tune_send(cb);
	}
	tell_writer(cb);
}

void tcp_ack_release(struct tcp_cb *cb)
{
	if (tcp_sendq_release(cb, cb->snd_una))
		tcp_raise(cb, STACK_EV_ACKED);
	cb->message = TCP_MESSAGE_NONE;
	if (cb->snd_una == cb->snd_nxt) {
		cb->rtx_deadline_ns = UINT64_MAX;
		tcp_sent_clear(cb);
	} else {
		tcp_timer_start_rtx(cb);
		if (cb->sent != NULL)
			tcp_rack_schedule_probe(cb);
	}
}

/* The numbers of SYN and FIN are not bytes of the program's. */
static uint32_t without_syn_and_fin(struct tcp_cb *cb, uint32_t ack)
{
	uint32_t bytes = ack - cb->snd_una - cb->syn_unacked - seq_gt(ack, cb->snd_end);

	cb->syn_unacked = false;
	return bytes;
}

void tcp_ack_advance(struct tcp_cb *cb, uint32_t ack)
{
	uint32_t bytes = cb->rare == 0 ? ack - cb->snd_una : without_syn_and_fin(cb, ack);

	tcp_ack_time(cb, ack);
	tcp_ack_size(cb, bytes);
	cb->acked_bytes += bytes;
	cb->snd_una = ack;
	cb->rtx_count = cb->probe_count = 0;
	cb->progress_ns = cb->sock.stack->now_ns;
	tcp_ack_release(cb);
	if (cb->mtu_probe_bytes != 0 && seq_geq(ack, cb->mtu_probe_end))
		tcp_mtu_probe_arrived(cb);
	if (cb->recovery != TCP_OPEN) {
		tcp_recovery_advance(cb, bytes);
	} else {
		tcp_recovery_forget_dupacks(cb);
		if (cb->cwnd_limited) {
			cb->cc->acked(cb, bytes);
			tcp_tune_send(cb);
		}
	}
	tell_writer(cb);
	if (cb->snd_nxt != cb->snd_end || cb->fin_queued || cb->recovery != TCP_OPEN)
		tcp_output_request(cb);
}

/* The window has opened: what a closed one held back may go. What was outstanding for the whole
 * time-out before the first probe, and the byte of that, goes again; if the window was closed for
 * less, that is on its way, and a peer that plays with its window gets nothing twice. */
static void window_opened(struct tcp_cb *cb)
{
	bool probed = cb->probe_count > 0;

	cb->probe_count = 0;
	cb->probe_due = cb->small_due = false;
	cb->rtx_deadline_ns = UINT64_MAX;
	if (cb->snd_nxt == cb->snd_una)
		return;
	if (probed) {
		tcp_recovery_lose_all(cb);
		tcp_undo_forget(cb);
	}
	tcp_timer_start_rtx(cb);
	tcp_output_request(cb);
}

void tcp_ack_window(struct tcp_cb *cb, const struct tcp_segment *seg)
{
	uint32_t wnd = (uint32_t)seg->wnd << cb->snd_shift, before = cb->snd_wnd;

	if (!seq_lt(cb->snd_wl1, seg->seq) &&
	    !(cb->snd_wl1 == seg->seq && seq_leq(cb->snd_wl2, seg->ack)))
		return;
	cb->snd_wnd = wnd;
	cb->snd_wl1 = seg->seq;
	cb->snd_wl2 = seg->ack;
	if (wnd > cb->max_snd_wnd)
		cb->max_snd_wnd = wnd;
	if (before == 0 && wnd > 0)
		window_opened(cb);
	if (wnd != before && (cb->snd_nxt != cb->snd_end || cb->fin_queued))
		tcp_output_request(cb);
}

/* The first acknowledgement after a time-out. Karn's rule knows no round trip of what was sent
 * again; the echoed timestamp tells of which sending it is (RFC 7323 4.1), and ends the back-off.
 * Where what was sent again has arrived as a duplicate it was an acknowledgement that was lost: the
 * echo may be as old as that, but the path is as fast as it was. An echo of what was never sent
 * tells nothing. */
static void time_by_echo(struct tcp_cb *cb, const struct tcp_segment *seg)
{
	const struct stack *s = cb->sock.stack;
	uint64_t rtt_ns = (uint64_t)(tcp_clock(s) + cb->ts_offset - seg->tsecr) << 20;

	if (!seg->has.timestamps || !cb->timestamps || rtt_ns > TCP_RTO_MAX_NS)
		return;
	if (cb->srtt_ns != 0 && tcp_tells_of_duplicate(seg))
		tcp_timer_compute_rto(cb);
	else
		tcp_timer_sample(cb, rtt_ns);
}

/* RFC 5681 2, of a peer without SACK, or for want of a set to remember what it reports; one that
 * tells of a duplicate is the answer to what was sent again needlessly. */
static bool is_duplicate(const struct tcp_cb *cb, const struct tcp_segment *seg,
			 uint32_t wnd_before)
{
	return seg->len == 0 && !(seg->flags & (TCP_SYN | TCP_FIN)) &&
	       (uint32_t)seg->wnd << cb->snd_shift == wnd_before &&
	       !(cb->sack && tcp_tells_of_duplicate(seg));
}

bool tcp_ack_segment(struct tcp_cb *cb, const struct tcp_segment *seg)
{
	uint32_t wnd_before = cb->snd_wnd;
	struct tcp_ack_news news = {.arrived = tcp_arrived(cb)};
	bool reported = false, undo;

	if (seq_gt(seg->ack, cb->snd_nxt) || seq_lt(seg->ack, cb->snd_una - cb->max_snd_wnd)) {
		tcp_challenge(cb);
		return false;
	}
	if (cb->sack && tcp_tells_of_duplicate(seg))
		tcp_rack_duplicate(cb);
	if (cb->tlp_out)
		tcp_rack_probe_answered(cb, seg);
	undo = tcp_undo_detect(cb, seg, seq_gt(seg->ack, cb->snd_una));
	if (seq_gt(seg->ack, cb->snd_una)) {
		news.advanced = seg->ack - cb->snd_una;
		if (cb->rtx_count > 0 && cb->rtt_start_ns == 0)
			time_by_echo(cb, seg);
		if (cb->sent != NULL)
			tcp_rack_acknowledged(cb, seg);
		if (cb->ecn && (seg->flags & TCP_ECE))
			cb->cwnd_limited = false; /* RFC 3168 6.1.2: nor does the window grow */
		tcp_ack_advance(cb, seg->ack);
	}
	if (undo)
		tcp_undo(cb, news.advanced);
	if (cb->sack && (seg->has.sack_count > 0 || cb->sacked != NULL))
		reported = tcp_ranges_update(cb, seg);
	if (seg->ack != cb->snd_una || cb->snd_nxt == cb->snd_una)
		news.duplicate = false;
	else if (tcp_has_scoreboard(cb))
		news.duplicate = reported; /* RFC 6675 2: whether it acknowledges or not */
	else
		news.duplicate = news.advanced == 0 && is_duplicate(cb, seg, wnd_before);
	tcp_recovery_ack(cb, &news);
	if (cb->ecn)
		tcp_ecn_acknowledged(cb, seg, news.advanced);
	if (seq_geq(seg->ack, cb->snd_una))
		tcp_ack_window(cb, seg);
	if (cb->owned && cb->snd_wnd == 0)
		cb->progress_ns = cb->sock.stack->now_ns; /* it lives: RFC 9293 3.8.6.1 */
	return true;
}
