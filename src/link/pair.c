/* SPDX-License-Identifier: MIT */
#include "link/pair.h"
#include "base/list.h"
#include "link/offload.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct pair_end {
	struct link link;
	struct pair_end *peer; /* NULL: gone */
	uint32_t copy_max;     /* bytes of a frame that is in bounds, and fits a buffer */
	/* Frames on their way to this end: ring[tail..head), free-running indexes. */
	uint32_t head, tail, mask;
	struct buf **ring;
};

static struct pair_end *pair_of(struct link *l)
{
	return container_of(l, struct pair_end, link);
}

static uint32_t pair_room(const struct pair_end *e)
{
	return e->mask + 1 - (e->head - e->tail);
}

static void pair_put(struct pair_end *to, struct buf *b)
{
	to->ring[to->head++ & to->mask] = b;
}

static int pair_rx(struct link *l, struct buf *bufs[], int max, uint64_t now_ns)
{
	struct pair_end *e = pair_of(l);
	int n = 0;

	(void)now_ns;
	while (n < max && e->tail != e->head) {
		struct buf *b = e->ring[e->tail++ & e->mask];

		l->rx_bytes += b->len;
		bufs[n++] = b;
	}
	l->rx_frames += (uint64_t)n;
	return n == 0 && e->peer == NULL ? -ENODEV : n;
}

/* The frame as it is: only its sender's reference exists, and that is ours now. */
static inline void pair_pass_plain(struct pair_end *to, struct buf *b)
{
	b->next = NULL;
	b->flags = 0;
	pair_put(to, b);
}

static void pair_pass(struct pair_end *to, struct frame *f)
{
	pair_pass_plain(to, f->head);
	if (f->offload != 0) {
		offload_checksums(f->head->data, f->head->len, f);
		if (f->offload & OFFLOAD_L4_CSUM && to->link.info.offloads & OFFLOAD_RX_CSUM)
			f->head->flags = BUF_CSUM_OK;
	}
}

enum { PAIR_PIECE_BYTES = 32, PAIR_SMALL_END_BYTES = 256 };

/* Few bytes in line: a call, and the way of so many through all sizes, takes longer. The last piece
 * may overlap the one before. */
static inline void pair_copy_bytes(uint8_t *to, const uint8_t *from, size_t n)
{
	size_t last = n - PAIR_PIECE_BYTES;

	if (last >= PAIR_SMALL_END_BYTES - PAIR_PIECE_BYTES) {
		memcpy(to, from, n);
		return;
	}
	for (size_t i = 0; i < last; i += PAIR_PIECE_BYTES)
		memcpy(to + i, from + i, PAIR_PIECE_BYTES);
	memcpy(to + last, from + last, PAIR_PIECE_BYTES);
}

/* A frame that asks for nothing, and fits, copied. */
static inline void pair_copy_plain(struct pair_end *from, struct pair_end *to,
				   const struct frame *f)
{
	struct buf *b = pool_get(to->link.info.rx_pool);

	if (b == NULL) {
		to->link.rx_dropped++;
		return;
	}
	b->len = f->len;
	from->link.tx_copied_bytes += f->len;
	pair_put(to, b);
	if (f->nfrags == 0)
		pair_copy_bytes(b->data, f->head->data, f->len);
	else
		frame_copy(f, b->data);
}

/* A copy of the frame, or of its segment i, in a buffer of the receiving end. */
static void pair_copy(struct pair_end *from, struct pair_end *to, struct frame *f, uint32_t segment)
{
	struct link *rx = &to->link;
	uint32_t len = offload_segment_bytes(f, segment);
	struct buf *b = NULL;

	if (len <= (uint32_t)rx->info.mtu + LINK_HEADER_BYTES)
		b = pool_get(rx->info.rx_pool);
	if (b == NULL || buf_tailroom(b) < len) {
		if (b != NULL)
			buf_unref(b);
		rx->rx_dropped++;
		return;
	}
	b->len = len;
	offload_segment(f, segment, b->data);
	if (f->offload & OFFLOAD_L4_CSUM && rx->info.offloads & OFFLOAD_RX_CSUM)
		b->flags = BUF_CSUM_OK;
	from->link.tx_copied_bytes += len;
	pair_put(to, b);
}

static bool pair_may_pass(const struct pair_end *to, const struct frame *f)
{
	return f->nfrags == 0 && buf_sole(f->head) && !(f->offload & OFFLOAD_TSO) &&
	       f->len <= (uint32_t)to->link.info.mtu + LINK_HEADER_BYTES;
}

/* Any other frame. False: it waits, as the ring is full. */
static __attribute__((noinline)) bool pair_send_any(struct pair_end *e, struct pair_end *to,
						    struct frame *f)
{
	uint32_t segments = offload_segments(f);

	if (segments > to->mask + 1) { /* it would wait for ever */
		to->link.rx_dropped++;
		frame_release(f);
		return true;
	}
	if (segments > pair_room(to)) {
		e->link.tx_full++;
		return false;
	}
	e->link.tx_bytes += f->len;
	if (pair_may_pass(to, f)) {
		pair_pass(to, f);
		return true;
	}
	for (uint32_t s = 0; s < segments; s++)
		pair_copy(e, to, f, s);
	frame_release(f);
	return true;
}

static inline bool pair_send(struct pair_end *e, struct pair_end *to, struct frame *f)
{
	if (f->offload != 0 || f->len > to->copy_max || pair_room(to) == 0)
		return pair_send_any(e, to, f);
	e->link.tx_bytes += f->len;
	if (f->nfrags == 0 && buf_sole(f->head)) {
		pair_pass_plain(to, f->head);
	} else {
		pair_copy_plain(e, to, f);
		frame_release(f);
	}
	return true;
}

static int pair_tx(struct link *l, struct frame frames[], int n, uint64_t now_ns)
{
	struct pair_end *e = pair_of(l), *to = e->peer;
	int i = 0;

	(void)now_ns;
	if (to == NULL)
		return -ENODEV;
	while (i < n && pair_send(e, to, &frames[i]))
		i++;
	l->tx_frames += (uint64_t)i;
	return i;
}

static uint64_t pair_next_deadline(struct link *l)
{
	struct pair_end *e = pair_of(l);

	return e->head != e->tail ? 0 : UINT64_MAX;
}

static int pair_wake_fd(struct link *l)
{
	(void)l;
	return -1;
}

static int pair_arm(struct link *l)
{
	struct pair_end *e = pair_of(l);

	return e->head != e->tail;
}

static void pair_destroy(struct link *l)
{
	struct pair_end *e = pair_of(l);

	while (e->tail != e->head)
		buf_unref(e->ring[e->tail++ & e->mask]);
	if (e->peer != NULL)
		e->peer->peer = NULL;
	free(e->ring);
	free(e);
}

static const struct link_ops pair_ops = {
    .name = "pair",
    .rx = pair_rx,
    .tx = pair_tx,
    .next_deadline = pair_next_deadline,
    .wake_fd = pair_wake_fd,
    .arm = pair_arm,
    .destroy = pair_destroy,
};

/* Bytes of a frame that every buffer of the pool takes, and no more than the MTU allows. */
static uint32_t pair_copy_max(struct pool *pool, uint16_t mtu)
{
	struct buf *b = pool_get(pool);
	uint32_t room;

	if (b == NULL)
		return 0;
	room = buf_tailroom(b);
	buf_unref(b);
	return room < (uint32_t)mtu + LINK_HEADER_BYTES ? room : (uint32_t)mtu + LINK_HEADER_BYTES;
}

static struct pair_end *pair_end_create(const struct pair_config *cfg, int side)
{
	struct pair_end *e = calloc(1, sizeof(*e));

	if (e == NULL)
		return NULL;
	e->ring = calloc(cfg->ring_frames, sizeof(struct buf *));
	if (e->ring == NULL) {
		free(e);
		return NULL;
	}
	e->mask = cfg->ring_frames - 1;
	e->link.ops = &pair_ops;
	memcpy(e->link.info.mac, cfg->mac[side], sizeof(e->link.info.mac));
	e->link.info.mtu = cfg->mtu;
	e->link.info.offloads = cfg->offloads;
	e->link.info.max_frags = cfg->max_frags;
	e->link.info.tso_max_bytes = cfg->tso_max_bytes;
	e->link.info.rx_pool = cfg->pool[side];
	e->copy_max = pair_copy_max(cfg->pool[side], cfg->mtu);
	return e;
}

static bool pair_config_ok(const struct pair_config *cfg)
{
	return cfg->ring_frames > 0 && cfg->ring_frames <= PAIR_MAX_RING_FRAMES &&
	       (cfg->ring_frames & (cfg->ring_frames - 1)) == 0 && cfg->max_frags <= FRAME_FRAGS &&
	       cfg->pool[0] != NULL && cfg->pool[1] != NULL;
}

int pair_create(struct link *ends[2], const struct pair_config *cfg)
{
	struct pair_end *a, *b;

	if (!pair_config_ok(cfg))
		return -EINVAL;
	a = pair_end_create(cfg, 0);
	if (a == NULL)
		return -ENOMEM;
	b = pair_end_create(cfg, 1);
	if (b == NULL) {
		pair_destroy(&a->link);
		return -ENOMEM;
	}
	a->peer = b;
	b->peer = a;
	ends[0] = &a->link;
	ends[1] = &b->link;
	return 0;
}
