/* programs_test.c - the example programs against each other, over each libOS of this machine, and
 * their command lines.
 *
 * SPDX-License-Identifier: MIT
 */
#include "libos/listing.h"
#include "process.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static const struct libos_listing *libos;
static struct libos_trial way;
static char server_ip[INET_ADDRSTRLEN];
static struct process server, client;

/* The configuration of the programs that are started next. */
static void configure(const char *yaml)
{
	static int fd = -1;
	char path[64];

	if (fd >= 0)
		close(fd);
	fd = memfd_create("config.yaml", 0); /* stays open in the programs */
	assert_true(fd >= 0);
	assert_int_equal(write(fd, yaml, strlen(yaml)), strlen(yaml));
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	setenv("CONFIG_PATH", path, 1);
}

static void assert_both_end_well(void)
{
	int asked = process_end(&client), served = process_end(&server);

	if (asked || served)
		fail_msg("client %d:\n%s\nserver %d:\n%s", asked, client.text, served, server.text);
}

/* A server program, whose command line has %s for its address and a port of 0; then a client, whose
 * command line has %s and %d for them. Both have to end well. */
static void run_pair(const char *server_line, const char *client_line)
{
	char line[512];
	int port;

	configure(way.server_config);
	snprintf(line, sizeof(line), server_line, server_ip);
	process_start(&server, "%s", line);
	port = process_await_port(&server);
	configure(way.client_config);
	snprintf(line, sizeof(line), client_line, server_ip, port);
	process_start(&client, "%s", line);
	assert_both_end_well();
}

/* The largest message that the programs send; under valgrind, which copies it byte by byte, a
 * smaller one: see tests/wrapped.sh. */
static const char *largest(void)
{
	return getenv("DEMI_TEST_SLOWDOWN") ? "1048576" : "16777216";
}

/* As run_pair(), and both lines end with the size of the largest message and with `more`. */
static void run_largest(const char *server_line, const char *client_line, const char *more)
{
	char server_all[256], client_all[256];

	snprintf(server_all, sizeof(server_all), "%s %s%s", server_line, largest(), more);
	snprintf(client_all, sizeof(client_all), "%s %s%s", client_line, largest(), more);
	run_pair(server_all, client_all);
}

static void tcp_messages_go_there_and_back(void **state)
{
	(void)state;
	run_pair("tcp-ping-pong --server %s 0", "tcp-ping-pong --client %s %d");
	assert_true(process_said(&client, "pong: 65536 bytes came back"));
	run_pair("tcp-ping-pong --server %s 0 1 10", "tcp-ping-pong --client %s %d 1 10");
	run_largest("tcp-ping-pong --server %s 0", "tcp-ping-pong --client %s %d", " 2");
}

static void tcp_messages_arrive(void **state)
{
	(void)state;
	run_pair("tcp-push-pop --server %s 0", "tcp-push-pop --client %s %d");
	assert_true(process_said(&server, "pop: total bytes received: (65536)"));
	run_largest("tcp-push-pop --server %s 0", "tcp-push-pop --client %s %d", " 2");
}

static void datagrams_go_there_and_back(void **state)
{
	(void)state;
	run_pair("udp-ping-pong --server %s 0 0.0.0.0 0 64 500",
		 "udp-ping-pong --client 0.0.0.0 0 %s %d 64 500");
	assert_true(process_said(&client, "pong: 500 datagrams came back"));
	run_pair("udp-ping-pong --server %s 0 0.0.0.0 0 1400 50",
		 "udp-ping-pong --client 0.0.0.0 0 %s %d 1400 50");
}

static void datagrams_arrive(void **state)
{
	(void)state;
	run_pair("udp-push-pop --server %s 0 64 20", "udp-push-pop --client 0.0.0.0 0 %s %d 64 20");
	assert_true(process_said(&server, "pop: 20 of 20 datagrams received, 0 lost"));
}

#define ECHO_SERVER "tcp-echo --peer server --address %s:0 "
#define ECHO_CLIENT "tcp-echo --peer client --address %s:%d "

static void echo_serves_clients_that_connect_one_after_the_other(void **state)
{
	(void)state;
	run_pair(ECHO_SERVER,
		 ECHO_CLIENT "--run-mode sequential --nclients 20 --bufsize 64 --nrequests 50");
	assert_true(process_said(&client, "INFO: all in all "));
}

static void echo_serves_clients_that_connect_all_at_once(void **state)
{
	(void)state;
	run_pair(ECHO_SERVER,
		 ECHO_CLIENT "--run-mode concurrent --nclients 100 --bufsize 64 --nrequests 10");
}

static void echo_serves_messages_of_any_size(void **state)
{
	const char *const sizes[] = {"1", "7", "8", "1460", "65535", "1000000", largest()};
	char line[256];

	(void)state;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		snprintf(line, sizeof(line), "%s--nrequests 3 --nclients 2 --bufsize %s",
			 ECHO_CLIENT, sizes[i]);
		run_pair(ECHO_SERVER, line);
	}
}

static void echo_runs_in_threads(void **state)
{
	(void)state;
	if (libos->prepare) /* an address of one's own belongs to one instance */
		skip();
	run_pair(ECHO_SERVER "--nthreads 3",
		 ECHO_CLIENT "--nthreads 2 --nclients 10 --bufsize 64 --nrequests 100");
}

static void a_connection_that_is_refused_is_told(void **state)
{
	static const char *const lines[] = {
	    "tcp-echo --peer client --address %s:1 --nrequests 1",
	    "tcp-echo --peer client --address %s:1 --nrequests 1 --nclients 5 --run-mode concurrent",
	    "tcp-ping-pong --client %s 1",
	    "tcp-push-pop --client %s 1",
	};
	char line[256];

	(void)state;
	if (libos->prepare) /* nobody is at the server's address to refuse it */
		skip();
	configure(way.client_config);
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		snprintf(line, sizeof(line), lines[i], server_ip);
		process_start(&client, "%s", line);
		assert_int_equal(process_end(&client), 1);
		assert_true(process_said(&client, "nothing listens there: start the server first"));
	}
}

static void a_port_in_use_is_told(void **state)
{
	static const char *const lines[] = {
	    "tcp-echo --peer server --address %s:%d",
	    "tcp-ping-pong --server %s %d",
	    "tcp-push-pop --server %s %d",
	};
	char line[256];
	int port;

	(void)state;
	if (libos->prepare)
		skip();
	configure(way.server_config);
	snprintf(line, sizeof(line), "tcp-ping-pong --server %s 0", server_ip);
	process_start(&server, "%s", line);
	port = process_await_port(&server);
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		snprintf(line, sizeof(line), lines[i], server_ip, port);
		process_start(&client, "%s", line);
		assert_int_equal(process_end(&client), 1);
		assert_true(process_said(&client, "another program has this port"));
	}
}

static void an_unknown_libos_is_told(void **state)
{
	static const char *const lines[] = {
	    "tcp-echo --address 127.0.0.1:0",
	    "tcp-ping-pong --server 127.0.0.1 0",
	    "tcp-push-pop --server 127.0.0.1 0",
	    "udp-ping-pong --server 127.0.0.1 0 127.0.0.1 0",
	    "udp-push-pop --server 127.0.0.1 0",
	    "http-server 127.0.0.1 0",
	    "kv-server 127.0.0.1 0",
	    "udp-echo --local 127.0.0.1:0",
	};

	(void)state;
	setenv("LIBOS", "catnone", 1);
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		process_start(&server, "%s", lines[i]);
		assert_int_equal(process_end(&server), 1);
		assert_true(process_said(&server, "cannot start the library"));
		assert_true(process_said(&server, "catnone"));
	}
	unsetenv("LIBOS");
}

static void a_wrong_log_level_is_told_at_once(void **state)
{
	const char *told;

	(void)state;
	setenv("DEMI_LOG", "loud", 1);
	process_start(&server, "tcp-ping-pong --server 127.0.0.1 0");
	unsetenv("DEMI_LOG");
	process_await_port(&server);
	told = strstr(server.text, "DEMI_LOG is \"loud\": use error, warn, info or debug");
	assert_non_null(told);
	assert_true(told < strstr(server.text, "INFO: listening"));
	assert_null(strstr(told + 1, "DEMI_LOG"));
}

static void a_wrong_command_line_is_told(void **state)
{
	static const char *const lines[] = {
	    "tcp-echo",
	    "tcp-echo --address 127.0.0.1",
	    "tcp-echo --address 127.0.0.1:70000",
	    "tcp-echo --address 127.0.0.1:1 --peer neither",
	    "tcp-echo --address 127.0.0.1:1 --bufsize 0",
	    "tcp-echo --address 127.0.0.1:1 --bufsize 16777217",
	    "tcp-echo --address 127.0.0.1:1 --nclients -1",
	    "tcp-echo --address 127.0.0.1:1 --nthreads 100",
	    "tcp-echo --address 127.0.0.1:1 --log x",
	    "tcp-echo --address 127.0.0.1:1 --run-mode both",
	    "tcp-echo --address 127.0.0.1:1 --fast",
	    "tcp-echo --address 127.0.0.1:1 --nrequests",
	    "tcp-echo --address 10.0.0.1:1 --nclients 9999999 --bufsize 16777216 --nrequests 9999999",
	    "tcp-echo --address 127.0.0.1:1 more",
	    "tcp-ping-pong",
	    "tcp-ping-pong --both 127.0.0.1 1",
	    "tcp-ping-pong --server 127.0.0.1",
	    "tcp-ping-pong --server here 1",
	    "tcp-ping-pong --server 127.0.0.1 1 0",
	    "tcp-ping-pong --server 127.0.0.1 1 1 1 1",
	    "tcp-push-pop --server 127.0.0.1 -1",
	    "tcp-push-pop --client 127.0.0.1 1 64 0",
	    "udp-ping-pong --client 127.0.0.1 1",
	    "udp-ping-pong --server 127.0.0.1 1 127.0.0.1",
	    "udp-ping-pong --client 127.0.0.1 1 127.0.0.1 1 65508",
	    "udp-push-pop --client 127.0.0.1 1",
	    "udp-push-pop --server 127.0.0.1 1 many",
	    "http-server",
	    "http-server 127.0.0.1",
	    "http-server 127.0.0.1 80 0",
	    "http-server 127.0.0.1 80 30 more",
	    "kv-server",
	    "kv-server 127.0.0.1",
	    "kv-server 127.0.0.1 6400 0",
	    "kv-server 127.0.0.1 6400 64 more",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		process_start(&client, "%s", lines[i]);
		if (process_end(&client) != 2 || !process_said(&client, "--help` tells"))
			fail_msg("'%s' gave:\n%s", lines[i], client.text);
	}
}

static void help_is_there(void **state)
{
	static const char *const programs[] = {"tcp-echo",      "tcp-ping-pong", "tcp-push-pop",
					       "udp-ping-pong", "udp-push-pop",  "http-server",
					       "kv-server"};

	(void)state;
	for (size_t i = 0; i < sizeof(programs) / sizeof(programs[0]); i++) {
		process_start(&client, "%s --help", programs[i]);
		assert_int_equal(process_end(&client), 0);
		assert_non_null(strstr(client.text, "Usage: "));
		assert_non_null(strstr(client.text, programs[i]));
		assert_non_null(strstr(client.text, "Exit status: "));
	}
}

static int run_command_lines(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_teardown(an_unknown_libos_is_told, process_kill_all),
	    cmocka_unit_test_teardown(a_wrong_log_level_is_told_at_once, process_kill_all),
	    cmocka_unit_test_teardown(a_wrong_command_line_is_told, process_kill_all),
	    cmocka_unit_test_teardown(help_is_there, process_kill_all),
	};

	return cmocka_run_group_tests_name("programs", tests, NULL, NULL);
}

static int run_over_libos(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_teardown(tcp_messages_go_there_and_back, process_kill_all),
	    cmocka_unit_test_teardown(tcp_messages_arrive, process_kill_all),
	    cmocka_unit_test_teardown(datagrams_go_there_and_back, process_kill_all),
	    cmocka_unit_test_teardown(datagrams_arrive, process_kill_all),
	    cmocka_unit_test_teardown(echo_serves_clients_that_connect_one_after_the_other,
				      process_kill_all),
	    cmocka_unit_test_teardown(echo_serves_clients_that_connect_all_at_once,
				      process_kill_all),
	    cmocka_unit_test_teardown(echo_serves_messages_of_any_size, process_kill_all),
	    cmocka_unit_test_teardown(echo_runs_in_threads, process_kill_all),
	    cmocka_unit_test_teardown(a_connection_that_is_refused_is_told, process_kill_all),
	    cmocka_unit_test_teardown(a_port_in_use_is_told, process_kill_all),
	};
	struct libos_lack lack = {"", ""};

	way.server = (struct sockaddr_in){.sin_family = AF_INET};
	way.server.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (libos->prepare && libos->prepare(&way, &lack)) {
		fprintf(stderr, "%s: %s; %s\n", libos->name, lack.why, lack.remedy);
		return 1;
	}
	inet_ntop(AF_INET, &way.server.sin_addr, server_ip, sizeof(server_ip));
	setenv("LIBOS", libos->name, 1);
	return cmocka_run_group_tests_name(libos->name, tests, NULL, NULL);
}

/* In a process of its own, as prepare() wants. */
static int run_apart(int (*run)(void))
{
	int status = 1;
	pid_t pid = fork();

	if (pid == 0)
		exit(run() ? 1 : 0);
	waitpid(pid, &status, 0);
	return status != 0;
}

int main(void)
{
	int failed = run_command_lines();

	for (unsigned int i = 0; (libos = libos_listing_at(i)); i++) {
		struct libos_lack lack = {"", ""};

		if (libos->probe(&lack))
			fprintf(stderr, "%s is left out: %s\n", libos->name, lack.why);
		else
			failed |= run_apart(run_over_libos);
	}
	return failed ? 1 : 0;
}
