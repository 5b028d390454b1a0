/* process.c - see process.h.
 *
 * SPDX-License-Identifier: MIT
 */
#include "process.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

enum {
	LIMIT_MS = 240000, /* for anything: sanitizers are slow, and machines may be shared */
	MOST = 16,         /* processes of a test */
	LINE_BYTES = 1024,
};

static struct process *running[MOST];
static int running_count;

/* Cuts a line into words. Returns how many there are now in argv. */
static int split(char *line, char *argv[], int argc)
{
	char *save = NULL;

	for (char *w = strtok_r(line, " ", &save); w; w = strtok_r(NULL, " ", &save)) {
		assert_in_range(argc, 0, PROCESS_ARGUMENTS - 2);
		argv[argc++] = w;
	}
	argv[argc] = NULL;
	return argc;
}

static _Noreturn void become(int out, pid_t parent, char *argv[])
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(126);
	dup2(out, STDOUT_FILENO);
	dup2(out, STDERR_FILENO);
	execvp(argv[0], argv);
	dprintf(STDERR_FILENO, "cannot run %s: %s\n", argv[0], strerror(errno));
	_exit(127);
}

void process_start(struct process *p, const char *format, ...)
{
	const char *folder = getenv("DEMI_TEST_PROGRAMS"), *wrapper = getenv("DEMI_TEST_WRAPPER");
	char line[LINE_BYTES], prefix[LINE_BYTES], path[LINE_BYTES];
	char *argv[PROCESS_ARGUMENTS];
	int out[2], program = 0;
	pid_t parent = getpid();
	va_list args;

	assert_non_null(folder);
	if (wrapper) {
		snprintf(prefix, sizeof(prefix), "%s", wrapper);
		program = split(prefix, argv, 0);
	}
	va_start(args, format);
	vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	split(line, argv, program);
	snprintf(path, sizeof(path), "%.512s/%.256s", folder, argv[program]);
	argv[program] = path;

	assert_int_equal(pipe2(out, O_CLOEXEC), 0);
	assert_in_range(running_count, 0, MOST - 1);
	p->pid = fork();
	if (p->pid == 0)
		become(out[1], parent, argv);
	assert_true(p->pid > 0);
	close(out[1]);
	p->out = out[0];
	p->len = 0;
	p->text[0] = '\0';
	running[running_count++] = p;
}

static long now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static long limit_ms(void)
{
	const char *slowdown = getenv("DEMI_TEST_SLOWDOWN");

	return slowdown ? LIMIT_MS * strtol(slowdown, NULL, 10) : LIMIT_MS;
}

/* Reads more of what it writes. false: it has closed its outputs. */
static bool read_more(struct process *p, long deadline_ms)
{
	struct pollfd in = {.fd = p->out, .events = POLLIN};
	char dropped[4096];
	long left_ms = deadline_ms - now_ms();
	ssize_t n;

	if (left_ms <= 0 || poll(&in, 1, (int)left_ms) <= 0)
		fail_msg("nothing came from the program any more; it had said:\n%s", p->text);
	if (p->len < sizeof(p->text) - 1)
		n = read(p->out, p->text + p->len, sizeof(p->text) - 1 - p->len);
	else
		return read(p->out, dropped, sizeof(dropped)) > 0;
	if (n <= 0)
		return false;
	p->len += (size_t)n;
	p->text[p->len] = '\0';
	return true;
}

bool process_said(const struct process *p, const char *text)
{
	return strstr(p->text, text) != NULL;
}

void process_await(struct process *p, const char *text)
{
	long deadline_ms = now_ms() + limit_ms();

	while (!process_said(p, text)) {
		if (!read_more(p, deadline_ms))
			fail_msg("the program ended without saying '%s'; it said:\n%s", text,
				 p->text);
	}
}

int process_await_port(struct process *p)
{
	const char *at;
	int port = 0;

	process_await(p, "INFO: ");
	process_await(p, "\n");
	at = strstr(p->text, "INFO: ");
	at = at ? strchr(at + 6, ':') : NULL;
	if (!at || sscanf(at, ":%d", &port) != 1)
		fail_msg("no port in:\n%s", p->text);
	return port;
}

static void forget(struct process *p)
{
	close(p->out);
	p->pid = 0;
	for (int i = 0; i < running_count; i++) {
		if (running[i] == p)
			running[i--] = running[--running_count];
	}
}

int process_end(struct process *p)
{
	long deadline_ms = now_ms() + limit_ms();
	int status;

	while (read_more(p, deadline_ms))
		;
	assert_int_equal(waitpid(p->pid, &status, 0), p->pid);
	forget(p);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int process_kill_all(void **state)
{
	(void)state;
	while (running_count) {
		struct process *p = running[0];

		kill(p->pid, SIGKILL);
		waitpid(p->pid, NULL, 0);
		forget(p);
	}
	return 0;
}
