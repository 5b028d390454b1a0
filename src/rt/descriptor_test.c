/* descriptor_test.c - the table of descriptors.
 *
 * SPDX-License-Identifier: MIT
 */
#include "rt/descriptor.h"
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

enum { CAP = 200 };

static void numbers_count_up_from_500(void **state)
{
	struct descriptors t;

	(void)state;
	assert_int_equal(descriptors_create(&t, CAP), 0);
	assert_int_equal(descriptor_take(&t), 500);
	assert_int_equal(descriptor_take(&t), 501);
	descriptors_destroy(&t);
}

static void a_closed_number_rests_behind_others(void **state)
{
	struct descriptors t;
	struct queue q = {0};
	int first, qd;

	(void)state;
	assert_int_equal(descriptors_create(&t, CAP), 0);
	first = descriptor_take(&t);
	descriptor_set(&t, first, &q);
	assert_ptr_equal(descriptor_find(&t, first), &q);
	descriptor_put(&t, first);
	assert_null(descriptor_find(&t, first));
	for (unsigned i = 0; i < QD_REST_COUNT; i++) {
		qd = descriptor_take(&t);
		assert_int_not_equal(qd, first);
		descriptor_put(&t, qd);
	}
	assert_int_equal(descriptor_take(&t), first);
	descriptors_destroy(&t);
}

static void a_full_table_says_so_and_recovers(void **state)
{
	struct descriptors t;

	(void)state;
	assert_int_equal(descriptors_create(&t, CAP), 0);
	for (unsigned i = 0; i < CAP; i++)
		assert_true(descriptor_take(&t) >= FIRST_QD);
	assert_int_equal(descriptor_take(&t), -EMFILE);
	descriptor_put(&t, 555);
	assert_int_equal(descriptor_take(&t), 555);
	assert_int_equal(descriptor_take(&t), -EMFILE);
	descriptors_destroy(&t);
}

static void a_wild_number_finds_nothing(void **state)
{
	struct descriptors t;
	const int wild[] = {-1, 0, 1, 499, 500, 699, 700, INT32_MAX, INT32_MIN};

	(void)state;
	assert_int_equal(descriptors_create(&t, CAP), 0);
	for (unsigned i = 0; i < sizeof(wild) / sizeof(wild[0]); i++)
		assert_null(descriptor_find(&t, wild[i]));
	descriptors_destroy(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(numbers_count_up_from_500),
	    cmocka_unit_test(a_closed_number_rests_behind_others),
	    cmocka_unit_test(a_full_table_says_so_and_recovers),
	    cmocka_unit_test(a_wild_number_finds_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
