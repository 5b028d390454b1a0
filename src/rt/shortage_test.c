/* shortage_test.c
 *
 * SPDX-License-Identifier: MIT
 */
#include "rt/shortage.h"
#include "base/finding.h"
#include "base/log.h"
#include "rt/instance.h"
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static unsigned lines;
static char last[LOG_LINE_BYTES];

static void keep(int level, const char *line)
{
	assert_int_equal(level, LOG_LEVEL_ERROR);
	lines++;
	strncpy(last, line, sizeof(last) - 1);
}

static int listen_to_log(void **state)
{
	(void)state;
	lines = 0;
	log_set_sink(keep);
	return 0;
}

static void each_cause_is_told_once(void **state)
{
	static struct instance in = {.config = {.max_queues = 7, .max_operations = 9}};

	(void)state;
	in.config.libos = (char *)(uintptr_t) "catnap";
	for (int i = 0; i < 3; i++)
		shortage_tell(&in, SHORTAGE_QUEUES);
	assert_int_equal(lines, 1);
	assert_non_null(strstr(last, "all 7 queues"));
	for (int i = 0; i < 3; i++)
		shortage_tell(&in, SHORTAGE_OPERATIONS);
	assert_int_equal(lines, 2);
	assert_non_null(strstr(last, "all 9 operations"));
	shortage_tell(&in, SHORTAGE_REFERENCES);
	assert_int_equal(lines, 3);
}

static void an_errno_tells_the_cause(void **state)
{
	static struct instance in;

	(void)state;
	in.config.libos = (char *)(uintptr_t) "catnap";
	shortage_of_call(&in, -EADDRINUSE);
	shortage_of_operation(&in, DEMI_OPC_POP, -ECONNRESET);
	assert_int_equal(lines, 0);
	shortage_of_call(&in, -EMFILE);
	shortage_of_operation(&in, DEMI_OPC_ACCEPT, -ENFILE);
	assert_int_equal(lines, 1);
	assert_non_null(strstr(last, "ulimit -n"));
	shortage_of_operation(&in, DEMI_OPC_POP, -ENOMEM);
	assert_int_equal(lines, 2);
	assert_non_null(strstr(last, "limits.heap_bytes"));
	shortage_of_operation(&in, DEMI_OPC_CONNECT, -ENOMEM);
	assert_int_equal(lines, 3);
	assert_non_null(strstr(last, "ulimit -v"));
}

static void address_space_that_cannot_be_had_is_found(void **state)
{
	struct findings found = {0};
	struct config config = {.libos = (char *)(uintptr_t) "catnap", .heap_bytes = 1 << 20};

	(void)state;
	shortage_examine(&config, &found);
	assert_int_equal(found.count, 0);
	config.heap_bytes = UINT64_C(1) << 60;
	shortage_examine(&config, &found);
	assert_int_equal(found.count, 1);
	assert_int_equal(found.items[0].level, FINDING_ERROR);
	assert_non_null(strstr(found.items[0].remedy, "ulimit -v"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup(each_cause_is_told_once, listen_to_log),
	    cmocka_unit_test_setup(an_errno_tells_the_cause, listen_to_log),
	    cmocka_unit_test(address_space_that_cannot_be_had_is_found),
	};

	return cmocka_run_group_tests_name("shortage", tests, NULL, NULL);
}
