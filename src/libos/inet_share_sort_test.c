/* SPDX-License-Identifier: MIT */
#include "libos/inet_share_sort.h"
#include "base/bytes.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

enum { LEN = 60, TCP = 6, UDP = 17, ICMP = 1, SYN = 0x02, ACK = 0x10 };

static uint8_t frame[LEN];

static void ip4_of(uint8_t protocol)
{
	memset(frame, 0, sizeof(frame));
	put_be16(frame + 12, 0x0800);
	frame[14] = 0x45;
	frame[23] = protocol;
	put_be32(frame + 26, 0x0a000007);
	put_be16(frame + 34, 4242);
	put_be16(frame + 36, 80);
}

static enum share_kind kind(uint32_t len)
{
	return share_sort(frame, len).kind;
}

static void tcp_and_udp_go_by_their_port(void **state)
{
	struct share_sorted s;
	struct ip_addr peer = ip4(0x0a000007);

	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		ip4_of(i == 0 ? TCP : UDP);
		s = share_sort(frame, LEN);
		assert_int_equal(s.kind, SHARE_PORT);
		assert_int_equal(s.protocol, i == 0 ? PORTS_TCP : PORTS_UDP);
		assert_int_equal(s.port, 80);
		assert_int_equal(s.peer.port, 4242);
		assert_true(ip_eq(&s.peer.ip, &peer));
		assert_false(s.opens);
	}
}

static void a_syn_alone_opens(void **state)
{
	(void)state;
	ip4_of(TCP);
	frame[47] = SYN;
	assert_true(share_sort(frame, LEN).opens);
	frame[47] = SYN | ACK;
	assert_false(share_sort(frame, LEN).opens);
	ip4_of(UDP);
	frame[47] = SYN;
	assert_false(share_sort(frame, LEN).opens);
}

static void options_of_ip_are_skipped(void **state)
{
	(void)state;
	ip4_of(TCP);
	frame[14] = 0x46;
	put_be16(frame + 40, 8080);
	assert_int_equal(share_sort(frame, LEN).port, 8080);
}

static void arp_and_icmp_are_for_all_but_a_ping_is_for_one(void **state)
{
	(void)state;
	memset(frame, 0, sizeof(frame));
	put_be16(frame + 12, 0x0806);
	assert_int_equal(kind(LEN), SHARE_ALL);
	ip4_of(ICMP);
	frame[34] = 3;
	assert_int_equal(kind(LEN), SHARE_ALL);
	frame[34] = 8;
	assert_int_equal(kind(LEN), SHARE_ONE);
}

static void fragments_are_pieces_for_all(void **state)
{
	(void)state;
	ip4_of(UDP);
	put_be16(frame + 20, 0x2000); /* the first */
	assert_int_equal(kind(LEN), SHARE_PIECES);
	put_be16(frame + 20, 0x0001); /* the last */
	assert_int_equal(kind(LEN), SHARE_PIECES);
	put_be16(frame + 20, 0x4000); /* DF alone */
	assert_int_equal(kind(LEN), SHARE_PORT);
	ip4_of(ICMP);
	put_be16(frame + 20, 0x2000);
	assert_int_equal(kind(LEN), SHARE_ONE);
}

/* What is cut short is anybody's, wherever the cut is. */
static void nothing_is_read_beyond_the_end(void **state)
{
	(void)state;
	ip4_of(TCP);
	for (uint32_t len = 0; len < 48; len++)
		assert_int_equal(kind(len), SHARE_ONE);
	assert_int_equal(kind(48), SHARE_PORT);
	frame[14] = 0x4f;
	assert_int_equal(kind(LEN), SHARE_ONE);
	frame[14] = 0x44;
	assert_int_equal(kind(LEN), SHARE_ONE);
	frame[14] = 0x65;
	assert_int_equal(kind(LEN), SHARE_ONE);
}

static void a_peer_is_always_the_same_members(void **state)
{
	const uint64_t key[2] = {1, 2};
	unsigned times[64] = {0};

	(void)state;
	for (uint16_t port = 1; port < 4000; port++) {
		const struct share_sorted s = {
		    .port = 80, .peer = {ip4(0x0a000007), port}, .protocol = PORTS_TCP};
		unsigned member = share_pick(0x8000000000000012, &s, key);

		assert_true(member == 1 || member == 4 || member == 63);
		assert_int_equal(share_pick(0x8000000000000012, &s, key), member);
		assert_int_equal(share_pick(1 << 9, &s, key), 9);
		times[member]++;
	}
	assert_true(times[1] > 1000 && times[4] > 1000 && times[63] > 1000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(tcp_and_udp_go_by_their_port),
	    cmocka_unit_test(a_syn_alone_opens),
	    cmocka_unit_test(options_of_ip_are_skipped),
	    cmocka_unit_test(arp_and_icmp_are_for_all_but_a_ping_is_for_one),
	    cmocka_unit_test(fragments_are_pieces_for_all),
	    cmocka_unit_test(nothing_is_read_beyond_the_end),
	    cmocka_unit_test(a_peer_is_always_the_same_members),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
