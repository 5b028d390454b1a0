/* What peers can make TCP hold, and make it say: bounded for each and in all (tcp_limits.h). Bounds
 * that one connection shows, segment by segment, are in tests/scripts; ranges out of order in
 * tcp_reassembly_test.c and tcp_ranges_test.c.
 *
 * SPDX-License-Identifier: MIT
 */
#include "inet/inet_test.h"
#include "inet/tcp_receive.h"
#include "inet/tcp_table.h"
#include <errno.h>
#include <netinet/in.h>
#include <string.h>

enum {
	PORT = 80,
	ISS = 1000,
	HALF_OPEN = 64,
	BACKLOG = 8,
	CONNECTIONS = 16,
	WINDOW_BYTES = 32768,
	SEGMENT_BYTES = 1000, /* too large to be packed behind another */
};

static struct sock *listener;

static void start(struct net *net)
{
	struct endpoint local = at(OUR_IP, PORT);

	net->cfg.max_tcp = CONNECTIONS;
	net->cfg.max_half_open = HALF_OPEN;
	net->cfg.max_listeners = 1;
	net->cfg.recv_buffer_bytes = WINDOW_BYTES;
	net->cfg.prefix_len = 8; /* the attackers are all on the link, and need no gateway */
	net_restart_with_statics(net);
	assert_int_equal(stack_open(net->s, SOCK_STREAM, NULL, &listener), 0);
	assert_int_equal(stack_bind(listener, &local, false), 0);
	assert_int_equal(stack_listen(listener, BACKLOG), 0);
}

/* Each test ends with a stack that holds nothing. */
static void finish(struct net *net)
{
	stack_close(listener, net->now_ns);
	net_drain(net);
	assert_int_equal(net->s->tcp->halves.used, 0);
}

/* A segment of a peer; len bytes of payload. */
static void give(struct net *net, uint32_t ip, uint16_t port, uint32_t seq, uint32_t ack,
		 uint8_t flags, uint32_t len)
{
	struct ip_addr src = ip4(ip), dst = ip4(OUR_IP);
	uint8_t tcp[TCP_HEADER_BYTES + SEGMENT_BYTES] = {0};
	uint32_t bytes = TCP_HEADER_BYTES + len;

	put_be16(tcp, port);
	put_be16(tcp + 2, PORT);
	put_be32(tcp + 4, seq);
	put_be32(tcp + 8, ack);
	tcp[12] = TCP_HEADER_BYTES / 4 << 4;
	tcp[13] = flags;
	put_be16(tcp + 14, 65535);
	csum_store(tcp + 16,
		   csum_partial(tcp, bytes, ip_pseudo_sum(&src, &dst, IPPROTO_TCP, bytes)));
	net_give_ip(net, &(struct test_ip){.src = ip, .protocol = IPPROTO_TCP}, tcp, bytes);
}

static void give_syn(struct net *net, uint32_t ip, uint16_t port)
{
	give(net, ip, port, ISS, 0, TCP_SYN, 0);
	net_drain(net);
}

/* The sequence number behind our SYN-ACK, from the half-open connection itself. */
static uint32_t our_next(struct net *net, uint32_t ip, uint16_t port)
{
	struct ip_addr peer = ip4(ip);
	const struct tcp_half *h = tcp_half_find(net->s->tcp, &peer, port, PORT);

	assert_non_null(h);
	return h->iss + 1;
}

/* A whole handshake; the accepted socket. */
static struct sock *connect_from(struct net *net, uint16_t port)
{
	struct sock *k;

	give_syn(net, PEER_IP, port);
	give(net, PEER_IP, port, ISS + 1, our_next(net, PEER_IP, port), TCP_ACK, 0);
	assert_int_equal(stack_accept(listener, NULL, &k), 0);
	return k;
}

static bool is_half_open(struct net *net, uint32_t ip, uint16_t port)
{
	struct ip_addr peer = ip4(ip);

	return tcp_half_find(net->s->tcp, &peer, port, PORT) != NULL;
}

static void half_open_connections_are_bounded_and_the_oldest_gives_way(void **state)
{
	struct net *net = *state;

	start(net);
	for (uint32_t i = 0; i < 1000; i++)
		give_syn(net, 0x0a010000 + i, 5);
	assert_int_equal(net->s->tcp->halves.used, HALF_OPEN);
	assert_int_equal(net->s->stats.tcp_half_open_evicted, 1000 - HALF_OPEN);
	assert_false(is_half_open(net, 0x0a010000, 5));
	assert_true(is_half_open(net, 0x0a010000 + 999, 5));
	finish(net);
}

static void one_peer_has_a_share_of_the_half_open_places(void **state)
{
	struct net *net = *state;
	struct sock *k;

	start(net);
	give_syn(net, PEER_IP, 7);
	for (uint16_t i = 0; i < 1000; i++)
		give_syn(net, THIRD_IP, (uint16_t)(1000 + i));
	assert_int_equal(net->s->tcp->halves.used, HALF_OPEN / TCP_PEER_SHARE_DIVISOR + 1);
	/* Whoever came before can still finish. */
	give(net, PEER_IP, 7, ISS + 1, our_next(net, PEER_IP, 7), TCP_ACK, 0);
	assert_int_equal(stack_accept(listener, NULL, &k), 0);
	stack_abort(k, net->now_ns);
	finish(net);
}

static void of_a_group_with_its_share_the_oldest_gives_way(void **state)
{
	enum { SHARE = HALF_OPEN / TCP_PEER_SHARE_DIVISOR, FIRST = 1000 };
	struct net *net = *state;

	start(net);
	give_syn(net, THIRD_IP, 7);
	for (uint16_t i = 0; i < 3 * SHARE; i++) {
		give_syn(net, PEER_IP, (uint16_t)(FIRST + i));
		if (i == 2) /* one from the middle goes of itself */
			give(net, PEER_IP, FIRST + 1, ISS + 1, 0, TCP_RST, 0);
		for (uint16_t k = 0; i >= 2 && k <= i; k++) {
			int younger = i - k - (k == 0);

			assert_int_equal(is_half_open(net, PEER_IP, (uint16_t)(FIRST + k)),
					 k != 1 && younger < SHARE);
		}
	}
	assert_true(is_half_open(net, THIRD_IP, 7));
	finish(net);
}

static void half_open_connections_are_gone_after_their_last_repetition(void **state)
{
	struct net *net = *state;

	start(net);
	for (uint32_t i = 0; i < HALF_OPEN; i++)
		give_syn(net, 0x0a010000 + i, 5);
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
		give_syn(net, PEER_IP, (uint16_t)(100 + i));
		give(net, PEER_IP, (uint16_t)(100 + i), ISS + 1,
		     our_next(net, PEER_IP, (uint16_t)(100 + i)), TCP_ACK, 0);
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
		k[n] = connect_from(net, (uint16_t)(100 + n));
		n++;
	}
	give_syn(net, PEER_IP, 99);
	give(net, PEER_IP, 99, ISS + 1, our_next(net, PEER_IP, 99), TCP_ACK, 0);
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
	give(net, PEER_IP, port, ISS + 1, ack, TCP_FIN | TCP_ACK, 0);
	net_drain(net);
}

static void time_wait_gives_way_when_the_table_is_full(void **state)
{
	struct net *net = *state;

	start(net);
	for (uint16_t i = 0; i < 10 * CONNECTIONS; i++)
		close_into_time_wait(net, connect_from(net, (uint16_t)(100 + i)),
				     (uint16_t)(100 + i));
	assert_int_equal(net->s->tcp->cbs.used, net->s->tcp->cbs.count);
	assert_int_equal(net->s->stats.tcp_table_full, 0);
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
	k = connect_from(net, 100);
	ack = tcp_cb_of(k)->snd_nxt;
	give_syn(net, PEER_IP, 200);
	spend_all_challenges(net);
	give(net, PEER_IP, 100, ISS + 2, 0, TCP_RST, 0);
	give(net, PEER_IP, 200, ISS + 2, 0, TCP_RST, 0);
	assert_int_equal(net_drain(net), 0);
	give(net, PEER_IP, 200, ISS, our_next(net, PEER_IP, 200), TCP_ACK, 0);
	assert_int_equal(net_drain(net), 1);
	for (int i = 0; i < 3 * TCP_CHALLENGES_PER_CONNECTION; i++) {
		give(net, PEER_IP, 100, ISS, ack, TCP_ACK, 0);
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
	k = connect_from(net, 100);
	cb = tcp_cb_of(k);
	for (int i = 0; i < 200; i++) {
		give(net, PEER_IP, 100, cb->rcv_nxt, cb->snd_nxt, TCP_ACK, SEGMENT_BYTES);
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
	k = connect_from(net, 100);
	cb = tcp_cb_of(k);
	for (int i = 0; i < BYTES; i++) {
		give(net, PEER_IP, 100, cb->rcv_nxt, cb->snd_nxt, TCP_ACK, 1);
		net_drain(net);
	}
	assert_int_equal(cb->rcv_nxt, ISS + 1 + BYTES);
	assert_true(cb->recv_memory <= 2 * BYTES);
	stack_abort(k, net->now_ns);
	finish(net);
}

/* Buffers that are elsewhere: all but `rest`. */
static struct buf *take_until(struct pool *pool, uint32_t rest)
{
	struct buf *taken = NULL, *b;

	while (pool->free_count > rest) {
		b = pool_get(pool);
		b->next = taken;
		taken = b;
	}
	return taken;
}

static void give_back(struct buf *taken)
{
	struct buf *b;

	while ((b = taken) != NULL) {
		taken = b->next;
		buf_unref(b);
	}
}

/* Many buffers are elsewhere: of what comes nothing is kept but the first of each connection, which
 * goes on when they are back. */
static void when_buffers_run_low_each_connection_keeps_its_first_bytes_alone(void **state)
{
	struct net *net = *state;
	struct buf *taken;
	struct sock *k[2];
	struct stack_received r;

	start(net);
	for (uint16_t i = 0; i < 2; i++)
		k[i] = connect_from(net, (uint16_t)(100 + i));
	taken = take_until(net->pool, net->pool->count / (2 * TCP_POOL_LOW_DIVISOR) - 1);
	for (uint16_t i = 0; i < 2; i++) {
		for (int n = 0; n < 3; n++) {
			const struct tcp_cb *cb = tcp_cb_of(k[i]);

			give(net, PEER_IP, (uint16_t)(100 + i), cb->rcv_nxt, cb->snd_nxt, TCP_ACK,
			     SEGMENT_BYTES);
			net_drain(net);
		}
		assert_int_equal(tcp_cb_of(k[i])->rcv_nxt, ISS + 1 + SEGMENT_BYTES);
		assert_int_equal(stack_recv(k[i], 65535, &r, net->now_ns), 1);
		assert_int_equal(r.len, SEGMENT_BYTES);
		buf_unref(r.buf);
	}
	assert_int_equal(net->s->stats.tcp_starved, 4);
	give_back(taken);
	for (int i = 0; i < 2; i++)
		stack_abort(k[i], net->now_ns);
	finish(net);
}

enum { POOL = 256, MANY = 512 };

/* A pool smaller than what is allowed in connections, as with AF_XDP; a connection of another peer,
 * and of PEER_IP so many that their first bytes leave little. Returns how many. */
static uint16_t fill_pool_from_one_peer(struct net *net, struct sock *k[MANY], struct sock **other)
{
	struct endpoint local = at(OUR_IP, PORT);
	uint16_t n = 0;
	uint32_t before;

	net_restart_with_pool(net, POOL);
	net->cfg.max_tcp = MANY;
	net->cfg.max_listeners = 1;
	net->cfg.prefix_len = 8;
	net_restart_with_statics(net);
	assert_int_equal(stack_open(net->s, SOCK_STREAM, NULL, &listener), 0);
	assert_int_equal(stack_bind(listener, &local, false), 0);
	assert_int_equal(stack_listen(listener, BACKLOG), 0);
	give_syn(net, THIRD_IP, 7);
	give(net, THIRD_IP, 7, ISS + 1, our_next(net, THIRD_IP, 7), TCP_ACK, 0);
	assert_int_equal(stack_accept(listener, NULL, other), 0);
	do {
		k[n] = connect_from(net, (uint16_t)(1000 + n));
		before = net->pool->free_count;
		give(net, PEER_IP, (uint16_t)(1000 + n), ISS + 1, tcp_cb_of(k[n])->snd_nxt, TCP_ACK,
		     SEGMENT_BYTES);
		net_drain(net);
		n++;
	} while (n < MANY && net->pool->free_count < before);
	return n;
}

static void one_peer_does_not_get_the_last_of_the_pool(void **state)
{
	static struct sock *k[MANY];
	struct net *net = *state;
	struct sock *other;
	bool zero_copy;
	uint16_t n = fill_pool_from_one_peer(net, k, &other);

	assert_int_equal(net->pool->free_count, POOL / TCP_POOL_SCARCE_DIVISOR);
	assert_int_equal(net->s->stats.tcp_starved, 1);
	/* It cannot be sent anything either, but for one; others can, and what they send arrives.
	 */
	assert_int_equal(stack_send(k[0], NULL, (uint8_t[]){1}, 1, &zero_copy, net->now_ns), 1);
	assert_int_equal(stack_send(k[1], NULL, (uint8_t[]){1}, 1, &zero_copy, net->now_ns),
			 -ENOMEM);
	give(net, THIRD_IP, 7, ISS + 1, tcp_cb_of(other)->snd_nxt, TCP_ACK, SEGMENT_BYTES);
	assert_int_equal(tcp_cb_of(other)->rcv_nxt, ISS + 1 + SEGMENT_BYTES);
	assert_int_equal(stack_send(other, NULL, (uint8_t[]){1}, 1, &zero_copy, net->now_ns), 1);
	net_drain(net);
	while (n > 0)
		stack_abort(k[--n], net->now_ns);
	stack_abort(other, net->now_ns);
	finish(net);
}

/* Three quarters of its connections go, and somebody else takes what they held. */
static void what_a_peer_gives_back_counts_no_more(void **state)
{
	static struct sock *k[MANY];
	struct net *net = *state;
	struct buf *taken;
	struct sock *other;
	bool zero_copy;
	uint16_t n = fill_pool_from_one_peer(net, k, &other), left = n;

	while (left > n / 4 - 2)
		stack_abort(k[--left], net->now_ns);
	net_drain(net);
	taken = take_until(net->pool, POOL / TCP_POOL_SCARCE_DIVISOR - 1);
	net->now_ns += TCP_MS(200);
	assert_int_equal(stack_send(k[0], NULL, (uint8_t[]){1}, 1, &zero_copy, net->now_ns), 1);
	give_back(taken);
	while (left > 0)
		stack_abort(k[--left], net->now_ns);
	stack_abort(other, net->now_ns);
	finish(net);
}

/* The peer's window is open, but nothing is acknowledged. */
static void copies_of_what_programs_send_leave_the_last_of_the_pool_alone(void **state)
{
	struct net *net = *state;
	static uint8_t bytes[10000];
	struct sock *k[2];
	bool zero_copy;

	net->cfg.send_buffer_bytes = 16 << 20;
	start(net);
	for (uint16_t i = 0; i < 2; i++)
		k[i] = connect_from(net, (uint16_t)(100 + i));
	while (stack_send(k[0], NULL, bytes, sizeof(bytes), &zero_copy, net->now_ns) > 0)
		net_drain(net);
	assert_int_equal(net->pool->free_count, net->pool->count / TCP_POOL_SEND_DIVISOR);
	/* The other one may begin all the same. */
	assert_true(stack_send(k[1], NULL, bytes, sizeof(bytes), &zero_copy, net->now_ns) > 0);
	assert_int_equal(stack_send(k[1], NULL, bytes, sizeof(bytes), &zero_copy, net->now_ns),
			 -EAGAIN);
	for (int i = 0; i < 2; i++)
		stack_abort(k[i], net->now_ns);
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
	k = connect_from(net, 100);
	cb = tcp_cb_of(k);
	sets = &net->s->tcp->reassemblies[TCP_SET_SMALL];
	assert_int_equal(sets->count, TCP_RANGE_SETS_MIN);
	while (n < TCP_RANGE_SETS_MIN && (taken[n] = tcp_slab_get(sets)) != NULL)
		n++;
	give(net, PEER_IP, 100, cb->rcv_nxt + 100, cb->snd_nxt, TCP_ACK, 100);
	assert_int_equal(net->s->stats.tcp_out_of_order_dropped, 1);
	assert_null(cb->ooo);
	while (n > 0)
		tcp_slab_put(sets, taken[--n]);
	stack_abort(k, net->now_ns);
	finish(net);
}

/* Takes sets until there is none for cb's peer; how many. */
static uint32_t take_sets(const struct tcp_cb *cb, void **taken)
{
	struct tcp_table *t = cb->sock.stack->tcp;
	uint32_t n = 0;

	while (n < TCP_RANGE_SETS_MIN &&
	       (taken[n] = tcp_share_get(cb, &t->reassemblies[TCP_SET_SMALL],
					 &t->reassembly_shares[TCP_SET_SMALL])) != NULL)
		n++;
	return n;
}

static void give_sets_back(const struct tcp_cb *cb, void **taken, uint32_t n)
{
	struct tcp_table *t = cb->sock.stack->tcp;

	while (n > 0)
		tcp_share_put(cb, &t->reassemblies[TCP_SET_SMALL],
			      &t->reassembly_shares[TCP_SET_SMALL], taken[--n]);
}

static void one_peer_has_a_share_of_the_sets_of_ranges(void **state)
{
	struct net *net = *state;
	static void *taken[TCP_RANGE_SETS_MIN], *others[TCP_RANGE_SETS_MIN];
	struct sock *k;
	struct tcp_cb *cb, other;

	start(net);
	k = connect_from(net, 100);
	cb = tcp_cb_of(k);
	other = *cb;
	other.sock.peer.ip = ip4(THIRD_IP);
	assert_int_equal(take_sets(cb, taken), TCP_RANGE_SETS_MIN / 2);
	give(net, PEER_IP, 100, cb->rcv_nxt + 100, cb->snd_nxt, TCP_ACK, 100);
	assert_null(cb->ooo);
	assert_int_equal(take_sets(&other, others), TCP_RANGE_SETS_MIN / TCP_PEER_SHARE_DIVISOR);
	give_sets_back(cb, taken, TCP_RANGE_SETS_MIN / 2);
	give(net, PEER_IP, 100, cb->rcv_nxt + 100, cb->snd_nxt, TCP_ACK, 100);
	assert_non_null(cb->ooo);
	give_sets_back(&other, others, TCP_RANGE_SETS_MIN / TCP_PEER_SHARE_DIVISOR);
	stack_abort(k, net->now_ns);
	finish(net);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    net_test(half_open_connections_are_bounded_and_the_oldest_gives_way),
	    net_test(one_peer_has_a_share_of_the_half_open_places),
	    net_test(of_a_group_with_its_share_the_oldest_gives_way),
	    net_test(half_open_connections_are_gone_after_their_last_repetition),
	    net_test(connections_that_nobody_accepts_are_bounded_by_the_backlog),
	    net_test(a_full_table_of_connections_holds_new_ones_up),
	    net_test(time_wait_gives_way_when_the_table_is_full),
	    net_test(challenges_are_limited_and_by_how_many_is_not_known),
	    net_test(one_connection_has_a_share_of_the_challenges),
	    net_test(a_keepalive_is_answered_however_others_are_challenged),
	    net_test(what_is_not_read_closes_the_window_by_the_memory_it_pins),
	    net_test(single_bytes_that_are_not_read_are_packed),
	    net_test(when_buffers_run_low_each_connection_keeps_its_first_bytes_alone),
	    net_test(copies_of_what_programs_send_leave_the_last_of_the_pool_alone),
	    net_test(one_peer_does_not_get_the_last_of_the_pool),
	    net_test(what_a_peer_gives_back_counts_no_more),
	    net_test(one_peer_has_a_share_of_the_sets_of_ranges),
	    net_test(without_a_set_of_ranges_what_is_out_of_order_is_dropped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
