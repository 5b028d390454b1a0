/* pool.h - where buffers come from and return to.
 *
 * A pool is a fixed number of buffers with rooms of one size, made when an instance starts: an
 * empty pool is NULL for the caller, never an allocation. A device that wants its memory registered
 * gives it to pool_create(), or (DPDK) embeds a struct pool with a release function of its own.
 *
 * A pool may end before its buffers: pool_destroy() with buffers still in the program's hands
 * leaves an orphan that frees itself when the last one comes home.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MEM_POOL_H
#define MEM_POOL_H

#include "mem/buf.h"
#include <pthread.h>

/* Bytes kept free in front of the data of a fresh buffer: Ethernet with a tag (18), IPv4 with
 * options (60) or IPv6 (40), TCP with options (60), and XDP's own 256-byte headroom is the device's
 * affair. */
enum { BUF_HEADROOM_BYTES = 128 };

struct pool {
	struct buf *free;			      /* the next to hand out, linked by next */
	uint32_t free_count;			      /* buffers on `free` */
	uint32_t count;				      /* buffers in all */
	uint32_t headroom;			      /* bytes in front of data in a fresh buffer */
	void (*release)(struct pool *, struct buf *); /* NULL: back onto `free` */
	uint64_t gets, empty;			      /* handed out; asked for in vain */
	/* Cold: */
	struct buf *bufs; /* count headers, NULL where a device owns them */
	uint8_t *rooms;
	size_t rooms_bytes; /* of a mapping of the pool's own; 0: the rooms are the caller's */
	bool orphan;
	void (*gone)(
	    struct pool *); /* called when an orphan's last buffer is home; frees the pool */
	pthread_mutex_t remote_lock; /* guards remote_bufs */
	struct buf **remote_bufs;    /* references that other threads gave back */
	uint32_t remote_count, remote_cap;
};

/* Makes a pool of `count` buffers of `room` bytes each, `headroom` of them in front of the data.
 * `rooms` is memory of count * room bytes, borrowed until the pool is gone, or NULL: the pool maps
 * its own, on huge pages where there are some. Returns 0, -EINVAL, -ENOMEM. */
int pool_create(struct pool **out, uint32_t count, uint32_t room, uint32_t headroom,
		uint8_t *rooms);

/* Ends a pool. Buffers still out keep their memory; the pool goes with the last of them. NULL is
 * harmless. */
void pool_destroy(struct pool *pool);

/* A fresh buffer with one reference, len 0, data at base + headroom; NULL when the pool is empty.
 * The caller owns it. */
static inline struct buf *pool_get(struct pool *pool)
{
	struct buf *b = pool->free;

	if (__builtin_expect(b == NULL, 0)) {
		pool->empty++;
		return NULL;
	}
	pool->free = b->next;
	pool->free_count--;
	pool->gets++;
	b->data = b->base + pool->headroom;
	b->len = 0;
	b->next = NULL;
	b->flags = 0;
	*b->refs = 1;
	return b;
}

/* Drops one reference from a thread that is not the pool's: noted under a lock, carried out by the
 * owner's next pool_collect(), or at once when the pool is an orphan. */
void pool_remote_unref(struct buf *b);

/* Carries out what pool_remote_unref() noted. The owner calls it, when remote_count (read relaxed)
 * is not 0. */
void pool_collect(struct pool *pool);

#endif
