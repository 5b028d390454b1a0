/* Losses on a wire between two stacks. What a single loss does, segment by segment, is in
 * tests/scripts.
 *
 * SPDX-License-Identifier: MIT
 */
#include "inet/tcp_recovery.h"
#include "inet/tcp_pair_test.h"
#include "inet/tcp_ranges.h"
#include "inet/tcp_segment.h"
#include "inet/tcp_table.h"

enum { DELAY_NS = 1000000 };

/* Of the segments that side 0 sends for the first time, numbered from 1, these are lost. */
struct losses {
	uint32_t first, last, every;
	uint32_t count, top; /* so far: how many, and the highest sequence number among them */
};

static bool lose_every_nth(struct pair *p, int from, const uint8_t *l4, uint32_t l4_len)
{
	struct losses *l = p->lose_arg;
	uint32_t seq = get_be32(l4 + 4);

	if (from != 0 || l4_len <= (uint32_t)(l4[12] >> 4) * 4)
		return false;
	if (l->count > 0 && seq_leq(seq, l->top))
		return false;
	l->top = seq;
	l->count++;
	return l->count >= l->first && l->count <= l->last && l->count % l->every == 0;
}

static const struct stack_stats *sender(struct pair *p)
{
	return stack_stats(p->side[0].s);
}

static void half_of_a_window_that_is_lost_is_sent_again_without_a_timeout(void **state)
{
	struct pair *p = *state;
	struct losses l = {.first = 3000, .last = 3160, .every = 2};

	p->delay_ns = DELAY_NS;
	pair_connect(p);
	p->lose = lose_every_nth;
	p->lose_arg = &l;
	pair_transfer(p, 0, 8000000);
	assert_int_equal(sender(p)->tcp_timeouts, 0);
	assert_true(sender(p)->tcp_retransmitted >= 80);
	/* A segment that is sent in vain, here and there, is no fault; each second one would be. */
	assert_true(sender(p)->tcp_retransmitted < 120);
	assert_int_equal(stack_stats(p->side[1].s)->tcp_out_of_order_dropped, 0);
}

static void a_peer_without_sack_is_sent_each_lost_segment_once(void **state)
{
	struct pair *p = *state;
	struct losses l = {.first = 200, .last = 240, .every = 4};

	p->delay_ns = DELAY_NS;
	pair_connect(p);
	pair_cb(p, 0)->sack = pair_cb(p, 1)->sack = false;
	p->lose = lose_every_nth;
	p->lose_arg = &l;
	pair_transfer(p, 0, 1000000);
	assert_int_equal(sender(p)->tcp_timeouts, 0);
	assert_true(sender(p)->tcp_retransmitted < 16);
}

/* Side 0 sends 10 segments in one burst, some of which are lost; time passes until side 1 has
 * answered, and no further. */
static void send_burst(struct pair *p, struct losses *l)
{
	p->lose = lose_every_nth;
	p->lose_arg = l;
	for (int i = 0; i < 10; i++)
		assert_int_equal(
		    pair_send(p, 0, (uint64_t)i * pair_cb(p, 0)->mss, pair_cb(p, 0)->mss),
		    pair_cb(p, 0)->mss);
	p->side[1].ack_frames = 0;
	pair_pass_ms(p, 1);
	p->lose = NULL;
}

static void each_segment_of_a_burst_out_of_order_brings_a_duplicate_acknowledgement(void **state)
{
	struct pair *p = *state;
	struct losses l = {.first = 1, .last = 1, .every = 1};

	p->delay_ns = DELAY_NS;
	pair_connect(p);
	pair_cb(p, 0)->sack = pair_cb(p, 1)->sack = false;
	send_burst(p, &l);
	pair_pass_ms(p, 1);
	assert_int_equal(p->side[1].ack_frames, 9);
	assert_int_equal(sender(p)->tcp_fast_recoveries, 1);
	pair_pass_ms(p, 100);
	assert_int_equal(pair_recv(p, 1, 0), 10 * pair_cb(p, 0)->mss);
	assert_int_equal(sender(p)->tcp_retransmitted, 1);
}

/* RFC 9293 3.10.7.4, MUST-59: what has come is all processed before an acknowledgement goes. */
static void a_burst_in_order_brings_one_acknowledgement(void **state)
{
	struct pair *p = *state;
	struct losses none = {.first = 1, .last = 0, .every = 1};

	p->delay_ns = DELAY_NS;
	pair_connect(p);
	send_burst(p, &none);
	pair_pass_ms(p, 1);
	assert_int_equal(p->side[1].ack_frames, 1);
	assert_int_equal(pair_cb(p, 1)->last_ack_sent, pair_cb(p, 0)->snd_nxt);
	assert_int_equal(pair_recv(p, 1, 0), 10 * pair_cb(p, 0)->mss);
}

static void all_that_came_out_of_order_in_one_burst_is_told(void **state)
{
	struct pair *p = *state;
	struct losses l = {.first = 1, .last = 10, .every = 2};

	p->delay_ns = DELAY_NS;
	pair_connect(p);
	send_burst(p, &l);
	pair_pass_ms(p, 1);
	assert_int_equal(pair_cb(p, 0)->sacked->count, 4);
	/* Four blocks, of which three fit beside the timestamps. */
	assert_int_equal(p->side[1].ack_frames, 2);
	pair_pass_ms(p, 100);
	assert_int_equal(pair_recv(p, 1, 0), 10 * pair_cb(p, 0)->mss);
	assert_int_equal(sender(p)->tcp_timeouts, 0);
}

/* As if other connections had all the sets that remember what was reported to side 0. */
static void take_sets(struct pair *p, void *taken[TCP_RANGE_SETS_MIN])
{
	struct tcp_slab *sets = &p->side[0].s->tcp->ranges[TCP_SET_SMALL].slab;

	assert_int_equal(sets->count, TCP_RANGE_SETS_MIN);
	for (uint32_t i = 0; i < TCP_RANGE_SETS_MIN; i++) {
		taken[i] = tcp_slab_get(sets);
		assert_non_null(taken[i]);
	}
}

static void give_sets_back(struct pair *p, void *taken[TCP_RANGE_SETS_MIN])
{
	for (uint32_t i = 0; i < TCP_RANGE_SETS_MIN; i++)
		tcp_slab_put(&p->side[0].s->tcp->ranges[TCP_SET_SMALL].slab, taken[i]);
}

/* One after the other, from segment `first` of the stream on. */
static void send_segments(struct pair *p, uint64_t first, uint32_t n)
{
	uint32_t mss = pair_cb(p, 0)->mss;

	for (uint64_t i = first; i < first + n; i++) {
		assert_int_equal(pair_send(p, 0, i * mss, mss), mss);
		pair_run(p);
	}
	assert_int_equal(pair_recv(p, 1, first * mss), n * mss);
}

static void without_a_set_of_ranges_each_loss_of_a_window_is_noticed_all_the_same(void **state)
{
	struct pair *p = *state;
	struct losses l = {.first = 2, .last = 6, .every = 2};
	void *taken[TCP_RANGE_SETS_MIN];

	p->side[0].cfg.max_tcp = 16;
	pair_restart(p);
	pair_connect(p);
	take_sets(p, taken);
	p->lose = lose_every_nth;
	p->lose_arg = &l;
	send_segments(p, 0, 9);
	assert_int_equal(sender(p)->tcp_fast_recoveries, 1);
	assert_int_equal(sender(p)->tcp_retransmitted, 3);
	assert_int_equal(sender(p)->tcp_timeouts, 0);
	assert_int_equal(pair_cb(p, 0)->rare, 0);
	give_sets_back(p, taken);
}

static void a_set_of_ranges_that_comes_free_is_used_for_the_next_loss(void **state)
{
	struct pair *p = *state;
	struct losses l = {.first = 1, .last = 1, .every = 1}, next = l;
	void *taken[TCP_RANGE_SETS_MIN];

	p->side[0].cfg.max_tcp = 16;
	pair_restart(p);
	pair_connect(p);
	take_sets(p, taken);
	p->lose = lose_every_nth;
	p->lose_arg = &l;
	send_segments(p, 0, 5);
	assert_int_equal(sender(p)->tcp_fast_recoveries, 1);
	give_sets_back(p, taken);
	p->lose_arg = &next;
	pair_send(p, 0, 5 * (uint64_t)pair_cb(p, 0)->mss, 2 * pair_cb(p, 0)->mss);
	pair_run(p);
	pair_pass_ms(p, 100);
	assert_int_equal(sender(p)->tcp_fast_recoveries, 2);
	pair_recv(p, 1, 5 * (uint64_t)pair_cb(p, 0)->mss);
}

/* As when a set that was held for long gives way. */
static void a_scoreboard_that_is_taken_away_costs_no_time_out(void **state)
{
	struct pair *p = *state;
	struct losses l = {.first = 2, .last = 6, .every = 2};

	pair_connect(p);
	p->lose = lose_every_nth;
	p->lose_arg = &l;
	for (uint64_t i = 0; i < 8; i++) {
		uint32_t mss = pair_cb(p, 0)->mss;

		if (i == 5)
			tcp_ranges_clear(pair_cb(p, 0));
		assert_int_equal(pair_send(p, 0, i * mss, mss), mss);
		pair_run(p);
	}
	assert_int_equal(pair_recv(p, 1, 0), 8 * pair_cb(p, 0)->mss);
	assert_int_equal(sender(p)->tcp_timeouts, 0);
}

static uint32_t lost_by_log(const struct tcp_cb *cb)
{
	const struct tcp_sent *t = cb->sent;
	uint32_t lost = 0;

	for (uint32_t i = tcp_sent_find(t, cb->snd_una); i < tcp_sent_last(t); i++) {
		uint32_t start = tcp_sent_start(cb, t, i), end = t->run[i].end;

		if (t->run[i].lost)
			lost += end - start - tcp_ranges_overlap(cb, start, end);
	}
	return lost;
}

static void check_lost(const struct tcp_cb *cb)
{
	uint32_t lost = 0;

	if (cb->recovery == TCP_OPEN)
		return;
	if (cb->sent != NULL)
		lost = lost_by_log(cb);
	else if (seq_lt(cb->rtx_next, cb->lost_end))
		lost = cb->lost_end - cb->rtx_next -
		       tcp_ranges_overlap(cb, cb->rtx_next, cb->lost_end);
	assert_int_equal(cb->lost_bytes, lost);
}

static bool lose_some(struct pair *p)
{
	uint64_t *x = p->lose_arg;

	*x ^= *x << 13;
	*x ^= *x >> 7;
	*x ^= *x << 17;
	return *x % 100 < p->lose_count;
}

/* The counts are those that the scoreboard gives, and the window is kept but by what is sent again
 * first; after a time-out what was sent lately is still on its way. */
static bool lose_and_check(struct pair *p, int from, const uint8_t *l4, uint32_t l4_len)
{
	const struct tcp_cb *cb = pair_cb(p, 0);

	(void)l4;
	check_lost(cb);
	if (from == 0 && l4_len > 1000 && cb->snd_nxt != cb->snd_una &&
	    cb->recovery != TCP_LOSS_RECOVERY)
		assert_true(tcp_pipe(cb) <= cb->cwnd + 2 * cb->mss);
	return lose_some(p);
}

static void the_pipe_is_what_the_scoreboard_says_and_stays_within_the_window(void **state)
{
	struct pair *p = *state;
	uint64_t seed = 11;

	p->delay_ns = DELAY_NS;
	pair_connect(p);
	p->lose = lose_and_check;
	p->lose_arg = &seed;
	for (p->lose_count = 1; p->lose_count <= 25; p->lose_count += 6)
		pair_transfer(p, 0, 1000000);
}

static bool lose_and_forget(struct pair *p, int from, const uint8_t *l4, uint32_t l4_len)
{
	(void)from;
	(void)l4;
	(void)l4_len;
	if (*(uint64_t *)p->lose_arg % 7 == 0)
		tcp_ranges_clear(pair_cb(p, 0));
	check_lost(pair_cb(p, 0));
	return lose_some(p);
}

static void scoreboards_that_are_taken_away_confuse_nothing(void **state)
{
	struct pair *p = *state;
	uint64_t seed = 12;

	p->delay_ns = DELAY_NS;
	pair_connect(p);
	p->lose = lose_and_forget;
	p->lose_arg = &seed;
	p->lose_count = 5;
	pair_transfer(p, 0, 1000000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    pair_test(half_of_a_window_that_is_lost_is_sent_again_without_a_timeout),
	    pair_test(a_peer_without_sack_is_sent_each_lost_segment_once),
	    pair_test(each_segment_of_a_burst_out_of_order_brings_a_duplicate_acknowledgement),
	    pair_test(a_burst_in_order_brings_one_acknowledgement),
	    pair_test(all_that_came_out_of_order_in_one_burst_is_told),
	    pair_test(without_a_set_of_ranges_each_loss_of_a_window_is_noticed_all_the_same),
	    pair_test(a_set_of_ranges_that_comes_free_is_used_for_the_next_loss),
	    pair_test(a_scoreboard_that_is_taken_away_costs_no_time_out),
	    pair_test(scoreboards_that_are_taken_away_confuse_nothing),
	    pair_test(the_pipe_is_what_the_scoreboard_says_and_stays_within_the_window),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
