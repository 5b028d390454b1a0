/* ready_test.c - finding ready tokens in arrays that programs keep in every way that they do.
 *
 * SPDX-License-Identifier: MIT
 */
#include "rt/ready.h"
#include "base/rng.h"
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

enum { MANY = 3000 };

struct fixture {
	struct instance in;
	struct queue q;
	struct rng rng;
	demi_qtoken_t qts[MANY + 1];
	uint32_t n;
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	const uint64_t key[2] = {1, 2};

	assert_int_equal(operations_create(&f->in.operations, 2 * MANY, 8), 0);
	list_init(&f->q.operations);
	rng_init(&f->rng, key);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	operations_destroy(&f->in.operations);
	free(f);
	return 0;
}

/* The slot of a token that must be there. */
static struct slot *named(struct fixture *f, demi_qtoken_t qt)
{
	struct slot *s = operation_find(&f->in.operations, qt);

	if (!s)
		abort();
	return s;
}

static demi_qtoken_t start(struct fixture *f)
{
	struct slot *s = operation_start(&f->in.operations, DEMI_OPC_POP, &f->q);

	if (!s)
		abort();
	return operation_token(s);
}

static void complete(struct fixture *f, uint32_t at)
{
	operation_ready(&f->in.operations, named(f, f->qts[at]));
}

static bool is_ready(struct fixture *f, uint32_t at)
{
	return named(f, f->qts[at])->state == SLOT_READY;
}

/* A wait of the program's: the token is taken, its place noted. */
static demi_qtoken_t claim(struct fixture *f, uint32_t *at)
{
	struct slot *s = ready_find(&f->in, f->qts, f->n, at);
	demi_qtoken_t qt;

	if (!s)
		return 0;
	qt = operation_token(s);
	assert_true(s->state == SLOT_READY);
	assert_true(f->qts[*at] == qt);
	ready_taken(&f->in, f->qts, f->n, *at);
	operation_taken(&f->in.operations, s);
	return qt;
}

static void fill(struct fixture *f, uint32_t n)
{
	for (f->n = 0; f->n < n; f->n++)
		f->qts[f->n] = start(f);
}

/* How a program closes the gap that a consumed token left. */
enum compaction { REPLACE, SWAP, SHIFT };

static void compact(struct fixture *f, uint32_t at, enum compaction how)
{
	switch (how) {
	case REPLACE:
		f->qts[at] = start(f);
		return;
	case SWAP:
		f->qts[at] = f->qts[f->n - 1];
		break;
	case SHIFT:
		for (uint32_t i = at; i + 1 < f->n; i++)
			f->qts[i] = f->qts[i + 1];
		break;
	}
	f->qts[f->n - 1] = start(f);
}

static void completions_are_found_in_their_order(struct fixture *f, uint32_t n, enum compaction how)
{
	fill(f, n);
	for (unsigned round = 0; round < 2000; round++) {
		demi_qtoken_t expected[4];
		uint32_t at, k = 1 + (uint32_t)rng_below(&f->rng, 4);

		for (uint32_t i = 0; i < k; i++) {
			do
				at = (uint32_t)rng_below(&f->rng, n);
			while (is_ready(f, at));
			expected[i] = f->qts[at];
			complete(f, at);
		}
		for (uint32_t i = 0; i < k; i++) {
			assert_true(claim(f, &at) == expected[i]);
			compact(f, at, how);
		}
		assert_true(claim(f, &at) == 0);
	}
}

static void a_short_array_replaced_in_place(void **state)
{
	completions_are_found_in_their_order(*state, READY_DIRECT, REPLACE);
}

static void a_long_array_replaced_in_place(void **state)
{
	completions_are_found_in_their_order(*state, MANY, REPLACE);
}

static void a_long_array_compacted_by_swap(void **state)
{
	completions_are_found_in_their_order(*state, MANY, SWAP);
}

static void a_long_array_compacted_by_shift(void **state)
{
	completions_are_found_in_their_order(*state, MANY, SHIFT);
}

/* Completions of tokens outside the array are kept, and found when their own wait comes. */
static void a_token_of_another_wait_is_kept_for_it(void **state)
{
	struct fixture *f = *state;
	demi_qtoken_t other;
	uint32_t at;

	fill(f, 100);
	other = start(f);
	operation_ready(&f->in.operations, named(f, other));
	complete(f, 7);
	assert_true(claim(f, &at) != 0);
	assert_int_equal(at, 7);
	f->qts[7] = start(f);
	assert_true(claim(f, &at) == 0);
	f->qts[0] = other;
	f->n = 1;
	assert_true(claim(f, &at) == other);
}

/* A long array to which a token was added that completed long ago must not starve it, however busy
 * the others are. */
static void what_completed_before_its_wait_does_not_starve(void **state)
{
	struct fixture *f = *state;
	uint32_t at, waits = 0;
	demi_qtoken_t other, got;

	fill(f, 100);
	other = start(f);
	operation_ready(&f->in.operations, named(f, other));
	complete(f, 0);
	assert_true(claim(f, &at) != other);
	f->qts[0] = other;
	do {
		complete(f, 1);
		got = claim(f, &at);
		if (got != other)
			f->qts[1] = start(f);
		assert_true(++waits < 100);
	} while (got != other);
}

static void a_sweep_finds_the_unknown_token(void **state)
{
	struct fixture *f = *state;
	struct ready_sweep sw = {0};
	int rc;

	fill(f, MANY);
	f->qts[MANY - 1] = 12345;
	while ((rc = ready_sweep(&f->in, &sw, f->qts, MANY)) == 0)
		;
	assert_int_equal(rc, -EINVAL);
}

static void a_sweep_finds_the_orphan_that_completed_first(void **state)
{
	struct fixture *f = *state;
	struct ready_sweep sw = {0};

	fill(f, MANY);
	for (uint32_t i = 2000; i >= 1000; i -= 1000) {
		complete(f, i);
		operation_orphan(&f->in.operations, named(f, f->qts[i]));
	}
	while (ready_sweep(&f->in, &sw, f->qts, MANY) == 0)
		;
	assert_true(sw.found);
	assert_int_equal(sw.first_at, 2000);
}

static void a_consumed_token_names_nothing(void **state)
{
	struct fixture *f = *state;
	demi_qtoken_t qt = start(f);

	operation_refused(&f->in.operations, named(f, qt));
	assert_null(operation_find(&f->in.operations, qt));
	assert_true(start(f) != qt);
	assert_null(operation_find(&f->in.operations, 0));
	assert_null(operation_find(&f->in.operations, UINT64_MAX));
}

static void a_full_table_gives_no_slot_and_then_one_again(void **state)
{
	struct fixture *f = *state;
	struct slot *last = NULL, *s;

	while ((s = operation_start(&f->in.operations, DEMI_OPC_PUSH, &f->q)))
		last = s;
	assert_non_null(last);
	operation_refused(&f->in.operations, last);
	assert_non_null(operation_start(&f->in.operations, DEMI_OPC_PUSH, &f->q));
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
	    CASE(a_short_array_replaced_in_place),
	    CASE(a_long_array_replaced_in_place),
	    CASE(a_long_array_compacted_by_swap),
	    CASE(a_long_array_compacted_by_shift),
	    CASE(a_token_of_another_wait_is_kept_for_it),
	    CASE(what_completed_before_its_wait_does_not_starve),
	    CASE(a_sweep_finds_the_unknown_token),
	    CASE(a_sweep_finds_the_orphan_that_completed_first),
	    CASE(a_consumed_token_names_nothing),
	    CASE(a_full_table_gives_no_slot_and_then_one_again),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
