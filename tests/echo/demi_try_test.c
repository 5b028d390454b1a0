/* demi_try_test.c - the tool `demi` as people and programs call it.
 *
 * SPDX-License-Identifier: MIT
 */
#include "process.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static struct process demi;

static int run(const char *line)
{
	process_start(&demi, "%s", line);
	return process_end(&demi);
}

static void it_tries_the_liboses_of_this_machine(void **state)
{
	(void)state;
	assert_int_equal(run("demi try --messages 200"), 0);
	assert_true(process_said(&demi, "catnap     kernel sockets"));
	assert_null(strchr(demi.text, '\033')); /* not a terminal */
}

static void it_tries_only_the_one_that_was_asked_for(void **state)
{
	(void)state;
	assert_int_equal(run("demi try --libos CATNAP --messages 200 --size 1000"), 0);
	assert_true(process_said(&demi, "Echo of 1000-byte messages"));
	assert_true(process_said(&demi, "catnap "));
}

static void it_reports_to_programs(void **state)
{
	(void)state;
	assert_int_equal(run("demi try --json --libos catnap --messages 200"), 0);
	assert_int_equal(demi.text[0], '{');
	assert_true(process_said(&demi, "\"state\": \"done\", \"messages\": 200,"));
}

static void it_draws(void **state)
{
	char path[] = "/tmp/demi-try-XXXXXX", line[128], start[5] = "";
	int fd = mkstemp(path);

	(void)state;
	assert_true(fd >= 0);
	snprintf(line, sizeof(line), "demi try --libos catnap --messages 200 --plot %s", path);
	assert_int_equal(run(line), 0);
	assert_int_equal(read(fd, start, 4), 4);
	assert_string_equal(start, "<svg");
	close(fd);
	unlink(path);
}

static void it_writes_percentiles_for_the_plotters_of_hdrhistogram(void **state)
{
	char folder[] = "/tmp/demi-try-XXXXXX", line[128], path[128], text[256] = "";
	FILE *file;

	(void)state;
	assert_non_null(mkdtemp(folder));
	snprintf(line, sizeof(line), "demi try --libos catnap --messages 200 --hdr %s/new", folder);
	assert_int_equal(run(line), 0);
	snprintf(path, sizeof(path), "%s/new/catnap-kernel-sockets.hgrm", folder);
	file = fopen(path, "r");
	assert_non_null(file);
	assert_non_null(fgets(text, sizeof(text), file));
	assert_string_equal(text, "       Value     Percentile TotalCount 1/(1-Percentile)\n");
	while (fgets(text, sizeof(text), file) && strncmp(text, "#[Max", 5) != 0)
		;
	assert_non_null(strstr(text, "Total count    =          200]"));
	fclose(file);
	unlink(path);
	snprintf(path, sizeof(path), "%s/new", folder);
	rmdir(path);
	rmdir(folder);
}

static void a_file_that_cannot_be_written_is_told_before_the_trial(void **state)
{
	(void)state;
	assert_int_equal(run("demi try --libos catnap --messages 20 --plot /nowhere/x.svg"), 1);
	assert_true(process_said(&demi, "cannot write '/nowhere/x.svg'"));
	assert_false(process_said(&demi, "Echo of"));
	assert_int_equal(run("demi try --libos catnap --messages 20 --hdr /nowhere/x"), 1);
	assert_true(process_said(&demi, "cannot write '/nowhere/x'"));
	assert_false(process_said(&demi, "Echo of"));
}

static void a_report_that_cannot_be_written_is_a_failure(void **state)
{
	static const char *const commands[] = {"try --libos catnap --messages 20",
					       "try --libos catnap --messages 20 --json",
					       "doctor --libos catnap"};
	char line[512];

	(void)state;
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		snprintf(line, sizeof(line),
			 "'%s/demi' %s 2>&1 >/dev/full | grep -q 'cannot write'",
			 getenv("DEMI_TEST_PROGRAMS"), commands[i]);
		assert_int_equal(system(line), 0);
		snprintf(line, sizeof(line), "'%s/demi' %s 2>/dev/null >/dev/full; test $? = 1",
			 getenv("DEMI_TEST_PROGRAMS"), commands[i]);
		assert_int_equal(system(line), 0);
	}
}

/* Each libOS of the build once, and none that is not in it; those have a place below the table. */
static void what_is_not_in_the_build_is_left_out_and_not_offered(void **state)
{
	(void)state;
	assert_int_equal(run("demi try --libos catnone"), 2);
	assert_true(process_said(&demi, "this build has: catnap, "));
	assert_null(strstr(strstr(demi.text, "catpowder") + 1, "catpowder"));
	if (process_said(&demi, "catnip"))
		return;
	assert_int_equal(run("demi try --libos catnip"), 1);
	assert_true(process_said(&demi, "Left out\ncatnip "));
	assert_true(process_said(&demi, "To get it: sudo apt-get install libdemikernel-dpdk"));
}

static void a_wrong_command_line_is_told(void **state)
{
	static const char *const lines[] = {
	    "demi",
	    "demi sing",
	    "demi help sing",
	    "demi try --libos catnone",
	    "demi try --messages 0",
	    "demi try --messages -1",
	    "demi try --messages many",
	    "demi try --size 65537",
	    "demi try --plot",
	    "demi try --sing",
	    "demi try now",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		if (run(lines[i]) != 2 || demi.len == 0)
			fail_msg("'%s' gave:\n%s", lines[i], demi.text);
	}
}

static void it_explains_itself(void **state)
{
	(void)state;
	assert_int_equal(run("demi --help"), 0);
	assert_true(process_said(&demi, "  try "));
	assert_int_equal(run("demi help"), 0);
	assert_int_equal(run("demi help try"), 0);
	assert_true(process_said(&demi, "Usage: demi try "));
	assert_int_equal(run("demi try --help"), 0);
	assert_true(process_said(&demi, "--plot FILE.svg"));
	assert_int_equal(run("demi --version"), 0);
	assert_int_equal(strncmp(demi.text, "demi ", 5), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_teardown(it_tries_the_liboses_of_this_machine, process_kill_all),
	    cmocka_unit_test_teardown(it_tries_only_the_one_that_was_asked_for, process_kill_all),
	    cmocka_unit_test_teardown(it_reports_to_programs, process_kill_all),
	    cmocka_unit_test_teardown(it_draws, process_kill_all),
	    cmocka_unit_test_teardown(it_writes_percentiles_for_the_plotters_of_hdrhistogram,
				      process_kill_all),
	    cmocka_unit_test_teardown(a_file_that_cannot_be_written_is_told_before_the_trial,
				      process_kill_all),
	    cmocka_unit_test_teardown(a_report_that_cannot_be_written_is_a_failure,
				      process_kill_all),
	    cmocka_unit_test_teardown(what_is_not_in_the_build_is_left_out_and_not_offered,
				      process_kill_all),
	    cmocka_unit_test_teardown(a_wrong_command_line_is_told, process_kill_all),
	    cmocka_unit_test_teardown(it_explains_itself, process_kill_all),
	};

	return cmocka_run_group_tests_name("demi_try", tests, NULL, NULL);
}
