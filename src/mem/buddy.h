/* buddy.h - which pages of a region are free: a binary buddy allocator over page numbers. It
 * touches no page itself.
 *
 * Blocks are 2^order pages that start at a multiple of their size. Pages that were used before
 * (dirty) cost memory though they are free; buddy_take_dirty() names large blocks of such pages, to
 * be given back to the kernel.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MEM_BUDDY_H
#define MEM_BUDDY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	BUDDY_ORDERS = 13,     /* 0 to 12: 1 to 4096 pages */
	BUDDY_LARGE_ORDER = 8, /* dirty blocks are counted from here on: 256 pages */
};

/* Of the first page of a block that is free; `free` is false elsewhere. */
struct buddy_page {
	uint32_t next, prev; /* in the list of its order */
	uint8_t order;
	bool free, dirty;
};

struct buddy {
	struct buddy_page *pages; /* page_count of them, zero at first; borrowed */
	uint32_t page_count;      /* a multiple of 2^(BUDDY_ORDERS - 1), below 2^31 */
	uint32_t fresh;           /* pages from here on have never been used */
	uint32_t heads[BUDDY_ORDERS];
	uint64_t dirty_pages; /* in free blocks of BUDDY_LARGE_ORDER and above */
};

void buddy_init(struct buddy *b, struct buddy_page *pages, uint32_t page_count);

/* Takes a block of `order` and writes its first page. False: there is none. */
bool buddy_alloc(struct buddy *b, unsigned order, uint32_t *page);

/* Gives back a block of `order`, dirty, and merges it with its buddies. */
void buddy_free(struct buddy *b, uint32_t page, unsigned order);

/* Names a free dirty block of at least BUDDY_LARGE_ORDER, the smallest order first, and counts it
 * as clean from now on. False: there is none. */
bool buddy_take_dirty(struct buddy *b, uint32_t *page, unsigned *order);

#endif
