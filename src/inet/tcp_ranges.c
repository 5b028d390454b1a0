/* tcp_ranges.c - see tcp_ranges.h.
 *
 * SPDX-License-Identifier: MIT
 */
#include "inet/tcp_ranges.h"
#include "inet/tcp_table.h"

/* Takes range i out. */
static void erase(struct tcp_ranges *r, uint32_t i)
{
	r->count--;
	memmove(&r->range[i], &r->range[i + 1], (r->count - i) * sizeof(r->range[0]));
}

/* Drops or cuts what lies before snd_una. */
static void advance(struct tcp_cb *cb)
{
	struct tcp_ranges *r = cb->sacked;
	uint32_t gone = 0;

	while (gone < r->count && seq_leq(r->range[gone].end, cb->snd_una)) {
		cb->sacked_bytes -= r->range[gone].end - r->range[gone].start;
		gone++;
	}
	r->count -= gone;
	memmove(&r->range[0], &r->range[gone], r->count * sizeof(r->range[0]));
	if (r->count > 0 && seq_lt(r->range[0].start, cb->snd_una)) {
		cb->sacked_bytes -= cb->snd_una - r->range[0].start;
		r->range[0].start = cb->snd_una;
	}
}

/* Joins a block with what it touches. When there is no place for one more range it is not
 * remembered: its bytes may be sent again in vain. */
static bool add(struct tcp_cb *cb, struct tcp_range b)
{
	struct tcp_ranges *r = cb->sacked;
	uint32_t i = 0;

	while (i < r->count && seq_lt(r->range[i].end, b.start))
		i++;
	if (i < r->count && seq_leq(r->range[i].start, b.start) && seq_geq(r->range[i].end, b.end))
		return false;
	while (i < r->count && seq_leq(r->range[i].start, b.end)) {
		if (seq_lt(r->range[i].start, b.start))
			b.start = r->range[i].start;
		if (seq_gt(r->range[i].end, b.end))
			b.end = r->range[i].end;
		cb->sacked_bytes -= r->range[i].end - r->range[i].start;
		erase(r, i);
	}
	if (r->count == TCP_SACKED_RANGES)
		return false;
	memmove(&r->range[i + 1], &r->range[i], (r->count - i) * sizeof(r->range[0]));
	r->range[i] = b;
	r->count++;
	cb->sacked_bytes += b.end - b.start;
	return true;
}

/* Could the peer have it? */
static bool plausible(const struct tcp_cb *cb, const struct tcp_range *b)
{
	return seq_lt(b->start, b->end) && seq_gt(b->start, cb->snd_una) &&
	       seq_leq(b->end, cb->snd_nxt);
}

bool tcp_ranges_update(struct tcp_cb *cb, const struct tcp_segment *seg)
{
	bool news = false;

	if (cb->sacked != NULL)
		advance(cb);
	for (uint8_t i = 0; i < seg->has.sack_count; i++) {
		if (!plausible(cb, &seg->sack[i]))
			continue;
		if (cb->sacked == NULL) {
			cb->sacked = tcp_slab_get(&cb->sock.stack->tcp->ranges);
			if (cb->sacked == NULL)
				return false;
			cb->sacked->count = 0;
			cb->reported = true;
		}
		news |= add(cb, seg->sack[i]);
	}
	if (cb->sacked != NULL && cb->sacked->count == 0)
		tcp_ranges_clear(cb);
	return news;
}

void tcp_ranges_clear(struct tcp_cb *cb)
{
	if (cb->sacked == NULL)
		return;
	tcp_slab_put(&cb->sock.stack->tcp->ranges, cb->sacked);
	cb->sacked = NULL;
	cb->reported = false;
	cb->sacked_bytes = 0;
}

uint32_t tcp_ranges_hole(const struct tcp_cb *cb, uint32_t seq, uint32_t *len)
{
	const struct tcp_ranges *r = cb->sacked;

	*len = UINT32_MAX;
	for (uint32_t i = 0; r != NULL && i < r->count; i++) {
		if (seq_lt(seq, r->range[i].start)) {
			*len = r->range[i].start - seq;
			break;
		}
		if (seq_lt(seq, r->range[i].end))
			seq = r->range[i].end;
	}
	return seq;
}

uint32_t tcp_ranges_overlap(const struct tcp_cb *cb, uint32_t start, uint32_t end)
{
	const struct tcp_ranges *r = cb->sacked;
	uint32_t bytes = 0;

	for (uint32_t i = 0; r != NULL && i < r->count; i++) {
		uint32_t a = seq_gt(r->range[i].start, start) ? r->range[i].start : start;
		uint32_t b = seq_lt(r->range[i].end, end) ? r->range[i].end : end;

		if (seq_lt(a, b))
			bytes += b - a;
	}
	return bytes;
}

uint32_t tcp_ranges_lost_end(const struct tcp_cb *cb)
{
	const struct tcp_ranges *r = cb->sacked;
	uint32_t beyond = 0, ranges = 0;

	for (uint32_t i = r != NULL ? r->count : 0; i-- > 0;) {
		beyond += r->range[i].end - r->range[i].start;
		ranges++;
		if (ranges >= TCP_DUPACKS || beyond > (TCP_DUPACKS - 1) * cb->mss)
			return r->range[i].start;
	}
	return cb->snd_una;
}
