/* tcp_echo_client_test.c - what the client of tcp-echo does in each order of events.
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

enum { A = FAKE_FIRST_QD, B, C };

#define PLAY(...) fake_play((const struct fake_step[]){__VA_ARGS__})

static struct echo_options options(uint64_t nclients, uint64_t nrequests)
{
	return (struct echo_options){
	    .bufsize = 64,
	    .nclients = nclients,
	    .nthreads = 1,
	    .nrequests = nrequests,
	};
}

static int run(uint64_t nclients, uint64_t nrequests)
{
	struct echo_options o = options(nclients, nrequests);

	return echo_client_run(&o);
}

static void sequential_clients_connect_one_after_the_other(void **state)
{
	(void)state;
	PLAY({FAKE_COMPLETE, A, 0}, {FAKE_COMPLETE, B, 0}, {FAKE_COMPLETE, C, 0},
	     {FAKE_HONEST, 0, 0});
	assert_int_equal(run(3, 5), 0);
	assert_in_range(fake_pushes(A) + fake_pushes(B) + fake_pushes(C), 15, 17);
	fake_assert_clean();
}

static void concurrent_clients_connect_in_any_order_after_the_first(void **state)
{
	struct echo_options o = options(3, 5);

	(void)state;
	o.run_mode = ECHO_CONCURRENT;
	PLAY({FAKE_COMPLETE, A, 0}, {FAKE_COMPLETE, C, 0}, {FAKE_COMPLETE, B, 0},
	     {FAKE_HONEST, 0, 0});
	assert_int_equal(echo_client_run(&o), 0);
	assert_true(fake_pushes(A) > 0 && fake_pushes(B) > 0 && fake_pushes(C) > 0);
	fake_assert_clean();
}

/* fake.c checks the size of each. */
static void a_short_pop_is_followed_by_one_for_the_missing_bytes(void **state)
{
	(void)state;
	PLAY({FAKE_COMPLETE, A, 0}, {FAKE_COMPLETE, A, 0}, {FAKE_ECHO, A, 1}, {FAKE_ECHO, A, 6},
	     {FAKE_ECHO, A, 2}, {FAKE_ECHO, A, 54}, {FAKE_ECHO, A, 1}, {FAKE_HONEST, 0, 0});
	assert_int_equal(run(1, 2), 0);
	assert_int_equal(fake_sized_pops(A), 4);
	assert_int_equal(fake_pushes(A), 2);
	fake_assert_clean();
}

static void messages_of_any_size_come_back_byte_by_byte(void **state)
{
	static const uint64_t sizes[] = {1, 7, 8, 9, 17};
	struct fake_step script[32];

	(void)state;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		struct echo_options o = options(1, 1);
		size_t at = 0;

		o.bufsize = sizes[i];
		script[at++] = (struct fake_step){FAKE_COMPLETE, A, 0};
		script[at++] = (struct fake_step){FAKE_COMPLETE, A, 0};
		for (uint64_t byte = 0; byte < o.bufsize; byte++)
			script[at++] = (struct fake_step){FAKE_ECHO, A, 1};
		script[at] = (struct fake_step){FAKE_STOP, 0, 0};
		fake_play(script);
		assert_int_equal(echo_client_run(&o), 0);
		fake_assert_clean();
	}
}

/* Nothing drains such a message but reading its echo. */
static void a_large_message_is_read_before_its_push_completes(void **state)
{
	struct echo_options o = options(1, 2);

	(void)state;
	o.bufsize = 100000;
	PLAY({FAKE_COMPLETE, A, 0}, {FAKE_ECHO, A, 65536}, {FAKE_ECHO, A, 34464},
	     {FAKE_COMPLETE, A, 0}, {FAKE_HONEST, 0, 0});
	assert_int_equal(echo_client_run(&o), 0);
	assert_int_equal(fake_pushes(A), 2);
	fake_assert_clean();
}

static void failures_of_a_lost_connection_close_its_client_alone(void **state)
{
	static const int errors[] = {ECONNRESET, ENOTCONN, ECANCELED, EBADF};

	(void)state;
	for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++) {
		/* A's first push, then B's first pop. */
		PLAY({FAKE_COMPLETE, A, 0}, {FAKE_COMPLETE, B, 0}, {FAKE_COMPLETE, C, 0},
		     {FAKE_FAIL, A, errors[i]}, {FAKE_COMPLETE, B, 0}, {FAKE_FAIL, B, errors[i]},
		     {FAKE_HONEST, 0, 0});
		assert_int_equal(run(3, 4), 0);
		assert_int_equal(fake_pushes(A), 1);
		assert_int_equal(fake_pushes(B), 1);
		assert_int_equal(fake_pushes(C), 12);
		fake_assert_clean();
	}
}

static void a_refused_call_is_a_failure_like_one_that_comes_later(void **state)
{
	(void)state;
	PLAY({FAKE_COMPLETE, A, 0}, {FAKE_COMPLETE, B, 0}, {FAKE_REFUSE, A, ECONNRESET},
	     {FAKE_COMPLETE, A, 0}, {FAKE_HONEST, 0, 0});
	assert_int_equal(run(2, 3), 0);
	assert_int_equal(fake_pushes(B), 6);
	fake_assert_clean();
}

static void the_end_of_the_stream_closes_the_client(void **state)
{
	(void)state;
	PLAY({FAKE_COMPLETE, A, 0}, {FAKE_COMPLETE, B, 0}, {FAKE_COMPLETE, A, 0},
	     {FAKE_ECHO, A, 10}, {FAKE_END, A, 0}, {FAKE_HONEST, 0, 0});
	assert_int_equal(run(2, 3), 0);
	fake_assert_clean();
}

static void losing_the_last_client_before_the_end_is_a_failure(void **state)
{
	(void)state;
	PLAY({FAKE_COMPLETE, A, 0}, {FAKE_COMPLETE, A, 0}, {FAKE_END, A, 0}, {FAKE_STOP, 0, 0});
	assert_int_not_equal(run(1, 3), 0);
	fake_assert_clean();
}

static void without_a_number_of_requests_a_server_that_leaves_is_a_failure(void **state)
{
	(void)state;
	PLAY({FAKE_COMPLETE, A, 0}, {FAKE_COMPLETE, A, 0}, {FAKE_ECHO, A, 64},
	     {FAKE_COMPLETE, A, 0}, {FAKE_END, A, 0}, {FAKE_STOP, 0, 0});
	assert_int_equal(run(1, 0), ECONNRESET);
	fake_assert_clean();
	PLAY({FAKE_COMPLETE, A, 0}, {FAKE_COMPLETE, A, 0}, {FAKE_FAIL, A, ECONNRESET},
	     {FAKE_STOP, 0, 0});
	assert_int_equal(run(1, 0), ECONNRESET);
	fake_assert_clean();
}

/* Nothing of it would complete any more. */
static void a_connection_that_cannot_go_on_is_closed(void **state)
{
	(void)state;
	PLAY({FAKE_COMPLETE, A, 0}, {FAKE_COMPLETE, B, 0}, {FAKE_REFUSE, A, ENOMEM},
	     {FAKE_COMPLETE, A, 0}, {FAKE_HONEST, 0, 0});
	assert_int_equal(run(2, 3), 0);
	assert_int_equal(fake_pushes(B), 6);
	fake_assert_clean();
	PLAY({FAKE_COMPLETE, A, 0}, {FAKE_REFUSE, A, ENOMEM}, {FAKE_COMPLETE, A, 0},
	     {FAKE_STOP, 0, 0});
	assert_int_equal(run(1, 3), ECONNRESET);
	fake_assert_clean();
}

static void other_failures_are_passed_over(void **state)
{
	(void)state;
	PLAY({FAKE_COMPLETE, A, 0}, {FAKE_COMPLETE, B, 0}, {FAKE_COMPLETE, A, 0},
	     {FAKE_FAIL, A, EIO}, {FAKE_HONEST, 0, 0});
	assert_int_equal(run(2, 3), 0);
	assert_int_equal(fake_pushes(A), 1);
	assert_int_equal(fake_pushes(B), 6);
	fake_assert_clean();
}

static void it_ends_when_nothing_is_in_flight_any_more(void **state)
{
	(void)state;
	PLAY({FAKE_COMPLETE, A, 0}, {FAKE_FAIL, A, EIO}, {FAKE_STOP, 0, 0});
	assert_int_not_equal(run(1, 3), 0);
	fake_assert_clean();
}

static void unexpected_opcodes_are_passed_over(void **state)
{
	static const int opcodes[] = {DEMI_OPC_INVALID, DEMI_OPC_ACCEPT, DEMI_OPC_CLOSE, 99};

	(void)state;
	for (size_t i = 0; i < sizeof(opcodes) / sizeof(opcodes[0]); i++) {
		PLAY({FAKE_COMPLETE, A, 0}, {FAKE_COMPLETE, B, 0}, {FAKE_ODD, A, opcodes[i]},
		     {FAKE_HONEST, 0, 0});
		assert_int_equal(run(2, 3), 0);
		fake_assert_clean();
	}
}

static void wrong_bytes_are_a_failure(void **state)
{
	(void)state;
	PLAY({FAKE_COMPLETE, A, 0}, {FAKE_COMPLETE, A, 0}, {FAKE_ECHO, A, 32}, {FAKE_SAY, A, 32},
	     {FAKE_STOP, 0, 0});
	assert_int_equal(run(1, 3), EPROTO);
	fake_assert_clean();
}

static void more_bytes_than_were_sent_are_a_failure(void **state)
{
	(void)state;
	PLAY({FAKE_COMPLETE, A, 0}, {FAKE_COMPLETE, A, 0}, {FAKE_SAY, A, 65}, {FAKE_STOP, 0, 0});
	assert_int_equal(run(1, 3), EPROTO);
	fake_assert_clean();
}

static void a_refused_connection_ends_a_sequential_run(void **state)
{
	(void)state;
	PLAY({FAKE_COMPLETE, A, 0}, {FAKE_FAIL, B, ECONNREFUSED}, {FAKE_STOP, 0, 0});
	assert_int_equal(run(3, 3), ECONNREFUSED);
	fake_assert_clean();
}

static void a_concurrent_run_goes_on_without_those_that_were_refused(void **state)
{
	struct echo_options o = options(3, 4);

	(void)state;
	o.run_mode = ECHO_CONCURRENT;
	PLAY({FAKE_COMPLETE, A, 0}, {FAKE_FAIL, B, ECONNREFUSED}, {FAKE_FAIL, C, ETIMEDOUT},
	     {FAKE_HONEST, 0, 0});
	assert_int_equal(echo_client_run(&o), 0);
	assert_int_equal(fake_pushes(A), 12);
	fake_assert_clean();
}

static void a_wait_without_news_is_repeated(void **state)
{
	(void)state;
	PLAY({FAKE_TIMEOUT, 0, 0}, {FAKE_COMPLETE, A, 0}, {FAKE_TIMEOUT, 0, 0},
	     {FAKE_TIMEOUT, 0, 0}, {FAKE_HONEST, 0, 0});
	assert_int_equal(run(1, 3), 0);
	fake_assert_clean();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(sequential_clients_connect_one_after_the_other),
	    cmocka_unit_test(concurrent_clients_connect_in_any_order_after_the_first),
	    cmocka_unit_test(a_short_pop_is_followed_by_one_for_the_missing_bytes),
	    cmocka_unit_test(messages_of_any_size_come_back_byte_by_byte),
	    cmocka_unit_test(a_large_message_is_read_before_its_push_completes),
	    cmocka_unit_test(failures_of_a_lost_connection_close_its_client_alone),
	    cmocka_unit_test(a_refused_call_is_a_failure_like_one_that_comes_later),
	    cmocka_unit_test(the_end_of_the_stream_closes_the_client),
	    cmocka_unit_test(losing_the_last_client_before_the_end_is_a_failure),
	    cmocka_unit_test(without_a_number_of_requests_a_server_that_leaves_is_a_failure),
	    cmocka_unit_test(a_connection_that_cannot_go_on_is_closed),
	    cmocka_unit_test(other_failures_are_passed_over),
	    cmocka_unit_test(it_ends_when_nothing_is_in_flight_any_more),
	    cmocka_unit_test(unexpected_opcodes_are_passed_over),
	    cmocka_unit_test(wrong_bytes_are_a_failure),
	    cmocka_unit_test(more_bytes_than_were_sent_are_a_failure),
	    cmocka_unit_test(a_refused_connection_ends_a_sequential_run),
	    cmocka_unit_test(a_concurrent_run_goes_on_without_those_that_were_refused),
	    cmocka_unit_test(a_wait_without_news_is_repeated),
	};

	return cmocka_run_group_tests_name("tcp_echo_client", tests, NULL, NULL);
}
