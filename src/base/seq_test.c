/* SPDX-License-Identifier: MIT */
#include "base/seq.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

static void check_before(uint32_t a, uint32_t b)
{
	assert_true(seq_lt(a, b));
	assert_true(seq_leq(a, b));
	assert_false(seq_gt(a, b));
	assert_false(seq_geq(a, b));
	assert_true(seq_gt(b, a));
	assert_true(seq_geq(b, a));
	assert_false(seq_lt(b, a));
	assert_false(seq_leq(b, a));
}

static void order_holds_without_a_wrap(void **state)
{
	(void)state;
	check_before(0, 1);
	check_before(1000, 2000);
	check_before(0, 0x7fffffff);
}

static void order_holds_across_the_wrap(void **state)
{
	(void)state;
	check_before(0xffffffff, 0);
	check_before(0xfffffff0, 0x10);
	check_before(0x80000001, 0);
}

static void a_number_equals_itself_everywhere(void **state)
{
	const uint32_t at[] = {0, 1, 0x7fffffff, 0x80000000, 0xffffffff};

	(void)state;
	for (size_t i = 0; i < sizeof(at) / sizeof(at[0]); i++) {
		assert_false(seq_lt(at[i], at[i]));
		assert_false(seq_gt(at[i], at[i]));
		assert_true(seq_leq(at[i], at[i]));
		assert_true(seq_geq(at[i], at[i]));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(order_holds_without_a_wrap),
	    cmocka_unit_test(order_holds_across_the_wrap),
	    cmocka_unit_test(a_number_equals_itself_everywhere),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
