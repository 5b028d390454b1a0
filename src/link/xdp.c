/* xdp.c - see xdp.h.
 *
 * Four rings (af_xdp.rst): fill (chunks for the kernel to receive into), receive, transmit,
 * completion (pieces that were sent). Chunks of received frames are rooms of the link's pool, which
 * lies inside the UMEM as one block of the heap; a chunk on the fill ring is a buffer taken from
 * the pool, and becomes the frame's buffer as it is.
 *
 * SPDX-License-Identifier: MIT
 */
#include "link/xdp.h"
#include "base/list.h"
#include "base/log.h"
#include "link/cutter.h"
#include "link/interface.h"
#include "link/xdp_pieces.h"
#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include <xdp/xsk.h>

/* Newer than the headers that the distribution installs (linux/if_xdp.h of Linux 6.6). */
#ifndef XDP_USE_SG
#define XDP_USE_SG (1 << 4)
#endif
#ifndef XDP_PKT_CONTD
#define XDP_PKT_CONTD (1 << 0)
#endif
#ifndef SO_PREFER_BUSY_POLL
#define SO_PREFER_BUSY_POLL 69
#endif
#ifndef SO_BUSY_POLL_BUDGET
#define SO_BUSY_POLL_BUDGET 70
#endif

enum {
	FILL_BATCH = 32,       /* chunks given to the kernel at a time */
	KERNEL_HEADROOM = 256, /* XDP_PACKET_HEADROOM, in front of a received frame */
	CACHE_LINE = 64,
	FETCH_BYTES = 192, /* of a received frame, before it is looked at */
	FILL_LEAST = 128,  /* chunks that the kernel has when we look all the time */
	FILL_RESERVE = 8,  /* chunks that it has for each frame that we found waiting */
	KERNEL_BATCH = 32, /* pieces that one system call sends */
};

/* So long after the last full burst the kernel gets fewer chunks again. */
#define FILL_CALM_NS UINT64_C(100000000)

/* How often an idle one is asked whether its interface is still there. */
#define XDP_CHECK_NS UINT64_C(1000000000)

/* Pieces in one chunk that the kernel has not sent yet. A chunk belongs to one buffer for as long.
 */
struct in_flight {
	struct buf *buf;
	uint32_t pieces;
};

struct xdp {
	struct link link;
	struct xdp_program program;
	bool own_program; /* not that of another queue's link */
	struct xsk_umem *umem;
	struct xsk_socket *socket;
	struct xsk_ring_prod fill, send;
	struct xsk_ring_cons rx, completion;
	int fd;
	struct cutter cutter; /* of frames that a driver without zero-copy would get one by one */
	int claim_fd;         /* claim_take() */
	int index;            /* of the interface */
	bool multi_buffer;    /* a frame may be several pieces */
	bool failed;          /* the socket has had an error: the interface may be gone */
	uint64_t now_ns;      /* of the last rx */
	bool unsent;          /* the kernel took a part of what is on the transmit ring */
	struct heap *heap;
	uint8_t *area; /* the UMEM: the heap's region */
	size_t area_bytes;
	struct buf *rooms;                 /* the block of the heap that the pool's rooms are */
	struct buf *pieces[XDP_RX_PIECES]; /* of a received frame, as far as it has come */
	uint32_t pieces_count;             /* beyond XDP_RX_PIECES: the frame is dropped */
	struct in_flight *tx;              /* by chunk of the UMEM */
	uint32_t tx_count;                 /* pieces in all that the kernel has not sent yet */
	bool *lent; /* by buffer of the pool: the kernel has it to receive into */
	uint32_t lent_count;
	uint32_t fill_wanted; /* how many of them the kernel shall have */
	uint64_t burst_ns;    /* when frames waited last, more than we take at once */
};

static struct xdp *xdp_of(struct link *l)
{
	return container_of(l, struct xdp, link);
}

/* The buffer whose room is the chunk of a received piece. */
static struct buf *buffer_at(struct xdp *x, uint64_t addr)
{
	size_t offset = (size_t)(x->area + addr - x->rooms->data);

	return &x->link.info.rx_pool->bufs[offset / XDP_CHUNK_BYTES];
}

/* One batch of chunks for the kernel, unless it has `wanted` already. Half of the pool stays for
 * what is sent and copied. What the ring has room for is known without a look at it, which would
 * take a cache line from the kernel. */
static bool refill(struct xdp *x, uint32_t wanted)
{
	struct pool *pool = x->link.info.rx_pool;
	struct buf *taken[FILL_BATCH];
	uint32_t at, n = 0;

	if (x->lent_count + FILL_BATCH > wanted || x->lent_count + FILL_BATCH > pool->count / 2 ||
	    pool->free_count < FILL_BATCH)
		return false;
	while (n < FILL_BATCH && (taken[n] = pool_get(pool)) != NULL)
		n++;
	if (n < FILL_BATCH || xsk_ring_prod__reserve(&x->fill, FILL_BATCH, &at) != FILL_BATCH) {
		while (n > 0)
			pool_put(taken[--n]);
		return false;
	}
	for (n = 0; n < FILL_BATCH; n++) {
		x->lent[taken[n] - pool->bufs] = true;
		*xsk_ring_prod__fill_addr(&x->fill, at + n) = (uint64_t)(taken[n]->base - x->area);
	}
	xsk_ring_prod__submit(&x->fill, FILL_BATCH);
	x->lent_count += FILL_BATCH;
	return true;
}

static void fill_up(struct xdp *x, uint32_t wanted)
{
	while (refill(x, wanted))
		;
}

static uint32_t waiting(const struct xdp *x)
{
	return __atomic_load_n(x->rx.producer, __ATOMIC_ACQUIRE) - x->rx.cached_cons;
}

/* The kernel takes chunks in turn, so that each is in the caches that it has: it gets the fewer the
 * sooner we take frames, and all there are before we sleep. */
static void adapt_fill(struct xdp *x, uint32_t waited, uint64_t now_ns)
{
	if (waited >= LINK_BURST) {
		while (x->fill_wanted < waited * FILL_RESERVE && x->fill_wanted < XDP_RING_FRAMES)
			x->fill_wanted *= 2;
		x->burst_ns = now_ns;
	} else if (x->fill_wanted > FILL_LEAST && now_ns - x->burst_ns > FILL_CALM_NS) {
		x->fill_wanted = FILL_LEAST;
	}
}

/* Makes one buffer of a frame's pieces. NULL: no memory, or too many pieces. */
static struct buf *join(struct xdp *x)
{
	struct buf *whole = NULL;
	uint32_t len = 0;

	for (uint32_t i = 0; i < x->pieces_count && x->pieces_count <= XDP_RX_PIECES; i++)
		len += x->pieces[i]->len;
	if (len > 0)
		whole = heap_alloc(x->heap, len);
	for (uint32_t i = 0, at = 0; whole && i < x->pieces_count; i++) {
		memcpy(whole->data + at, x->pieces[i]->data, x->pieces[i]->len);
		at += x->pieces[i]->len;
	}
	if (!whole)
		x->link.rx_dropped++;
	x->link.rx_copied_bytes += whole ? len : 0;
	return whole;
}

static void drop_pieces(struct xdp *x)
{
	uint32_t n = x->pieces_count < XDP_RX_PIECES ? x->pieces_count : XDP_RX_PIECES;

	for (uint32_t i = 0; i < n; i++)
		buf_unref(x->pieces[i]);
	x->pieces_count = 0;
}

/* One received piece: the frame that it completes, or NULL. */
static struct buf *take_piece(struct xdp *x, const struct xdp_desc *d)
{
	struct buf *b = buffer_at(x, d->addr);
	const bool last = !(d->options & XDP_PKT_CONTD);

	x->lent[b - x->link.info.rx_pool->bufs] = false;
	x->lent_count--;
	b->data = x->area + d->addr;
	b->len = d->len;
	b->flags = 0;
	if (last && x->pieces_count == 0)
		return b;
	if (x->pieces_count < XDP_RX_PIECES)
		x->pieces[x->pieces_count] = b;
	else
		buf_unref(b);
	x->pieces_count++;
	if (!last)
		return NULL;
	b = join(x);
	drop_pieces(x);
	return b;
}

static void piece_sent(struct in_flight *f)
{
	f->pieces--;
	buf_unref(f->buf);
}

/* Drops the references of pieces that were sent. */
static void complete(struct xdp *x)
{
	uint32_t at, n;

	if (x->tx_count == 0)
		return;
	n = xsk_ring_cons__peek(&x->completion, XDP_RING_FRAMES, &at);
	x->tx_count -= n;
	for (uint32_t i = 0; i < n; i++) {
		uint64_t addr = *xsk_ring_cons__comp_addr(&x->completion, at + i);

		piece_sent(&x->tx[addr / XDP_CHUNK_BYTES]);
	}
	if (n > 0)
		xsk_ring_cons__release(&x->completion, n);
}

/* In copy mode a system call sends a bounded number of pieces: the rest takes further calls. An
 * interface that is down loses its frames, as a pulled cable would; one that is gone has no socket
 * any more. */
static int doorbell(struct xdp *x)
{
	x->unsent = false;
	if (!xsk_ring_prod__needs_wakeup(&x->send))
		return 0;
	for (unsigned i = 0; i < XDP_RING_FRAMES / KERNEL_BATCH; i++) {
		if (sendto(x->fd, NULL, 0, MSG_DONTWAIT, NULL, 0) >= 0)
			return 0;
		if (errno != EAGAIN)
			break;
		complete(x);
	}
	x->unsent = errno == EAGAIN || errno == EBUSY || errno == ENOBUFS || errno == ENETDOWN;
	return errno == ENXIO || errno == ENODEV ? -ENODEV : 0;
}

/* Asks for the lines of the frame that is to come next, as far as it can be guessed: the kernel
 * takes chunks in the order of the fill ring. When the frame is there they come at the same time as
 * what says so, and not one after the other, 100 ns each. */
static void expect_next(struct xdp *x)
{
	const uint32_t next = x->rx.cached_cons;
	const uint64_t chunk = *xsk_ring_prod__fill_addr(&x->fill, next);

	__builtin_prefetch(xsk_ring_cons__rx_desc(&x->rx, next));
	__builtin_prefetch(x->area + chunk + KERNEL_HEADROOM);
	__builtin_prefetch(x->area + chunk + KERNEL_HEADROOM + CACHE_LINE);
}

/* The other processor has written them: all lines of a small frame come at once, instead of one
 * after the other as they are looked at. */
static void fetch_ahead(const struct xdp *x, uint32_t at, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		const struct xdp_desc *d = xsk_ring_cons__rx_desc(&x->rx, at + i);

		for (uint32_t k = 0; k < d->len && k < FETCH_BYTES; k += CACHE_LINE)
			__builtin_prefetch(x->area + d->addr + k);
	}
}

static int xdp_rx(struct link *l, struct buf *bufs[], int max, uint64_t now_ns)
{
	struct xdp *x = xdp_of(l);
	uint32_t at, n;
	int count = 0;

	x->now_ns = now_ns;
	complete(x);
	if (x->unsent && doorbell(x) < 0)
		return -ENODEV;
	expect_next(x);
	adapt_fill(x, waiting(x), now_ns);
	n = xsk_ring_cons__peek(&x->rx, (uint32_t)max, &at);
	fetch_ahead(x, at, n);
	for (uint32_t i = 0; i < n; i++) {
		bufs[count] = take_piece(x, xsk_ring_cons__rx_desc(&x->rx, at + i));
		if (!bufs[count])
			continue;
		l->rx_bytes += bufs[count]->len;
		count++;
	}
	if (n > 0) {
		xsk_ring_cons__release(&x->rx, n);
		l->rx_frames += (uint64_t)count;
	}
	fill_up(x, x->fill_wanted);
	if (xsk_ring_prod__needs_wakeup(&x->fill))
		recvfrom(x->fd, NULL, 0, MSG_DONTWAIT, NULL, NULL);
	return count;
}

/* What the kernel has is filled, but for a few. */
static bool xdp_crowded(struct link *l)
{
	return xdp_of(l)->lent_count < waiting(xdp_of(l)) + FILL_LEAST / 2;
}

/* Puts a frame's pieces on the ring. Each piece holds a reference of its own from now on; the
 * frame's are dropped. */
static void put_pieces(struct xdp *x, const struct xdp_piece *pieces, unsigned n, uint32_t at)
{
	for (unsigned i = 0; i < n; i++) {
		struct xdp_desc *d = xsk_ring_prod__tx_desc(&x->send, at + i);

		d->addr = (uint64_t)(pieces[i].data - x->area);
		d->len = pieces[i].len;
		d->options = i + 1 < n ? XDP_PKT_CONTD : 0;
		x->tx[d->addr / XDP_CHUNK_BYTES].buf = buf_ref(pieces[i].buf);
		x->tx[d->addr / XDP_CHUNK_BYTES].pieces++;
	}
}

/* False: the ring is full, or no buffer is left for a copy; the frame stays the caller's. */
static bool send_one(struct xdp *x, struct frame *f)
{
	struct xdp_piece pieces[XDP_TX_PIECES];
	unsigned n = xdp_cut(pieces, f, x->area, x->area_bytes);
	const bool copied = n == 0 || (n > 1 && !x->multi_buffer);
	uint32_t at;

	if (copied)
		n = xdp_copy(pieces, f, x->link.info.rx_pool);
	if (n == 0)
		return false;
	assert(n == 1 || x->multi_buffer); /* no frame is longer than the MTU */
	if (xsk_ring_prod__reserve(&x->send, n, &at) != n) {
		if (copied)
			xdp_drop_copy(pieces);
		return false;
	}
	put_pieces(x, pieces, n, at);
	xsk_ring_prod__submit(&x->send, n);
	x->tx_count += n;
	x->link.tx_frames++;
	x->link.tx_bytes += f->len;
	if (copied) {
		x->link.tx_copied_bytes += f->len;
		xdp_drop_copy(pieces);
	}
	frame_release(f);
	return true;
}

/* Sends those by the ring that are in front of the first that goes by the cutter. Says how many, or
 * -ENODEV. */
static int send_by_ring(struct xdp *x, struct frame frames[], int n, uint64_t now_ns)
{
	int sent = 0;

	if (cutter_takes(&x->cutter, &frames[0], now_ns))
		return x->unsent && doorbell(x) < 0 ? -ENODEV : 0;
	do {
		if (!send_one(x, &frames[sent]))
			break;
		sent++;
	} while (sent < n && !cutter_takes(&x->cutter, &frames[sent], now_ns));
	return doorbell(x) < 0 ? -ENODEV : sent;
}

/* The rest, once all in front of it has left: what the kernel is to cut, and what must not overtake
 * that. */
static int send_by_cutter(struct xdp *x, struct frame frames[], int n, uint64_t now_ns)
{
	int sent = 0, rc = 0;

	while (sent < n && !x->unsent && cutter_takes(&x->cutter, &frames[sent], now_ns)) {
		rc = cutter_send(&x->cutter, &frames[sent]);
		if (rc < 0)
			break;
		x->link.tx_frames++;
		x->link.tx_bytes += frames[sent].len;
		frame_release(&frames[sent++]);
	}
	return rc == -ENODEV ? rc : sent;
}

static int xdp_tx(struct link *l, struct frame frames[], int n, uint64_t now_ns)
{
	struct xdp *x = xdp_of(l);
	int sent, cut = 0;

	complete(x);
	sent = send_by_ring(x, frames, n, now_ns);
	if (sent >= 0 && sent < n)
		cut = send_by_cutter(x, frames + sent, n - sent, now_ns);
	if (sent < 0 || cut < 0)
		return -ENODEV;
	sent += cut;
	l->tx_full += sent < n;
	return sent;
}

static int xdp_wake_fd(struct link *l)
{
	return xdp_of(l)->fd;
}

/* poll(2) tells nothing of an interface that has gone. */
static uint64_t xdp_next_deadline(struct link *l)
{
	return xdp_of(l)->now_ns + XDP_CHECK_NS;
}

/* The descriptor is readable whenever the receive ring is not empty. */
static int xdp_arm(struct link *l)
{
	struct xdp *x = xdp_of(l);
	uint32_t at;
	int error = 0;
	socklen_t len = sizeof(error);

	if (getsockopt(x->fd, SOL_SOCKET, SO_ERROR, &error, &len) == 0 && error != 0)
		x->failed = true;
	if (x->failed && !interface_exists(x->index))
		return -ENODEV;
	complete(x);
	fill_up(x, XDP_RING_FRAMES);
	if (xsk_ring_cons__peek(&x->rx, 1, &at) == 0)
		return 0;
	xsk_ring_cons__cancel(&x->rx, 1);
	return 1;
}

/* The rings' mappings would keep the queue busy as long as the child lives. */
static void xdp_forked(struct link *l)
{
	struct xdp *x = xdp_of(l);

	if (x->own_program)
		xdp_program_detach(&x->program);
	xsk_socket__delete(x->socket);
	xsk_umem__delete(x->umem);
	cutter_close(&x->cutter);
	close(x->claim_fd);
}

/* What the kernel had when its socket went. */
static void take_back(struct xdp *x)
{
	struct pool *pool = x->link.info.rx_pool;

	for (size_t i = 0; x->tx && i < x->area_bytes / XDP_CHUNK_BYTES; i++) {
		while (x->tx[i].pieces > 0)
			piece_sent(&x->tx[i]);
	}
	for (uint32_t i = 0; x->lent && pool && i < pool->count; i++) {
		if (x->lent[i])
			buf_unref(&pool->bufs[i]);
	}
	drop_pieces(x);
}

static void xdp_destroy(struct link *l)
{
	struct xdp *x = xdp_of(l);

	if (x->own_program)
		xdp_program_detach(&x->program);
	if (x->socket)
		xsk_socket__delete(x->socket);
	if (x->umem)
		xsk_umem__delete(x->umem);
	take_back(x);
	cutter_close(&x->cutter);
	if (x->claim_fd >= 0)
		close(x->claim_fd);
	pool_destroy(l->info.rx_pool);
	free(x->lent);
	free(x->tx);
	free(x);
}

static const struct link_ops xdp_ops = {
    .name = "xdp",
    .rx = xdp_rx,
    .crowded = xdp_crowded,
    .tx = xdp_tx,
    .next_deadline = xdp_next_deadline,
    .wake_fd = xdp_wake_fd,
    .arm = xdp_arm,
    .forked = xdp_forked,
    .destroy = xdp_destroy,
};

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
}

/* Frames of the wanted size must fit where they are put. */
static int check_mtu(const struct xdp *x, const struct xdp_setup *opt)
{
	uint32_t mtu = opt->mtu ? opt->mtu : x->link.info.mtu;

	return mtu > XDP_CHUNK_MTU && !x->multi_buffer ? -EMSGSIZE : 0;
}

static int take_program(struct xdp *x, const struct xdp_setup *opt, int index, bool large)
{
	if (opt->beside) {
		x->program = container_of(opt->beside, struct xdp, link)->program;
		return 0;
	}
	x->own_program = true;
	return xdp_program_attach(&x->program, index, ip4_get(&opt->addr), opt->mode, large);
}

static int open_all(struct xdp *x, const struct xdp_setup *opt)
{
	struct interface itf;
	bool large;
	int rc = interface_read(&itf, opt->interface);

	if (rc < 0)
		return rc;
	x->index = itf.index;
	x->link.info.mtu = itf.mtu;
	memcpy(x->link.info.mac, opt->mac ? opt->mac : itf.mac, sizeof(itf.mac));
	large = itf.mtu > XDP_CHUNK_MTU;
	/* Until the socket is in its map, the program lets all pass. */
	rc = take_program(x, opt, itf.index, large);
	if (rc == 0)
		rc = make_pool(x);
	if (rc == 0)
		rc = make_umem(x);
	if (rc == 0)
		rc = make_socket(x, opt);
	if (rc == 0)
		rc = check_mtu(x, opt);
	if (rc == 0)
		rc = xdp_program_add(&x->program, opt->queue, x->fd);
	return rc;
}

int xdp_open(struct link **out, const struct xdp_setup *opt)
{
	struct xdp *x = calloc(1, sizeof(*x));
	int rc;

	if (!x)
		return -ENOMEM;
	x->link.ops = &xdp_ops;
	x->heap = opt->heap;
	x->claim_fd = x->cutter.fd = -1;
	x->program = (struct xdp_program){-1, -1, -1, false};
	rc = open_all(x, opt);
	if (rc < 0) {
		xdp_destroy(&x->link);
		return rc;
	}
	set_busy_poll(x, opt->busy_poll_us);
	fill_up(x, XDP_RING_FRAMES);
	x->fill_wanted = FILL_LEAST;
	x->link.info.max_frags = FRAME_FRAGS;
	x->claim_fd = opt->claim_fd;
	*out = &x->link;
	return 0;
}
