/* SPDX-License-Identifier: MIT */
#include "base/clock.h"
#include "libos/inet_rig.h"
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/socket.h>

#include <cmocka.h>

enum { BIG = 8 << 20, SOME = 300000 };

static void bytes_go_both_ways_and_the_end_comes_after_them(void **state)
{
	struct rig *r = *state;
	struct rig_op push[2];
	struct queue *q[2];

	rig_connection(r, q);
	for (int i = 0; i < 2; i++)
		rig_push(&push[i], q[i], SOME, (unsigned)i, NULL);
	for (int i = 0; i < 2; i++)
		rig_expect(r, q[1 - i], SOME, (unsigned)i);
	for (int i = 0; i < 2; i++) {
		rig_wait_ok(r, &push[i]);
		rig_drop(&push[i]);
	}
	inet_close(q[0]);
	rig_expect_end(r, q[1]);
	inet_close(q[1]);
}

static void unread_and_later_bytes_do_not_cut_what_was_accepted(void **state)
{
	struct rig *r = *state;
	struct rig_op unread, push, late;
	struct queue *q[2];

	rig_connection(r, q);
	rig_push(&unread, q[1], 1000, 1, NULL);
	rig_wait_ok(r, &unread);
	rig_drop(&unread);
	rig_pass_ms(r, 1); /* it has arrived */
	rig_push(&push, q[0], SOME, 2, NULL);
	inet_close(q[0]);
	rig_push(&late, q[1], 1000, 3, NULL); /* nobody will read it */
	rig_expect(r, q[1], SOME, 2);
	rig_expect_end(r, q[1]);
	assert_int_equal(late.op.error, 0);
	rig_drop(&push);
	rig_drop(&late);
	inet_close(q[1]);
	rig_pass_ms(r, 1);
	assert_true(list_empty(&rig_inet(r, 0)->lingering));
}

static void a_linger_time_of_zero_resets(void **state)
{
	const struct linger zero = {1, 0};
	struct rig *r = *state;
	struct queue *q[2];
	struct rig_op pop;

	rig_connection(r, q);
	assert_int_equal(inet_setsockopt(q[0], SOL_SOCKET, SO_LINGER, &zero, sizeof(zero)), 0);
	rig_pop(&pop, q[1]);
	inet_close(q[0]);
	rig_wait(r, &pop);
	assert_int_equal(pop.op.error, -ECONNRESET);
	inet_close(q[1]);
}

static void a_linger_time_bounds_what_is_not_acknowledged(void **state)
{
	const struct linger one = {1, 1};
	struct rig *r = *state;
	struct queue *q[2];
	struct rig_op push, pop;

	rig_connection(r, q);
	assert_int_equal(inet_setsockopt(q[0], SOL_SOCKET, SO_LINGER, &one, sizeof(one)), 0);
	rig_push(&push, q[0], BIG, 0, NULL); /* more than the peer's window holds */
	inet_close(q[0]);
	rig_drop(&push);
	while (!list_empty(&rig_inet(r, 0)->lingering))
		rig_poll_side(r, 0); /* the peer does not answer */
	do {
		rig_pop(&pop, q[1]);
		rig_wait(r, &pop);
		if (pop.op.error == 0)
			rig_drop(&pop);
	} while (pop.op.error == 0 && pop.op.pop.len > 0);
	assert_int_equal(pop.op.error, -ECONNRESET);
	inet_close(q[1]);
}

static void a_close_that_is_waited_for_completes_behind_the_pushes(void **state)
{
	struct rig *r = *state;
	struct rig_op push, closing;
	struct queue *q[2];

	rig_connection(r, q);
	rig_push(&push, q[0], BIG, 5, NULL);
	assert_false(push.done);
	rig_close_async(&closing, q[0]);
	assert_false(closing.done);
	rig_expect(r, q[1], BIG, 5);
	rig_expect_end(r, q[1]);
	rig_wait_ok(r, &closing);
	rig_wait_ok(r, &push);
	rig_drop(&push);
	inet_close(q[0]);
	inet_close(q[1]);
}

static void a_close_that_is_waited_for_ends_with_the_linger_time(void **state)
{
	const struct linger one = {1, 1};
	struct rig *r = *state;
	struct rig_op closing;
	struct queue *q[2];

	rig_connection(r, q);
	assert_int_equal(inet_setsockopt(q[0], SOL_SOCKET, SO_LINGER, &one, sizeof(one)), 0);
	rig_close_async(&closing, q[0]);
	while (!closing.done)
		rig_poll_side(r, 0);
	assert_int_equal(closing.op.error, -ETIMEDOUT);
	inet_close(q[0]); /* resets */
	rig_expect_end(r, q[1]);
	inet_close(q[1]);
}

static void a_close_that_is_waited_for_fails_when_the_peer_resets(void **state)
{
	const struct linger zero = {1, 0};
	struct rig *r = *state;
	struct rig_op push, closing;
	struct queue *q[2];

	rig_connection(r, q);
	rig_push(&push, q[0], BIG, 5, NULL);
	rig_close_async(&closing, q[0]);
	assert_int_equal(inet_setsockopt(q[1], SOL_SOCKET, SO_LINGER, &zero, sizeof(zero)), 0);
	inet_close(q[1]);
	rig_wait(r, &closing);
	assert_int_equal(closing.op.error, -ECONNRESET);
	rig_wait(r, &push);
	assert_int_equal(push.op.error, -ECONNRESET);
	rig_drop(&push);
	inet_close(q[0]);
}

static void a_shutdown_lets_waiting_pushes_go_first(void **state)
{
	struct rig *r = *state;
	struct rig_op push, refused;
	struct queue *q[2];

	rig_connection(r, q);
	rig_push(&push, q[0], BIG, 6, NULL);
	assert_false(push.done);
	assert_int_equal(inet_shutdown(q[0], SHUT_WR), 0);
	rig_push(&refused, q[0], 10, 0, NULL);
	assert_true(refused.done);
	assert_int_equal(refused.op.error, -EPIPE);
	rig_drop(&refused);
	rig_expect(r, q[1], BIG, 6);
	rig_expect_end(r, q[1]);
	rig_wait_ok(r, &push);
	rig_drop(&push);
	inet_close(q[0]);
	inet_close(q[1]);
}

static void a_push_that_has_begun_is_not_taken_back(void **state)
{
	struct rig *r = *state;
	struct rig_op push[2];
	struct queue *q[2];

	rig_connection(r, q);
	for (int i = 0; i < 2; i++) {
		rig_push(&push[i], q[0], BIG, 7, NULL);
		assert_false(push[i].done);
	}
	assert_int_equal(inet_cancel(&push[0].op), -EBUSY);
	assert_int_equal(inet_cancel(&push[1].op), 0);
	rig_drop(&push[1]);
	rig_expect(r, q[1], BIG, 7);
	rig_wait_ok(r, &push[0]);
	rig_drop(&push[0]);
	inet_close(q[0]);
	rig_expect_end(r, q[1]);
	inet_close(q[1]);
}

static void a_connect_may_be_given_up_and_tried_again(void **state)
{
	struct rig *r = *state;
	struct queue *q = rig_socket(r, 1, QUEUE_TCP), *listener;
	struct endpoint nobody = rig_at(7, 80), refused = rig_at(0, 81), there = rig_at(0, 80);
	struct rig_op connect, accept;

	assert_int_equal(rig_connect(&connect, q, &nobody), -EINPROGRESS);
	assert_int_equal(inet_cancel(&connect.op), 0);
	assert_int_equal(rig_connect(&connect, q, &refused), -EINPROGRESS);
	rig_wait(r, &connect);
	assert_int_equal(connect.op.error, -ECONNREFUSED);
	listener = rig_listener(r, 0, 80);
	rig_accept(&accept, listener);
	assert_int_equal(rig_connect(&connect, q, &there), -EINPROGRESS);
	rig_wait_ok(r, &connect);
	rig_wait_ok(r, &accept);
	q->connected = accept.op.accept.queue->connected = true;
	inet_close(accept.op.accept.queue);
	rig_expect_end(r, q);
	inet_close(q);
	inet_close(listener);
}

static void a_large_datagram_is_the_programs_again_when_the_link_is_done(void **state)
{
	struct rig *r = *state;
	struct queue *q[2];
	struct rig_op push, pop;
	struct endpoint to = rig_at(1, 9);

	for (int i = 0; i < 2; i++) {
		struct endpoint at = rig_at(i, 9);

		q[i] = rig_socket(r, i, QUEUE_UDP);
		assert_int_equal(inet_bind(q[i], &at), 0);
	}
	rig_push(&push, q[0], 20000, 8, &to);
	rig_expect(r, q[1], 20000, 8);
	rig_wait_ok(r, &push);
	assert_true(buf_sole(push.op.push.buf));
	rig_drop(&push);
	rig_push(&push, q[0], 1, 9, &to);
	rig_pop(&pop, q[1]);
	rig_wait_ok(r, &pop);
	assert_true(endpoint_eq(&pop.op.pop.from, &(struct endpoint){rig_at(0, 9).ip, 9}));
	rig_drop(&pop);
	rig_drop(&push);
	for (int i = 0; i < 2; i++)
		inet_close(q[i]);
}

static void a_datagram_on_its_way_is_not_taken_back(void **state)
{
	struct rig *r = *state;
	struct queue *q = rig_socket(r, 0, QUEUE_UDP);
	struct endpoint to = rig_at(1, 9);
	struct rig_op push;

	rig_push(&push, q, 20000, 8, &to); /* the peer's MAC is asked for */
	assert_false(push.done);
	assert_int_equal(inet_cancel(&push.op), -EBUSY);
	rig_wait_ok(r, &push);
	rig_drop(&push);
	inet_close(q);
}

static void only_own_addresses_are_bound(void **state)
{
	struct rig *r = *state;
	struct endpoint foreign = rig_at(1, 80), any = {ip4(0), 80}, chosen = rig_at(0, 0), local;
	struct queue *q = rig_socket(r, 0, QUEUE_TCP), *same = rig_socket(r, 0, QUEUE_TCP);

	assert_int_equal(inet_bind(q, &foreign), -EADDRNOTAVAIL);
	assert_int_equal(inet_bind(q, &any), 0);
	assert_int_equal(inet_bind(same, &any), -EADDRINUSE);
	assert_int_equal(inet_bind(same, &chosen), 0);
	assert_int_equal(inet_getsockname(same, &local), 0);
	assert_true(local.port != 0);
	inet_close(q);
	inet_close(same);
}

static void what_was_accepted_is_delivered_at_the_end(void **state)
{
	struct rig *r = *state;
	struct rig_op push;
	struct queue *q[2];

	rig_connection(r, q);
	rig_push(&push, q[0], 1000, 4, NULL);
	rig_wait_ok(r, &push);
	rig_drop(&push);
	/* The peer makes no progress: the end comes with the time, and says so. */
	inet_destroy(r->side[0].libos, 1000000);
	r->side[0].libos = NULL;
	for (unsigned i = 0; i < 100; i++)
		rig_poll_side(r, 1);
	rig_push(&push, q[1], 10, 0, NULL);
	assert_true(push.done && push.op.error < 0);
	rig_drop(&push);
	inet_close(q[1]);
}

/* What a push to a peer that has gone without a word never would. */
static void expect_reset(struct rig *r, struct rig_op *push)
{
	for (unsigned i = 0; i < 1000 && !push->done; i++)
		rig_poll_side(r, 1);
	assert_true(push->done);
	assert_int_equal(push->op.error, -ECONNRESET);
	rig_drop(push);
}

static void a_peer_that_still_sends_at_the_end_is_reset(void **state)
{
	struct rig *r = *state;
	struct rig_op push;
	struct queue *q[2];

	rig_connection(r, q);
	rig_push(&push, q[1], BIG, 4, NULL);
	assert_false(push.done);
	inet_destroy(r->side[0].libos, 1000000);
	r->side[0].libos = NULL;
	expect_reset(r, &push);
	inet_close(q[1]);
}

static void a_peer_that_missed_something_is_reset_at_the_end(void **state)
{
	struct rig *r = *state;
	struct rig_op lost, pop;
	struct queue *q[2];
	struct buf *bufs[LINK_BURST];
	int n;

	rig_connection(r, q);
	rig_pop(&pop, q[1]);
	rig_push(&lost, q[0], 1000, 4, NULL);
	rig_drop(&lost);
	n = rig_inet(r, 1)->link->ops->rx(rig_inet(r, 1)->link, bufs, LINK_BURST, 0);
	assert_int_equal(n, 1);
	buf_unref(bufs[0]);
	inet_destroy(r->side[0].libos, 1000000);
	r->side[0].libos = NULL;
	for (unsigned i = 0; i < 1000 && !pop.done; i++)
		rig_poll_side(r, 1);
	assert_true(pop.done);
	assert_int_equal(pop.op.error, -ECONNRESET);
	inet_close(q[1]);
}

static void a_quiet_peer_does_not_hold_up_the_end(void **state)
{
	struct rig *r = *state;
	struct rig_op push;
	struct queue *q[2];
	uint64_t start_ns;

	rig_connection(r, q);
	assert_int_equal(inet_shutdown(q[0], SHUT_WR), 0);
	rig_expect_end(r, q[1]);
	rig_pass_ms(r, 1); /* our end is acknowledged; the peer's does not come */
	start_ns = clock_now_ns();
	inet_destroy(r->side[0].libos, UINT64_C(60000000000));
	r->side[0].libos = NULL;
	assert_true(clock_now_ns() - start_ns < UINT64_C(30000000000));
	rig_poll_side(r, 1);
	rig_push(&push, q[1], 10, 4, NULL);
	expect_reset(r, &push);
	inet_close(q[1]);
}

static void a_device_that_goes_fails_what_waits_once_and_what_comes(void **state)
{
	struct rig *r = *state;
	struct queue *q[2], *fresh, *listener;
	struct endpoint to = rig_at(1, 80), datagram = rig_at(1, 9);
	struct rig_op pop, push, accept, connect;

	rig_connection(r, q);
	listener = rig_listener(r, 0, 81);
	rig_accept(&accept, listener);
	fresh = rig_socket(r, 0, QUEUE_UDP);
	assert_int_equal(inet_bind(fresh, &(struct endpoint){rig_at(0, 0).ip, 9}), 0);
	rig_pop(&pop, fresh);
	inet_destroy(r->side[1].libos, 0); /* the pair's other end goes with it */
	r->side[1].libos = NULL;
	for (unsigned i = 0; i < 1000; i++)
		rig_poll_side(r, 0);
	assert_true(pop.done && accept.done);
	assert_int_equal(pop.op.error, -ENETDOWN);
	inet_close(fresh);
	assert_int_equal(accept.op.error, -ENETDOWN);
	assert_int_equal(inet_next_deadline(r->side[0].libos), UINT64_MAX);
	fresh = rig_socket(r, 0, QUEUE_TCP);
	assert_int_equal(rig_connect(&connect, fresh, &to), 0);
	assert_int_equal(connect.op.error, -ENETDOWN);
	inet_close(fresh);
	fresh = rig_socket(r, 0, QUEUE_UDP);
	rig_push(&push, fresh, 10, 0, &datagram);
	assert_true(push.done);
	assert_int_equal(push.op.error, -ENETDOWN);
	rig_drop(&push);
	inet_close(fresh);
	inet_close(q[0]);
	inet_close(listener);
}

static bool full;

static bool is_full(struct link *l)
{
	(void)l;
	return full;
}

static void a_busy_program_leaves_frames_with_a_device_that_has_room(void **state)
{
	enum { DATAGRAMS = 2 * INET_BUSY_BURST };
	static struct link_ops ops; /* as long as the link lives */
	const struct endpoint at = rig_at(0, 9);
	struct rig *r = *state;
	struct inet *in = rig_inet(r, 0);
	struct queue *to = rig_socket(r, 0, QUEUE_UDP), *from = rig_socket(r, 1, QUEUE_UDP);
	struct rig_op push, pop;
	uint64_t before = 0;

	ops = *in->link->ops;
	ops.crowded = is_full;
	in->link->ops = &ops;
	full = false;
	assert_int_equal(inet_bind(to, &at), 0);
	for (int i = -1; i < DATAGRAMS; i++) {
		rig_push(&push, from, 10, 0, &at);
		rig_wait_ok(r, &push);
		rig_drop(&push);
		if (i >= 0)
			continue;
		rig_pop(&pop, to); /* the first finds out where the peer is */
		rig_wait_ok(r, &pop);
		rig_drop(&pop);
		before = in->link->rx_frames;
	}
	in->libos.more = true;
	rig_poll_side(r, 0);
	assert_int_equal(in->link->rx_frames, before + INET_BUSY_BURST);
	full = true;
	rig_poll_side(r, 0);
	assert_int_equal(in->link->rx_frames, before + DATAGRAMS);
	inet_close(to);
	inet_close(from);
}

static void connects_in_a_row_take_in_what_the_first_have_brought(void **state)
{
	struct rig *r = *state;
	struct inet *in = rig_inet(r, 1);
	struct queue *listener = rig_listener(r, 0, 80), *q[3];
	const struct endpoint to = rig_at(0, 80);
	struct rig_op connect[3];
	uint64_t before;

	for (int i = 0; i < 3; i++) {
		q[i] = rig_socket(r, 1, QUEUE_TCP);
		before = in->link->rx_frames;
		assert_int_equal(rig_connect(&connect[i], q[i], &to), -EINPROGRESS);
		assert_int_equal(in->link->rx_frames, before + (i == 2));
		if (i == 0)
			rig_wait_ok(r, &connect[i]); /* the peer's MAC is known from now on */
		rig_poll_side(r, 0);
	}
	for (int i = 0; i < 3; i++) {
		rig_wait_ok(r, &connect[i]);
		inet_close(q[i]);
	}
	inet_close(listener);
}

#define over_pair(test) cmocka_unit_test_setup_teardown(test, rig_pair_setup, rig_teardown)

static void expect_bytes(struct rig *r, struct queue *q, uint32_t bytes)
{
	while (bytes > 0) {
		struct rig_op pop;

		rig_pop(&pop, q);
		rig_wait_ok(r, &pop);
		assert_true(pop.op.pop.len > 0 && pop.op.pop.len <= bytes);
		bytes -= pop.op.pop.len;
		rig_drop(&pop);
	}
}

/* Pushed while the program is about to be given more. Counts what has left since. */
static uint64_t sent_in_company(struct inet *in, struct rig_op *push, struct queue *q)
{
	const uint64_t before = in->link->tx_frames;

	in->libos.more = in->libos.more_to_answer = true;
	rig_push(push, q, 64, 1, NULL);
	in->libos.more = in->libos.more_to_answer = false;
	rig_drop(push);
	return in->link->tx_frames - before;
}

static void pushes_wait_for_as_much_company_as_the_link_likes(void **state)
{
	struct rig *r = *state;
	struct inet *in = rig_inet(r, 0);
	struct rig_op push[4];
	struct queue *q[2];

	rig_connection(r, q);
	in->link->info.tx_company = 3;
	assert_int_equal(sent_in_company(in, &push[0], q[0]), 0);
	assert_int_equal(sent_in_company(in, &push[1], q[0]), 0);
	assert_true(sent_in_company(in, &push[2], q[0]) > 0);
	assert_int_equal(sent_in_company(in, &push[3], q[0]), 0);
	expect_bytes(r, q[1], 4 * 64);
	inet_close(q[0]);
	inet_close(q[1]);
}

static void without_a_wish_of_the_link_pushes_wait_for_the_next_poll(void **state)
{
	struct rig *r = *state;
	struct inet *in = rig_inet(r, 0);
	struct rig_op push[LINK_BURST];
	struct queue *q[2];

	rig_connection(r, q);
	for (int i = 0; i < LINK_BURST; i++)
		assert_int_equal(sent_in_company(in, &push[i], q[0]), 0);
	expect_bytes(r, q[1], LINK_BURST * 64);
	inet_close(q[0]);
	inet_close(q[1]);
}

/* Pushes that no wait comes between. What each is of, what has left at once, and whether the
 * runtime is to poll before it waits. */
static void push_in_row(struct rig *r, struct queue *q, uint32_t bytes, unsigned frames, bool news)
{
	struct inet *in = rig_inet(r, 0);
	const uint64_t before = in->link->tx_frames;
	struct rig_op push;

	rig_push(&push, q, bytes, 1, NULL);
	rig_drop(&push);
	assert_int_equal(in->link->tx_frames, before + frames);
	assert_int_equal(in->libos.news, news);
}

static void of_pushes_in_a_row_the_first_leaves_at_once_and_the_others_in_one_frame(void **state)
{
	struct rig *r = *state;
	struct inet *in = rig_inet(r, 0);
	struct operation_list done;
	struct queue *q[2];
	uint64_t before;

	rig_connection(r, q);
	in->libos.pushed = false;
	push_in_row(r, q[0], 64, 1, false);
	for (int i = 0; i < 5; i++)
		push_in_row(r, q[0], 64, 0, true);
	before = in->link->tx_frames;
	operation_list_init(&done);
	assert_int_equal(inet_poll(&in->libos, &done, 0), 0); /* the runtime's, for the news */
	assert_null(done.head);
	assert_false(in->libos.news);
	assert_int_equal(in->link->tx_frames, before + 1);
	expect_bytes(r, q[1], 6 * 64);
	inet_close(q[0]);
	inet_close(q[1]);
}

static void a_large_push_leaves_at_once_wherever_it_is_in_a_row(void **state)
{
	struct rig *r = *state;
	struct inet *in = rig_inet(r, 0);
	struct queue *q[2];

	rig_connection(r, q);
	in->libos.pushed = false;
	push_in_row(r, q[0], 64, 1, false);
	push_in_row(r, q[0], 64, 0, true);
	push_in_row(r, q[0], INET_ROW_BYTES + 1, 1, true); /* with the one before it */
	expect_bytes(r, q[1], 2 * 64 + INET_ROW_BYTES + 1);
	inet_close(q[0]);
	inet_close(q[1]);
}

static void pushes_wait_for_no_answers_that_do_not_come(void **state)
{
	struct rig *r = *state;
	struct inet *in = rig_inet(r, 0);
	struct queue *q[2];

	rig_connection(r, q);
	in->link->info.tx_company = 8;
	in->libos.more = true; /* results of pushes */
	in->libos.pushed = false;
	push_in_row(r, q[0], 64, 1, false);
	in->libos.more_to_answer = true;
	in->libos.pushed = false;
	push_in_row(r, q[0], 64, 0, false);
	in->libos.more = in->libos.more_to_answer = false;
	expect_bytes(r, q[1], 2 * 64);
	inet_close(q[0]);
	inet_close(q[1]);
}

static void a_reset_goes_behind_the_pushes_that_wait(void **state)
{
	const struct linger reset = {.l_onoff = 1};
	struct rig *r = *state;
	struct inet *in = rig_inet(r, 0);
	struct queue *q[2];

	rig_connection(r, q);
	assert_int_equal(inet_setsockopt(q[0], SOL_SOCKET, SO_LINGER, &reset, sizeof(reset)), 0);
	in->libos.pushed = false;
	push_in_row(r, q[0], 64, 1, false);
	push_in_row(r, q[0], 64, 0, true);
	inet_close(q[0]);
	expect_bytes(r, q[1], 2 * 64);
	inet_close(q[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    over_pair(bytes_go_both_ways_and_the_end_comes_after_them),
	    over_pair(unread_and_later_bytes_do_not_cut_what_was_accepted),
	    over_pair(a_linger_time_of_zero_resets),
	    over_pair(a_linger_time_bounds_what_is_not_acknowledged),
	    over_pair(a_close_that_is_waited_for_completes_behind_the_pushes),
	    over_pair(a_close_that_is_waited_for_ends_with_the_linger_time),
	    over_pair(a_close_that_is_waited_for_fails_when_the_peer_resets),
	    over_pair(a_shutdown_lets_waiting_pushes_go_first),
	    over_pair(a_push_that_has_begun_is_not_taken_back),
	    over_pair(a_connect_may_be_given_up_and_tried_again),
	    over_pair(a_large_datagram_is_the_programs_again_when_the_link_is_done),
	    over_pair(a_datagram_on_its_way_is_not_taken_back),
	    over_pair(only_own_addresses_are_bound),
	    over_pair(what_was_accepted_is_delivered_at_the_end),
	    over_pair(a_peer_that_still_sends_at_the_end_is_reset),
	    over_pair(a_peer_that_missed_something_is_reset_at_the_end),
	    over_pair(a_quiet_peer_does_not_hold_up_the_end),
	    over_pair(pushes_wait_for_as_much_company_as_the_link_likes),
	    over_pair(of_pushes_in_a_row_the_first_leaves_at_once_and_the_others_in_one_frame),
	    over_pair(a_large_push_leaves_at_once_wherever_it_is_in_a_row),
	    over_pair(pushes_wait_for_no_answers_that_do_not_come),
	    over_pair(a_reset_goes_behind_the_pushes_that_wait),
	    over_pair(without_a_wish_of_the_link_pushes_wait_for_the_next_poll),
	    over_pair(a_busy_program_leaves_frames_with_a_device_that_has_room),
	    over_pair(connects_in_a_row_take_in_what_the_first_have_brought),
	    over_pair(a_device_that_goes_fails_what_waits_once_and_what_comes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
