/* SYN cookies: what comes back is believed, once, in time, from whom it was given to; and what a
 * flood of SYNs costs.
 *
 * SPDX-License-Identifier: MIT
 */
#include "inet/eth.h"
#include "inet/ip4.h"
#include "inet/tcp_peer_test.h"
#include <errno.h>

enum { BACKLOG = 8, CONNECTIONS = 64, PORT = 1000, OPTIONS_MAX_BYTES = 40, TSVAL = 77 };

static struct sock *listener;

static void start(struct net *net, uint32_t max_half_open)
{
	net->cfg.max_tcp = CONNECTIONS;
	net->cfg.max_half_open = max_half_open;
	listener = peer_listen(net, BACKLOG);
}

static void finish(struct net *net)
{
	stack_close(listener, net->now_ns);
	net_drain(net);
	assert_int_equal(net->s->tcp->halves.used, 0);
	assert_int_equal(net->s->tcp->cbs.used, 0);
}

struct options {
	uint16_t mss;
	bool window_scale, sack, timestamps;
	uint8_t shift;
	uint32_t tsecr;
};

/* A segment of the peer's with options. */
static void give(struct net *net, uint16_t port, uint32_t seq, uint32_t ack, uint8_t flags,
		 const struct options *o)
{
	struct ip_addr src = ip4(PEER_IP), dst = ip4(OUR_IP);
	uint8_t tcp[TCP_HEADER_BYTES + OPTIONS_MAX_BYTES] = {0};
	const struct tcp_syn_options syn = {
	    .mss = o->mss,
	    .window_scale = o->window_scale,
	    .window_shift = o->shift,
	    .sack_permitted = o->sack,
	    .timestamps = o->timestamps,
	    .tsval = TSVAL,
	};
	uint32_t bytes = TCP_HEADER_BYTES;

	if (flags & TCP_SYN) {
		bytes += tcp_segment_write_syn_options(tcp + bytes, &syn);
	} else if (o->timestamps) {
		tcp_segment_write_timestamps(tcp + bytes, TSVAL + 1, o->tsecr, 0);
		bytes += TCP_TIMESTAMP_BYTES;
	}
	tcp_segment_write_header(tcp, tcp_segment_ports(port, PEER_LISTEN_PORT), seq, ack,
				 tcp_segment_word(bytes, flags), 1000, 0);
	csum_store(tcp + 16,
		   csum_partial(tcp, bytes, ip_pseudo_sum(&src, &dst, IPPROTO_TCP, bytes)));
	net_give_ip(net, &(struct test_ip){.src = PEER_IP, .protocol = IPPROTO_TCP}, tcp, bytes);
}

/* The SYN-ACK that is next to go out. */
static void take_syn_ack(struct net *net, struct tcp_segment *seg)
{
	assert_true(net_take(net) > ETH_HEADER_BYTES + IP4_HEADER_BYTES);
	assert_true(
	    tcp_segment_parse(seg, net->out + ETH_HEADER_BYTES + IP4_HEADER_BYTES,
			      (uint32_t)(net->out_len - ETH_HEADER_BYTES - IP4_HEADER_BYTES)));
	assert_int_equal(seg->flags, TCP_SYN | TCP_ACK);
}

/* A handshake by a cookie. The socket, or NULL where the acknowledgement made none. */
static struct sock *shake(struct net *net, uint16_t port, const struct options *o, uint64_t wait_ms)
{
	struct options back = *o;
	struct tcp_segment seg;
	struct sock *k;

	give(net, port, PEER_ISS, 0, TCP_SYN, o);
	take_syn_ack(net, &seg);
	assert_int_equal(net->s->tcp->halves.used, 0);
	back.tsecr = seg.tsval;
	net_pass_ms(net, wait_ms);
	give(net, port, PEER_ISS + 1, seg.seq + 1, TCP_ACK, &back);
	return stack_accept(listener, NULL, &k) == 0 ? k : NULL;
}

static void a_cookie_keeps_what_a_timestamp_can_carry(void **state)
{
	const struct options all = {
	    .mss = 1400, .window_scale = true, .sack = true, .timestamps = true, .shift = 9};
	struct net *net = *state;
	struct sock *k;
	struct tcp_cb *cb;

	start(net, 0);
	k = shake(net, PORT, &all, 20);
	assert_non_null(k);
	cb = tcp_cb_of(k);
	assert_true(cb->timestamps && cb->sack && cb->window_scale);
	assert_int_equal(cb->snd_shift, 9);
	assert_int_equal(cb->snd_wnd, 1000 << 9);
	assert_int_equal(cb->peer_mss, 1360);
	assert_int_equal(cb->state, TCP_ESTABLISHED);
	assert_int_equal(cb->srtt_ns, 0); /* it is not known when our SYN-ACK went */
	assert_int_equal(net->s->stats.tcp_cookies_good, 1);
	stack_abort(k, net->now_ns);
	finish(net);
}

static void without_a_timestamp_a_cookie_offers_neither_scale_nor_sack(void **state)
{
	const struct options o = {.mss = 1460, .window_scale = true, .sack = true, .shift = 3};
	struct net *net = *state;
	struct tcp_segment seg;
	struct sock *k;

	start(net, 0);
	give(net, PORT, PEER_ISS, 0, TCP_SYN, &o);
	take_syn_ack(net, &seg);
	assert_false(seg.has.window_scale || seg.has.sack_permitted || seg.has.timestamps);
	k = shake(net, PORT, &o, 0);
	assert_non_null(k);
	assert_false(tcp_cb_of(k)->window_scale || tcp_cb_of(k)->sack);
	assert_int_equal(tcp_cb_of(k)->snd_wnd, 1000);
	assert_int_equal(tcp_cb_of(k)->peer_mss, 1460);
	stack_abort(k, net->now_ns);
	finish(net);
}

static void each_mss_comes_back_as_the_step_below_it(void **state)
{
	static const uint16_t cases[][2] = {{1, 64},      {64, 64},     {300, 256},   {535, 256},
					    {536, 536},   {0, 536},     {1439, 1360}, {1440, 1440},
					    {1500, 1460}, {8960, 8960}, {65535, 8960}};
	struct net *net = *state;

	start(net, 0);
	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct sock *k;

		if (cases[i][0] == 0) { /* without the option */
			struct tcp_segment seg;

			peer_give(net, PEER_IP, (uint16_t)(PORT + i), PEER_ISS, 0, TCP_SYN, 0);
			take_syn_ack(net, &seg);
			peer_give(net, PEER_IP, (uint16_t)(PORT + i), PEER_ISS + 1, seg.seq + 1,
				  TCP_ACK, 0);
			assert_int_equal(stack_accept(listener, NULL, &k), 0);
		} else {
			k = shake(net, (uint16_t)(PORT + i), &(struct options){.mss = cases[i][0]},
				  0);
			assert_non_null(k);
		}
		assert_int_equal(tcp_cb_of(k)->peer_mss, cases[i][1]);
		stack_abort(k, net->now_ns);
		net_drain(net);
	}
	finish(net);
}

/* Timestamps of a cookie are taken from our clock, cut, and are never ahead of it. */
static void a_cookies_timestamp_is_never_ahead_of_the_next(void **state)
{
	const struct options o = {
	    .mss = 1460, .window_scale = true, .shift = 14, .timestamps = true};
	struct net *net = *state;

	start(net, 0);
	for (unsigned i = 0; i < 200; i++) {
		struct ip_addr peer = ip4(PEER_IP);
		struct tcp_segment seg;
		uint32_t tick;

		net_pass_ms(net, 1);
		give(net, (uint16_t)(PORT + i), PEER_ISS, 0, TCP_SYN, &o);
		take_syn_ack(net, &seg);
		tick = seg.tsval -
		       tcp_timestamp_offset(net->s, &peer, (uint16_t)(PORT + i), PEER_LISTEN_PORT);
		assert_in_range(tcp_clock(net->s) - tick, 0, 127);
	}
	finish(net);
}

static void a_cookie_is_good_for_its_period_and_not_for_three(void **state)
{
	const struct options o = {.mss = 1460, .timestamps = true};
	const uint64_t period_ms = TCP_COOKIE_PERIOD_NS / 1000000;
	struct net *net = *state;
	struct sock *k;

	start(net, 0);
	k = shake(net, PORT, &o, period_ms);
	assert_non_null(k);
	stack_abort(k, net->now_ns);
	net_drain(net);
	assert_null(shake(net, PORT + 1, &o, 3 * period_ms));
	assert_int_equal(net->s->stats.tcp_resets_sent, 2);
	net_drain(net);
	finish(net);
}

static void a_cookie_of_somebody_else_is_reset(void **state)
{
	const struct options o = {.mss = 1460};
	struct net *net = *state;
	struct tcp_segment seg;
	struct sock *k;

	start(net, 0);
	give(net, PORT, PEER_ISS, 0, TCP_SYN, &o);
	take_syn_ack(net, &seg);
	give(net, PORT + 1, PEER_ISS + 1, seg.seq + 1, TCP_ACK, &o);
	give(net, PORT, PEER_ISS + 2, seg.seq + 1, TCP_ACK, &o);
	for (uint32_t bit = 0; bit < 32; bit++)
		give(net, PORT, PEER_ISS + 1, (seg.seq ^ UINT32_C(1) << bit) + 1, TCP_ACK, &o);
	assert_int_equal(net->s->stats.tcp_cookies_bad, 34);
	assert_int_equal(net->s->stats.tcp_resets_sent, 34);
	assert_int_equal(net_drain(net), 34);
	assert_int_equal(stack_accept(listener, NULL, &k), -EAGAIN);
	finish(net);
}

static void without_a_flood_no_acknowledgement_is_taken_for_a_cookies(void **state)
{
	struct net *net = *state;

	start(net, 16);
	peer_give(net, PEER_IP, PORT, PEER_ISS + 1, 1, TCP_ACK, 0);
	assert_int_equal(net->s->stats.tcp_cookies_bad, 0);
	assert_int_equal(net->s->stats.tcp_resets_sent, 1);
	net_drain(net);
	finish(net);
}

static void no_cookies_are_given_while_nobody_accepts(void **state)
{
	const struct options o = {.mss = 1460};
	struct net *net = *state;

	start(net, 0);
	for (uint16_t i = 0; i < BACKLOG; i++) {
		struct tcp_segment seg;

		give(net, (uint16_t)(PORT + i), PEER_ISS, 0, TCP_SYN, &o);
		take_syn_ack(net, &seg);
		give(net, (uint16_t)(PORT + i), PEER_ISS + 1, seg.seq + 1, TCP_ACK, &o);
	}
	give(net, PORT + BACKLOG, PEER_ISS, 0, TCP_SYN, &o);
	assert_int_equal(net_drain(net), 0);
	assert_int_equal(net->s->stats.tcp_backlog_full, 1);
	finish(net);
}

/* 500 000 SYNs a second, for two seconds; clients whose round trip takes 30 ms come and go. */
static void a_flood_of_syns_shuts_nobody_out_and_holds_nothing(void **state)
{
	enum { SYNS_PER_MS = 500, MS = 2000, RTT_MS = 30, EVERY_MS = 10 };
	const struct options o = {
	    .mss = 1460, .window_scale = true, .sack = true, .timestamps = true, .shift = 7};
	struct net *net = *state;
	struct options back[MS / EVERY_MS];
	uint32_t iss[MS / EVERY_MS], free_before, strangers = 0, served = 0;

	start(net, 1024);
	free_before = net->pool->free_count;
	for (uint32_t ms = 0; ms < MS; ms++) {
		uint32_t i = ms / EVERY_MS;

		for (int n = 0; n < SYNS_PER_MS; n++, strangers++)
			peer_syn(net, 0x0a010000 + strangers % 0x70000, (uint16_t)(1 + strangers));
		if (ms % EVERY_MS == 0) {
			struct tcp_segment seg;

			give(net, (uint16_t)(PORT + i), PEER_ISS, 0, TCP_SYN, &o);
			take_syn_ack(net, &seg);
			iss[i] = seg.seq;
			back[i] = o;
			back[i].tsecr = seg.tsval;
		}
		if (ms % EVERY_MS == 0 && ms >= RTT_MS) {
			struct sock *k;

			i -= RTT_MS / EVERY_MS;
			give(net, (uint16_t)(PORT + i), PEER_ISS + 1, iss[i] + 1, TCP_ACK,
			     &back[i]);
			assert_int_equal(stack_accept(listener, NULL, &k), 0);
			assert_true(tcp_cb_of(k)->sack && tcp_cb_of(k)->snd_shift == 7);
			stack_abort(k, net->now_ns);
			net_drain(net);
			served++;
		}
		net_pass_ms(net, 1);
		net_drain(net);
	}
	assert_int_equal(served, (MS - RTT_MS) / EVERY_MS);
	assert_in_range(net->s->tcp->halves.used, 1000, 1024);
	/* All that is held are answers to peers whose MAC nobody tells. */
	assert_true(net->pool->free_count + NEIGHBOUR_WAITING_TOTAL_PACKETS >= free_before);
	finish(net);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    net_test(a_cookie_keeps_what_a_timestamp_can_carry),
	    net_test(without_a_timestamp_a_cookie_offers_neither_scale_nor_sack),
	    net_test(each_mss_comes_back_as_the_step_below_it),
	    net_test(a_cookies_timestamp_is_never_ahead_of_the_next),
	    net_test(a_cookie_is_good_for_its_period_and_not_for_three),
	    net_test(a_cookie_of_somebody_else_is_reset),
	    net_test(without_a_flood_no_acknowledgement_is_taken_for_a_cookies),
	    net_test(no_cookies_are_given_while_nobody_accepts),
	    net_test(a_flood_of_syns_shuts_nobody_out_and_holds_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
