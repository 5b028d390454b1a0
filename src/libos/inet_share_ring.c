/* inet_share_ring.c - see inet_share_ring.h. Each slot has a turn: it is writable for the frame
 * with the number n (modulo the ring) when its turn is n, and readable when that is n + 1.
 *
 * Source: Dmitry Vyukov, "Bounded MPMC queue".
 *
 * SPDX-License-Identifier: MIT
 */
#include "libos/inet_share_ring.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { LINE_BYTES = 64 };

struct slot {
	_Atomic uint32_t turn;
	uint32_t len;
	uint64_t visited;
	uint16_t flags;
	uint8_t bytes[];
};

static struct slot *slot_at(const struct share_ring *r, uint32_t n)
{
	return (struct slot *)(void *)(r->slots + (n & (SHARE_RING_FRAMES - 1)) * r->slot_bytes);
}

int share_ring_create(struct share_ring *r, uint32_t frame_bytes)
{
	r->slot_bytes = (sizeof(struct slot) + frame_bytes + LINE_BYTES - 1) & ~(LINE_BYTES - 1ul);
	r->slots = aligned_alloc(LINE_BYTES, SHARE_RING_FRAMES * r->slot_bytes);
	if (!r->slots)
		return -ENOMEM;
	atomic_init(&r->tail, 0);
	r->head = 0;
	for (uint32_t i = 0; i < SHARE_RING_FRAMES; i++)
		atomic_init(&slot_at(r, i)->turn, i);
	return 0;
}

void share_ring_destroy(struct share_ring *r)
{
	free(r->slots);
	r->slots = NULL;
}

/* The slot that is ours to write, and its number; NULL: all are taken. */
static struct slot *reserve(struct share_ring *r, uint32_t *n)
{
	uint32_t at = atomic_load_explicit(&r->tail, memory_order_relaxed);

	for (;;) {
		struct slot *s = slot_at(r, at);
		int32_t ahead =
		    (int32_t)(atomic_load_explicit(&s->turn, memory_order_acquire) - at);

		if (ahead < 0)
			return NULL;
		if (ahead > 0) {
			at = atomic_load_explicit(&r->tail, memory_order_relaxed);
		} else if (atomic_compare_exchange_weak_explicit(
			       &r->tail, &at, at + 1, memory_order_relaxed, memory_order_relaxed)) {
			*n = at;
			return s;
		}
	}
}

bool share_ring_put(struct share_ring *r, const struct share_frame *f)
{
	struct slot *s;
	uint32_t n;

	if (f->len > r->slot_bytes - sizeof(*s))
		return false;
	s = reserve(r, &n);
	if (!s)
		return false;
	s->len = f->len;
	s->flags = f->flags;
	s->visited = f->visited;
	memcpy(s->bytes, f->bytes, f->len);
	atomic_store_explicit(&s->turn, n + 1, memory_order_release);
	return true;
}

bool share_ring_see(const struct share_ring *r, struct share_frame *f)
{
	struct slot *s = slot_at(r, r->head);

	if (atomic_load_explicit(&s->turn, memory_order_acquire) != r->head + 1)
		return false;
	*f = (struct share_frame){s->bytes, s->len, s->flags, s->visited};
	return true;
}

void share_ring_next(struct share_ring *r)
{
	struct slot *s = slot_at(r, r->head);

	atomic_store_explicit(&s->turn, r->head + SHARE_RING_FRAMES, memory_order_release);
	r->head++;
}
