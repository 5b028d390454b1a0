/* tcp_rack.c - see tcp_rack.h.
 *
 * SPDX-License-Identifier: MIT
 */
#include "inet/tcp_rack.h"
#include "inet/tcp_output.h"
#include "inet/tcp_ranges.h"
#include "inet/tcp_recovery.h"
#include "inet/tcp_timer.h"
#include "inet/tcp_undo.h"

/* An age beyond that of anything outstanding. */
enum { AGE_MAX = 1 << 30 };

void tcp_rack_begin(struct tcp_cb *cb)
{
	struct tcp_sent *t = cb->sent;

	if (t == NULL || cb->recovery != TCP_OPEN)
		return;
	t->rack_valid = false;
	t->fack = cb->snd_una;
	t->oldest = tcp_fine_clock(cb->sock.stack) - AGE_MAX;
}

/* RFC 8985 6.2, step 2: is this the acknowledgement of an earlier sending? The echo is older than
 * the last one, or it came sooner than any could. */
static bool is_of_earlier_sending(const struct tcp_cb *cb, const struct tcp_segment *seg,
				  const struct tcp_run *r)
{
	const struct stack *s = cb->sock.stack;
	uint32_t age = tcp_fine_clock(s) - r->sent;
	uint64_t sent_ns = s->now_ns - ((uint64_t)age << TCP_FINE_SHIFT);
	uint32_t tsval = (uint32_t)(sent_ns >> 20) + cb->ts_offset;

	if (!r->again)
		return false;
	if (cb->timestamps && seg->has.timestamps && seq_lt(seg->tsecr, tsval))
		return true;
	return age < cb->min_rtt;
}

/* RFC 8985 6.2: RACK_sent_after(). */
static bool sent_after(uint32_t sent1, uint32_t end1, uint32_t sent2, uint32_t end2)
{
	return seq_gt(sent1, sent2) || (sent1 == sent2 && seq_gt(end1, end2));
}

/* Steps 2 and 3, of [start, end), which was on its way, or lost. */
static void delivered(struct tcp_cb *cb, const struct tcp_segment *seg, uint32_t start,
		      uint32_t end)
{
	struct tcp_sent *t = cb->sent;

	for (uint32_t i = tcp_sent_find(t, start); i < tcp_sent_last(t); i++) {
		const struct tcp_run *r = &t->run[i];
		uint32_t to = seq_lt(r->end, end) ? r->end : end;

		if (seq_geq(tcp_sent_start(cb, t, i), end))
			break;
		if (!r->again && seq_leq(to, t->fack))
			cb->reordering_seen = true;
		if (is_of_earlier_sending(cb, seg, r))
			continue;
		if (t->rack_valid && !sent_after(r->sent, to, t->rack_sent, t->rack_end))
			continue;
		t->rack_valid = true;
		t->rack_sent = r->sent;
		t->rack_end = to;
		t->rack_rtt = tcp_fine_clock(cb->sock.stack) - r->sent;
	}
	if (seq_gt(end, t->fack))
		t->fack = end;
}

void tcp_rack_acknowledged(struct tcp_cb *cb, const struct tcp_segment *seg)
{
	uint32_t seq = cb->snd_una, hole, end;

	while (seq_lt(seq, seg->ack)) {
		seq = tcp_ranges_hole(cb, seq, &hole);
		if (seq_geq(seq, seg->ack))
			break;
		end = hole < seg->ack - seq ? seq + hole : seg->ack;
		cb->lost_bytes -= tcp_sent_lost_in(cb, seq, end);
		delivered(cb, seg, seq, end);
		seq = end;
	}
}

void tcp_rack_reported(struct tcp_cb *cb, const struct tcp_segment *seg, uint32_t start,
		       uint32_t end)
{
	delivered(cb, seg, start, end);
}

void tcp_rack_duplicate(struct tcp_cb *cb)
{
	if (cb->dsack_round && seq_lt(cb->snd_una, cb->dsack_round_end))
		return;
	cb->dsack_round = true;
	cb->dsack_round_end = cb->snd_nxt;
	if (cb->reo_wnd_mult < UINT8_MAX)
		cb->reo_wnd_mult++;
	cb->reo_wnd_persist = TCP_REO_WND_PERSIST;
}

void tcp_rack_recovered(struct tcp_cb *cb)
{
	if (cb->reo_wnd_persist > 0 && --cb->reo_wnd_persist == 0)
		cb->reo_wnd_mult = 0;
}

/* Step 4. Until something was seen out of order that was not lost, three segments are proof. */
static uint32_t reordering_window(const struct tcp_cb *cb)
{
	uint64_t srtt = cb->srtt_ns >> TCP_FINE_SHIFT, rtt = cb->min_rtt != 0 ? cb->min_rtt : srtt;
	uint64_t window = (cb->reo_wnd_mult + UINT64_C(1)) * rtt / 4;

	if (!cb->reordering_seen && (cb->recovery != TCP_OPEN || cb->dupacks >= TCP_DUPACKS ||
				     cb->sacked_bytes > (TCP_DUPACKS - 1) * cb->mss))
		return 0;
	return (uint32_t)(window < srtt ? window : srtt);
}

static void start_timer(struct tcp_cb *cb, uint32_t wait)
{
	cb->rack_deadline_ns = cb->sock.stack->now_ns + ((wait + UINT64_C(1)) << TCP_FINE_SHIFT);
	tcp_timer_need(cb, cb->rack_deadline_ns);
}

/* The end of what of a run was sent before what RACK knows to have arrived; its start: nothing. At
 * one time new data goes in the order of its numbers; what went again then may have come last. */
static uint32_t end_of_suspects(const struct tcp_sent *t, const struct tcp_run *r, uint32_t start)
{
	if (seq_lt(r->sent, t->rack_sent))
		return r->end;
	if (r->sent != t->rack_sent || r->again || seq_leq(t->rack_end, start))
		return start;
	return seq_lt(r->end, t->rack_end) ? r->end : t->rack_end;
}

static bool has_hole(const struct tcp_cb *cb, uint32_t start, uint32_t end)
{
	uint32_t hole;

	return seq_lt(tcp_ranges_hole(cb, start, &hole), end);
}

/* Looks at all that is on its way. */
static struct tcp_rack_losses look_at_all(struct tcp_cb *cb, uint32_t now, uint32_t due)
{
	struct tcp_rack_losses losses = {false, false, false};
	uint32_t i = tcp_sent_find(cb->sent, cb->snd_una), wait = 0, oldest = now;

	for (; i < tcp_sent_last(cb->sent); i++) {
		const struct tcp_sent *t = cb->sent;
		const struct tcp_run r = t->run[i];
		uint32_t start = tcp_sent_start(cb, t, i), end, age = now - r.sent;

		if (r.lost || !has_hole(cb, start, r.end))
			continue;
		end = end_of_suspects(t, &r, start);
		if (end != start && age >= due && has_hole(cb, start, end)) {
			losses.any = true;
			losses.again |= r.again;
			losses.anew |= r.again && seq_geq(r.sent, t->reduced);
			if (!tcp_sent_lose(cb, start, end))
				return losses;
			i = tcp_sent_find(cb->sent, end) - 1;
			continue;
		}
		if (end != start && age < due && due - age > wait)
			wait = due - age;
		if (seq_lt(r.sent, oldest))
			oldest = r.sent;
	}
	cb->sent->oldest = oldest;
	if (wait > 0)
		start_timer(cb, wait);
	return losses;
}

struct tcp_rack_losses tcp_rack_look(struct tcp_cb *cb)
{
	const struct tcp_sent *t = cb->sent;
	uint32_t now = tcp_fine_clock(cb->sock.stack), due, age;

	if (!t->rack_valid || seq_lt(t->rack_sent, t->oldest)) {
		cb->rack_deadline_ns = UINT64_MAX;
		return (struct tcp_rack_losses){false, false, false};
	}
	due = t->rack_rtt + reordering_window(cb);
	age = now - t->oldest;
	if (age < due) {
		start_timer(cb, due - age);
		return (struct tcp_rack_losses){false, false, false};
	}
	cb->rack_deadline_ns = UINT64_MAX;
	return look_at_all(cb, now, due);
}

void tcp_rack_time_out(struct tcp_cb *cb)
{
	struct tcp_sent *t = cb->sent;
	uint32_t now = tcp_fine_clock(cb->sock.stack), end = cb->snd_una + cb->mss;
	uint32_t rtt = t->rack_valid ? t->rack_rtt : tcp_ns_to_fine(cb->srtt_ns);
	uint32_t due = rtt + reordering_window(cb);

	if (!tcp_sent_lose(cb, cb->snd_una, seq_lt(end, cb->snd_nxt) ? end : cb->snd_nxt))
		return;
	t = cb->sent;
	for (uint32_t i = tcp_sent_find(t, cb->snd_una); i < tcp_sent_last(t); i++)
		if (now - t->run[i].sent >= due)
			t->run[i].lost = true;
	tcp_sent_count_lost(cb);
}

/* RFC 8985 7.2: PTO. 0: there is to be no probe. */
static uint64_t probe_timeout_ns(const struct tcp_cb *cb)
{
	uint32_t flight = tcp_flight(cb);

	if (cb->sent == NULL || cb->recovery != TCP_OPEN || cb->sacked_bytes > 0 || cb->tlp_out ||
	    cb->tlp_untimed || cb->srtt_ns == 0 || cb->snd_wnd == 0)
		return 0;
	return 2 * cb->srtt_ns +
	       (flight < 2 * cb->mss ? TCP_TLP_MAX_ACK_DELAY_NS : TCP_TLP_SLACK_NS);
}

void tcp_rack_schedule_probe(struct tcp_cb *cb)
{
	uint64_t now = cb->sock.stack->now_ns, pto_ns = probe_timeout_ns(cb);

	cb->rack_deadline_ns = UINT64_MAX;
	if (pto_ns == 0 || now + pto_ns >= cb->rtx_deadline_ns)
		return;
	cb->rack_deadline_ns = now + pto_ns;
	tcp_timer_need(cb, cb->rack_deadline_ns);
}

void tcp_rack_fired(struct tcp_cb *cb)
{
	cb->rack_deadline_ns = UINT64_MAX;
	if (cb->sent == NULL)
		return;
	if (cb->recovery == TCP_OPEN && cb->sacked_bytes == 0)
		cb->tlp_due = true;
	else
		tcp_recovery_timed_losses(cb);
	tcp_output_request(cb);
}

void tcp_rack_probe_sent(struct tcp_cb *cb, bool again)
{
	cb->tlp_out = cb->tlp_untimed = true;
	cb->tlp_again = again;
	cb->tlp_end = cb->snd_nxt;
	cb->sock.stack->stats.tcp_tail_probes++;
	tcp_timer_start_rtx(cb);
}

/* Is it the answer to a segment that came twice? */
static bool tells_of_two(const struct tcp_cb *cb, const struct tcp_segment *seg)
{
	if (cb->sack && tcp_tells_of_duplicate(seg))
		return true;
	return seg->ack == cb->snd_una && seg->ack == cb->tlp_end && seg->len == 0 &&
	       seg->has.sack_count == 0;
}

void tcp_rack_probe_answered(struct tcp_cb *cb, const struct tcp_segment *seg)
{
	if (seq_lt(seg->ack, cb->tlp_end))
		return;
	if (!cb->tlp_again || tells_of_two(cb, seg)) {
		cb->tlp_out = false;
	} else if (seq_gt(seg->ack, cb->tlp_end)) {
		/* The probe has mended a loss, which is congestion all the same. */
		cb->tlp_out = false;
		if (cb->recovery == TCP_OPEN) {
			tcp_undo_forget(cb);
			cb->cc->loss(cb, tcp_flight(cb));
			if (cb->cwnd > cb->ssthresh)
				cb->cwnd = cb->ssthresh;
		}
	}
}
