/* What peers can make TCP hold, and make it say: bounded for each and in all (tcp_limits.h). Bounds
 * that one connection shows, segment by segment, are in tests/scripts; ranges out of order in
 * tcp_reassembly_test.c and tcp_ranges_test.c, buffers in tcp_pressure_test.c.
 *
 * SPDX-License-Identifier: MIT
 */
#include "inet/tcp_peer_test.h"

enum {
	HALF_OPEN = 64,
	BACKLOG = 8,
	CONNECTIONS = 16,
	WINDOW_BYTES = 32768,
};

static struct sock *listener;

static void start(struct net *net)
{
	net->cfg.max_tcp = CONNECTIONS;
	net->cfg.max_tcp_per_peer = UINT32_MAX;
	net->cfg.max_half_open = HALF_OPEN;
	net->cfg.recv_buffer_bytes = WINDOW_BYTES;
	listener = peer_listen(net, BACKLOG);
}

/* Each test ends with a stack that holds nothing. */
static void finish(struct net *net)
{
	stack_close(listener, net->now_ns);
	net_drain(net);
	assert_int_equal(net->s->tcp->halves.used, 0);
}

static bool is_half_open(struct net *net, uint32_t ip, uint16_t port)
{
	struct ip_addr peer = ip4(ip);

	return tcp_half_find(net->s->tcp, &peer, port, PEER_LISTEN_PORT) != NULL;
}

static void half_open_connections_are_bounded_and_cookies_answer_the_rest(void **state)
{
	struct net *net = *state;

	start(net);
	for (uint32_t i = 0; i < 1000; i++)
		peer_syn(net, 0x0a010000 + i, 5);
	assert_int_equal(net->s->tcp->halves.used, HALF_OPEN);
	assert_int_equal(net->s->stats.tcp_cookies_sent, 1000 - HALF_OPEN);
	assert_true(is_half_open(net, 0x0a010000, 5));
	assert_false(is_half_open(net, 0x0a010000 + 999, 5));
	finish(net);
}

static void one_peer_has_a_share_of_the_half_open_places(void **state)
{
	struct net *net = *state;
	struct sock *k;

	start(net);
	peer_syn(net, PEER_IP, 7);
	for (uint16_t i = 0; i < 1000; i++)
		peer_syn(net, THIRD_IP, (uint16_t)(1000 + i));
	assert_int_equal(net->s->tcp->halves.used, HALF_OPEN / TCP_PEER_SHARE_DIVISOR + 1);
	/* Whoever came before can still finish. */
	peer_give(net, PEER_IP, 7, PEER_ISS + 1, peer_our_next(net, PEER_IP, 7), TCP_ACK, 0);
	assert_int_equal(stack_accept(listener, NULL, &k), 0);
	stack_abort(k, net->now_ns);
	finish(net);
}

static void a_group_with_its_share_gets_cookies_until_one_goes(void **state)
{
	enum { SHARE = HALF_OPEN / TCP_PEER_SHARE_DIVISOR, FIRST = 1000 };
	struct net *net = *state;

	start(net);
	peer_syn(net, THIRD_IP, 7);
	for (uint16_t i = 0; i < 3 * SHARE; i++) {
		peer_syn(net, PEER_IP, (uint16_t)(FIRST + i));
		assert_int_equal(is_half_open(net, PEER_IP, (uint16_t)(FIRST + i)), i < SHARE);
	}
	assert_true(is_half_open(net, THIRD_IP, 7));
	peer_give(net, PEER_IP, FIRST + 1, PEER_ISS + 1, 0, TCP_RST, 0);
	peer_syn(net, PEER_IP, FIRST + 100);
	assert_true(is_half_open(net, PEER_IP, FIRST + 100));
	finish(net);
}

static void one_peer_may_open_a_thousand_at_once(void **state)
{
	struct net *net = *state;

	listener = peer_listen(net, 1024);
	for (uint16_t port = 1; port <= 1000; port++)
		peer_syn(net, PEER_IP, port);
	assert_int_equal(net->s->tcp->halves.used, 1000);
	assert_int_equal(net->s->stats.tcp_cookies_sent, 0);
	finish(net);
}

static void half_open_connections_are_gone_after_their_last_repetition(void **state)
{
	struct net *net = *state;

	start(net);
	for (uint32_t i = 0; i < HALF_OPEN; i++)
		peer_syn(net, 0x0a010000 + i, 5);
	net_pass_ms(net, 62000);
	assert_int_equal(net->s->tcp->halves.used, HALF_OPEN);
	net_pass_ms(net, 2000);
	assert_int_equal(net->s->tcp->halves.used, 0);
	assert_int_equal(net->s->stats.tcp_half_open_expired, HALF_OPEN);
	finish(net);
}

static void connections_that_nobody_accepts_are_bounded_by_the_backlog(void **state)
{
	struct net *net = *state;
	struct sock *k;
	int accepted = 0;

	start(net);
	for (uint16_t i = 0; i < 2 * BACKLOG; i++) {
		peer_syn(net, PEER_IP, (uint16_t)(100 + i));
		peer_give(net, PEER_IP, (uint16_t)(100 + i), PEER_ISS + 1,
			  peer_our_next(net, PEER_IP, (uint16_t)(100 + i)), TCP_ACK, 0);
	}
	assert_int_equal(net->s->stats.tcp_backlog_full, BACKLOG);
	while (stack_accept(listener, NULL, &k) == 0) {
		stack_abort(k, net->now_ns);
		accepted++;
	}
	assert_int_equal(accepted, BACKLOG);
	finish(net);
}

static void a_full_table_of_connections_holds_new_ones_up(void **state)
{
	struct net *net = *state;
	struct sock *k[CONNECTIONS];
	uint16_t n = 0;

	start(net);
	while (n < CONNECTIONS) {
		k[n] = peer_connect(net, listener, PEER_IP, (uint16_t)(100 + n));
		n++;
	}
	peer_syn(net, PEER_IP, 99);
	peer_give(net, PEER_IP, 99, PEER_ISS + 1, peer_our_next(net, PEER_IP, 99), TCP_ACK, 0);
	assert_int_equal(net->s->stats.tcp_table_full, 1);
	assert_true(is_half_open(net, PEER_IP, 99)); /* the last step may come again */
	while (n > 0)
		stack_abort(k[--n], net->now_ns);
	finish(net);
}

/* The program closes first, and the peer after it. */
static void close_into_time_wait(struct net *net, struct sock *k, uint16_t port)
{
	uint32_t ack = tcp_cb_of(k)->snd_nxt + 1;

	stack_close(k, net->now_ns);
	net_drain(net);
	peer_give(net, PEER_IP, port, PEER_ISS + 1, ack, TCP_FIN | TCP_ACK, 0);
	net_drain(net);
}

/* Opens what a peer may have, and one more that is held up. */
static uint16_t open_all_of_a_peer(struct net *net, struct sock *k[CONNECTIONS])
{
	uint16_t n = 0, most = CONNECTIONS - CONNECTIONS / TCP_PEER_REST_DIVISOR;

	for (; n < most; n++)
		k[n] = peer_connect(net, listener, PEER_IP, (uint16_t)(100 + n));
	assert_int_equal(net->s->stats.tcp_peer_full, 0);
	peer_syn(net, PEER_IP, 99);
	peer_give(net, PEER_IP, 99, PEER_ISS + 1, peer_our_next(net, PEER_IP, 99), TCP_ACK, 0);
	assert_int_equal(net->s->stats.tcp_peer_full, 1);
	assert_true(is_half_open(net, PEER_IP, 99));
	return n;
}

static void a_peer_that_opens_many_connections_leaves_a_quarter_to_others(void **state)
{
	struct net *net = *state;
	struct sock *k[CONNECTIONS], *other;
	uint16_t n;

	start(net);
	net->cfg.max_tcp_per_peer = 0;
	listener = peer_listen(net, BACKLOG);
	n = open_all_of_a_peer(net, k);
	other = peer_connect(net, listener, THIRD_IP, 100);
	stack_abort(other, net->now_ns);
	/* With one gone, of whatever way, the last step that comes again is taken. */
	stack_abort(k[--n], net->now_ns);
	peer_give(net, PEER_IP, 99, PEER_ISS + 1, peer_our_next(net, PEER_IP, 99), TCP_ACK, 0);
	assert_int_equal(stack_accept(listener, NULL, &other), 0);
	stack_abort(other, net->now_ns);
	/* One in TIME-WAIT gives way, and does not count. */
	n--;
	close_into_time_wait(net, k[n], (uint16_t)(100 + n));
	stack_abort(peer_connect(net, listener, PEER_IP, 98), net->now_ns);
	while (n > 0)
		stack_abort(k[--n], net->now_ns);
	finish(net);
}

static void time_wait_gives_way_when_the_table_is_full(void **state)
{
	struct net *net = *state;

	start(net);
	for (uint16_t i = 0; i < 10 * CONNECTIONS; i++)
		close_into_time_wait(net, peer_connect(net, listener, PEER_IP, (uint16_t)(100 + i)),
				     (uint16_t)(100 + i));
	assert_int_equal(net->s->tcp->cbs.used, net->s->tcp->cbs.count);
	assert_int_equal(net->s->stats.tcp_table_full, 0);
	net_pass_ms(net, 61000);
	assert_int_equal(net->s->tcp->cbs.used, 1); /* the listener */
	finish(net);
}

/* The place of one in TIME-WAIT that its program has not closed yet is not to be had. */
static void of_those_in_time_wait_only_closed_ones_give_way(void **state)
{
	struct net *net = *state;
	struct sock *kept, *k;

	start(net);
	kept = peer_connect(net, listener, PEER_IP, 99);
	assert_int_equal(stack_shutdown(kept, SHUT_WR, net->now_ns), 0);
	net_drain(net);
	peer_give(net, PEER_IP, 99, PEER_ISS + 1, tcp_cb_of(kept)->snd_nxt, TCP_FIN | TCP_ACK, 0);
	net_drain(net);
	for (uint16_t i = 0; i < 2 * CONNECTIONS; i++)
		close_into_time_wait(net, peer_connect(net, listener, PEER_IP, (uint16_t)(100 + i)),
				     (uint16_t)(100 + i));
	assert_int_equal(net->s->stats.tcp_table_full, 0);
	assert_int_equal(tcp_cb_of(kept)->state, TCP_TIME_WAIT);
	stack_close(kept, net->now_ns);
	for (uint16_t i = 0; i < CONNECTIONS; i++) /* now it gives way in its turn */
		close_into_time_wait(net, peer_connect(net, listener, PEER_IP, (uint16_t)(200 + i)),
				     (uint16_t)(200 + i));
	k = peer_connect(net, listener, PEER_IP, 99);
	stack_abort(k, net->now_ns);
	net_pass_ms(net, 61000);
	assert_int_equal(net->s->tcp->cbs.used, 1); /* the listener */
	finish(net);
}

/* RFC 5961 7, and the side channel of CVE-2016-5696: the number of one second is not known. */
static void challenges_are_limited_and_by_how_many_is_not_known(void **state)
{
	struct net *net = *state;
	uint32_t allowed[20], differ = 0;

	start(net);
	for (int second = 0; second < 20; second++) {
		allowed[second] = 0;
		for (int i = 0; i < 3 * TCP_CHALLENGES_PER_S; i++) {
			uint32_t tick = 0;
			uint8_t count = 0; /* of a connection each */

			allowed[second] += tcp_challenge_allowed(net->s, &tick, &count);
		}
		assert_in_range(allowed[second], TCP_CHALLENGES_PER_S / 2, TCP_CHALLENGES_PER_S);
		differ += second > 0 && allowed[second] != allowed[second - 1];
		net_pass_ms(net, 1100);
	}
	assert_true(differ > 10);
	finish(net);
}

static void one_connection_has_a_share_of_the_challenges(void **state)
{
	struct net *net = *state;
	uint32_t tick = 0, allowed = 0;
	uint8_t count = 0;

	start(net);
	for (int i = 0; i < 100; i++)
		allowed += tcp_challenge_allowed(net->s, &tick, &count);
	assert_int_equal(allowed, TCP_CHALLENGES_PER_CONNECTION);
	finish(net);
}

static void spend_all_challenges(struct net *net)
{
	for (int i = 0; i < TCP_CHALLENGES_PER_S; i++) {
		uint32_t tick = 0;
		uint8_t count = 0; /* of a connection each */

		tcp_challenge_allowed(net->s, &tick, &count);
	}
}

/* RFC 5961 7 limits challenges; RFC 9293 3.10.7.4 answers what is not acceptable. */
static void a_keepalive_is_answered_however_others_are_challenged(void **state)
{
	struct net *net = *state;
	struct sock *k;
	uint32_t ack, answers = 0;

	start(net);
	k = peer_connect(net, listener, PEER_IP, 100);
	ack = tcp_cb_of(k)->snd_nxt;
	peer_syn(net, PEER_IP, 200);
	spend_all_challenges(net);
	peer_give(net, PEER_IP, 100, PEER_ISS + 2, 0, TCP_RST, 0);
	peer_give(net, PEER_IP, 200, PEER_ISS + 2, 0, TCP_RST, 0);
	assert_int_equal(net_drain(net), 0);
	peer_give(net, PEER_IP, 200, PEER_ISS, peer_our_next(net, PEER_IP, 200), TCP_ACK, 0);
	assert_int_equal(net_drain(net), 1);
	for (int i = 0; i < 3 * TCP_CHALLENGES_PER_CONNECTION; i++) {
		peer_give(net, PEER_IP, 100, PEER_ISS, ack, TCP_ACK, 0);
		answers += net_drain(net);
	}
	assert_int_equal(answers, TCP_CHALLENGES_PER_CONNECTION);
	stack_abort(k, net->now_ns);
	finish(net);
}

static void what_is_not_read_closes_the_window_by_the_memory_it_pins(void **state)
{
	struct net *net = *state;
	struct sock *k;
	struct tcp_cb *cb;

	start(net);
	k = peer_connect(net, listener, PEER_IP, 100);
	cb = tcp_cb_of(k);
	for (int i = 0; i < 200; i++) {
		peer_give(net, PEER_IP, 100, cb->rcv_nxt, cb->snd_nxt, TCP_ACK, PEER_SEGMENT_BYTES);
		net_drain(net);
	}
	assert_int_equal(cb->rcv_adv - cb->rcv_nxt, 0);
	assert_true(cb->recv_memory <= WINDOW_BYTES * TCP_RECV_MEMORY_FACTOR + TEST_POOL_ROOM);
	stack_abort(k, net->now_ns);
	finish(net);
}

/* Each in a frame of its own, which would pin 2 048 bytes for each. */
static void single_bytes_that_are_not_read_are_packed(void **state)
{
	enum { BYTES = 10000 };
	struct net *net = *state;
	struct sock *k;
	struct tcp_cb *cb;

	start(net);
	k = peer_connect(net, listener, PEER_IP, 100);
	cb = tcp_cb_of(k);
	for (int i = 0; i < BYTES; i++) {
		peer_give(net, PEER_IP, 100, cb->rcv_nxt, cb->snd_nxt, TCP_ACK, 1);
		net_drain(net);
	}
	assert_int_equal(cb->rcv_nxt, PEER_ISS + 1 + BYTES);
	assert_true(cb->recv_memory <= 2 * BYTES);
	stack_abort(k, net->now_ns);
	finish(net);
}

static void without_a_set_of_ranges_what_is_out_of_order_is_dropped(void **state)
{
	struct net *net = *state;
	struct tcp_slab *sets;
	static void *taken[TCP_RANGE_SETS_MIN];
	struct sock *k;
	struct tcp_cb *cb;
	uint32_t n = 0;

	start(net);
	k = peer_connect(net, listener, PEER_IP, 100);
	cb = tcp_cb_of(k);
	sets = &net->s->tcp->reassemblies[TCP_SET_SMALL].slab;
	assert_int_equal(sets->count, TCP_RANGE_SETS_MIN);
	while (n < TCP_RANGE_SETS_MIN && (taken[n] = tcp_slab_get(sets)) != NULL)
		n++;
	peer_give(net, PEER_IP, 100, cb->rcv_nxt + 100, cb->snd_nxt, TCP_ACK, 100);
	assert_int_equal(net->s->stats.tcp_out_of_order_dropped, 1);
	assert_null(cb->ooo);
	while (n > 0)
		tcp_slab_put(sets, taken[--n]);
	stack_abort(k, net->now_ns);
	finish(net);
}

static struct tcp_sets *sets_of(const struct tcp_cb *cb)
{
	return &cb->sock.stack->tcp->reassemblies[TCP_SET_SMALL];
}

/* Takes sets until there is none for cb's peer; how many. */
static uint32_t take_sets(struct tcp_cb *cb, struct tcp_set **taken)
{
	uint32_t n = 0;

	while (n < TCP_RANGE_SETS_MIN && (taken[n] = tcp_sets_get(sets_of(cb), cb)) != NULL)
		n++;
	return n;
}

static void give_sets_back(const struct tcp_cb *cb, struct tcp_set **taken, uint32_t n)
{
	while (n > 0)
		tcp_sets_put(sets_of(cb), taken[--n]);
}

static void one_peer_has_a_share_of_the_sets_of_ranges(void **state)
{
	struct net *net = *state;
	static struct tcp_set *taken[TCP_RANGE_SETS_MIN], *others[TCP_RANGE_SETS_MIN];
	struct sock *k;
	struct tcp_cb *cb, other;

	start(net);
	k = peer_connect(net, listener, PEER_IP, 100);
	cb = tcp_cb_of(k);
	other = *cb;
	other.sock.peer.ip = ip4(THIRD_IP);
	assert_int_equal(take_sets(cb, taken), TCP_RANGE_SETS_MIN / 2);
	peer_give(net, PEER_IP, 100, cb->rcv_nxt + 100, cb->snd_nxt, TCP_ACK, 100);
	assert_null(cb->ooo);
	assert_int_equal(take_sets(&other, others), TCP_RANGE_SETS_MIN / TCP_PEER_SHARE_DIVISOR);
	give_sets_back(cb, taken, TCP_RANGE_SETS_MIN / 2);
	peer_give(net, PEER_IP, 100, cb->rcv_nxt + 100, cb->snd_nxt, TCP_ACK, 100);
	assert_non_null(cb->ooo);
	give_sets_back(&other, others, TCP_RANGE_SETS_MIN / TCP_PEER_SHARE_DIVISOR);
	stack_abort(k, net->now_ns);
	finish(net);
}

/* Some hosts keep a hole open on each of their connections, so that all sets are in use. */
static void a_set_of_ranges_that_was_held_for_long_gives_way(void **state)
{
	enum { HOLDERS = TCP_RANGE_SETS_MIN };
	struct net *net = *state;
	struct sock *k[HOLDERS + 1];
	uint32_t n;

	net->cfg.max_tcp = HOLDERS + 1;
	net->cfg.keepalive = false;
	listener = peer_listen(net, BACKLOG);
	for (n = 0; n <= HOLDERS; n++) {
		const struct tcp_cb *cb;

		k[n] = peer_connect(net, listener, 0x0a010000 + n, 7);
		cb = tcp_cb_of(k[n]);
		peer_give(net, 0x0a010000 + n, 7, cb->rcv_nxt + 100, cb->snd_nxt, TCP_ACK, 100);
		net_drain(net);
		net->now_ns += TCP_MS(10);
	}
	assert_int_equal(sets_of(tcp_cb_of(k[0]))->slab.used, HOLDERS);
	assert_int_equal(net->s->stats.tcp_out_of_order_dropped, 1);
	net->now_ns += TCP_SET_TENURE_NS - TCP_MS(10 * HOLDERS);
	stack_tick(net->s, net->now_ns);
	net_drain(net);
	peer_give(net, 0x0a010000 + HOLDERS, 7, tcp_cb_of(k[HOLDERS])->rcv_nxt + 100,
		  tcp_cb_of(k[HOLDERS])->snd_nxt, TCP_ACK, 100);
	assert_non_null(tcp_cb_of(k[HOLDERS])->ooo);
	assert_null(tcp_cb_of(k[0])->ooo);
	assert_int_equal(tcp_cb_of(k[0])->recv_memory, 0);
	assert_non_null(tcp_cb_of(k[1])->ooo);
	for (n = 0; n <= HOLDERS; n++)
		stack_abort(k[n], net->now_ns);
	finish(net);
}

/* Time passes, and what is sent meanwhile is lost. */
static void pass_alone_ms(struct net *net, uint64_t ms)
{
	uint64_t end_ns = net->now_ns + ms * 1000000;

	while (stack_next_deadline(net->s) <= end_ns) {
		net->now_ns = stack_next_deadline(net->s);
		stack_tick(net->s, net->now_ns);
		net_drain(net);
	}
	net->now_ns = end_ns;
	stack_tick(net->s, net->now_ns);
	net_drain(net);
}

/* The program closes, and the peer says no more; ack: it has got our end. */
static void close_and_desert(struct net *net, uint16_t port, bool ack)
{
	struct sock *k = peer_connect(net, listener, PEER_IP, port);
	uint32_t end = tcp_cb_of(k)->snd_nxt + 1;

	stack_close(k, net->now_ns);
	net_drain(net);
	if (ack)
		peer_give(net, PEER_IP, port, PEER_ISS + 1, end, TCP_ACK, 0);
}

static void what_is_closed_and_delivered_gives_way_when_the_table_is_full(void **state)
{
	struct net *net = *state;

	start(net);
	for (uint16_t i = 0; i < 10 * CONNECTIONS; i++)
		close_and_desert(net, (uint16_t)(100 + i), true);
	assert_int_equal(net->s->stats.tcp_table_full, 0);
	assert_in_range(net->s->stats.tcp_deserted, 9 * CONNECTIONS, 10 * CONNECTIONS);
	pass_alone_ms(net, 61000);
	assert_int_equal(net->s->tcp->cbs.used, 1); /* the listener */
	finish(net);
}

/* Bytes may be on their way: a second without progress is what it takes. */
static void what_is_closed_and_silent_gives_way_after_a_while(void **state)
{
	struct net *net = *state;

	start(net);
	for (uint16_t i = 0; i < CONNECTIONS; i++)
		close_and_desert(net, (uint16_t)(100 + i), false);
	peer_syn(net, PEER_IP, 99);
	peer_give(net, PEER_IP, 99, PEER_ISS + 1, peer_our_next(net, PEER_IP, 99), TCP_ACK, 0);
	assert_int_equal(net->s->stats.tcp_table_full, 1);
	assert_int_equal(net->s->stats.tcp_deserted, 0);
	pass_alone_ms(net, 1001);
	peer_give(net, PEER_IP, 99, PEER_ISS + 1, peer_our_next(net, PEER_IP, 99), TCP_ACK, 0);
	assert_int_equal(net->s->stats.tcp_table_full, 1);
	assert_int_equal(net->s->stats.tcp_deserted, 1);
	pass_alone_ms(net, 400000);
	finish(net);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    net_test(half_open_connections_are_bounded_and_cookies_answer_the_rest),
	    net_test(one_peer_has_a_share_of_the_half_open_places),
	    net_test(a_group_with_its_share_gets_cookies_until_one_goes),
	    net_test(one_peer_may_open_a_thousand_at_once),
	    net_test(half_open_connections_are_gone_after_their_last_repetition),
	    net_test(connections_that_nobody_accepts_are_bounded_by_the_backlog),
	    net_test(a_full_table_of_connections_holds_new_ones_up),
	    net_test(a_peer_that_opens_many_connections_leaves_a_quarter_to_others),
	    net_test(time_wait_gives_way_when_the_table_is_full),
	    net_test(of_those_in_time_wait_only_closed_ones_give_way),
	    net_test(what_is_closed_and_delivered_gives_way_when_the_table_is_full),
	    net_test(what_is_closed_and_silent_gives_way_after_a_while),
	    net_test(challenges_are_limited_and_by_how_many_is_not_known),
	    net_test(one_connection_has_a_share_of_the_challenges),
	    net_test(a_keepalive_is_answered_however_others_are_challenged),
	    net_test(what_is_not_read_closes_the_window_by_the_memory_it_pins),
	    net_test(single_bytes_that_are_not_read_are_packed),
	    net_test(one_peer_has_a_share_of_the_sets_of_ranges),
	    net_test(without_a_set_of_ranges_what_is_out_of_order_is_dropped),
	    net_test(a_set_of_ranges_that_was_held_for_long_gives_way),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
