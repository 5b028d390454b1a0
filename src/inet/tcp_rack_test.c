/* RACK and its log on a wire between two stacks. What it does segment by segment is in
 * tests/scripts.
 *
 * SPDX-License-Identifier: MIT
 */
#include "inet/tcp_rack.h"
#include "inet/tcp_pair_test.h"
#include "inet/tcp_segment.h"

enum { DELAY_NS = 1000000 };

static const struct stack_stats *sender(struct pair *p)
{
	return stack_stats(p->side[0].s);
}

static uint32_t logs(struct pair *p)
{
	const struct tcp_table *t = p->side[0].s->tcp;

	return t->sent[TCP_SET_SMALL].slab.used + t->sent[TCP_SET_LARGE].slab.used;
}

static void a_request_and_its_reply_need_no_log(void **state)
{
	struct pair *p = *state;

	p->delay_ns = DELAY_NS;
	pair_connect(p);
	for (uint64_t i = 0; i < 10; i++) {
		pair_send(p, 0, i * 100, 100);
		pair_run(p);
		assert_int_equal(logs(p), 0);
		pair_pass_ms(p, 5);
		assert_int_equal(pair_recv(p, 1, i * 100), 100);
	}
	assert_int_equal(p->side[0].s->tcp->sent[TCP_SET_SMALL].slab.touched, 0);
}

static void a_flight_has_a_log_until_all_of_it_is_acknowledged(void **state)
{
	struct pair *p = *state;

	p->delay_ns = DELAY_NS;
	pair_connect(p);
	pair_send(p, 0, 0, 4000);
	pair_run(p);
	assert_int_equal(logs(p), 1);
	pair_pass_ms(p, 50);
	assert_int_equal(logs(p), 0);
	assert_int_equal(pair_recv(p, 1, 0), 4000);
}

/* A window of thousands of segments is a few dozen runs. */
static void a_large_window_without_losses_fits_a_small_log(void **state)
{
	struct pair *p = *state;

	p->delay_ns = DELAY_NS;
	pair_connect(p);
	p->delay_ns = 10 * DELAY_NS;
	pair_transfer(p, 0, 20000000);
	assert_int_equal(p->side[0].s->tcp->sent[TCP_SET_LARGE].slab.touched, 0);
}

/* Loses what side 0 sends when the sequence number is that of `at`, so often. */
struct stubborn {
	uint32_t at, times, seen;
};

static bool lose_again_and_again(struct pair *p, int from, const uint8_t *l4, uint32_t l4_len)
{
	struct stubborn *s = p->lose_arg;

	(void)l4_len;
	return from == 0 && get_be32(l4 + 4) == s->at && s->seen++ < s->times;
}

static void a_retransmission_that_is_lost_again_and_again_costs_no_time_out(void **state)
{
	struct pair *p = *state;
	struct stubborn s = {.times = 4};

	p->delay_ns = DELAY_NS;
	pair_connect(p);
	p->delay_ns = 10 * DELAY_NS;
	s.at = pair_cb(p, 0)->snd_nxt + 300 * pair_cb(p, 0)->mss;
	p->lose = lose_again_and_again;
	p->lose_arg = &s;
	pair_transfer(p, 0, 4000000);
	assert_int_equal(s.seen, 5);
	assert_int_equal(sender(p)->tcp_timeouts, 0);
	assert_int_equal(sender(p)->tcp_retransmitted, 4);
}

/* Loses each twentieth segment of those that begin in [from, until), and its first repetition. */
struct sieve {
	uint32_t from, until, mss;
	uint8_t seen[1000];
};

static bool lose_twice_each(struct pair *p, int from, const uint8_t *l4, uint32_t l4_len)
{
	struct sieve *s = p->lose_arg;
	uint32_t at = get_be32(l4 + 4) - s->from, i = at / s->mss;

	if (from != 0 || l4_len <= (uint32_t)(l4[12] >> 4) * 4 || at >= s->until - s->from)
		return false;
	return i % 20 == 0 && s->seen[i]++ < 2;
}

/* RFC 5681 4.3: the loss of a retransmission is a second indication of congestion. All of those
 * that one reduction has let out are one. */
static void retransmissions_that_are_lost_together_cost_window_once(void **state)
{
	struct pair *p = *state;
	struct sieve s = {0};

	p->delay_ns = DELAY_NS;
	pair_connect(p);
	p->delay_ns = 10 * DELAY_NS;
	s.mss = pair_cb(p, 0)->mss;
	s.from = pair_cb(p, 0)->snd_nxt + 400 * s.mss;
	s.until = s.from + 200 * s.mss;
	p->lose = lose_twice_each;
	p->lose_arg = &s;
	pair_transfer(p, 0, 4000000);
	assert_int_equal(sender(p)->tcp_timeouts, 0);
	assert_true(sender(p)->tcp_retransmitted >= 2 * 9);
	assert_int_equal(sender(p)->tcp_fast_recoveries, 2);
}

static bool lose_some(struct pair *p)
{
	uint64_t *x = p->lose_arg;

	*x ^= *x << 13;
	*x ^= *x >> 7;
	*x ^= *x << 17;
	return *x % 100 < p->lose_count;
}

static bool lose_and_take_the_log(struct pair *p, int from, const uint8_t *l4, uint32_t l4_len)
{
	(void)from;
	(void)l4;
	(void)l4_len;
	if (*(uint64_t *)p->lose_arg % 7 == 0 && pair_cb(p, 0)->sent != NULL)
		tcp_sent_give_up(pair_cb(p, 0));
	return lose_some(p);
}

static void logs_that_are_taken_away_confuse_nothing(void **state)
{
	struct pair *p = *state;
	uint64_t seed = 17;

	p->delay_ns = DELAY_NS;
	pair_connect(p);
	p->lose = lose_and_take_the_log;
	p->lose_arg = &seed;
	p->lose_count = 5;
	pair_transfer(p, 0, 2000000);
	p->lose = NULL;
	pair_pass_ms(p, 2000);
	assert_int_equal(logs(p), 0);
}

static void without_a_log_it_is_counted_what_was_reported(void **state)
{
	struct pair *p = *state;
	struct tcp_slab *slab;
	struct stubborn s = {.times = 1};
	void *taken[TCP_RANGE_SETS_MIN];

	p->side[0].cfg.max_tcp = 16;
	pair_restart(p);
	p->delay_ns = DELAY_NS;
	pair_connect(p);
	slab = &p->side[0].s->tcp->sent[TCP_SET_SMALL].slab;
	assert_int_equal(slab->count, TCP_RANGE_SETS_MIN);
	for (uint32_t i = 0; i < TCP_RANGE_SETS_MIN; i++)
		taken[i] = tcp_slab_get(slab);
	s.at = pair_cb(p, 0)->snd_nxt + 100 * pair_cb(p, 0)->mss;
	p->lose = lose_again_and_again;
	p->lose_arg = &s;
	pair_transfer(p, 0, 1000000);
	for (uint32_t i = 0; i < TCP_RANGE_SETS_MIN; i++)
		tcp_slab_put(slab, taken[i]);
	assert_int_equal(sender(p)->tcp_timeouts, 0);
	assert_int_equal(sender(p)->tcp_fast_recoveries, 1);
	assert_int_equal(sender(p)->tcp_retransmitted, 1);
}

/* Each hole of a window is a run of its own, and then each sending of it. */
static bool lose_much(struct pair *p, int from, const uint8_t *l4, uint32_t l4_len)
{
	return from == 0 && l4_len > (uint32_t)(l4[12] >> 4) * 4 && lose_some(p);
}

static void a_window_full_of_holes_needs_a_large_log_for_a_while(void **state)
{
	struct pair *p = *state;
	uint64_t seed = 23;

	p->delay_ns = DELAY_NS;
	pair_connect(p);
	p->delay_ns = 5 * DELAY_NS;
	pair_transfer(p, 0, 2000000);
	p->lose = lose_much;
	p->lose_arg = &seed;
	p->lose_count = 40;
	pair_transfer(p, 0, 1000000);
	assert_true(p->side[0].s->tcp->sent[TCP_SET_LARGE].slab.touched > 0);
	p->lose = NULL;
	pair_pass_ms(p, 2000);
	assert_int_equal(logs(p), 0);
}

/* How long the reordering timer waits beyond the round trip for what was sent just now. */
static uint64_t reordering_window_ns(struct tcp_cb *cb, uint8_t mult)
{
	uint64_t now_ns = cb->sock.stack->now_ns;

	cb->reo_wnd_mult = mult;
	assert_false(tcp_rack_look(cb).any);
	assert_true(cb->rack_deadline_ns != UINT64_MAX);
	return cb->rack_deadline_ns - now_ns - ((uint64_t)cb->sent->rack_rtt << TCP_FINE_SHIFT);
}

/* RFC 8985 3.3.2, 6.2: the window grows with each sign of needless retransmissions, up to SRTT. */
static void the_reordering_window_is_a_round_trip_at_most(void **state)
{
	struct pair *p = *state;
	const uint64_t tick_ns = UINT64_C(1) << TCP_FINE_SHIFT;
	struct tcp_cb *cb;

	p->delay_ns = DELAY_NS;
	pair_connect(p);
	p->delay_ns = 10 * DELAY_NS;
	cb = pair_cb(p, 0);
	pair_send(p, 0, 0, 4000);
	pair_run(p);
	cb->srtt_ns = 20 * DELAY_NS;
	cb->min_rtt = tcp_ns_to_fine(20 * DELAY_NS);
	cb->reordering_seen = cb->sent->rack_valid = true;
	cb->sent->rack_sent = cb->sent->run[tcp_sent_last(cb->sent) - 1].sent;
	cb->sent->rack_end = cb->snd_nxt;
	cb->sent->rack_rtt = tcp_ns_to_fine(20 * DELAY_NS);
	assert_in_range(reordering_window_ns(cb, 0), 5 * DELAY_NS - 2 * tick_ns,
			5 * DELAY_NS + 2 * tick_ns);
	assert_in_range(reordering_window_ns(cb, 1), 10 * DELAY_NS - 2 * tick_ns,
			10 * DELAY_NS + 2 * tick_ns);
	for (unsigned mult = 4; mult <= UINT8_MAX; mult++)
		assert_in_range(reordering_window_ns(cb, (uint8_t)mult),
				20 * DELAY_NS - 2 * tick_ns, 20 * DELAY_NS + 2 * tick_ns);
	cb->reo_wnd_mult = 0;
	pair_pass_ms(p, 100);
	assert_int_equal(pair_recv(p, 1, 0), 4000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    pair_test(a_request_and_its_reply_need_no_log),
	    pair_test(a_flight_has_a_log_until_all_of_it_is_acknowledged),
	    pair_test(a_large_window_without_losses_fits_a_small_log),
	    pair_test(a_retransmission_that_is_lost_again_and_again_costs_no_time_out),
	    pair_test(retransmissions_that_are_lost_together_cost_window_once),
	    pair_test(logs_that_are_taken_away_confuse_nothing),
	    pair_test(without_a_log_it_is_counted_what_was_reported),
	    pair_test(a_window_full_of_holes_needs_a_large_log_for_a_while),
	    pair_test(the_reordering_window_is_a_round_trip_at_most),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
