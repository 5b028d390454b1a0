/* SPDX-License-Identifier: MIT */
#include "inet/inet_test.h"
#include "base/bytes.h"
#include "inet/limits.h"
#include <errno.h>

enum { PORT = 7000 };

static struct sock *open_udp(struct net *net)
{
	struct sock *k;

	assert_int_equal(stack_open(net->s, SOCK_DGRAM, NULL, &k), 0);
	return k;
}

static int bind_to(struct sock *k, uint32_t ip, uint16_t port, bool reuse_port)
{
	struct endpoint local = at(ip, port);

	return stack_bind(k, &local, reuse_port);
}

static int connect_to(struct net *net, struct sock *k, uint32_t ip, uint16_t port)
{
	struct endpoint peer = at(ip, port);

	return stack_connect(k, &peer, net->now_ns);
}

/* Receives and drops: the length, or the error. */
static int receive(struct net *net, struct sock *k)
{
	struct stack_received r;
	int got = stack_recv(k, UINT32_MAX, &r, net->now_ns);

	if (got != 1)
		return got;
	buf_unref(r.buf);
	return (int)r.len;
}

static void a_port_is_bound_once(void **state)
{
	struct net *net = *state;
	struct sock *k = open_udp(net), *other = open_udp(net);
	struct endpoint local;

	assert_int_equal(bind_to(k, 0, PORT, false), 0);
	assert_int_equal(bind_to(k, 0, PORT + 1, false), -EINVAL);
	assert_int_equal(bind_to(other, 0, PORT, false), -EADDRINUSE);
	assert_int_equal(bind_to(other, OUR_IP, PORT, true), -EADDRINUSE);
	assert_int_equal(bind_to(other, PEER_IP, PORT, false), -EADDRNOTAVAIL);
	assert_int_equal(bind_to(other, 0x7f000001, PORT, false), -EADDRNOTAVAIL);
	assert_int_equal(bind_to(other, OUR_IP, PORT + 1, false), 0);
	local = stack_local(other);
	assert_int_equal(ip4_get(&local.ip), OUR_IP);
	stack_close(k, net->now_ns);
	assert_int_equal(bind_to(open_udp(net), 0, PORT, false), 0);
}

static void port_0_chooses_a_free_one_that_is_hard_to_guess(void **state)
{
	struct net *net = *state;
	static bool seen[65536];
	unsigned in_order = 0;
	uint16_t before = 0;

	for (unsigned i = 0; i < net->cfg.max_udp; i++) {
		struct sock *k = open_udp(net);
		uint16_t port;

		assert_int_equal(bind_to(k, 0, 0, false), 0);
		port = stack_local(k).port;
		assert_in_range(port, PORT_EPHEMERAL_FIRST, PORT_EPHEMERAL_LAST);
		assert_false(seen[port]);
		seen[port] = true;
		in_order += port == before + 1;
		before = port;
	}
	assert_in_range(in_order, 0, 10);
}

static void when_all_ports_are_taken_bind_says_so(void **state)
{
	struct net *net = *state;
	uint32_t ports = PORT_EPHEMERAL_LAST - PORT_EPHEMERAL_FIRST + 1;

	net->cfg.max_udp = ports + 1;
	net_restart(net);
	for (uint32_t i = 0; i < ports; i++)
		assert_int_equal(
		    bind_to(open_udp(net), 0, (uint16_t)(PORT_EPHEMERAL_FIRST + i), false), 0);
	assert_int_equal(bind_to(open_udp(net), 0, 0, false), -EADDRINUSE);
}

static void sockets_are_bounded_in_number(void **state)
{
	struct net *net = *state;
	struct sock *k = NULL, *other;

	for (unsigned i = 0; i < net->cfg.max_udp; i++)
		k = open_udp(net);
	assert_int_equal(stack_open(net->s, SOCK_DGRAM, NULL, &other), -ENOMEM);
	stack_close(k, net->now_ns);
	assert_int_equal(stack_open(net->s, SOCK_DGRAM, NULL, &other), 0);
	assert_int_equal(stack_open(net->s, SOCK_RAW, NULL, &other), -ENOTSUP);
}

static void a_shared_port_spreads_peers_and_keeps_each_at_one_socket(void **state)
{
	struct net *net = *state;
	struct sock *k[4];
	unsigned got[4] = {0};

	for (unsigned i = 0; i < 4; i++) {
		k[i] = open_udp(net);
		assert_int_equal(bind_to(k[i], 0, PORT, true), 0);
	}
	for (uint16_t port = 1; port <= 200; port++) {
		unsigned takers = 0;

		net_give_udp(net, PEER_IP, port, PORT, "a", 1);
		net_give_udp(net, PEER_IP, port, PORT, "b", 1);
		for (unsigned i = 0; i < 4; i++) {
			if (receive(net, k[i]) != 1)
				continue;
			takers++;
			got[i]++;
			assert_int_equal(receive(net, k[i]), 1);
		}
		assert_int_equal(takers, 1);
	}
	for (unsigned i = 0; i < 4; i++)
		assert_in_range(got[i], 20, 80);
	assert_int_equal(bind_to(open_udp(net), 0, PORT, false), -EADDRINUSE);
}

static void a_connected_socket_hears_its_peer_alone(void **state)
{
	struct net *net = *state;
	struct sock *k;

	net_restart_with_statics(net);
	k = net_udp(net, PORT);
	assert_int_equal(connect_to(net, k, PEER_IP, 9), 0);
	net_give_udp(net, PEER_IP, 10, PORT, "no", 2);
	net_give_udp(net, THIRD_IP, 9, PORT, "no", 2);
	assert_int_equal(receive(net, k), -EAGAIN);
	assert_int_equal(stack_stats(net->s)->drop_udp_no_socket, 2);
	net_give_udp(net, PEER_IP, 9, PORT, "yes", 3);
	assert_int_equal(receive(net, k), 3);
	assert_int_equal(connect_to(net, k, THIRD_IP, 9), 0);
	net_give_udp(net, PEER_IP, 9, PORT, "no", 2);
	assert_int_equal(receive(net, k), -EAGAIN);
	net_give_udp(net, THIRD_IP, 9, PORT, "yes", 3);
	assert_int_equal(receive(net, k), 3);
}

static void a_connected_socket_comes_before_those_that_share_its_port(void **state)
{
	struct net *net = *state;
	struct sock *k = open_udp(net), *other = open_udp(net);

	assert_int_equal(bind_to(k, 0, PORT, true), 0);
	assert_int_equal(bind_to(other, 0, PORT, true), 0);
	assert_int_equal(connect_to(net, k, PEER_IP, 9), 0);
	net_give_udp(net, PEER_IP, 9, PORT, "a", 1);
	net_give_udp(net, PEER_IP, 10, PORT, "bc", 2);
	assert_int_equal(receive(net, k), 1);
	assert_int_equal(receive(net, k), -EAGAIN);
	assert_int_equal(receive(net, other), 2);
	stack_close(k, net->now_ns);
	net_give_udp(net, PEER_IP, 9, PORT, "a", 1);
	assert_int_equal(receive(net, other), 1);
}

static void connect_chooses_a_port_and_the_local_address(void **state)
{
	struct net *net = *state;
	struct sock *k = open_udp(net);
	struct endpoint e;

	assert_int_equal(net_send(net, k, "x", 1, 0, 0), -EDESTADDRREQ);
	assert_int_equal(connect_to(net, k, PEER_IP, 0), -EADDRNOTAVAIL);
	assert_int_equal(connect_to(net, k, PEER_IP, 9), 0);
	e = stack_local(k);
	assert_true(e.port != 0 && ip4_get(&e.ip) == OUR_IP);
	e = stack_peer(k);
	assert_true(e.port == 9 && ip4_get(&e.ip) == PEER_IP);
}

static void an_unbound_socket_gets_a_port_when_it_sends(void **state)
{
	struct net *net = *state;
	struct sock *k;

	net_restart_with_statics(net);
	k = open_udp(net);
	assert_int_equal(net_send(net, k, "x", 1, PEER_IP, 9), 0);
	assert_true(net_take(net) > 0);
	assert_int_equal(get_be16(out_l4(net)), stack_local(k).port);
	net_give_udp(net, PEER_IP, 9, stack_local(k).port, "y", 1);
	assert_int_equal(receive(net, k), 1);
}

static void a_datagram_without_checksum_is_taken(void **state)
{
	struct net *net = *state;
	struct sock *k = net_udp(net, PORT);
	struct test_ip h = {.protocol = IPPROTO_UDP};
	uint8_t l4[64];

	build_udp(l4, &h, 9, PORT, "data", 4);
	put_be16(l4 + 6, 0);
	net_give_ip(net, &h, l4, 12);
	assert_int_equal(receive(net, k), 4);
}

static void every_damaged_byte_is_noticed(void **state)
{
	struct net *net = *state;
	struct sock *k = net_udp(net, PORT);
	struct test_ip h = {.protocol = IPPROTO_UDP};
	uint8_t l4[64];
	size_t len = build_udp(l4, &h, 9, PORT, "datas", 5);

	for (size_t i = 0; i < len; i++) {
		if (i == 4 || i == 5)
			continue; /* the length: below */
		l4[i] ^= 0x10;
		net_give_ip(net, &h, l4, len);
		l4[i] ^= 0x10;
	}
	assert_int_equal(stack_stats(net->s)->drop_udp_checksum, len - 2);
	assert_int_equal(receive(net, k), -EAGAIN);
}

static void a_checksum_that_the_device_verified_is_not_made_again(void **state)
{
	struct net *net = *state;
	struct sock *k = net_udp(net, PORT);
	struct test_ip h = {.protocol = IPPROTO_UDP};
	struct buf *b = pool_get(net->pool);
	uint8_t l4[64];

	build_udp(l4, &h, 9, PORT, "data", 4);
	l4[9] ^= 1;
	b->len = (uint32_t)build_ip(b->data, &h, l4, 12);
	b->flags |= BUF_CSUM_OK;
	stack_input(net->s, &b, 1, net->now_ns);
	assert_int_equal(receive(net, k), 4);
}

static void the_length_field_rules(void **state)
{
	struct net *net = *state;
	struct sock *k = net_udp(net, PORT);
	struct test_ip h = {.protocol = IPPROTO_UDP};
	uint8_t l4[64] = {0};

	build_udp(l4, &h, 9, PORT, "data", 4);
	net_give_ip(net, &h, l4, 20); /* something behind it */
	assert_int_equal(receive(net, k), 4);
	put_be16(l4 + 4, 7);
	net_give_ip(net, &h, l4, 12);
	put_be16(l4 + 4, 13);
	net_give_ip(net, &h, l4, 12);
	net_give_ip(net, &h, l4, 7);
	assert_int_equal(stack_stats(net->s)->drop_udp_malformed, 3);
	assert_int_equal(receive(net, k), -EAGAIN);
}

static void an_empty_datagram_is_a_datagram(void **state)
{
	struct net *net = *state;
	struct sock *k;
	struct stack_received r;

	net_restart_with_statics(net);
	k = net_udp(net, PORT);
	net_give_udp(net, PEER_IP, 9, PORT, "", 0);
	assert_int_equal(stack_recv(k, 1, &r, net->now_ns), 1);
	assert_int_equal(r.len, 0);
	assert_int_equal(r.from.port, 9);
	buf_unref(r.buf);
	assert_int_equal(stack_recv(k, 1, &r, net->now_ns), -EAGAIN);
	assert_int_equal(net_send(net, k, NULL, 0, PEER_IP, 9), 0);
	assert_int_equal(net_take(net), 14 + 28);
	assert_true(out_checksums_ok(net));
}

static void what_a_short_receive_leaves_comes_next(void **state)
{
	struct net *net = *state;
	struct sock *k = net_udp(net, PORT);
	struct stack_received r[4];
	uint8_t peeked[16];

	net_give_udp(net, PEER_IP, 9, PORT, "0123456789", 10);
	net_give_udp(net, THIRD_IP, 8, PORT, "next", 4);
	assert_int_equal(stack_recv(k, 0, &r[0], net->now_ns), -EINVAL);
	assert_int_equal(stack_recv(k, 4, &r[0], net->now_ns), 1);
	assert_int_equal(stack_peek(k, peeked, 3), 3);
	assert_memory_equal(peeked, "456", 3);
	assert_int_equal(stack_recv(k, 4, &r[1], net->now_ns), 1);
	assert_int_equal(stack_recv(k, 4, &r[2], net->now_ns), 1);
	assert_int_equal(stack_recv(k, 4, &r[3], net->now_ns), 1);
	assert_int_equal(r[2].len, 2);
	assert_memory_equal(r[0].data, "0123", 4);
	assert_memory_equal(r[1].data, "4567", 4);
	assert_memory_equal(r[2].data, "89", 2);
	assert_memory_equal(r[3].data, "next", 4);
	assert_true(r[2].from.port == 9 && r[3].from.port == 8);
	assert_ptr_equal(r[0].buf, r[2].buf);
	for (unsigned i = 0; i < 4; i++)
		buf_unref(r[i].buf);
	assert_int_equal(stack_peek(k, peeked, 3), -EAGAIN);
}

static void received_bytes_are_handed_out_where_they_lie(void **state)
{
	struct net *net = *state;
	struct sock *k = net_udp(net, PORT);
	struct test_ip h = {.protocol = IPPROTO_UDP};
	struct buf *b = pool_get(net->pool), *given = b;
	struct stack_received r;
	uint8_t l4[64];

	b->len = (uint32_t)build_ip(b->data, &h, l4, build_udp(l4, &h, 9, PORT, "data", 4));
	stack_input(net->s, &b, 1, net->now_ns);
	assert_int_equal(stack_recv(k, 9, &r, net->now_ns), 1);
	assert_ptr_equal(r.buf, given);
	assert_ptr_equal(r.data, given->base + BUF_HEADROOM_BYTES + 42);
	assert_true(buf_sole(r.buf));
	buf_unref(r.buf);
}

static void a_frame_that_others_read_is_copied(void **state)
{
	struct net *net = *state;
	struct sock *k = net_udp(net, PORT);
	struct test_ip h = {.protocol = IPPROTO_UDP};
	struct buf *b = pool_get(net->pool);
	struct stack_received r;
	uint8_t l4[64], before[64];

	b->len = (uint32_t)build_ip(b->data, &h, l4, build_udp(l4, &h, 9, PORT, "data", 4));
	memcpy(before, b->data, b->len);
	buf_ref(b);
	stack_input(net->s, &b, 1, net->now_ns);
	assert_memory_equal(b->data, before, 46);
	assert_int_equal(stack_recv(k, 9, &r, net->now_ns), 1);
	assert_ptr_not_equal(r.buf, b);
	assert_memory_equal(r.data, "data", 4);
	assert_int_equal(r.from.port, 9);
	buf_unref(r.buf);
	buf_unref(b);
}

static void a_receive_queue_is_bounded_by_the_memory_that_it_holds(void **state)
{
	struct net *net = *state;
	struct sock *k = net_udp(net, PORT);
	int size = 10 * (TEST_POOL_ROOM + 64) / 2, got;
	uint32_t len = sizeof(got);

	assert_int_equal(stack_setsockopt(k, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size)), 0);
	assert_int_equal(stack_getsockopt(k, SOL_SOCKET, SO_RCVBUF, &got, &len), 0);
	assert_int_equal(got, 2 * size);
	assert_int_equal(stack_setsockopt(k, SOL_SOCKET, SO_RCVBUF, &(int){INT32_MAX}, 4), 0);
	assert_int_equal(stack_getsockopt(k, SOL_SOCKET, SO_RCVBUF, &got, &len), 0);
	assert_int_equal(got, UDP_RECV_MAX_BYTES);
	assert_int_equal(stack_setsockopt(k, SOL_SOCKET, SO_RCVBUF, &(int){0}, 4), 0);
	assert_int_equal(stack_getsockopt(k, SOL_SOCKET, SO_RCVBUF, &got, &len), 0);
	assert_int_equal(got, 2);
	assert_int_equal(stack_setsockopt(k, SOL_SOCKET, SO_RCVBUF, &(int){-1}, 4), 0);
	assert_int_equal(stack_getsockopt(k, SOL_SOCKET, SO_RCVBUF, &got, &len), 0);
	assert_int_equal(got, UDP_RECV_MAX_BYTES);
	assert_int_equal(stack_setsockopt(k, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size)), 0);
	for (unsigned i = 0; i < 15; i++)
		net_give_udp(net, PEER_IP, 9, PORT, "x", 1);
	assert_int_equal(stack_stats(net->s)->drop_udp_queue_full, 5);
	for (unsigned i = 0; i < 10; i++)
		assert_int_equal(receive(net, k), 1);
	assert_int_equal(receive(net, k), -EAGAIN);
	net_give_udp(net, PEER_IP, 9, PORT, "x", 1);
	assert_int_equal(receive(net, k), 1);
}

static void all_receive_queues_together_leave_half_of_the_pool(void **state)
{
	struct net *net = *state;

	for (uint16_t i = 0; i < 4; i++)
		net_udp(net, PORT + i);
	for (unsigned i = 0; i < 2 * TEST_POOL_BUFFERS; i++)
		net_give_udp(net, PEER_IP, 9, (uint16_t)(PORT + i % 4), "x", 1);
	assert_in_range(net->pool->free_count, TEST_POOL_BUFFERS / 2, TEST_POOL_BUFFERS);
	assert_true(stack_stats(net->s)->drop_udp_queue_full > TEST_POOL_BUFFERS);
}

static void what_was_sent_before_close_still_goes_out(void **state)
{
	struct net *net = *state;
	struct sock *k = net_udp(net, PORT);

	net_give_udp(net, PEER_IP, 9, PORT, "unread", 6);
	assert_int_equal(net_send(net, k, "x", 1, THIRD_IP, 9), 0);
	stack_close(k, net->now_ns);
	assert_int_equal(net_events(net), 0);
	assert_true(stack_busy(net->s));
	net_drain(net);
	net_give_udp(net, PEER_IP, 9, PORT, "late", 4);
	assert_int_equal(stack_stats(net->s)->drop_udp_no_socket, 1);
	net_give_arp_reply(net, THIRD_IP, third_mac);
	while (net_take(net) > 0 && out_dst_ip(net) != THIRD_IP)
		;
	assert_int_equal(out_l4(net)[8], 'x');
	for (unsigned i = 0; i < net->cfg.max_udp; i++)
		open_udp(net);
}

static void datagrams_leave_the_last_of_the_pool_alone(void **state)
{
	struct net *net = *state;
	struct buf *held[TEST_POOL_BUFFERS];
	struct sock *k = net_udp(net, PORT);
	unsigned n = 0;

	while (net->pool->free_count > TEST_POOL_BUFFERS / UDP_POOL_LOW_DIVISOR)
		held[n++] = pool_get(net->pool);
	net_give_udp(net, PEER_IP, 9, PORT, "x", 1);
	assert_int_equal(receive(net, k), -EAGAIN);
	assert_int_equal(stack_stats(net->s)->drop_no_buffer, 1);
	while (n > 0)
		buf_unref(held[--n]);
	net_give_udp(net, PEER_IP, 9, PORT, "x", 1);
	assert_int_equal(receive(net, k), 1);
}

static void shutdown_ends_each_direction(void **state)
{
	struct net *net = *state;
	struct sock *k;

	net_restart_with_statics(net);
	k = net_udp(net, PORT);
	assert_int_equal(stack_shutdown(k, SHUT_RD, net->now_ns), -ENOTCONN);
	assert_int_equal(connect_to(net, k, PEER_IP, 9), 0);
	assert_int_equal(stack_shutdown(k, 77, net->now_ns), -EINVAL);
	net_give_udp(net, PEER_IP, 9, PORT, "abc", 3);
	assert_int_equal(stack_shutdown(k, SHUT_RD, net->now_ns), 0);
	assert_int_equal(receive(net, k), 3);
	assert_int_equal(receive(net, k), 0);
	net_give_udp(net, PEER_IP, 9, PORT, "abc", 3);
	assert_int_equal(receive(net, k), 0);
	assert_int_equal(net_send(net, k, "x", 1, 0, 0), 0);
	assert_int_equal(stack_shutdown(k, SHUT_WR, net->now_ns), 0);
	assert_int_equal(net_send(net, k, "x", 1, 0, 0), -EPIPE);
}

static void options_have_the_kernels_names_and_types(void **state)
{
	struct net *net = *state;
	struct sock *k = open_udp(net);
	struct linger l = {1, 7}, l2 = {0, 0};
	uint32_t len = sizeof(l2);
	int on = 1, v = 0;

	assert_int_equal(stack_setsockopt(k, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on)), 0);
	assert_int_equal(bind_to(k, 0, PORT, false), 0);
	assert_int_equal(bind_to(open_udp(net), 0, PORT, true), 0);
	assert_int_equal(stack_setsockopt(k, SOL_SOCKET, SO_LINGER, &l, sizeof(l)), 0);
	assert_int_equal(stack_getsockopt(k, SOL_SOCKET, SO_LINGER, &l2, &len), 0);
	assert_memory_equal(&l, &l2, sizeof(l));
	len = sizeof(v);
	assert_int_equal(stack_getsockopt(k, SOL_SOCKET, SO_TYPE, &v, &len), 0);
	assert_int_equal(v, SOCK_DGRAM);
	assert_int_equal(stack_getsockopt(k, SOL_SOCKET, SO_REUSEPORT, &v, &len), 0);
	assert_int_equal(v, 1);
	assert_int_equal(stack_setsockopt(k, SOL_SOCKET, SO_REUSEPORT, &on, 3), -EINVAL);
	len = 3;
	v = 0;
	assert_int_equal(stack_getsockopt(k, SOL_SOCKET, SO_TYPE, &v, &len), 0);
	assert_int_equal(len, 3); /* cut short */
	assert_int_equal(v, SOCK_DGRAM);
	assert_int_equal(stack_setsockopt(k, SOL_SOCKET, 12345, &on, sizeof(on)), -ENOPROTOOPT);
	assert_int_equal(stack_getsockopt(k, SOL_SOCKET, 12345, &v, &len), -ENOPROTOOPT);
	len = sizeof(v);
	assert_int_equal(stack_setsockopt(k, IPPROTO_TCP, 1, &on, sizeof(on)), -ENOPROTOOPT);
	assert_int_equal(stack_getsockopt(k, IPPROTO_TCP, 1, &v, &len), -ENOPROTOOPT);
	assert_int_equal(stack_setsockopt(k, IPPROTO_UDP, 1, &on, sizeof(on)), -ENOTSUP);
	assert_int_equal(stack_getsockopt(k, IPPROTO_UDP, 1, &v, &len), -ENOTSUP);
}

static void so_error_tells_and_clears(void **state)
{
	struct net *net = *state;
	struct sock *k;
	uint32_t len = sizeof(int);
	int v = 0;

	net_restart_with_statics(net);
	k = net_udp(net, PORT);
	assert_int_equal(connect_to(net, k, PEER_IP, 9), 0);
	assert_int_equal(net_send(net, k, "x", 1, 0, 0), 0);
	net_take(net);
	net_give_icmp_about_out(net, 3, 3, 0);
	assert_int_equal(stack_getsockopt(k, SOL_SOCKET, SO_ERROR, &v, &len), 0);
	assert_int_equal(v, ECONNREFUSED);
	assert_int_equal(stack_getsockopt(k, SOL_SOCKET, SO_ERROR, &v, &len), 0);
	assert_int_equal(v, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    net_test(a_port_is_bound_once),
	    net_test(port_0_chooses_a_free_one_that_is_hard_to_guess),
	    net_test(when_all_ports_are_taken_bind_says_so),
	    net_test(sockets_are_bounded_in_number),
	    net_test(a_shared_port_spreads_peers_and_keeps_each_at_one_socket),
	    net_test(a_connected_socket_hears_its_peer_alone),
	    net_test(a_connected_socket_comes_before_those_that_share_its_port),
	    net_test(connect_chooses_a_port_and_the_local_address),
	    net_test(an_unbound_socket_gets_a_port_when_it_sends),
	    net_test(a_datagram_without_checksum_is_taken),
	    net_test(every_damaged_byte_is_noticed),
	    net_test(a_checksum_that_the_device_verified_is_not_made_again),
	    net_test(the_length_field_rules),
	    net_test(an_empty_datagram_is_a_datagram),
	    net_test(what_a_short_receive_leaves_comes_next),
	    net_test(received_bytes_are_handed_out_where_they_lie),
	    net_test(a_frame_that_others_read_is_copied),
	    net_test(a_receive_queue_is_bounded_by_the_memory_that_it_holds),
	    net_test(all_receive_queues_together_leave_half_of_the_pool),
	    net_test(what_was_sent_before_close_still_goes_out),
	    net_test(datagrams_leave_the_last_of_the_pool_alone),
	    net_test(shutdown_ends_each_direction),
	    net_test(options_have_the_kernels_names_and_types),
	    net_test(so_error_tells_and_clears),
	};

	return cmocka_run_group_tests_name("udp", tests, NULL, NULL);
}
