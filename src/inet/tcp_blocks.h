/* tcp_blocks.h - the set of blocks behind tcp_reassembly.h: kept in order of their sequence
 * numbers and, beside it, in order of when they were touched last.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef INET_TCP_BLOCKS_H
#define INET_TCP_BLOCKS_H

#include "inet/tcp_cb.h"
#include "inet/tcp_sets.h"

/* A block's number, and that of none. */
enum { TCP_BLOCK_NONE = UINT16_MAX };

struct tcp_block {
	struct tcp_range range;
	struct buf *head, *tail; /* linked by next */
	uint16_t newer, older;   /* neighbours in the order of touching */
	bool fresh;              /* touched since it was told last */
};

struct tcp_reassembly {
	struct tcp_set set; /* first: tcp_sets.h */
	uint16_t count;
	uint16_t free;           /* the next to be used again, linked by `older` */
	uint16_t touched;        /* blocks with a number below this have been used */
	uint16_t newest, oldest; /* TCP_BLOCK_NONE: the set is empty */
	uint16_t fresh;          /* blocks that are */
	uint16_t *order;         /* numbers in order of sequence; behind the blocks */
	struct tcp_block block[];
};

uint32_t tcp_blocks_bytes(uint32_t capacity);

/* An empty set in memory of tcp_blocks_bytes(capacity). */
void tcp_blocks_init(struct tcp_reassembly *r, uint32_t capacity);

/* Makes `to`, empty and larger, what `from` is. */
void tcp_blocks_copy(struct tcp_reassembly *to, const struct tcp_reassembly *from);

/* The block in place i of the order of sequence. */
static inline struct tcp_block *tcp_blocks_at(struct tcp_reassembly *r, uint32_t i)
{
	return &r->block[r->order[i]];
}

/* The place of the first block that ends at seq or behind it; `count` when there is none. */
uint32_t tcp_blocks_find(struct tcp_reassembly *r, uint32_t seq);

/* An empty block at start, in place i, the newest, and fresh. The set must have room. */
struct tcp_block *tcp_blocks_insert(struct tcp_reassembly *r, uint32_t i, uint32_t start);

/* Takes the block in place i out. Its buffers are the caller's. */
void tcp_blocks_erase(struct tcp_reassembly *r, uint32_t i);

/* The block in place i is the newest from now on, and fresh. */
void tcp_blocks_touch(struct tcp_reassembly *r, uint32_t i);

/* Tells up to max blocks: the fresh ones from the newest on, which are not fresh any more then, and
 * if there is room left the newest of the others. Returns how many. */
uint32_t tcp_blocks_tell(struct tcp_reassembly *r, struct tcp_range *out, uint32_t max);

#endif
