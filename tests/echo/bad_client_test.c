/* bad_client_test.c - servers of the example programs against clients that misbehave. An honest
 * client that stays keeps a server alive, and shows that it still serves.
 *
 * SPDX-License-Identifier: MIT
 */
#include "kernel_peer.h"
#include "process.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

static struct process server;

static int start_echo_server(const char *options)
{
	process_start(&server, "tcp-echo --peer server --address 127.0.0.1:0 %s", options);
	return process_await_port(&server);
}

/* The honest client leaves, and with it the last one. */
static void assert_ends_after(int honest)
{
	kernel_check_echo(honest, 1000);
	close(honest);
	assert_int_equal(process_end(&server), 0);
}

static void a_thousand_clients_that_connect_and_vanish_do_no_harm(void **state)
{
	int port = start_echo_server(""), honest = kernel_connect(port);

	(void)state;
	kernel_check_echo(honest, 64);
	for (int i = 0; i < 1000; i++) {
		int fd = kernel_connect(port);

		if (i % 2)
			kernel_reset(fd);
		else
			close(fd);
	}
	assert_ends_after(honest);
}

static void clients_that_leave_in_the_middle_of_a_message_do_no_harm(void **state)
{
	static const char bytes[100000];
	int port = start_echo_server(""), honest = kernel_connect(port);

	(void)state;
	kernel_check_echo(honest, 64);
	for (size_t n = 1; n <= sizeof(bytes); n *= 10) {
		int fd = kernel_connect(port);

		kernel_write(fd, bytes, n);
		close(fd); /* unread echoes make this a reset */
		fd = kernel_connect(port);
		kernel_write(fd, bytes, n);
		kernel_reset(fd);
	}
	assert_ends_after(honest);
}

/* Writes until nothing more is taken: the server has stopped to read. */
static size_t write_until_stuck(int fd)
{
	static const char bytes[65536];
	struct pollfd out = {.fd = fd, .events = POLLOUT};
	size_t sent = 0;
	ssize_t n;

	fcntl(fd, F_SETFL, O_NONBLOCK);
	for (;;) {
		n = send(fd, bytes, sizeof(bytes), MSG_NOSIGNAL);
		if (n > 0)
			sent += (size_t)n;
		else if (errno != EAGAIN || poll(&out, 1, 1000) == 0)
			return sent;
	}
}

static void a_client_that_never_reads_neither_fills_the_memory_nor_stops_others(void **state)
{
	int port = start_echo_server(""), honest = kernel_connect(port);
	int glutton = kernel_connect(port);

	(void)state;
	assert_in_range(write_until_stuck(glutton), 65536, 64 << 20);
	for (int i = 0; i < 100; i++)
		kernel_check_echo(honest, 1000);
	kernel_reset(glutton);
	assert_ends_after(honest);
}

static void a_client_that_ends_its_side_first_gets_everything_back(void **state)
{
	enum { BYTES = 1 << 20 };
	int fd = kernel_connect(start_echo_server(""));
	char *bytes = malloc(BYTES);
	pid_t writer;

	(void)state;
	assert_non_null(bytes);
	memset(bytes, 0x5a, BYTES);
	writer = fork(); /* so that reading and writing go on together */
	if (writer == 0) {
		kernel_write(fd, bytes, BYTES);
		shutdown(fd, SHUT_WR);
		_exit(0);
	}
	assert_int_equal(kernel_read(fd, bytes, BYTES), BYTES);
	close(fd);
	assert_int_equal(process_end(&server), 0);
	free(bytes);
}

static void all_threads_end_when_the_last_client_has_left(void **state)
{
	enum { CLIENTS = 32 };
	int port = start_echo_server("--nthreads 4"), fds[CLIENTS];

	(void)state;
	for (int i = 0; i < CLIENTS; i++)
		fds[i] = kernel_connect(port);
	for (int i = 0; i < CLIENTS; i++)
		kernel_check_echo(fds[i], 100);
	for (int i = 0; i < CLIENTS; i++)
		close(fds[i]);
	assert_int_equal(process_end(&server), 0);
}

static void an_interrupt_ends_a_server_in_order(void **state)
{
	int fd;

	(void)state;
	start_echo_server("--nthreads 2");
	kill(server.pid, SIGINT);
	assert_int_equal(process_end(&server), 0);

	fd = kernel_connect(start_echo_server(""));
	kernel_check_echo(fd, 64);
	kill(server.pid, SIGTERM);
	assert_int_equal(process_end(&server), 0);
	close(fd);
}

static void statistics_tell_how_many_are_connected(void **state)
{
	int port = start_echo_server("--log 1"), a = kernel_connect(port), b = kernel_connect(port);

	(void)state;
	kernel_check_echo(a, 10);
	kernel_check_echo(b, 10);
	process_await(&server, "INFO: 2 clients connected");
	close(a);
	process_await(&server, "INFO: 1 clients connected");
	close(b);
	assert_int_equal(process_end(&server), 0);
}

static void the_simple_servers_tell_when_the_client_leaves(void **state)
{
	static const char *const programs[] = {"tcp-ping-pong", "tcp-push-pop"};
	char bytes[6400];

	(void)state;
	memset(bytes, 1, sizeof(bytes));
	for (size_t i = 0; i < 2; i++) {
		int fd;

		process_start(&server, "%s --server 127.0.0.1 0 64 101", programs[i]);
		fd = kernel_connect(process_await_port(&server));
		kernel_write(fd, bytes, sizeof(bytes));
		shutdown(fd, SHUT_WR);
		assert_int_equal(process_end(&server), 1);
		assert_true(process_said(&server, "the client left after 6400 of 6464 bytes"));
		close(fd);
	}
}

/* clang 14's ThreadSanitizer now and then holds a signal back until the next one: one of a hundred
 * that arrive while a program goes to sleep. */
#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define SIGNALS_ARE_LOST 1
#endif
#endif
#ifndef SIGNALS_ARE_LOST
#define SIGNALS_ARE_LOST 0
#endif

static void an_interrupt_ends_a_simple_server_that_waits(void **state)
{
	static const char *const commands[] = {
	    "tcp-ping-pong --server 127.0.0.1 0",
	    "tcp-push-pop --server 127.0.0.1 0",
	    "udp-ping-pong --server 127.0.0.1 0 127.0.0.1 0",
	    "udp-push-pop --server 127.0.0.1 0",
	};

	(void)state;
	if (SIGNALS_ARE_LOST)
		skip();
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		process_start(&server, "%s", commands[i]);
		process_await_port(&server);
		kill(server.pid, SIGINT);
		assert_int_equal(process_end(&server), 1);
		assert_true(process_said(&server, "interrupted"));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_teardown(a_thousand_clients_that_connect_and_vanish_do_no_harm,
				      process_kill_all),
	    cmocka_unit_test_teardown(clients_that_leave_in_the_middle_of_a_message_do_no_harm,
				      process_kill_all),
	    cmocka_unit_test_teardown(
		a_client_that_never_reads_neither_fills_the_memory_nor_stops_others,
		process_kill_all),
	    cmocka_unit_test_teardown(a_client_that_ends_its_side_first_gets_everything_back,
				      process_kill_all),
	    cmocka_unit_test_teardown(all_threads_end_when_the_last_client_has_left,
				      process_kill_all),
	    cmocka_unit_test_teardown(an_interrupt_ends_a_server_in_order, process_kill_all),
	    cmocka_unit_test_teardown(statistics_tell_how_many_are_connected, process_kill_all),
	    cmocka_unit_test_teardown(the_simple_servers_tell_when_the_client_leaves,
				      process_kill_all),
	    cmocka_unit_test_teardown(an_interrupt_ends_a_simple_server_that_waits,
				      process_kill_all),
	};

	return cmocka_run_group_tests_name("bad_client", tests, NULL, NULL);
}
