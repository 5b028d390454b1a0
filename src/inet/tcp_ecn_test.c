/* ECN between two stacks: what is agreed on, and what DCTCP makes of marks. Segment by segment it
 * is in tests/scripts.
 *
 * SPDX-License-Identifier: MIT
 */
#include "inet/tcp_ecn.h"
#include "inet/tcp_pair_test.h"

static void connect_with(struct pair *p, enum stack_ecn client, enum stack_ecn server)
{
	p->side[0].cfg.ecn = client;
	p->side[1].cfg.ecn = server;
	pair_restart(p);
	pair_connect(p);
}

static void both_sides_must_want_it(void **state)
{
	struct pair *p = *state;
	static const enum stack_ecn modes[] = {STACK_ECN_OFF, STACK_ECN_PASSIVE, STACK_ECN_ON};

	for (int client = 0; client < 3; client++) {
		for (int server = 0; server < 3; server++) {
			bool agreed =
			    modes[client] == STACK_ECN_ON && modes[server] != STACK_ECN_OFF;

			connect_with(p, modes[client], modes[server]);
			assert_int_equal(pair_cb(p, 0)->ecn, agreed);
			assert_int_equal(pair_cb(p, 1)->ecn, agreed);
			pair_transfer(p, 0, 100000);
			pair_transfer(p, 1, 100000);
		}
	}
}

static void none_takes_the_whole_window_at_once(void **state)
{
	struct pair *p = *state;

	p->side[0].cfg.congestion = "none";
	pair_restart(p);
	p->delay_ns = 1000000;
	pair_connect(p);
	for (uint64_t i = 0; i < 20; i++)
		assert_int_equal(pair_send(p, 0, i * 3000, 3000), 3000);
	pair_run(p);
	assert_int_equal(tcp_flight(pair_cb(p, 0)), 60000);
	pair_pass_ms(p, 10);
	assert_int_equal(pair_recv(p, 1, 0), 60000);
}

static bool lose_a_tenth(struct pair *p, int from, const uint8_t *l4, uint32_t l4_len)
{
	(void)l4;
	(void)l4_len;
	return from == 0 && ++p->lose_count % 10 == 0;
}

static void none_sends_again_what_is_lost(void **state)
{
	struct pair *p = *state;

	p->side[0].cfg.congestion = "none";
	pair_restart(p);
	p->delay_ns = 1000000;
	pair_connect(p);
	p->lose = lose_a_tenth;
	pair_transfer(p, 0, 1000000);
	assert_int_equal(pair_cb(p, 0)->ssthresh, TCP_CWND_MAX_BYTES);
}

/* So many windows of `segments` are acknowledged, `marked` of each with an echo, while as much is
 * outstanding. */
static void acknowledge_windows(struct tcp_cb *cb, uint32_t windows, uint32_t segments,
				uint32_t marked)
{
	for (uint32_t i = 0; i < windows * segments; i++) {
		cb->snd_una += cb->mss;
		cb->snd_nxt = cb->snd_una + segments * cb->mss;
		tcp_dctcp.counted(cb, cb->mss, i % segments < marked);
	}
}

static uint32_t reduced(struct tcp_cb *cb)
{
	cb->cwnd = 1000 * cb->mss;
	tcp_dctcp.marked(cb, cb->cwnd);
	return cb->ssthresh / cb->mss;
}

static void dctcp_gives_way_in_proportion_to_what_is_marked(void **state)
{
	struct tcp_cb cb = {.mss = 1000};

	(void)state;
	tcp_dctcp.init(&cb);
	acknowledge_windows(&cb, 1, 10, 10);
	assert_int_equal(reduced(&cb), 500); /* alpha begins with 1: RFC 8257 3.3 */
	acknowledge_windows(&cb, 200, 10, 0);
	assert_in_range(reduced(&cb), 998, 1000);
	acknowledge_windows(&cb, 200, 10, 2);
	assert_in_range(reduced(&cb), 895, 905); /* a fifth is marked: a tenth goes */
	acknowledge_windows(&cb, 200, 10, 10);
	assert_in_range(reduced(&cb), 495, 505);
}

/* RFC 8257 4.2: alpha is never above 1, from wherever it comes there. Just half of the window goes
 * where it is 1. */
static void dctcp_gives_up_half_of_its_window_at_most(void **state)
{
	struct tcp_cb cb = {.mss = 1000};

	(void)state;
	tcp_dctcp.init(&cb);
	for (uint32_t quiet = 0; quiet < 40; quiet++) {
		acknowledge_windows(&cb, quiet, 7, 0);
		for (uint32_t i = 0; i < 400; i++) {
			acknowledge_windows(&cb, 1, 7, 7);
			reduced(&cb);
			assert_in_range(cb.ssthresh, 500000, 1000000);
		}
		assert_in_range(cb.ssthresh, 500000, 500100);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    pair_test(both_sides_must_want_it),
	    pair_test(none_takes_the_whole_window_at_once),
	    pair_test(none_sends_again_what_is_lost),
	    cmocka_unit_test(dctcp_gives_way_in_proportion_to_what_is_marked),
	    cmocka_unit_test(dctcp_gives_up_half_of_its_window_at_most),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
