/* xdp_socket.c - see xdp_socket.h.
 *
 * SPDX-License-Identifier: MIT
 */
#include "link/xdp_socket.h"
#include "base/log.h"
#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

/* Newer than the headers that the distribution installs (linux/if_xdp.h of Linux 6.6). */
#ifndef XDP_USE_SG
#define XDP_USE_SG (1 << 4)
#endif
#ifndef SO_PREFER_BUSY_POLL
#define SO_PREFER_BUSY_POLL 69
#endif
#ifndef SO_BUSY_POLL_BUDGET
#define SO_BUSY_POLL_BUDGET 70
#endif

/* The pool's rooms go back to the heap with the last frame that the program still had. */
static void rooms_gone(struct pool *pool)
{
	struct buf *rooms = (struct buf *)(uintptr_t)pool->bufs[0].device;

	pool_free(pool);
	pool_unref(rooms);
}

/* One block of the heap becomes the rooms of the link's pool. A heap is 16 MiB at least. */
static int make_pool(struct xdp *x)
{
	uint32_t count = XDP_POOL_BUFFERS;
	int rc;

	x->area = heap_pin(x->heap, &x->area_bytes);
	if (count > x->area_bytes / XDP_CHUNK_BYTES / 4) /* the rest is the program's */
		count = (uint32_t)(x->area_bytes / XDP_CHUNK_BYTES / 4);
	x->rooms = heap_alloc(x->heap, (size_t)count * XDP_CHUNK_BYTES);
	x->lent = calloc(count, sizeof(*x->lent));
	if (!x->rooms || !x->lent) {
		rc = -ENOMEM;
		goto unref_rooms;
	}
	rc = pool_create(&x->link.info.rx_pool, count, XDP_CHUNK_BYTES, BUF_HEADROOM_BYTES,
			 x->rooms->data);
	if (rc < 0)
		goto unref_rooms;
	x->link.info.rx_pool->gone = rooms_gone;
	x->link.info.rx_pool->bufs[0].device = (uintptr_t)x->rooms;
	return 0;

unref_rooms:
	if (x->rooms)
		buf_unref(x->rooms);
	return rc;
}

/* Tells the kernel of the heap, which pins it. */
static int make_umem(struct xdp *x)
{
	const struct xsk_umem_config cfg = {
	    .fill_size = XDP_RING_FRAMES,
	    .comp_size = XDP_RING_FRAMES,
	    .frame_size = XDP_CHUNK_BYTES,
	};

	x->tx = calloc(x->area_bytes / XDP_CHUNK_BYTES, sizeof(*x->tx));
	if (!x->tx)
		return -ENOMEM;
	return xsk_umem__create(&x->umem, x->area, x->area_bytes, &x->fill, &x->completion, &cfg);
}

static void pause_10_ms(void)
{
	nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
}

static int bind_socket(struct xdp *x, const struct xdp_setup *opt, uint16_t flags)
{
	const struct xsk_socket_config cfg = {
	    .rx_size = XDP_RING_FRAMES,
	    .tx_size = XDP_RING_FRAMES,
	    .libxdp_flags = XSK_LIBXDP_FLAGS__INHIBIT_PROG_LOAD,
	    .bind_flags = flags | XDP_USE_NEED_WAKEUP,
	};
	char name[IFNAMSIZ] = ""; /* libxdp copies as many bytes, however long the name is */
	int rc;

	snprintf(name, sizeof(name), "%s", opt->interface);
	/* The kernel frees the queue of a process just ended a little after its end. */
	for (unsigned tries = 0; tries < XDP_BIND_TRIES; tries++) {
		rc = xsk_socket__create(&x->socket, name, opt->queue, x->umem, &x->rx, &x->send,
					&cfg);
		if (rc != -EBUSY)
			break;
		pause_10_ms();
	}
	return rc;
}

/* In copy mode the kernel makes a packet of each frame, and takes 32 of them a call. Without a
 * cutter it works as well, slower. */
static void open_cutter(struct xdp *x, const char *interface)
{
	if (cutter_open(&x->cutter, interface) < 0)
		return;
	x->link.info.offloads = OFFLOAD_TSO;
	x->link.info.tso_max_bytes = CUTTER_TSO_BYTES;
}

/* The best that driver and kernel have: frames of several pieces or not, without a copy or with
 * one. */
static int make_socket(struct xdp *x, const struct xdp_setup *opt)
{
	static const uint16_t ways[] = {XDP_ZEROCOPY | XDP_USE_SG, XDP_ZEROCOPY,
					XDP_COPY | XDP_USE_SG, XDP_COPY};
	unsigned i = x->program.generic ? 2 : 0; /* zero-copy is the driver's */
	int rc = -EOPNOTSUPP;

	for (; i < sizeof(ways) / sizeof(ways[0]); i++) {
		rc = bind_socket(x, opt, ways[i]);
		if (rc == 0 || rc == -EBUSY || rc == -EPERM)
			break;
	}
	if (rc < 0)
		return rc;
	x->fd = xsk_socket__fd(x->socket);
	x->multi_buffer = (ways[i] & XDP_USE_SG) != 0;
	if (!(ways[i] & XDP_ZEROCOPY))
		open_cutter(x, opt->interface);
	log_info("%s queue %u: AF_XDP, %s%s%s", opt->interface, opt->queue,
		 x->program.generic ? "generic" : "native",
		 ways[i] & XDP_ZEROCOPY ? ", zero-copy" : ", copy mode",
		 x->multi_buffer ? ", multi-buffer" : "");
	return 0;
}

static void set_busy_poll(struct xdp *x, uint32_t us)
{
	int prefer = 1, time = (int)us, budget = LINK_BURST;

	if (us == 0)
		return;
	if (setsockopt(x->fd, SOL_SOCKET, SO_PREFER_BUSY_POLL, &prefer, sizeof(prefer)) < 0 ||
	    setsockopt(x->fd, SOL_SOCKET, SO_BUSY_POLL, &time, sizeof(time)) < 0 ||
	    setsockopt(x->fd, SOL_SOCKET, SO_BUSY_POLL_BUDGET, &budget, sizeof(budget)) < 0)
		log_warn("the kernel does not busy-poll this socket: %s", strerror(errno));
	else
		x->busy_poll = true;
}

int xdp_socket_open(struct xdp *x, const struct xdp_setup *opt)
{
	int rc = make_pool(x);

	if (rc == 0)
		rc = make_umem(x);
	if (rc == 0)
		rc = make_socket(x, opt);
	if (rc == 0)
		set_busy_poll(x, opt->busy_poll_us);
	return rc;
}
