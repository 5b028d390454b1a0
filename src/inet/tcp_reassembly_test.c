/* What comes out of order, against a map with one flag for each byte.
 *
 * SPDX-License-Identifier: MIT
 */
#include "inet/tcp_reassembly.h"
#include "base/rng.h"
#include "inet/tcp_blocks.h"
#include "inet/tcp_pair_test.h"
#include "inet/tcp_receive.h"
#include <stdlib.h>
#include <string.h>

enum { STREAM_BYTES = 60000, WINDOW_BYTES = 20000, PIECE_BYTES = 600 };

struct stream {
	struct tcp_cb *cb;
	struct pool *pool;
	struct rng rng;
	uint32_t start; /* sequence number of byte 0 */
	uint32_t popped;
	bool here[STREAM_BYTES];
};

static uint8_t pattern(uint32_t offset)
{
	return (uint8_t)(offset * 2654435761u >> 13);
}

static void begin(struct stream *st, struct pair *p)
{
	pair_connect(p);
	memset(st, 0, sizeof(*st));
	rng_init(&st->rng, (uint64_t[2]){3, 4});
	st->cb = pair_cb(p, 1);
	st->pool = p->side[1].pool;
	st->start = st->cb->rcv_nxt;
}

/* The bytes [from, to), as a segment brings them. */
static void arrive(struct stream *st, uint32_t from, uint32_t to)
{
	struct packet pkt = {.buf = pool_get(st->pool)};

	assert_non_null(pkt.buf);
	for (uint32_t i = from; i < to; i++)
		pkt.buf->data[i - from] = pattern(i);
	tcp_reassembly_add(st->cb, st->start + from, st->start + to, pkt.buf->data, &pkt);
	if (pkt.buf != NULL)
		buf_unref(pkt.buf);
	memset(st->here + from, true, to - from);
}

static void pop_all(struct stream *st)
{
	struct stack_received r;

	while (st->cb->recv_head != NULL) {
		tcp_receive_pop(st->cb, UINT32_MAX, &r);
		for (uint32_t i = 0; i < r.len; i++)
			assert_int_equal(r.data[i], pattern(st->popped + i));
		st->popped += r.len;
		buf_unref(r.buf);
	}
}

static uint32_t in_order(const struct stream *st)
{
	return st->cb->rcv_nxt - st->start;
}

/* The first SACK block, after any D-SACK, is all that is there around `at`, which came last. */
static void check_first_block(struct stream *st, uint32_t at)
{
	struct tcp_range out[TCP_SACK_BLOCKS];
	uint32_t n = tcp_reassembly_sack(st->cb, out, TCP_SACK_BLOCKS), from = at, to = at;
	const struct tcp_range *first = &out[st->cb->duplicate];

	assert_true(n > st->cb->duplicate);
	while (from > in_order(st) && st->here[from - 1])
		from--;
	while (to < STREAM_BYTES && st->here[to])
		to++;
	assert_int_equal(first->start - st->start, from);
	assert_int_equal(first->end - st->start, to);
}

static void check(struct stream *st, uint32_t last)
{
	uint32_t i = 0;

	while (i < STREAM_BYTES && st->here[i])
		i++;
	assert_int_equal(in_order(st), i);
	if (last >= in_order(st))
		check_first_block(st, last);
}

static void segments_in_any_order_give_the_stream(void **state)
{
	static struct stream st;

	begin(&st, *state);
	while (in_order(&st) < STREAM_BYTES) {
		uint32_t room = STREAM_BYTES - in_order(&st);
		uint32_t span = room < WINDOW_BYTES ? room : WINDOW_BYTES;
		uint32_t from = in_order(&st) + (uint32_t)rng_below(&st.rng, span), to;

		from -= from < 100 ? from : (uint32_t)rng_below(&st.rng, 100);
		to = from + 1 + (uint32_t)rng_below(&st.rng, PIECE_BYTES);
		to = to < STREAM_BYTES ? to : STREAM_BYTES;
		arrive(&st, from, to);
		check(&st, to - 1);
		pop_all(&st);
	}
	assert_int_equal(st.popped, STREAM_BYTES);
	assert_null(st.cb->ooo);
	assert_int_equal(st.cb->recv_memory, 0);
}

/* One byte of every two from byte 1 on. */
static void arrive_alternately(struct stream *st, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
		arrive(st, 2 * i + 1, 2 * i + 2);
}

static struct tcp_slab *large(struct stream *st)
{
	return &st->cb->sock.stack->tcp->reassemblies[TCP_SET_LARGE].slab;
}

static void a_window_full_of_holes_takes_a_large_set_and_gives_it_back(void **state)
{
	static struct stream st;

	begin(&st, *state);
	st.cb->recv_limit = 4 << 20;
	arrive_alternately(&st, TCP_OUT_OF_ORDER_RANGES);
	assert_int_equal(large(&st)->used, 0);
	arrive_alternately(&st, TCP_OUT_OF_ORDER_RANGES + 1);
	assert_int_equal(large(&st)->used, 1);
	arrive_alternately(&st, TCP_OUT_OF_ORDER_RANGES_LARGE + 10);
	assert_int_equal(st.cb->ooo->count, TCP_OUT_OF_ORDER_RANGES_LARGE);
	assert_true(st.cb->sock.stack->stats.tcp_out_of_order_dropped > 0);
	for (uint32_t i = 0; i < TCP_OUT_OF_ORDER_RANGES_LARGE; i++) {
		arrive(&st, 2 * i, 2 * i + 1);
		pop_all(&st);
	}
	assert_int_equal(st.popped, 2 * TCP_OUT_OF_ORDER_RANGES_LARGE);
	assert_null(st.cb->ooo);
	assert_int_equal(large(&st)->used, 0);
}

static void without_a_large_set_what_does_not_fit_is_dropped(void **state)
{
	static struct stream st;
	static void *taken[TCP_LARGE_SETS_MAX];
	uint32_t n = 0;

	begin(&st, *state);
	while (n < TCP_LARGE_SETS_MAX && (taken[n] = tcp_slab_get(large(&st))) != NULL)
		n++;
	arrive_alternately(&st, TCP_OUT_OF_ORDER_RANGES + 3);
	assert_int_equal(st.cb->ooo->count, TCP_OUT_OF_ORDER_RANGES);
	assert_int_equal(st.cb->sock.stack->stats.tcp_out_of_order_dropped, 3);
	while (n > 0)
		tcp_slab_put(large(&st), taken[--n]);
}

static void memory_out_of_order_is_bounded_by_the_window(void **state)
{
	static struct stream st;
	uint32_t most;

	begin(&st, *state);
	st.cb->recv_limit = 64 << 10;
	most = st.cb->recv_limit * TCP_RECV_MEMORY_FACTOR;
	arrive_alternately(&st, 1000);
	assert_true(st.cb->recv_memory <= most);
	assert_true(st.cb->recv_memory > most / 2);
	assert_true(st.cb->sock.stack->stats.tcp_out_of_order_dropped > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    pair_test(segments_in_any_order_give_the_stream),
	    pair_test(a_window_full_of_holes_takes_a_large_set_and_gives_it_back),
	    pair_test(without_a_large_set_what_does_not_fit_is_dropped),
	    pair_test(memory_out_of_order_is_bounded_by_the_window),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
