/* zero_copy.c - from how many bytes on it pays to send from the program's memory through io_uring:
 * the time of a send that is copied, and of one that is not with the notice that ends it.
 *
 *	zero_copy ADDRESS	sends datagrams to ADDRESS, as root:
 *
 *	unshare -n sh -c 'ip link add va mtu 65535 type veth peer name vb && ip link set va up &&
 *		ip addr add 10.99.0.1/24 dev va &&
 *		ip neigh add 10.99.0.2 lladdr 02:00:00:00:00:02 dev va && zero_copy 10.99.0.2'
 *
 * That interface has no carrier: what is sent is dropped behind the sender's own work, and, unlike
 * on a loopback, not copied after all.
 *
 * Prints size= send_ns= huge_pages_ns= small_pages_ns= copied=, the best of many runs: copied;
 * without a copy from memory of huge pages, as the library's is where it can be had; and from
 * other memory, each page of which is pinned by itself.
 *
 * SPDX-License-Identifier: MIT
 */
#include "yardstick.h"

#include <arpa/inet.h>
#include <errno.h>
#include <liburing.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>

enum {
	SIZE_MIN = 1024,
	SIZE_MAX_BYTES = 61440,
	ROOM_BYTES = 65536,
	ROOMS = 64,
	SENDS = 1000,
	REPEATS = 50,
	HUGE_PAGE = 2 << 20,
	MEMORY = ROOMS * ROOM_BYTES,
};
enum { SEND, FROM_HUGE_PAGES, FROM_SMALL_PAGES, WAYS };

/* Of <linux/io_uring.h> since Linux 6.2; liburing's copy may be older. */
#define REPORT_USAGE (1U << 3)
#define COPIED       (1U << 31)

static struct io_uring ring;
static bool copied;

/* Rooms that are sent from in turn, so that they are not all in the nearest cache. */
static char *map(int advice)
{
	char *p = mmap(NULL, MEMORY + HUGE_PAGE, PROT_READ | PROT_WRITE,
		       MAP_ANONYMOUS | MAP_PRIVATE, -1, 0);

	if (p == MAP_FAILED)
		die("mmap");
	p += HUGE_PAGE - (uintptr_t)p % HUGE_PAGE;
	madvise(p, MEMORY, advice);
	memset(p, 1, MEMORY);
	return p;
}

static int connect_datagrams(const char *address)
{
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(9)};
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	errno = EINVAL;
	if (inet_pton(AF_INET, address, &to.sin_addr) != 1 ||
	    connect(fd, (struct sockaddr *)&to, sizeof(to)))
		die("cannot connect");
	return fd;
}

/* One completion. true: another one follows. */
static bool complete(void)
{
	struct io_uring_cqe *cqe;
	bool more;

	if (io_uring_wait_cqe(&ring, &cqe))
		die("io_uring");
	if (cqe->flags & IORING_CQE_F_NOTIF) {
		copied |= ((uint32_t)cqe->res & COPIED) != 0;
	} else if (cqe->res < 0) {
		errno = -cqe->res;
		die("a send");
	}
	more = (cqe->flags & IORING_CQE_F_MORE) != 0;
	io_uring_cqe_seen(&ring, cqe);
	return more;
}

static double time_sends(int fd, char *rooms, size_t size, bool zero_copy)
{
	uint64_t start_ns = now_ns();

	for (int i = 0; i < SENDS; i++) {
		struct io_uring_sqe *sqe = io_uring_get_sqe(&ring);
		char *room = rooms + (size_t)(i % ROOMS) * ROOM_BYTES;

		if (zero_copy)
			io_uring_prep_send_zc(sqe, fd, room, size, 0, REPORT_USAGE);
		else
			io_uring_prep_send(sqe, fd, room, size, 0);
		io_uring_submit_and_wait(&ring, 1);
		while (complete())
			continue;
	}
	return (double)(now_ns() - start_ns) / SENDS;
}

static void compare(int fd, char *const rooms[], size_t size)
{
	double best[WAYS] = {1e18, 1e18, 1e18};

	copied = false;
	for (int i = 0; i < REPEATS; i++) {
		for (int way = 0; way < WAYS; way++) {
			double ns = time_sends(fd, rooms[way], size, way != SEND);

			best[way] = ns < best[way] ? ns : best[way];
		}
	}
	printf("size=%zu send_ns=%.0f huge_pages_ns=%.0f small_pages_ns=%.0f copied=%d\n", size,
	       best[SEND], best[FROM_HUGE_PAGES], best[FROM_SMALL_PAGES], copied);
	fflush(stdout);
}

int main(int argc, char **argv)
{
	struct io_uring_params params = {.flags = IORING_SETUP_SINGLE_ISSUER |
						  IORING_SETUP_DEFER_TASKRUN};
	char *rooms[WAYS];
	int fd;

	errno = EINVAL;
	if (argc != 2)
		die("usage: zero_copy ADDRESS");
	fd = connect_datagrams(argv[1]);
	errno = -io_uring_queue_init_params(ROOMS, &ring, &params);
	if (errno)
		die("io_uring");
	rooms[SEND] = rooms[FROM_HUGE_PAGES] = map(MADV_HUGEPAGE);
	rooms[FROM_SMALL_PAGES] = map(MADV_NOHUGEPAGE);
	for (size_t size = SIZE_MIN; size < SIZE_MAX_BYTES; size *= 2)
		compare(fd, rooms, size);
	compare(fd, rooms, SIZE_MAX_BYTES);
	return 0;
}
