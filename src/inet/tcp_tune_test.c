/* Buffers that grow, on a wire between two stacks.
 *
 * SPDX-License-Identifier: MIT
 */
#include "inet/tcp_tune.h"
#include "inet/tcp_pair_test.h"
#include <sys/socket.h>

enum { SMALL = 64 << 10, LARGE = 512 << 10, DELAY_NS = 1000000 };

static void begin_with(struct pair *p, uint64_t total, uint32_t most)
{
	for (int i = 0; i < 2; i++) {
		p->side[i].cfg.send_buffer_bytes = p->side[i].cfg.recv_buffer_bytes = SMALL;
		p->side[i].cfg.buffer_max_bytes = most;
		p->side[i].cfg.buffer_total_bytes = total;
	}
	pair_restart(p);
	p->delay_ns = DELAY_NS;
	pair_connect(p);
}

static void begin(struct pair *p, uint64_t total)
{
	begin_with(p, total, LARGE);
}

static void a_stream_gets_what_it_needs(void **state)
{
	struct pair *p = *state;

	begin(p, 64 << 20);
	pair_transfer(p, 0, 20000000);
	assert_int_equal(pair_cb(p, 0)->send_limit, LARGE);
	assert_int_equal(pair_cb(p, 1)->recv_limit, LARGE);
	/* And the other direction, which had nothing to carry, what it had. */
	assert_int_equal(pair_cb(p, 1)->send_limit, SMALL);
	assert_int_equal(pair_cb(p, 0)->recv_limit, SMALL);
}

static void requests_and_replies_get_nothing(void **state)
{
	struct pair *p = *state;

	begin(p, 64 << 20);
	for (uint64_t i = 0; i < 200; i++) {
		pair_send(p, 0, i * 4000, 4000);
		pair_pass_ms(p, 3);
		assert_int_equal(pair_recv(p, 1, i * 4000), 4000);
	}
	assert_int_equal(pair_cb(p, 0)->send_limit, SMALL);
	assert_int_equal(pair_cb(p, 1)->recv_limit, SMALL);
}

static void a_program_that_does_not_read_gets_nothing(void **state)
{
	struct pair *p = *state;

	begin(p, 64 << 20);
	for (uint64_t i = 0; i < 200; i++) {
		pair_send(p, 0, i * 4000, 4000);
		pair_pass_ms(p, 1);
	}
	assert_int_equal(pair_cb(p, 1)->recv_limit, SMALL);
	pair_recv(p, 1, 0);
}

static void all_together_get_no_more_than_there_is(void **state)
{
	struct pair *p = *state;
	struct tcp_table *t;

	begin(p, 100000);
	pair_transfer(p, 0, 20000000);
	t = p->side[1].s->tcp;
	assert_int_equal(pair_cb(p, 1)->recv_limit, SMALL + 100000);
	assert_int_equal(t->tuned_bytes, 100000);
	stack_abort(p->side[0].sock, p->now_ns);
	pair_run(p);
	stack_close(p->side[1].sock, p->now_ns);
	p->side[1].sock = p->side[0].sock = NULL;
	pair_pass_ms(p, 10);
	assert_int_equal(t->tuned_bytes, 0);
}

static void a_buffer_that_the_program_has_set_stays(void **state)
{
	struct pair *p = *state;
	int bytes = SMALL;

	begin(p, 64 << 20);
	for (int i = 0; i < 2; i++) {
		int name = i == 0 ? SO_SNDBUF : SO_RCVBUF;

		assert_int_equal(
		    stack_setsockopt(p->side[i].sock, SOL_SOCKET, name, &bytes, sizeof(bytes)), 0);
	}
	pair_transfer(p, 0, 5000000);
	assert_int_equal(pair_cb(p, 0)->send_limit, SMALL);
	assert_int_equal(pair_cb(p, 1)->recv_limit, SMALL);
}

static void a_window_grows_to_the_pool_and_leaves_a_part_of_it_to_others(void **state)
{
	struct pair *p = *state;
	const struct stack *s;
	const struct tcp_cb *cb;
	uint64_t all;

	begin_with(p, 1 << 30, 64 << 20);
	s = p->side[1].s;
	all = (uint64_t)s->pool->count * s->copy_room_bytes;
	assert_true(all < 64 << 20);
	pair_transfer(p, 0, 12 * all);
	cb = pair_cb(p, 1);
	assert_int_equal(cb->recv_limit, all);
	assert_in_range(cb->rcv_adv - cb->rcv_nxt, all / 2,
			all - all / TCP_POOL_UNPROMISED_DIVISOR);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    pair_test(a_stream_gets_what_it_needs),
	    pair_test(requests_and_replies_get_nothing),
	    pair_test(a_program_that_does_not_read_gets_nothing),
	    pair_test(all_together_get_no_more_than_there_is),
	    pair_test(a_buffer_that_the_program_has_set_stays),
	    pair_test(a_window_grows_to_the_pool_and_leaves_a_part_of_it_to_others),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
