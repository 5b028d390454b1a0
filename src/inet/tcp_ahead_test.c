/* Segments that come in one burst find what they find one by one.
 *
 * SPDX-License-Identifier: MIT
 */
#include "inet/tcp_ahead.h"
#include "inet/tcp_peer_test.h"
#include <errno.h>

enum { PEERS = TCP_AHEAD_FRAMES, PORT = 1000, BYTES = 100, LONG_BURST = TEST_BURST };

static struct sock *listener, *socks[PEERS];
static uint32_t our_next[PEERS];

static void start(struct net *net)
{
	listener = peer_listen(net, PEERS);
	for (uint16_t i = 0; i < PEERS; i++) {
		socks[i] = peer_connect(net, listener, PEER_IP, PORT + i);
		our_next[i] = tcp_cb_of(socks[i])->snd_nxt;
	}
	net_drain(net);
}

static void finish(struct net *net)
{
	for (int i = 0; i < PEERS; i++)
		stack_abort(socks[i], net->now_ns);
	stack_close(listener, net->now_ns);
	net_drain(net);
}

static void give(struct net *net, int i, uint32_t offset, uint8_t flags, uint32_t len)
{
	peer_give(net, PEER_IP, (uint16_t)(PORT + i), PEER_ISS + 1 + offset, our_next[i], flags,
		  len);
}

/* How many bytes wait for the program. */
static uint32_t received(struct net *net, int i)
{
	struct stack_received got;
	uint32_t bytes = 0;

	while (stack_recv(socks[i], UINT32_MAX, &got, net->now_ns) > 0) {
		bytes += got.len;
		buf_unref(got.buf);
	}
	return bytes;
}

static void each_segment_of_a_burst_reaches_its_connection(void **state)
{
	struct net *net = *state;

	start(net);
	net_gather(net);
	for (int i = PEERS - 1; i >= 0; i--)
		give(net, i, 0, TCP_ACK | TCP_PSH, (uint32_t)(BYTES + i));
	net_give_burst(net);
	for (int i = 0; i < PEERS; i++)
		assert_int_equal(received(net, i), BYTES + i);
	finish(net);
}

static void a_burst_that_is_longer_than_is_looked_ahead_arrives_whole(void **state)
{
	struct net *net = *state;

	start(net);
	net_gather(net);
	for (int n = 0; n < LONG_BURST; n++)
		give(net, n % PEERS, n < PEERS ? 0 : BYTES, TCP_ACK | TCP_PSH, BYTES);
	net_give_burst(net);
	for (int i = 0; i < PEERS; i++)
		assert_int_equal(received(net, i), LONG_BURST / PEERS * BYTES);
	finish(net);
}

/* What was found for the segments behind the reset is no connection any more. */
static void a_connection_that_ends_amidst_a_burst_gets_nothing_after_it(void **state)
{
	struct net *net = *state;

	start(net);
	net_gather(net);
	give(net, 0, 0, TCP_RST | TCP_ACK, 0);
	give(net, 0, 0, TCP_ACK | TCP_PSH, BYTES);
	give(net, 1, 0, TCP_ACK | TCP_PSH, BYTES);
	net_give_burst(net);
	assert_int_equal(stack_error(socks[0]), -ECONNRESET);
	assert_int_equal(received(net, 0), 0);
	assert_int_equal(received(net, 1), BYTES);
	assert_true(net_take(net) > 0); /* the answer to text for nobody */
	assert_int_equal(out_l4(net)[13] & TCP_RST, TCP_RST);
	finish(net);
}

/* In one burst: a SYN-ACK's answer, and text behind it, for a connection that was not there when
 * the burst was looked at; a frame cut short; a datagram. */
static void what_is_no_connection_yet_or_never_is_taken_as_ever(void **state)
{
	struct net *net = *state;
	const uint8_t runt[] = {1, 2, 3};
	struct sock *udp, *k;
	struct stack_received got;
	uint16_t port = PORT + PEERS;

	start(net);
	udp = net_udp(net, PORT);
	peer_syn(net, PEER_IP, port);
	net_gather(net);
	net_give(net, runt, sizeof(runt));
	peer_give(net, PEER_IP, port, PEER_ISS + 1, peer_our_next(net, PEER_IP, port), TCP_ACK, 0);
	peer_give(net, PEER_IP, port, PEER_ISS + 1, peer_our_next(net, PEER_IP, port),
		  TCP_ACK | TCP_PSH, BYTES);
	net_give_udp(net, PEER_IP, PORT, PORT, runt, sizeof(runt));
	net_give_burst(net);
	assert_int_equal(stack_accept(listener, NULL, &k), 0);
	assert_int_equal(stack_recv(k, UINT32_MAX, &got, net->now_ns), 1);
	assert_int_equal(got.len, BYTES);
	buf_unref(got.buf);
	assert_int_equal(stack_recv(udp, UINT32_MAX, &got, net->now_ns), 1);
	assert_int_equal(got.len, sizeof(runt));
	buf_unref(got.buf);
	assert_int_equal(net->s->stats.drop_short, 1);
	stack_abort(k, net->now_ns);
	stack_close(udp, net->now_ns);
	finish(net);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    net_test(each_segment_of_a_burst_reaches_its_connection),
	    net_test(a_burst_that_is_longer_than_is_looked_ahead_arrives_whole),
	    net_test(a_connection_that_ends_amidst_a_burst_gets_nothing_after_it),
	    net_test(what_is_no_connection_yet_or_never_is_taken_as_ever),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
