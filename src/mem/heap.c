/* heap.c - messages of any size: a pool for the small, power-of-two blocks for the others.
 *
 * A block that comes back stays on the list of its class with its header ready, so that the next
 * message of the class takes a few instructions. Only when a list is empty or overfull the buddy
 * allocator is asked: the slow path below.
 *
 * SPDX-License-Identifier: MIT
 */
#include "mem/heap.h"
#include "base/list.h"
#include "mem/buddy.h"
#include "mem/fault.h"
#include "mem/map.h"
#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>

enum {
	PAGE_SHIFT = 12,
	SMALL_MAX_BYTES = HEAP_SMALL_ROOM - BUF_HEADROOM_BYTES,
	READY_BLOCKS = 2, /* a ready list may hold HEAP_READY_BYTES, but at least so many */
	/* An overfull list gives back so much at a time, but at least one block: no call is long.
	 */
	TRIM_BLOCKS = 16,
	TRIM_BYTES = 1 << 20,
};

static const uint64_t keep_pages = HEAP_KEEP_BYTES >> PAGE_SHIFT;

_Static_assert(HEAP_MAX_BYTES == 1 << (PAGE_SHIFT + BUDDY_ORDERS - 1), "the largest block");

/* The blocks of 2^(PAGE_SHIFT + index) bytes that are ready. */
struct size_class {
	struct buf *ready; /* linked by next; the most recent first */
	uint32_t count, limit;
};

struct heap {
	struct size_class classes[BUDDY_ORDERS];
	struct pool *small;
	struct pool blocks; /* what the headers of blocks return to */
	struct buddy buddy;
	uint32_t taken; /* blocks out of the buddy allocator: ready or with a user */
	uint8_t *region;
	size_t region_bytes;
	bool pinned;         /* a device knows the region's pages */
	struct buf *headers; /* of the block that starts at each page */
	struct buddy_page *pages;
	size_t region_mapped, headers_mapped, pages_mapped;
	struct mem_fault_point fault;
};

/* A block with its header ready, made fresh for the next user. */
static inline struct buf *hand_out(struct buf *b, uint32_t headroom, size_t bytes)
{
	b->data = b->base + headroom;
	b->len = (uint32_t)bytes;
	b->next = NULL;
	b->flags = 0;
	*b->refs = 1;
	return b;
}

static void give_to_buddy(struct heap *heap, struct buf *b)
{
	buddy_free(&heap->buddy, (uint32_t)(b - heap->headers), (unsigned)b->device);
	heap->taken--;
}

/* Gives back up to `blocks` of a class. */
static void trim(struct heap *heap, struct size_class *c, uint32_t blocks)
{
	struct buf *b;

	for (; blocks > 0 && (b = c->ready) != NULL; blocks--) {
		c->ready = b->next;
		c->count--;
		give_to_buddy(heap, b);
	}
}

/* Gives memory back to the kernel while too much lies idle: about as much as came in. */
static void purge(struct heap *heap)
{
	uint32_t page;
	unsigned order;

	while (!heap->pinned && heap->buddy.dirty_pages > keep_pages &&
	       buddy_take_dirty(&heap->buddy, &page, &order))
		madvise(heap->region + ((size_t)page << PAGE_SHIFT),
			(size_t)1 << (PAGE_SHIFT + order), MADV_DONTNEED);
}

/* A class holds more than it may. */
static __attribute__((noinline)) void overfull(struct heap *heap, struct size_class *c)
{
	uint32_t blocks = TRIM_BYTES >> (PAGE_SHIFT + (c - heap->classes));

	trim(heap, c, blocks < 1 ? 1 : blocks > TRIM_BLOCKS ? TRIM_BLOCKS : blocks);
	purge(heap);
}

static void release_block(struct pool *pool, struct buf *b)
{
	struct heap *heap = container_of(pool, struct heap, blocks);
	struct size_class *c = &heap->classes[b->device];

	b->next = c->ready;
	c->ready = b;
	if (__builtin_expect(++c->count > c->limit, 0))
		overfull(heap, c);
}

/* A block from the buddy allocator; when it has none, the ready blocks of all classes are merged
 * first. */
static bool take_from_buddy(struct heap *heap, unsigned order, uint32_t *page)
{
	if (buddy_alloc(&heap->buddy, order, page))
		return true;
	for (unsigned i = 0; i < BUDDY_ORDERS; i++)
		trim(heap, &heap->classes[i], UINT32_MAX);
	return buddy_alloc(&heap->buddy, order, page);
}

static __attribute__((noinline)) struct buf *alloc_slow(struct heap *heap, unsigned order,
							uint32_t headroom, size_t bytes)
{
	struct buf *b;
	uint32_t page;

	if (mem_fault_hit() || !take_from_buddy(heap, order, &page))
		return NULL;
	heap->taken++;
	b = &heap->headers[page];
	b->base = heap->region + ((size_t)page << PAGE_SHIFT);
	b->room = 1u << (PAGE_SHIFT + order);
	b->refs = &b->own_refs;
	b->pool = &heap->blocks;
	b->device = order;
	return hand_out(b, headroom, bytes);
}

static inline struct buf *alloc_block(struct heap *heap, uint32_t headroom, size_t bytes)
{
	size_t last = (headroom + bytes - 1) >> PAGE_SHIFT;
	unsigned order = last == 0 ? 0 : 64 - (unsigned)__builtin_clzll(last);
	struct size_class *c = &heap->classes[order];
	struct buf *b = c->ready;

	if (__builtin_expect(b == NULL, 0))
		return alloc_slow(heap, order, headroom, bytes);
	c->ready = b->next;
	c->count--;
	return hand_out(b, headroom, bytes);
}

/* The pool has no buffer: a block takes its place, unless the pool only looks empty. */
static __attribute__((noinline)) struct buf *alloc_small_slow(struct heap *heap, size_t bytes)
{
	struct buf *b = pool_get(heap->small);

	if (b == NULL)
		return heap->small->free_count > 0 ? NULL
						   : alloc_block(heap, BUF_HEADROOM_BYTES, bytes);
	b->len = (uint32_t)bytes;
	return b;
}

static __attribute__((noinline)) struct buf *alloc_large(struct heap *heap, size_t bytes)
{
	return bytes - 1 >= HEAP_MAX_BYTES ? NULL : alloc_block(heap, 0, bytes);
}

struct buf *heap_alloc(struct heap *heap, size_t bytes)
{
	struct buf *b;

	if (__builtin_expect(bytes - 1 >= SMALL_MAX_BYTES, 0))
		return alloc_large(heap, bytes);
	if (__builtin_expect(heap->small->free == NULL, 0))
		return alloc_small_slow(heap, bytes);
	b = pool_get(heap->small);
	b->len = (uint32_t)bytes;
	return b;
}

/* A page that a child shares is copied when one of the two writes to it: the device would go on
 * with the old one. */
uint8_t *heap_pin(struct heap *heap, size_t *bytes)
{
	heap->pinned = true;
	madvise(heap->region, heap->region_bytes, MADV_DONTFORK);
	*bytes = heap->region_bytes;
	return heap->region;
}

void heap_collect(struct heap *heap)
{
	pool_collect(heap->small);
	pool_collect(&heap->blocks);
}

static void set_limits(struct heap *heap)
{
	for (unsigned i = 0; i < BUDDY_ORDERS; i++) {
		uint32_t limit = HEAP_READY_BYTES >> (PAGE_SHIFT + i);

		heap->classes[i].limit = limit < READY_BLOCKS ? READY_BLOCKS : limit;
	}
}

static void set_fault(struct mem_fault_point *point, bool slow)
{
	struct heap *heap = container_of(point, struct heap, fault);

	set_limits(heap);
	for (unsigned i = 0; slow && i < BUDDY_ORDERS; i++) {
		heap->classes[i].limit = 0;
		trim(heap, &heap->classes[i], UINT32_MAX);
	}
}

static void free_heap(struct heap *heap)
{
	map_free(heap->region, heap->region_mapped);
	map_free(heap->headers, heap->headers_mapped);
	map_free(heap->pages, heap->pages_mapped);
	free(heap);
}

/* All blocks are home. */
static void blocks_gone(struct pool *pool)
{
	struct heap *heap = container_of(pool, struct heap, blocks);

	pool_fini(pool);
	free_heap(heap);
}

static int map_region(struct heap *heap, size_t region_bytes)
{
	uint32_t pages = (uint32_t)(region_bytes >> PAGE_SHIFT);

	heap->region_bytes = region_bytes;
	heap->region = map_reserve(region_bytes, true, &heap->region_mapped);
	heap->headers = map_reserve(pages * sizeof(struct buf), false, &heap->headers_mapped);
	heap->pages = map_reserve(pages * sizeof(struct buddy_page), false, &heap->pages_mapped);
	if (heap->region == NULL || heap->headers == NULL || heap->pages == NULL)
		return -ENOMEM;
	buddy_init(&heap->buddy, heap->pages, pages);
	return 0;
}

int heap_create(struct heap **out, uint32_t small_count, size_t region_bytes)
{
	struct heap *heap;
	int err;

	if (region_bytes < HEAP_MAX_BYTES || region_bytes > HEAP_REGION_MAX_BYTES ||
	    (region_bytes & (region_bytes - 1)) != 0)
		return -EINVAL;
	heap = calloc(1, sizeof(*heap));
	if (heap == NULL)
		return -ENOMEM;
	err = map_region(heap, region_bytes);
	if (err != 0)
		goto free_heap;
	err = pool_create(&heap->small, small_count, HEAP_SMALL_ROOM, BUF_HEADROOM_BYTES, NULL);
	if (err != 0)
		goto free_heap;
	err = pool_init(&heap->blocks, 0, release_block, NULL, blocks_gone);
	if (err != 0)
		goto destroy_small;
	set_limits(heap);
	heap->fault.set = set_fault;
	mem_fault_register(&heap->fault);
	*out = heap;
	return 0;

destroy_small:
	pool_destroy(heap->small);
free_heap:
	free_heap(heap);
	return err;
}

void heap_destroy(struct heap *heap)
{
	uint32_t ready = 0;

	if (heap == NULL)
		return;
	mem_fault_unregister(&heap->fault);
	pool_destroy(heap->small);
	for (unsigned i = 0; i < BUDDY_ORDERS; i++)
		ready += heap->classes[i].count;
	pool_orphan(&heap->blocks, heap->taken - ready);
}
