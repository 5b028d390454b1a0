/* SPDX-License-Identifier: MIT */
#include "inet/inet_test.h"
#include "base/bytes.h"
#include "base/checksum.h"
#include "inet/limits.h"
#include <errno.h>

enum { PORT = 7000 };

static void small_datagrams_are_copied_and_large_ones_referenced(void **state)
{
	static uint8_t data[2][4096];
	struct net *net = *state;
	struct endpoint to = at(PEER_IP, 9);
	struct pool *big;
	struct buf *b;
	struct sock *k;

	net->cfg.max_frags = FRAME_FRAGS;
	net->cfg.zero_copy_bytes = 1000;
	net_restart_with_statics(net);
	k = net_udp(net, PORT);
	assert_int_equal(pool_create(&big, 4, 8192, 128, NULL), 0);
	b = pool_get(big);
	b->len = 4096;
	memset(b->data, 'd', 4096);
	memset(data[0], 'd', 4096);
	assert_int_equal(stack_sendto(k, b, b->data, 999, &to, net->now_ns), 0);
	assert_true(buf_sole(b));
	assert_int_equal(net_take(net), 42 + 999);
	assert_int_equal(net->frame.nfrags, 0);
	assert_true(out_checksums_ok(net));

	assert_int_equal(stack_sendto(k, b, b->data + 1, 1001, &to, net->now_ns), 0);
	assert_false(buf_sole(b));
	assert_int_equal(net_take(net), 42 + 1001);
	assert_int_equal(net->frame.nfrags, 1);
	assert_ptr_equal(net->frame.frags[0].data, b->data + 1);
	assert_true(out_checksums_ok(net));
	assert_true(buf_sole(b));

	assert_int_equal(stack_sendto(k, b, b->data, 4096, &to, net->now_ns), 0);
	for (uint32_t at = 0; net_take(net) > 0; at += net->frame.frags[0].len) {
		assert_int_equal(net->frame.nfrags, 1);
		assert_ptr_equal(net->frame.frags[0].data, b->data + at);
	}
	assert_true(buf_sole(b));
	buf_unref(b);
	pool_destroy(big);
}

static void a_link_that_takes_no_fragments_gets_copies(void **state)
{
	struct net *net = *state;
	struct endpoint to = at(PEER_IP, 9);
	struct sock *k;
	struct buf *b = pool_get(net->pool);

	net->cfg.zero_copy_bytes = 100;
	net_restart_with_statics(net);
	k = net_udp(net, PORT);
	assert_int_equal(stack_sendto(k, b, b->data, 1400, &to, net->now_ns), 0);
	assert_true(buf_sole(b));
	assert_int_equal(net_take(net), 42 + 1400);
	assert_int_equal(net->frame.nfrags, 0);
	buf_unref(b);
}

static void a_device_that_sums_is_asked_to(void **state)
{
	struct net *net = *state;
	struct sock *k;
	uint8_t pseudo[12] = {10, 0, 0, 1, 10, 0, 0, 2, 0, 17, 0, 13};
	uint16_t field;

	net->cfg.offloads = OFFLOAD_L4_CSUM;
	net_restart_with_statics(net);
	k = net_udp(net, PORT);
	assert_int_equal(net_send(net, k, "hello", 5, PEER_IP, 9), 0);
	assert_true(net_take(net) > 0);
	assert_int_equal(net->frame.offload, OFFLOAD_L4_CSUM);
	memcpy(&field, out_l4(net) + 6, 2);
	assert_int_equal(field, (uint16_t)~csum_fold(csum_partial(pseudo, 12, 0)));
	assert_memory_equal(out_l4(net) + 8, "hello", 5);
}

static void a_checksum_of_zero_is_sent_as_all_ones(void **state)
{
	struct net *net = *state;
	struct sock *k;
	unsigned ones = 0;

	net_restart_with_statics(net);
	k = net_udp(net, PORT);
	for (uint32_t i = 0; i < 65536; i++) {
		uint8_t data[2] = {(uint8_t)(i >> 8), (uint8_t)i};

		assert_int_equal(net_send(net, k, data, 2, PEER_IP, 9), 0);
		assert_true(net_take(net) > 0);
		assert_true(out_checksums_ok(net));
		assert_int_not_equal(get_be16(out_l4(net) + 6), 0);
		ones += get_be16(out_l4(net) + 6) == 0xffff;
	}
	assert_int_equal(ones, 1);
}

static void too_much_is_emsgsize(void **state)
{
	static uint8_t data[65508];
	struct net *net = *state;
	struct sock *k = net_udp(net, PORT);

	assert_int_equal(net_send(net, k, data, sizeof(data), PEER_IP, 9), -EMSGSIZE);
	assert_int_equal(net_send(net, k, data, sizeof(data) - 1, PEER_IP, 9), 0);
}

static void a_socket_has_a_share_of_the_output_queue_and_is_told_of_room(void **state)
{
	struct net *net = *state;
	struct sock *k, *other;

	net_restart_with_statics(net);
	k = net_udp(net, PORT);
	other = net_udp(net, PORT + 1);
	for (unsigned i = 0; i < UDP_SEND_DATAGRAMS; i++)
		assert_int_equal(net_send(net, k, "x", 1, PEER_IP, 9), 0);
	assert_int_equal(net_send(net, k, "x", 1, PEER_IP, 9), -EAGAIN);
	assert_int_equal(net_send(net, other, "x", 1, PEER_IP, 9), 0);
	assert_int_equal(net_events(net), 0);
	for (unsigned i = 0; i < UDP_SEND_DATAGRAMS / 2 - 1; i++)
		net_take(net);
	assert_int_equal(net_events(net), 0);
	net_take(net);
	assert_int_equal(net_events(net), STACK_EV_WRITE);
	assert_int_equal(net_send(net, k, "x", 1, PEER_IP, 9), 0);
	net_drain(net);
	assert_int_equal(net_events(net), 0);
}

static void when_the_output_queue_is_full_every_socket_that_waits_is_told(void **state)
{
	enum { SOCKETS = 6 };
	struct net *net = *state;
	struct stack_event ev[SOCKETS + 1];
	struct sock *k[SOCKETS];
	bool full[SOCKETS] = {false};
	unsigned left = SOCKETS, sent = 0;

	net_restart_with_pool(net, 4 * TEST_POOL_BUFFERS);
	net_restart_with_statics(net);
	for (unsigned i = 0; i < SOCKETS; i++)
		k[i] = net_udp(net, (uint16_t)(PORT + i));
	for (unsigned i = 0; left > 0; i = (i + 1) % SOCKETS) {
		int err = full[i] ? 0 : net_send(net, k[i], "x", 1, PEER_IP, 9);

		sent += !full[i] && err == 0;
		left -= err == -EAGAIN;
		full[i] |= err == -EAGAIN;
	}
	assert_int_equal(sent, OUTPUT_DATAGRAMS);
	assert_int_equal(net_drain(net), OUTPUT_DATAGRAMS);
	assert_int_equal(stack_events(net->s, ev, SOCKETS + 1), SOCKETS);
	for (unsigned i = 0; i < SOCKETS; i++)
		assert_int_equal(ev[i].bits, STACK_EV_WRITE);
}

static void who_needs_most_of_the_output_queue_is_told_when_it_is_empty(void **state)
{
	static uint8_t data[50000]; /* in more fragments than half of the queue takes */
	struct net *net = *state;
	struct sock *other, *k;

	net_restart_with_pool(net, 4 * TEST_POOL_BUFFERS);
	net->cfg.mtu = 68;
	net_restart_with_statics(net);
	k = net_udp(net, PORT);
	for (unsigned i = 1; i <= 3; i++) {
		other = net_udp(net, (uint16_t)(PORT + i));
		for (unsigned j = 0; j < UDP_SEND_DATAGRAMS; j++)
			assert_int_equal(net_send(net, other, data, 40, PEER_IP, 9), 0);
	}
	assert_int_equal(net_send(net, k, data, sizeof(data), PEER_IP, 9), -EAGAIN);
	for (unsigned i = 0; i < OUTPUT_DATAGRAMS / 4; i++)
		net_take(net);
	assert_int_equal(net_events(net), STACK_EV_WRITE);
	assert_int_equal(net_send(net, k, data, sizeof(data), PEER_IP, 9), -EAGAIN);
	assert_int_equal(net_drain(net), OUTPUT_DATAGRAMS / 2);
	assert_int_equal(net_events(net), STACK_EV_WRITE);
	assert_int_equal(net_send(net, k, data, sizeof(data), PEER_IP, 9), 0);
	assert_int_equal(net_drain(net), (sizeof(data) + 8 + 47) / 48);
}

static void a_blocked_socket_may_be_closed(void **state)
{
	struct net *net = *state;
	struct sock *k;

	net_restart_with_statics(net);
	k = net_udp(net, PORT);
	while (net_send(net, k, "x", 1, PEER_IP, 9) == 0)
		;
	stack_close(k, net->now_ns);
	assert_int_equal(net_drain(net), UDP_SEND_DATAGRAMS);
	assert_int_equal(net_events(net), 0);
	k = net_udp(net, PORT);
	assert_int_equal(net_send(net, k, "x", 1, PEER_IP, 9), 0);
	assert_int_equal(net_drain(net), 1);
	assert_int_equal(net_events(net), 0);
}

static void without_a_buffer_a_send_is_enomem(void **state)
{
	struct net *net = *state;
	struct buf *held[TEST_POOL_BUFFERS];
	struct sock *k;
	unsigned n = 0;

	net_restart_with_statics(net);
	k = net_udp(net, PORT);
	while (net->pool->free_count > 0)
		held[n++] = pool_get(net->pool);
	assert_int_equal(net_send(net, k, "x", 1, PEER_IP, 9), -ENOMEM);
	while (n > 0)
		buf_unref(held[--n]);
	assert_int_equal(net_send(net, k, "x", 1, PEER_IP, 9), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    net_test(small_datagrams_are_copied_and_large_ones_referenced),
	    net_test(a_link_that_takes_no_fragments_gets_copies),
	    net_test(a_device_that_sums_is_asked_to),
	    net_test(a_checksum_of_zero_is_sent_as_all_ones),
	    net_test(too_much_is_emsgsize),
	    net_test(a_socket_has_a_share_of_the_output_queue_and_is_told_of_room),
	    net_test(when_the_output_queue_is_full_every_socket_that_waits_is_told),
	    net_test(who_needs_most_of_the_output_queue_is_told_when_it_is_empty),
	    net_test(a_blocked_socket_may_be_closed),
	    net_test(without_a_buffer_a_send_is_enomem),
	};

	return cmocka_run_group_tests_name("udp_send", tests, NULL, NULL);
}
