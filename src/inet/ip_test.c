/* SPDX-License-Identifier: MIT */
#include "inet/inet_test.h"
#include "base/bytes.h"
#include "base/checksum.h"
#include "inet/ip.h"
#include "inet/limits.h"
#include <errno.h>

enum { PORT = 7000 };

/* How many datagrams have reached sockets. */
static uint64_t taken(const struct net *net)
{
	return stack_stats(net->s)->rx_udp;
}

/* A frame with a datagram for PORT, to be spoilt. */
static size_t good_frame(uint8_t *f, const struct test_ip *h)
{
	uint8_t l4[64];

	return build_ip(f, h, l4, build_udp(l4, h, 9, PORT, "data", 4));
}

static void fix_checksum(uint8_t *ip)
{
	put_be16(ip + 10, 0);
	csum_store(ip + 10, csum_partial(ip, (ip[0] & 0xfu) * 4u, 0));
}

static void a_header_that_is_wrong_is_dropped(void **state)
{
	static const struct test_ip h = {.protocol = IPPROTO_UDP};
	static const struct {
		uint8_t offset, value;
		uint16_t counter; /* offset in struct stack_stats */
	} faults[] = {
	    {0, 0x65, offsetof(struct stack_stats, drop_ip_version)},
	    {0, 0x44, offsetof(struct stack_stats, drop_ip_header)},
	    {0, 0x40, offsetof(struct stack_stats, drop_ip_header)},
	    {0, 0x4f, offsetof(struct stack_stats, drop_ip_header)},
	    {3, 19, offsetof(struct stack_stats, drop_ip_header)},
	    {3, 33, offsetof(struct stack_stats, drop_short)},
	    {2, 1, offsetof(struct stack_stats, drop_short)},
	    {8, 63, offsetof(struct stack_stats, drop_ip_checksum)},
	};
	struct net *net = *state;
	uint8_t f[256];

	net_udp(net, PORT);
	for (unsigned i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
		size_t len = good_frame(f, &h);
		const uint64_t *counter =
		    (const void *)((const char *)stack_stats(net->s) + faults[i].counter);
		uint64_t before = *counter;

		f[14 + faults[i].offset] = faults[i].value;
		net_give(net, f, len);
		assert_int_equal(*counter, before + 1);
	}
	assert_int_equal(taken(net), 0);
}

static void a_frame_cut_anywhere_is_dropped(void **state)
{
	static const struct test_ip h = {.protocol = IPPROTO_UDP};
	struct net *net = *state;
	uint8_t f[256];
	size_t len = good_frame(f, &h);

	net_udp(net, PORT);
	for (size_t i = 0; i < len; i++)
		net_give(net, f, i);
	assert_int_equal(stack_stats(net->s)->drop_short, len);
	net_give(net, f, len);
	assert_int_equal(taken(net), 1);
}

static void padding_behind_the_packet_is_cut_off(void **state)
{
	static const struct test_ip h = {.protocol = IPPROTO_UDP};
	struct net *net = *state;
	struct sock *k = net_udp(net, PORT);
	struct stack_received r;
	uint8_t f[256] = {0};

	good_frame(f, &h);
	net_give(net, f, 60);
	assert_int_equal(stack_recv(k, 100, &r, net->now_ns), 1);
	assert_int_equal(r.len, 4);
	buf_unref(r.buf);
}

static void frames_for_others_are_dropped(void **state)
{
	struct net *net = *state;
	struct test_ip h = {.protocol = IPPROTO_UDP, .dst_mac = third_mac};
	uint8_t f[256];

	net_udp(net, PORT);
	net_give(net, f, good_frame(f, &h));
	h = (struct test_ip){.protocol = IPPROTO_UDP, .dst = THIRD_IP};
	net_give(net, f, good_frame(f, &h));
	h.dst = 0xe0000001; /* multicast */
	net_give(net, f, good_frame(f, &h));
	assert_int_equal(stack_stats(net->s)->drop_not_for_us, 3);
	assert_int_equal(taken(net), 0);
	assert_int_equal(net_drain(net), 0);
}

static void other_ethertypes_are_dropped(void **state)
{
	struct net *net = *state;
	uint8_t f[64] = {0};

	build_eth(f, our_mac, peer_mac, 0x86dd);
	net_give(net, f, 60);
	build_eth(f, our_mac, peer_mac, 46); /* IEEE 802.3: a length */
	net_give(net, f, 60);
	assert_int_equal(stack_stats(net->s)->drop_ethertype, 2);
}

static void martian_sources_are_dropped(void **state)
{
	static const uint32_t martians[] = {
	    1,          /* 0/8 */
	    0x7f000001, /* loopback */
	    0xe0000001, /* multicast */
	    0xf0000001, /* reserved */
	    UINT32_MAX, /* broadcast */
	    0x0a0000ff, /* broadcast of our prefix */
	    0x0a000000, /* the old one */
	    OUR_IP,
	};
	struct net *net = *state;
	uint8_t f[256];

	net_udp(net, PORT);
	for (unsigned i = 0; i < sizeof(martians) / sizeof(martians[0]); i++) {
		struct test_ip h = {.protocol = IPPROTO_UDP, .src = martians[i]};

		net_give(net, f, good_frame(f, &h));
		assert_int_equal(stack_stats(net->s)->drop_ip_martian, i + 1);
	}
	assert_int_equal(taken(net), 0);
}

static void the_source_0_0_0_0_is_a_martian(void **state)
{
	static const struct test_ip h = {.protocol = IPPROTO_UDP};
	struct net *net = *state;
	uint8_t f[256];
	size_t len = good_frame(f, &h);

	memset(f + 14 + 12, 0, 4);
	fix_checksum(f + 14);
	net_give(net, f, len);
	assert_int_equal(stack_stats(net->s)->drop_ip_martian, 1);
}

static void options_are_skipped_and_counted(void **state)
{
	static const uint8_t timestamp[] = {1, 68, 6, 5, 0, 0, 0, 0};
	struct test_ip h = {
	    .protocol = IPPROTO_UDP, .options = timestamp, .options_len = sizeof(timestamp)};
	struct net *net = *state;
	uint8_t f[256];

	net_udp(net, PORT);
	net_give(net, f, good_frame(f, &h));
	assert_int_equal(taken(net), 1);
	assert_int_equal(stack_stats(net->s)->rx_ip_options, 1);
}

static void options_without_sense_are_dropped(void **state)
{
	static const uint8_t bad[][4] = {
	    {68, 0, 0, 0}, {68, 1, 0, 0}, {68, 5, 0, 0}, {1, 1, 1, 68}};
	struct net *net = *state;
	uint8_t f[256];

	net_udp(net, PORT);
	for (unsigned i = 0; i < 4; i++) {
		struct test_ip h = {
		    .protocol = IPPROTO_UDP, .options = bad[i], .options_len = sizeof(bad[i])};

		net_give(net, f, good_frame(f, &h));
		assert_int_equal(stack_stats(net->s)->drop_ip_header, i + 1);
	}
	assert_int_equal(taken(net), 0);
}

static void source_routed_packets_are_dropped(void **state)
{
	static const uint8_t routes[][8] = {{131, 7, 4, 10, 0, 0, 9, 0},
					    {1, 137, 7, 4, 10, 0, 0, 9}};
	struct net *net = *state;
	uint8_t f[256];

	net_udp(net, PORT);
	for (unsigned i = 0; i < 2; i++) {
		struct test_ip h = {
		    .protocol = IPPROTO_UDP, .options = routes[i], .options_len = 8};

		net_give(net, f, good_frame(f, &h));
	}
	assert_int_equal(stack_stats(net->s)->drop_ip_source_route, 2);
	assert_int_equal(net_drain(net), 0);
}

static void an_unknown_protocol_is_answered_with_protocol_unreachable(void **state)
{
	struct net *net = *state;
	struct test_ip h = {.protocol = 132};

	net_restart_with_statics(net);
	net_give_ip(net, &h, "some bytes", 10);
	assert_int_equal(stack_stats(net->s)->drop_ip_protocol, 1);
	assert_true(net_take(net) > 0);
	assert_true(out_checksums_ok(net));
	assert_int_equal(out_protocol(net), IPPROTO_ICMP);
	assert_int_equal(get_be16(out_l4(net)), 0x0302);
	assert_memory_equal(out_l4(net) + 8 + 20, "some bytes", 10);
}

static void broadcasts_reach_sockets_and_are_never_answered(void **state)
{
	static const uint32_t broadcasts[] = {UINT32_MAX, 0x0a0000ff, 0x0a000000};
	struct net *net = *state;
	uint8_t f[256], l4[64];

	net_restart_with_statics(net);
	net_udp(net, PORT);
	for (unsigned i = 0; i < 3; i++) {
		struct test_ip h = {
		    .protocol = IPPROTO_UDP, .dst = broadcasts[i], .dst_mac = broadcast_mac};
		struct test_ip unknown = {.protocol = 132, .dst = broadcasts[i]};

		net_give(net, f, good_frame(f, &h));
		assert_int_equal(taken(net), i + 1);
		net_give_ip(net, &h, l4, build_udp(l4, &h, 9, PORT + 1, "", 0));
		net_give_ip(net, &unknown, "", 0);
	}
	assert_int_equal(net_drain(net), 0);
	assert_int_equal(stack_stats(net->s)->tx_icmp_errors, 0);
}

static void a_packet_for_us_in_a_broadcast_frame_is_not_answered(void **state)
{
	struct net *net = *state;
	struct test_ip h = {.protocol = IPPROTO_UDP, .dst_mac = broadcast_mac};
	uint8_t f[256];

	net_restart_with_statics(net);
	net_give(net, f, good_frame(f, &h));
	assert_int_equal(stack_stats(net->s)->drop_udp_no_socket, 1);
	assert_int_equal(net_drain(net), 0);
}

static void what_we_send_has_df_ttl_64_and_good_checksums(void **state)
{
	struct net *net = *state;
	struct sock *k;
	const uint8_t *ip = net->out + 14;

	net_restart_with_statics(net);
	k = net_udp(net, PORT);
	assert_int_equal(net_send(net, k, "abc", 3, PEER_IP, 9), 0);
	assert_int_equal(net_take(net), 14 + 20 + 8 + 3);
	assert_true(out_checksums_ok(net));
	assert_int_equal(get_be16(ip + 6), 0x4000);
	assert_int_equal(ip[8], 64);
	assert_int_equal(ip[1], 0);
	assert_int_equal(get_be32(ip + 12), OUR_IP);
	assert_memory_equal(net->out, peer_mac, 6);
	assert_memory_equal(net->out + 6, our_mac, 6);
	assert_int_equal(net->frame.l3_offset, 14);
	assert_int_equal(net->frame.l4_offset, 34);
}

static void the_gateway_carries_what_is_not_on_this_link(void **state)
{
	struct net *net = *state;
	struct sock *k;

	net_restart_with_statics(net);
	k = net_udp(net, PORT);
	assert_int_equal(net_send(net, k, "x", 1, FAR_IP, 9), 0);
	assert_true(net_take(net) > 0);
	assert_memory_equal(net->out, gateway_mac, 6);
	assert_int_equal(out_dst_ip(net), FAR_IP);
}

static void without_a_gateway_what_is_far_is_unreachable(void **state)
{
	struct net *net = *state;
	struct sock *k;
	struct endpoint far = at(FAR_IP, 9);

	net->cfg.gateway = ip4(0);
	net_restart(net);
	k = net_udp(net, PORT);
	assert_int_equal(net_send(net, k, "x", 1, FAR_IP, 9), -ENETUNREACH);
	assert_int_equal(stack_connect(k, &far, net->now_ns), -ENETUNREACH);
	assert_int_equal(stack_stats(net->s)->lost_no_route, 1);
}

static void without_a_prefix_everything_is_on_this_link(void **state)
{
	struct net *net = *state;
	struct sock *k;

	net->cfg.gateway = ip4(0);
	net->cfg.prefix_len = 0;
	net_restart(net);
	k = net_udp(net, PORT);
	assert_int_equal(net_send(net, k, "x", 1, FAR_IP, 9), 0);
	assert_true(net_take(net) > 0);
	assert_true(out_is_arp(net, 1, FAR_IP));
}

static void a_prefix_of_31_bits_has_no_broadcast(void **state)
{
	struct net *net = *state;
	struct sock *k;

	net->cfg.gateway = ip4(0);
	net->cfg.prefix_len = 31;
	net_restart(net);
	k = net_udp(net, PORT);
	assert_int_equal(net_send(net, k, "x", 1, OUR_IP - 1, 9), 0);
	assert_int_equal(net_send(net, k, "x", 1, PEER_IP, 9), -ENETUNREACH);
}

static void addresses_that_are_no_hosts_are_unreachable(void **state)
{
	static const uint32_t none[] = {0x7f000001, 0xe0000001, UINT32_MAX, 0x0a0000ff, 0x0a000000};
	struct net *net = *state;
	struct sock *k = net_udp(net, PORT);

	for (unsigned i = 0; i < sizeof(none) / sizeof(none[0]); i++)
		assert_int_equal(net_send(net, k, "x", 1, none[i], 9), -ENETUNREACH);
	assert_int_equal(net_send(net, k, "x", 1, OUR_IP, 9), -EHOSTUNREACH);
	assert_int_equal(net_drain(net), 0);
}

/* A frame with a tag in front of its type. */
static size_t tag(uint8_t *f, size_t len, uint16_t tci)
{
	memmove(f + 16, f + 12, len - 12);
	put_be16(f + 12, 0x8100);
	put_be16(f + 14, tci);
	return len + 4;
}

static void without_a_vlan_only_tags_of_mere_priority_are_ours(void **state)
{
	static const struct test_ip h = {.protocol = IPPROTO_UDP};
	struct net *net = *state;
	uint8_t f[256];
	size_t len = good_frame(f, &h);

	net_udp(net, PORT);
	net_give(net, f, tag(f, len, 5));
	assert_int_equal(stack_stats(net->s)->drop_vlan, 1);
	good_frame(f, &h);
	net_give(net, f, tag(f, len, 0xe000));
	assert_int_equal(taken(net), 1);
	net_give(net, f, 17);
	assert_int_equal(stack_stats(net->s)->drop_short, 1);
}

static void with_a_vlan_only_its_tag_is_ours_and_sent(void **state)
{
	static const struct test_ip h = {.protocol = IPPROTO_UDP};
	struct net *net = *state;
	uint8_t f[256];
	size_t len = good_frame(f, &h);
	struct sock *k;

	net->cfg.vlan_id = 5;
	net_restart(net);
	k = net_udp(net, PORT);
	net_give(net, f, len);
	net_give(net, f, tag(f, len, 6));
	assert_int_equal(stack_stats(net->s)->drop_vlan, 2);
	good_frame(f, &h);
	net_give(net, f, tag(f, len, 0x6005));
	assert_int_equal(taken(net), 1);

	assert_int_equal(net_send(net, k, "abc", 3, PEER_IP, 9), 0);
	assert_int_equal(net_take(net), 14 + 4 + 28);
	assert_int_equal(get_be16(net->out + 16), 0x0806);
	len = build_arp(f, our_mac, 2, peer_mac, PEER_IP, OUR_IP);
	net_give(net, f, tag(f, len, 5));
	assert_int_equal(net_take(net), 14 + 4 + 28 + 3);
	assert_memory_equal(net->out, peer_mac, 6);
	assert_int_equal(get_be32(net->out + 12), 0x81000005);
	assert_int_equal(get_be16(net->out + 16), 0x0800);
	assert_int_equal(net->frame.l3_offset, 18);
	assert_int_equal(net->frame.l4_offset, 38);
}

static void a_path_writes_the_same_headers_as_a_single_packet(void **state)
{
	struct net *net = *state;
	struct ip_addr us = ip4(OUR_IP), peer = ip4(PEER_IP);
	struct ip_path p;
	struct sock *k;
	uint8_t room[64 + 11], *start;

	net_restart_with_statics(net);
	k = net_udp(net, PORT);
	assert_int_equal(net_send(net, k, "abc", 3, PEER_IP, 9), 0);
	net_take(net);
	ip_path_init(&p, IPPROTO_UDP);
	assert_int_equal(ip_path_find(net->s, &p, &us, &peer), 0);
	start = ip_path_write(net->s, &p, room + 64, 0, 11);
	assert_ptr_equal(start, room + 64 - 34);
	assert_memory_equal(start, net->out, 34);
	start = ip_path_write(net->s, &p, room + 64, 2, 1480);
	assert_int_equal(start[14 + 1], 2);
	assert_int_equal(get_be16(start + 14 + 2), 1500);
	assert_int_equal(csum_fold(csum_partial(start + 14, 20, 0)), 0);
	assert_int_equal(csum_fold(csum_add(p.pseudo_sum, csum_word(1480))),
			 csum_fold(ip_pseudo_sum(&us, &peer, IPPROTO_UDP, 1480)));
	ip_path_release(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    net_test(a_header_that_is_wrong_is_dropped),
	    net_test(a_frame_cut_anywhere_is_dropped),
	    net_test(padding_behind_the_packet_is_cut_off),
	    net_test(frames_for_others_are_dropped),
	    net_test(other_ethertypes_are_dropped),
	    net_test(martian_sources_are_dropped),
	    net_test(the_source_0_0_0_0_is_a_martian),
	    net_test(options_are_skipped_and_counted),
	    net_test(options_without_sense_are_dropped),
	    net_test(source_routed_packets_are_dropped),
	    net_test(an_unknown_protocol_is_answered_with_protocol_unreachable),
	    net_test(broadcasts_reach_sockets_and_are_never_answered),
	    net_test(a_packet_for_us_in_a_broadcast_frame_is_not_answered),
	    net_test(what_we_send_has_df_ttl_64_and_good_checksums),
	    net_test(the_gateway_carries_what_is_not_on_this_link),
	    net_test(without_a_gateway_what_is_far_is_unreachable),
	    net_test(without_a_prefix_everything_is_on_this_link),
	    net_test(a_prefix_of_31_bits_has_no_broadcast),
	    net_test(addresses_that_are_no_hosts_are_unreachable),
	    net_test(without_a_vlan_only_tags_of_mere_priority_are_ours),
	    net_test(with_a_vlan_only_its_tag_is_ours_and_sent),
	    net_test(a_path_writes_the_same_headers_as_a_single_packet),
	};

	return cmocka_run_group_tests_name("ip", tests, NULL, NULL);
}
