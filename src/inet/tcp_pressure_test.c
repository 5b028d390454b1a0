/* Who gets the last buffers of a pool.
 *
 * SPDX-License-Identifier: MIT
 */
#include "inet/tcp_pressure.h"
#include "inet/tcp_peer_test.h"
#include <errno.h>

enum { BACKLOG = 8, POOL = 256, MANY = 512 };

static struct sock *listener;

/* Each test ends with a stack that holds nothing. */
static void finish(struct net *net)
{
	stack_close(listener, net->now_ns);
	net_drain(net);
}

/* The next of a peer's stream, or what comes `ahead` bytes later. */
static void give_text(struct net *net, const struct sock *k, uint32_t ip, uint16_t port,
		      uint32_t ahead)
{
	const struct tcp_cb *cb = tcp_cb_of(k);

	peer_give(net, ip, port, cb->rcv_nxt + ahead, cb->snd_nxt, TCP_ACK, PEER_SEGMENT_BYTES);
	net_drain(net);
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

	net->cfg.max_tcp = net->cfg.max_tcp_per_peer = MANY;
	listener = peer_listen(net, BACKLOG);
	for (uint16_t i = 0; i < 2; i++)
		k[i] = peer_connect(net, listener, PEER_IP, (uint16_t)(100 + i));
	taken = take_until(net->pool, net->pool->count / (2 * TCP_POOL_LOW_DIVISOR) - 1);
	for (uint16_t i = 0; i < 2; i++) {
		for (int n = 0; n < 3; n++) {
			const struct tcp_cb *cb = tcp_cb_of(k[i]);

			peer_give(net, PEER_IP, (uint16_t)(100 + i), cb->rcv_nxt, cb->snd_nxt,
				  TCP_ACK, PEER_SEGMENT_BYTES);
			net_drain(net);
		}
		assert_int_equal(tcp_cb_of(k[i])->rcv_nxt, PEER_ISS + 1 + PEER_SEGMENT_BYTES);
		assert_int_equal(stack_recv(k[i], 65535, &r, net->now_ns), 1);
		assert_int_equal(r.len, PEER_SEGMENT_BYTES);
		buf_unref(r.buf);
	}
	assert_int_equal(net->s->stats.tcp_starved, 4);
	give_back(taken);
	for (int i = 0; i < 2; i++)
		stack_abort(k[i], net->now_ns);
	finish(net);
}

/* A pool smaller than what is allowed in connections, as with AF_XDP. */
static void start_small(struct net *net)
{
	net_restart_with_pool(net, POOL);
	net->cfg.max_tcp = net->cfg.max_tcp_per_peer = MANY;
	listener = peer_listen(net, BACKLOG);
}

/* A connection of another peer, and of PEER_IP so many that their first bytes leave little. Returns
 * how many. */
static uint16_t fill_pool_from_one_peer(struct net *net, struct sock *k[MANY], struct sock **other)
{
	uint16_t n = 0;
	uint32_t before;

	start_small(net);
	*other = peer_connect(net, listener, THIRD_IP, 7);
	do {
		k[n] = peer_connect(net, listener, PEER_IP, (uint16_t)(1000 + n));
		before = net->pool->free_count;
		peer_give(net, PEER_IP, (uint16_t)(1000 + n), PEER_ISS + 1,
			  tcp_cb_of(k[n])->snd_nxt, TCP_ACK, PEER_SEGMENT_BYTES);
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
	peer_give(net, THIRD_IP, 7, PEER_ISS + 1, tcp_cb_of(other)->snd_nxt, TCP_ACK,
		  PEER_SEGMENT_BYTES);
	assert_int_equal(tcp_cb_of(other)->rcv_nxt, PEER_ISS + 1 + PEER_SEGMENT_BYTES);
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
	/* It is not counted with each message, but soon. */
	assert_int_equal(stack_send(k[0], NULL, (uint8_t[]){1}, 1, &zero_copy, net->now_ns),
			 -ENOMEM);
	net->now_ns += TCP_MS(10);
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
	net->cfg.max_tcp = net->cfg.max_tcp_per_peer = MANY;
	listener = peer_listen(net, BACKLOG);
	for (uint16_t i = 0; i < 2; i++)
		k[i] = peer_connect(net, listener, PEER_IP, (uint16_t)(100 + i));
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

/* Of what it has sent the beginning is missing, so that its program cannot read it. */
static void text_out_of_order_counts_as_held(void **state)
{
	enum { HOLDERS = 16, SEGMENTS = POOL / TCP_PEER_SHARE_DIVISOR / HOLDERS };
	struct net *net = *state;
	struct sock *k[HOLDERS], *next, *other;
	struct buf *taken;

	start_small(net);
	other = peer_connect(net, listener, THIRD_IP, 7);
	next = peer_connect(net, listener, PEER_IP, 7);
	for (uint16_t i = 0; i < HOLDERS; i++) {
		k[i] = peer_connect(net, listener, PEER_IP, (uint16_t)(1000 + i));
		for (uint32_t n = 0; n < SEGMENTS; n++)
			give_text(net, k[i], PEER_IP, (uint16_t)(1000 + i),
				  1 + n * PEER_SEGMENT_BYTES);
	}
	assert_int_equal(net->s->stats.tcp_out_of_order_dropped, 0);
	taken = take_until(net->pool, POOL / TCP_POOL_SCARCE_DIVISOR - 1);
	give_text(net, next, PEER_IP, 7, 0);
	assert_int_equal(net->s->stats.tcp_starved, 1);
	give_text(net, other, THIRD_IP, 7, 0);
	assert_int_equal(net->s->stats.tcp_starved, 1);
	give_back(taken);
	for (uint16_t i = 0; i < HOLDERS; i++)
		stack_abort(k[i], net->now_ns);
	stack_abort(next, net->now_ns);
	stack_abort(other, net->now_ns);
	finish(net);
}

/* Each of its segments in order would be taken, were it for what lies beyond a hole. */
static void text_in_order_is_bounded_while_other_text_is_out_of_order(void **state)
{
	struct net *net = *state;
	struct sock *k;
	struct buf *taken;

	start_small(net);
	k = peer_connect(net, listener, PEER_IP, 7);
	give_text(net, k, PEER_IP, 7, 10 * PEER_SEGMENT_BYTES);
	taken = take_until(net->pool, POOL / (2 * TCP_POOL_LOW_DIVISOR));
	for (int i = 0; i < 5; i++)
		give_text(net, k, PEER_IP, 7, 0);
	assert_int_equal(tcp_cb_of(k)->rcv_nxt, PEER_ISS + 1 + PEER_SEGMENT_BYTES);
	assert_int_equal(net->s->stats.tcp_starved, 4);
	give_back(taken);
	stack_abort(k, net->now_ns);
	finish(net);
}

/* Frames lie in the device's pool, copies of what is sent in the stack's: what a peer has sent, and
 * nobody has read yet, is no reason to send it nothing. */
static void what_is_held_of_one_pool_does_not_count_for_another(void **state)
{
	static struct sock *k[MANY];
	struct net *net = *state;
	struct pool *own;
	struct buf *taken;
	struct sock *next;
	bool zero_copy;
	uint16_t n = 0;

	net_restart_with_pool(net, POOL);
	assert_int_equal(pool_create(&own, POOL, TEST_POOL_ROOM, BUF_HEADROOM_BYTES, NULL), 0);
	net->cfg.pool = own;
	net->cfg.max_tcp = net->cfg.max_tcp_per_peer = MANY;
	listener = peer_listen(net, BACKLOG);
	next = peer_connect(net, listener, PEER_IP, 7);
	while (n < POOL / 2) {
		k[n] = peer_connect(net, listener, PEER_IP, (uint16_t)(1000 + n));
		give_text(net, k[n], PEER_IP, (uint16_t)(1000 + n), 0);
		n++;
	}
	taken = take_until(own, POOL / TCP_POOL_SCARCE_DIVISOR - 1);
	assert_int_equal(stack_send(next, NULL, (uint8_t[]){1}, 1, &zero_copy, net->now_ns), 1);
	give_back(taken);
	taken = take_until(net->pool, POOL / TCP_POOL_SCARCE_DIVISOR - 1);
	give_text(net, next, PEER_IP, 7, 0);
	assert_int_equal(net->s->stats.tcp_starved, 1);
	give_back(taken);
	while (n > 0)
		stack_abort(k[--n], net->now_ns);
	stack_abort(next, net->now_ns);
	finish(net);
	net->cfg.pool = net->pool;
	net_restart(net);
	assert_int_equal(own->free_count, own->count);
	pool_destroy(own);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    net_test(when_buffers_run_low_each_connection_keeps_its_first_bytes_alone),
	    net_test(copies_of_what_programs_send_leave_the_last_of_the_pool_alone),
	    net_test(one_peer_does_not_get_the_last_of_the_pool),
	    net_test(what_a_peer_gives_back_counts_no_more),
	    net_test(text_out_of_order_counts_as_held),
	    net_test(text_in_order_is_bounded_while_other_text_is_out_of_order),
	    net_test(what_is_held_of_one_pool_does_not_count_for_another),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
