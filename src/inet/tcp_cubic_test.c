/* CUBIC against RFC 9438, acknowledgement by acknowledgement, and over a wire.
 *
 * SPDX-License-Identifier: MIT
 */
#include "inet/tcp_pair_test.h"
#include "inet/tcp_undo.h"
#include <errno.h>
#include <linux/tcp.h> /* netinet/tcp.h names states as we do */
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#define MS UINT64_C(1000000)

enum { SEGMENT = 1000 };

/* A control block without a connection: what an algorithm looks at. */
struct fake {
	struct stack stack;
	struct list queue;
	struct tcp_cb cb;
};

static struct tcp_cb *fake_cb(struct fake *f, uint32_t segments, uint64_t rtt_ns)
{
	memset(f, 0, sizeof(*f));
	list_init(&f->queue);
	f->stack.now_ns = 1000 * MS;
	f->cb.sock.stack = &f->stack;
	list_init(&f->cb.out_link);
	list_add_tail(&f->queue, &f->cb.out_link); /* it has asked for its turn already */
	f->cb.mss = SEGMENT;
	f->cb.srtt_ns = rtt_ns;
	f->cb.rto_ns = 200 * MS + rtt_ns;
	f->cb.cc = &tcp_cubic;
	f->cb.cc->init(&f->cb);
	f->cb.cwnd = segments * SEGMENT;
	return &f->cb;
}

/* A loss with cwnd all in use, and the recovery after it. */
static void lose(struct tcp_cb *cb)
{
	cb->cc->loss(cb, cb->cwnd);
	cb->cwnd = cb->ssthresh;
}

/* Acknowledgements of two segments each, all of a window in each round trip, for so long. */
static void acknowledge_ms(struct fake *f, uint64_t ms)
{
	uint64_t end = f->stack.now_ns + ms * MS;

	while (f->stack.now_ns < end) {
		uint32_t acks = f->cb.cwnd / (2 * SEGMENT);

		for (uint32_t i = 0; i < acks; i++) {
			f->stack.now_ns += f->cb.srtt_ns / acks;
			f->cb.cc->acked(&f->cb, 2 * SEGMENT);
		}
	}
}

static void assert_near(uint32_t bytes, uint32_t segments, uint32_t tolerance_segments)
{
	assert_in_range(bytes, (segments - tolerance_segments) * SEGMENT,
			(segments + tolerance_segments) * SEGMENT);
}

static void a_loss_leaves_seven_tenths(void **state)
{
	struct fake f;
	struct tcp_cb *cb = fake_cb(&f, 1000, 100 * MS);

	(void)state;
	lose(cb);
	assert_int_equal(cb->cwnd, 700 * SEGMENT);
	cb = fake_cb(&f, 2, 100 * MS);
	lose(cb);
	assert_int_equal(cb->cwnd, 2 * SEGMENT);
}

/* W_max 1000 segments: K is the cube root of 300 / 0.4, 9.09 s. */
static void the_window_comes_back_after_k_and_is_flat_there(void **state)
{
	struct fake f;
	struct tcp_cb *cb = fake_cb(&f, 1000, 100 * MS);

	(void)state;
	lose(cb);
	acknowledge_ms(&f, 4540); /* half of K: an eighth is missing, 37 segments */
	assert_near(cb->cwnd, 1000 - 37, 8);
	acknowledge_ms(&f, 4540);
	assert_near(cb->cwnd, 1000, 5);
	acknowledge_ms(&f, 2000); /* 0.4 * 8 segments */
	assert_near(cb->cwnd, 1003, 5);
	acknowledge_ms(&f, 8000); /* 0.4 * 1000, and a little, as round trips are not cut short */
	assert_near(cb->cwnd, 1425, 25);
}

/* On a short way Reno is faster, and so is this: w_est grows by 9/17 of a segment a round trip up
 * to W_max, and by one from there. */
static void on_a_short_way_it_grows_as_reno_does(void **state)
{
	struct fake f;
	struct tcp_cb *cb = fake_cb(&f, 100, 1 * MS);

	(void)state;
	lose(cb);
	acknowledge_ms(&f, 20); /* CUBIC's own would be a thousandth of a segment */
	assert_near(cb->cwnd, 70 + 10, 2);
	acknowledge_ms(&f, 38);
	assert_near(cb->cwnd, 101, 3);
	acknowledge_ms(&f, 20);
	assert_near(cb->cwnd, 120, 4);
}

static void who_has_lost_ground_gives_way_faster(void **state)
{
	struct fake f;
	struct tcp_cb *cb = fake_cb(&f, 1000, 100 * MS);

	(void)state;
	lose(cb);
	lose(cb); /* at 700: others want it; flat at 0.85 * 700 */
	assert_int_equal(cb->cwnd, 490 * SEGMENT);
	acknowledge_ms(&f, 6400); /* K: (105 / 0.4) ^ (1/3), 6.4 s */
	assert_near(cb->cwnd, 595, 4);
}

/* Nothing is known of the way any more: the curve begins where slow start ended. */
static void after_a_timeout_the_curve_begins_where_slow_start_ends(void **state)
{
	struct fake f;
	struct tcp_cb *cb = fake_cb(&f, 1000, 100 * MS);

	(void)state;
	cb->cc->timeout(cb, cb->cwnd, true);
	assert_int_equal(cb->cwnd, SEGMENT);
	assert_int_equal(cb->ssthresh, 700 * SEGMENT);
	cb->cc->timeout(cb, cb->cwnd, false);
	assert_int_equal(cb->ssthresh, 700 * SEGMENT);
	while (cb->cwnd < cb->ssthresh)
		cb->cc->acked(cb, 2 * SEGMENT);
	acknowledge_ms(&f, 10000); /* 0.4 * 1000, from 700 on */
	assert_near(cb->cwnd, 1100, 30);
}

/* What a timeout has said of the way holds until the next loss says something else. */
static void a_loss_after_a_timeout_counts_like_any(void **state)
{
	struct fake f;
	struct tcp_cb *cb = fake_cb(&f, 1000, 100 * MS);

	(void)state;
	cb->cc->timeout(cb, cb->cwnd, true);
	cb->cwnd = 500 * SEGMENT;
	lose(cb);
	assert_int_equal(cb->cwnd, 350 * SEGMENT);
	acknowledge_ms(&f, 5730); /* flat at 0.85 * 500; K: (75 / 0.4) ^ (1/3), 5.7 s */
	assert_near(cb->cwnd, 425, 4);
}

/* RFC 9438 4.9: the curve goes on as if nothing had happened. */
static void a_loss_that_was_none_leaves_the_curve_alone(void **state)
{
	struct fake f;
	struct tcp_cb *cb = fake_cb(&f, 1000, 100 * MS);

	(void)state;
	lose(cb);
	acknowledge_ms(&f, 4540);
	assert_near(cb->cwnd, 1000 - 37, 8);
	tcp_undo_prepare(cb);
	lose(cb);
	cb->snd_nxt = cb->snd_una + cb->undo_cwnd; /* all of it is outstanding */
	tcp_undo(cb, 0);
	assert_near(cb->cwnd, 1000 - 37, 8);
	acknowledge_ms(&f, 4540);
	assert_near(cb->cwnd, 1000, 5);
}

/* While the program has nothing to send nothing is learnt, and the window must not run away. */
static void a_pause_does_not_count(void **state)
{
	struct fake f;
	struct tcp_cb *cb = fake_cb(&f, 1000, 100 * MS);

	(void)state;
	lose(cb);
	acknowledge_ms(&f, 9100);
	f.stack.now_ns += 3600 * 1000 * MS;
	acknowledge_ms(&f, 200);
	assert_near(cb->cwnd, 1000, 5);
}

/* However long, however large: no sum wraps. */
static void a_window_never_falls_between_losses(void **state)
{
	struct fake f;
	struct tcp_cb *cb = fake_cb(&f, 60000, 50 * MS);
	uint32_t before;

	(void)state;
	cb->mss = 65000;
	lose(cb);
	for (int i = 0; i < 100000; i++) {
		before = cb->cwnd;
		f.stack.now_ns += 40 * MS;
		cb->cc->acked(cb, 65000);
		assert_true(cb->cwnd >= before && cb->cwnd <= TCP_CWND_MAX_BYTES);
	}
}

static void names_are_the_kernels(void **state)
{
	struct pair *p = *state;
	char name[16];
	uint32_t len = sizeof(name);
	struct sock *k;

	assert_int_equal(stack_open(p->side[0].s, SOCK_STREAM, NULL, &k), 0);
	assert_int_equal(stack_getsockopt(k, IPPROTO_TCP, TCP_CONGESTION, name, &len), 0);
	assert_string_equal(name, "cubic");
	assert_int_equal(len, sizeof(name));
	assert_int_equal(stack_setsockopt(k, IPPROTO_TCP, TCP_CONGESTION, "reno", 4), 0);
	assert_int_equal(stack_setsockopt(k, IPPROTO_TCP, TCP_CONGESTION, "cubical", 7), -ENOENT);
	assert_int_equal(stack_setsockopt(k, IPPROTO_TCP, TCP_CONGESTION, "cub", 3), -ENOENT);
	assert_int_equal(stack_setsockopt(k, IPPROTO_TCP, TCP_CONGESTION, "", 0), -EINVAL);
	assert_int_equal(stack_getsockopt(k, IPPROTO_TCP, TCP_CONGESTION, name, &len), 0);
	assert_string_equal(name, "reno");
	assert_int_equal(stack_setsockopt(k, IPPROTO_TCP, TCP_CONGESTION, "cubic\0no", 9), 0);
	assert_int_equal(stack_getsockopt(k, IPPROTO_TCP, TCP_CONGESTION, name, &len), 0);
	assert_string_equal(name, "cubic");
	stack_close(k, p->now_ns);
}

/* What sockets begin with, accepted ones too, is the stack's configuration. */
static void a_stack_is_made_with_a_congestion_control(void **state)
{
	struct pair *p = *state;
	struct stack_config cfg = p->side[0].cfg;
	struct stack *s;

	assert_ptr_equal(tcp_cc_find("cubic", 5), &tcp_cubic);
	p->side[0].cfg.congestion = p->side[1].cfg.congestion = "reno";
	pair_restart(p);
	pair_connect(p);
	assert_ptr_equal(pair_cb(p, 0)->cc, &tcp_newreno);
	assert_ptr_equal(pair_cb(p, 1)->cc, &tcp_newreno);
	cfg.congestion = "vegas";
	assert_int_equal(stack_create(&s, &cfg, p->now_ns), -EINVAL);
}

/* Of the frames with data that side 0 sends one in so many is lost. */
static bool lose_one_in(struct pair *p, int from, const uint8_t *l4, uint32_t l4_len)
{
	uint32_t *left = p->lose_arg;

	if (from != 0 || l4_len <= (uint32_t)(l4[12] >> 4) * 4 || --*left > 0)
		return false;
	*left = p->lose_count;
	return true;
}

/* How long 30 MB take over a way of 100 ms there and back with a loss in 2 000 segments. */
static uint64_t long_way_ms(struct pair *p, const char *congestion)
{
	uint32_t left = 2000;
	uint64_t start_ns;

	p->side[0].cfg.congestion = congestion;
	p->delay_ns = 0;
	p->lose = NULL;
	pair_restart(p);
	pair_connect(p);
	p->delay_ns = 50 * MS;
	p->lose = lose_one_in;
	p->lose_arg = &left;
	p->lose_count = left;
	start_ns = p->now_ns;
	pair_transfer(p, 0, 30000000);
	return (p->now_ns - start_ns) / MS;
}

/* Reno's window is about 55 segments on average, and CUBIC's about 100 (RFC 9438 5.2). */
static void on_a_long_way_with_few_losses_it_is_faster_than_reno(void **state)
{
	uint64_t reno_ms = long_way_ms(*state, "reno"), cubic_ms = long_way_ms(*state, "cubic");

	print_message("reno %u ms, cubic %u ms\n", (unsigned)reno_ms, (unsigned)cubic_ms);
	assert_true(cubic_ms < reno_ms * 9 / 10);
}

static void a_transfer_arrives_whole_at_any_loss(void **state)
{
	struct pair *p = *state;
	uint32_t left = 1;

	pair_connect(p);
	assert_ptr_equal(pair_cb(p, 0)->cc, &tcp_cubic);
	p->delay_ns = 5 * MS;
	p->lose = lose_one_in;
	p->lose_arg = &left;
	for (p->lose_count = 3; p->lose_count <= 300; p->lose_count *= 3)
		pair_transfer(p, 0, 500000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_loss_leaves_seven_tenths),
	    cmocka_unit_test(the_window_comes_back_after_k_and_is_flat_there),
	    cmocka_unit_test(on_a_short_way_it_grows_as_reno_does),
	    cmocka_unit_test(who_has_lost_ground_gives_way_faster),
	    cmocka_unit_test(after_a_timeout_the_curve_begins_where_slow_start_ends),
	    cmocka_unit_test(a_loss_after_a_timeout_counts_like_any),
	    cmocka_unit_test(a_loss_that_was_none_leaves_the_curve_alone),
	    cmocka_unit_test(a_pause_does_not_count),
	    cmocka_unit_test(a_window_never_falls_between_losses),
	    pair_test(names_are_the_kernels),
	    pair_test(a_stack_is_made_with_a_congestion_control),
	    pair_test(on_a_long_way_with_few_losses_it_is_faster_than_reno),
	    pair_test(a_transfer_arrives_whole_at_any_loss),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
