/* SPDX-License-Identifier: MIT */
#include "inet/inet_test.h"
#include "base/bytes.h"
#include "base/checksum.h"
#include "inet/ip.h"
#include "inet/limits.h"
#include <errno.h>

enum { PORT = 7000, ECHO = 8, ECHO_REPLY = 0, UNREACHABLE = 3, FRAG_NEEDED = 4 };

static void give_echo(struct net *net, const void *payload, size_t len)
{
	struct test_ip h = {.protocol = IPPROTO_ICMP};
	uint8_t l4[2048];

	net_give_ip(net, &h, l4, build_icmp(l4, ECHO, 0, 0x12340001, payload, len));
}

static void expect_echo_reply(struct net *net, const void *payload, size_t len)
{
	assert_int_equal(net_take(net), 14 + 20 + 8 + len);
	assert_true(out_checksums_ok(net));
	assert_int_equal(out_dst_ip(net), PEER_IP);
	assert_int_equal(get_be16(out_l4(net)), ECHO_REPLY);
	assert_int_equal(get_be32(out_l4(net) + 4), 0x12340001);
	assert_memory_equal(out_l4(net) + 8, payload, len);
}

static void an_echo_is_answered_with_its_own_bytes(void **state)
{
	static uint8_t payload[1472];
	struct net *net = *state;

	net_restart_with_statics(net);
	give_echo(net, "ping", 4);
	expect_echo_reply(net, "ping", 4);
	give_echo(net, "", 0);
	expect_echo_reply(net, "", 0);
	for (unsigned i = 0; i < sizeof(payload); i++)
		payload[i] = (uint8_t)(i * 3);
	give_echo(net, payload, sizeof(payload));
	expect_echo_reply(net, payload, sizeof(payload));
	assert_int_equal(stack_stats(net->s)->rx_icmp, 3);
}

static void an_echo_of_any_checksum_gets_a_good_one(void **state)
{
	struct net *net = *state;

	net_restart_with_statics(net);
	for (uint32_t i = 0; i < 65536; i++) {
		uint8_t payload[2] = {(uint8_t)(i >> 8), (uint8_t)i};

		give_echo(net, payload, 2);
		expect_echo_reply(net, payload, 2);
		net->now_ns += 1000000;
	}
}

static void an_echo_in_a_buffer_that_others_read_is_answered_from_a_copy(void **state)
{
	struct net *net = *state;
	struct test_ip h = {.protocol = IPPROTO_ICMP};
	struct buf *b = pool_get(net->pool);
	uint8_t l4[64], before[64];

	net_restart_with_statics(net);
	b->len =
	    (uint32_t)build_ip(b->data, &h, l4, build_icmp(l4, ECHO, 0, 0x12340001, "ping", 4));
	memcpy(before, b->data, b->len);
	buf_ref(b);
	stack_input(net->s, &b, 1, net->now_ns);
	expect_echo_reply(net, "ping", 4);
	assert_memory_equal(b->data, before, b->len);
	buf_unref(b);
}

static void a_ping_goes_on_after_any_silence(void **state)
{
	struct net *net = *state;

	net_restart_with_statics(net);
	for (unsigned i = 0; i < 10; i++) {
		give_echo(net, "ping", 4);
		expect_echo_reply(net, "ping", 4);
		net_pass_ms(net, 5000u << i);
	}
}

static void a_large_echo_comes_and_goes_in_fragments(void **state)
{
	static uint8_t l4[65515];
	struct net *net = *state;
	struct test_ip h = {.protocol = IPPROTO_ICMP, .id = 5};
	size_t at = 0;
	uint16_t sum;

	net_restart_with_statics(net);
	for (size_t i = 0; i < sizeof(l4); i++)
		l4[i] = (uint8_t)(i * 7 + i / 256);
	build_icmp(l4, ECHO, 0, 0x12340001, l4 + 8, sizeof(l4) - 8);
	for (size_t from = 0; from < sizeof(l4); from += 1480) {
		size_t len = sizeof(l4) - from < 1480 ? sizeof(l4) - from : 1480;

		h.fragment = (uint16_t)(from / 8 | (from + len < sizeof(l4) ? 0x2000 : 0));
		net_give_ip(net, &h, l4 + from, len);
	}
	l4[0] = ECHO_REPLY;
	put_be16(l4 + 2, 0);
	sum = csum_fold(csum_partial(l4, sizeof(l4), 0));
	memcpy(l4 + 2, &sum, 2);
	while (net_take(net) > 0) {
		assert_true(out_checksums_ok(net));
		assert_memory_equal(out_l4(net), l4 + at, out_l4_len(net));
		at += out_l4_len(net);
	}
	assert_int_equal(at, sizeof(l4));
}

/* A device sends from the stack's pool, not from the rooms that datagrams are put together in. */
static void a_small_echo_in_fragments_is_answered_from_the_pool(void **state)
{
	struct net *net = *state;
	struct test_ip h = {.protocol = IPPROTO_ICMP, .id = 5, .fragment = 0x2000};
	uint8_t l4[108] = {0}, payload[100] = {1, 2, 3};

	net_restart_with_statics(net);
	build_icmp(l4, ECHO, 0, 0x12340001, payload, sizeof(payload));
	net_give_ip(net, &h, l4, 48);
	h.fragment = 48 / 8;
	net_give_ip(net, &h, l4 + 48, 60);
	expect_echo_reply(net, payload, sizeof(payload));
	assert_ptr_equal(net->frame.head->pool, net->pool);
}

static void echoes_to_broadcast_addresses_are_not_answered(void **state)
{
	struct net *net = *state;
	struct test_ip h = {.protocol = IPPROTO_ICMP, .dst = 0x0a0000ff, .dst_mac = broadcast_mac};
	uint8_t l4[64];

	net_restart_with_statics(net);
	net_give_ip(net, &h, l4, build_icmp(l4, ECHO, 0, 0, "ping", 4));
	h.dst = UINT32_MAX;
	net_give_ip(net, &h, l4, build_icmp(l4, ECHO, 0, 0, "ping", 4));
	assert_int_equal(net_drain(net), 0);
	assert_int_equal(stack_stats(net->s)->drop_icmp_broadcast, 2);
}

static void echoes_beyond_the_rate_are_not_answered(void **state)
{
	struct net *net = *state;
	unsigned answers = 0;

	net_restart_with_statics(net);
	for (unsigned i = 0; i < ICMP_ECHOES_BURST + 10; i++) {
		give_echo(net, "ping", 4);
		answers += net_drain(net);
	}
	assert_int_equal(answers, ICMP_ECHOES_BURST);
	assert_int_equal(stack_stats(net->s)->drop_icmp_rate, 10);
	net_pass_ms(net, 1);
	give_echo(net, "ping", 4);
	assert_int_equal(net_drain(net), 1);
}

static void malformed_messages_are_dropped(void **state)
{
	struct net *net = *state;
	struct test_ip h = {.protocol = IPPROTO_ICMP};
	uint8_t l4[64];

	net_restart_with_statics(net);
	build_icmp(l4, ECHO, 0, 0, "ping", 4);
	net_give_ip(net, &h, l4, 7);
	l4[9] ^= 1;
	net_give_ip(net, &h, l4, 12);
	assert_int_equal(stack_stats(net->s)->drop_icmp_malformed, 2);
	assert_int_equal(net_drain(net), 0);
}

static void redirects_quenches_and_the_rest_are_ignored(void **state)
{
	static const uint8_t types[] = {0, 4, 5, 9, 10, 13, 15, 17, 30, 255};
	struct net *net = *state;
	struct test_ip h = {.protocol = IPPROTO_ICMP};
	struct sock *k;
	uint8_t l4[64];

	net_restart_with_statics(net);
	k = net_udp(net, PORT);
	for (unsigned i = 0; i < sizeof(types); i++)
		net_give_ip(net, &h, l4, build_icmp(l4, types[i], 1, THIRD_IP, "12345678", 8));
	assert_int_equal(stack_stats(net->s)->drop_icmp_type, sizeof(types));
	assert_int_equal(net_drain(net), 0);
	assert_int_equal(net_send(net, k, "x", 1, FAR_IP, 9), 0);
	net_take(net);
	assert_memory_equal(net->out, gateway_mac, 6);
}

static void a_closed_port_is_said_to_be_unreachable(void **state)
{
	static uint8_t payload[1400];
	struct net *net = *state;

	net_restart_with_statics(net);
	net_give_udp(net, PEER_IP, 9, PORT, payload, sizeof(payload));
	assert_int_equal(net_take(net), 14 + ICMP_ERROR_MAX_BYTES);
	assert_true(out_checksums_ok(net));
	assert_int_equal(get_be32(out_l4(net)) >> 16, 0x0303);
	assert_int_equal(get_be32(out_l4(net) + 4), 0);
	assert_int_equal(get_be32(out_l4(net) + 8 + 12), PEER_IP);
	assert_int_equal(get_be32(out_l4(net) + 8 + 20), 9u << 16 | PORT);
	assert_int_equal(net_take(net), 0);
}

static void an_error_quotes_no_more_than_its_path_takes(void **state)
{
	static const uint8_t payload[1400];
	struct net *net = *state;

	for (uint16_t mtu = 68; mtu <= ICMP_ERROR_MAX_BYTES; mtu += 4) {
		net->cfg.mtu = mtu;
		net_restart_with_statics(net);
		net_give_udp(net, PEER_IP, 9, PORT, payload, sizeof(payload));
		assert_int_equal(net_take(net), 14 + mtu);
		assert_true(out_checksums_ok(net));
		assert_int_equal(net_drain(net), 0);
	}
}

static void an_error_quotes_all_of_a_short_packet(void **state)
{
	struct net *net = *state;

	net_restart_with_statics(net);
	net_give_udp(net, PEER_IP, 9, PORT, "ab", 2);
	assert_int_equal(net_take(net), 14 + 20 + 8 + 20 + 8 + 2);
	assert_memory_equal(out_l4(net) + 8 + 28, "ab", 2);
}

static void errors_sent_are_rate_limited(void **state)
{
	struct net *net = *state;

	net_restart_with_statics(net);
	for (unsigned i = 0; i < 3 * ICMP_ERRORS_BURST; i++) {
		net_give_udp(net, PEER_IP, 9, PORT, "", 0);
		net_drain(net);
	}
	assert_int_equal(stack_stats(net->s)->tx_icmp_errors, ICMP_ERRORS_BURST);
	assert_int_equal(stack_stats(net->s)->lost_icmp_rate, 2 * ICMP_ERRORS_BURST);
	for (unsigned i = 0; i < 2000; i++) {
		net_pass_ms(net, 1);
		net_give_udp(net, PEER_IP, 9, PORT, "", 0);
		net_drain(net);
	}
	assert_in_range(stack_stats(net->s)->tx_icmp_errors, 1900, 2000 + ICMP_ERRORS_BURST);
}

/* A connected socket that has just sent a datagram, which is in net->out. */
static struct sock *connected(struct net *net)
{
	struct endpoint peer = at(PEER_IP, 9);
	struct sock *k;

	net_restart_with_statics(net);
	k = net_udp(net, PORT);
	assert_int_equal(stack_connect(k, &peer, net->now_ns), 0);
	assert_int_equal(net_send(net, k, "x", 1, 0, 0), 0);
	assert_true(net_take(net) > 0);
	return k;
}

static void port_unreachable_becomes_econnrefused_once(void **state)
{
	struct net *net = *state;
	struct sock *k = connected(net);
	struct stack_received r;

	net_give_icmp_about_out(net, UNREACHABLE, 3, 0);
	assert_int_equal(net_events(net), STACK_EV_READ | STACK_EV_WRITE);
	assert_int_equal(stack_error(k), -ECONNREFUSED);
	assert_int_equal(stack_recv(k, 100, &r, net->now_ns), -ECONNREFUSED);
	assert_int_equal(stack_recv(k, 100, &r, net->now_ns), -EAGAIN);
	net_give_icmp_about_out(net, UNREACHABLE, 3, 0);
	assert_int_equal(net_send(net, k, "x", 1, 0, 0), -ECONNREFUSED);
	assert_int_equal(net_send(net, k, "x", 1, 0, 0), 0);
}

static void each_error_has_its_errno(void **state)
{
	static const struct {
		uint8_t type, code;
		int error;
	} errors[] = {
	    {3, 0, -ENETUNREACH},   {3, 1, -EHOSTUNREACH}, {3, 2, -ENOPROTOOPT},
	    {3, 3, -ECONNREFUSED},  {3, 5, -ENETUNREACH},  {3, 13, -EHOSTUNREACH},
	    {11, 0, -EHOSTUNREACH}, {12, 0, -EPROTO},
	};
	struct net *net = *state;
	struct sock *k = connected(net);
	struct stack_received r;

	for (unsigned i = 0; i < sizeof(errors) / sizeof(errors[0]); i++) {
		net_give_icmp_about_out(net, errors[i].type, errors[i].code, 0);
		assert_int_equal(stack_recv(k, 1, &r, net->now_ns), errors[i].error);
	}
	assert_int_equal(stack_stats(net->s)->rx_icmp, sizeof(errors) / sizeof(errors[0]));
}

static void an_error_about_what_no_socket_sent_is_ignored(void **state)
{
	/* A byte of the quoted packet, and what it becomes. */
	static const struct {
		uint8_t offset, value;
	} lies[] = {{0, 0x65}, {0, 0x46}, {7, 1},   {9, 1},  {15, 77},
		    {19, 77},  {21, 77},  {23, 77}, {9, 132}};
	struct net *net = *state;
	struct sock *k = connected(net);
	struct stack_received r;

	for (unsigned i = 0; i < sizeof(lies) / sizeof(lies[0]); i++) {
		uint8_t *byte = net->out + 14 + lies[i].offset, truth = *byte;

		*byte = lies[i].value;
		net_give_icmp_about_out(net, UNREACHABLE, 3, 0);
		*byte = truth;
		assert_int_equal(stack_recv(k, 1, &r, net->now_ns), -EAGAIN);
		assert_int_equal(stack_stats(net->s)->drop_icmp_unmatched, i + 1);
	}
}

static void an_error_that_quotes_too_little_is_ignored(void **state)
{
	struct net *net = *state;
	struct test_ip h = {.protocol = IPPROTO_ICMP};
	uint8_t l4[64];

	connected(net);
	for (size_t len = 0; len < 28; len++)
		net_give_ip(net, &h, l4, build_icmp(l4, UNREACHABLE, 3, 0, net->out + 14, len));
	assert_int_equal(stack_stats(net->s)->drop_icmp_unmatched, 28);
	assert_int_equal(net_events(net), 0);
}

static void an_error_to_a_broadcast_address_is_ignored(void **state)
{
	struct net *net = *state;
	struct test_ip h = {.protocol = IPPROTO_ICMP, .dst = 0x0a0000ff, .dst_mac = broadcast_mac};
	uint8_t l4[64];

	connected(net);
	net_give_ip(net, &h, l4, build_icmp(l4, UNREACHABLE, 3, 0, net->out + 14, 28));
	assert_int_equal(stack_stats(net->s)->drop_icmp_unmatched, 1);
	assert_int_equal(net_events(net), 0);
}

static void an_unconnected_socket_hears_of_no_error(void **state)
{
	struct net *net = *state;
	struct sock *k;

	net_restart_with_statics(net);
	k = net_udp(net, PORT);
	assert_int_equal(net_send(net, k, "x", 1, PEER_IP, 9), 0);
	assert_true(net_take(net) > 0);
	net_give_icmp_about_out(net, UNREACHABLE, 3, 0);
	assert_int_equal(net_send(net, k, "x", 1, PEER_IP, 9), 0);
	assert_int_equal(net_events(net), 0);
}

/* A connected socket that has just sent a datagram that fills the interface's MTU, which is in
 * net->out. */
static struct sock *connected_and_large(struct net *net)
{
	static const uint8_t data[1472];
	struct sock *k = connected(net);

	assert_int_equal(net_send(net, k, data, sizeof(data), 0, 0), 0);
	assert_true(net_take(net) > 0);
	return k;
}

static void frag_needed_lowers_the_path_mtu_for_ten_minutes(void **state)
{
	static uint8_t data[1400];
	struct net *net = *state;
	struct ip_addr peer = ip4(PEER_IP), third = ip4(THIRD_IP);
	struct sock *k = connected_and_large(net);

	net_give_icmp_about_out(net, UNREACHABLE, FRAG_NEEDED, 1280);
	assert_int_equal(ip_path_mtu(net->s, &peer), 1280);
	assert_int_equal(ip_path_mtu(net->s, &third), 1500);
	assert_int_equal(net_send(net, k, data, 1252, 0, 0), 0);
	assert_int_equal(net_drain(net), 1);
	assert_int_equal(net_send(net, k, data, sizeof(data), 0, 0), 0);
	assert_int_equal(net_drain(net), 2);
	net_pass_ms(net, PMTU_EXPIRY_S * 1000 - 1);
	assert_int_equal(ip_path_mtu(net->s, &peer), 1280);
	net_pass_ms(net, 1);
	assert_int_equal(ip_path_mtu(net->s, &peer), 1500);
	assert_int_equal(stack_error(k), 0);
}

static void a_path_mtu_is_never_raised_nor_below_the_floor(void **state)
{
	struct net *net = *state;
	struct ip_addr peer = ip4(PEER_IP);

	connected_and_large(net);
	net_give_icmp_about_out(net, UNREACHABLE, FRAG_NEEDED, 9000);
	assert_int_equal(ip_path_mtu(net->s, &peer), 1500);
	net_give_icmp_about_out(net, UNREACHABLE, FRAG_NEEDED, 1000);
	net_give_icmp_about_out(net, UNREACHABLE, FRAG_NEEDED, 1400);
	assert_int_equal(ip_path_mtu(net->s, &peer), 1000);
	net_give_icmp_about_out(net, UNREACHABLE, FRAG_NEEDED, 68);
	assert_int_equal(ip_path_mtu(net->s, &peer), PMTU_FLOOR_BYTES);
	assert_int_equal(stack_stats(net->s)->pmtu_lowered, 2);
}

/* Flags, offset and ID of the packet in net->out. */
static uint16_t out_fragment(const struct net *net)
{
	return get_be16(net->out + 14 + IP4_FRAGMENT);
}

static uint16_t out_id(const struct net *net)
{
	return get_be16(net->out + 14 + IP4_ID);
}

static void send_floor(struct net *net, struct sock *k)
{
	static const uint8_t data[PMTU_FLOOR_BYTES - IP4_HEADER_BYTES - 8];

	assert_int_equal(net_send(net, k, data, sizeof(data), 0, 0), 0);
	assert_true(net_take(net) > 0);
	assert_true(out_checksums_ok(net));
}

/* Smaller ones than the floor are not made, but should the error be true they must arrive. */
static void on_a_path_narrower_than_the_floor_routers_may_cut(void **state)
{
	struct net *net = *state;
	struct ip_addr peer = ip4(PEER_IP), third = ip4(THIRD_IP);
	struct sock *k = connected_and_large(net);
	uint16_t id;

	net_give_icmp_about_out(net, UNREACHABLE, FRAG_NEEDED, PMTU_FLOOR_BYTES);
	send_floor(net, k);
	assert_int_equal(out_fragment(net), IP4_DF);
	assert_false(ip_path_is_narrow(net->s, &peer));
	ip_path_mtu_lower(net->s, &peer, PMTU_FLOOR_BYTES - 1);
	assert_int_equal(ip_path_mtu(net->s, &peer), PMTU_FLOOR_BYTES);
	assert_true(ip_path_is_narrow(net->s, &peer));
	assert_false(ip_path_is_narrow(net->s, &third));
	send_floor(net, k);
	assert_int_equal(out_fragment(net), 0);
	id = out_id(net);
	send_floor(net, k);
	assert_int_equal(out_fragment(net), 0);
	assert_int_not_equal(out_id(net), id);
	net_pass_ms(net, PMTU_EXPIRY_S * 1000);
	send_floor(net, k);
	assert_int_equal(out_fragment(net), IP4_DF);
}

/* The interface's own MTU is below the floor: only less than that is narrow. */
static void on_a_narrow_interface_a_narrow_path_is_narrower(void **state)
{
	struct net *net = *state;
	struct ip_addr peer = ip4(PEER_IP);

	net->cfg.mtu = 500;
	net_restart_with_statics(net);
	ip_path_mtu_lower(net->s, &peer, 500);
	assert_false(ip_path_is_narrow(net->s, &peer));
	ip_path_mtu_lower(net->s, &peer, 400);
	assert_true(ip_path_is_narrow(net->s, &peer));
	assert_int_equal(ip_path_mtu(net->s, &peer), 500);
}

static void a_router_that_names_no_mtu_means_the_next_plateau(void **state)
{
	struct net *net = *state;
	struct ip_addr peer = ip4(PEER_IP);

	connected_and_large(net);
	put_be16(net->out + 14 + 2, 1500);
	net_give_icmp_about_out(net, UNREACHABLE, FRAG_NEEDED, 0);
	assert_int_equal(ip_path_mtu(net->s, &peer), 1492);
	put_be16(net->out + 14 + 2, 1492);
	net_give_icmp_about_out(net, UNREACHABLE, FRAG_NEEDED, 0);
	assert_int_equal(ip_path_mtu(net->s, &peer), 1006);
	put_be16(net->out + 14 + 2, 30);
	net_give_icmp_about_out(net, UNREACHABLE, FRAG_NEEDED, 0);
	assert_int_equal(ip_path_mtu(net->s, &peer), PMTU_FLOOR_BYTES);
}

/* Whether the stack takes it for the truth that a path carries no more than mtu bytes. */
static bool believes(struct net *net, uint32_t mtu)
{
	struct ip_addr peer = ip4(PEER_IP);

	net_give_icmp_about_out(net, UNREACHABLE, FRAG_NEEDED, mtu);
	return ip_path_mtu(net->s, &peer) == mtu;
}

/* Ports and addresses can be guessed. */
static void frag_needed_of_what_was_never_sent_is_not_believed(void **state)
{
	static const uint8_t data[1472];
	struct net *net = *state;
	struct sock *k;

	net_restart_with_statics(net);
	k = net_udp(net, PORT);
	assert_int_equal(net_send(net, k, "x", 1, PEER_IP, 9), 0);
	assert_int_equal(net_send(net, k, data, sizeof(data), THIRD_IP, 9), 0);
	assert_true(net_take(net) > 0); /* the small one, which can have been too large nowhere */
	assert_false(believes(net, 1000));
	net_drain(net);
	assert_int_equal(net_send(net, k, data, 872, PEER_IP, 9), 0);
	assert_true(net_take(net) > 0);
	assert_false(believes(net, 900)); /* it has just so many bytes */
	assert_int_equal(stack_stats(net->s)->drop_icmp_unmatched, 2);
	assert_true(believes(net, 899));
}

static void frag_needed_that_comes_too_late_is_not_believed(void **state)
{
	struct net *net = *state;

	connected_and_large(net);
	net_pass_ms(net, PMTU_TRIED_S * 1000);
	assert_false(believes(net, 1000));
	connected_and_large(net);
	net_pass_ms(net, PMTU_TRIED_S * 1000 - 1);
	assert_true(believes(net, 1000));
}

static void destinations_of_large_datagrams_are_bounded_in_number(void **state)
{
	struct net *net = *state;
	unsigned known = 0;

	for (uint32_t i = 0; i < 10000; i++) {
		struct ip_addr a = ip4(FAR_IP + i);

		ip_path_tried(net->s, &a, 1500);
		assert_true(ip_path_was_tried(net->s, &a, 1499));
		net->now_ns++;
	}
	for (uint32_t i = 0; i < 10000; i++) {
		struct ip_addr a = ip4(FAR_IP + i);

		known += ip_path_was_tried(net->s, &a, 1499);
	}
	assert_in_range(known, 1, PMTU_TRIED_SETS * PMTU_TRIED_WAYS);
}

static void path_mtus_are_bounded_in_number(void **state)
{
	struct net *net = *state;
	unsigned known = 0;

	for (uint32_t i = 0; i < 10000; i++) {
		struct ip_addr a = ip4(FAR_IP + i);

		ip_path_mtu_lower(net->s, &a, 1000);
		assert_int_equal(ip_path_mtu(net->s, &a), 1000);
		net->now_ns++;
	}
	for (uint32_t i = 0; i < 10000; i++) {
		struct ip_addr a = ip4(FAR_IP + i);

		known += ip_path_mtu(net->s, &a) == 1000;
	}
	assert_in_range(known, 1, PMTU_SETS * PMTU_WAYS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    net_test(an_echo_is_answered_with_its_own_bytes),
	    net_test(an_echo_of_any_checksum_gets_a_good_one),
	    net_test(an_echo_in_a_buffer_that_others_read_is_answered_from_a_copy),
	    net_test(a_ping_goes_on_after_any_silence),
	    net_test(a_large_echo_comes_and_goes_in_fragments),
	    net_test(a_small_echo_in_fragments_is_answered_from_the_pool),
	    net_test(echoes_to_broadcast_addresses_are_not_answered),
	    net_test(echoes_beyond_the_rate_are_not_answered),
	    net_test(malformed_messages_are_dropped),
	    net_test(redirects_quenches_and_the_rest_are_ignored),
	    net_test(a_closed_port_is_said_to_be_unreachable),
	    net_test(an_error_quotes_no_more_than_its_path_takes),
	    net_test(an_error_quotes_all_of_a_short_packet),
	    net_test(errors_sent_are_rate_limited),
	    net_test(port_unreachable_becomes_econnrefused_once),
	    net_test(each_error_has_its_errno),
	    net_test(an_error_about_what_no_socket_sent_is_ignored),
	    net_test(an_error_that_quotes_too_little_is_ignored),
	    net_test(an_error_to_a_broadcast_address_is_ignored),
	    net_test(an_unconnected_socket_hears_of_no_error),
	    net_test(frag_needed_lowers_the_path_mtu_for_ten_minutes),
	    net_test(a_path_mtu_is_never_raised_nor_below_the_floor),
	    net_test(on_a_path_narrower_than_the_floor_routers_may_cut),
	    net_test(on_a_narrow_interface_a_narrow_path_is_narrower),
	    net_test(a_router_that_names_no_mtu_means_the_next_plateau),
	    net_test(path_mtus_are_bounded_in_number),
	    net_test(frag_needed_of_what_was_never_sent_is_not_believed),
	    net_test(frag_needed_that_comes_too_late_is_not_believed),
	    net_test(destinations_of_large_datagrams_are_bounded_in_number),
	};

	return cmocka_run_group_tests_name("icmp", tests, NULL, NULL);
}
