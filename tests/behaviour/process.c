/* process.c - instances, threads, and the ends of both and of processes.
 *
 * SPDX-License-Identifier: MIT
 */
#include "side.h"
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static void a_second_init_in_a_thread_is_refused(void)
{
	struct demi_args args = {0};
	int qd;

	equal(demi_init(&args), 0);
	equal(demi_init(&args), EEXIST);
	equal(demi_init(NULL), EEXIST);
	equal(demi_socket(&qd, AF_INET, SOCK_STREAM, 0), 0);
}

static char said[512]; /* the last line of the log */
static unsigned lines_said;

static void remember_line(int level, const char *line)
{
	equal(level, 0);
	lines_said++;
	snprintf(said, sizeof(said), "%s", line);
}

/* The line names what was asked for, and what there is. */
static void an_unknown_libos_is_an_errno_and_a_line(void)
{
	demi_set_log(remember_line);
	setenv("LIBOS", "catfish", 1);
	equal(demi_init(NULL), EINVAL);
	equal(lines_said, 1);
	check(strstr(said, "catfish") != NULL && strstr(said, row->name) != NULL);
	equal(demi_close(500), ENOSYS);
	demi_set_log(NULL);
	setenv("LIBOS", row->name, 1);
	begin();
}

static void the_libos_is_named_in_any_case_and_catnap_when_it_is_not(void)
{
	char name[32] = "";

	for (size_t i = 0; row->name[i] != '\0'; i++)
		name[i] = (char)(i % 2 == 0 ? row->name[i] - 'a' + 'A' : row->name[i]);
	setenv("LIBOS", name, 1);
	begin();
	equal(demi_close(tcp_socket()), 0);
}

static void *init_without_a_name(void *arg)
{
	unsetenv("LIBOS");
	unsetenv("CONFIG_PATH");
	equal(demi_init(NULL), 0);
	equal(demi_close(tcp_socket()), 0);
	return arg;
}

static void without_a_name_it_is_catnap(void)
{
	pthread_t thread;

	equal(pthread_create(&thread, NULL, init_without_a_name, NULL), 0);
	equal(pthread_join(thread, NULL), 0);
}

static void a_broken_configuration_is_an_errno_and_may_be_mended(void)
{
	demi_set_log(remember_line);
	configure("  no_such_key: 1\n", NULL);
	equal(demi_init(NULL), EINVAL);
	check(strstr(said, "no_such_key") != NULL);
	configure(NULL, "  max_queues: many\n");
	equal(demi_init(NULL), EINVAL);
	check(strstr(said, "max_queues") != NULL);
	setenv("CONFIG_PATH", "/nonexistent/file", 1);
	equal(demi_init(NULL), EINVAL);
	check(strstr(said, "/nonexistent/file") != NULL);
	equal(lines_said, 3);
	demi_set_log(NULL);
	configure(NULL, NULL);
	begin();
}

static void programs_of_2023_pass_argc_and_argv(void)
{
	typedef int (*init_2023)(int argc, char *const argv[]);
	char *argv[] = {(char *)(uintptr_t) "program", NULL};
	init_2023 init = (init_2023)(void (*)(void))demi_init;

	equal(init(1, argv), 0);
	equal(init(1, argv), EEXIST);
	equal(demi_close(tcp_socket()), 0);
}

static unsigned scopes;

static void profiler(const char *name, uint32_t name_len, uint64_t cycles)
{
	check(name_len > 0 && name_len < 100 && memchr(name, '\0', name_len) == NULL);
	check(cycles < UINT64_C(1) << 40);
	scopes++;
}

static void the_profiler_is_called_when_it_is_switched_on(void)
{
	const struct demi_args args = {.callback = profiler};
	int qd;

	configure("  profiling: true\n", NULL);
	equal(demi_init(&args), 0);
	equal(demi_queue(&qd), 0);
	push_all(qd, "x", 1);
	equal(demi_close(qd), 0);
	check(scopes >= 4);
}

static void the_profiler_is_not_called_when_it_is_not(void)
{
	const struct demi_args args = {.callback = profiler};
	int qd;

	equal(demi_init(&args), 0);
	equal(demi_queue(&qd), 0);
	equal(demi_close(qd), 0);
	equal(scopes, 0);
}

enum { LAST_BYTES = 1 << 20 };

static void push_last(int qd)
{
	static uint8_t data[LAST_BYTES];

	pattern(data, LAST_BYTES, 5);
	push_all(qd, data, LAST_BYTES);
}

/* All bytes of push_last(), then the end. */
static void pop_last(int qd)
{
	static uint8_t want[LAST_BYTES], got[LAST_BYTES];

	pattern(want, LAST_BYTES, 5);
	pop_all(qd, got, LAST_BYTES);
	same(got, want, LAST_BYTES);
	pop_end(qd);
}

static void a_peer_that_exits_after_its_last_push_loses_nothing(void)
{
	int qd;

	begin();
	qd = connection();
	/* Bytes that it never reads would make a plain exit reset the connection. */
	push_all(qd, "never read", 10);
	say(0);
	pop_last(qd);
}

/* However slow the reader is. */
static void patient_exit(void)
{
	configure("  exit_linger_ms: 120000\n", NULL);
	begin();
}

static void peer_exits(void)
{
	int qd;

	patient_exit();
	qd = connection();
	hear();
	push_last(qd);
	exit(0);
}

static void *thread_pushes_and_ends(void *arg)
{
	int qd;

	patient_exit();
	qd = connection();
	hear();
	push_last(qd);
	return arg;
}

static void a_thread_that_ends_after_its_last_push_loses_nothing(void)
{
	a_peer_that_exits_after_its_last_push_loses_nothing();
	hear(); /* there are devices that cannot be opened when their other end is gone */
}

static void peer_ends_a_thread(void)
{
	pthread_t thread;
	demi_qtoken_t qt;

	equal(pthread_create(&thread, NULL, thread_pushes_and_ends, NULL), 0);
	equal(pthread_join(thread, NULL), 0);
	/* Its instance was its own. */
	equal(demi_pop(&qt, 500), ENOSYS);
	begin();
	say(0);
}

static void a_peer_that_exits_while_nobody_reads_is_reset_in_the_end(void)
{
	int qd;

	begin();
	qd = connection();
	hear();
	pop_until_reset(qd);
}

/* Exits with more accepted than the peer takes, and says how that went. */
static void peer_exits_in_a_bounded_time(void)
{
	const struct timespec a_while = {.tv_sec = 2};
	static uint8_t data[1 << 20];
	int status;
	pid_t child = fork();

	check(child >= 0);
	if (child == 0) {
		int qd;

		configure("  exit_linger_ms: 300\n", NULL);
		begin();
		qd = connection();
		for (;;) {
			demi_qtoken_t qt = start_push(qd, data, sizeof(data));
			demi_qresult_t qr;

			if (demi_wait(&qr, qt, &a_while) == ETIMEDOUT)
				break; /* everything is full */
		}
		exit(0);
	}
	equal(waitpid(child, &status, 0), child);
	equal(status, 0);
	say(0);
}

static void on_interrupt(int signal)
{
	(void)signal;
	exit(3);
}

/* Until a process that waits has gone to sleep over it: proc(5). */
static void await_sleep(pid_t pid)
{
	uint64_t end_ns = now_ns() + (uint64_t)HEAR_SECONDS * 1000000000;
	char path[64], state = 'R';

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	while (state != 'S') {
		FILE *file = fopen(path, "re");

		check(file != NULL && fscanf(file, "%*d %*s %c", &state) == 1);
		fclose(file);
		check(now_ns() < end_ns);
	}
}

/* A flush would end the connection by a reset, as nobody reads: the libOS is in no state to be
 * asked. Without one the kernel delivers what it has, and our own stack is just gone. */
static void exit_from_a_signal_handler_inside_a_wait(void)
{
	const struct timespec a_while = {.tv_sec = 2};
	demi_qresult_t qr;
	uint32_t len = 1;
	int qd;

	begin();
	qd = connection();
	hear(); /* it is gone */
	while (len > 0) {
		if (demi_wait(&qr, start_pop(qd), &a_while) == ETIMEDOUT) {
			check(row->one_process);
			return;
		}
		equal(qr.qr_opcode, DEMI_OPC_POP);
		len = qr.qr_value.sga.sga_segs[0].sgaseg_len;
		give_back(&qr);
	}
}

static void peer_exits_in_a_signal_handler(void)
{
	static uint8_t data[1 << 20];
	const struct timespec a_while = {.tv_sec = 2};
	int gate[2], status;
	pid_t child;

	check(pipe(gate) == 0);
	child = fork();
	check(child >= 0);
	if (child == 0) {
		demi_qresult_t qr;
		demi_qtoken_t qt;
		int qd;

		signal(SIGINT, on_interrupt);
		configure("  exit_linger_ms: 100\n", NULL);
		begin();
		qd = connection();
		do
			qt = start_push(qd, data, sizeof(data));
		while (demi_wait(&qr, qt, &a_while) != ETIMEDOUT); /* everything is full */
		check(write(gate[1], "x", 1) == 1);
		demi_wait(&qr, qt, NULL);
		_exit(4);
	}
	check(read(gate[0], &(char){0}, 1) == 1);
	await_sleep(child); /* in the wait, then: nothing before it sleeps */
	equal(kill(child, SIGINT), 0);
	equal(waitpid(child, &status, 0), child);
	check(WIFEXITED(status));
	equal(WEXITSTATUS(status), 3);
	say(0);
}

static void a_forked_child_has_no_instance_and_the_parents_lives(void)
{
	demi_sgarray_t sga;
	uint8_t byte;
	int qd, status, n;
	pid_t child;

	begin();
	qd = connection();
	push_all(qd, "a", 1);
	pop_all(qd, &byte, 1);
	demi_qtoken_t pop = start_pop(qd);
	sga = demi_sgaalloc(64);

	child = fork();
	check(child >= 0);
	if (child == 0) {
		demi_qresult_t qr;

		equal(demi_wait(&qr, pop, &no_time), ENOSYS);
		equal(demi_close(qd), ENOSYS);
		equal(demi_socket(&n, AF_INET, SOCK_STREAM, 0), ENOSYS);
		equal(demi_sgafree(&sga), ENOSYS);
		if (row->one_process)
			exit(0);
		/* It may have an instance of its own. */
		begin();
		equal(demi_close(qd), EBADF);
		n = tcp_socket();
		equal(demi_close(n), 0);
		exit(0);
	}
	equal(waitpid(child, &status, 0), child);
	equal(status, 0);
	still_pending(pop);
	push_all(qd, "b", 1);
	demi_qresult_t qr = success(pop, DEMI_OPC_POP);

	give_back(&qr);
	equal(demi_sgafree(&sga), 0);
	equal(demi_close(qd), 0);
}

/* A child that lives on until it is let go. */
struct bystander {
	pid_t pid;
	int gate;
};

static struct bystander start_bystander(pid_t (*forks)(void))
{
	struct bystander b;
	int gate[2];

	check(pipe(gate) == 0);
	b.pid = forks();
	check(b.pid >= 0);
	if (b.pid == 0) {
		close(gate[1]);
		_exit(read(gate[0], &(char){0}, 1) == 0 ? 0 : 1);
	}
	close(gate[0]);
	b.gate = gate[1];
	return b;
}

static void let_go(struct bystander b)
{
	int status;

	close(b.gate);
	equal(waitpid(b.pid, &status, 0), b.pid);
	equal(status, 0);
}

static void a_child_that_lives_on_holds_no_connection_open(void)
{
	struct bystander child;
	int qd;

	begin();
	qd = connection();
	child = start_bystander(fork);
	equal(demi_close(qd), 0);
	equal(hear(), 0); /* the peer saw the end */
	let_go(child);
}

/* As fork(), but nobody tells the library: so does a child that has not run yet. */
static pid_t fork_untold(void)
{
	return (pid_t)syscall(SYS_clone, SIGCHLD, NULL, NULL, NULL, NULL);
}

static void a_closed_listener_is_gone_though_a_child_has_a_copy(void)
{
	struct sockaddr_in sin;
	struct bystander child;
	int qd;

	begin();
	qd = tcp_listener();
	sin = at(0, port_of(qd));
	start_accept(qd);
	child = start_bystander(fork_untold);
	equal(demi_close(qd), 0);
	say(ntohs(sin.sin_port));
	equal(hear(), 0); /* the peer was refused */
	qd = tcp_socket();
	equal(demi_bind(qd, SA(&sin)), 0);
	equal(demi_listen(qd, 8), 0);
	say(0);
	qd = success(start_accept(qd), DEMI_OPC_ACCEPT).qr_value.ares.qd;
	pop_end(qd);
	let_go(child);
}

static void peer_is_refused_and_then_accepted(void)
{
	uint16_t port;
	int qd;

	begin();
	port = (uint16_t)hear();
	qd = tcp_socket();
	failure(start_connect(qd, port), ECONNREFUSED);
	equal(demi_close(qd), 0);
	say(0);
	equal(hear(), 0);
	qd = tcp_socket();
	success(start_connect(qd, port), DEMI_OPC_CONNECT);
	equal(demi_close(qd), 0);
}

enum { THREADS = 3 };

struct server {
	pthread_t thread;
	uint16_t port;
	int served;
};

enum { CLIENTS = 60 };

static pthread_barrier_t all_listen;
static int served_in_all; /* by atomic operations */

/* One of several listeners of one port; serves until all clients were served by one or another. */
static void *serve(void *arg)
{
	const struct timespec a_while = {.tv_nsec = 20000000};
	struct server *s = arg;
	struct sockaddr_in sin = at(0, s->port);
	int qd, on = 1;
	demi_qtoken_t qt;
	demi_qresult_t qr;

	begin();
	qd = tcp_socket();
	equal(demi_setsockopt(qd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on)), 0);
	equal(demi_bind(qd, SA(&sin)), 0);
	equal(demi_listen(qd, 64), 0);
	pthread_barrier_wait(&all_listen);
	qt = start_accept(qd);
	while (__atomic_load_n(&served_in_all, __ATOMIC_RELAXED) < CLIENTS) {
		uint8_t byte;
		int c;

		if (demi_wait(&qr, qt, &a_while) == ETIMEDOUT)
			continue;
		equal(qr.qr_opcode, DEMI_OPC_ACCEPT);
		c = qr.qr_value.ares.qd;
		pop_all(c, &byte, 1);
		push_all(c, &byte, 1);
		pop_end(c);
		equal(demi_close(c), 0);
		s->served++;
		__atomic_add_fetch(&served_in_all, 1, __ATOMIC_RELAXED);
		qt = start_accept(qd);
	}
	return NULL;
}

static void threads_share_a_port_when_each_says_so(void)
{
	struct server s[THREADS];
	struct sockaddr_in sin;
	uint16_t port;
	int on = 1, qd, served = 0;

	begin();
	qd = tcp_socket();
	equal(demi_setsockopt(qd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on)), 0);
	sin = at(0, 0);
	equal(demi_bind(qd, SA(&sin)), 0);
	port = port_of(qd);
	pthread_barrier_init(&all_listen, NULL, THREADS + 1);
	for (int i = 0; i < THREADS; i++) {
		s[i] = (struct server){.port = port};
		equal(pthread_create(&s[i].thread, NULL, serve, &s[i]), 0);
	}
	pthread_barrier_wait(&all_listen);
	/* Without saying so: taken. */
	sin = at(0, port);
	equal(demi_bind(tcp_socket(), SA(&sin)), EADDRINUSE);
	equal(demi_close(qd), 0);
	say(port);
	for (int i = 0; i < THREADS; i++) {
		equal(pthread_join(s[i].thread, NULL), 0);
		served += s[i].served;
	}
	equal(served, CLIENTS);
}

static void peer_connects_sixty_times(void)
{
	uint16_t port;

	begin();
	port = (uint16_t)hear();
	for (int i = 0; i < CLIENTS; i++) {
		int qd = tcp_socket();
		uint8_t byte;

		success(start_connect(qd, port), DEMI_OPC_CONNECT);
		push_all(qd, "x", 1);
		pop_all(qd, &byte, 1);
		equal(demi_close(qd), 0);
	}
}

static void *closes_anothers(void *arg)
{
	int *qd = arg;
	demi_qresult_t qr;

	begin();
	equal(demi_close(*qd), EBADF);
	equal(demi_wait(&qr, (demi_qtoken_t)1 << 32, &no_time), EINVAL);
	return NULL;
}

static void threads_have_nothing_of_each_others(void)
{
	pthread_t thread;
	int qd;

	begin();
	qd = tcp_socket();
	equal(pthread_create(&thread, NULL, closes_anothers, &qd), 0);
	equal(pthread_join(thread, NULL), 0);
	equal(demi_close(qd), 0);
}

static void *gives_back(void *arg)
{
	begin();
	equal(demi_sgafree(arg), 0);
	return NULL;
}

static void a_message_may_be_given_back_by_another_thread(void)
{
	begin();
	for (int i = 0; i < 20; i++) {
		demi_sgarray_t sga = demi_sgaalloc((size_t)1 << i);
		pthread_t thread;

		check(sga.sga_buf != NULL);
		equal(pthread_create(&thread, NULL, gives_back, &sga), 0);
		equal(pthread_join(thread, NULL), 0);
	}
}

static void *runs_for_ever(void *arg)
{
	demi_qresult_t qr;
	demi_qtoken_t qt;
	int *gate = arg;

	begin();
	qt = start_pop(udp_socket());
	check(write(*gate, "x", 1) == 1);
	demi_wait(&qr, qt, NULL);
	return NULL;
}

static void a_process_may_exit_while_other_threads_wait(void)
{
	int gate[2];
	pthread_t thread;

	check(pipe(gate) == 0);
	begin();
	equal(pthread_create(&thread, NULL, runs_for_ever, &gate[1]), 0);
	check(read(gate[0], &(char){0}, 1) == 1);
	exit(0);
}

static void peer_sees_the_end(void)
{
	int qd;

	begin();
	qd = connection();
	pop_end(qd);
	say(0);
	equal(demi_close(qd), 0);
}

const struct behaviour process_cases[] = {
    ALONE(a_second_init_in_a_thread_is_refused),
    ALONE(an_unknown_libos_is_an_errno_and_a_line),
    ALONE(the_libos_is_named_in_any_case_and_catnap_when_it_is_not),
    ALONE(without_a_name_it_is_catnap),
    ALONE(a_broken_configuration_is_an_errno_and_may_be_mended),
    ALONE(programs_of_2023_pass_argc_and_argv),
    ALONE(the_profiler_is_called_when_it_is_switched_on),
    ALONE(the_profiler_is_not_called_when_it_is_not),
    WITH(a_peer_that_exits_after_its_last_push_loses_nothing, peer_exits),
    WITH(a_thread_that_ends_after_its_last_push_loses_nothing, peer_ends_a_thread),
    WITH(a_peer_that_exits_while_nobody_reads_is_reset_in_the_end, peer_exits_in_a_bounded_time),
    WITH(exit_from_a_signal_handler_inside_a_wait, peer_exits_in_a_signal_handler),
    FORKS(a_forked_child_has_no_instance_and_the_parents_lives, peer_echoes),
    FORKS(a_child_that_lives_on_holds_no_connection_open, peer_sees_the_end),
    FORKS(a_closed_listener_is_gone_though_a_child_has_a_copy, peer_is_refused_and_then_accepted),
    THREADS(threads_share_a_port_when_each_says_so, peer_connects_sixty_times),
    THREADS(threads_have_nothing_of_each_others, NULL),
    THREADS(a_message_may_be_given_back_by_another_thread, NULL),
    THREADS(a_process_may_exit_while_other_threads_wait, NULL),
    {NULL, NULL, NULL, false, false, false},
};
