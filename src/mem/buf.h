/* buf.h - packet buffers: a header of one cache line over a room of bytes.
 *
 * A buffer has one owner at a time, who may change the header, link it through `next` and use
 * `mark`. The exception is its bytes: whoever holds a reference may read them, and only a sole
 * holder (buf_sole()) that knows them not to be in flight may write. References are counted in one
 * place, `*refs`: a frame of DPDK counts in its mbuf. When the last reference goes, the buffer
 * returns to its pool.
 *
 * Counts are plain integers: a buffer belongs to the thread of its pool. A holder that may be
 * another thread uses pool_unref() (pool.h).
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MEM_BUF_H
#define MEM_BUF_H

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct pool;

struct buf {
	uint8_t *data;     /* first byte in use; base <= data, data + len <= base + room */
	uint32_t len;      /* bytes in use */
	uint32_t room;     /* bytes from base on */
	uint8_t *base;     /* first byte of the room */
	uint16_t *refs;    /* the count: &own_refs, or the device's */
	struct buf *next;  /* the owner's link: a queue, a free list */
	struct pool *pool; /* where the buffer returns to */
	uint64_t device;   /* the pool's: a UMEM address, an mbuf, a block's order */
	uint32_t mark;     /* the owner's note: a sequence number, an offset */
	uint16_t own_refs;
	uint16_t flags; /* BUF_ */
};

enum {
	BUF_CSUM_OK = 1 << 0,   /* received: the device has verified the L4 checksum */
	BUF_OVERHEARD = 1 << 1, /* received: a copy, which may be for another stack of the same
				   address; nobody is told that it is for nobody */
	BUF_BEGUN = 1 << 2,     /* the program has bytes in front of data, and may push them */
	BUF_HELD = 1 << 3,      /* from here up: how many sgas of the program's are of this buffer,
				   each with a reference */
	BUF_HELD_MANY = 0xfff8, /* so many or more, and they are not counted any longer */
};

_Static_assert(sizeof(struct buf) == 64, "one cache line");

/* References to one buffer on behalf of a program's calls; the rest of what 16 bits count is for
 * the frames in flight that carry it. */
enum { BUF_CALL_REFS_MAX = 32768 };

/* What a pool does with a buffer whose last reference is gone. Called by buf_unref() only. */
void pool_release(struct buf *b);

static inline struct buf *buf_ref(struct buf *b)
{
	assert(*b->refs > 0 && *b->refs < UINT16_MAX);
	++*b->refs;
	return b;
}

static inline void buf_unref(struct buf *b)
{
	if (--*b->refs == 0)
		pool_release(b);
	else
		assert(*b->refs < UINT16_MAX); /* it had one */
}

/* The program gets an sga of b, with a reference. */
static inline void buf_hold(struct buf *b)
{
	if (__builtin_expect(b->flags < BUF_HELD_MANY, 1))
		b->flags += BUF_HELD;
}

static inline bool buf_held(const struct buf *b)
{
	return b->flags >= BUF_HELD;
}

/* The program gives an sga of b back, whose reference is the caller's then. false: it has none. */
static inline bool buf_let_go(struct buf *b)
{
	uint32_t left = (uint32_t)b->flags - BUF_HELD; /* far beyond 16 bits when it has none */

	if (__builtin_expect(left >= BUF_HELD_MANY - BUF_HELD, 0))
		return left <= UINT16_MAX;
	b->flags = (uint16_t)left;
	return true;
}

/* A program that pushes one buffer again and again has reached the limit: its call is refused, as
 * buf_ref() may not fail. */
static inline bool buf_crowded(const struct buf *b)
{
	return *b->refs >= BUF_CALL_REFS_MAX;
}

/* One holder only: its bytes may be written, unless a device still reads them. */
static inline bool buf_sole(const struct buf *b)
{
	return *b->refs == 1;
}

static inline uint32_t buf_headroom(const struct buf *b)
{
	return (uint32_t)(b->data - b->base);
}

static inline uint32_t buf_tailroom(const struct buf *b)
{
	return b->room - buf_headroom(b) - b->len;
}

#endif
