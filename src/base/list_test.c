/* list_test.c - lists.
 *
 * SPDX-License-Identifier: MIT
 */
#include "base/list.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

enum { ITEMS = 3 };

static struct list head, items[ITEMS];

static int setup(void **state)
{
	(void)state;
	list_init(&head);
	for (int i = 0; i < ITEMS; i++)
		list_init(&items[i]);
	return 0;
}

/* The list has the first n items, in order, and nothing else. */
static void assert_has(struct list *l, int n)
{
	struct list *pos;
	int i = 0;

	list_for_each (pos, l) {
		assert_in_range(i, 0, n - 1);
		assert_ptr_equal(pos, &items[i++]);
		assert_ptr_equal(pos->prev->next, pos);
	}
	assert_int_equal(i, n);
}

static void members_come_in_the_order_in_which_they_were_added(void **state)
{
	(void)state;
	list_add_tail(&head, &items[1]);
	list_add_tail(&head, &items[2]);
	list_add_head(&head, &items[0]);
	assert_has(&head, ITEMS);
	for (int i = 0; i < ITEMS; i++)
		assert_ptr_equal(list_pop(&head), &items[i]);
	assert_null(list_pop(&head));
}

static void a_member_may_be_taken_off_twice(void **state)
{
	(void)state;
	list_add_tail(&head, &items[0]);
	list_add_tail(&head, &items[1]);
	list_del(&items[1]);
	list_del(&items[1]);
	assert_true(list_empty(&items[1]));
	assert_has(&head, 1);
}

static void a_member_may_be_taken_off_on_the_way(void **state)
{
	struct list *pos, *tmp;

	(void)state;
	for (int i = 0; i < ITEMS; i++)
		list_add_tail(&head, &items[i]);
	list_for_each_safe (pos, tmp, &head)
		list_del(pos);
	assert_true(list_empty(&head));
}

static void what_is_on_a_list_is_not_added_again(void **state)
{
	(void)state;
	list_add_once(&head, &items[0]);
	list_add_once(&head, &items[1]);
	list_add_once(&head, &items[0]);
	assert_has(&head, 2);
}

static void all_members_may_be_taken_by_another_head(void **state)
{
	struct list other;

	(void)state;
	for (int i = 0; i < ITEMS; i++)
		list_add_tail(&head, &items[i]);
	list_take_all(&other, &head);
	assert_has(&other, ITEMS);
	assert_true(list_empty(&head));
	list_take_all(&other, &head); /* of none */
	assert_true(list_empty(&other));
	assert_null(list_pop(&other));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup(members_come_in_the_order_in_which_they_were_added, setup),
	    cmocka_unit_test_setup(a_member_may_be_taken_off_twice, setup),
	    cmocka_unit_test_setup(a_member_may_be_taken_off_on_the_way, setup),
	    cmocka_unit_test_setup(what_is_on_a_list_is_not_added_again, setup),
	    cmocka_unit_test_setup(all_members_may_be_taken_by_another_head, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
