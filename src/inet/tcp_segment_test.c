/* Segments on the wire: the checksums that we send, and those that we take nothing without.
 *
 * SPDX-License-Identifier: MIT
 */
#include "inet/tcp_peer_test.h"
#include <errno.h>
#include <netinet/in.h>

enum { PORT = 1000 };

static void every_segment_that_we_send_has_a_good_checksum(void **state)
{
	struct net *net = *state;
	struct sock *listener = peer_listen(net, 1), *k;
	uint32_t segments = 0;
	bool zero_copy;

	peer_give(net, PEER_IP, PORT, PEER_ISS, 0, TCP_SYN, 0);
	assert_true(net_take(net) > 0); /* with options */
	assert_true(out_checksums_ok(net));
	peer_give(net, PEER_IP, PORT, PEER_ISS + 1, peer_our_next(net, PEER_IP, PORT), TCP_ACK, 0);
	assert_int_equal(stack_accept(listener, NULL, &k), 0);
	assert_int_equal(
	    stack_send(k, NULL, (const uint8_t *)"of odd length", 13, &zero_copy, net->now_ns), 13);
	assert_int_equal(stack_shutdown(k, SHUT_WR, net->now_ns), 0);
	peer_give(net, PEER_IP, PORT + 1, PEER_ISS, 0, TCP_ACK, 0); /* of no connection: a reset */
	while (net_take(net) > 0) {
		assert_int_equal(out_protocol(net), IPPROTO_TCP);
		assert_true(out_checksums_ok(net));
		net->out[14 + 20 + 5] ^= 1;
		assert_false(out_checksums_ok(net));
		segments++;
	}
	assert_true(segments >= 2);
}

/* Of a connection's next segment: a bit of each byte in turn, but for the header's length, which is
 * looked at before anything is summed up. */
static void a_segment_of_which_a_bit_is_wrong_is_dropped_in_silence(void **state)
{
	struct net *net = *state;
	struct sock *k = peer_connect(net, peer_listen(net, 1), PEER_IP, PORT);
	struct ip_addr src = ip4(PEER_IP), dst = ip4(OUR_IP);
	struct test_ip h = {.src = PEER_IP, .protocol = IPPROTO_TCP};
	uint8_t tcp[TCP_HEADER_BYTES + 5] = {0};
	struct stack_received r;

	put_be16(tcp, PORT);
	put_be16(tcp + 2, PEER_LISTEN_PORT);
	put_be32(tcp + 4, PEER_ISS + 1);
	put_be32(tcp + 8, tcp_cb_of(k)->snd_nxt);
	tcp[12] = TCP_HEADER_BYTES / 4 << 4;
	tcp[13] = TCP_ACK;
	put_be16(tcp + 14, 65535);
	memcpy(tcp + TCP_HEADER_BYTES, "datas", 5);
	csum_store(tcp + 16, csum_partial(tcp, sizeof(tcp),
					  ip_pseudo_sum(&src, &dst, IPPROTO_TCP, sizeof(tcp))));
	net_drain(net);
	for (unsigned i = 0; i < sizeof(tcp); i++) {
		if (i == 12)
			continue;
		tcp[i] ^= 0x10;
		net_give_ip(net, &h, tcp, sizeof(tcp));
		tcp[i] ^= 0x10;
	}
	assert_int_equal(stack_stats(net->s)->drop_tcp_checksum, sizeof(tcp) - 1);
	assert_int_equal(net_drain(net), 0);
	assert_int_equal(stack_recv(k, 10, &r, net->now_ns), -EAGAIN);
	net_give_ip(net, &h, tcp, sizeof(tcp));
	assert_int_equal(stack_recv(k, 10, &r, net->now_ns), 1);
	assert_int_equal(r.len, 5);
	buf_unref(r.buf);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    net_test(every_segment_that_we_send_has_a_good_checksum),
	    net_test(a_segment_of_which_a_bit_is_wrong_is_dropped_in_silence),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
