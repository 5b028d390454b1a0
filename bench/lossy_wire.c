/* lossy_wire.c - a bad wire between two TAPs of this machine: what the kernel's TCP is measured
 * over, in the conditions in which the simulator measures ours (tests/sim/figures.c), by the same
 * link/sim.c.
 *
 *     lossy_wire TAP1 TAP2 DELAY_US MBIT_S QUEUE_BYTES LOSS_PPM [REORDER_PPM REORDER_US [SEED]]
 *
 * Makes both, and carries frames between them until it is ended. The delay is one way, and of both;
 * losses and late frames are those of the way to TAP2. bench/lossy_kernel puts the TAPs into
 * namespaces and measures.
 *
 * SPDX-License-Identifier: MIT
 */
#include "link/sim.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

enum { BUFFERS = 32768, ROOM = 2048, FRAMES = 16384 };

/* A TAP without offloads: each frame is whole, and one read or write. */
struct end {
	struct link link; /* first */
	int fd;
};

static int end_rx(struct link *l, struct buf *bufs[], int max, uint64_t now_ns)
{
	struct end *e = (struct end *)(void *)l;
	int n = 0;

	(void)now_ns;
	while (n < max) {
		struct buf *b = pool_get(l->info.rx_pool);
		ssize_t len = b != NULL ? read(e->fd, b->data, buf_tailroom(b)) : -1;

		if (len <= 0) {
			if (b != NULL)
				buf_unref(b);
			break;
		}
		b->len = (uint32_t)len;
		bufs[n++] = b;
	}
	return n;
}

static void end_destroy(struct link *l)
{
	close(((struct end *)(void *)l)->fd);
	free(l);
}

static const struct link_ops end_ops = {.name = "end", .rx = end_rx, .destroy = end_destroy};

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static struct end *end_open(const char *name, struct pool *pool)
{
	struct end *e = calloc(1, sizeof(*e));
	struct ifreq ifr = {.ifr_flags = IFF_TAP | IFF_NO_PI};

	if (e == NULL)
		die("calloc");
	e->link.ops = &end_ops;
	e->link.info.rx_pool = pool;
	e->fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK);
	if (e->fd < 0)
		die("/dev/net/tun");
	strncpy(ifr.ifr_name, name, IFNAMSIZ - 1);
	if (ioctl(e->fd, TUNSETIFF, &ifr) < 0)
		die(name);
	return e;
}

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

/* What came from one end goes to the other, when its time has come. */
static void carry(struct link *from, const struct end *to)
{
	struct buf *bufs[LINK_BURST];
	int n = from->ops->rx(from, bufs, LINK_BURST, now_ns());

	for (int i = 0; i < n; i++) {
		if (write(to->fd, bufs[i]->data, bufs[i]->len) < 0 && errno != EAGAIN &&
		    errno != EIO)
			die("write"); /* EIO: the interface is down yet */
		buf_unref(bufs[i]);
	}
}

static uint64_t number(int argc, char **argv, int i)
{
	return i < argc ? strtoull(argv[i], NULL, 10) : 0;
}

int main(int argc, char **argv)
{
	struct sim_config c = {.max_frames = FRAMES};
	struct link *there, *back;
	struct end *a, *b;
	struct pool *pool;

	if (argc < 7) {
		fprintf(stderr, "usage: lossy_wire TAP1 TAP2 DELAY_US MBIT_S QUEUE_BYTES LOSS_PPM "
				"[REORDER_PPM REORDER_US [SEED]]\n");
		return 2;
	}
	if (pool_create(&pool, BUFFERS, ROOM, 0, NULL) < 0)
		die("pool");
	a = end_open(argv[1], pool);
	b = end_open(argv[2], pool);
	c.delay_ns = number(argc, argv, 3) * 1000;
	c.bits_per_s = number(argc, argv, 4) * 1000000;
	c.queue_bytes = (uint32_t)number(argc, argv, 5);
	c.seed = number(argc, argv, 9) + 1;
	if (sim_wrap(&back, &b->link, &c) < 0)
		die("a number makes no sense");
	c.loss_ppm = (uint32_t)number(argc, argv, 6);
	c.reorder_ppm = (uint32_t)number(argc, argv, 7);
	c.reorder_ns = number(argc, argv, 8) * 1000;
	if (sim_wrap(&there, &a->link, &c) < 0)
		die("a number makes no sense");
	puts("ready");
	fflush(stdout);
	for (;;) {
		carry(there, b);
		carry(back, a);
	}
}
