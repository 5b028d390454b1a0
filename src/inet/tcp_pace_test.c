/* Pacing on a wire between two stacks.
 *
 * SPDX-License-Identifier: MIT
 */
#include "inet/tcp_pace.h"
#include "inet/tcp_pair_test.h"
#include <sys/socket.h>

static void set_rate(struct pair *p, uint32_t bytes_per_s)
{
	assert_int_equal(stack_setsockopt(p->side[0].sock, SOL_SOCKET, SO_MAX_PACING_RATE,
					  &bytes_per_s, sizeof(bytes_per_s)),
			 0);
}

static uint64_t transfer_ms(struct pair *p, uint64_t bytes)
{
	uint64_t start = p->now_ns;

	pair_transfer(p, 0, bytes);
	return (p->now_ns - start) / 1000000;
}

static void a_stream_is_no_faster_than_its_rate(void **state)
{
	struct pair *p = *state;

	pair_connect(p);
	set_rate(p, 10000000);
	assert_in_range(transfer_ms(p, 5000000), 495, 520);
}

static void a_very_slow_stream_probes_nothing_and_times_nothing_out(void **state)
{
	struct pair *p = *state;

	pair_connect(p);
	set_rate(p, 1000);
	assert_in_range(transfer_ms(p, 20000), 17000, 20100);
	assert_int_equal(stack_stats(p->side[0].s)->tcp_retransmitted, 0);
	assert_int_equal(stack_stats(p->side[0].s)->tcp_timeouts, 0);
}

static void a_burst_is_no_longer_than_what_a_timer_is_late_by(void **state)
{
	struct pair *p = *state;

	pair_connect(p);
	set_rate(p, 10000000);
	pair_pass_ms(p, 1000); /* a pause is not made up for */
	for (uint64_t i = 0; i < 10; i++)
		assert_int_equal(pair_send(p, 0, i * 4000, 4000), 4000);
	pair_run(p);
	/* 10 bytes a us, and two ticks of 131. */
	assert_in_range(pair_recv(p, 1, 0), 2000, 2 * 1448 + 2622);
}

static void without_a_rate_nothing_is_held_back(void **state)
{
	struct pair *p = *state;

	pair_connect(p);
	set_rate(p, 1000);
	set_rate(p, UINT32_MAX);
	assert_int_equal(pair_cb(p, 0)->rare, 0);
	assert_int_equal(transfer_ms(p, 1000000), 0);
}

static void a_fast_stream_is_paced_by_itself_where_it_is_configured(void **state)
{
	struct pair *p = *state;

	p->side[0].cfg.pace_above_bytes_per_s = 1000000;
	pair_restart(p);
	p->delay_ns = 1000000;
	pair_connect(p);
	p->delay_ns = 10000000;
	pair_transfer(p, 0, 2000000);
	pair_pass_ms(p, 50); /* the last acknowledgements */
	for (uint64_t i = 0; i < 100; i++)
		pair_send(p, 0, 2000000 + i * 4000, 4000);
	pair_run(p);
	assert_true(pair_cb(p, 0)->pace_next_ns > p->now_ns);
	assert_true(tcp_flight(pair_cb(p, 0)) < pair_cb(p, 0)->cwnd / 4);
	pair_pass_ms(p, 1000);
	assert_int_equal(pair_recv(p, 1, 2000000), 400000);
}

static void a_slow_stream_is_not(void **state)
{
	struct pair *p = *state;

	p->side[0].cfg.pace_above_bytes_per_s = 1000000000;
	pair_restart(p);
	p->delay_ns = 1000000;
	pair_connect(p);
	p->delay_ns = 10000000;
	pair_transfer(p, 0, 2000000);
	assert_int_equal(pair_cb(p, 0)->pace_next_ns, 0);
}

static void the_rate_is_read_back_as_the_kernel_gives_it(void **state)
{
	struct pair *p = *state;
	struct sock *k;
	uint64_t wide = UINT64_C(5000000000), zero = 0;
	uint32_t rate = 0, len = sizeof(rate);

	assert_int_equal(stack_open(p->side[0].s, SOCK_STREAM, NULL, &k), 0);
	assert_int_equal(stack_getsockopt(k, SOL_SOCKET, SO_MAX_PACING_RATE, &rate, &len), 0);
	assert_int_equal(rate, UINT32_MAX);
	assert_int_equal(stack_setsockopt(k, SOL_SOCKET, SO_MAX_PACING_RATE, &wide, sizeof(wide)),
			 0);
	assert_int_equal(stack_getsockopt(k, SOL_SOCKET, SO_MAX_PACING_RATE, &rate, &len), 0);
	assert_int_equal(rate, UINT32_MAX); /* there is no room for more */
	len = sizeof(wide);
	wide = 0;
	assert_int_equal(stack_getsockopt(k, SOL_SOCKET, SO_MAX_PACING_RATE, &wide, &len), 0);
	assert_int_equal(wide, UINT64_C(5000000000));
	assert_int_equal(stack_setsockopt(k, SOL_SOCKET, SO_MAX_PACING_RATE, &zero, sizeof(zero)),
			 0);
	assert_int_equal(stack_getsockopt(k, SOL_SOCKET, SO_MAX_PACING_RATE, &wide, &len), 0);
	assert_int_equal(wide, 0);
	assert_false(tcp_cb_of(k)->paced); /* as in the kernel's TCP: no bound */
	stack_close(k, p->now_ns);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    pair_test(a_stream_is_no_faster_than_its_rate),
	    pair_test(a_very_slow_stream_probes_nothing_and_times_nothing_out),
	    pair_test(a_burst_is_no_longer_than_what_a_timer_is_late_by),
	    pair_test(without_a_rate_nothing_is_held_back),
	    pair_test(a_fast_stream_is_paced_by_itself_where_it_is_configured),
	    pair_test(a_slow_stream_is_not),
	    pair_test(the_rate_is_read_back_as_the_kernel_gives_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
