/* bad_server_test.c - clients of the example programs against servers that misbehave.
 *
 * SPDX-License-Identifier: MIT
 */
#include "kernel_peer.h"
#include "process.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

static struct process client;
static struct kernel_server server;

/* Runs a tcp-echo client, whose options end with `options`, against `act`. Its exit status. */
static int run_echo(kernel_act act, const char *options)
{
	int status;

	kernel_server_open(&server);
	process_start(&client, "tcp-echo --peer client --address 127.0.0.1:%d %s", server.port,
		      options);
	kernel_server_start(&server, act);
	status = process_end(&client);
	kernel_server_stop(&server);
	return status;
}

static void dribble(int fd, int nth)
{
	char byte;

	(void)nth;
	while (kernel_read(fd, &byte, 1) == 1)
		kernel_write(fd, &byte, 1);
	close(fd);
}

static void byte_by_byte_is_as_good_as_whole_messages(void **state)
{
	(void)state;
	assert_int_equal(run_echo(dribble, "--bufsize 64 --nrequests 50"), 0);
	assert_true(process_said(&client, "INFO: all in all 50 requests"));
	assert_int_equal(run_echo(dribble, "--bufsize 1 --nrequests 50"), 0);
}

static void reset_in_the_middle(int fd, int nth)
{
	if (nth == 0) {
		kernel_echo(fd, 100);
		kernel_reset(fd);
	} else {
		kernel_echo(fd, SIZE_MAX);
		close(fd);
	}
}

static void a_reset_in_the_middle_of_a_message_is_told(void **state)
{
	(void)state;
	assert_int_equal(run_echo(reset_in_the_middle, "--bufsize 64 --nrequests 50"), 1);
	assert_true(process_said(&client, "of 3200 bytes came back"));
}

/* The first connection is served to its end before the second, in one thread. */
static void the_other_connections_go_on_after_a_reset(void **state)
{
	(void)state;
	assert_int_equal(run_echo(reset_in_the_middle,
				  "--bufsize 64 --nrequests 50 --nclients 2 --run-mode concurrent"),
			 0);
	assert_true(process_said(&client, "INFO: all in all"));
}

static void close_in_the_middle(int fd, int nth)
{
	(void)nth;
	kernel_echo(fd, 100);
	close(fd);
}

static void a_close_in_the_middle_of_a_message_is_told(void **state)
{
	(void)state;
	assert_int_equal(run_echo(close_in_the_middle, "--bufsize 64 --nrequests 50"), 1);
	assert_true(process_said(&client, "of 3200 bytes came back"));
}

static void close_at_once(int fd, int nth)
{
	(void)nth;
	close(fd);
}

static void a_close_before_the_first_byte_is_told(void **state)
{
	(void)state;
	assert_int_equal(run_echo(close_at_once, "--nrequests 1"), 1);
}

static void half_close(int fd, int nth)
{
	char bytes[64];

	(void)nth;
	shutdown(fd, SHUT_WR);
	while (kernel_read(fd, bytes, sizeof(bytes)) > 0)
		;
	close(fd);
}

/* The client must close: the server waits for that. */
static void a_half_close_is_the_end(void **state)
{
	(void)state;
	assert_int_equal(run_echo(half_close, "--nrequests 10"), 1);
	assert_true(process_said(&client, "INFO: server closed connection"));
}

static void lie(int fd, int nth)
{
	char bytes[64];

	(void)nth;
	kernel_echo(fd, 640);
	if (kernel_read(fd, bytes, sizeof(bytes)) == sizeof(bytes)) {
		bytes[63] ^= 1;
		kernel_write(fd, bytes, sizeof(bytes));
	}
	close(fd);
}

static void a_wrong_byte_is_told(void **state)
{
	(void)state;
	assert_int_equal(run_echo(lie, "--bufsize 64 --nrequests 50"), 1);
	assert_true(process_said(&client, "what came back is not what was sent"));
}

static void babble(int fd, int nth)
{
	static const char more[4096];

	(void)nth;
	kernel_echo(fd, 64);
	kernel_write(fd, more, sizeof(more));
	while (kernel_echo(fd, 64) > 0)
		;
	close(fd);
}

static void bytes_that_nobody_sent_are_told(void **state)
{
	(void)state;
	assert_int_equal(run_echo(babble, "--bufsize 64 --nrequests 50"), 1);
	assert_true(process_said(&client, "what came back is not what was sent"));
}

/* Starts a client, waits for its first message, and interrupts it instead of an answer. */
static int interrupt_echo(const char *options)
{
	char bytes[64];
	int fd, status;

	kernel_server_open(&server);
	process_start(&client, "tcp-echo --peer client --address 127.0.0.1:%d %s", server.port,
		      options);
	fd = kernel_server_accept(&server);
	assert_int_equal(kernel_read(fd, bytes, sizeof(bytes)), sizeof(bytes));
	kill(client.pid, SIGINT);
	assert_int_equal(kernel_read(fd, bytes, 1), 0); /* it closes */
	close(fd);
	status = process_end(&client);
	kernel_server_stop(&server);
	return status;
}

static void an_interrupt_ends_a_client_in_order(void **state)
{
	(void)state;
	assert_int_equal(interrupt_echo("--nrequests 10"), 1);
	assert_true(process_said(&client, "interrupted"));
	assert_int_equal(interrupt_echo(""), 0);
	assert_true(process_said(&client, "INFO: all in all 0 requests"));
}

static void without_a_number_of_requests_it_fails_when_the_server_is_killed(void **state)
{
	static struct process killed;
	int port;

	(void)state;
	process_start(&killed, "tcp-echo --peer server --address 127.0.0.1:0");
	port = process_await_port(&killed);
	process_start(&client, "tcp-echo --peer client --address 127.0.0.1:%d --log 1", port);
	process_await(&client, " rps, p50 ");
	kill(killed.pid, SIGKILL);
	assert_int_equal(process_end(&killed), 128 + SIGKILL);
	assert_int_equal(process_end(&client), 1);
	assert_true(process_said(&client, "the server has left"));
}

/* The reference starts to count anew with each line, and never ends. */
static void statistics_do_not_start_the_count_of_bytes_anew(void **state)
{
	int fd;

	(void)state;
	kernel_server_open(&server);
	process_start(&client,
		      "tcp-echo --peer client --address 127.0.0.1:%d --bufsize 64 --nrequests 25 "
		      "--log 1",
		      server.port);
	fd = kernel_server_accept(&server);
	assert_true(fd >= 0);
	assert_int_equal(kernel_echo(fd, 640), 640);
	process_await(&client, " rps, p50 "); /* and only then the rest */
	assert_int_equal(kernel_echo(fd, SIZE_MAX), 960);
	close(fd);
	assert_int_equal(process_end(&client), 0);
	assert_true(process_said(&client, "INFO: all in all 25 requests"));
	kernel_server_stop(&server);
}

/* The other clients: each against a server that leaves early. */
static void the_simple_clients_tell_when_the_server_leaves(void **state)
{
	static const char *const programs[] = {"tcp-ping-pong", "tcp-push-pop"};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		kernel_server_open(&server);
		process_start(&client, "%s --client 127.0.0.1 %d 65536 1000", programs[i],
			      server.port);
		kernel_server_start(&server, reset_in_the_middle);
		assert_int_equal(process_end(&client), 1);
		kernel_server_stop(&server);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_teardown(byte_by_byte_is_as_good_as_whole_messages, process_kill_all),
	    cmocka_unit_test_teardown(a_reset_in_the_middle_of_a_message_is_told, process_kill_all),
	    cmocka_unit_test_teardown(the_other_connections_go_on_after_a_reset, process_kill_all),
	    cmocka_unit_test_teardown(a_close_in_the_middle_of_a_message_is_told, process_kill_all),
	    cmocka_unit_test_teardown(a_close_before_the_first_byte_is_told, process_kill_all),
	    cmocka_unit_test_teardown(a_half_close_is_the_end, process_kill_all),
	    cmocka_unit_test_teardown(a_wrong_byte_is_told, process_kill_all),
	    cmocka_unit_test_teardown(bytes_that_nobody_sent_are_told, process_kill_all),
	    cmocka_unit_test_teardown(an_interrupt_ends_a_client_in_order, process_kill_all),
	    cmocka_unit_test_teardown(
		without_a_number_of_requests_it_fails_when_the_server_is_killed, process_kill_all),
	    cmocka_unit_test_teardown(statistics_do_not_start_the_count_of_bytes_anew,
				      process_kill_all),
	    cmocka_unit_test_teardown(the_simple_clients_tell_when_the_server_leaves,
				      process_kill_all),
	};

	return cmocka_run_group_tests_name("bad_server", tests, NULL, NULL);
}
