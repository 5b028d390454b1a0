/* SPDX-License-Identifier: MIT */
#include "base/log.h"
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

static int last_level;
static char last_line[2 * LOG_LINE_BYTES];
static atomic_int lines;

static void keep(int level, const char *line)
{
	last_level = level;
	snprintf(last_line, sizeof(last_line), "%s", line);
	atomic_fetch_add(&lines, 1);
}

static void count_lines(int level, const char *line)
{
	(void)level;
	(void)line;
	atomic_fetch_add(&lines, 1);
}

static int fresh_sink(void **state)
{
	(void)state;
	log_set_level(LOG_LEVEL_WARN);
	log_set_sink(keep);
	atomic_store(&lines, 0);
	last_level = -1;
	last_line[0] = '\0';
	return 0;
}

static void only_levels_up_to_the_threshold_are_written(void **state)
{
	(void)state;
	log_error("e");
	assert_int_equal(last_level, LOG_LEVEL_ERROR);
	log_warn("w %d", 7);
	assert_int_equal(last_level, LOG_LEVEL_WARN);
	assert_string_equal(last_line, "w 7");
	log_info("i");
	log_debug("d");
	assert_int_equal(lines, 2);
	log_set_level(LOG_LEVEL_DEBUG);
	log_info("i");
	log_debug("d");
	assert_int_equal(last_level, LOG_LEVEL_DEBUG);
	assert_int_equal(lines, 4);
}

static void arguments_of_a_line_that_is_off_are_not_evaluated(void **state)
{
	int evaluated = 0;

	(void)state;
	log_debug("%d", ++evaluated);
	assert_int_equal(evaluated, 0);
}

static void errno_is_kept(void **state)
{
	(void)state;
	log_set_sink(NULL);
	close(STDERR_FILENO);
	errno = EAGAIN;
	log_error("standard error is closed");
	assert_int_equal(errno, EAGAIN);
	assert_int_equal(dup2(STDOUT_FILENO, STDERR_FILENO), STDERR_FILENO);
}

static void a_long_line_is_cut_and_shows_it(void **state)
{
	char text[2 * LOG_LINE_BYTES];

	(void)state;
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	log_error("%s", text);
	assert_int_equal(strlen(last_line), LOG_LINE_BYTES - 1);
	assert_string_equal(last_line + LOG_LINE_BYTES - 5, "x...");
}

static void quoted_text_cannot_start_a_line_of_its_own(void **state)
{
	(void)state;
	log_error("no file \"%s\"", "a\nb\x1b[2Jc\td");
	assert_string_equal(last_line, "no file \"a b [2Jc d\"");
}

static void a_repeated_line_is_written_ever_more_rarely(void **state)
{
	(void)state;
	for (int i = 1; i <= 1000; i++)
		log_warn_rarely("dropped");
	assert_int_equal(lines, 10); /* 1 2 4 .. 512 */
	assert_string_equal(last_line, "dropped (occurrence 512)");
	log_warn_rarely("another place");
	assert_int_equal(lines, 11);
	assert_string_equal(last_line, "another place");
}

/* Runs what a program would: DEMI_LOG set to `value` before the first line. Returns what came out
 * on standard error. */
static const char *child_output(const char *value)
{
	static char out[1024];
	int fds[2], status;
	ssize_t n, got = 0;
	pid_t pid;

	assert_int_equal(pipe(fds), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		dup2(fds[1], STDERR_FILENO);
		if (value != NULL)
			setenv("DEMI_LOG", value, 1);
		else
			unsetenv("DEMI_LOG");
		log_error("one");
		log_warn("two");
		log_info("three");
		log_debug("four");
		_exit(0);
	}
	close(fds[1]);
	while ((n = read(fds[0], out + got, sizeof(out) - 1 - (size_t)got)) > 0)
		got += n;
	out[got] = '\0';
	close(fds[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	return out;
}

/* The first test: in this process no line has been written yet. */
static void the_environment_chooses_the_level(void **state)
{
	(void)state;
	assert_string_equal(child_output(NULL),
			    "demikernel: error: one\ndemikernel: warning: two\n");
	assert_string_equal(child_output(""), "demikernel: error: one\ndemikernel: warning: two\n");
	assert_string_equal(child_output("error"), "demikernel: error: one\n");
	assert_string_equal(child_output("INFO"), "demikernel: error: one\ndemikernel: warning: "
						  "two\ndemikernel: info: three\n");
	assert_string_equal(child_output("debug"),
			    "demikernel: error: one\ndemikernel: warning: two\n"
			    "demikernel: info: three\ndemikernel: debug: four\n");
	assert_string_equal(
	    child_output("lo\nud"),
	    "demikernel: warning: DEMI_LOG is \"lo ud\": use error, warn, info or debug\n"
	    "demikernel: error: one\ndemikernel: warning: two\n");
}

static void *log_often(void *arg)
{
	(void)arg;
	for (int i = 0; i < 2000; i++) {
		log_error("%d", i);
		log_warn_rarely("rare");
	}
	return NULL;
}

static void threads_may_log_at_once(void **state)
{
	pthread_t threads[4];

	(void)state;
	log_set_sink(count_lines);
	for (int i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, log_often, NULL), 0);
	for (int i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	assert_int_equal(lines, 4 * 2000 + 13); /* 1 2 4 .. 4096 of 8000 */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_environment_chooses_the_level),
	    cmocka_unit_test_setup(only_levels_up_to_the_threshold_are_written, fresh_sink),
	    cmocka_unit_test_setup(arguments_of_a_line_that_is_off_are_not_evaluated, fresh_sink),
	    cmocka_unit_test_setup(errno_is_kept, fresh_sink),
	    cmocka_unit_test_setup(a_long_line_is_cut_and_shows_it, fresh_sink),
	    cmocka_unit_test_setup(quoted_text_cannot_start_a_line_of_its_own, fresh_sink),
	    cmocka_unit_test_setup(a_repeated_line_is_written_ever_more_rarely, fresh_sink),
	    cmocka_unit_test_setup(threads_may_log_at_once, fresh_sink),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
