/* tcp_blocks.c - see tcp_blocks.h.
 *
 * SPDX-License-Identifier: MIT
 */
#include "inet/tcp_blocks.h"

uint32_t tcp_blocks_bytes(uint32_t capacity)
{
	return (uint32_t)(sizeof(struct tcp_reassembly) +
			  capacity * (sizeof(struct tcp_block) + sizeof(uint16_t)));
}

void tcp_blocks_init(struct tcp_reassembly *r, uint32_t capacity)
{
	r->set.capacity = (uint16_t)capacity;
	r->count = r->touched = r->fresh = 0;
	r->free = r->newest = r->oldest = TCP_BLOCK_NONE;
	r->order = (uint16_t *)(void *)&r->block[capacity];
}

void tcp_blocks_copy(struct tcp_reassembly *to, const struct tcp_reassembly *from)
{
	to->count = from->count;
	to->free = from->free;
	to->touched = from->touched;
	to->newest = from->newest;
	to->oldest = from->oldest;
	to->fresh = from->fresh;
	memcpy(to->block, from->block, from->touched * sizeof(to->block[0]));
	memcpy(to->order, from->order, from->count * sizeof(to->order[0]));
}

uint32_t tcp_blocks_find(struct tcp_reassembly *r, uint32_t seq)
{
	uint32_t from = 0, to = r->count;

	while (from < to) {
		uint32_t middle = (from + to) / 2;

		if (seq_lt(tcp_blocks_at(r, middle)->range.end, seq))
			from = middle + 1;
		else
			to = middle;
	}
	return from;
}

static void unlink_block(struct tcp_reassembly *r, uint16_t n)
{
	const struct tcp_block *b = &r->block[n];

	r->fresh = (uint16_t)(r->fresh - b->fresh);
	if (b->newer != TCP_BLOCK_NONE)
		r->block[b->newer].older = b->older;
	else
		r->newest = b->older;
	if (b->older != TCP_BLOCK_NONE)
		r->block[b->older].newer = b->newer;
	else
		r->oldest = b->newer;
}

static void link_newest(struct tcp_reassembly *r, uint16_t n)
{
	struct tcp_block *b = &r->block[n];

	b->fresh = true;
	r->fresh++;
	b->newer = TCP_BLOCK_NONE;
	b->older = r->newest;
	if (r->newest != TCP_BLOCK_NONE)
		r->block[r->newest].newer = n;
	else
		r->oldest = n;
	r->newest = n;
}

void tcp_blocks_touch(struct tcp_reassembly *r, uint32_t i)
{
	uint16_t n = r->order[i];

	if (r->newest == n && r->block[n].fresh)
		return;
	unlink_block(r, n);
	link_newest(r, n);
}

/* The first fresh block from `at` on, in the order of touching. Those that are not fresh any more
 * have come with the same burst: it is not far. */
static uint16_t next_fresh(const struct tcp_reassembly *r, uint16_t at)
{
	while (at != TCP_BLOCK_NONE && !r->block[at].fresh)
		at = r->block[at].older;
	return at;
}

uint32_t tcp_blocks_tell(struct tcp_reassembly *r, struct tcp_range *out, uint32_t max)
{
	uint16_t at = r->newest, told[TCP_SACK_BLOCKS];
	uint32_t n = 0, fresh;

	while (n < max && r->fresh > 0) {
		at = next_fresh(r, at);
		told[n] = at;
		out[n++] = r->block[at].range;
		r->block[at].fresh = false;
		r->fresh--;
	}
	fresh = n;
	for (at = r->newest; n < max && at != TCP_BLOCK_NONE; at = r->block[at].older) {
		bool again = false;

		for (uint32_t i = 0; i < fresh; i++)
			again |= told[i] == at;
		if (!again)
			out[n++] = r->block[at].range;
	}
	return n;
}

struct tcp_block *tcp_blocks_insert(struct tcp_reassembly *r, uint32_t i, uint32_t start)
{
	uint16_t n = r->free;
	struct tcp_block *b;

	assert(r->count < r->set.capacity);
	if (n != TCP_BLOCK_NONE)
		r->free = r->block[n].older;
	else
		n = r->touched++;
	memmove(&r->order[i + 1], &r->order[i], (r->count - i) * sizeof(r->order[0]));
	r->order[i] = n;
	r->count++;
	b = &r->block[n];
	b->range.start = b->range.end = start;
	b->head = b->tail = NULL;
	link_newest(r, n);
	return b;
}

void tcp_blocks_erase(struct tcp_reassembly *r, uint32_t i)
{
	uint16_t n = r->order[i];

	unlink_block(r, n);
	r->block[n].older = r->free;
	r->free = n;
	r->count--;
	memmove(&r->order[i], &r->order[i + 1], (r->count - i) * sizeof(r->order[0]));
}
