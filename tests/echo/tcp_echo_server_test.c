/* tcp_echo_server_test.c - what the server of tcp-echo does in each order of events.
 *
 * SPDX-License-Identifier: MIT
 */
#include "fake.h"
#include "tcp_echo.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

enum { LISTENER = FAKE_FIRST_QD, A, B };

#define PLAY(...) fake_play((const struct fake_step[]){__VA_ARGS__})

static int run(void)
{
	struct echo_options o = {.server = true, .nthreads = 1};
	struct echo_server_crew crew = {0};
	struct sockaddr_in address = {.sin_family = AF_INET};
	int listener;

	assert_int_equal(echo_server_open(&listener, &address, false), 0);
	return echo_server_run(listener, &o, &crew);
}

static void it_ends_when_its_last_client_has_left(void **state)
{
	(void)state;
	PLAY({FAKE_COMPLETE, LISTENER, 0}, {FAKE_COMPLETE, LISTENER, 0}, {FAKE_END, A, 0},
	     {FAKE_SAY, B, 10}, {FAKE_COMPLETE, B, 0}, {FAKE_END, B, 0}, {FAKE_STOP, 0, 0});
	assert_int_equal(run(), 0);
	assert_int_equal(fake_pushes(A), 0);
	assert_int_equal(fake_pushes(B), 1);
	fake_assert_clean();
}

static void the_next_pop_does_not_wait_for_the_push(void **state)
{
	(void)state;
	PLAY({FAKE_COMPLETE, LISTENER, 0}, {FAKE_SAY, A, 1}, {FAKE_SAY, A, 2}, {FAKE_SAY, A, 3},
	     {FAKE_COMPLETE, A, 0}, {FAKE_COMPLETE, A, 0}, {FAKE_COMPLETE, A, 0}, {FAKE_END, A, 0},
	     {FAKE_STOP, 0, 0});
	assert_int_equal(run(), 0);
	assert_int_equal(fake_pushes(A), 3);
	fake_assert_clean();
}

/* Closing at its end would cut off what is still on its way. */
static void a_client_that_has_ended_gets_everything_before_it_is_closed(void **state)
{
	(void)state;
	PLAY({FAKE_COMPLETE, LISTENER, 0}, {FAKE_SAY, A, 10}, {FAKE_SAY, A, 20}, {FAKE_END, A, 0},
	     {FAKE_COMPLETE, A, 0}, {FAKE_NO_POP, A, 0}, {FAKE_COMPLETE, A, 0}, {FAKE_STOP, 0, 0});
	assert_int_equal(run(), 0);
	assert_int_equal(fake_pushes(A), 2);
	fake_assert_clean();
	PLAY({FAKE_COMPLETE, LISTENER, 0}, {FAKE_SAY, A, 10}, {FAKE_SAY, A, 20}, {FAKE_END, A, 0},
	     {FAKE_FAIL, A, ECONNRESET}, {FAKE_STOP, 0, 0});
	assert_int_equal(run(), 0);
	fake_assert_clean();
}

/* Else one client that does not read would fill the memory. */
static void a_client_that_does_not_read_is_not_read_from_for_ever(void **state)
{
	enum { MOST = 64 };
	struct fake_step script[MOST + 6];
	int at = 0;

	(void)state;
	script[at++] = (struct fake_step){FAKE_COMPLETE, LISTENER, 0};
	for (int i = 0; i < MOST; i++)
		script[at++] = (struct fake_step){FAKE_SAY, A, 10};
	script[at++] = (struct fake_step){FAKE_NO_POP, A, 0};
	script[at++] = (struct fake_step){FAKE_COMPLETE, A, 0};
	script[at++] = (struct fake_step){FAKE_SAY, A, 10};
	script[at++] = (struct fake_step){FAKE_FAIL, A, ECONNRESET};
	script[at++] = (struct fake_step){FAKE_STOP, 0, 0};
	fake_play(script);
	assert_int_equal(run(), 0);
	assert_int_equal(fake_pushes(A), MOST + 1);
	fake_assert_clean();
}

static void any_failure_closes_the_client(void **state)
{
	static const int errors[] = {ECONNRESET, ENOTCONN, ECANCELED, EBADF, EPIPE, EIO, ENOMEM};

	(void)state;
	for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++) {
		PLAY({FAKE_COMPLETE, LISTENER, 0}, {FAKE_COMPLETE, LISTENER, 0},
		     {FAKE_FAIL, A, errors[i]}, {FAKE_SAY, B, 5}, {FAKE_FAIL, B, errors[i]},
		     {FAKE_STOP, 0, 0});
		assert_int_equal(run(), 0);
		fake_assert_clean();
	}
}

static void a_refused_call_closes_the_client(void **state)
{
	(void)state;
	PLAY({FAKE_COMPLETE, LISTENER, 0}, {FAKE_REFUSE, A, ENOMEM}, {FAKE_SAY, A, 5},
	     {FAKE_STOP, 0, 0});
	assert_int_equal(run(), 0);
	assert_int_equal(fake_pushes(A), 0);
	fake_assert_clean();
}

static void an_unexpected_opcode_closes_the_client(void **state)
{
	(void)state;
	PLAY({FAKE_COMPLETE, LISTENER, 0}, {FAKE_ODD, A, DEMI_OPC_CLOSE}, {FAKE_STOP, 0, 0});
	assert_int_equal(run(), 0);
	fake_assert_clean();
}

static void an_accept_that_failed_is_tried_again(void **state)
{
	(void)state;
	PLAY({FAKE_FAIL, LISTENER, EMFILE}, {FAKE_COMPLETE, LISTENER, 0}, {FAKE_END, A, 0},
	     {FAKE_STOP, 0, 0});
	assert_int_equal(run(), 0);
	fake_assert_clean();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(it_ends_when_its_last_client_has_left),
	    cmocka_unit_test(the_next_pop_does_not_wait_for_the_push),
	    cmocka_unit_test(a_client_that_has_ended_gets_everything_before_it_is_closed),
	    cmocka_unit_test(a_client_that_does_not_read_is_not_read_from_for_ever),
	    cmocka_unit_test(any_failure_closes_the_client),
	    cmocka_unit_test(a_refused_call_closes_the_client),
	    cmocka_unit_test(an_unexpected_opcode_closes_the_client),
	    cmocka_unit_test(an_accept_that_failed_is_tried_again),
	};

	return cmocka_run_group_tests_name("tcp_echo_server", tests, NULL, NULL);
}
