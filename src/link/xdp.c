/* xdp.c - see xdp.h.
 *
 * Four rings (af_xdp.rst): fill (chunks for the kernel to receive into), receive, transmit,
 * completion (pieces that were sent). Chunks of received frames are rooms of the link's pool, which
 * lies inside the UMEM as one block of the heap; a chunk on the fill ring is a buffer taken from
 * the pool, and becomes the frame's buffer as it is. xdp_socket.c makes all of it.
 *
 * SPDX-License-Identifier: MIT
 */
#include "link/xdp.h"
#include "base/list.h"
#include "link/interface.h"
#include "link/xdp_pieces.h"
#include "link/xdp_socket.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Newer than the headers that the distribution installs (linux/if_xdp.h of Linux 6.6). */
#ifndef XDP_PKT_CONTD
#define XDP_PKT_CONTD (1 << 0)
#endif

enum {
	FILL_BATCH = 32,       /* chunks given to the kernel at a time */
	KERNEL_HEADROOM = 256, /* XDP_PACKET_HEADROOM, in front of a received frame */
	CACHE_LINE = 64,
	FETCH_BYTES = 192,       /* of a received frame, before it is looked at */
	FILL_LEAST = 128,        /* chunks that the kernel has when we look all the time */
	FILL_FIRST = 1024,       /* ... before we have looked at all */
	FILL_BURST = 192,        /* ... beyond twice those that we found waiting */
	FILL_LEAVES_DIVISOR = 5, /* ... beyond FILL_LEAST while no more than a fifth is free */
	KERNEL_BATCH = 32,       /* pieces that one system call sends */
};

/* So long after the last full burst the kernel gets fewer chunks again. */
#define FILL_CALM_NS UINT64_C(1000000000)

/* How often an idle one is asked whether its interface is still there. */
#define XDP_CHECK_NS UINT64_C(1000000000)

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
	/* What waits for frames is not there for those that have come: the stack takes no
	 * datagrams where too little is free. */
	if (x->lent_count >= FILL_LEAST && pool->free_count < pool->count / FILL_LEAVES_DIVISOR)
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

/* The kernel takes chunks in turn, and those that it has are in its caches the sooner the fewer
 * they are: it gets few where few peers may send, and we take frames at once; all there are before
 * we sleep. A processor that is taken from us for a while must find no frame lost: each would be
 * 200 ms of silence. */
static void adapt_fill(struct xdp *x, uint32_t waited, uint64_t now_ns)
{
	if (waited >= LINK_BURST) {
		if (x->fill_wanted < 2 * waited + FILL_BURST)
			x->fill_wanted = 2 * waited + FILL_BURST;
		x->burst_ns = now_ns;
	} else if (x->fill_wanted > FILL_LEAST && now_ns - x->burst_ns > FILL_CALM_NS) {
		x->fill_wanted = FILL_LEAST;
	}
}

static uint32_t fill_wanted(const struct xdp *x)
{
	uint32_t wanted = x->link.rx_expected;

	if (wanted < x->fill_wanted)
		wanted = x->fill_wanted;
	return wanted < XDP_RING_FRAMES ? wanted : XDP_RING_FRAMES;
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
	if (!x->busy_poll && !xsk_ring_prod__needs_wakeup(&x->send))
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
static void fetch_ahead(struct xdp *x, uint32_t at, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		const struct xdp_desc *d = xsk_ring_cons__rx_desc(&x->rx, at + i);

		__builtin_prefetch(buffer_at(x, d->addr), 1);
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
	fill_up(x, fill_wanted(x));
	if (x->busy_poll || xsk_ring_prod__needs_wakeup(&x->fill))
		recvfrom(x->fd, NULL, 0, MSG_DONTWAIT, NULL, NULL);
	return count;
}

/* What the kernel has is filled, but for a quarter. */
static bool xdp_crowded(struct link *l)
{
	return xdp_of(l)->lent_count / 4 * 3 < waiting(xdp_of(l));
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
 * -ENODEV: none. What was taken is the device's, also one's that is found to have gone. */
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
	return doorbell(x) < 0 && sent == 0 ? -ENODEV : sent;
}

static int xdp_tx(struct link *l, struct frame frames[], int n, uint64_t now_ns)
{
	struct xdp *x = xdp_of(l);
	int sent;

	complete(x);
	sent = send_by_ring(x, frames, n, now_ns);
	/* The rest, once all in front of it has left: what the kernel is to cut, and what must not
	 * overtake that. */
	if (sent >= 0 && !x->unsent)
		sent = cutter_send_rest(&x->cutter, l, frames, sent, n, now_ns);
	l->tx_full += sent >= 0 && sent < n;
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

/* Frames of the wanted size must fit where they are put. */
static int check_mtu(const struct xdp *x, const struct xdp_setup *opt)
{
	return !x->multi_buffer && (opt->mtu ? opt->mtu : x->link.info.mtu) > XDP_CHUNK_MTU
		   ? -EMSGSIZE
		   : 0;
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
	int rc = interface_read(&itf, opt->interface);

	if (rc < 0)
		return rc;
	x->index = itf.index;
	x->link.info.mtu = itf.mtu;
	memcpy(x->link.info.mac, opt->mac ? opt->mac : itf.mac, sizeof(itf.mac));
	/* Until the socket is in its map, the program lets all pass. */
	rc = take_program(x, opt, itf.index, itf.mtu > XDP_CHUNK_MTU);
	if (rc == 0)
		rc = xdp_socket_open(x, opt);
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
	fill_up(x, FILL_FIRST);
	x->fill_wanted = FILL_LEAST;
	x->link.info.max_frags = FRAME_FRAGS;
	x->claim_fd = opt->claim_fd;
	*out = &x->link;
	return 0;
}
