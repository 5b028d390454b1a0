/* SPDX-License-Identifier: MIT */
#include "base/wheel.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <cmocka.h>

enum { TIMERS = 500, TICK_NS = 1 << WHEEL_TICK_SHIFT };

static const uint64_t START_NS = 0x123456789abcu;
static struct wheel wheel;

/* xorshift64: any fixed sequence will do. */
static uint64_t next_random(uint64_t *x)
{
	*x ^= *x << 13;
	*x ^= *x >> 7;
	*x ^= *x << 17;
	return *x;
}

static void an_empty_wheel_never_fires(void **state)
{
	(void)state;
	wheel_init(&wheel, START_NS);
	assert_true(wheel_next(&wheel) == UINT64_MAX);
	assert_null(wheel_pop(&wheel, START_NS + 1000000000000));
}

static void an_entry_fires_once_and_not_before_its_deadline(void **state)
{
	struct wheel_entry e;
	uint64_t deadline = START_NS + 40000000;

	(void)state;
	wheel_init(&wheel, START_NS);
	wheel_entry_init(&e);
	wheel_arm(&wheel, &e, deadline);
	assert_true(wheel_armed(&e));
	assert_null(wheel_pop(&wheel, deadline - 1));
	assert_ptr_equal(wheel_pop(&wheel, deadline + TICK_NS), &e);
	assert_false(wheel_armed(&e));
	assert_null(wheel_pop(&wheel, deadline + 1000000000));
}

static void a_deadline_in_the_past_fires_at_the_next_tick(void **state)
{
	struct wheel_entry e;

	(void)state;
	wheel_init(&wheel, START_NS);
	wheel_entry_init(&e);
	wheel_arm(&wheel, &e, 5);
	assert_true(wheel_next(&wheel) <= START_NS + TICK_NS);
	assert_ptr_equal(wheel_pop(&wheel, START_NS + TICK_NS), &e);
}

static void a_disarmed_entry_does_not_fire_and_leaves_no_deadline(void **state)
{
	struct wheel_entry e;

	(void)state;
	wheel_init(&wheel, START_NS);
	wheel_entry_init(&e);
	wheel_disarm(&wheel, &e);
	wheel_arm(&wheel, &e, START_NS + 1000000);
	wheel_disarm(&wheel, &e);
	assert_true(wheel_next(&wheel) == UINT64_MAX);
	assert_null(wheel_pop(&wheel, START_NS + 2000000));
}

static void an_entry_that_is_due_can_still_be_disarmed_by_another(void **state)
{
	struct wheel_entry a, b, *first;

	(void)state;
	wheel_init(&wheel, START_NS);
	wheel_entry_init(&a);
	wheel_entry_init(&b);
	wheel_arm(&wheel, &a, START_NS + 1000000);
	wheel_arm(&wheel, &b, START_NS + 1000000);
	first = wheel_pop(&wheel, START_NS + 2000000);
	assert_non_null(first);
	wheel_disarm(&wheel, first == &a ? &b : &a);
	assert_null(wheel_pop(&wheel, START_NS + 2000000));
}

static void an_entry_that_arms_itself_for_now_does_not_hold_up_the_loop(void **state)
{
	struct wheel_entry e, *fired;
	unsigned count = 0;

	(void)state;
	wheel_init(&wheel, START_NS);
	wheel_entry_init(&e);
	wheel_arm(&wheel, &e, START_NS);
	while ((fired = wheel_pop(&wheel, START_NS + TICK_NS)) != NULL && count < 10) {
		count++;
		wheel_arm(&wheel, fired, START_NS);
	}
	assert_int_equal(count, 1);
}

/* Random deadlines over nine decades, moved at random: each fires once, in time, and the wheel
 * always says a time at or before the first. */
static void random_timers_fire_in_time_and_none_is_forgotten(void **state)
{
	static struct wheel_entry entry[TIMERS];
	uint64_t seed = 42, now = START_NS;
	unsigned fired = 0;

	(void)state;
	wheel_init(&wheel, now);
	for (unsigned i = 0; i < TIMERS; i++) {
		wheel_entry_init(&entry[i]);
		wheel_arm(&wheel, &entry[i],
			  now + (next_random(&seed) >> (next_random(&seed) % 40 + 20)));
		if (i % 3 == 0)
			wheel_arm(&wheel, &entry[i / 2],
				  now + (next_random(&seed) >> (next_random(&seed) % 40 + 20)));
	}
	while (fired < TIMERS) {
		uint64_t next = wheel_next(&wheel), first = UINT64_MAX;
		struct wheel_entry *e;

		for (unsigned i = 0; i < TIMERS; i++)
			if (wheel_armed(&entry[i]) && entry[i].deadline_ns < first)
				first = entry[i].deadline_ns;
		assert_true(next <= first + TICK_NS);
		assert_true(next > now || fired == 0);
		now = next;
		while ((e = wheel_pop(&wheel, now)) != NULL) {
			assert_true(e->deadline_ns <= now);
			assert_true(now < e->deadline_ns + TICK_NS);
			fired++;
		}
	}
	assert_true(wheel_next(&wheel) == UINT64_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(an_empty_wheel_never_fires),
	    cmocka_unit_test(an_entry_fires_once_and_not_before_its_deadline),
	    cmocka_unit_test(a_deadline_in_the_past_fires_at_the_next_tick),
	    cmocka_unit_test(a_disarmed_entry_does_not_fire_and_leaves_no_deadline),
	    cmocka_unit_test(an_entry_that_is_due_can_still_be_disarmed_by_another),
	    cmocka_unit_test(an_entry_that_arms_itself_for_now_does_not_hold_up_the_loop),
	    cmocka_unit_test(random_timers_fire_in_time_and_none_is_forgotten),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
