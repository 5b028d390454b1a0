/* SPDX-License-Identifier: MIT */
#include "inet/inet_test.h"
#include "base/bytes.h"
#include "base/checksum.h"
#include "inet/limits.h"
#include <errno.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>

enum { PORT = 7000 };

static void a_datagram_goes_out_after_arp_and_its_answer_comes_in(void **state)
{
	struct net *net = *state;
	struct sock *k = net_udp(net, PORT);
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

	net_give_udp(net, PEER_IP, 9, PORT, "world!", 6);
	assert_int_equal(net_events(net), STACK_EV_READ);
	assert_int_equal(stack_recv(k, 100, &r, net->now_ns), 1);
	assert_int_equal(r.len, 6);
	assert_memory_equal(r.data, "world!", 6);
	assert_true(r.from.port == 9 && ip4_get(&r.from.ip) == PEER_IP);
	buf_unref(r.buf);
	assert_int_equal(stack_recv(k, 100, &r, net->now_ns), -EAGAIN);
}

static void expect_refused(const struct stack_config *cfg)
{
	struct stack *s = NULL;

	assert_int_equal(stack_create(&s, cfg, 0), -EINVAL);
	assert_null(s);
}

static void impossible_configurations_are_refused(void **state)
{
	struct net *net = *state;
	const struct stack_config good = net->cfg;
	struct stack_config cfg;
	struct pool *small;

	cfg = good, cfg.mac[0] = 1, expect_refused(&cfg);
	cfg = good, memset(cfg.mac, 0, 6), expect_refused(&cfg);
	cfg = good, cfg.addr = ip4(0), expect_refused(&cfg);
	cfg = good, cfg.addr = ip4(0x7f000001), expect_refused(&cfg);
	cfg = good, cfg.addr = ip4(0x0a0000ff), expect_refused(&cfg);
	cfg = good, memset(&cfg.addr, 1, sizeof(cfg.addr)), expect_refused(&cfg);
	cfg = good, cfg.prefix_len = 33, expect_refused(&cfg);
	cfg = good, cfg.gateway = ip4(FAR_IP), expect_refused(&cfg);
	cfg = good, cfg.gateway = ip4(OUR_IP), expect_refused(&cfg);
	cfg = good, cfg.gateway = ip4(0x0a0000ff), expect_refused(&cfg);
	cfg = good, cfg.mtu = 67, expect_refused(&cfg);
	cfg = good, cfg.vlan_id = 4095, expect_refused(&cfg);
	cfg = good, cfg.pool = NULL, expect_refused(&cfg);
	cfg = good, cfg.max_frags = FRAME_FRAGS + 1, expect_refused(&cfg);
	cfg = good, cfg.max_neighbours = 0, expect_refused(&cfg);
	cfg = good, cfg.arp_cache_ttl_s = 0, expect_refused(&cfg);
	cfg = good, cfg.arp_request_timeout_ms = 0, expect_refused(&cfg);
	cfg = good, cfg.arp_request_retries = 255, expect_refused(&cfg);
	assert_int_equal(pool_create(&small, 4, 512, 128, NULL), 0);
	cfg = good, cfg.pool = small, expect_refused(&cfg);
	pool_destroy(small);
	assert_int_equal(pool_create(&small, 4, 2048, 0, NULL), 0);
	cfg = good, cfg.pool = small, expect_refused(&cfg);
	pool_destroy(small);
}

static void a_stack_at_rest_has_no_deadline(void **state)
{
	struct net *net = *state;

	assert_int_equal(stack_next_deadline(net->s), UINT64_MAX);
	net_restart_with_statics(net);
	net_udp(net, PORT);
	net_give_udp(net, PEER_IP, 9, PORT, "x", 1);
	net_drain(net);
	assert_int_equal(stack_next_deadline(net->s), UINT64_MAX);
	stack_tick(net->s, net->now_ns);
}

/* Whatever the stack does by itself in an hour happens when it said so, and not in between. */
static void between_deadlines_nothing_happens(void **state)
{
	struct net *net = *state;
	struct sock *k = net_udp(net, PORT);
	struct test_ip h = {.protocol = IPPROTO_UDP, .fragment = 0x2000 | 10};
	uint8_t payload[80] = {0};
	uint64_t end_ns = net->now_ns + UINT64_C(3600000000000);
	unsigned steps = 0;

	assert_int_equal(net_send(net, k, "x", 1, PEER_IP, 9), 0);
	assert_int_equal(net_send(net, k, "x", 1, THIRD_IP, 9), 0);
	net_drain(net);
	net_give_arp_reply(net, PEER_IP, peer_mac);
	net_give_ip(net, &h, payload, sizeof(payload));
	net_drain(net);
	while (stack_next_deadline(net->s) < end_ns) {
		uint64_t deadline_ns = stack_next_deadline(net->s);
		struct stack_stats before;

		before = *stack_stats(net->s);
		stack_tick(net->s, deadline_ns - 1);
		assert_int_equal(stack_output(net->s, &net->frame, 1, deadline_ns - 1), 0);
		assert_memory_equal(&before, stack_stats(net->s), sizeof(before));
		assert_int_equal(stack_next_deadline(net->s), deadline_ns);
		net->now_ns = deadline_ns;
		stack_tick(net->s, deadline_ns);
		net_drain(net);
		assert_true(stack_next_deadline(net->s) > deadline_ns);
		steps++;
	}
	/* Five requests for the silent one, its hold; the other's last part of life; its end and
	 * that of the fragment together. */
	assert_int_equal(steps, 8);
	assert_int_equal(stack_next_deadline(net->s), UINT64_MAX);
}

static void a_clock_that_goes_back_moves_nothing(void **state)
{
	struct net *net = *state;
	struct sock *k = net_udp(net, PORT);
	struct endpoint third = at(THIRD_IP, 9);
	uint64_t deadline_ns;

	assert_int_equal(net_send(net, k, "x", 1, PEER_IP, 9), 0);
	net_drain(net);
	deadline_ns = stack_next_deadline(net->s);
	stack_tick(net->s, 0);
	assert_int_equal(net_send(net, k, "x", 1, PEER_IP, 9), 0);
	assert_int_equal(stack_next_deadline(net->s), deadline_ns);
	assert_int_equal(net_drain(net), 0);
	stack_tick(net->s, 1);
	assert_int_equal(stack_sendto(k, NULL, (const uint8_t *)"x", 1, &third, 2), 0);
	assert_int_equal(stack_next_deadline(net->s), deadline_ns);
}

static void each_socket_is_in_one_event_however_much_came(void **state)
{
	struct net *net = *state;
	struct sock *k[3];
	struct stack_event ev[4];
	int user[3];

	for (unsigned i = 0; i < 3; i++) {
		k[i] = net_udp(net, (uint16_t)(PORT + i));
		stack_set_user(k[i], &user[i]);
	}
	for (unsigned i = 0; i < 30; i++)
		net_give_udp(net, PEER_IP, 9, (uint16_t)(PORT + 2 - i % 3), "x", 1);
	assert_int_equal(stack_events(net->s, ev, 2), 2);
	assert_ptr_equal(ev[0].sock, k[2]);
	assert_ptr_equal(ev[0].user, &user[2]);
	assert_ptr_equal(ev[1].sock, k[1]);
	assert_int_equal(ev[1].bits, STACK_EV_READ);
	stack_close(k[0], net->now_ns);
	assert_int_equal(stack_events(net->s, ev, 4), 0);
	net_give_udp(net, PEER_IP, 9, PORT + 1, "x", 1);
	assert_int_equal(stack_events(net->s, ev, 4), 1);
	assert_ptr_equal(ev[0].sock, k[1]);
}

static void a_burst_of_frames_is_taken_in_order(void **state)
{
	struct net *net = *state;
	struct sock *k = net_udp(net, PORT);
	struct test_ip h = {.protocol = IPPROTO_UDP};
	struct buf *bufs[32];
	uint8_t l4[64];

	for (uint8_t i = 0; i < 32; i++) {
		bufs[i] = pool_get(net->pool);
		bufs[i]->len =
		    (uint32_t)build_ip(bufs[i]->data, &h, l4, build_udp(l4, &h, 9, PORT, &i, 1));
	}
	stack_input(net->s, bufs, 32, net->now_ns);
	assert_int_equal(stack_stats(net->s)->rx_frames, 32);
	for (uint8_t i = 0; i < 32; i++) {
		struct stack_received r;

		assert_int_equal(stack_recv(k, 9, &r, net->now_ns), 1);
		assert_int_equal(r.data[0], i);
		buf_unref(r.buf);
	}
}

static void output_fills_at_most_what_it_is_given(void **state)
{
	struct net *net = *state;
	struct frame frames[8];
	struct sock *k;

	net_restart_with_statics(net);
	k = net_udp(net, PORT);
	for (unsigned i = 0; i < 10; i++)
		assert_int_equal(net_send(net, k, "x", 1, PEER_IP, 9), 0);
	assert_int_equal(stack_output(net->s, frames, 0, net->now_ns), 0);
	assert_int_equal(stack_output(net->s, frames, 8, net->now_ns), 8);
	for (unsigned i = 0; i < 8; i++)
		frame_release(&frames[i]);
	assert_int_equal(stack_output(net->s, frames, 8, net->now_ns), 2);
	frame_release(&frames[0]);
	frame_release(&frames[1]);
	assert_int_equal(stack_stats(net->s)->tx_frames, 10);
}

static void fill_arrays_with_datagrams_and_a_syn(struct net *net)
{
	enum { FRAMES = 4 };
	struct frame frames[FRAMES + 1] = {0};
	struct endpoint to = at(PEER_IP, 80);
	struct sock *udp = net_udp(net, PORT), *tcp;

	assert_int_equal(stack_open(net->s, SOCK_STREAM, NULL, &tcp), 0);
	assert_int_equal(stack_connect(tcp, &to, net->now_ns), -EINPROGRESS);
	for (int i = 0; i < 3 * FRAMES; i++)
		assert_int_equal(net_send(net, udp, "x", 1, PEER_IP, 9), 0);
	for (int calls = 0; calls < 3; calls++) {
		assert_int_equal(stack_output(net->s, frames, FRAMES, net->now_ns), FRAMES);
		assert_null(frames[FRAMES].head);
		for (int i = 0; i < FRAMES; i++)
			frame_release(&frames[i]);
	}
	assert_int_equal(net_drain(net), 1);
}

static void a_full_array_takes_no_more_whoever_is_first(void **state)
{
	struct net *net = *state;

	net_restart_with_statics(net);
	fill_arrays_with_datagrams_and_a_syn(net);
	net_restart_with_statics(net);
	assert_int_equal(net_drain(net), 0); /* now the others have the first turn */
	fill_arrays_with_datagrams_and_a_syn(net);
}

static void what_tcp_asks_for_goes_out_in_the_same_call(void **state)
{
	struct net *net = *state;
	struct endpoint peer = at(PEER_IP, 9);
	struct sock *k;

	assert_int_equal(stack_open(net->s, SOCK_STREAM, NULL, &k), 0);
	assert_int_equal(stack_connect(k, &peer, net->now_ns), -EINPROGRESS);
	assert_true(net_take(net) > 0);
	assert_true(out_is_arp(net, 1, PEER_IP));
	net_give_arp_reply(net, PEER_IP, peer_mac);
	assert_true(net_take(net) > 0);
	assert_int_equal(out_protocol(net), IPPROTO_TCP);
}

static void answers_go_before_datagrams(void **state)
{
	struct net *net = *state;
	struct sock *k;
	struct test_ip h = {.protocol = IPPROTO_ICMP};
	uint8_t l4[64];

	net_restart_with_statics(net);
	k = net_udp(net, PORT);
	assert_int_equal(net_send(net, k, "x", 1, PEER_IP, 9), 0);
	net_give_ip(net, &h, l4, build_icmp(l4, 8, 0, 0, "ping", 4));
	assert_true(net_take(net) > 0);
	assert_int_equal(out_protocol(net), IPPROTO_ICMP);
	assert_true(net_take(net) > 0);
	assert_int_equal(out_protocol(net), IPPROTO_UDP);
}

static void answers_are_bounded_and_leave_the_programs_datagrams_their_place(void **state)
{
	struct net *net = *state;
	struct test_ip h = {.protocol = IPPROTO_ICMP};
	struct sock *k;
	uint8_t l4[64];

	net_restart_with_statics(net);
	k = net_udp(net, PORT);
	for (unsigned i = 0; i < OUTPUT_ANSWERS + 7; i++)
		net_give_ip(net, &h, l4, build_icmp(l4, 8, 0, 0, "ping", 4));
	assert_int_equal(stack_stats(net->s)->lost_output_queue, 7);
	assert_int_equal(net_send(net, k, "x", 1, PEER_IP, 9), 0);
	assert_int_equal(net_drain(net), OUTPUT_ANSWERS + 1);
}

static void a_stack_may_end_with_everything_under_way(void **state)
{
	struct net *net = *state;
	struct test_ip h = {.protocol = IPPROTO_UDP, .fragment = 0x2000};
	struct sock *k = net_udp(net, PORT);
	uint8_t payload[80] = {0};

	net_give_udp(net, PEER_IP, 9, PORT, "x", 1);
	net_give_udp(net, PEER_IP, 9, PORT + 1, "x", 1);
	net_give_ip(net, &h, payload, sizeof(payload));
	assert_int_equal(net_send(net, k, "x", 1, PEER_IP, 9), 0);
	assert_int_equal(net_send(net, k, "x", 1, THIRD_IP, 9), 0);
	stack_close(k, net->now_ns);
}

/* Frames of every kind, to be spoilt by the fuzzer below. */
static size_t any_frame(uint8_t *f, struct rng *r)
{
	static const uint8_t protocols[] = {IPPROTO_UDP, IPPROTO_ICMP, IPPROTO_TCP, IPPROTO_UDP,
					    132};
	struct test_ip h = {.protocol = protocols[rng_below(r, 5)],
			    .id = (uint16_t)rng_below(r, 4)};
	static const uint8_t options[8] = {68, 8, 5, 0, 0, 0, 0, 0};
	static const uint8_t payload[1400];
	uint8_t l4[2000] = {0};
	size_t len = rng_below(r, 1400);

	if (rng_below(r, 10) == 0)
		return build_arp(f, rng_below(r, 2) ? broadcast_mac : our_mac,
				 (uint16_t)(1 + rng_below(r, 2)), peer_mac,
				 PEER_IP + (uint32_t)rng_below(r, 5), OUR_IP);
	if (rng_below(r, 8) == 0) /* anything */
		h.fragment = (uint16_t)(rng_below(r, 2) << 13 | rng_below(r, 400));
	if (rng_below(r, 8) == 0) /* the first or the last of two */
		h.fragment = rng_below(r, 2) ? 100 : 0x2000;
	if (h.fragment == 0x2000)
		len = 800 - 8;
	if (rng_below(r, 4) == 0)
		h.options = options, h.options_len = 8;
	if (rng_below(r, 8) == 0)
		h.dst = 0x0a0000ff;
	h.src = rng_below(r, 4) ? 0 : PEER_IP + (uint32_t)rng_below(r, 300);
	if (h.protocol == IPPROTO_UDP)
		len = build_udp(l4, &h, 9, (uint16_t)(PORT + rng_below(r, 3)), payload, len);
	else if (h.protocol == IPPROTO_ICMP)
		len = build_icmp(l4, (uint8_t)(rng_below(r, 2) * 8 + rng_below(r, 5)), 3, 0,
				 payload, len);
	return build_ip(f, &h, l4, len);
}

/* Changes some bytes, and makes the IP header's checksum good again, mostly, so that it gets in. */
static size_t spoil(uint8_t *f, size_t len, struct rng *r)
{
	for (uint64_t n = rng_below(r, 4); n > 0; n--)
		f[rng_below(r, rng_below(r, 2) ? len : 60 < len ? 60 : len)] = (uint8_t)rng_u64(r);
	if (rng_below(r, 10) == 0)
		len = rng_below(r, len);
	if (len >= 34 && rng_below(r, 4) != 0 && len >= 14 + (f[14] & 0xfu) * 4) {
		put_be16(f + 24, 0);
		csum_store(f + 24, csum_partial(f + 14, (f[14] & 0xfu) * 4, 0));
	}
	return len;
}

static uint64_t accounted(const struct stack_stats *st)
{
	uint64_t sum = st->rx_arp + st->rx_icmp + st->rx_udp + st->rx_tcp + st->rx_fragments;

#define X(name, text)                                                                              \
	if (strncmp(#name, "drop_", 5) == 0)                                                       \
		sum += st->name;
	STACK_COUNTERS(X)
#undef X
	return sum;
}

/* Gives a frame that ends where its memory ends, so that a sanitizer sees who reads on. */
static void give_at_the_edge(struct net *net, struct pool *edge, const uint8_t *f, size_t len)
{
	struct buf *b = pool_get(edge);

	if (b == NULL) { /* still in a socket */
		net_give(net, f, len);
		return;
	}
	b->data = b->base + b->room - len;
	b->len = (uint32_t)len;
	memcpy(b->data, f, len);
	stack_input(net->s, &b, 1, net->now_ns);
}

static void every_frame_is_counted_once_whatever_is_in_it(void **state)
{
	struct net *net = *state;
	uint8_t *room = malloc(TEST_POOL_ROOM);
	struct pool *edge;
	const uint64_t key[2] = {3, 4};
	struct sock *k[2];
	struct rng r;
	uint8_t f[2048];

	net_restart_with_statics(net);
	k[0] = net_udp(net, PORT);
	k[1] = net_udp(net, PORT + 1);
	rng_init(&r, key);
	assert_int_equal(pool_create(&edge, 1, TEST_POOL_ROOM, BUF_HEADROOM_BYTES, room), 0);
	for (unsigned i = 0; i < 200000; i++) {
		const struct stack_stats *st = stack_stats(net->s);
		struct stack_received got;

		give_at_the_edge(net, edge, f, spoil(f, any_frame(f, &r), &r));
		assert_int_equal(st->rx_frames + st->rx_reassembled, accounted(st));
		net_drain(net);
		for (unsigned j = 0; j < 2; j++) {
			if (stack_recv(k[j], 1 + (uint32_t)rng_below(&r, 2000), &got,
				       net->now_ns) == 1)
				buf_unref(got.buf);
		}
		net_pass_ms(net, rng_below(&r, 20));
	}
	assert_true(stack_stats(net->s)->rx_udp > 5000);
	assert_true(stack_stats(net->s)->rx_reassembled > 10);
	net_restart(net);
	pool_destroy(edge);
	free(room);
}

static void nothing_is_allocated_after_create(void **state)
{
	struct net *net = *state;
	struct mallinfo2 before, after;
	static uint8_t data[5000];
	struct sock *k;

	before = mallinfo2();
	k = net_udp(net, PORT);
	for (unsigned i = 0; i < 2000; i++) {
		net_give_udp(net, PEER_IP + i % 100, 9, (uint16_t)(PORT + i % 2), data, 100);
		net_send(net, k, data, sizeof(data), PEER_IP + i % 50, 9);
		net_give_arp_reply(net, PEER_IP + i % 50, peer_mac);
		net_drain(net);
		net_events(net);
		net_pass_ms(net, 100);
	}
	after = mallinfo2();
	assert_int_equal(after.uordblks, before.uordblks);
	assert_int_equal(after.hblkhd, before.hblkhd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    net_test(a_datagram_goes_out_after_arp_and_its_answer_comes_in),
	    net_test(impossible_configurations_are_refused),
	    net_test(a_stack_at_rest_has_no_deadline),
	    net_test(between_deadlines_nothing_happens),
	    net_test(a_clock_that_goes_back_moves_nothing),
	    net_test(each_socket_is_in_one_event_however_much_came),
	    net_test(a_burst_of_frames_is_taken_in_order),
	    net_test(output_fills_at_most_what_it_is_given),
	    net_test(a_full_array_takes_no_more_whoever_is_first),
	    net_test(what_tcp_asks_for_goes_out_in_the_same_call),
	    net_test(answers_go_before_datagrams),
	    net_test(answers_are_bounded_and_leave_the_programs_datagrams_their_place),
	    net_test(a_stack_may_end_with_everything_under_way),
	    net_test(every_frame_is_counted_once_whatever_is_in_it),
	    net_test(nothing_is_allocated_after_create),
	};

	return cmocka_run_group_tests_name("stack", tests, NULL, NULL);
}
