/* try_run.c - the processes of one trial: started, watched, and gone at the end whatever happens.
 *
 * SPDX-License-Identifier: MIT
 */
#include "try.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PROGRESS_MS = 100 };

struct trial {
	const struct libos_listing *listing;
	const struct try_options *options;
	struct libos_trial way;
	struct try_result *result;
	int ready[2]; /* a pipe: the server's port */
};

/* fork(), and the child ends when its parent does. Nothing buffered is written twice. */
static pid_t fork_bound(void)
{
	pid_t parent = getpid(), child;

	fflush(NULL);
	child = fork();
	if (child == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (getppid() != parent)
			_exit(1);
	}
	return child;
}

/* Server and client get a processor each, where there are two, so that they do not meet on one. */
static void pin(enum try_side side)
{
	cpu_set_t allowed, mine;
	int nth = side == TRY_SERVER ? 1 : 0;

	if (sched_getaffinity(0, sizeof(allowed), &allowed) || CPU_COUNT(&allowed) < 2)
		return;
	CPU_ZERO(&mine);
	for (int cpu = 0; cpu < CPU_SETSIZE; cpu++) {
		if (CPU_ISSET(cpu, &allowed) && nth-- == 0) {
			CPU_SET(cpu, &mine);
			break;
		}
	}
	sched_setaffinity(0, sizeof(mine), &mine);
}

/* The trial's own configuration, and never the user's: in a file that lives as long as we do. */
static int configure(const char *libos, const char *yaml)
{
	char path[64];
	int fd = memfd_create("demi-try.yaml", 0);

	if (fd < 0)
		return -errno;
	if (write(fd, yaml, strlen(yaml)) != (ssize_t)strlen(yaml))
		return -EIO;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (setenv("CONFIG_PATH", path, 1) || setenv("LIBOS", libos, 1))
		return -ENOMEM;
	return 0;
}

static int play(struct trial *t, enum try_side side)
{
	bool server = side == TRY_SERVER;
	int error;

	close(t->ready[server ? 0 : 1]);
	pin(side);
	error = configure(t->listing->name, server ? t->way.server_config : t->way.client_config);
	if (error) {
		try_note(t->result, side, "cannot write its configuration: %s", strerror(-error));
		return error;
	}
	if (server)
		return try_serve(&t->way.server, t->ready[1], t->result);
	return try_ask(t->way.server, t->ready[0], t->options, t->result);
}

static pid_t start(struct trial *t, enum try_side side)
{
	pid_t pid = fork_bound();

	if (pid == 0)
		exit(play(t, side) ? 1 : 0);
	if (pid < 0)
		try_note(t->result, side, "cannot start it: %s", strerror(errno));
	return pid;
}

/* Takes in the end of one of the two. Returns whether it ended well. */
static bool reap(struct trial *t, pid_t pids[TRY_SIDES])
{
	enum try_side side;
	int status;
	pid_t pid;

	do
		pid = wait(&status);
	while (pid < 0 && errno == EINTR);
	side = pid == pids[TRY_SERVER] ? TRY_SERVER : TRY_CLIENT;
	pids[side] = -1;
	if (pid > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return true;
	if (pid > 0 && WIFSIGNALED(status))
		try_note(t->result, side, "ended by signal %d (%s)", WTERMSIG(status),
			 strsignal(WTERMSIG(status)));
	else
		try_note(t->result, side, "ended without a word");
	return false;
}

static int prepare(struct trial *t)
{
	struct libos_lack lack = {"", ""};
	int error;

	t->way.server.sin_family = AF_INET;
	t->way.server.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	error = t->listing->prepare ? t->listing->prepare(&t->way, &lack) : 0;
	if (error)
		try_note(t->result, TRY_STAGE, "%s; %s", lack.why, lack.remedy);
	else if (pipe(t->ready))
		error = -errno;
	return error;
}

/* Server and client, until both have ended; when one fails, so does the other. */
static int stage(struct trial *t)
{
	pid_t pids[TRY_SIDES];
	bool well;

	if (prepare(t))
		return 1;
	pids[TRY_SERVER] = start(t, TRY_SERVER);
	pids[TRY_CLIENT] = pids[TRY_SERVER] > 0 ? start(t, TRY_CLIENT) : -1;
	close(t->ready[0]);
	close(t->ready[1]);
	well = pids[TRY_CLIENT] > 0 && reap(t, pids) && reap(t, pids);
	return well ? 0 : 1; /* a side that is still there ends with us */
}

/* Waits until the stage ends, which closes its end of the pipe `alive`, or nothing has happened for
 * too long. Returns whether it ended. */
static bool watch(const struct trial *t, int alive, try_progress progress)
{
	uint64_t expected = t->options->messages ? t->options->messages : TRY_DEFAULT_MESSAGES;
	uint64_t echoed = 0, before = 0;
	struct pollfd end = {.fd = alive};
	int silent_ms = 0;

	while (silent_ms < t->options->silence_ms) {
		if (poll(&end, 1, PROGRESS_MS) > 0)
			return true;
		echoed = atomic_load_explicit(&t->result->echoed, memory_order_relaxed);
		silent_ms = echoed == before ? silent_ms + PROGRESS_MS : 0;
		before = echoed;
		progress(t->listing, echoed, expected);
	}
	return false;
}

/* Watches a stage that has been started to its end. */
static int attend(const struct trial *t, pid_t pid, int alive, try_progress progress)
{
	int status = -1;

	if (!watch(t, alive, progress)) {
		try_note(t->result, TRY_STAGE, "nothing happened for %d ms; given up",
			 t->options->silence_ms);
		kill(pid, SIGKILL);
	}
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (WIFSIGNALED(status))
		try_note(t->result, TRY_STAGE, "ended by signal %d (%s)", WTERMSIG(status),
			 strsignal(WTERMSIG(status)));
	return status == 0 ? 0 : -EIO;
}

int try_run(const struct libos_listing *listing, const struct try_options *o,
	    struct try_result *result, try_progress progress)
{
	struct trial t = {.listing = listing, .options = o, .result = result};
	int alive[2], error;
	pid_t pid;

	if (pipe(alive)) {
		error = -errno;
		try_note(result, TRY_STAGE, "cannot make a pipe: %s", strerror(errno));
		return error;
	}
	pid = fork_bound();
	if (pid == 0) {
		close(alive[0]);
		_exit(stage(&t));
	}
	error = -errno;
	close(alive[1]);
	if (pid < 0)
		try_note(result, TRY_STAGE, "cannot start it: %s", strerror(-error));
	else
		error = attend(&t, pid, alive[0], progress);
	close(alive[0]);
	return error;
}
