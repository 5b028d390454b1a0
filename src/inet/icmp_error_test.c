/* SPDX-License-Identifier: MIT */
#include "inet/inet_test.h"
#include <string.h>

enum { ETH_IP_BYTES = 34, ICMP_BYTES = 8, QUOTED_MIN_BYTES = 28 };

static void give_datagram_to_nobody(struct net *net, size_t bytes)
{
	static const uint8_t payload[1400];

	net_give_udp(net, PEER_IP, 1000, 9, payload, bytes);
}

static void an_error_quotes_no_more_than_its_path_takes(void **state)
{
	struct net *net = *state;

	for (uint16_t mtu = 68; mtu <= 576; mtu += 4) {
		net->cfg.mtu = mtu;
		net_restart_with_statics(net);
		give_datagram_to_nobody(net, 1400);
		assert_int_equal(net_take(net), 14 + mtu);
		assert_true(out_checksums_ok(net));
		assert_int_equal(net_drain(net), 0);
	}
}

static void an_error_quotes_at_most_576_bytes_and_all_of_a_short_packet(void **state)
{
	struct net *net = *state;

	net_restart_with_statics(net);
	give_datagram_to_nobody(net, 1400);
	assert_int_equal(net_take(net), 14 + 576);
	give_datagram_to_nobody(net, 0);
	assert_int_equal(net_take(net), ETH_IP_BYTES + ICMP_BYTES + QUOTED_MIN_BYTES);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(an_error_quotes_no_more_than_its_path_takes, net_setup,
					    net_teardown),
	    cmocka_unit_test_setup_teardown(
		an_error_quotes_at_most_576_bytes_and_all_of_a_short_packet, net_setup,
		net_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
