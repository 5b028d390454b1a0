/* wait.c - tokens: each completes once, is consumed by one wait, and none is lost or late.
 *
 * SPDX-License-Identifier: MIT
 */
#include "side.h"
#include <stdlib.h>

static int memory_queue(void)
{
	int qd;

	equal(demi_queue(&qd), 0);
	return qd;
}

static void a_token_is_consumed_by_the_wait_that_returns_it(void)
{
	demi_qresult_t qr;
	demi_qtoken_t qt;
	int qd, i;

	begin();
	qd = memory_queue();
	qt = start_pop(qd);
	push_all(qd, "x", 1);
	qr = success(qt, DEMI_OPC_POP);
	give_back(&qr);
	equal(demi_wait(&qr, qt, NULL), EINVAL);
	equal(demi_wait_any(&qr, &i, &qt, 1, NULL), EINVAL);
	equal(demi_cancel(qt), EINVAL);
	/* Nor does it come to life when its place is used again. */
	for (int n = 0; n < 1000; n++) {
		demi_qtoken_t next = start_pop(qd);

		check(next != qt);
		equal(demi_wait(&qr, qt, &no_time), EINVAL);
		push_all(qd, "x", 1);
		qr = success(next, DEMI_OPC_POP);
		give_back(&qr);
	}
}

static void completions_outside_the_set_are_kept(void)
{
	enum { COUNT = 50 };
	int qd[COUNT], i;
	demi_qtoken_t qt[COUNT];
	demi_qresult_t qr;

	begin();
	for (int n = 0; n < COUNT; n++) {
		qd[n] = memory_queue();
		qt[n] = start_pop(qd[n]);
		push_all(qd[n], &(uint8_t){(uint8_t)n}, 1);
	}
	/* From the last to the first: all others wait for their own wait. */
	for (int n = COUNT - 1; n >= 0; n--) {
		equal(demi_wait_any(&qr, &i, &qt[n], 1, &patience), 0);
		equal(i, 0);
		equal(*(uint8_t *)qr.qr_value.sga.sga_segs[0].sgaseg_buf, n);
		give_back(&qr);
	}
}

static void the_first_to_become_ready_is_taken_first(void)
{
	enum { COUNT = 300 };
	int qd[COUNT], i, order[COUNT];
	demi_qtoken_t qt[COUNT];
	demi_qresult_t qr;
	unsigned seed = 7;

	begin();
	for (int n = 0; n < COUNT; n++) {
		qd[n] = memory_queue();
		qt[n] = start_pop(qd[n]);
		order[n] = n;
	}
	for (int n = COUNT - 1; n > 0; n--) {
		int other = (int)((unsigned)rand_r(&seed) % (unsigned)(n + 1)), keep = order[n];

		order[n] = order[other];
		order[other] = keep;
	}
	for (int n = 0; n < COUNT; n++)
		push_all(qd[order[n]], "x", 1);
	for (int n = 0; n < COUNT; n++) {
		equal(demi_wait_any(&qr, &i, qt, COUNT, &patience), 0);
		equal(i, order[n]);
		give_back(&qr);
		/* Its place is taken by one that never completes. */
		qt[i] = start_pop(qd[i]);
	}
	equal(demi_wait_any(&qr, &i, qt, COUNT, &no_time), ETIMEDOUT);
}

static void late_ones_do_not_starve(void)
{
	int qd[2] = {0}, i, late = 0;
	demi_qtoken_t qt[2];
	demi_qresult_t qr;

	begin();
	for (int n = 0; n < 2; n++) {
		qd[n] = memory_queue();
		for (int m = 0; m < 100; m++)
			push_all(qd[n], "x", 1);
		qt[n] = start_pop(qd[n]);
	}
	for (int n = 0; n < 100; n++) {
		equal(demi_wait_any(&qr, &i, qt, 2, &patience), 0);
		give_back(&qr);
		late += i;
		qt[i] = start_pop(qd[i]);
	}
	check(late >= 40 && late <= 60);
}

static void an_unknown_token_is_told_when_nothing_is_ready(void)
{
	enum { COUNT = 100 };
	int qd = 0, i;
	demi_qtoken_t qt[COUNT];
	demi_qresult_t qr;

	begin();
	qd = memory_queue();
	for (int n = 0; n < COUNT; n++)
		qt[n] = start_pop(qd);
	for (int n = 0; n < COUNT; n++) {
		demi_qtoken_t keep = qt[n];

		qt[n] = 0x1234567;
		equal(demi_wait_any(&qr, &i, qt, COUNT, n % 2 == 0 ? NULL : &no_time), EINVAL);
		qt[n] = keep;
	}
	/* One that is ready goes before. */
	push_all(qd, "x", 1);
	qt[COUNT - 1] = 0;
	equal(demi_wait_any(&qr, &i, qt, COUNT, NULL), 0);
	equal(i, 0);
	give_back(&qr);
}

static void a_million_unknown_tokens_are_told_quickly(void)
{
	enum { COUNT = 1 << 20 };
	demi_qtoken_t *qt = malloc(COUNT * sizeof(*qt));
	demi_qresult_t qr;
	uint64_t start;
	int i;

	begin();
	for (unsigned n = 0; n < COUNT; n++)
		qt[n] = (demi_qtoken_t)n * 0x9e3779b97f4a7c15u;
	start = now_ns();
	for (int n = 0; n < 10; n++)
		equal(demi_wait_any(&qr, &i, qt, COUNT, NULL), EINVAL);
	/* The same pending one everywhere but in the last place. */
	qt[0] = start_pop(memory_queue());
	for (unsigned n = 1; n < COUNT - 1; n++)
		qt[n] = qt[0];
	for (int n = 0; n < 10; n++)
		equal(demi_wait_any(&qr, &i, qt, COUNT, NULL), EINVAL);
	check(now_ns() - start < UINT64_C(60000000000));
	free(qt);
}

/* 10 000 pops on as many queues, messages in a random order; the array shrinks as results come. */
static void ten_thousand(bool shift)
{
	enum { COUNT = 10000 };
	static int qd[COUNT], of[COUNT];
	static demi_qtoken_t qt[COUNT];
	demi_qresult_t qr;
	unsigned seed = 3;
	int left = COUNT, i;

	for (int n = 0; n < COUNT; n++) {
		qd[n] = memory_queue();
		qt[n] = start_pop(qd[n]);
		of[n] = n;
	}
	while (left > 0) {
		int target = of[(unsigned)rand_r(&seed) % (unsigned)left];

		push_all(qd[target], &target, sizeof(target));
		equal(demi_wait_any(&qr, &i, qt, left, &patience), 0);
		equal(of[i], target);
		equal(qr.qr_qd, qd[target]);
		check(qr.qr_qt == qt[i]);
		same(qr.qr_value.sga.sga_segs[0].sgaseg_buf, &target, sizeof(target));
		give_back(&qr);
		left--;
		if (shift) {
			memmove(&qt[i], &qt[i + 1], (size_t)(left - i) * sizeof(qt[0]));
			memmove(&of[i], &of[i + 1], (size_t)(left - i) * sizeof(of[0]));
		} else {
			qt[i] = qt[left];
			of[i] = of[left];
		}
	}
	for (int n = 0; n < COUNT; n++)
		equal(demi_close(qd[n]), 0);
}

static void ten_thousand_tokens_compacted_by_swap(void)
{
	begin();
	ten_thousand(false);
}

static void ten_thousand_tokens_compacted_by_shift(void)
{
	begin();
	ten_thousand(true);
}

/* 10 000 pops on one socket: results are right, in order, and the array shrinks. */
static void ten_thousand_pops_on_the_network(void)
{
	enum { COUNT = 10000 };
	static demi_qtoken_t qt[COUNT];
	demi_qresult_t qr;
	int qd, left = COUNT, i;
	uint32_t next = 0;

	begin();
	qd = connection();
	for (int n = 0; n < COUNT; n++)
		equal(demi_pop_sized(&qt[n], qd, 1), 0);
	say(COUNT);
	while (left > 0) {
		equal(demi_wait_any(&qr, &i, qt, left, &patience), 0);
		equal(qr.qr_value.sga.sga_segs[0].sgaseg_len, 1);
		equal(*(uint8_t *)qr.qr_value.sga.sga_segs[0].sgaseg_buf, (uint8_t)(next * 7));
		give_back(&qr);
		next++;
		memmove(&qt[i], &qt[i + 1], (size_t)(--left - i) * sizeof(qt[0]));
	}
	equal(demi_close(qd), 0);
}

static void peer_sends_sevens(void)
{
	uint8_t *data;
	uint64_t count;
	int qd;

	begin();
	qd = connection();
	count = hear();
	data = malloc(count);
	for (uint64_t n = 0; n < count; n++)
		data[n] = (uint8_t)(n * 7);
	push_all(qd, data, count);
	free(data);
	pop_end(qd);
}

static void no_tokens_are_waited_for_until_the_timeout(void)
{
	const struct timespec a_while = {.tv_nsec = 100000000};
	demi_qresult_t qr;
	demi_qtoken_t pop;
	uint8_t big[4096];
	int qd, i;
	uint64_t start = now_ns();

	begin();
	qd = connection();
	pop = start_pop(qd);
	say(0); /* the peer pushes now */
	equal(demi_wait_any(&qr, &i, NULL, 0, &a_while), ETIMEDOUT);
	check(now_ns() - start >= (uint64_t)a_while.tv_nsec);
	/* Progress was made meanwhile. */
	qr = success(pop, DEMI_OPC_POP);
	equal(qr.qr_value.sga.sga_segs[0].sgaseg_len, 1);
	give_back(&qr);
	memset(big, 0, sizeof(big));
	equal(demi_close(qd), 0);
}

static void peer_pushes_one(void)
{
	int qd;

	begin();
	qd = connection();
	hear();
	push_all(qd, "x", 1);
	pop_end(qd);
}

static void wait_next_n_hands_out_what_it_has(void)
{
	enum { COUNT = 20 };
	const struct timespec a_while = {.tv_nsec = 20000000};
	demi_qtoken_t qt[COUNT], more;
	demi_qresult_t qr[COUNT + 1];
	int qd, n = -1;

	begin();
	qd = memory_queue();
	for (int i = 0; i < COUNT; i++)
		qt[i] = start_pop(qd);
	for (int i = 0; i < COUNT; i++)
		push_all(qd, &(uint8_t){(uint8_t)i}, 1);
	equal(demi_wait_next_n(qr, 5, &n, NULL), 0);
	equal(n, 5);
	equal(demi_wait_next_n(qr + 5, COUNT + 1 - 5, &n, &a_while), ETIMEDOUT);
	equal(n, COUNT - 5);
	for (int i = 0; i < COUNT; i++) {
		check(qr[i].qr_qt == qt[i]);
		equal(*(uint8_t *)qr[i].qr_value.sga.sga_segs[0].sgaseg_buf, i);
		give_back(&qr[i]);
		equal(demi_wait(&qr[COUNT], qt[i], &no_time), EINVAL);
	}
	more = start_pop(qd);
	equal(demi_wait_next_n(qr, 1, &n, &no_time), ETIMEDOUT);
	equal(n, 0);
	push_all(qd, "x", 1);
	equal(demi_wait_next_n(qr, 1, &n, NULL), 0);
	check(n == 1 && qr[0].qr_qt == more);
	give_back(&qr[0]);
}

static void wait_all_consumes_all_or_nothing(void)
{
	enum { COUNT = 20 };
	demi_qtoken_t qt[COUNT];
	demi_qresult_t qr[COUNT];
	int qd[COUNT];

	begin();
	for (int i = 0; i < COUNT; i++) {
		qd[i] = memory_queue();
		qt[i] = start_pop(qd[i]);
		if (i > 0)
			push_all(qd[i], &(uint8_t){(uint8_t)i}, 1);
	}
	equal(demi_wait_all(qr, qt, COUNT, &no_time), ETIMEDOUT);
	push_all(qd[0], "", 1);
	equal(demi_wait_all(qr, qt, COUNT, NULL), 0);
	for (int i = 0; i < COUNT; i++) {
		check(qr[i].qr_qt == qt[i]);
		equal(*(uint8_t *)qr[i].qr_value.sga.sga_segs[0].sgaseg_buf, i);
		give_back(&qr[i]);
	}
	equal(demi_wait_all(qr, qt, COUNT, NULL), EINVAL);
}

static void cancelled_operations_fail_and_take_nothing(void)
{
	demi_qtoken_t qt[3];
	demi_qresult_t qr;
	uint8_t byte;
	int qd, listener;

	begin();
	qd = connection();
	for (int i = 0; i < 3; i++)
		qt[i] = start_pop(qd);
	equal(demi_cancel(qt[1]), 0);
	equal(demi_cancel(qt[1]), EALREADY);
	failure(qt[1], ECANCELED);
	equal(demi_cancel(qt[1]), EINVAL);
	equal(demi_cancel(qt[0]), 0);
	failure(qt[0], ECANCELED);
	push_all(qd, "a", 1);
	qr = success(qt[2], DEMI_OPC_POP);
	give_back(&qr);
	qt[0] = start_pop(qd);
	equal(demi_cancel(qt[0]), 0);
	push_all(qd, "b", 1);
	pop_all(qd, &byte, 1);
	equal(byte, 'b');
	failure(qt[0], ECANCELED);
	listener = tcp_listener();
	qt[0] = start_accept(listener);
	equal(demi_cancel(qt[0]), 0);
	failure(qt[0], ECANCELED);
	equal(demi_close(listener), 0);
	equal(demi_close(qd), 0);
}

static void sockets_and_memory_queues_are_waited_for_together(void)
{
	demi_qtoken_t qt[2];
	demi_qresult_t qr;
	int qd, memory, i;

	begin();
	qd = connection();
	memory = memory_queue();
	qt[0] = start_pop(qd);
	qt[1] = start_pop(memory);
	for (int n = 0; n < 20; n++) {
		push_all(n % 2 == 0 ? qd : memory, "x", 1);
		equal(demi_wait_any(&qr, &i, qt, 2, &patience), 0);
		equal(i, n % 2);
		give_back(&qr);
		qt[i] = start_pop(i == 0 ? qd : memory);
	}
	equal(demi_close(qd), 0);
}

/* However early a wait goes to sleep, it does so only when none of its tokens is ready or unknown.
 */
static void a_wait_looks_at_every_token_before_it_sleeps(void)
{
	enum { COUNT = 2000, OTHERS = 500 };
	static demi_qtoken_t qt[COUNT], others[OTHERS];
	demi_qresult_t qr;
	int quiet, busy, i;

	configure("  idle_after_us: 0\n", NULL);
	begin();
	quiet = memory_queue();
	busy = memory_queue();
	for (int n = 0; n < COUNT - 1; n++)
		qt[n] = start_pop(quiet);
	qt[COUNT - 1] = 4711;
	equal(demi_wait_any(&qr, &i, qt + COUNT - 2, 2, NULL), EINVAL);
	equal(demi_wait_any(&qr, &i, qt, COUNT, NULL), EINVAL);
	for (int n = 0; n < OTHERS; n++)
		others[n] = start_pop(busy);
	qt[COUNT - 1] = start_pop(busy);
	for (int n = 0; n <= OTHERS; n++)
		push_all(busy, "x", 1);
	/* The others' results are looked at first, twice: they are nobody's the second time. */
	for (int n = 0; n < 2; n++) {
		equal(demi_wait_any(&qr, &i, qt, COUNT, NULL), 0);
		equal(i, COUNT - 1);
		give_back(&qr);
		qt[COUNT - 1] = others[OTHERS - 1];
	}
}

/* The other side sends at times that the sleeper cannot foresee. */
static void a_sleeper_wakes_for_every_message(void)
{
	enum { ROUNDS = 300 };
	uint8_t byte;
	int qd;

	configure("  idle_after_us: 0\n", NULL);
	begin();
	qd = connection();
	for (int i = 0; i < ROUNDS; i++) {
		push_all(qd, &(uint8_t){(uint8_t)i}, 1);
		pop_all(qd, &byte, 1);
		equal(byte, (uint8_t)i);
	}
	equal(demi_close(qd), 0);
}

static void peer_echoes_asleep(void)
{
	configure("  idle_after_us: 0\n", NULL);
	peer_echoes();
}

const struct behaviour wait_cases[] = {
    ALONE(a_token_is_consumed_by_the_wait_that_returns_it),
    ALONE(completions_outside_the_set_are_kept),
    ALONE(the_first_to_become_ready_is_taken_first),
    ALONE(late_ones_do_not_starve),
    ALONE(an_unknown_token_is_told_when_nothing_is_ready),
    ALONE(a_million_unknown_tokens_are_told_quickly),
    ALONE(ten_thousand_tokens_compacted_by_swap),
    ALONE(ten_thousand_tokens_compacted_by_shift),
    WITH(ten_thousand_pops_on_the_network, peer_sends_sevens),
    WITH(no_tokens_are_waited_for_until_the_timeout, peer_pushes_one),
    ALONE(wait_next_n_hands_out_what_it_has),
    ALONE(wait_all_consumes_all_or_nothing),
    WITH(cancelled_operations_fail_and_take_nothing, peer_echoes),
    WITH(sockets_and_memory_queues_are_waited_for_together, peer_echoes),
    ALONE(a_wait_looks_at_every_token_before_it_sleeps),
    WITH(a_sleeper_wakes_for_every_message, peer_echoes_asleep),
    {NULL, NULL, NULL, false, false, false},
};
