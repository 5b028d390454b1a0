/* The search for a path's MTU between two stacks, over a wire that drops what is too large without
 * a word. What is sent segment by segment is in tests/scripts.
 *
 * SPDX-License-Identifier: MIT
 */
#include "inet/tcp_mtu.h"
#include "inet/tcp_pair_test.h"
#include "inet/tcp_segment.h"
#include <linux/tcp.h>
#include <netinet/in.h>
#include <sys/socket.h>

enum { DELAY_NS = 5000000, HEADERS_BYTES = 52, IP_BYTES = 20, FULL = 1500, HOLE = 1400 };

static const struct stack_stats *sender(struct pair *p)
{
	return stack_stats(p->side[0].s);
}

static uint32_t mtu_of(struct pair *p)
{
	return pair_cb(p, 0)->mss + HEADERS_BYTES;
}

/* Drops what side 0 sends in packets of more than *lose_arg bytes. */
static bool lose_large(struct pair *p, int from, const uint8_t *l4, uint32_t l4_len)
{
	(void)l4;
	return from == 0 && IP_BYTES + l4_len > *(const uint32_t *)p->lose_arg;
}

static void connect_with(struct pair *p, uint8_t probing, uint32_t *path)
{
	p->side[0].cfg.mtu_probing = probing;
	pair_restart(p);
	pair_connect(p);
	p->delay_ns = DELAY_NS;
	p->lose = lose_large;
	p->lose_arg = path;
}

/* Is a size to be probed, soon? */
static bool is_searching(struct pair *p)
{
	const struct tcp_cb *cb = pair_cb(p, 0);

	return cb->mtu_limited && (cb->mtu_search || cb->mss_deadline_ns < p->now_ns + TCP_S(300));
}

/* Sends until nothing is left to be searched. */
static void search(struct pair *p)
{
	for (int rounds = 0; is_searching(p); rounds++) {
		assert_true(rounds < 10000);
		pair_transfer(p, 0, 100000);
		pair_pass_ms(p, 100);
	}
}

static void a_black_hole_is_got_round_and_its_size_found(void **state)
{
	struct pair *p = *state;
	uint32_t path = HOLE;

	connect_with(p, STACK_MTU_BLACK_HOLE, &path);
	pair_transfer(p, 0, 100000);
	assert_int_equal(sender(p)->tcp_mtu_black_holes, 1);
	assert_true(mtu_of(p) >= TCP_MTU_BASE_BYTES && mtu_of(p) <= HOLE);
	search(p);
	assert_int_equal(mtu_of(p), HOLE);
	assert_int_equal(sender(p)->tcp_mtu_black_holes, 1);
	assert_false(pair_cb(p, 0)->mtu_search);
}

/* RFC 4821 7.6.2. The window only grows meanwhile, and nothing waits for a time-out. */
static void probes_that_are_lost_alone_cost_no_window(void **state)
{
	struct pair *p = *state;
	uint32_t path = HOLE, cwnd = 0;

	connect_with(p, STACK_MTU_ALWAYS, &path);
	while (is_searching(p)) {
		pair_transfer(p, 0, 100000);
		assert_true(pair_cb(p, 0)->cwnd >= cwnd);
		cwnd = pair_cb(p, 0)->cwnd;
	}
	assert_int_equal(mtu_of(p), HOLE);
	assert_true(sender(p)->tcp_mtu_probes_lost >= 2 * TCP_MTU_TRIES);
	assert_int_equal(sender(p)->tcp_timeouts, 0);
	assert_int_equal(sender(p)->tcp_fast_recoveries, 0);
}

static void without_probing_a_black_hole_swallows_all(void **state)
{
	struct pair *p = *state;
	uint32_t path = HOLE;

	connect_with(p, STACK_MTU_OFF, &path);
	assert_true(pair_send(p, 0, 0, 3000) > 0);
	pair_pass_ms(p, 60000);
	assert_int_equal(sender(p)->tcp_mtu_probes, 0);
	assert_int_equal(mtu_of(p), FULL);
	assert_int_equal(pair_recv(p, 1, 0), 0);
	p->lose = NULL;
	pair_pass_ms(p, 60000);
	assert_int_equal(pair_recv(p, 1, 0), 3000);
}

static void where_it_always_probes_a_wide_path_is_soon_used_whole(void **state)
{
	struct pair *p = *state;
	uint32_t path = FULL;

	connect_with(p, STACK_MTU_ALWAYS, &path);
	assert_int_equal(mtu_of(p), TCP_MTU_BASE_BYTES);
	pair_transfer(p, 0, 20000);
	assert_int_equal(mtu_of(p), FULL);
	assert_int_equal(sender(p)->tcp_mtu_probes, 1);
	assert_int_equal(sender(p)->tcp_mtu_raised, 1);
	assert_int_equal(sender(p)->tcp_retransmitted, 0);
	assert_false(pair_cb(p, 0)->mtu_limited);
}

static void a_path_that_became_wider_is_found_out_after_ten_minutes(void **state)
{
	struct pair *p = *state;
	uint32_t path = HOLE;

	connect_with(p, STACK_MTU_ALWAYS, &path);
	search(p);
	assert_int_equal(mtu_of(p), HOLE);
	path = FULL;
	pair_transfer(p, 0, 1000000);
	assert_int_equal(mtu_of(p), HOLE);
	pair_pass_ms(p, 601000);
	pair_transfer(p, 0, 1000000);
	assert_int_equal(mtu_of(p), FULL);
	assert_int_equal(sender(p)->tcp_mtu_black_holes, 0);
}

static void a_path_that_became_narrower_is_found_out_by_time_outs(void **state)
{
	struct pair *p = *state;
	uint32_t path = HOLE;

	connect_with(p, STACK_MTU_ALWAYS, &path);
	search(p);
	assert_int_equal(mtu_of(p), HOLE);
	path = 1280;
	pair_transfer(p, 0, 100000);
	assert_int_equal(sender(p)->tcp_mtu_black_holes, 1);
	search(p);
	assert_int_equal(mtu_of(p), 1280);
	path = 700;
	pair_transfer(p, 0, 100000);
	assert_int_equal(sender(p)->tcp_mtu_black_holes, 3); /* 1024, 552 */
	search(p);
	assert_in_range(mtu_of(p), 685, 700);
}

/* RFC 4821 5.2. */
static void others_of_the_path_begin_with_what_was_found(void **state)
{
	struct pair *p = *state;
	uint32_t path = HOLE;

	connect_with(p, STACK_MTU_BLACK_HOLE, &path);
	pair_transfer(p, 0, 100000);
	search(p);
	assert_int_equal(mtu_of(p), HOLE);
	assert_int_equal(sender(p)->pmtu_probed, 1);
	stack_close(p->side[0].sock, p->now_ns);
	stack_close(p->side[1].sock, p->now_ns);
	pair_pass_ms(p, 100);
	p->delay_ns = 0;
	pair_connect(p);
	p->delay_ns = DELAY_NS;
	assert_int_equal(mtu_of(p), HOLE);
	pair_transfer(p, 0, 1000000);
	assert_int_equal(mtu_of(p), HOLE);
	assert_int_equal(sender(p)->tcp_mtu_black_holes, 1);
}

/* The commonest reason for a series of time-outs. */
static void after_an_outage_segments_are_soon_as_large_as_before(void **state)
{
	struct pair *p = *state;
	uint32_t path = FULL;

	connect_with(p, STACK_MTU_BLACK_HOLE, &path);
	pair_transfer(p, 0, 1000000);
	path = 0;
	for (uint32_t i = 0; i < 5; i++)
		assert_int_equal(pair_send(p, 0, 1000000 + i * 4000, 4000), 4000);
	pair_pass_ms(p, 10000);
	assert_true(sender(p)->tcp_mtu_black_holes > 0);
	assert_true(mtu_of(p) <= TCP_MTU_BASE_BYTES);
	path = FULL;
	pair_pass_ms(p, 15000);
	assert_int_equal(pair_recv(p, 1, 1000000), 20000);
	pair_transfer(p, 0, 20000);
	assert_int_equal(mtu_of(p), FULL);
	assert_int_equal(sender(p)->tcp_mtu_probes_lost, 0);
}

static void small_segments_that_time_out_say_nothing_of_the_mtu(void **state)
{
	struct pair *p = *state;
	uint32_t path = FULL;

	connect_with(p, STACK_MTU_BLACK_HOLE, &path);
	path = 0;
	assert_true(pair_send(p, 0, 0, 500) > 0);
	pair_pass_ms(p, 30000);
	assert_true(sender(p)->tcp_timeouts > TCP_R1_RETRANSMISSIONS);
	assert_int_equal(sender(p)->tcp_mtu_black_holes, 0);
}

/* Nothing was ever sent that fills the first step. */
static void a_path_below_the_first_step_is_got_round_by_the_second(void **state)
{
	struct pair *p = *state;
	uint32_t path = 700;

	connect_with(p, STACK_MTU_BLACK_HOLE, &path);
	assert_int_equal(pair_send(p, 0, 0, 800), 800);
	pair_pass_ms(p, 10000);
	assert_int_equal(pair_recv(p, 1, 0), 800);
	assert_int_equal(sender(p)->tcp_mtu_black_holes, 1);
	assert_int_equal(mtu_of(p), PMTU_FLOOR_BYTES);
}

/* One message at a time, never a window full. */
static void messages_are_probes_enough(void **state)
{
	struct pair *p = *state;
	uint32_t path = FULL;

	connect_with(p, STACK_MTU_ALWAYS, &path);
	for (uint64_t i = 0; i < 3; i++) {
		assert_int_equal(pair_send(p, 0, i * 1300, 1300), 1300);
		pair_pass_ms(p, 50);
		assert_int_equal(pair_recv(p, 1, i * 1300), 1300);
	}
	assert_int_equal(mtu_of(p), 1300 + HEADERS_BYTES);
	assert_int_equal(p->side[0].data_frames, 3);
}

static void a_message_that_is_lost_as_a_probe_comes_in_small_segments(void **state)
{
	struct pair *p = *state;
	uint32_t path = 1200;

	connect_with(p, STACK_MTU_ALWAYS, &path);
	for (uint64_t i = 0; i < 10; i++) {
		assert_int_equal(pair_send(p, 0, i * 1300, 1300), 1300);
		pair_pass_ms(p, 600);
		assert_int_equal(pair_recv(p, 1, i * 1300), 1300);
	}
	assert_true(mtu_of(p) <= path);
	assert_true(sender(p)->tcp_mtu_probes_lost >= TCP_MTU_TRIES);
	assert_int_equal(sender(p)->tcp_mtu_black_holes, 0);
}

/* Chance has the first probe lost. */
static bool lose_one_large(struct pair *p, int from, const uint8_t *l4, uint32_t l4_len)
{
	(void)l4;
	return from == 0 && IP_BYTES + l4_len > TCP_MTU_BASE_BYTES && p->lose_count++ == 0;
}

static void one_lost_probe_is_no_proof(void **state)
{
	struct pair *p = *state;
	uint32_t path = FULL;

	connect_with(p, STACK_MTU_ALWAYS, &path);
	p->lose = lose_one_large;
	pair_transfer(p, 0, 1000000);
	assert_int_equal(sender(p)->tcp_mtu_probes_lost, 1);
	assert_int_equal(sender(p)->tcp_fast_recoveries, 0);
	assert_int_equal(mtu_of(p), FULL);
}

/* It, and the second behind it. */
static bool lose_two(struct pair *p, int from, const uint8_t *l4, uint32_t l4_len)
{
	(void)l4;
	if (from != 0 || (p->lose_count == 0 && IP_BYTES + l4_len <= TCP_MTU_BASE_BYTES))
		return false;
	p->lose_count++;
	return p->lose_count == 1 || p->lose_count == 3;
}

static void a_probe_that_is_lost_with_others_is_congestion(void **state)
{
	struct pair *p = *state;
	uint32_t path = FULL;

	connect_with(p, STACK_MTU_ALWAYS, &path);
	p->lose = lose_two;
	pair_transfer(p, 0, 1000000);
	assert_int_equal(sender(p)->tcp_fast_recoveries, 1);
	assert_int_equal(mtu_of(p), FULL);
}

/* Each is followed by as many round trips without a probe as the window has segments, or a minute:
 * losses that cost window are no further apart. */
static void probes_that_are_lost_are_far_apart(void **state)
{
	struct pair *p = *state;
	uint32_t path = HOLE, lost = 0;
	uint64_t again_ns = 0;

	connect_with(p, STACK_MTU_ALWAYS, &path);
	pair_cb(p, 0)->srtt_ns = UINT64_C(2) * DELAY_NS; /* the handshake took no time */
	while (is_searching(p)) {
		uint64_t round_trips = pair_cb(p, 0)->cwnd / pair_cb(p, 0)->mss;
		uint64_t before_ns = p->now_ns;

		pair_transfer(p, 0, 20000);
		if (sender(p)->tcp_mtu_probes_lost == lost)
			continue;
		assert_int_equal(sender(p)->tcp_mtu_probes_lost, ++lost);
		assert_true(p->now_ns >= again_ns);
		again_ns = round_trips * 2 * DELAY_NS;
		again_ns =
		    before_ns + (again_ns < TCP_MTU_PAUSE_MAX_NS ? again_ns : TCP_MTU_PAUSE_MAX_NS);
	}
	assert_true(lost >= 2 * TCP_MTU_TRIES);
}

/* RFC 4821 7.4. Loses one in fifty, and looks at each probe. */
static bool lose_some(struct pair *p, int from, const uint8_t *l4, uint32_t l4_len)
{
	const struct tcp_cb *cb = pair_cb(p, 0);

	if (from == 0 && l4_len + IP_BYTES > FULL - 4 && cb->mtu_limited) {
		assert_int_equal(cb->recovery, TCP_OPEN);
		assert_int_equal(cb->sacked_bytes, 0);
		assert_int_equal(get_be32(l4 + 4) + cb->mtu_probe_bytes, cb->mtu_probe_end);
	}
	return from == 0 && ++p->lose_count % 50 == 0;
}

static void a_probe_goes_while_nothing_else_is_lost_and_no_other_is_out(void **state)
{
	struct pair *p = *state;
	uint32_t path = FULL;

	connect_with(p, STACK_MTU_ALWAYS, &path);
	for (int i = 0; i < 20; i++) {
		path = HOLE - 20;
		p->lose = lose_large;
		p->lose_arg = &path;
		pair_transfer(p, 0, 200000);
		p->lose = lose_some;
		pair_transfer(p, 0, 200000);
	}
	assert_true(sender(p)->tcp_fast_recoveries > 10);
	assert_true(sender(p)->tcp_mtu_probes > 2);
}

/* Nothing would tell in time, and for certain, what of a flight is lost. */
static void for_a_peer_without_sack_nothing_is_probed(void **state)
{
	struct pair *p = *state;
	uint32_t path = FULL;

	connect_with(p, STACK_MTU_ALWAYS, &path);
	pair_cb(p, 0)->sack = false;
	pair_transfer(p, 0, 1000000);
	assert_int_equal(sender(p)->tcp_mtu_probes, 0);
	assert_int_equal(mtu_of(p), TCP_MTU_BASE_BYTES);
}

static void the_program_is_told_what_segments_may_be(void **state)
{
	struct pair *p = *state;
	uint32_t path = HOLE, len = sizeof(struct tcp_info);
	struct tcp_info info;
	int mss;

	connect_with(p, STACK_MTU_ALWAYS, &path);
	pair_transfer(p, 0, 30000000);
	assert_int_equal(stack_getsockopt(p->side[0].sock, IPPROTO_TCP, TCP_INFO, &info, &len), 0);
	assert_int_equal(info.tcpi_pmtu, HOLE);
	assert_int_equal(info.tcpi_snd_mss, HOLE - HEADERS_BYTES);
	assert_int_equal(info.tcpi_advmss, FULL - 40);
	len = sizeof(mss);
	assert_int_equal(stack_getsockopt(p->side[0].sock, IPPROTO_TCP, TCP_MAXSEG, &mss, &len), 0);
	assert_int_equal(mss, HOLE - HEADERS_BYTES);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    pair_test(a_black_hole_is_got_round_and_its_size_found),
	    pair_test(probes_that_are_lost_alone_cost_no_window),
	    pair_test(without_probing_a_black_hole_swallows_all),
	    pair_test(where_it_always_probes_a_wide_path_is_soon_used_whole),
	    pair_test(a_path_that_became_wider_is_found_out_after_ten_minutes),
	    pair_test(a_path_that_became_narrower_is_found_out_by_time_outs),
	    pair_test(others_of_the_path_begin_with_what_was_found),
	    pair_test(after_an_outage_segments_are_soon_as_large_as_before),
	    pair_test(small_segments_that_time_out_say_nothing_of_the_mtu),
	    pair_test(a_path_below_the_first_step_is_got_round_by_the_second),
	    pair_test(messages_are_probes_enough),
	    pair_test(a_message_that_is_lost_as_a_probe_comes_in_small_segments),
	    pair_test(one_lost_probe_is_no_proof),
	    pair_test(a_probe_that_is_lost_with_others_is_congestion),
	    pair_test(probes_that_are_lost_are_far_apart),
	    pair_test(a_probe_goes_while_nothing_else_is_lost_and_no_other_is_out),
	    pair_test(for_a_peer_without_sack_nothing_is_probed),
	    pair_test(the_program_is_told_what_segments_may_be),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
