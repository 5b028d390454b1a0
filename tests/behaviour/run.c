/* run.c - runs every case over one libOS: behaviour LIBOS [PART-OF-A-NAME].
 *
 * Each side of a case is a process of its own, so that it has a fresh library, may exit, and takes
 * nothing down with it.
 *
 * SPDX-License-Identifier: MIT
 */
#include "side.h"
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

enum { CASE_SECONDS = 300, CASES_MAX = 256, SKIPPED = 77 };

/* catpowder between va and vb: run under tests/net/in-veth.sh, or, when they are TAPs, in-taps.sh.
 * `both`: of the section raw_socket; `more`: of B's configuration. */
#define IN_VETH(label, link, both, more, alone)                                                    \
	{                                                                                          \
		label, "catpowder", {"10.9.0.1", "10.9.0.2"},                                      \
		    {"  local_ipv4_addr: 10.9.0.1/24\n", "  local_ipv4_addr: 10.9.0.2/24\n"},      \
		    {"raw_socket:\n  linux_interface_name: va\n  link: " link "\n" both,           \
		     "raw_socket:\n  linux_interface_name: vb\n  link: " link "\n" both more},     \
		    true, alone, false                                                             \
	}

/* catnip over two DPDK ports that are each other's wire. An @ stands for a number of this run: they
 * meet at a socket that no other run has. */
#define OVER_DPDK(label, port_a, port_b)                                                           \
	{                                                                                          \
		label, "catnip", {"10.9.0.1", "10.9.0.2"},                                         \
		    {"  local_ipv4_addr: 10.9.0.1/24\n  local_link_addr: 02:00:00:00:09:01\n",     \
		     "  local_ipv4_addr: 10.9.0.2/24\n  local_link_addr: 02:00:00:00:09:02\n"},    \
		    {"dpdk:\n  eal_init: [" EAL ", --vdev, '" port_a "']\n",                       \
		     "dpdk:\n  eal_init: [" EAL ", --vdev, '" port_b "']\n"},                      \
		    true, true, true                                                               \
	}
#define EAL        "--no-huge, -m, 256, --no-pci, --no-telemetry, --no-shconf"
#define MEMIF      "socket-abstract=yes,socket=demi-behaviour-@"
#define VHOST_PATH "/tmp/demi-behaviour-"
#define VHOST      VHOST_PATH "@"

/* The threads of a process share its interface. */
#define SHARED "  instances: 8\n"

/* Leaves to the device what it can. */
#define OFFLOADS "inetstack_config:\n  tcp_checksum_offload: true\n  udp_checksum_offload: true\n"

static const struct libos_row rows[] = {
    {"catnap", "catnap", {"127.0.0.1", "127.0.0.1"}, {"", ""}, {"", ""}, false, false, false},
    {"catcollar", "catcollar", {"127.0.0.1", "127.0.0.1"}, {"", ""}, {"", ""}, false, false, false},
    IN_VETH("catpowder-xdp", "xdp", "", "", true),
    IN_VETH("catpowder-packet", "packet", "", "", true),
    IN_VETH("catpowder-tap", "tap", "", OFFLOADS, true),
    IN_VETH("catpowder-shared-xdp", "xdp", SHARED, "", false),
    IN_VETH("catpowder-shared-packet", "packet", SHARED, "", false),
    IN_VETH("catpowder-shared-tap", "tap", SHARED, OFFLOADS, false),
    OVER_DPDK("catnip-memif", "net_memif,role=server," MEMIF, "net_memif,role=client," MEMIF),
    OVER_DPDK("catnip-memif-lossy", "net_memif,role=server," MEMIF, "net_memif,role=client," MEMIF),
    OVER_DPDK("catnip-vhost", "net_vhost0,client=1,iface=" VHOST,
	      "net_virtio_user0,server=1,path=" VHOST),
    OVER_DPDK("catnip-packet", "net_af_packet0,iface=va", "net_af_packet0,iface=vb"),
};

static const struct behaviour *const groups[] = {
    misuse_cases, transfer_cases, wait_cases, close_cases, process_cases, limit_cases, option_cases,
};

static const struct libos_row *chosen;

static pid_t start(side_fn fn, int side, const int ends[2])
{
	pid_t pid = fork();

	if (pid != 0)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	alarm(CASE_SECONDS);
	close(ends[1 - side]);
	row = chosen;
	me = side;
	channel = ends[side];
	setenv("LIBOS", row->name, 1);
	unsetenv("CONFIG_PATH");
	setenv("XDG_CONFIG_HOME", "/nonexistent", 1);
	if (row->demikernel[me][0] != '\0' || row->sections[me][0] != '\0')
		configure(NULL, NULL);
	fn();
	exit(0);
}

/* A side that fails takes the other with it, which would wait in vain. */
static int wait_for_all(pid_t pid[], int count)
{
	int failed = 0;

	for (int left = count; left > 0; left--) {
		int status;
		pid_t ended = wait(&status);

		for (int i = 0; i < count; i++) {
			if (pid[i] == ended)
				pid[i] = -1;
			else if (pid[i] > 0 && status != 0)
				kill(pid[i], SIGKILL);
		}
		if (status != 0 && !failed)
			failed = status;
	}
	return failed;
}

static void run_case(void **state)
{
	const struct behaviour *b = *state;
	const struct timeval limit = {.tv_sec = HEAR_SECONDS};
	pid_t pid[2];
	int ends[2], status;

	fflush(NULL);
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends), 0);
	for (int i = 0; i < 2; i++)
		setsockopt(ends[i], SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	pid[0] = start(b->a, 0, ends);
	assert_true(pid[0] > 0);
	if (b->b != NULL)
		pid[1] = start(b->b, 1, ends);
	status = wait_for_all(pid, b->b != NULL ? 2 : 1);
	close(ends[0]); /* only now: a side may say its last when the other has ended */
	close(ends[1]);
	if (WIFSIGNALED(status))
		fail_msg("ended by signal %d%s", WTERMSIG(status),
			 WTERMSIG(status) == SIGALRM ? ": took too long" : "");
	assert_int_equal(status, 0);
}

/* The memory that DPDK's ports pin is not there in a fork's child (MADV_DONTFORK), and valgrind,
 * which does not know, looks for leaks in it, from fault to fault, for hours. */
static bool takes_hours(const struct behaviour *b)
{
	return b->forks && strcmp(chosen->name, "catnip") == 0 &&
	       getenv("DEMI_TEST_WRAPPER") != NULL;
}

static void leave_out(void **state)
{
	(void)state;
	print_message(
	    "left out: valgrind would search the child of a fork() for leaks for hours\n");
	skip();
}

/* A wire that loses frames loses datagrams, and has nothing to say on what calls refuse. */
static bool leaves_out(const struct behaviour *group, const struct behaviour *b)
{
	return (b->threads && chosen->one_instance) || (b->kernel && chosen->no_kernel) ||
	       (strstr(chosen->label, "-lossy") &&
		((group != transfer_cases && group != close_cases) || strstr(b->name, "datagram")));
}

static size_t collect(struct CMUnitTest tests[], const char *part)
{
	size_t n = 0;

	for (size_t g = 0; g < sizeof(groups) / sizeof(groups[0]); g++)
		for (const struct behaviour *b = groups[g]; b->name != NULL; b++) {
			if ((part != NULL && strstr(b->name, part) == NULL) ||
			    leaves_out(groups[g], b))
				continue;
			assert_true(n < CASES_MAX);
			tests[n++] = (struct CMUnitTest){
			    .name = b->name,
			    .test_func = takes_hours(b) ? leave_out : run_case,
			    .initial_state = (void *)(uintptr_t)b,
			};
		}
	return n;
}

/* A machine may forbid io_uring: `demi doctor` says so, and how to allow it. */
static bool is_forbidden_here(void)
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		int rc;

		setenv("LIBOS", chosen->name, 1);
		unsetenv("CONFIG_PATH");
		rc = demi_init(NULL);
		_exit(rc == ENOSYS || rc == EPERM);
	}
	return waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 1;
}

/* A process that was killed has left it. */
static int remove_vhost_socket(void **state)
{
	char path[64];

	(void)state;
	snprintf(path, sizeof(path), VHOST_PATH "%d", run_number);
	unlink(path);
	return 0;
}

int main(int argc, char **argv)
{
	static struct CMUnitTest tests[CASES_MAX];
	size_t n;

	for (size_t i = 0; argc > 1 && i < sizeof(rows) / sizeof(rows[0]); i++)
		if (strcmp(rows[i].label, argv[1]) == 0)
			chosen = &rows[i];
	run_number = getpid();
	if (chosen == NULL) {
		fprintf(stderr, "usage: %s LIBOS [PART-OF-A-NAME]\n", argv[0]);
		return 2;
	}
	if (strcmp(chosen->name, "catcollar") == 0 && is_forbidden_here())
		return SKIPPED;
	n = collect(tests, argc > 2 ? argv[2] : NULL);
	return _cmocka_run_group_tests(chosen->label, tests, n, NULL, remove_vhost_socket);
}
