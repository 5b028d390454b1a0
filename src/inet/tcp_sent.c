/* tcp_sent.c - see tcp_sent.h.
 *
 * SPDX-License-Identifier: MIT
 */
#include "inet/tcp_sent.h"
#include "inet/tcp_ranges.h"
#include "inet/tcp_table.h"

/* A run is extended for this part of a smoothed round trip, as a divisor. RACK waits for a quarter
 * of one, when it waits. */
enum { RUN_RTT_DIVISOR = 32 };

static const uint16_t capacities[TCP_SET_SIZES] = {
    [TCP_SET_SMALL] = TCP_SENT_RUNS,
    [TCP_SET_LARGE] = TCP_SENT_RUNS_LARGE,
};

uint32_t tcp_sent_bytes(enum tcp_set_size size)
{
	return (uint32_t)(sizeof(struct tcp_sent) + capacities[size] * sizeof(struct tcp_run));
}

static struct tcp_sent *make(struct tcp_cb *cb, enum tcp_set_size size)
{
	struct tcp_sets *sets = &cb->sock.stack->tcp->sent[size];
	struct tcp_cb *old = tcp_sets_who_gives_way(sets, cb);
	struct tcp_sent *t;

	if (old != NULL && old != cb)
		tcp_sent_give_up(old);
	t = (struct tcp_sent *)(void *)tcp_sets_get(sets, cb);
	if (t != NULL) {
		t->set.size = (uint16_t)size;
		t->set.capacity = capacities[size];
		t->first = t->count = 0;
	}
	return t;
}

uint32_t tcp_sent_find(const struct tcp_sent *t, uint32_t seq)
{
	uint32_t at = t->first, n = t->count;

	while (n > 0) {
		uint32_t half = n / 2;

		if (seq_leq(t->run[at + half].end, seq)) {
			at += half + 1;
			n -= half + 1;
		} else {
			n = half;
		}
	}
	return at;
}

void tcp_sent_clear(struct tcp_cb *cb)
{
	if (cb->sent == NULL)
		return;
	tcp_sets_put(&cb->sock.stack->tcp->sent[cb->sent->set.size], &cb->sent->set);
	cb->sent = NULL;
	cb->rack_deadline_ns = UINT64_MAX;
}

void tcp_sent_give_up(struct tcp_cb *cb)
{
	struct tcp_sent *t = cb->sent;
	uint32_t start = cb->snd_una, end = cb->snd_una;

	for (uint32_t i = tcp_sent_find(t, start); i < tcp_sent_last(t); i++) {
		if (!t->run[i].lost)
			continue;
		if (end == cb->snd_una)
			start = tcp_sent_start(cb, t, i);
		end = t->run[i].end;
	}
	tcp_sent_clear(cb);
	cb->rtx_next = start;
	cb->lost_end = end;
	cb->lost_bytes = end - start - tcp_ranges_overlap(cb, start, end);
}

/* Drops what was acknowledged, but for the run of the last byte that was: its time may be asked
 * for. */
static void advance(const struct tcp_cb *cb, struct tcp_sent *t)
{
	while (t->count > 1 && seq_lt(t->run[t->first].end, cb->snd_una)) {
		t->first++;
		t->count--;
	}
}

/* Two that follow each other, both lost or both not, become one. */
static void merge_neighbours(struct tcp_sent *t)
{
	uint32_t n = 0, end = tcp_sent_last(t);

	for (uint32_t i = t->first; i < end; i++) {
		struct tcp_run r = t->run[i];

		if (i + 1 < end && t->run[i + 1].lost == r.lost) {
			const struct tcp_run *next = &t->run[++i];

			r.end = next->end;
			r.again |= next->again;
			if (seq_gt(next->sent, r.sent))
				r.sent = next->sent;
		}
		t->run[n++] = r;
	}
	t->first = 0;
	t->count = (uint16_t)n;
}

/* Moves to a large log. */
static bool grow(struct tcp_cb *cb)
{
	struct tcp_sent *old = cb->sent, *t;
	struct tcp_set set;

	if (old->set.size == TCP_SET_LARGE)
		return false;
	t = make(cb, TCP_SET_LARGE);
	if (t == NULL)
		return false;
	set = t->set;
	memcpy(t, old, sizeof(*t));
	t->set = set;
	t->first = 0;
	memcpy(t->run, old->run + old->first, old->count * sizeof(t->run[0]));
	tcp_sets_put(&cb->sock.stack->tcp->sent[TCP_SET_SMALL], &old->set);
	cb->sent = t;
	return true;
}

/* Room for two more runs behind the last one. False: the log is given up. */
static bool make_room(struct tcp_cb *cb)
{
	struct tcp_sent *t = cb->sent;

	if (tcp_sent_last(t) + 2 <= t->set.capacity)
		return true;
	advance(cb, t);
	if (t->count + 2u > t->set.capacity && !grow(cb))
		merge_neighbours(t);
	t = cb->sent;
	if (t->count + 2u > t->set.capacity) {
		tcp_sent_give_up(cb);
		return false;
	}
	if (t->first > 0) {
		memmove(t->run, t->run + t->first, t->count * sizeof(t->run[0]));
		t->first = 0;
	}
	return true;
}

/* Makes a run begin at seq, in (snd_una, snd_nxt). There is room. */
static void split(struct tcp_cb *cb, uint32_t seq)
{
	struct tcp_sent *t = cb->sent;
	uint32_t i = tcp_sent_find(t, seq);
	struct tcp_run *r = &t->run[i];

	if (i == tcp_sent_last(t) || tcp_sent_start(cb, t, i) == seq)
		return;
	memmove(r + 1, r, (tcp_sent_last(t) - i) * sizeof(*r));
	r->end = seq;
	t->count++;
}

static void append(const struct tcp_cb *cb, struct tcp_sent *t, uint32_t sent)
{
	t->run[tcp_sent_last(t)] = (struct tcp_run){.end = cb->snd_nxt, .sent = sent};
	t->count++;
	t->begun = sent;
	t->closed = false;
}

/* A log of what is outstanding: all before `before`, a segment or so, was sent no later than when
 * there was progress last. */
static void begin(struct tcp_cb *cb, uint32_t before)
{
	struct tcp_sent *t = make(cb, TCP_SET_SMALL);

	if (t == NULL)
		return;
	cb->sent = t;
	t->rack_valid = t->closed = false;
	t->lost_from = t->fack = cb->snd_una;
	t->oldest = t->begun = t->reduced = tcp_ns_to_fine(cb->progress_ns);
	if (before != cb->snd_una)
		t->run[t->count++] = (struct tcp_run){.end = before, .sent = t->oldest};
}

void tcp_sent_first(struct tcp_cb *cb, uint32_t before)
{
	uint32_t now = tcp_fine_clock(cb->sock.stack), part;
	struct tcp_run *last;

	if (cb->sent == NULL) {
		if (cb->recovery != TCP_OPEN || cb->sacked != NULL || cb->dupacks > 0 ||
		    cb->no_scoreboard)
			return; /* once all is in order again */
		begin(cb, before);
		if (cb->sent == NULL)
			return;
	}
	part = tcp_ns_to_fine(cb->srtt_ns) / RUN_RTT_DIVISOR;
	last = cb->sent->count > 0 ? &cb->sent->run[tcp_sent_last(cb->sent) - 1] : NULL;
	if (last != NULL && !cb->sent->closed && !last->again && !last->lost &&
	    now - cb->sent->begun <= part) {
		last->end = cb->snd_nxt;
		last->sent = now;
	} else if (make_room(cb)) {
		append(cb, cb->sent, now);
	}
}

/* Makes [seq, end) runs of their own, which begin at the one that is returned; NULL: there is no
 * log any more. */
static struct tcp_run *cut_out(struct tcp_cb *cb, uint32_t seq, uint32_t end)
{
	if (!make_room(cb))
		return NULL;
	if (seq_gt(seq, cb->snd_una))
		split(cb, seq);
	split(cb, end);
	return &cb->sent->run[tcp_sent_find(cb->sent, seq)];
}

bool tcp_sent_again(struct tcp_cb *cb, uint32_t seq, uint32_t end)
{
	struct tcp_run *r;

	cb->lost_bytes -= tcp_sent_lost_in(cb, seq, end);
	r = cut_out(cb, seq, end);
	if (r == NULL)
		return false;
	for (; r < cb->sent->run + tcp_sent_last(cb->sent) && seq_leq(r->end, end); r++) {
		r->sent = tcp_fine_clock(cb->sock.stack);
		r->again = true;
		r->lost = false;
	}
	cb->sent->closed = true;
	return true;
}

bool tcp_sent_lose(struct tcp_cb *cb, uint32_t start, uint32_t end)
{
	struct tcp_run *r = cut_out(cb, start, end);

	if (r == NULL)
		return false;
	r->lost = true;
	if (seq_lt(start, cb->sent->lost_from))
		cb->sent->lost_from = start;
	cb->lost_bytes += end - start - tcp_ranges_overlap(cb, start, end);
	return true;
}

void tcp_sent_find_all(struct tcp_cb *cb)
{
	struct tcp_sent *t = cb->sent;

	for (uint32_t i = t->first; i < tcp_sent_last(t); i++)
		t->run[i].lost = false;
	t->lost_from = cb->snd_nxt;
	t->oldest = tcp_fine_clock(cb->sock.stack) - (UINT32_MAX >> 2); /* before all */
	cb->lost_bytes = 0;
}

void tcp_sent_lose_all(struct tcp_cb *cb)
{
	struct tcp_sent *t = cb->sent;

	for (uint32_t i = t->first; i < tcp_sent_last(t); i++)
		t->run[i].lost = true;
	t->lost_from = cb->snd_una;
	cb->lost_bytes = tcp_flight(cb) - cb->sacked_bytes;
}

void tcp_sent_count_lost(struct tcp_cb *cb)
{
	struct tcp_sent *t = cb->sent;

	t->lost_from = cb->snd_una;
	cb->lost_bytes = 0;
	for (uint32_t i = tcp_sent_find(t, cb->snd_una); i < tcp_sent_last(t); i++) {
		uint32_t start = tcp_sent_start(cb, t, i), end = t->run[i].end;

		if (t->run[i].lost)
			cb->lost_bytes += end - start - tcp_ranges_overlap(cb, start, end);
	}
}

uint32_t tcp_sent_lost_in(const struct tcp_cb *cb, uint32_t start, uint32_t end)
{
	const struct tcp_sent *t = cb->sent;
	uint32_t bytes = 0;

	if (cb->lost_bytes == 0)
		return 0;
	for (uint32_t i = tcp_sent_find(t, start); i < tcp_sent_last(t); i++) {
		uint32_t from = tcp_sent_start(cb, t, i), to = t->run[i].end;

		if (seq_lt(from, start))
			from = start;
		if (seq_geq(from, end))
			break;
		if (seq_gt(to, end))
			to = end;
		if (t->run[i].lost)
			bytes += to - from;
	}
	return bytes;
}

uint32_t tcp_sent_next_lost(const struct tcp_cb *cb, uint32_t *seq)
{
	struct tcp_sent *t = cb->sent;
	uint32_t from = seq_gt(t->lost_from, cb->snd_una) ? t->lost_from : cb->snd_una;

	if (cb->lost_bytes == 0)
		return 0;
	for (uint32_t i = tcp_sent_find(t, from); i < tcp_sent_last(t); i++) {
		uint32_t start = tcp_sent_start(cb, t, i), hole = UINT32_MAX;

		if (!t->run[i].lost)
			continue;
		start = tcp_ranges_hole(cb, seq_gt(start, from) ? start : from, &hole);
		if (seq_geq(start, t->run[i].end))
			continue;
		t->lost_from = *seq = start;
		while (i + 1 < tcp_sent_last(t) && t->run[i + 1].lost)
			i++;
		return hole < t->run[i].end - start ? hole : t->run[i].end - start;
	}
	return 0;
}

uint64_t tcp_sent_age_ns(struct tcp_cb *cb, uint32_t seq)
{
	struct tcp_sent *t = cb->sent;
	uint32_t i;

	if (t == NULL)
		return 0;
	advance(cb, t);
	i = tcp_sent_find(t, seq - 1);
	if (i == tcp_sent_last(t) || t->run[i].again)
		return 0;
	return (uint64_t)(tcp_fine_clock(cb->sock.stack) - t->run[i].sent) << TCP_FINE_SHIFT;
}
