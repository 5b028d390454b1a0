/* Two stacks talk TCP.
 *
 * SPDX-License-Identifier: MIT
 */
#include "inet/tcp_pair_test.h"
#include <errno.h>
#include <sys/socket.h>

static void a_connection_opens_carries_data_both_ways_and_closes(void **state)
{
	struct pair *p = *state;
	struct stack_received r;

	pair_connect(p);
	assert_int_equal(pair_send(p, 0, 0, 100), 100);
	pair_run(p);
	assert_int_equal(pair_recv(p, 1, 0), 100);
	assert_int_equal(pair_send(p, 1, 0, 3000), 3000);
	pair_run(p);
	assert_int_equal(pair_recv(p, 0, 0), 3000);

	assert_int_equal(stack_shutdown(p->side[0].sock, SHUT_WR, p->now_ns), 0);
	pair_run(p);
	assert_int_equal(pair_cb(p, 0)->state, TCP_FIN_WAIT_2);
	assert_int_equal(pair_cb(p, 1)->state, TCP_CLOSE_WAIT);
	assert_int_equal(stack_recv(p->side[1].sock, 10, &r, p->now_ns), 0);
	stack_close(p->side[1].sock, p->now_ns);
	pair_run(p);
	assert_int_equal(pair_cb(p, 0)->state, TCP_TIME_WAIT);
	assert_int_equal(stack_recv(p->side[0].sock, 10, &r, p->now_ns), 0);
	stack_close(p->side[0].sock, p->now_ns);
	pair_pass_ms(p, 61000);
	assert_int_equal(p->side[0].s->tcp->cbs.used, 0);
	assert_int_equal(p->side[1].s->tcp->cbs.used, 1);
}

static void a_large_transfer_arrives_whole(void **state)
{
	struct pair *p = *state;

	p->delay_ns = 1000000;
	pair_connect(p);
	pair_transfer(p, 0, 10000000);
	pair_transfer(p, 1, 10000000);
}

static bool lose_some(struct pair *p, int from, const uint8_t *l4, uint32_t l4_len)
{
	uint64_t *x = p->lose_arg;

	(void)from, (void)l4, (void)l4_len;
	*x ^= *x << 13;
	*x ^= *x >> 7;
	*x ^= *x << 17;
	return *x % 100 < p->lose_count;
}

static void a_transfer_arrives_whole_at_any_loss(void **state)
{
	struct pair *p = *state;
	uint64_t seed = 7;

	p->delay_ns = 1000000;
	pair_connect(p);
	p->lose = lose_some;
	p->lose_arg = &seed;
	for (p->lose_count = 1; p->lose_count <= 30; p->lose_count += 7)
		pair_transfer(p, 0, 1000000);
}

/* RFC 9293 3.9.1.1, MUST-46. */
static void an_open_to_an_impossible_address_is_refused_and_sends_nothing(void **state)
{
	static const struct {
		uint32_t ip;
		uint16_t port;
		int error;
	} bad[] = {
	    {0, 80, -EADDRNOTAVAIL},        {0x0a000002, 0, -EADDRNOTAVAIL},
	    {0x7f000001, 80, -ENETUNREACH}, {0xe0000001, 80, -ENETUNREACH},
	    {UINT32_MAX, 80, -ENETUNREACH}, {0x0a0000ff, 80, -ENETUNREACH},
	    {0x0a000000, 80, -ENETUNREACH}, {0x0a000001, 80, -EHOSTUNREACH},
	};
	struct pair *p = *state;
	uint32_t frames = p->side[0].frames;
	struct sock *k;

	for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct endpoint to = {ip4(bad[i].ip), bad[i].port};

		assert_int_equal(stack_open(p->side[0].s, SOCK_STREAM, NULL, &k), 0);
		assert_int_equal(stack_connect(k, &to, p->now_ns), bad[i].error);
		assert_int_equal(tcp_cb_of(k)->state, TCP_CLOSED);
		stack_close(k, p->now_ns);
	}
	pair_pass_ms(p, 3000);
	assert_int_equal(p->side[0].frames, frames);
	assert_int_equal(p->side[0].s->tcp->cbs.used, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    pair_test(a_connection_opens_carries_data_both_ways_and_closes),
	    pair_test(a_large_transfer_arrives_whole),
	    pair_test(a_transfer_arrives_whole_at_any_loss),
	    pair_test(an_open_to_an_impossible_address_is_refused_and_sends_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
