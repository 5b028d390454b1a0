/* The numbers that nobody must guess: they move with the clock, and depend on a key and on both
 * ends.
 *
 * SPDX-License-Identifier: MIT
 */
#include "inet/tcp_peer_test.h"
#include <errno.h>

enum { PORT = 1000 };

static uint32_t isn(struct net *net, uint32_t ip, uint16_t peer_port, uint16_t local_port)
{
	struct ip_addr peer = ip4(ip);

	return tcp_isn(net->s, &peer, peer_port, local_port);
}

static uint32_t offset(struct net *net, uint32_t ip, uint16_t peer_port, uint16_t local_port)
{
	struct ip_addr peer = ip4(ip);

	return tcp_timestamp_offset(net->s, &peer, peer_port, local_port);
}

/* RFC 9293 3.4.1: one number in 4 us, about. */
static void initial_numbers_move_with_the_clock(void **state)
{
	struct net *net = *state;
	uint32_t before = isn(net, PEER_IP, PORT, PEER_LISTEN_PORT);

	net_pass_ms(net, 1000);
	assert_in_range(isn(net, PEER_IP, PORT, PEER_LISTEN_PORT) - before, 200000, 300000);
}

static void initial_numbers_differ_by_connection_and_by_key(void **state)
{
	struct net *net = *state;
	uint32_t one = isn(net, PEER_IP, PORT, PEER_LISTEN_PORT);

	assert_int_not_equal(isn(net, PEER_IP, PORT + 1, PEER_LISTEN_PORT), one);
	assert_int_not_equal(isn(net, PEER_IP, PORT, PEER_LISTEN_PORT + 1), one);
	assert_int_not_equal(isn(net, THIRD_IP, PORT, PEER_LISTEN_PORT), one);
	net->cfg.key[0]++;
	net_restart_with_statics(net);
	assert_int_not_equal(isn(net, PEER_IP, PORT, PEER_LISTEN_PORT), one);
}

static void timestamps_of_one_connection_say_nothing_of_another(void **state)
{
	struct net *net = *state;
	uint32_t one = offset(net, PEER_IP, PORT, PEER_LISTEN_PORT);

	assert_int_equal(offset(net, PEER_IP, PORT, PEER_LISTEN_PORT), one);
	assert_int_not_equal(offset(net, PEER_IP, PORT + 1, PEER_LISTEN_PORT), one);
	assert_int_not_equal(offset(net, PEER_IP, PORT, PEER_LISTEN_PORT + 1), one);
	assert_int_not_equal(offset(net, THIRD_IP, PORT, PEER_LISTEN_PORT), one);
}

/* The port that a connection to a peer is given. */
static uint32_t port_to(struct net *net, uint32_t ip, uint16_t port)
{
	struct endpoint to = at(ip, port);
	struct sock *k;

	assert_int_equal(stack_open(net->s, SOCK_STREAM, NULL, &k), 0);
	assert_int_equal(stack_connect(k, &to, net->now_ns), -EINPROGRESS);
	return stack_local(k).port;
}

/* How far the next port of `to` is from where those of another peer are: but for the offset they
 * count together. */
static uint32_t port_offset(struct net *net, uint32_t ip, uint16_t port)
{
	uint32_t one = port_to(net, PEER_IP, PEER_LISTEN_PORT), other = port_to(net, ip, port);

	return (other - one - 1) % TCP_PORT_COUNT;
}

/* RFC 6056 3.3.3, algorithm 3: a counter, and an offset that a secret key and the peer give. */
static void ports_count_from_an_offset_that_differs_by_peer_and_by_key(void **state)
{
	struct net *net = *state;
	uint32_t third, far;

	net_restart_with_statics(net);
	assert_int_equal(port_offset(net, PEER_IP, PEER_LISTEN_PORT), 0);
	third = port_offset(net, THIRD_IP, PEER_LISTEN_PORT);
	assert_int_not_equal(third, 0);
	assert_int_equal(port_offset(net, THIRD_IP, PEER_LISTEN_PORT), third);
	far = port_offset(net, PEER_IP, PEER_LISTEN_PORT + 1);
	assert_int_not_equal(far, 0);
	assert_int_not_equal(far, third);
	net->cfg.key[0]++;
	net_restart_with_statics(net);
	assert_int_equal(port_offset(net, PEER_IP, PEER_LISTEN_PORT), 0);
	assert_int_not_equal(port_offset(net, THIRD_IP, PEER_LISTEN_PORT), third);
	assert_int_not_equal(port_offset(net, PEER_IP, PEER_LISTEN_PORT + 1), far);
	net_drain(net);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    net_test(initial_numbers_move_with_the_clock),
	    net_test(initial_numbers_differ_by_connection_and_by_key),
	    net_test(timestamps_of_one_connection_say_nothing_of_another),
	    net_test(ports_count_from_an_offset_that_differs_by_peer_and_by_key),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
