/* catcollar_buffers.c - catcollar: the memory that the kernel receives into.
 *
 * Each group is a ring that the kernel takes buffers from in turn. It has few at first, so that
 * they stay in the processor's cache, and more each time it ran out. A group gets its memory when
 * it is first used.
 *
 * SPDX-License-Identifier: MIT
 */
#include "base/config.h"
#include "libos/catcollar_queue.h"
#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>

enum {
	SMALL_MAX = 4096, /* buffers of a group */
	SMALL_MIN = 8,
	SMALL_SHARE = 4, /* one of so many of all small buffers */
	LARGE_MAX = 16,
	FIRST = 16, /* that the kernel has at first */
	/* What the kernel writes in front of a datagram, and the largest one of IPv4. */
	DATAGRAM_BYTES = KERNEL_RECV_BYTES + 64,
};

static uint32_t small_entries(const struct config *c)
{
	uint32_t n = SMALL_MAX;

	while (n > SMALL_MIN && n > c->small_buffers / SMALL_SHARE)
		n /= 2;
	return n;
}

static size_t ring_bytes(uint32_t entries)
{
	return entries * sizeof(struct io_uring_buf);
}

static int register_ring(struct catcollar *c, struct catcollar_buffers *b, uint16_t group)
{
	struct io_uring_buf_reg reg = {.ring_entries = b->entries, .bgid = group};

	b->ring = mmap(NULL, ring_bytes(b->entries), PROT_READ | PROT_WRITE,
		       MAP_ANONYMOUS | MAP_PRIVATE, -1, 0);
	if (b->ring == MAP_FAILED) {
		b->ring = NULL;
		return -ENOMEM;
	}
	reg.ring_addr = (uintptr_t)b->ring;
	io_uring_buf_ring_init(b->ring);
	return io_uring_register_buf_ring(&c->ring, &reg, 0);
}

static int open_group(struct catcollar *c, uint16_t group, uint32_t entries, uint32_t bytes)
{
	struct catcollar_buffers *b = &c->buffers[group];

	b->entries = entries;
	b->target = entries < FIRST ? entries : FIRST;
	b->bytes = bytes;
	b->bufs = calloc(entries, sizeof(b->bufs[0]));
	b->free = calloc(entries, sizeof(b->free[0]));
	if (b->bufs == NULL || b->free == NULL)
		return -ENOMEM;
	for (uint32_t i = 0; i < entries; i++)
		b->free[i] = (uint16_t)i;
	return register_ring(c, b, group);
}

int catcollar_buffers_open(struct catcollar *c)
{
	int rc =
	    open_group(c, GROUP_SMALL, small_entries(c->kernel.env.config), KERNEL_SMALL_BYTES);

	if (rc == 0)
		rc = open_group(c, GROUP_LARGE, LARGE_MAX, KERNEL_RECV_BYTES);
	if (rc == 0)
		rc = open_group(c, GROUP_DATAGRAM, LARGE_MAX, DATAGRAM_BYTES);
	return rc;
}

/* The kernel knows them no more: the ring is closed. */
void catcollar_buffers_close(struct catcollar *c)
{
	for (unsigned g = 0; g < GROUP_COUNT; g++) {
		struct catcollar_buffers *b = &c->buffers[g];

		for (uint32_t i = 0; b->bufs != NULL && i < b->entries; i++) {
			if (b->bufs[i] != NULL)
				buf_unref(b->bufs[i]);
		}
		if (b->ring != NULL)
			munmap(b->ring, ring_bytes(b->entries));
		free(b->bufs);
		free(b->free);
	}
}

static void give(struct catcollar_buffers *b, uint16_t number)
{
	struct buf *buf = b->bufs[number];

	io_uring_buf_ring_add(b->ring, buf->data, b->bytes, number,
			      io_uring_buf_ring_mask(b->entries), 0);
	io_uring_buf_ring_advance(b->ring, 1);
}

bool catcollar_provide(struct catcollar *c, enum catcollar_group group)
{
	struct catcollar_buffers *b = &c->buffers[group];

	if (b->ran_out && b->target < b->entries)
		b->target *= 2;
	b->ran_out = false;
	while (b->provided < b->target) {
		struct buf *buf = heap_alloc(c->kernel.env.heap, b->bytes);
		uint16_t number;

		if (buf == NULL)
			break;
		number = b->free[b->provided++];
		b->bufs[number] = buf;
		give(b, number);
	}
	return b->provided > 0;
}

struct buf *catcollar_buffer(struct catcollar *c, enum catcollar_group group, uint32_t cqe_flags)
{
	return c->buffers[group].bufs[cqe_flags >> IORING_CQE_BUFFER_SHIFT];
}

void catcollar_take(struct catcollar *c, enum catcollar_group group, uint32_t cqe_flags)
{
	struct catcollar_buffers *b = &c->buffers[group];
	uint16_t number = (uint16_t)(cqe_flags >> IORING_CQE_BUFFER_SHIFT);

	b->bufs[number] = NULL;
	b->free[--b->provided] = number;
}

void catcollar_again(struct catcollar *c, enum catcollar_group group, uint32_t cqe_flags)
{
	give(&c->buffers[group], (uint16_t)(cqe_flags >> IORING_CQE_BUFFER_SHIFT));
}
