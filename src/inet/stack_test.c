/* SPDX-License-Identifier: MIT */
#include "inet/inet_test.h"
#include "base/bytes.h"
#include <errno.h>
#include <string.h>

static void a_datagram_goes_out_after_arp_and_its_answer_comes_in(void **state)
{
	struct net *net = *state;
	struct sock *k = net_udp(net, 7000);
	struct stack_received r;

	assert_int_equal(net_send(net, k, "hello", 5, PEER_IP, 9), 0);
	assert_true(stack_busy(net->s));
	assert_true(net_take(net) > 0);
	assert_true(out_is_arp(net, 1, PEER_IP));
	assert_int_equal(net_take(net), 0);
	net_give_arp_reply(net, PEER_IP, peer_mac);
	assert_int_equal(net_take(net), 14 + 20 + 8 + 5);
	assert_true(out_checksums_ok(net));
	assert_memory_equal(net->out, peer_mac, 6);
	assert_memory_equal(out_l4(net) + 8, "hello", 5);
	assert_false(stack_busy(net->s));

	net_give_udp(net, PEER_IP, 9, 7000, "world!", 6);
	assert_int_equal(net_events(net), STACK_EV_READ);
	assert_int_equal(stack_recv(k, 100, &r, net->now_ns), 1);
	assert_int_equal(r.len, 6);
	assert_memory_equal(r.data, "world!", 6);
	assert_true(r.from.port == 9 && ip4_get(&r.from.ip) == PEER_IP);
	buf_unref(r.buf);
	assert_int_equal(stack_recv(k, 100, &r, net->now_ns), -EAGAIN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(a_datagram_goes_out_after_arp_and_its_answer_comes_in,
					    net_setup, net_teardown),
	};

	return cmocka_run_group_tests_name("stack", tests, NULL, NULL);
}
