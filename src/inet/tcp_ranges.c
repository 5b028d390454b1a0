/* tcp_ranges.c - see tcp_ranges.h.
 *
 * SPDX-License-Identifier: MIT
 */
#include "inet/tcp_ranges.h"
#include "inet/tcp_rack.h"
#include "inet/tcp_recovery.h"
#include "inet/tcp_table.h"

static const uint16_t capacities[TCP_SET_SIZES] = {
    [TCP_SET_SMALL] = TCP_SACKED_RANGES,
    [TCP_SET_LARGE] = TCP_SACKED_RANGES_LARGE,
};

uint32_t tcp_ranges_bytes(enum tcp_set_size size)
{
	return (uint32_t)(sizeof(struct tcp_ranges) + capacities[size] * sizeof(struct tcp_range));
}

static struct tcp_ranges *make(struct tcp_cb *cb, enum tcp_set_size size)
{
	struct tcp_sets *sets = &cb->sock.stack->tcp->ranges[size];
	struct tcp_cb *old = tcp_sets_who_gives_way(sets, cb);
	struct tcp_ranges *r;

	if (old != NULL)
		tcp_ranges_clear(old);
	r = (struct tcp_ranges *)(void *)tcp_sets_get(sets, cb);
	if (r != NULL) {
		r->set.size = (uint16_t)size;
		r->set.capacity = capacities[size];
		r->first = r->count = 0;
	}
	return r;
}

static void give_back(struct tcp_cb *cb, struct tcp_ranges *r)
{
	tcp_sets_put(&cb->sock.stack->tcp->ranges[r->set.size], &r->set);
}

void tcp_ranges_clear(struct tcp_cb *cb)
{
	if (cb->sacked == NULL)
		return;
	if (cb->sent == NULL && cb->recovery != TCP_OPEN)
		cb->lost_bytes += tcp_ranges_overlap(cb, cb->rtx_next, cb->lost_end);
	give_back(cb, cb->sacked);
	cb->sacked = NULL;
	cb->reported = false;
	cb->sacked_bytes = 0;
	if (cb->sent != NULL)
		tcp_sent_count_lost(cb);
}

/* The first range that ends behind seq, or at it when `touching`; NULL-safe: an end pointer when
 * there is none. */
static struct tcp_range *find(struct tcp_ranges *r, uint32_t seq, bool touching)
{
	struct tcp_range *at = r->range + r->first;
	uint32_t n = r->count;

	while (n > 0) {
		uint32_t half = n / 2;

		if (seq_lt(at[half].end, seq) || (!touching && at[half].end == seq)) {
			at += half + 1;
			n -= half + 1;
		} else {
			n = half;
		}
	}
	return at;
}

static struct tcp_range *behind_last(struct tcp_ranges *r)
{
	return r->range + r->first + r->count;
}

/* Drops or cuts what lies before snd_una. */
static void advance(struct tcp_cb *cb)
{
	struct tcp_ranges *r = cb->sacked;
	struct tcp_range *at = r->range + r->first;

	while (r->count > 0 && seq_leq(at->end, cb->snd_una)) {
		cb->sacked_bytes -= at->end - at->start;
		at++;
		r->first++;
		r->count--;
	}
	if (r->count > 0 && seq_lt(at->start, cb->snd_una)) {
		cb->sacked_bytes -= cb->snd_una - at->start;
		at->start = cb->snd_una;
	}
}

/* Moves to a large set. */
static bool grow(struct tcp_cb *cb)
{
	struct tcp_ranges *old = cb->sacked, *r;

	if (old->set.size == TCP_SET_LARGE)
		return false;
	r = make(cb, TCP_SET_LARGE);
	if (r == NULL)
		return false;
	r->count = old->count;
	memcpy(r->range, old->range + old->first, old->count * sizeof(r->range[0]));
	give_back(cb, old);
	cb->sacked = r;
	return true;
}

/* Makes a place for one more range, the i-th. NULL: there is none. */
static struct tcp_range *open_place(struct tcp_cb *cb, uint32_t i)
{
	struct tcp_ranges *r = cb->sacked;
	struct tcp_range *at;

	if (r->count == r->set.capacity) {
		if (!grow(cb))
			return NULL;
		r = cb->sacked;
	}
	if (r->first + r->count == r->set.capacity) { /* no room at the end, but in front */
		memmove(r->range, r->range + r->first, r->count * sizeof(r->range[0]));
		r->first = 0;
	}
	at = r->range + r->first + i;
	memmove(at + 1, at, (r->count - i) * sizeof(*at));
	r->count++;
	return at;
}

/* Takes the ranges [from, to) out. */
static void close_places(struct tcp_ranges *r, struct tcp_range *from, struct tcp_range *to)
{
	memmove(from, to, (size_t)(behind_last(r) - to) * sizeof(*to));
	r->count = (uint16_t)(r->count - (to - from));
}

/* The parts of b that are in no range from `at` on were not reported before. */
static void tell_what_is_new(struct tcp_cb *cb, const struct tcp_segment *seg,
			     const struct tcp_range *at, const struct tcp_range *b)
{
	const struct tcp_range *end = behind_last(cb->sacked);
	uint32_t seq = b->start;

	for (; at < end && seq_lt(at->start, b->end); at++) {
		if (seq_lt(seq, at->start))
			tcp_rack_reported(cb, seg, seq, at->start);
		if (seq_lt(seq, at->end))
			seq = at->end;
	}
	if (seq_lt(seq, b->end))
		tcp_rack_reported(cb, seg, seq, b->end);
}

/* Joins a block with what it touches. When there is no place for one more range it is not
 * remembered: its bytes may be sent again in vain. */
static bool add(struct tcp_cb *cb, const struct tcp_segment *seg, struct tcp_range b)
{
	struct tcp_ranges *r = cb->sacked;
	struct tcp_range *at = find(r, b.start, true), *to = at, *end = behind_last(r);
	uint32_t old = 0, old_lost = 0;

	if (at < end && seq_leq(at->start, b.start) && seq_geq(at->end, b.end))
		return false;
	if (cb->sent != NULL)
		tell_what_is_new(cb, seg, at, &b);
	for (; to < end && seq_leq(to->start, b.end); to++) {
		if (seq_lt(to->start, b.start))
			b.start = to->start;
		if (seq_gt(to->end, b.end))
			b.end = to->end;
		old += to->end - to->start;
		old_lost += tcp_recovery_unsent(cb, to->start, to->end);
	}
	if (to == at)
		at = open_place(cb, (uint32_t)(at - r->range) - r->first);
	else
		close_places(r, at + 1, to);
	if (at == NULL)
		return false;
	*at = b;
	cb->sacked_bytes += b.end - b.start - old;
	cb->lost_bytes -= tcp_recovery_unsent(cb, b.start, b.end) - old_lost;
	return true;
}

/* Could the peer have it? */
static bool plausible(const struct tcp_cb *cb, const struct tcp_range *b)
{
	return seq_lt(b->start, b->end) && seq_gt(b->start, cb->snd_una) &&
	       seq_leq(b->end, cb->snd_nxt);
}

/* None is left. Of the duplicate ACKs that recovery has seen so far none tells of what is still
 * outstanding; outside it all do. */
static bool give_up(struct tcp_cb *cb)
{
	if (cb->sent != NULL)
		tcp_sent_give_up(cb);
	cb->no_scoreboard = true;
	if (cb->recovery != TCP_OPEN)
		cb->dupacks = 0;
	return false;
}

bool tcp_ranges_update(struct tcp_cb *cb, const struct tcp_segment *seg)
{
	bool news = false;

	if (cb->no_scoreboard)
		return false;
	if (cb->sacked != NULL)
		advance(cb);
	for (uint8_t i = 0; i < seg->has.sack_count; i++) {
		if (!plausible(cb, &seg->sack[i]))
			continue;
		if (cb->sacked == NULL) {
			cb->sacked = make(cb, TCP_SET_SMALL);
			if (cb->sacked == NULL)
				return give_up(cb);
			cb->reported = true;
			tcp_rack_begin(cb);
		}
		news |= add(cb, seg, seg->sack[i]);
	}
	if (cb->sacked != NULL && cb->sacked->count == 0)
		tcp_ranges_clear(cb);
	return news;
}

bool tcp_ranges_reneged(const struct tcp_cb *cb)
{
	const struct tcp_ranges *r = cb->sacked;

	return r != NULL && r->range[r->first].start == cb->snd_una;
}

uint32_t tcp_ranges_hole(const struct tcp_cb *cb, uint32_t seq, uint32_t *len)
{
	struct tcp_range *at, *end;

	*len = UINT32_MAX;
	if (cb->sacked == NULL)
		return seq;
	at = find(cb->sacked, seq, false);
	end = behind_last(cb->sacked);
	if (at < end && seq_leq(at->start, seq)) {
		seq = at->end;
		at++;
	}
	if (at < end)
		*len = at->start - seq;
	return seq;
}

uint32_t tcp_ranges_overlap(const struct tcp_cb *cb, uint32_t start, uint32_t end)
{
	uint32_t bytes = 0;

	if (cb->sacked == NULL)
		return 0;
	for (const struct tcp_range *at = find(cb->sacked, start, false);
	     at < behind_last(cb->sacked) && seq_lt(at->start, end); at++) {
		uint32_t a = seq_gt(at->start, start) ? at->start : start;
		uint32_t b = seq_lt(at->end, end) ? at->end : end;

		bytes += b - a;
	}
	return bytes;
}

uint32_t tcp_ranges_lost_end(const struct tcp_cb *cb)
{
	const struct tcp_ranges *r = cb->sacked;
	uint32_t beyond = 0, ranges = 0;

	for (uint32_t i = r != NULL ? r->count : 0; i-- > 0;) {
		const struct tcp_range *at = &r->range[r->first + i];

		beyond += at->end - at->start;
		ranges++;
		if (ranges >= TCP_DUPACKS || beyond > (TCP_DUPACKS - 1) * cb->mss)
			return at->start;
	}
	return cb->snd_una;
}

uint32_t tcp_ranges_end(const struct tcp_cb *cb)
{
	const struct tcp_ranges *r = cb->sacked;

	return r != NULL ? r->range[r->first + r->count - 1].end : cb->snd_una;
}
