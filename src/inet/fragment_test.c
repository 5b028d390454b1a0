/* SPDX-License-Identifier: MIT */
#include "inet/inet_test.h"
#include "base/bytes.h"
#include "base/checksum.h"
#include "inet/ip.h"
#include "inet/limits.h"
#include <errno.h>
#include <stdlib.h>

enum { PORT = 7000, MORE = 0x2000 };

/* A UDP datagram of `bytes` payload, whose fragments the tests give in any way they like. */
struct datagram {
	struct test_ip h;
	uint8_t l4[66000];
	size_t len;
};

static struct datagram *make(size_t bytes)
{
	struct datagram *d = calloc(1, sizeof(*d));
	uint8_t *payload = malloc(bytes + 1);

	assert_non_null(d);
	assert_non_null(payload);
	for (size_t i = 0; i < bytes; i++)
		payload[i] = (uint8_t)(i * 7 + i / 256);
	d->h.protocol = IPPROTO_UDP;
	d->h.id = 77;
	d->len = build_udp(d->l4, &d->h, 9, PORT, payload, bytes);
	free(payload);
	return d;
}

/* Gives bytes [from, to) of d. */
static void give(struct net *net, struct datagram *d, size_t from, size_t to)
{
	d->h.fragment = (uint16_t)(from / 8 | (to < d->len ? MORE : 0));
	net_give_ip(net, &d->h, d->l4 + from, to - from);
}

/* Is d what the socket has got? */
static void expect(struct net *net, struct sock *k, const struct datagram *d)
{
	struct stack_received r;

	assert_int_equal(stack_recv(k, UINT32_MAX, &r, net->now_ns), 1);
	assert_int_equal(r.len, d->len - 8);
	assert_memory_equal(r.data, d->l4 + 8, r.len);
	assert_int_equal(r.from.port, 9);
	buf_unref(r.buf);
}

static void expect_nothing(struct net *net, struct sock *k)
{
	struct stack_received r;

	assert_int_equal(stack_recv(k, UINT32_MAX, &r, net->now_ns), -EAGAIN);
}

static void fragments_are_put_together_in_any_order(void **state)
{
	static const uint8_t orders[6][3] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2},
					     {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
	struct net *net = *state;
	struct sock *k = net_udp(net, PORT);
	struct datagram *d = make(4000);

	for (unsigned i = 0; i < 6; i++) {
		for (unsigned j = 0; j < 3; j++) {
			size_t from = orders[i][j] * 1480u;

			give(net, d, from, from + 1480 < d->len ? from + 1480 : d->len);
		}
		expect(net, k, d);
		d->h.id++;
	}
	assert_int_equal(stack_stats(net->s)->rx_fragments, 18);
	assert_int_equal(stack_stats(net->s)->rx_reassembled, 6);
	free(d);
}

static void the_largest_datagram_is_put_together(void **state)
{
	struct net *net = *state;
	struct sock *k = net_udp(net, PORT);
	struct datagram *d = make(65507);

	for (size_t from = 0; from < d->len; from += 1480)
		give(net, d, from, from + 1480 < d->len ? from + 1480 : d->len);
	expect(net, k, d);
	free(d);
}

static void datagrams_of_several_peers_and_ids_are_kept_apart(void **state)
{
	struct net *net = *state;
	struct sock *k = net_udp(net, PORT);
	struct datagram *d = make(2000);
	struct datagram *e = make(1999);
	struct datagram *f = make(1998);

	e->h.id++;
	f->h.src = THIRD_IP;
	f->len = build_udp(f->l4, &f->h, 9, PORT, f->l4 + 8, 1998);
	give(net, d, 0, 1000);
	give(net, e, 0, 1000);
	give(net, f, 0, 1000);
	give(net, f, 1000, f->len);
	give(net, e, 1000, e->len);
	give(net, d, 1000, d->len);
	expect(net, k, f);
	expect(net, k, e);
	expect(net, k, d);
	free(d);
	free(e);
	free(f);
}

static void a_copy_of_a_fragment_does_no_harm(void **state)
{
	struct net *net = *state;
	struct sock *k = net_udp(net, PORT);
	struct datagram *d = make(2000);

	give(net, d, 1000, d->len);
	give(net, d, 1000, d->len);
	give(net, d, 0, 1000);
	expect(net, k, d);
	assert_int_equal(stack_stats(net->s)->drop_fragment_duplicate, 1);
	free(d);
}

static void an_overlap_drops_the_datagram_and_what_still_comes_of_it(void **state)
{
	/* Each spoils a datagram of which [0, 800) and [1600, end) are there. */
	static const struct {
		uint16_t from, to;
	} overlaps[] = {{400, 1200}, {792, 1600}, {800, 1608}, {0, 1600}, {0, 400}, {800, 2400}};
	struct net *net = *state;
	struct sock *k = net_udp(net, PORT);
	struct datagram *d = make(2000);

	for (unsigned i = 0; i < sizeof(overlaps) / sizeof(overlaps[0]); i++) {
		uint8_t byte = d->l4[100];

		give(net, d, 0, 800);
		give(net, d, 1600, d->len);
		d->l4[100] ^= 1; /* [0, 400) is a part of the first, but another one */
		d->h.fragment = (uint16_t)(overlaps[i].from / 8 | MORE);
		net_give_ip(net, &d->h, d->l4 + overlaps[i].from,
			    overlaps[i].to - overlaps[i].from);
		d->l4[100] = byte;
		assert_int_equal(stack_stats(net->s)->drop_fragment_overlap, 2 * i + 1);
		give(net, d, 800, 1600);
		assert_int_equal(stack_stats(net->s)->drop_fragment_overlap, 2 * i + 2);
		assert_int_equal(stack_stats(net->s)->lost_reassembly, i + 1);
		d->h.id++;
		net_pass_ms(net, REASSEMBLY_TIMEOUT_S * 1000);
	}
	expect_nothing(net, k);
	free(d);
}

/* RFC 3168 5.3. The code points of three fragments; of the first five a packet comes. */
static void a_mark_that_a_packet_could_not_carry_drops_it(void **state)
{
	static const uint8_t tos[][3] = {{0, 0, 0}, {3, 3, 3}, {2, 3, 2}, {1, 2, 1},
					 {0, 2, 0}, {3, 0, 3}, {2, 0, 3}};
	struct net *net = *state;
	struct sock *k = net_udp(net, PORT);
	struct datagram *d = make(4000);

	for (unsigned i = 0; i < sizeof(tos) / sizeof(tos[0]); i++) {
		for (unsigned j = 0; j < 3; j++) {
			d->h.tos = tos[i][j];
			give(net, d, j * 1480u, j < 2 ? (j + 1) * 1480u : d->len);
		}
		if (i < 5)
			expect(net, k, d);
		d->h.id++;
	}
	expect_nothing(net, k);
	assert_int_equal(stack_stats(net->s)->lost_reassembly, 2);
	free(d);
}

static void an_end_that_was_none_before_drops_the_datagram(void **state)
{
	struct net *net = *state;
	struct datagram *d = make(2000);

	give(net, d, 800, 1600);
	d->h.fragment = 800 / 8; /* the same bytes, as the last */
	net_give_ip(net, &d->h, d->l4 + 800, 800);
	assert_int_equal(stack_stats(net->s)->drop_fragment_overlap, 1);
	free(d);
}

static void an_error_about_a_datagram_quotes_it_as_whole(void **state)
{
	struct net *net = *state;
	struct datagram *d = make(1000);
	const uint8_t *quoted = net->out + 14 + 20 + 8;

	net_restart_with_statics(net);
	give(net, d, 0, 800);
	give(net, d, 800, d->len);
	assert_true(net_take(net) > 0);
	assert_int_equal(get_be32(out_l4(net)) >> 16, 0x0303);
	assert_int_equal(get_be16(quoted + 2), 20 + d->len);
	assert_int_equal(get_be16(quoted + 6), 0);
	assert_int_equal(csum_fold(csum_header20(quoted, 0)), 0);
	free(d);
}

static void two_ends_of_one_datagram_drop_it(void **state)
{
	struct net *net = *state;
	struct sock *k = net_udp(net, PORT);
	struct datagram *d = make(2000);

	give(net, d, 1600, d->len);
	d->h.fragment = 800 / 8;
	net_give_ip(net, &d->h, d->l4 + 800, 400);
	assert_int_equal(stack_stats(net->s)->drop_fragment_overlap, 1);
	d->h.id++;
	give(net, d, 800, 1600);
	d->h.fragment = 400 / 8; /* ends before what is there */
	net_give_ip(net, &d->h, d->l4 + 400, 400);
	assert_int_equal(stack_stats(net->s)->drop_fragment_overlap, 2);
	expect_nothing(net, k);
	free(d);
}

static void a_teardrop_is_dropped(void **state)
{
	struct net *net = *state;
	struct sock *k = net_udp(net, PORT);
	struct datagram *d = make(2000);

	give(net, d, 0, 48);
	d->h.fragment = 24 / 8;
	net_give_ip(net, &d->h, d->l4 + 24, 4); /* the last, inside the first */
	assert_int_equal(stack_stats(net->s)->drop_fragment_overlap, 1);
	expect_nothing(net, k);
	free(d);
}

static void impossible_fragments_are_dropped(void **state)
{
	static const struct {
		uint16_t fragment, len;
	} bad[] = {
	    {MORE | 0x1ff0, 1480}, /* ends beyond 65535: the ping of death */
	    {0x1ffe, 8},
	    {MORE, 47}, /* not a multiple of 8 */
	    {MORE, 1001},
	    {MORE, 40}, /* tiny */
	    {MORE, 0},
	    {10, 0},
	};
	struct net *net = *state;
	struct datagram *d = make(2000);

	for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		d->h.fragment = bad[i].fragment;
		net_give_ip(net, &d->h, d->l4, bad[i].len);
		assert_int_equal(stack_stats(net->s)->drop_fragment_malformed, i + 1);
	}
	assert_int_equal(stack_next_deadline(net->s), UINT64_MAX);
	free(d);
}

static void a_datagram_that_stays_incomplete_is_given_up_and_its_sender_told(void **state)
{
	struct net *net = *state;
	struct datagram *d = make(2000);

	net_restart_with_statics(net);
	give(net, d, 0, 800);
	give(net, d, 1600, d->len);
	net_pass_ms(net, REASSEMBLY_TIMEOUT_S * 1000 - 1);
	assert_int_equal(net_drain(net), 0);
	net_pass_ms(net, 1);
	assert_true(net_take(net) > 0);
	assert_true(out_checksums_ok(net));
	assert_int_equal(get_be16(out_l4(net)), 0x0b01);
	assert_int_equal(out_l4(net)[8 + 9], IPPROTO_UDP);
	assert_memory_equal(out_l4(net) + 8 + 20, d->l4, 500);
	assert_int_equal(stack_stats(net->s)->lost_reassembly, 1);
	free(d);
}

static void nobody_is_told_of_a_datagram_whose_beginning_is_missing(void **state)
{
	struct net *net = *state;
	struct datagram *d = make(2000);

	net_restart_with_statics(net);
	give(net, d, 800, 1600);
	net_pass_ms(net, REASSEMBLY_TIMEOUT_S * 1000);
	assert_int_equal(net_drain(net), 0);
	assert_int_equal(stack_stats(net->s)->lost_reassembly, 1);
	free(d);
}

static void one_peer_has_a_share_of_the_places(void **state)
{
	struct net *net = *state;
	struct sock *k = net_udp(net, PORT);
	struct datagram *d = make(2000);
	struct datagram *other = make(2000);

	other->h.src = THIRD_IP;
	other->len = build_udp(other->l4, &other->h, 9, PORT, other->l4 + 8, 2000);
	give(net, other, 0, 1000);
	for (unsigned i = 0; i < 100; i++) {
		d->h.id++;
		give(net, d, 0, 1000);
	}
	assert_int_equal(stack_stats(net->s)->lost_reassembly, 100 - REASSEMBLY_DATAGRAMS_PER_PEER);
	give(net, d, 1000, d->len);
	give(net, other, 1000, other->len);
	expect(net, k, d);
	expect(net, k, other);
	free(d);
	free(other);
}

static void datagrams_in_the_works_are_bounded_in_all(void **state)
{
	struct net *net = *state;
	struct datagram *d = make(2000);

	for (uint32_t i = 0; i < 100; i++) {
		d->h.src = PEER_IP + i;
		give(net, d, 0, 1000);
	}
	assert_int_equal(stack_stats(net->s)->lost_reassembly, 100 - REASSEMBLY_DATAGRAMS);
	free(d);
}

static void give_all(struct net *net, struct datagram *d)
{
	for (size_t from = 0; from < d->len; from += 800)
		give(net, d, from, from + 800 < d->len ? from + 800 : d->len);
}

/* Receives n datagrams of `from`, in fragments, and keeps them. */
static void receive_and_keep(struct net *net, struct sock *k, struct datagram *d, uint32_t from,
			     struct stack_received *r, unsigned n)
{
	d->h.src = from;
	d->len = build_udp(d->l4, &d->h, 9, PORT, d->l4 + 8, d->len - 8);
	for (unsigned i = 0; i < n; i++, d->h.id++) {
		give_all(net, d);
		assert_int_equal(stack_recv(k, UINT32_MAX, &r[i], net->now_ns), 1);
	}
}

static void without_a_room_fragments_are_dropped_until_the_program_gives_one_back(void **state)
{
	struct net *net = *state;
	struct sock *k = net_udp(net, PORT);
	struct datagram *d = make(4000);
	struct stack_received r[REASSEMBLY_ROOMS];

	receive_and_keep(net, k, d, THIRD_IP, r, REASSEMBLY_ROOMS_PER_PEER);
	receive_and_keep(net, k, d, PEER_IP, r + REASSEMBLY_ROOMS_PER_PEER,
			 REASSEMBLY_ROOMS - REASSEMBLY_ROOMS_PER_PEER);
	d->h.src = GATEWAY_IP;
	give(net, d, 0, 1000);
	assert_int_equal(stack_stats(net->s)->drop_fragment_no_room, 1);
	for (unsigned i = 0; i < REASSEMBLY_ROOMS; i++)
		buf_unref(r[i].buf);
	d->h.src = PEER_IP;
	give_all(net, d);
	expect(net, k, d);
	free(d);
}

static void one_peer_has_a_share_of_the_rooms(void **state)
{
	struct net *net = *state;
	struct sock *k = net_udp(net, PORT);
	struct datagram *d = make(4000);
	struct stack_received r[REASSEMBLY_ROOMS_PER_PEER + 1];

	receive_and_keep(net, k, d, PEER_IP, r, REASSEMBLY_ROOMS_PER_PEER);
	give(net, d, 0, 1000);
	assert_int_equal(stack_stats(net->s)->drop_fragment_no_room, 1);
	receive_and_keep(net, k, d, THIRD_IP, r + REASSEMBLY_ROOMS_PER_PEER, 1);
	pool_remote_unref(r[0].buf); /* as another thread does */
	receive_and_keep(net, k, d, PEER_IP, r, 1);
	for (unsigned i = 0; i <= REASSEMBLY_ROOMS_PER_PEER; i++)
		buf_unref(r[i].buf);
	free(d);
}

static void who_gets_no_room_takes_nobody_elses_place(void **state)
{
	struct net *net = *state;
	struct sock *k = net_udp(net, PORT);
	struct datagram *d = make(4000), *other = make(4000);
	struct stack_received r[REASSEMBLY_ROOMS_PER_PEER];

	receive_and_keep(net, k, d, THIRD_IP, r, REASSEMBLY_ROOMS_PER_PEER);
	for (uint32_t i = 0; i < REASSEMBLY_DATAGRAMS; i++) {
		other->h.src = PEER_IP + 16 + i;
		give(net, other, 0, 1000);
		if (i == 0) /* an overlap: it keeps its place and no room */
			give(net, other, 800, 1600);
	}
	assert_int_equal(stack_stats(net->s)->lost_reassembly, 1);
	give(net, d, 0, 1000);
	assert_int_equal(stack_stats(net->s)->drop_fragment_no_room, 1);
	other->h.src = PEER_IP + 16;
	give(net, other, 1600, 2400);
	assert_int_equal(stack_stats(net->s)->drop_fragment_overlap, 2);
	assert_int_equal(stack_stats(net->s)->lost_reassembly, 1);
	for (unsigned i = 0; i < REASSEMBLY_ROOMS_PER_PEER; i++)
		buf_unref(r[i].buf);
	free(other);
	free(d);
}

static void a_full_house_makes_way_for_who_gets_the_room(void **state)
{
	struct net *net = *state;
	struct datagram *d = make(4000);
	struct sock *k = net_udp(net, PORT);
	struct stack_received r[REASSEMBLY_ROOMS - REASSEMBLY_DATAGRAMS];

	receive_and_keep(net, k, d, THIRD_IP, r, REASSEMBLY_ROOMS - REASSEMBLY_DATAGRAMS);
	for (uint32_t i = 0; i <= REASSEMBLY_DATAGRAMS; i++) {
		d->h.src = PEER_IP + i;
		give(net, d, 0, 1000);
	}
	assert_int_equal(stack_stats(net->s)->drop_fragment_no_room, 0);
	assert_int_equal(stack_stats(net->s)->lost_reassembly, 1);
	for (unsigned i = 0; i < REASSEMBLY_ROOMS - REASSEMBLY_DATAGRAMS; i++)
		buf_unref(r[i].buf);
	free(d);
}

static void a_small_datagram_holds_no_room_when_it_is_whole(void **state)
{
	struct net *net = *state;
	struct sock *k = net_udp(net, PORT);
	struct datagram *d = make(1000);
	struct stack_received r[2 * REASSEMBLY_ROOMS];

	receive_and_keep(net, k, d, PEER_IP, r, 2 * REASSEMBLY_ROOMS);
	assert_int_equal(stack_stats(net->s)->drop_fragment_no_room, 0);
	for (unsigned i = 0; i < 2 * REASSEMBLY_ROOMS; i++) {
		assert_ptr_equal(r[i].buf->pool, net->pool);
		assert_memory_equal(r[i].data, d->l4 + 8, d->len - 8);
		buf_unref(r[i].buf);
	}
	free(d);
}

static void a_corrupt_datagram_is_found_out_by_its_checksum(void **state)
{
	struct net *net = *state;
	struct sock *k = net_udp(net, PORT);
	struct datagram *d = make(2000);

	give(net, d, 0, 1000);
	d->l4[1500] ^= 1;
	give(net, d, 1000, d->len);
	expect_nothing(net, k);
	assert_int_equal(stack_stats(net->s)->drop_udp_checksum, 1);
	free(d);
}

static void options_of_the_first_fragment_are_cut_out(void **state)
{
	static const uint8_t nops[4] = {1, 1, 1, 0};
	struct net *net = *state;
	struct sock *k = net_udp(net, PORT);
	struct datagram *d = make(2000);

	d->h.options = nops;
	d->h.options_len = sizeof(nops);
	give(net, d, 0, 1000);
	d->h.options_len = 0;
	give(net, d, 1000, d->len);
	expect(net, k, d);
	free(d);
}

/* Sends `bytes` and collects the fragments; returns how many, their payload in `got`. */
static unsigned send_and_collect(struct net *net, struct sock *k, const uint8_t *data,
				 uint32_t bytes, uint8_t *got, uint16_t *id)
{
	unsigned n = 0;
	size_t at = 0;

	assert_int_equal(net_send(net, k, data, bytes, PEER_IP, 9), 0);
	while (net_take(net) > 0) {
		const uint8_t *ip = net->out + 14;
		uint16_t field = get_be16(ip + 6);

		assert_true(out_checksums_ok(net));
		assert_true(net->out_len <= 14u + net->cfg.mtu);
		assert_int_equal(field & 0x4000, 0);
		assert_int_equal((field & 0x1fff) * 8, at);
		assert_int_equal((field & MORE) != 0, at + out_l4_len(net) < bytes + 8);
		if (n++ == 0)
			*id = get_be16(ip + 4);
		assert_int_equal(get_be16(ip + 4), *id);
		memcpy(got + at, out_l4(net), out_l4_len(net));
		at += out_l4_len(net);
	}
	assert_int_equal(at, bytes + 8);
	return n;
}

static void a_datagram_larger_than_the_mtu_goes_out_in_fragments(void **state)
{
	static uint8_t data[65507], got[65535];
	struct net *net = *state;
	struct sock *k;
	uint16_t id, other_id;

	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)(i * 11 + i / 256);
	net_restart_with_statics(net);
	k = net_udp(net, PORT);
	assert_int_equal(send_and_collect(net, k, data, 4000, got, &id), 3);
	assert_memory_equal(got + 8, data, 4000);
	assert_int_equal(send_and_collect(net, k, data, 65507, got, &other_id), 45);
	assert_memory_equal(got + 8, data, 65507);
	assert_true(id != other_id);
	assert_int_equal(net_send(net, k, data, 1472, PEER_IP, 9), 0);
	assert_int_equal(net_drain(net), 1);
	assert_int_equal(net_send(net, k, data, 1473, PEER_IP, 9), 0);
	assert_int_equal(net_drain(net), 2);
}

static void datagrams_of_one_destination_have_different_ids(void **state)
{
	static uint8_t data[2000], got[2100];
	static bool seen[65536];
	struct net *net = *state;
	struct sock *k;
	uint16_t id = 0;

	net_restart_with_statics(net);
	k = net_udp(net, PORT);
	for (unsigned i = 0; i < 65536; i++) {
		send_and_collect(net, k, data, sizeof(data), got, &id);
		assert_false(seen[id]);
		seen[id] = true;
	}
}

static void fragments_carry_the_checksum_of_the_whole(void **state)
{
	static uint8_t data[4000], got[4100];
	struct net *net = *state;
	struct sock *k;
	uint16_t id;
	uint8_t whole[14 + 20 + 4100];
	struct test_ip h = {.protocol = IPPROTO_UDP, .src = OUR_IP, .dst = PEER_IP};

	net->cfg.offloads = OFFLOAD_L4_CSUM; /* of no use: a device sums what it sends */
	net_restart_with_statics(net);
	k = net_udp(net, PORT);
	send_and_collect(net, k, data, 4000, got, &id);
	build_udp(whole, &h, PORT, 9, data, 4000);
	assert_memory_equal(got, whole, 4008);
}

static void a_buffer_smaller_than_the_mtu_sets_the_size_of_copies(void **state)
{
	static uint8_t data[4000], got[4100];
	struct net *net = *state;
	struct sock *k;
	uint16_t id;

	net->cfg.mtu = 9000;
	net_restart_with_statics(net);
	k = net_udp(net, PORT);
	assert_int_equal(send_and_collect(net, k, data, 4000, got, &id), 3);
	assert_memory_equal(got + 8, data, 4000);
}

static void a_mtu_of_68_bytes_is_enough(void **state)
{
	static uint8_t data[1000], got[1100];
	struct net *net = *state;
	struct sock *k;
	uint16_t id;

	net->cfg.mtu = 68;
	net_restart_with_statics(net);
	k = net_udp(net, PORT);
	assert_int_equal(send_and_collect(net, k, data, 1000, got, &id), 21);
	assert_memory_equal(got + 8, data, 1000);
}

static void a_head_larger_than_a_fragment_is_cut_too(void **state)
{
	struct net *net = *state;
	struct ip_send m = {
	    .src = ip4(OUR_IP), .dst = ip4(PEER_IP), .protocol = 132, .answer = true};
	uint8_t whole[100];
	size_t at = 0;

	net->cfg.mtu = 68;
	net_restart_with_statics(net);
	for (uint8_t i = 0; i < sizeof(whole); i++)
		whole[i] = i;
	m.head = pool_get(net->pool);
	m.head->len = sizeof(whole);
	memcpy(m.head->data, whole, sizeof(whole));
	assert_int_equal(ip_send(net->s, &m), 0);
	while (net_take(net) > 0) {
		assert_true(net->out_len <= 14 + 68);
		assert_memory_equal(out_l4(net), whole + at, out_l4_len(net));
		at += out_l4_len(net);
	}
	assert_int_equal(at, sizeof(whole));
}

static void a_datagram_goes_out_whole_or_not_at_all(void **state)
{
	static uint8_t data[65507];
	struct net *net = *state;
	struct buf *held[TEST_POOL_BUFFERS];
	struct sock *k;
	unsigned n = 0;

	net_restart_with_statics(net);
	k = net_udp(net, PORT);
	while (net->pool->free_count > 20)
		held[n++] = pool_get(net->pool);
	assert_int_equal(net_send(net, k, data, sizeof(data), PEER_IP, 9), -ENOMEM);
	assert_int_equal(net->pool->free_count, 20);
	assert_int_equal(net_drain(net), 0);
	assert_int_equal(stack_stats(net->s)->lost_no_buffer, 1);
	while (n > 0)
		buf_unref(held[--n]);
}

static void a_datagram_in_fragments_waits_for_its_neighbour_whole(void **state)
{
	static uint8_t data[65507];
	struct net *net = *state;
	struct sock *k = net_udp(net, PORT);

	assert_int_equal(net_send(net, k, data, sizeof(data), PEER_IP, 9), 0);
	assert_int_equal(net_drain(net), 1);
	net_give_arp_reply(net, PEER_IP, peer_mac);
	assert_int_equal(net_drain(net), 45);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    net_test(fragments_are_put_together_in_any_order),
	    net_test(the_largest_datagram_is_put_together),
	    net_test(datagrams_of_several_peers_and_ids_are_kept_apart),
	    net_test(a_copy_of_a_fragment_does_no_harm),
	    net_test(an_overlap_drops_the_datagram_and_what_still_comes_of_it),
	    net_test(a_mark_that_a_packet_could_not_carry_drops_it),
	    net_test(an_end_that_was_none_before_drops_the_datagram),
	    net_test(an_error_about_a_datagram_quotes_it_as_whole),
	    net_test(two_ends_of_one_datagram_drop_it),
	    net_test(a_teardrop_is_dropped),
	    net_test(impossible_fragments_are_dropped),
	    net_test(a_datagram_that_stays_incomplete_is_given_up_and_its_sender_told),
	    net_test(nobody_is_told_of_a_datagram_whose_beginning_is_missing),
	    net_test(one_peer_has_a_share_of_the_places),
	    net_test(datagrams_in_the_works_are_bounded_in_all),
	    net_test(one_peer_has_a_share_of_the_rooms),
	    net_test(who_gets_no_room_takes_nobody_elses_place),
	    net_test(a_full_house_makes_way_for_who_gets_the_room),
	    net_test(a_small_datagram_holds_no_room_when_it_is_whole),
	    net_test(without_a_room_fragments_are_dropped_until_the_program_gives_one_back),
	    net_test(a_corrupt_datagram_is_found_out_by_its_checksum),
	    net_test(options_of_the_first_fragment_are_cut_out),
	    net_test(a_datagram_larger_than_the_mtu_goes_out_in_fragments),
	    net_test(datagrams_of_one_destination_have_different_ids),
	    net_test(fragments_carry_the_checksum_of_the_whole),
	    net_test(a_buffer_smaller_than_the_mtu_sets_the_size_of_copies),
	    net_test(a_mtu_of_68_bytes_is_enough),
	    net_test(a_head_larger_than_a_fragment_is_cut_too),
	    net_test(a_datagram_goes_out_whole_or_not_at_all),
	    net_test(a_datagram_in_fragments_waits_for_its_neighbour_whole),
	};

	return cmocka_run_group_tests_name("fragment", tests, NULL, NULL);
}
