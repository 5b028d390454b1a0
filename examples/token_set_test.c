/* token_set_test.c - tokens keep their owners, whatever is taken out around them.
 *
 * SPDX-License-Identifier: MIT
 */
#include "token_set.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

enum { OWNERS = 10, TOKENS = 1000 };

static char owners[OWNERS];
static struct token_set set;

static int fill(void **state)
{
	(void)state;
	for (demi_qtoken_t t = 1; t <= TOKENS; t++)
		assert_int_equal(token_set_add(&set, t, &owners[t % OWNERS]), 0);
	return 0;
}

static int empty(void **state)
{
	(void)state;
	token_set_free(&set);
	return 0;
}

static void assert_owned(void)
{
	for (int i = 0; i < set.count; i++)
		assert_ptr_equal(set.owners[i], &owners[set.tokens[i] % OWNERS]);
}

static void taking_any_leaves_the_others_with_their_owners(void **state)
{
	(void)state;
	for (int n = TOKENS; n > 0; n--) {
		int i = (n * 7919) % n;
		demi_qtoken_t t = set.tokens[i];

		assert_ptr_equal(token_set_take(&set, i), &owners[t % OWNERS]);
		assert_int_equal(set.count, n - 1);
		assert_owned();
	}
}

static void dropping_an_owner_drops_all_of_its_tokens_and_no_other(void **state)
{
	(void)state;
	token_set_drop(&set, &owners[3]);
	assert_int_equal(set.count, TOKENS - TOKENS / OWNERS);
	assert_owned();
	for (int i = 0; i < set.count; i++)
		assert_ptr_not_equal(set.owners[i], &owners[3]);
	token_set_drop(&set, &owners[3]);
	assert_int_equal(set.count, TOKENS - TOKENS / OWNERS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(taking_any_leaves_the_others_with_their_owners, fill,
					    empty),
	    cmocka_unit_test_setup_teardown(dropping_an_owner_drops_all_of_its_tokens_and_no_other,
					    fill, empty),
	};

	return cmocka_run_group_tests_name("token_set", tests, NULL, NULL);
}
