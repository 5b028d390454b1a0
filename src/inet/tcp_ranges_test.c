/* The sender's scoreboard, against a map with one flag for each byte.
 *
 * SPDX-License-Identifier: MIT
 */
#include "inet/tcp_ranges.h"
#include "base/rng.h"
#include "inet/tcp_pair_test.h"
#include "inet/tcp_recovery.h"
#include <stdlib.h>
#include <string.h>

enum {
	STREAM_BYTES = 40000, /* that are outstanding in the course of a test */
	FLIGHT_BYTES = 8000,  /* at a time */
	STEPS = 20000,
	SEGMENT = 10,
};

struct board {
	struct tcp_cb *cb;
	struct tcp_cb before; /* as it was: given back at the end */
	struct rng rng;
	uint32_t start; /* sequence number of byte 0: the numbers wrap in the course of a test */
	bool reported[STREAM_BYTES];
};

static void begin(struct board *b, struct pair *p)
{
	pair_connect(p);
	memset(b, 0, sizeof(*b));
	rng_init(&b->rng, (uint64_t[2]){1, 2});
	b->cb = pair_cb(p, 0);
	b->before = *b->cb;
	b->start = UINT32_MAX - STREAM_BYTES / 2;
	b->cb->mss = SEGMENT;
	b->cb->snd_una = b->start;
	b->cb->snd_nxt = b->start + FLIGHT_BYTES;
}

static void end(struct board *b)
{
	tcp_ranges_clear(b->cb);
	assert_int_equal(b->cb->sacked_bytes, 0);
	*b->cb = b->before;
}

static bool report(struct board *b, uint32_t from, uint32_t to)
{
	struct tcp_segment seg = {.has = {.sack_count = 1}};

	seg.sack[0] = (struct tcp_range){b->start + from, b->start + to};
	return tcp_ranges_update(b->cb, &seg);
}

static uint32_t una(const struct board *b)
{
	return b->cb->snd_una - b->start;
}

static uint32_t unreported(const struct board *b, uint32_t from, uint32_t to)
{
	uint32_t n = 0;

	for (uint32_t i = from; i < to; i++)
		n += !b->reported[i];
	return n;
}

/* Reports a random block, and notes what of it can be believed. */
static void report_something(struct board *b)
{
	uint32_t from = una(b) + 1 + (uint32_t)rng_below(&b->rng, FLIGHT_BYTES - 101);
	uint32_t to = from + 1 + (uint32_t)rng_below(&b->rng, 100);
	uint32_t news = unreported(b, from, to);

	assert_int_equal(report(b, from, to), news > 0);
	memset(b->reported + from, true, to - from);
}

/* As if an acknowledgement had come. */
static void acknowledge_something(struct board *b)
{
	uint32_t by = (uint32_t)rng_below(&b->rng, 200);

	if (una(b) + by + 2 * FLIGHT_BYTES > STREAM_BYTES)
		return;
	while (b->reported[una(b) + by]) /* nobody acknowledges half of what he has */
		by++;
	b->cb->snd_una += by;
	b->cb->snd_nxt = b->cb->snd_una + FLIGHT_BYTES;
	b->cb->recover = b->cb->snd_nxt;
	if (b->cb->recovery != TCP_OPEN)
		tcp_recovery_advance(b->cb, by);
	tcp_ranges_update(b->cb, &(struct tcp_segment){0});
}

static void check_hole(struct board *b)
{
	uint32_t at = una(b) + (uint32_t)rng_below(&b->rng, FLIGHT_BYTES), len, i = at;
	uint32_t hole = tcp_ranges_hole(b->cb, b->start + at, &len) - b->start;

	while (i < una(b) + FLIGHT_BYTES && b->reported[i])
		i++;
	assert_int_equal(hole, i);
	while (i < una(b) + FLIGHT_BYTES && !b->reported[i])
		i++;
	if (i < una(b) + FLIGHT_BYTES)
		assert_int_equal(hole + len, i);
	else
		assert_int_equal(len, UINT32_MAX);
}

static void check(struct board *b)
{
	uint32_t from = una(b) + (uint32_t)rng_below(&b->rng, FLIGHT_BYTES);
	uint32_t to = from + (uint32_t)rng_below(&b->rng, una(b) + FLIGHT_BYTES - from + 1);
	uint32_t rtx = b->cb->rtx_next - b->start, lost = b->cb->lost_end - b->start;

	assert_int_equal(b->cb->sacked_bytes,
			 FLIGHT_BYTES - unreported(b, una(b), una(b) + FLIGHT_BYTES));
	assert_int_equal(tcp_ranges_overlap(b->cb, b->start + from, b->start + to),
			 to - from - unreported(b, from, to));
	check_hole(b);
	if (b->cb->recovery != TCP_OPEN)
		assert_int_equal(b->cb->lost_bytes, rtx < lost ? unreported(b, rtx, lost) : 0);
}

static void reports_in_any_order_give_the_ranges_they_cover(void **state)
{
	static struct board b;

	begin(&b, *state);
	for (int i = 0; i < STEPS; i++) {
		if (rng_below(&b.rng, 8) == 0)
			acknowledge_something(&b);
		else
			report_something(&b);
		check(&b);
	}
	end(&b);
}

static void the_count_of_lost_bytes_follows_reports_acknowledgements_and_what_is_sent(void **state)
{
	static struct board b;

	begin(&b, *state);
	tcp_recovery_lose_all(b.cb);
	for (int i = 0; i < STEPS; i++) {
		uint32_t seq, len;

		if (rng_below(&b.rng, 300) == 0)
			tcp_recovery_lose_all(b.cb);
		if (rng_below(&b.rng, 8) == 0)
			acknowledge_something(&b);
		else
			report_something(&b);
		b.cb->cwnd = b.cb->snd_wnd = FLIGHT_BYTES;
		len = tcp_recovery_next(b.cb, TCP_RTX_LOST, &seq);
		if (len > 0)
			tcp_recovery_sent_again(b.cb, TCP_RTX_LOST, seq, seq + len);
		check(&b);
	}
	end(&b);
}

static struct tcp_slab *large(struct board *b)
{
	return &b->cb->sock.stack->tcp->ranges[TCP_SET_LARGE].slab;
}

/* Reports every second byte from byte 1 on; returns how many of `count` were remembered. */
static uint32_t report_alternately(struct board *b, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
		report(b, 2 * i + 1, 2 * i + 2);
	return b->cb->sacked->count;
}

static void a_window_full_of_holes_takes_a_large_set_and_gives_it_back(void **state)
{
	static struct board b;

	begin(&b, *state);
	assert_int_equal(report_alternately(&b, TCP_SACKED_RANGES), TCP_SACKED_RANGES);
	assert_int_equal(large(&b)->used, 0);
	assert_int_equal(report_alternately(&b, TCP_SACKED_RANGES + 1), TCP_SACKED_RANGES + 1);
	assert_int_equal(large(&b)->used, 1);
	assert_int_equal(report_alternately(&b, TCP_SACKED_RANGES_LARGE + 10),
			 TCP_SACKED_RANGES_LARGE);
	assert_int_equal(b.cb->sacked_bytes, TCP_SACKED_RANGES_LARGE);
	b.cb->snd_una = b.cb->snd_nxt;
	tcp_ranges_update(b.cb, &(struct tcp_segment){0});
	assert_null(b.cb->sacked);
	assert_int_equal(large(&b)->used, 0);
	end(&b);
}

static void without_a_large_set_what_does_not_fit_is_not_remembered(void **state)
{
	static struct board b;
	static void *taken[TCP_LARGE_SETS_MAX];
	uint32_t n = 0;

	begin(&b, *state);
	while (n < TCP_LARGE_SETS_MAX && (taken[n] = tcp_slab_get(large(&b))) != NULL)
		n++;
	assert_int_equal(report_alternately(&b, TCP_SACKED_RANGES + 10), TCP_SACKED_RANGES);
	assert_int_equal(b.cb->sacked_bytes, TCP_SACKED_RANGES);
	assert_true(report(&b, 1, 100)); /* less ranges, more bytes */
	assert_int_equal(b.cb->sacked->count, 1);
	while (n > 0)
		tcp_slab_put(large(&b), taken[--n]);
	end(&b);
}

static void blocks_that_cannot_be_are_skipped(void **state)
{
	static struct board b;

	begin(&b, *state);
	assert_false(report(&b, 10, 10));
	assert_false(report(&b, 20, 10));
	assert_false(report(&b, 0, 10)); /* that is what an acknowledgement would cover */
	assert_false(report(&b, FLIGHT_BYTES - 10, FLIGHT_BYTES + 1));
	assert_false(report(&b, (uint32_t)-20, (uint32_t)-10));
	assert_null(b.cb->sacked);
	end(&b);
}

static void bytes_before_three_ranges_or_more_than_two_segments_are_lost(void **state)
{
	static struct board b;

	begin(&b, *state);
	report(&b, 1000, 1000 + SEGMENT);
	report(&b, 500, 500 + SEGMENT);
	assert_int_equal(tcp_ranges_lost_end(b.cb), b.cb->snd_una);
	report(&b, 100, 101);
	assert_int_equal(tcp_ranges_lost_end(b.cb), b.start + 100);
	report(&b, 1000, 1000 + 2 * SEGMENT + 1);
	assert_int_equal(tcp_ranges_lost_end(b.cb), b.start + 1000);
	end(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    pair_test(reports_in_any_order_give_the_ranges_they_cover),
	    pair_test(the_count_of_lost_bytes_follows_reports_acknowledgements_and_what_is_sent),
	    pair_test(a_window_full_of_holes_takes_a_large_set_and_gives_it_back),
	    pair_test(without_a_large_set_what_does_not_fit_is_not_remembered),
	    pair_test(blocks_that_cannot_be_are_skipped),
	    pair_test(bytes_before_three_ranges_or_more_than_two_segments_are_lost),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
