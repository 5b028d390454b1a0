/* faults.c - every allocation of a connect, transfer, close sequence fails once: faults LIBOS, or
 * faults catpowder-LINK under tests/net/in-veth.sh, against the kernel at the other end.
 *
 * No fault may crash, hang or leak (run it under a sanitizer or valgrind), and the next sequence
 * of the same instance must work. What the library asks of libc and the kernel is caught by the
 * linker (--wrap; libyaml's by yaml_memory.h), buffers by mem/fault.h.
 *
 * SPDX-License-Identifier: MIT
 */
#include "../yaml_memory.h"
#include "far_side.h"
#include "mem/fault.h"
#include <arpa/inet.h>
#include <demi/ext.h>
#include <dirent.h>
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

/* Calls of this thread until one fails; 0: none does. */
static _Thread_local uint64_t countdown;
static _Thread_local bool hit;

static bool fails(void)
{
	if (countdown == 0 || --countdown > 0)
		return false;
	hit = true;
	return true;
}

/* __wrap_f(args): as f, or `failed` with errno `err`. */
#define WRAP(type, f, params, args, failed, err)                                                   \
	type __real_##f params;                                                                    \
	type __wrap_##f params;                                                                    \
	type __wrap_##f params                                                                     \
	{                                                                                          \
		if (!fails())                                                                      \
			return __real_##f args;                                                    \
		errno = err;                                                                       \
		return failed;                                                                     \
	}

WRAP(void *, malloc, (size_t n), (n), NULL, ENOMEM)
WRAP(void *, calloc, (size_t n, size_t each), (n, each), NULL, ENOMEM)
WRAP(void *, realloc, (void *p, size_t n), (p, n), NULL, ENOMEM)
WRAP(void *, aligned_alloc, (size_t align, size_t n), (align, n), NULL, ENOMEM)
WRAP(char *, strdup, (const char *s), (s), NULL, ENOMEM)
WRAP(void *, mmap, (void *at, size_t n, int prot, int flags, int fd, off_t off),
     (at, n, prot, flags, fd, off), MAP_FAILED, ENOMEM)
WRAP(int, socket, (int domain, int type, int protocol), (domain, type, protocol), -1, EMFILE)
WRAP(int, epoll_create1, (int flags), (flags), -1, EMFILE)
WRAP(int, epoll_ctl, (int set, int op, int fd, struct epoll_event *ev), (set, op, fd, ev), -1,
     ENOMEM)
WRAP(int, accept4, (int fd, struct sockaddr *peer, socklen_t *len, int flags),
     (fd, peer, len, flags), -1, ENFILE)

enum { QUEUES = 8, TOKENS = 16, BYTES = 200000, SKIPPED = 77 };

/* What a sequence holds, so that it can be given back from wherever it stopped. */
struct held {
	int qd[QUEUES];
	int queues;
	demi_qtoken_t qt[TOKENS];
	int tokens;
};

/* The result of a token that is no longer held; false: a failure, or none in time. */
static bool take(struct held *h, demi_qtoken_t qt, demi_qresult_t *qr)
{
	const struct timespec in_time = {.tv_sec = hit ? 0 : 60, .tv_nsec = hit ? 20000000 : 0};

	if (demi_wait(qr, qt, &in_time) != 0)
		return false;
	for (int i = 0; i < h->tokens; i++)
		if (h->qt[i] == qt)
			h->qt[i] = h->qt[--h->tokens];
	return qr->qr_opcode != DEMI_OPC_FAILED;
}

static void let_go(demi_qresult_t *qr)
{
	if (qr->qr_opcode == DEMI_OPC_POP)
		assert_int_equal(demi_sgafree(&qr->qr_value.sga), 0);
	if (qr->qr_opcode == DEMI_OPC_ACCEPT)
		demi_close(qr->qr_value.ares.qd);
}

/* Closing makes every token fail that is still held, or hands out what it has. */
static void end(struct held *h)
{
	demi_qresult_t qr;

	while (h->queues > 0)
		demi_close(h->qd[--h->queues]);
	while (h->tokens > 0) {
		demi_qtoken_t qt = h->qt[h->tokens - 1];

		if (take(h, qt, &qr))
			let_go(&qr);
		else if (h->tokens > 0 && h->qt[h->tokens - 1] == qt)
			h->tokens--;
	}
}

static bool hold(struct held *h, int rc, const demi_qtoken_t *qt)
{
	if (rc == 0)
		h->qt[h->tokens++] = *qt;
	return rc == 0;
}

static bool open_queue(struct held *h, int rc, const int *qd)
{
	if (rc == 0)
		h->qd[h->queues++] = *qd;
	return rc == 0;
}

/* Pushes len bytes from one queue and pops them from another. */
static bool carry(struct held *h, int from, int to, size_t len)
{
	demi_sgarray_t sga = demi_sgaalloc(len);
	demi_qtoken_t push, pop;
	demi_qresult_t qr;
	bool pushed;

	if (sga.sga_buf == NULL)
		return false;
	memset(sga.sga_segs[0].sgaseg_buf, 0x5a, len);
	pushed = hold(h, demi_push(&push, from, &sga), &push);
	assert_int_equal(demi_sgafree(&sga), 0);
	if (!pushed)
		return false;
	for (size_t got = 0; got < len;) {
		if (!hold(h, demi_pop(&pop, to), &pop) || !take(h, pop, &qr))
			return false;
		got += qr.qr_value.sga.sga_segs[0].sgaseg_len;
		if (qr.qr_value.sga.sga_segs[0].sgaseg_len == 0)
			got = SIZE_MAX;
		assert_int_equal(demi_sgafree(&qr.qr_value.sga), 0);
		if (got == SIZE_MAX)
			return false;
	}
	return take(h, push, &qr);
}

/* The addresses here and there; there is no port there: it is one stack that has both ends. */
static struct sockaddr_in here = {.sin_family = AF_INET}, there = {.sin_family = AF_INET};

static bool bind_here(int qd, struct sockaddr_in *name)
{
	socklen_t len = sizeof(*name);

	*name = here;
	return demi_bind(qd, (struct sockaddr *)name, len) == 0 &&
	       demi_getsockname(qd, (struct sockaddr *)name, &len) == 0;
}

static bool connect_two(struct held *h, int *a, int *b)
{
	demi_qtoken_t accept, connect;
	struct sockaddr_in to, from;
	demi_qresult_t qr;
	int listener;

	if (!open_queue(h, demi_socket(&listener, AF_INET, SOCK_STREAM, 0), &listener) ||
	    !bind_here(listener, &to) || demi_listen(listener, 8) != 0 ||
	    !open_queue(h, demi_socket(a, AF_INET, SOCK_STREAM, 0), a) || !bind_here(*a, &from))
		return false;
	if (there.sin_port != 0) {
		far_side_join(from, to);
		to = there;
	}
	if (!hold(h, demi_accept(&accept, listener), &accept) ||
	    !hold(h, demi_connect(&connect, *a, (struct sockaddr *)&to, sizeof(to)), &connect) ||
	    !take(h, connect, &qr) || !take(h, accept, &qr))
		return false;
	*b = qr.qr_value.ares.qd;
	return open_queue(h, 0, b);
}

static bool sequence(void)
{
	struct held h = {0};
	demi_qtoken_t closing;
	demi_qresult_t qr;
	int a, b, memory;
	bool done = false;

	if (!connect_two(&h, &a, &b) || !carry(&h, a, b, 64) || !carry(&h, b, a, BYTES))
		goto out;
	if (!open_queue(&h, demi_queue(&memory), &memory) || !carry(&h, memory, memory, 64))
		goto out;
	if (!hold(&h, demi_close_async(&closing, a), &closing) || !take(&h, closing, &qr))
		goto out;
	done = true;
out:
	end(&h);
	return done;
}

static _Thread_local unsigned lines; /* of the log */

/* One that fails says why, in one line. */
static bool init(void)
{
	int rc;

	lines = 0;
	rc = demi_init(NULL);
	if (rc == 0 || rc == EEXIST)
		return true;
	assert_int_equal(lines, 1);
	return false;
}

struct round {
	uint64_t n;   /* the fault */
	bool buffers; /* of mem/fault.h, else of libc and the kernel */
	bool was_hit;
};

static void *run_round(void *arg)
{
	struct round *r = arg;

	if (r->buffers) {
		assert_true(init());
		mem_fault_set(r->n);
		hit = true; /* short waits: a fault of these is not seen here */
	} else {
		countdown = r->n;
	}
	if (init())
		sequence();
	r->was_hit = r->buffers ? mem_fault_clear() : hit;
	countdown = 0;
	hit = false;
	assert_true(init());
	assert_true(sequence());
	return NULL;
}

static unsigned open_descriptors(void)
{
	DIR *dir = opendir("/proc/self/fd");
	unsigned n = 0;

	assert_non_null(dir);
	while (readdir(dir) != NULL)
		n++;
	closedir(dir);
	return n;
}

/* A link takes buffers for as long as a sequence lasts, and so many of them are like the others:
 * each of the first, then every so many. */
enum { EACH = 48 };

static void each_fails_once(bool buffers)
{
	struct round r = {.buffers = buffers, .was_hit = true};
	unsigned before = open_descriptors(), rounds = 0;
	pthread_t thread;

	while (r.was_hit) {
		rounds++;
		r.n += buffers && r.n > EACH ? r.n / 16 : 1;
		assert_int_equal(pthread_create(&thread, NULL, run_round, &r), 0);
		assert_int_equal(pthread_join(thread, NULL), 0);
	}
	assert_true(r.n > 3);
	assert_true(yaml_memory_calls() > 0);
	assert_int_equal(open_descriptors(), before);
	print_message("%u allocations failed, one at a time\n", rounds - 1);
}

static void every_allocation_of_a_sequence_may_fail(void **state)
{
	(void)state;
	each_fails_once(false);
}

static void every_buffer_of_a_sequence_may_be_missing(void **state)
{
	(void)state;
	each_fails_once(true);
}

static void *try_init(void *rc)
{
	*(int *)rc = demi_init(NULL);
	return NULL;
}

/* A machine may forbid io_uring: then there is nothing to try catcollar with. */
static bool may_start(void)
{
	pthread_t thread;
	int rc = 0;

	assert_int_equal(pthread_create(&thread, NULL, try_init, &rc), 0);
	assert_int_equal(pthread_join(thread, NULL), 0);
	return rc != ENOSYS && rc != EPERM;
}

static void count_line(int level, const char *line)
{
	(void)level;
	(void)line;
	lines++;
}

#define SECTIONS                                                                                   \
	"tcp_socket_options:\n  nodelay: true\n"                                                   \
	"inetstack_config:\n  arp_table: {\"02:00:00:00:00:01\": 10.0.0.2}\n"

static const struct row {
	const char *label, *libos;
	const char *here, *there;
	const char *far; /* the interface over there, of the kernel; NULL: both ends are here */
	const char *yaml;
} rows[] = {
    {"catnap", "catnap", "127.0.0.1", "127.0.0.1", NULL, SECTIONS},
    {"catcollar", "catcollar", "127.0.0.1", "127.0.0.1", NULL, SECTIONS},
    {"catpowder-packet", "catpowder", "10.9.0.1", "10.9.0.2", "vb",
     "demikernel:\n  local_ipv4_addr: 10.9.0.1/24\n"
     "raw_socket:\n  linux_interface_name: va\n  link: packet\n" SECTIONS},
    {"catpowder-xdp", "catpowder", "10.9.0.1", "10.9.0.2", "vb",
     "demikernel:\n  local_ipv4_addr: 10.9.0.1/24\n"
     "raw_socket:\n  linux_interface_name: va\n  link: xdp\n" SECTIONS},
};

/* In a file that ends with us. */
static bool write_configuration(const char *yaml)
{
	static char path[64];
	int fd = memfd_create("faults.yaml", 0);

	if (fd < 0 || write(fd, yaml, strlen(yaml)) != (ssize_t)strlen(yaml))
		return false;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return setenv("CONFIG_PATH", path, 1) == 0;
}

static bool choose(const char *label)
{
	enum { FAR_PORT = 12345 };

	for (const struct row *r = rows; r < rows + sizeof(rows) / sizeof(rows[0]); r++) {
		if (strcmp(label, r->label) != 0)
			continue;
		here.sin_addr.s_addr = inet_addr(r->here);
		there.sin_addr.s_addr = inet_addr(r->there);
		if (r->far != NULL) {
			there.sin_port = htons(FAR_PORT);
			if (!far_side_start(r->far, there))
				return false;
		}
		return setenv("LIBOS", r->libos, 1) == 0 && write_configuration(r->yaml);
	}
	fprintf(stderr, "faults: no libOS %s\n", label);
	return false;
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_allocation_of_a_sequence_may_fail),
	    cmocka_unit_test(every_buffer_of_a_sequence_may_be_missing),
	};

	if (!choose(argc > 1 ? argv[1] : "catnap"))
		return 1;
	if (!may_start())
		return SKIPPED;
	demi_set_log(count_line);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
