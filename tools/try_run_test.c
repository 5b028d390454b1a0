/* try_run_test.c - trials that go well, and trials that fail in each way; none may hang or leave
 * processes behind.
 *
 * SPDX-License-Identifier: MIT
 */
#include "try.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

enum { SILENCE_MS = 20000, SHORT_MS = 300 };

static struct try_result *result;

static void no_progress(const struct libos_listing *listing, uint64_t echoed, uint64_t expected)
{
	(void)listing;
	assert_in_range(echoed, 0, expected);
}

static int set_up(void **state)
{
	(void)state;
	result =
	    mmap(NULL, sizeof(*result), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_ptr_not_equal(result, MAP_FAILED);
	histogram_clear(&result->latency);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	munmap(result, sizeof(*result));
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	assert_int_equal(errno, ECHILD);
	return 0;
}

static int run(const struct libos_listing *listing, uint64_t messages, uint32_t size,
	       int silence_ms)
{
	struct try_options o = {.messages = messages, .size = size, .silence_ms = silence_ms};

	return try_run(listing, &o, result, no_progress);
}

static void every_message_is_counted(void **state)
{
	static const uint32_t sizes[] = {1, 64, 65536};
	const struct libos_listing *first = libos_listing_at(0);
	uint64_t messages = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		if (run(first, 200, sizes[i], SILENCE_MS))
			fail_msg("%s %s", result->error[TRY_SERVER], result->error[TRY_CLIENT]);
		messages += 200;
		assert_int_equal(result->latency.count, messages);
		assert_int_equal(result->echoed, 200);
		assert_true(result->elapsed_ns > 0);
	}
}

static void a_libos_that_does_not_start_is_told(void **state)
{
	static const struct libos_listing none = {.name = "catnone"};

	(void)state;
	assert_int_not_equal(run(&none, 10, 64, SILENCE_MS), 0);
	assert_non_null(strstr(result->error[TRY_SERVER], "demi_init: Invalid argument"));
}

static int lacks_something(struct libos_trial *trial, struct libos_lack *lack)
{
	(void)trial;
	strcpy(lack->why, "no interface");
	strcpy(lack->remedy, "make one");
	return -ENODEV;
}

static void a_preparation_that_fails_is_told(void **state)
{
	static const struct libos_listing l = {.name = "catnap", .prepare = lacks_something};

	(void)state;
	assert_int_not_equal(run(&l, 10, 64, SILENCE_MS), 0);
	assert_string_equal(result->error[TRY_STAGE], "no interface; make one");
}

static int crash(struct libos_trial *trial, struct libos_lack *lack)
{
	(void)trial;
	(void)lack;
	kill(getpid(), SIGKILL);
	return 0;
}

static void a_crash_is_told(void **state)
{
	static const struct libos_listing l = {.name = "catnap", .prepare = crash};

	(void)state;
	assert_int_not_equal(run(&l, 10, 64, SILENCE_MS), 0);
	assert_non_null(strstr(result->error[TRY_STAGE], "ended by signal 9"));
}

static int hang(struct libos_trial *trial, struct libos_lack *lack)
{
	(void)trial;
	(void)lack;
	pause();
	return 0;
}

static void what_hangs_is_given_up(void **state)
{
	static const struct libos_listing l = {.name = "catnap", .prepare = hang};

	(void)state;
	assert_int_not_equal(run(&l, 10, 64, SHORT_MS), 0);
	assert_non_null(strstr(result->error[TRY_STAGE], "nothing happened for 300 ms"));
}

static int give_a_foreign_address(struct libos_trial *trial, struct libos_lack *lack)
{
	(void)lack;
	trial->server.sin_addr.s_addr = htonl(0xc0000201); /* 192.0.2.1, RFC 5737 */
	return 0;
}

static void a_server_that_cannot_bind_is_told(void **state)
{
	static const struct libos_listing l = {.name = "catnap", .prepare = give_a_foreign_address};

	(void)state;
	assert_int_not_equal(run(&l, 10, 64, SILENCE_MS), 0);
	assert_non_null(strstr(result->error[TRY_SERVER], "demi_bind: Cannot assign"));
}

static int break_the_client(struct libos_trial *trial, struct libos_lack *lack)
{
	(void)lack;
	strcpy(trial->client_config, "demikernel: {nonsense: 1}\n");
	return 0;
}

static void a_side_gets_its_own_configuration(void **state)
{
	static const struct libos_listing l = {.name = "catnap", .prepare = break_the_client};

	(void)state;
	assert_int_not_equal(run(&l, 10, 64, SILENCE_MS), 0);
	assert_non_null(strstr(result->error[TRY_CLIENT], "demi_init: Invalid argument"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(every_message_is_counted, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(a_libos_that_does_not_start_is_told, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(a_preparation_that_fails_is_told, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(a_crash_is_told, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(what_hangs_is_given_up, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(a_server_that_cannot_bind_is_told, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(a_side_gets_its_own_configuration, set_up, tear_down),
	};

	return cmocka_run_group_tests_name("try_run", tests, NULL, NULL);
}
