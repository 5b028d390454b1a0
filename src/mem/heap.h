/* heap.h - memory for messages: what demi_sgaalloc() and kernel sockets hand to the program.
 *
 * Small messages come from a pool of frame-sized rooms, and from the region below when that pool is
 * empty. Larger ones, up to HEAP_MAX_BYTES, are blocks of powers of two out of one reserved region,
 * kept by a buddy allocator that merges lazily: alloc and free of one size in turn touch one free
 * list only. The region is reserved when the heap is made and costs memory as it is touched. Blocks
 * that nobody uses keep their memory for the next user within two bounds, HEAP_READY_BYTES and
 * HEAP_KEEP_BYTES; beyond, large ones are given back to the kernel. A full region is NULL, never a
 * failure elsewhere.
 *
 * Data starts at a multiple of 64 bytes. A heap belongs to one thread, as a pool does: other
 * threads give buffers back with pool_unref().
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MEM_HEAP_H
#define MEM_HEAP_H

#include "mem/buf.h"
#include "mem/pool.h"

enum {
	HEAP_MAX_BYTES = 16 << 20,  /* the largest message */
	HEAP_SMALL_ROOM = 2048,     /* room of the small class, headroom included */
	HEAP_READY_BYTES = 4 << 20, /* of each size, on its free list; but two blocks at least */
	HEAP_KEEP_BYTES = 64 << 20, /* beside them, in free blocks of 1 MiB and more */
};

/* Address space of one heap, at most. */
#define HEAP_REGION_MAX_BYTES ((size_t)1 << 40)

struct heap;

/* `small_count` buffers of the small class, `region_bytes` (a power of two,
 * HEAP_MAX_BYTES to HEAP_REGION_MAX_BYTES) of address space for the larger ones. 0, -EINVAL,
 * -ENOMEM. */
int heap_create(struct heap **out, uint32_t small_count, size_t region_bytes);
void heap_destroy(struct heap *heap); /* as pool_destroy(): blocks still out keep their memory */

/* A buffer with one reference and room for `bytes` (len is set to it), BUF_HEADROOM_BYTES of
 * headroom up to HEAP_SMALL_ROOM with it, none for more. NULL: bytes is 0 or over HEAP_MAX_BYTES,
 * or memory ran out. */
struct buf *heap_alloc(struct heap *heap, size_t bytes);

/* Carries out what other threads gave back; costs two loads when there is nothing. */
void heap_collect(struct heap *heap);

/* For a device that reads and writes the region by itself: from now on its pages stay as they are,
 * also in a fork(), whose child does not have them. Returns the first byte; *bytes is the region's
 * size. */
uint8_t *heap_pin(struct heap *heap, size_t *bytes);

#endif
