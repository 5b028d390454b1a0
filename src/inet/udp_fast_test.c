/* SPDX-License-Identifier: MIT */
#include "inet/inet_test.h"
#include "inet/ip.h"
#include "inet/limits.h"
#include <errno.h>

enum { PORT = 7000, LONGEST = 1472 };

static int connect_to(struct net *net, struct sock *k, uint32_t ip, uint16_t port)
{
	struct endpoint peer = at(ip, port);

	return stack_connect(k, &peer, net->now_ns);
}

static struct sock *sharing(struct net *net)
{
	struct endpoint local = at(0, PORT);
	struct sock *k;

	assert_int_equal(stack_open(net->s, SOCK_DGRAM, NULL, &k), 0);
	assert_int_equal(stack_bind(k, &local, true), 0);
	return k;
}

/* Receives one byte, which is returned; -1: there is none. */
static int byte(struct net *net, struct sock *k)
{
	struct stack_received r;
	int c;

	if (stack_recv(k, UINT32_MAX, &r, net->now_ns) != 1)
		return -1;
	assert_int_equal(r.len, 1);
	c = *r.data;
	buf_unref(r.buf);
	return c;
}

static void fill(uint8_t *data, uint32_t len)
{
	for (uint32_t i = 0; i < len; i++)
		data[i] = (uint8_t)(i * 7 + len);
}

/* To another than before goes the long way, to the same again the short one. */
static void compare_both_ways_out(struct net *net, struct sock *k, uint32_t len)
{
	static uint8_t data[LONGEST], before[TEST_FRAME_BYTES];
	struct frame frame;
	size_t bytes;

	fill(data, len);
	assert_int_equal(net_send(net, k, "", 1, THIRD_IP, 9), 0);
	assert_int_equal(net_take(net), 43);
	assert_int_equal(net_send(net, k, data, len, PEER_IP, 9), 0);
	bytes = net_take(net);
	assert_int_equal(bytes, 42 + len);
	memcpy(before, net->out, bytes);
	frame = net->frame;
	assert_int_equal(net_send(net, k, data, len, PEER_IP, 9), 0);
	assert_int_equal(net_take(net), bytes);
	assert_memory_equal(net->out, before, bytes);
	assert_int_equal(net->frame.l3_offset, frame.l3_offset);
	assert_int_equal(net->frame.l4_offset, frame.l4_offset);
	assert_int_equal(net->frame.offload, frame.offload);
	assert_int_equal(net->frame.nfrags, 0);
}

static void both_ways_out_make_the_same_frames(void **state)
{
	struct net *net = *state;
	struct sock *k;

	for (uint32_t offloads = 0; offloads <= OFFLOAD_L4_CSUM; offloads += OFFLOAD_L4_CSUM) {
		net->cfg.offloads = offloads;
		net_restart_with_statics(net);
		k = net_udp(net, PORT);
		for (uint32_t len = 0; len <= LONGEST; len++)
			compare_both_ways_out(net, k, len);
		assert_int_equal(stack_stats(net->s)->tx_copied_bytes,
				 (LONGEST + 1) * LONGEST + LONGEST + 1);
	}
}

/* Options take a packet the long way in. */
static void give_the_long_way(struct net *net, const void *payload, size_t len)
{
	const uint8_t nothing[4] = {1, 1, 1, 0};
	struct test_ip h = {.protocol = IPPROTO_UDP, .options = nothing, .options_len = 4};
	uint8_t l4[2048];

	net_give_ip(net, &h, l4, build_udp(l4, &h, 9, PORT, payload, len));
}

static void both_ways_in_give_the_same_datagrams(void **state)
{
	static uint8_t data[LONGEST];
	struct net *net = *state;
	struct sock *k = net_udp(net, PORT);

	for (uint32_t len = 0; len <= LONGEST - 4; len++) {
		struct stack_received r[2];

		fill(data, len);
		net_give_udp(net, PEER_IP, 9, PORT, data, len);
		give_the_long_way(net, data, len);
		for (unsigned i = 0; i < 2; i++) {
			assert_int_equal(stack_recv(k, UINT32_MAX, &r[i], net->now_ns), 1);
			assert_int_equal(r[i].len, len);
			assert_memory_equal(r[i].data, data, len);
			assert_memory_equal(&r[i].from.ip, &(struct ip_addr){.words = {0}}, 8);
			assert_int_equal(ip4_get(&r[i].from.ip), PEER_IP);
			assert_int_equal(r[i].from.port, 9);
			buf_unref(r[i].buf);
		}
	}
	assert_int_equal(stack_stats(net->s)->rx_udp, 2 * (LONGEST - 3));
}

static void the_two_ways_do_not_overtake_each_other(void **state)
{
	static uint8_t large[LONGEST];
	struct net *net = *state;
	struct sock *k;

	net_restart_with_statics(net);
	k = net_udp(net, PORT);
	assert_int_equal(net_send(net, k, "", 1, PEER_IP, 9), 0);
	for (uint8_t i = 0; i < 20; i++) {
		large[0] = i;
		assert_int_equal(net_send(net, k, large, i % 3 ? 1 : LONGEST, PEER_IP, 9), 0);
	}
	assert_int_equal(net_take(net), 43);
	for (uint8_t i = 0; i < 20; i++) {
		assert_int_equal(net_take(net), 42 + (i % 3 ? 1 : LONGEST));
		assert_int_equal(out_l4(net)[8], i);
	}
}

static void an_answer_goes_before_datagrams_that_wait(void **state)
{
	struct net *net = *state;
	struct sock *k;
	uint8_t f[64];

	net_restart_with_statics(net);
	k = net_udp(net, PORT);
	assert_int_equal(net_send(net, k, "a", 1, PEER_IP, 9), 0);
	assert_int_equal(net_send(net, k, "b", 1, PEER_IP, 9), 0);
	net_give(net, f, build_arp(f, broadcast_mac, 1, peer_mac, PEER_IP, OUR_IP));
	net_take(net);
	assert_true(out_is_arp(net, 2, PEER_IP));
	net_take(net);
	assert_int_equal(out_l4(net)[8], 'a');
	net_take(net);
	assert_int_equal(out_l4(net)[8], 'b');
	assert_int_equal(net_take(net), 0);
}

static void who_has_a_port_now_gets_its_datagrams(void **state)
{
	struct net *net = *state;
	struct sock *k = sharing(net), *other;

	net_give_udp(net, PEER_IP, 9, PORT, "a", 1);
	assert_int_equal(byte(net, k), 'a');
	/* One connected to the sender comes first, until it goes elsewhere. */
	other = sharing(net);
	assert_int_equal(connect_to(net, other, PEER_IP, 9), 0);
	net_give_udp(net, PEER_IP, 9, PORT, "b", 1);
	assert_int_equal(byte(net, other), 'b');
	assert_int_equal(connect_to(net, other, PEER_IP, 10), 0);
	net_give_udp(net, PEER_IP, 9, PORT, "c", 1);
	assert_int_equal(byte(net, k), 'c');
	net_give_udp(net, PEER_IP, 10, PORT, "d", 1);
	assert_int_equal(byte(net, other), 'd');
	stack_close(other, net->now_ns);
	net_give_udp(net, PEER_IP, 10, PORT, "e", 1);
	assert_int_equal(byte(net, k), 'e');
	stack_close(k, net->now_ns);
	net_give_udp(net, PEER_IP, 10, PORT, "f", 1);
	assert_int_equal(stack_stats(net->s)->drop_udp_no_socket, 1);
	k = sharing(net);
	net_give_udp(net, PEER_IP, 10, PORT, "g", 1);
	assert_int_equal(byte(net, k), 'g');
}

/* That nobody sends from: our own address, broadcast ones, a loopback, a multicast group. */
static void a_datagram_from_nowhere_is_dropped(void **state)
{
	static const uint32_t from[] = {OUR_IP,     0x0a000000, 0x0a0000ff, 0x7f000001,
					0x00000001, 0xe0000001, 0xffffffff};
	struct net *net = *state;
	struct sock *k = net_udp(net, PORT);

	for (unsigned i = 0; i < sizeof(from) / sizeof(from[0]); i++) {
		net_give_udp(net, from[i], 9, PORT, "x", 1);
		assert_int_equal(byte(net, k), -1);
		assert_int_equal(stack_stats(net->s)->drop_ip_martian, i + 1);
	}
	net_give_udp(net, PEER_IP, 9, 0, "x", 1);
	assert_int_equal(stack_stats(net->s)->drop_udp_no_socket, 1);
}

/* The next datagram goes to the new MAC. */
static void a_neighbour_that_moves_is_followed(void **state)
{
	struct net *net = *state;
	struct sock *k = net_udp(net, PORT);

	assert_int_equal(net_send(net, k, "a", 1, PEER_IP, 9), 0);
	net_take(net);
	assert_true(out_is_arp(net, 1, PEER_IP));
	net_give_arp_reply(net, PEER_IP, peer_mac);
	assert_int_equal(net_take(net), 43);
	for (unsigned i = 0; i < 2; i++) {
		assert_int_equal(net_send(net, k, "b", 1, PEER_IP, 9), 0);
		assert_int_equal(net_take(net), 43);
		assert_memory_equal(net->out, peer_mac, 6);
	}
	/* Another claims the address, and the old one does not answer for it any more. */
	net_pass_ms(net, 2000);
	net_give_arp_reply(net, PEER_IP, third_mac);
	net_drain(net);
	net_pass_ms(net, 2 * net->cfg.arp_request_timeout_ms);
	net_drain(net);
	net_give_arp_reply(net, PEER_IP, third_mac);
	assert_int_equal(net_send(net, k, "d", 1, PEER_IP, 9), 0);
	assert_int_equal(net_take(net), 43);
	assert_memory_equal(net->out, third_mac, 6);
	assert_int_equal(out_l4(net)[8], 'd');
}

static void a_pending_error_is_told_before_anything_is_sent(void **state)
{
	struct net *net = *state;
	struct sock *k;

	net_restart_with_statics(net);
	k = net_udp(net, PORT);
	assert_int_equal(connect_to(net, k, PEER_IP, 9), 0);
	for (unsigned i = 0; i < 2; i++) {
		assert_int_equal(net_send(net, k, "a", 1, 0, 0), 0);
		assert_int_equal(net_take(net), 43);
	}
	net_give_icmp_about_out(net, 3, 3, 0);
	assert_int_equal(net_send(net, k, "b", 1, 0, 0), -ECONNREFUSED);
	assert_int_equal(net_take(net), 0);
	assert_int_equal(net_send(net, k, "c", 1, 0, 0), 0);
	assert_int_equal(net_take(net), 43);
	assert_int_equal(stack_shutdown(k, SHUT_WR, net->now_ns), 0);
	assert_int_equal(net_send(net, k, "d", 1, 0, 0), -EPIPE);
}

/* Where routers say that a path takes less than we ever send, they may cut what we send. */
static void a_narrow_path_may_be_cut(void **state)
{
	static uint8_t data[LONGEST];
	struct net *net = *state;
	struct sock *k;

	net_restart_with_statics(net);
	k = net_udp(net, PORT);
	assert_int_equal(net_send(net, k, data, LONGEST, PEER_IP, 9), 0);
	assert_int_equal(net_take(net), 42 + LONGEST);
	assert_int_equal(net->out[20], 0x40);
	net_give_icmp_about_out(net, 3, 4, 100);
	for (unsigned i = 0; i < 2; i++) {
		assert_int_equal(net_send(net, k, data, 524, PEER_IP, 9), 0);
		assert_int_equal(net_take(net), 42 + 524);
		assert_int_equal(net->out[20], 0);
		assert_true(out_checksums_ok(net));
	}
	assert_int_equal(net_send(net, k, data, 525, PEER_IP, 9), 0);
	assert_int_equal(net_drain(net), 2);
}

static void what_the_smallest_link_takes_is_not_exceeded(void **state)
{
	struct net *net = *state;
	uint8_t data[41] = {0};
	struct sock *k;

	net->cfg.mtu = 68;
	net_restart_with_statics(net);
	k = net_udp(net, PORT);
	for (unsigned i = 0; i < 2; i++) {
		assert_int_equal(net_send(net, k, data, 40, PEER_IP, 9), 0);
		assert_int_equal(net_take(net), 42 + 40);
		assert_int_equal(net_send(net, k, data, 41, PEER_IP, 9), 0);
		assert_int_equal(net_drain(net), 2);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    net_test(both_ways_out_make_the_same_frames),
	    net_test(both_ways_in_give_the_same_datagrams),
	    net_test(the_two_ways_do_not_overtake_each_other),
	    net_test(an_answer_goes_before_datagrams_that_wait),
	    net_test(who_has_a_port_now_gets_its_datagrams),
	    net_test(a_datagram_from_nowhere_is_dropped),
	    net_test(a_neighbour_that_moves_is_followed),
	    net_test(a_pending_error_is_told_before_anything_is_sent),
	    net_test(a_narrow_path_may_be_cut),
	    net_test(what_the_smallest_link_takes_is_not_exceeded),
	};

	return cmocka_run_group_tests_name("udp_fast", tests, NULL, NULL);
}
