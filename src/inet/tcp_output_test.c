/* What goes into one frame, and out of which messages. What a connection sends, segment by segment,
 * is in tests/scripts.
 *
 * SPDX-License-Identifier: MIT
 */
#include "inet/limits.h"
#include "inet/tcp_output.h"
#include "inet/tcp_peer_test.h"
#include "inet/tcp_sendq.h"

enum { BYTES = 8000, PORT = 100 };

static struct sock *listener, *k;
static uint8_t bytes[BYTES];

/* A connection of PEER_IP over a device that cuts, and BYTES to be sent. */
static void start(struct net *net)
{
	bool zero_copy;

	net->cfg.offloads = OFFLOAD_L4_CSUM | OFFLOAD_TSO;
	net->cfg.tso_max_bytes = 32768;
	net->cfg.max_frags = FRAME_FRAGS;
	net->cfg.zero_copy_bytes = UINT32_MAX;
	listener = peer_listen(net, 1);
	k = peer_connect(net, listener, PEER_IP, PORT);
	net_drain(net);
	assert_int_equal(stack_send(k, NULL, bytes, BYTES, &zero_copy, net->now_ns), BYTES);
}

static void finish(struct net *net)
{
	stack_abort(k, net->now_ns);
	stack_close(listener, net->now_ns);
	net_drain(net);
}

static void a_device_that_cuts_segments_gets_many_in_one_frame(void **state)
{
	struct net *net = *state;

	start(net);
	tcp_cb_of(k)->cwnd = 2 * BYTES;
	assert_true(net_take(net) > 4u * tcp_cb_of(k)->mss);
	assert_int_equal(net->frame.offload & OFFLOAD_TSO, OFFLOAD_TSO);
	assert_int_equal(net->frame.tso_mss, tcp_cb_of(k)->mss);
	assert_true(net_drain(net) < BYTES / (4u * tcp_cb_of(k)->mss));
	finish(net);
}

/* Routers may cut each of its packets again, by an ID that the device would not give. */
static void on_a_narrow_path_each_segment_is_a_frame_with_an_id_of_its_own(void **state)
{
	struct net *net = *state;
	struct ip_addr peer = ip4(PEER_IP);
	uint16_t id = 0, before;
	uint32_t frames = 0;

	start(net);
	tcp_cb_of(k)->cwnd = 2 * BYTES;
	ip_path_mtu_lower(net->s, &peer, PMTU_FLOOR_BYTES - 1);
	tcp_update_mss(tcp_cb_of(k));
	while (net_take(net) > 0) {
		const uint8_t *h = net->out + 14;

		before = id;
		id = get_be16(h + 4);
		assert_int_equal(net->frame.offload & OFFLOAD_TSO, 0);
		assert_true(get_be16(h + 2) <= PMTU_FLOOR_BYTES);
		assert_int_equal(get_be16(h + 6), 0); /* no DF */
		assert_true(frames++ == 0 || id != before);
	}
	assert_true(frames >= BYTES / PMTU_FLOOR_BYTES);
	finish(net);
}

/* As when the window closed with all of a message acknowledged but for its last byte. */
static void a_probe_with_the_last_byte_of_a_message_leaves_the_next_to_be_sent(void **state)
{
	struct net *net = *state;
	struct tcp_chunk *first;
	struct tcp_cb *cb;
	bool zero_copy;

	start(net);
	assert_int_equal(stack_send(k, NULL, bytes, BYTES, &zero_copy, net->now_ns), BYTES);
	cb = tcp_cb_of(k);
	first = cb->send_head;
	assert_non_null(first->next);
	cb->snd_una = cb->snd_nxt = first->seq + first->len - 1;
	cb->snd_wnd = 0;
	cb->probe_due = true;
	assert_true(net_take(net) > 0);
	assert_int_equal(cb->snd_nxt, first->seq + first->len);
	assert_ptr_equal(cb->send_next, first->next);
	finish(net);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    net_test(a_device_that_cuts_segments_gets_many_in_one_frame),
	    net_test(on_a_narrow_path_each_segment_is_a_frame_with_an_id_of_its_own),
	    net_test(a_probe_with_the_last_byte_of_a_message_leaves_the_next_to_be_sent),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
