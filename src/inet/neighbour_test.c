/* SPDX-License-Identifier: MIT */
#include "inet/inet_test.h"
#include "base/bytes.h"
#include "inet/ip.h"
#include "inet/limits.h"
#include "inet/neighbour.h"
#include <errno.h>

/* The peer asks who has our address; the answer is dropped. */
static void peer_asks(struct net *net, uint32_t sender_ip, const uint8_t mac[6])
{
	uint8_t f[64];

	net_give(net, f, build_arp(f, broadcast_mac, 1, mac, sender_ip, OUR_IP));
}

/* Sends a datagram to `ip` and says how it left. */
static size_t send_to(struct net *net, struct sock *k, uint32_t ip)
{
	assert_int_equal(net_send(net, k, "x", 1, ip, 9), 0);
	return net_take(net);
}

static void resolve(struct net *net, struct sock *k, uint32_t ip, const uint8_t mac[6])
{
	send_to(net, k, ip);
	assert_true(out_is_arp(net, 1, ip));
	net_give_arp_reply(net, ip, mac);
	assert_int_equal(net_drain(net), 1);
}

static void a_request_for_our_address_is_answered(void **state)
{
	struct net *net = *state;

	peer_asks(net, PEER_IP, peer_mac);
	assert_true(net_take(net) > 0);
	assert_true(out_is_arp(net, 2, PEER_IP));
	assert_memory_equal(net->out, peer_mac, 6);
	assert_memory_equal(net->out + 14 + 18, peer_mac, 6);
	assert_int_equal(stack_stats(net->s)->rx_arp, 1);
}

static void a_request_for_another_address_is_not_answered(void **state)
{
	struct net *net = *state;
	uint8_t f[64];

	net_give(net, f, build_arp(f, broadcast_mac, 1, peer_mac, PEER_IP, THIRD_IP));
	assert_int_equal(net_drain(net), 0);
	assert_int_equal(stack_stats(net->s)->rx_arp, 1);
}

static void requests_beyond_the_rate_are_not_answered(void **state)
{
	struct net *net = *state;
	unsigned answers = 0;

	for (unsigned i = 0; i < 2 * ARP_REPLIES_PER_S; i++) {
		peer_asks(net, PEER_IP, peer_mac);
		answers += net_drain(net);
	}
	assert_int_equal(answers, ARP_REPLIES_PER_S);
	assert_int_equal(stack_stats(net->s)->drop_arp_rate, ARP_REPLIES_PER_S);
}

static void malformed_packets_are_dropped(void **state)
{
	/* Which byte of the ARP packet becomes what: types, lengths, operation, sender. */
	static const struct {
		uint8_t offset, value;
	} faults[] = {{1, 6}, {3, 1}, {4, 8},    {5, 16},  {7, 3},
		      {7, 0}, {8, 1}, {14, 127}, {14, 224}};
	struct net *net = *state;
	uint8_t f[64];

	for (unsigned i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
		size_t len = build_arp(f, broadcast_mac, 1, peer_mac, PEER_IP, OUR_IP);

		f[14 + faults[i].offset] = faults[i].value;
		net_give(net, f, len);
		assert_int_equal(stack_stats(net->s)->drop_arp_malformed, i + 1);
	}
	net_give(net, f, build_arp(f, broadcast_mac, 1, peer_mac, PEER_IP, OUR_IP) - 1);
	assert_int_equal(stack_stats(net->s)->drop_short, 1);
	assert_int_equal(net_drain(net), 0);
}

static void a_probe_for_our_address_is_answered_and_teaches_nothing(void **state)
{
	struct net *net = *state;

	peer_asks(net, 0, peer_mac);
	assert_true(net_take(net) > 0);
	assert_true(out_is_arp(net, 2, 0));
}

static void who_asks_for_us_is_known_from_then_on(void **state)
{
	struct net *net = *state;
	struct sock *k = net_udp(net, 7);

	peer_asks(net, PEER_IP, peer_mac);
	net_drain(net);
	send_to(net, k, PEER_IP);
	assert_int_equal(out_dst_ip(net), PEER_IP);
	assert_memory_equal(net->out, peer_mac, 6);
}

static void who_is_not_of_this_link_is_answered_and_not_noted(void **state)
{
	struct net *net = *state;

	peer_asks(net, FAR_IP, peer_mac);
	assert_true(net_take(net) > 0);
	assert_true(out_is_arp(net, 2, FAR_IP));
	peer_asks(net, OUR_IP | 0xff, peer_mac);
	assert_int_equal(stack_next_deadline(net->s), UINT64_MAX);
}

static void who_announces_itself_unasked_is_not_noted(void **state)
{
	struct net *net = *state;
	struct sock *k = net_udp(net, 7);
	uint8_t f[64];

	net_give(net, f, build_arp(f, broadcast_mac, 1, peer_mac, PEER_IP, PEER_IP));
	send_to(net, k, PEER_IP);
	assert_true(out_is_arp(net, 1, PEER_IP));
}

static void our_address_is_defended_but_not_all_the_time(void **state)
{
	struct net *net = *state;
	uint8_t f[64];
	size_t len = build_arp(f, broadcast_mac, 1, third_mac, OUR_IP, OUR_IP);

	net_give(net, f, len);
	assert_true(net_take(net) > 0);
	assert_true(out_is_arp(net, 1, OUR_IP));
	assert_memory_equal(net->out, broadcast_mac, 6);
	net_pass_ms(net, ARP_DEFEND_INTERVAL_MS - 1);
	net_give(net, f, len);
	assert_int_equal(net_drain(net), 0);
	net_pass_ms(net, 1);
	net_give(net, f, len);
	assert_int_equal(net_drain(net), 1);
	assert_int_equal(stack_stats(net->s)->drop_arp_conflict, 3);
	assert_int_equal(stack_stats(net->s)->tx_arp_defences, 2);
}

static void our_own_frame_come_back_is_no_conflict(void **state)
{
	struct net *net = *state;
	uint8_t f[64];

	net_give(net, f, build_arp(f, broadcast_mac, 1, our_mac, OUR_IP, PEER_IP));
	assert_int_equal(net_drain(net), 0);
	assert_int_equal(stack_stats(net->s)->drop_not_for_us, 1);
}

static void a_silent_neighbour_is_asked_for_again_and_then_given_up(void **state)
{
	struct net *net = *state;
	struct sock *k = net_udp(net, 7);
	struct endpoint peer = at(PEER_IP, 9);
	uint32_t tries = 1 + net->cfg.arp_request_retries;

	assert_int_equal(stack_connect(k, &peer, net->now_ns), 0);
	send_to(net, k, 0);
	for (uint32_t i = 1; i < tries; i++) {
		assert_true(out_is_arp(net, 1, PEER_IP));
		net_pass_ms(net, net->cfg.arp_request_timeout_ms - 1);
		assert_int_equal(net_take(net), 0);
		net_pass_ms(net, 1);
		assert_true(net_take(net) > 0);
	}
	assert_true(stack_busy(net->s));
	net_pass_ms(net, net->cfg.arp_request_timeout_ms);
	assert_int_equal(net_take(net), 0);
	assert_false(stack_busy(net->s));
	assert_int_equal(stack_stats(net->s)->lost_unresolved, 1);
	assert_true(net_events(net) & STACK_EV_WRITE);
	assert_int_equal(net_send(net, k, "x", 1, 0, 0), -EHOSTUNREACH);
	assert_int_equal(net_send(net, k, "x", 1, 0, 0), -EHOSTUNREACH);
	assert_int_equal(net_drain(net), 0);
	net_pass_ms(net, NEIGHBOUR_FAILED_MS);
	send_to(net, k, 0);
	assert_true(out_is_arp(net, 1, PEER_IP));
}

static void packets_wait_for_a_neighbour_in_order_and_in_bounded_number(void **state)
{
	struct net *net = *state;
	struct sock *k = net_udp(net, 7);

	for (uint8_t i = 0; i < NEIGHBOUR_WAITING_PACKETS + 3; i++)
		assert_int_equal(net_send(net, k, &i, 1, PEER_IP, 9), 0);
	assert_int_equal(stack_stats(net->s)->lost_neighbour_queue, 3);
	assert_int_equal(net_drain(net), 1);
	net_give_arp_reply(net, PEER_IP, peer_mac);
	for (uint8_t i = 0; i < NEIGHBOUR_WAITING_PACKETS; i++) {
		assert_true(net_take(net) > 0);
		assert_true(out_checksums_ok(net));
		assert_memory_equal(net->out, peer_mac, 6);
		assert_int_equal(out_l4(net)[8], i);
	}
	assert_int_equal(net_take(net), 0);
}

static void packets_that_wait_for_neighbours_are_bounded_in_all(void **state)
{
	struct net *net = *state;
	struct sock *k[4];
	uint32_t sent = 0;

	for (unsigned i = 0; i < 4; i++)
		k[i] = net_udp(net, (uint16_t)(7 + i));
	for (uint32_t ip = 0; ip < NEIGHBOUR_WAITING_TOTAL_PACKETS / 8 + 2; ip++) {
		for (unsigned i = 0; i < 8; i++, sent++)
			assert_int_equal(net_send(net, k[sent % 4], "x", 1, PEER_IP + ip, 9), 0);
	}
	assert_int_equal(stack_stats(net->s)->lost_neighbour_queue,
			 sent - NEIGHBOUR_WAITING_TOTAL_PACKETS);
	net_drain(net);
	net_give_arp_reply(net, PEER_IP, peer_mac); /* the first have made room for the last */
	assert_int_equal(net_drain(net), 0);
	net_give_arp_reply(net, PEER_IP + NEIGHBOUR_WAITING_TOTAL_PACKETS / 8 + 1, peer_mac);
	assert_int_equal(net_drain(net), 8);
}

static void an_unused_entry_expires(void **state)
{
	struct net *net = *state;
	struct sock *k = net_udp(net, 7);

	resolve(net, k, PEER_IP, peer_mac);
	net_pass_ms(net, net->cfg.arp_cache_ttl_s * 1000);
	assert_int_equal(net_drain(net), 0);
	send_to(net, k, PEER_IP);
	assert_true(out_is_arp(net, 1, PEER_IP));
	assert_memory_equal(net->out, broadcast_mac, 6);
}

static void a_short_life_has_its_last_part_too(void **state)
{
	struct net *net = *state;
	struct sock *k;

	net->cfg.arp_cache_ttl_s = 1;
	net_restart(net);
	k = net_udp(net, 7);
	resolve(net, k, PEER_IP, peer_mac);
	net_pass_ms(net, 499);
	send_to(net, k, PEER_IP);
	assert_memory_equal(net->out, peer_mac, 6);
	assert_int_equal(net_drain(net), 0);
	net_pass_ms(net, 1);
	assert_true(net_take(net) > 0);
	assert_true(out_is_arp(net, 1, PEER_IP));
	assert_memory_equal(net->out, peer_mac, 6);
}

/* The time at which the entry that was just resolved has not been used for so long that only its
 * last part is left. */
static void pass_until_stale(struct net *net)
{
	uint32_t asking_ms = net->cfg.arp_request_timeout_ms * (net->cfg.arp_request_retries + 1);

	net_pass_ms(net, net->cfg.arp_cache_ttl_s * 1000 - asking_ms);
}

static void an_entry_used_in_the_last_part_of_its_life_is_asked_for_at_once(void **state)
{
	struct net *net = *state;
	struct sock *k = net_udp(net, 7);

	resolve(net, k, PEER_IP, peer_mac);
	send_to(net, k, PEER_IP); /* now the socket has its path */
	pass_until_stale(net);
	assert_int_equal(net_drain(net), 0);
	send_to(net, k, PEER_IP); /* by the socket's own path */
	assert_int_equal(out_dst_ip(net), PEER_IP);
	send_to(net, net_udp(net, 8), PEER_IP);
	assert_true(out_is_arp(net, 1, PEER_IP));
	assert_memory_equal(net->out, peer_mac, 6);
	assert_true(net_take(net) > 0);
	assert_int_equal(out_dst_ip(net), PEER_IP);
}

static void an_entry_that_only_paths_use_is_asked_for_before_it_ends(void **state)
{
	struct net *net = *state;
	struct sock *k = net_udp(net, 7);

	resolve(net, k, PEER_IP, peer_mac);
	send_to(net, k, PEER_IP); /* now the socket has its path */
	pass_until_stale(net);
	net_pass_ms(net, 1);
	send_to(net, k, PEER_IP);
	assert_int_equal(out_dst_ip(net), PEER_IP);
	net_pass_ms(net, 60000);
	assert_true(net_take(net) > 0);
	assert_true(out_is_arp(net, 1, PEER_IP));
	assert_memory_equal(net->out, peer_mac, 6);
}

static void an_entry_in_use_is_confirmed_by_unicast_before_it_expires(void **state)
{
	struct net *net = *state;
	struct sock *k = net_udp(net, 7);
	unsigned questions = 0;

	resolve(net, k, PEER_IP, peer_mac);
	for (uint32_t ms = 0; ms < 3 * net->cfg.arp_cache_ttl_s * 1000; ms += 100) {
		net_pass_ms(net, 100);
		assert_int_equal(net_send(net, k, "x", 1, PEER_IP, 9), 0);
		while (net_take(net) > 0) {
			assert_memory_equal(net->out, peer_mac, 6);
			if (!out_is_arp(net, 1, PEER_IP))
				continue;
			questions++;
			net_give_arp_reply(net, PEER_IP, peer_mac);
		}
	}
	assert_in_range(questions, 3, 4);
	assert_int_equal(stack_stats(net->s)->neighbour_losses, 0);
}

static void an_entry_in_use_whose_neighbour_is_silent_is_asked_for_by_broadcast(void **state)
{
	struct net *net = *state;
	struct sock *k = net_udp(net, 7);
	bool broadcast = false;
	uint32_t questions = 0;

	resolve(net, k, PEER_IP, peer_mac);
	for (uint32_t ms = 0; ms < net->cfg.arp_cache_ttl_s * 1000 && !broadcast; ms += 100) {
		net_pass_ms(net, 100);
		assert_int_equal(net_send(net, k, "x", 1, PEER_IP, 9), 0);
		while (net_take(net) > 0) {
			broadcast |= memcmp(net->out, broadcast_mac, 6) == 0;
			questions += !broadcast && out_is_arp(net, 1, PEER_IP);
		}
	}
	assert_true(broadcast);
	assert_int_equal(questions, 1 + net->cfg.arp_request_retries);
	net_give_arp_reply(net, PEER_IP, third_mac);
	assert_true(net_take(net) > 0);
	assert_memory_equal(net->out, third_mac, 6);
}

static void a_claim_to_a_live_entry_is_not_believed_while_the_holder_answers(void **state)
{
	struct net *net = *state;
	struct sock *k = net_udp(net, 7);

	resolve(net, k, PEER_IP, peer_mac);
	net_pass_ms(net, 2000);
	net_give_arp_reply(net, PEER_IP, third_mac);
	assert_int_equal(stack_stats(net->s)->drop_arp_contested, 1);
	assert_true(net_take(net) > 0);
	assert_true(out_is_arp(net, 1, PEER_IP));
	assert_memory_equal(net->out, peer_mac, 6);
	send_to(net, k, PEER_IP);
	assert_memory_equal(net->out, peer_mac, 6);
	net_give_arp_reply(net, PEER_IP, peer_mac);
	net_pass_ms(net, 10000);
	assert_int_equal(net_drain(net), 0);
	send_to(net, k, PEER_IP);
	assert_memory_equal(net->out, peer_mac, 6);
}

static void a_claim_is_looked_into_when_the_holder_has_gone(void **state)
{
	struct net *net = *state;
	struct sock *k = net_udp(net, 7);

	resolve(net, k, PEER_IP, peer_mac);
	net_pass_ms(net, 2000);
	net_give_arp_reply(net, PEER_IP, third_mac);
	net_drain(net);
	net_pass_ms(net, 2 * net->cfg.arp_request_timeout_ms);
	assert_int_equal(stack_stats(net->s)->neighbour_losses, 1);
	while (net_take(net) > 0 && memcmp(net->out, broadcast_mac, 6) != 0)
		;
	assert_true(out_is_arp(net, 1, PEER_IP));
	net_give_arp_reply(net, PEER_IP, third_mac);
	send_to(net, k, PEER_IP);
	assert_memory_equal(net->out, third_mac, 6);
}

static void many_claims_cause_few_questions(void **state)
{
	struct net *net = *state;
	struct sock *k = net_udp(net, 7);
	unsigned questions = 0;

	resolve(net, k, PEER_IP, peer_mac);
	net_pass_ms(net, 2000);
	for (unsigned i = 0; i < 1000; i++) {
		net_give_arp_reply(net, PEER_IP, third_mac);
		while (net_take(net) > 0) {
			questions++;
			net_give_arp_reply(net, PEER_IP, peer_mac);
		}
		net_pass_ms(net, 1);
	}
	assert_int_equal(questions, 1);
}

static void a_static_entry_never_changes(void **state)
{
	struct net *net = *state;
	struct sock *k;

	net_restart_with_statics(net);
	k = net_udp(net, 7);
	net_give_arp_reply(net, PEER_IP, third_mac);
	peer_asks(net, PEER_IP, third_mac);
	net_pass_ms(net, 10 * net->cfg.arp_cache_ttl_s * 1000);
	net_drain(net);
	send_to(net, k, PEER_IP);
	assert_memory_equal(net->out, peer_mac, 6);
	assert_int_equal(stack_stats(net->s)->drop_arp_contested, 2);
}

static void without_requests_only_static_entries_are_reached(void **state)
{
	struct net *net = *state;
	struct ip_addr third = ip4(THIRD_IP);
	struct sock *k;

	net->cfg.arp_disable_requests = true;
	net_restart(net);
	assert_int_equal(stack_add_neighbour(net->s, &third, third_mac), 0);
	k = net_udp(net, 7);
	assert_int_equal(net_send(net, k, "x", 1, PEER_IP, 9), -EHOSTUNREACH);
	send_to(net, k, THIRD_IP);
	assert_memory_equal(net->out, third_mac, 6);
	peer_asks(net, PEER_IP, peer_mac);
	assert_int_equal(net_drain(net), 1);
	assert_int_equal(net_send(net, k, "x", 1, PEER_IP, 9), -EHOSTUNREACH);
}

/* Made-up hosts of this link make us answer: closed ports are asked for. */
static void flood(struct net *net, uint32_t first_ip, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		net_give_udp(net, first_ip + i, 1, 1, "", 0);
		net_drain(net);
		net_pass_ms(net, 2);
	}
}

static void a_flood_displaces_neither_live_nor_static_entries(void **state)
{
	struct net *net = *state;
	struct ip_addr third = ip4(THIRD_IP);
	struct sock *k;

	net->cfg.max_neighbours = 16;
	net->cfg.prefix_len = 16;
	net_restart(net);
	k = net_udp(net, 7);
	assert_int_equal(stack_add_neighbour(net->s, &third, third_mac), 0);
	resolve(net, k, PEER_IP, peer_mac);
	flood(net, 0x0a000100, 200);
	assert_true(stack_stats(net->s)->neighbour_evictions >= 190);
	send_to(net, k, PEER_IP);
	assert_memory_equal(net->out, peer_mac, 6);
	send_to(net, k, THIRD_IP);
	assert_memory_equal(net->out, third_mac, 6);
}

static void a_peer_that_the_program_talks_to_is_passive_no_more(void **state)
{
	struct net *net = *state;
	struct sock *k;

	net->cfg.max_neighbours = 16;
	net->cfg.prefix_len = 16;
	net_restart(net);
	k = net_udp(net, 7);
	peer_asks(net, PEER_IP, peer_mac);
	net_drain(net);
	send_to(net, k, PEER_IP);
	flood(net, 0x0a000100, 200);
	send_to(net, k, PEER_IP);
	assert_int_equal(out_dst_ip(net), PEER_IP);
	assert_memory_equal(net->out, peer_mac, 6);
}

/* As above, of a program that answers every datagram. */
static void answering_strangers_displaces_no_neighbour_that_is_there(void **state)
{
	struct net *net = *state;
	struct ip_addr third = ip4(THIRD_IP);
	struct sock *k;

	net->cfg.max_neighbours = 16;
	net->cfg.prefix_len = 16;
	net_restart(net);
	k = net_udp(net, 7);
	assert_int_equal(stack_add_neighbour(net->s, &third, third_mac), 0);
	resolve(net, k, PEER_IP, peer_mac);
	for (uint32_t i = 0; i < 200; i++) {
		assert_int_equal(net_send(net, k, "x", 1, 0x0a000100 + i, 9), 0);
		net_drain(net);
		net_pass_ms(net, 20);
	}
	send_to(net, k, PEER_IP);
	assert_memory_equal(net->out, peer_mac, 6);
	send_to(net, k, THIRD_IP);
	assert_memory_equal(net->out, third_mac, 6);
}

static void the_programs_own_requests_are_rate_limited_too(void **state)
{
	struct net *net = *state;
	struct sock *k;

	net->cfg.prefix_len = 8;
	net->cfg.max_neighbours = 8192;
	net_restart(net);
	k = net_udp(net, 7);
	for (uint32_t i = 0; i < 4 * ARP_REQUESTS_PER_S; i++) {
		assert_int_equal(net_send(net, k, "x", 1, 0x0a010001 + i, 9), 0);
		net_drain(net);
	}
	assert_int_equal(stack_stats(net->s)->tx_arp_requests, ARP_REQUESTS_PER_S);
	net_give_arp_reply(net, 0x0a010001 + 4 * ARP_REQUESTS_PER_S - 1, peer_mac);
	assert_int_equal(net_drain(net), 1);
}

static void a_flood_causes_few_requests(void **state)
{
	struct net *net = *state;

	net->cfg.prefix_len = 16;
	net_restart(net);
	for (uint32_t i = 0; i < 1000; i++) {
		net_give_udp(net, 0x0a000100 + i, 1, 1, "", 0);
		net->now_ns += 1000000 * 10; /* the limit of ICMP errors is not what is looked at */
		net_drain(net);
	}
	assert_in_range(stack_stats(net->s)->tx_arp_requests, 900, 1101);
	for (uint32_t i = 0; i < 2000; i++) {
		net_give_udp(net, 0x0a001000 + i, 1, 1, "", 0);
		net->now_ns += 1000000;
		net_drain(net);
	}
	assert_in_range(stack_stats(net->s)->tx_arp_requests, 1000, 1500);
}

static void the_programs_own_traffic_displaces_the_least_used_entry(void **state)
{
	struct net *net = *state;
	struct sock *k;

	net->cfg.max_neighbours = 4;
	net_restart(net);
	k = net_udp(net, 7);
	for (uint32_t i = 0; i < 4; i++) {
		resolve(net, k, PEER_IP + i, peer_mac);
		net_pass_ms(net, 1);
	}
	send_to(net, k, PEER_IP); /* now the second is the least used */
	resolve(net, k, PEER_IP + 4, peer_mac);
	assert_int_equal(stack_stats(net->s)->neighbour_evictions, 1);
	for (uint32_t i = 2; i < 5; i++) {
		send_to(net, k, PEER_IP + i);
		assert_int_equal(out_dst_ip(net), PEER_IP + i);
	}
	send_to(net, k, PEER_IP);
	assert_int_equal(out_dst_ip(net), PEER_IP);
	send_to(net, k, PEER_IP + 1);
	assert_true(out_is_arp(net, 1, PEER_IP + 1));
}

static void statics_alone_fill_a_table(void **state)
{
	struct net *net = *state;
	struct ip_addr a;

	net->cfg.max_neighbours = 4;
	net_restart(net);
	for (uint32_t i = 0; i < 4; i++) {
		a = ip4(PEER_IP + i);
		assert_int_equal(stack_add_neighbour(net->s, &a, peer_mac), 0);
	}
	a = ip4(PEER_IP + 4);
	assert_int_equal(stack_add_neighbour(net->s, &a, peer_mac), -ENOMEM);
	a = ip4(PEER_IP);
	assert_int_equal(stack_add_neighbour(net->s, &a, third_mac), 0);
	assert_int_equal(stack_add_neighbour(net->s, &a, broadcast_mac), -EINVAL);
}

static void a_path_is_valid_until_its_neighbour_losses(void **state)
{
	struct net *net = *state;
	struct ip_addr us = ip4(OUR_IP), peer = ip4(PEER_IP);
	struct ip_path p;

	ip_path_init(&p, IPPROTO_TCP);
	assert_false(ip_path_valid(&p));
	assert_int_equal(ip_path_find(net->s, &p, &us, &peer), -EAGAIN);
	assert_false(ip_path_valid(&p));
	net_give_arp_reply(net, PEER_IP, peer_mac);
	assert_false(ip_path_valid(&p));
	assert_int_equal(ip_path_find(net->s, &p, &us, &peer), 0);
	assert_true(ip_path_valid(&p));
	net_drain(net);
	net_pass_ms(net, net->cfg.arp_cache_ttl_s * 1000);
	assert_false(ip_path_valid(&p));
	ip_path_release(&p);
}

static void a_doubted_neighbour_is_asked_once_in_a_while(void **state)
{
	struct net *net = *state;
	struct ip_addr us = ip4(OUR_IP), peer = ip4(PEER_IP);
	struct ip_path p;

	ip_path_init(&p, IPPROTO_TCP);
	ip_path_doubt(net->s, &p);
	assert_int_equal(ip_path_find(net->s, &p, &us, &peer), -EAGAIN);
	net_give_arp_reply(net, PEER_IP, peer_mac);
	assert_int_equal(ip_path_find(net->s, &p, &us, &peer), 0);
	net_pass_ms(net, 1500);
	net_drain(net);
	ip_path_doubt(net->s, &p);
	ip_path_doubt(net->s, &p);
	assert_true(net_take(net) > 0);
	assert_true(out_is_arp(net, 1, PEER_IP));
	assert_memory_equal(net->out, peer_mac, 6);
	assert_int_equal(net_take(net), 0);
	assert_true(ip_path_valid(&p));
	ip_path_release(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    net_test(a_request_for_our_address_is_answered),
	    net_test(a_request_for_another_address_is_not_answered),
	    net_test(requests_beyond_the_rate_are_not_answered),
	    net_test(malformed_packets_are_dropped),
	    net_test(a_probe_for_our_address_is_answered_and_teaches_nothing),
	    net_test(who_asks_for_us_is_known_from_then_on),
	    net_test(who_is_not_of_this_link_is_answered_and_not_noted),
	    net_test(a_short_life_has_its_last_part_too),
	    net_test(an_entry_used_in_the_last_part_of_its_life_is_asked_for_at_once),
	    net_test(an_entry_that_only_paths_use_is_asked_for_before_it_ends),
	    net_test(a_peer_that_the_program_talks_to_is_passive_no_more),
	    net_test(who_announces_itself_unasked_is_not_noted),
	    net_test(our_address_is_defended_but_not_all_the_time),
	    net_test(our_own_frame_come_back_is_no_conflict),
	    net_test(a_silent_neighbour_is_asked_for_again_and_then_given_up),
	    net_test(packets_wait_for_a_neighbour_in_order_and_in_bounded_number),
	    net_test(packets_that_wait_for_neighbours_are_bounded_in_all),
	    net_test(an_unused_entry_expires),
	    net_test(an_entry_in_use_is_confirmed_by_unicast_before_it_expires),
	    net_test(an_entry_in_use_whose_neighbour_is_silent_is_asked_for_by_broadcast),
	    net_test(a_claim_to_a_live_entry_is_not_believed_while_the_holder_answers),
	    net_test(a_claim_is_looked_into_when_the_holder_has_gone),
	    net_test(many_claims_cause_few_questions),
	    net_test(a_static_entry_never_changes),
	    net_test(without_requests_only_static_entries_are_reached),
	    net_test(a_flood_displaces_neither_live_nor_static_entries),
	    net_test(answering_strangers_displaces_no_neighbour_that_is_there),
	    net_test(the_programs_own_requests_are_rate_limited_too),
	    net_test(a_flood_causes_few_requests),
	    net_test(the_programs_own_traffic_displaces_the_least_used_entry),
	    net_test(statics_alone_fill_a_table),
	    net_test(a_path_is_valid_until_its_neighbour_losses),
	    net_test(a_doubted_neighbour_is_asked_once_in_a_while),
	};

	return cmocka_run_group_tests_name("neighbour", tests, NULL, NULL);
}
