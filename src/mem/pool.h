/* pool.h - where buffers come from and return to.
 *
 * A pool is a fixed number of buffers with rooms of one size, made when an instance starts: an
 * empty pool is NULL for the caller, never an allocation. A device that wants its memory registered
 * gives it to pool_create(), or (DPDK) embeds a struct pool with functions of its own.
 *
 * A pool may end before its buffers: pool_destroy() with buffers still in the program's hands
 * leaves an orphan that frees itself when the last one comes home.
 *
 * A pool and its buffers belong to the thread that made it. Other threads may give references back,
 * with pool_unref(), also to an orphan.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MEM_POOL_H
#define MEM_POOL_H

#include "base/thread.h"
#include "mem/buf.h"
#include "mem/fault.h"
#include <pthread.h>
#include <stdatomic.h>

/* Bytes kept free in front of the data of a fresh buffer: Ethernet with a tag (18), IPv4 with
 * options (60) or IPv6 (40), TCP with options (60), and XDP's own 256-byte headroom is the device's
 * affair. */
enum { BUF_HEADROOM_BYTES = 128 };

struct pool_note {
	struct buf *buf;
	bool held; /* by a program's sga */
};

struct pool {
	struct buf *free;    /* the next to hand out, linked by next */
	uint32_t free_count; /* buffers at home */
	uint32_t headroom;   /* bytes in front of data in a fresh buffer */
	/* What becomes of a buffer without references. NULL: back onto `free`. */
	void (*release)(struct pool *, struct buf *);
	/* Called when `free` is empty: puts some there, or returns false. NULL: there are none. */
	bool (*refill)(struct pool *);
	uint64_t empty; /* how often it was asked for a buffer in vain */

	/* Cold: */
	uint32_t count;   /* buffers in all */
	struct buf *bufs; /* their headers, NULL where a device owns them */
	uint8_t *rooms;   /* of a mapping of the pool's own, NULL: the rooms are the caller's */
	size_t bufs_bytes, rooms_bytes;
	/* Called when an orphan's last buffer is home, in whichever thread brought it. It is
	 * pool_free() unless a device that lent the rooms sets a function of its own, which ends
	 * with pool_free(). */
	void (*gone)(struct pool *);
	uint32_t out; /* an orphan's: buffers not home yet */
	bool orphan;
	atomic_uintptr_t owner; /* the thread, 0: an orphan */

	pthread_mutex_t remote_lock;    /* guards the three below, and an orphan's count */
	struct pool_note *remote_notes; /* references that other threads gave back */
	_Atomic uint32_t remote_count;
	uint32_t remote_cap;

	struct mem_fault_point fault;
	struct buf *held_back; /* while a fault is set: what `free` would have */
	void (*fast_release)(struct pool *, struct buf *);
	bool (*fast_refill)(struct pool *);
};

/* Makes a pool of `count` buffers of `room` bytes each, `headroom` of them in front of the data.
 * `room` is a multiple of 64, so that data starts a cache line. `rooms` is memory of count * room
 * bytes, borrowed until the pool is gone, or NULL: the pool maps its own, on huge pages where there
 * are some. Returns 0, -EINVAL, -ENOMEM. */
int pool_create(struct pool **out, uint32_t count, uint32_t room, uint32_t headroom,
		uint8_t *rooms);

/* Ends a pool. Buffers still out keep their memory; the pool goes with the last of them. NULL is
 * harmless. */
void pool_destroy(struct pool *pool);

/* For whoever embeds a struct pool: one without buffers, and with these functions (see struct
 * pool). `gone` is called once, after pool_orphan(). Returns 0 or -ENOMEM. */
int pool_init(struct pool *pool, uint32_t headroom, void (*release)(struct pool *, struct buf *),
	      bool (*refill)(struct pool *), void (*gone)(struct pool *));

/* Ends a pool whose `out` buffers have references still. From now on the pool only counts them
 * home, and does not call release. */
void pool_orphan(struct pool *pool, uint32_t out);

/* Gives back what pool_init() took. Only at the end of `gone`. */
void pool_fini(struct pool *pool);

/* Gives back what pool_create() took. Only as `gone`, or at its end. */
void pool_free(struct pool *pool);

/* pool_get() of a pool that looks empty. */
struct buf *pool_get_slow(struct pool *pool);

/* pool_get() of a pool whose `free` is not empty. */
static inline struct buf *pool_take(struct pool *pool)
{
	struct buf *b = pool->free;

	pool->free = b->next;
	pool->free_count--;
	b->data = b->base + pool->headroom;
	b->len = 0;
	b->next = NULL;
	b->flags = 0;
	*b->refs = 1;
	return b;
}

/* A fresh buffer with one reference, len 0, data at base + headroom; NULL when the pool is empty.
 * The caller owns it. */
static inline struct buf *pool_get(struct pool *pool)
{
	if (__builtin_expect(pool->free == NULL, 0))
		return pool_get_slow(pool);
	return pool_take(pool);
}

/* buf_unref() in line, for those who drop a reference with each packet. */
static inline void pool_put(struct buf *b)
{
	struct pool *pool = b->pool;

	if (*b->refs != 1 || __builtin_expect(pool->release != NULL, 0)) {
		buf_unref(b);
		return;
	}
	*b->refs = 0;
	b->next = pool->free;
	pool->free = b;
	pool->free_count++;
}

/* Whether the calling thread is the pool's, which alone may take references. */
static inline bool pool_is_own(const struct pool *pool)
{
	return atomic_load_explicit(&pool->owner, memory_order_relaxed) == thread_self();
}

/* Drops one reference from a thread that is not the pool's: noted under a lock, carried out by the
 * owner's next pool_collect(), or at once when the pool is an orphan. */
void pool_remote_unref(struct buf *b);

/* pool_remote_unref() of the reference of a program's sga, given back by a program, which may give
 * it back twice. -EINVAL: it has none. Where that is not known yet, 0; the owner logs it. */
int pool_remote_give_back(struct buf *b);

/* Says in the log that a program has given an sga back that it does not have; -EINVAL. */
int pool_refuse(void) __attribute__((cold));

/* Drops the reference of an sga that a program gives back, in any thread. 0, or -EINVAL, and a line
 * in the log: it has given it back before. That is known while nobody else has got the memory. */
static inline int pool_give_back(struct buf *b)
{
	if (__builtin_expect(!pool_is_own(b->pool), 0))
		return pool_remote_give_back(b);
	if (__builtin_expect(!buf_let_go(b), 0))
		return pool_refuse();
	buf_unref(b);
	return 0;
}

/* Drops one reference, in any thread: as buf_unref() in the pool's own, as pool_remote_unref() in
 * others. */
static inline void pool_unref(struct buf *b)
{
	if (__builtin_expect(pool_is_own(b->pool), 1))
		buf_unref(b);
	else
		pool_remote_unref(b);
}

/* pool_collect() of a pool with something noted. */
void pool_collect_noted(struct pool *pool);

/* Carries out what other threads noted. The owner calls it now and then; it costs a load when there
 * is nothing. */
static inline void pool_collect(struct pool *pool)
{
	if (__builtin_expect(atomic_load_explicit(&pool->remote_count, memory_order_relaxed) > 0,
			     0))
		pool_collect_noted(pool);
}

#endif
