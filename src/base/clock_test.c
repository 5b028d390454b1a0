/* SPDX-License-Identifier: MIT */
#include "base/clock.h"
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>
#include <cmocka.h>

enum {
	OBSERVED_NS = 50 * 1000000, /* many spans */
	DRIFT_NS = 20000,           /* much more than two clocks drift apart in one span */
};

static uint64_t kernel_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static void stays_with_the_kernels_clock(void **state)
{
	uint64_t start = kernel_ns(), before, now, after;

	(void)state;
	do {
		before = kernel_ns();
		now = clock_now_ns();
		after = kernel_ns();
		assert_in_range(now, before - DRIFT_NS, after + DRIFT_NS);
	} while (after - start < OBSERVED_NS);
}

static void never_goes_back(void **state)
{
	uint64_t start = clock_now_ns(), last = start, now;

	(void)state;
	do {
		now = clock_now_ns();
		assert_true(now >= last);
		last = now;
	} while (now - start < OBSERVED_NS);
}

/* A counter that jumps, as when a virtual machine moves: time goes on from where it was. */
static void a_counter_that_jumps_does_not_turn_time_back(void **state)
{
	uint64_t last = clock_now_ns();

	(void)state;
	for (int i = 0; i < 1000; i++) {
		uint64_t before;

		clock_line.cycles += (i & 1) ? 1000000000 : -(uint64_t)1000000000;
		assert_true(clock_now_ns() >= last);
		before = kernel_ns();
		last = clock_now_ns();
		assert_in_range(last, before - DRIFT_NS, kernel_ns() + CLOCK_SPAN_NS);
	}
}

/* A line that ran ahead of the kernel's clock meets it again, and time stands still at no moment
 * longer than the look at the kernel's clock takes. */
static void a_line_that_ran_ahead_slows_down_until_it_is_right(void **state)
{
	uint64_t ahead, last, start = kernel_ns();

	(void)state;
	while (kernel_ns() - start < 3 * CLOCK_SPAN_NS)
		clock_now_ns();
	clock_line.ns += CLOCK_SPAN_NS / 4;
	last = clock_now_ns();
	start = kernel_ns();
	while (kernel_ns() - start < 5 * CLOCK_SPAN_NS) {
		uint64_t now = clock_now_ns();

		assert_true(now >= last);
		last = now;
	}
	ahead = clock_now_ns();
	assert_in_range(ahead, 0, kernel_ns() + DRIFT_NS);
}

static void *observe(void *unused)
{
	(void)unused;
	stays_with_the_kernels_clock(NULL);
	return NULL;
}

static void each_thread_follows_by_itself(void **state)
{
	pthread_t thread;

	(void)state;
	assert_int_equal(pthread_create(&thread, NULL, observe, NULL), 0);
	observe(NULL);
	assert_int_equal(pthread_join(thread, NULL), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(stays_with_the_kernels_clock),
	    cmocka_unit_test(never_goes_back),
	    cmocka_unit_test(a_counter_that_jumps_does_not_turn_time_back),
	    cmocka_unit_test(a_line_that_ran_ahead_slows_down_until_it_is_right),
	    cmocka_unit_test(each_thread_follows_by_itself),
	};

	return cmocka_run_group_tests_name("clock", tests, NULL, NULL);
}
