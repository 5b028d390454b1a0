/* uring_echo.c - what a TCP echo through io_uring costs by hand: receives that go on and on into
 * provided buffers, a send for each message, and one system call for all that there is to ask.
 *
 *	uring_echo server PORT spin|block	port 0 chooses, and "port N" is printed; ends with
 *						its last client
 *	uring_echo client PORT SIZE MESSAGES spin|block
 *						prints messages=, p50_ns=, p99_ns= and rate=
 *
 * spin: looks for completions without a system call until there is one; block: sleeps in the
 * kernel.
 *
 * SPDX-License-Identifier: MIT
 */
#include "histogram.h"
#include "yardstick.h"

#include <errno.h>
#include <fcntl.h>
#include <liburing.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

enum { ENTRIES = 1024, COMPLETIONS = 8192, BUFFERS = 2048, BUFFER_BYTES = 2048, BATCH = 256 };
enum { GROUP = 0, ACCEPT = 1, RECEIVE = 2, SEND = 3 }; /* the last three: in user_data */

static struct io_uring ring;
static struct io_uring_buf_ring *buffers;
static char *rooms;
static bool spins;
static int clients;

static void provide(unsigned id)
{
	io_uring_buf_ring_add(buffers, rooms + (size_t)id * BUFFER_BYTES, BUFFER_BYTES,
			      (uint16_t)id, io_uring_buf_ring_mask(BUFFERS), 0);
	io_uring_buf_ring_advance(buffers, 1);
}

static void *map(size_t bytes)
{
	void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_ANONYMOUS | MAP_PRIVATE, -1, 0);

	if (p == MAP_FAILED)
		die("mmap");
	return p;
}

static void open_ring(void)
{
	struct io_uring_params params = {
	    .flags = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN |
		     IORING_SETUP_TASKRUN_FLAG | IORING_SETUP_CQSIZE,
	    .cq_entries = COMPLETIONS,
	};
	struct io_uring_buf_reg reg = {.ring_entries = BUFFERS, .bgid = GROUP};
	int rc = io_uring_queue_init_params(ENTRIES, &ring, &params);

	errno = -rc;
	if (rc < 0)
		die("io_uring");
	buffers = map(BUFFERS * sizeof(struct io_uring_buf));
	rooms = map((size_t)BUFFERS * BUFFER_BYTES);
	reg.ring_addr = (uintptr_t)buffers;
	io_uring_buf_ring_init(buffers);
	if (io_uring_register_buf_ring(&ring, &reg, 0) < 0)
		die("io_uring_register_buf_ring");
	io_uring_register_ring_fd(&ring);
	for (unsigned i = 0; i < BUFFERS; i++)
		provide(i);
}

/* 16 bits of user_data for a buffer, 16 for what it is, the rest for the connection. */
static void label(struct io_uring_sqe *sqe, unsigned what, int fd, unsigned buffer)
{
	io_uring_sqe_set_data64(sqe, (uint64_t)(unsigned)fd << 32 | what << 16 | buffer);
}

static struct io_uring_sqe *ask(void)
{
	struct io_uring_sqe *sqe = io_uring_get_sqe(&ring);

	if (sqe)
		return sqe;
	io_uring_submit(&ring);
	return io_uring_get_sqe(&ring);
}

static void receive(int fd)
{
	struct io_uring_sqe *sqe = ask();

	io_uring_prep_recv_multishot(sqe, fd, NULL, 0, 0);
	sqe->flags |= IOSQE_BUFFER_SELECT;
	sqe->buf_group = GROUP;
	label(sqe, RECEIVE, fd, 0);
}

static void send_bytes(int fd, const char *bytes, size_t n, unsigned buffer)
{
	struct io_uring_sqe *sqe = ask();

	io_uring_prep_send(sqe, fd, bytes, n, MSG_NOSIGNAL | MSG_WAITALL);
	label(sqe, SEND, fd, buffer);
}

/* Completions, at least one: `max` at most. */
static unsigned wait_for(struct io_uring_cqe **cqes, unsigned max)
{
	unsigned n;

	if (!spins) {
		io_uring_submit_and_wait(&ring, 1);
	} else if (io_uring_sq_ready(&ring) > 0) {
		io_uring_submit_and_get_events(&ring);
	}
	while ((n = io_uring_peek_batch_cqe(&ring, cqes, max)) == 0) {
		if (__atomic_load_n(ring.sq.kflags, __ATOMIC_RELAXED) & IORING_SQ_TASKRUN)
			io_uring_get_events(&ring);
	}
	return n;
}

static void send_at_once(int fd)
{
	int yes = 1;

	if (setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes)))
		die("cannot set up a connection");
}

static void echo(const struct io_uring_cqe *cqe, int fd)
{
	unsigned buffer = cqe->flags >> IORING_CQE_BUFFER_SHIFT;

	if (cqe->res > 0) {
		send_bytes(fd, rooms + (size_t)buffer * BUFFER_BYTES, (size_t)cqe->res, buffer);
	} else if (cqe->res != -ENOBUFS) {
		close(fd);
		clients--;
		return;
	}
	if (!(cqe->flags & IORING_CQE_F_MORE))
		receive(fd);
}

static void serve_one(const struct io_uring_cqe *cqe)
{
	int fd = (int)(cqe->user_data >> 32);

	switch (cqe->user_data >> 16 & 0xffff) {
	case ACCEPT:
		if (cqe->res < 0)
			die("accept");
		send_at_once(cqe->res);
		receive(cqe->res);
		clients++;
		break;
	case RECEIVE:
		echo(cqe, fd);
		break;
	case SEND:
		provide(cqe->user_data & 0xffff);
		break;
	}
}

static void serve(int port)
{
	struct io_uring_cqe *cqes[BATCH];
	int listener = listen_at(port);
	bool visited = false;
	struct io_uring_sqe *sqe = ask();

	io_uring_prep_multishot_accept(sqe, listener, NULL, NULL, SOCK_CLOEXEC);
	label(sqe, ACCEPT, listener, 0);
	while (!visited || clients > 0) {
		unsigned n = wait_for(cqes, BATCH);

		for (unsigned i = 0; i < n; i++)
			serve_one(cqes[i]);
		io_uring_cq_advance(&ring, n);
		visited |= clients > 0;
	}
}

/* Sends `size` bytes and waits until as many have come back. */
static void exchange(int fd, const char *bytes, size_t size)
{
	struct io_uring_cqe *cqes[BATCH];
	size_t missing = size;

	send_bytes(fd, bytes, size, 0);
	while (missing > 0) {
		unsigned n = wait_for(cqes, BATCH);

		for (unsigned i = 0; i < n; i++) {
			if ((cqes[i]->user_data >> 16 & 0xffff) != RECEIVE)
				continue;
			if (cqes[i]->res <= 0)
				die("the server left");
			missing -= (size_t)cqes[i]->res;
			provide(cqes[i]->flags >> IORING_CQE_BUFFER_SHIFT);
			if (!(cqes[i]->flags & IORING_CQE_F_MORE))
				receive(fd);
		}
		io_uring_cq_advance(&ring, n);
	}
}

static void ask_server(int port, size_t size, uint64_t messages)
{
	static char bytes[BUFFER_BYTES];
	static struct histogram h;
	int fd = connect_to(port);
	uint64_t start_ns, all_start_ns = now_ns();

	if (fcntl(fd, F_SETFL, 0)) /* io_uring waits for what blocks */
		die("fcntl");
	histogram_clear(&h);
	receive(fd);
	for (uint64_t i = 0; i < messages; i++) {
		start_ns = now_ns();
		exchange(fd, bytes, size);
		histogram_record(&h, now_ns() - start_ns);
	}
	print_result(&h, now_ns() - all_start_ns);
}

int main(int argc, char **argv)
{
	if (argc == 4 && strcmp(argv[1], "server") == 0) {
		spins = strcmp(argv[3], "spin") == 0;
		open_ring();
		serve(atoi(argv[2]));
	} else if (argc == 6 && strcmp(argv[1], "client") == 0) {
		size_t size = strtoul(argv[3], NULL, 10);

		spins = strcmp(argv[5], "spin") == 0;
		errno = EINVAL;
		if (size < 1 || size > BUFFER_BYTES)
			die("SIZE is 1 to 2048");
		open_ring();
		ask_server(atoi(argv[2]), size, strtoull(argv[4], NULL, 10));
	} else {
		errno = EINVAL;
		die("usage: uring_echo server PORT spin|block | client PORT SIZE MESSAGES spin|block");
	}
	return 0;
}
