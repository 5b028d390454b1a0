/* tcp_reassembly.c - see tcp_reassembly.h.
 *
 * SPDX-License-Identifier: MIT
 */
#include "inet/tcp_reassembly.h"
#include "inet/tcp_receive.h"
#include "inet/tcp_table.h"

/* A piece of a received segment: what is left of it after trimming. */
struct piece {
	struct tcp_range range;
	uint8_t *data;
};

static void trim_front(struct piece *p, uint32_t start)
{
	if (seq_gt(start, p->range.start)) {
		p->data += start - p->range.start;
		p->range.start = start;
	}
}

static void trim_back(struct piece *p, uint32_t end)
{
	if (seq_lt(end, p->range.end))
		p->range.end = end;
}

static void erase(struct tcp_reassembly *r, uint32_t i)
{
	r->count--;
	memmove(&r->block[i], &r->block[i + 1], (r->count - i) * sizeof(r->block[0]));
}

static void drop_block(struct tcp_cb *cb, uint32_t i)
{
	struct buf *b = cb->ooo->block[i].head;

	while (b != NULL) {
		struct buf *next = b->next;

		cb->recv_memory -= tcp_buf_memory(b);
		buf_unref(b);
		b = next;
	}
	erase(cb->ooo, i);
}

static void give_back_if_empty(struct tcp_cb *cb)
{
	if (cb->ooo != NULL && cb->ooo->count == 0) {
		tcp_slab_put(&cb->sock.stack->tcp->reassemblies, cb->ooo);
		cb->ooo = NULL;
		cb->out_of_order = false;
	}
}

void tcp_reassembly_clear(struct tcp_cb *cb)
{
	while (cb->ooo != NULL && cb->ooo->count > 0)
		drop_block(cb, cb->ooo->count - 1);
	give_back_if_empty(cb);
}

/* The first duplicate bytes of a segment (RFC 2883 4): before rcv_nxt, or in the first block that
 * it meets. */
static void note_duplicate(struct tcp_cb *cb, uint32_t start, uint32_t end)
{
	const struct tcp_reassembly *r = cb->ooo;

	cb->duplicate = seq_lt(start, cb->rcv_nxt);
	if (cb->duplicate) {
		cb->dsack.start = start;
		cb->dsack.end = seq_lt(end, cb->rcv_nxt) ? end : cb->rcv_nxt;
		return;
	}
	for (uint32_t i = 0; r != NULL && i < r->count; i++) {
		const struct tcp_range *b = &r->block[i].range;

		if (seq_lt(b->start, end) && seq_lt(start, b->end)) {
			cb->duplicate = true;
			cb->dsack.start = seq_gt(b->start, start) ? b->start : start;
			cb->dsack.end = seq_lt(b->end, end) ? b->end : end;
			return;
		}
	}
}

/* Moves the first block, which has come in order, to the receive queue. */
static void deliver_first(struct tcp_cb *cb)
{
	struct tcp_block *first = &cb->ooo->block[0];
	struct buf *b = first->head;

	cb->rcv_nxt = first->range.end;
	while (b != NULL) {
		struct buf *next = b->next;

		cb->recv_memory -= tcp_buf_memory(b);
		tcp_receive_append(cb, b, b->data, b->len);
		b = next;
	}
	erase(cb->ooo, 0);
}

/* A piece that begins at rcv_nxt. Blocks that it covers are dropped, one that it runs into cuts it
 * short and follows it. */
static void add_in_order(struct tcp_cb *cb, struct piece p, struct packet *pkt)
{
	struct tcp_reassembly *r = cb->ooo;

	while (r != NULL && r->count > 0 && seq_leq(r->block[0].range.end, p.range.end))
		drop_block(cb, 0);
	if (r != NULL && r->count > 0)
		trim_back(&p, r->block[0].range.start);
	tcp_receive_append(cb, pkt->buf, p.data, p.range.end - p.range.start);
	pkt->buf = NULL;
	cb->rcv_nxt = p.range.end;
	if (r != NULL && r->count > 0 && r->block[0].range.start == cb->rcv_nxt)
		deliver_first(cb);
	give_back_if_empty(cb);
	if (cb->read_closed)
		tcp_receive_clear(cb);
	else
		tcp_raise(cb, STACK_EV_READ);
}

/* Puts the piece behind the last buffer of a block. */
static void append(struct tcp_cb *cb, struct tcp_block *block, const struct piece *p,
		   struct packet *pkt)
{
	uint32_t len = p->range.end - p->range.start;
	struct buf *b = pkt->buf;

	pkt->buf = NULL;
	block->range.end = p->range.end;
	if (tcp_receive_pack(cb, block->tail, b, p->data, len))
		return;
	b->data = p->data;
	b->len = len;
	b->next = NULL;
	if (block->tail != NULL)
		block->tail->next = b;
	else
		block->head = b;
	block->tail = b;
	cb->recv_memory += tcp_buf_memory(b);
}

/* Joins block i + 1 to block i, which it touches. */
static void join_next(struct tcp_reassembly *r, uint32_t i)
{
	struct tcp_block *a = &r->block[i], *b = &r->block[i + 1];

	a->range.end = b->range.end;
	a->tail->next = b->head;
	a->tail = b->tail;
	erase(r, i + 1);
}

/* Makes an empty block in place i, at most TCP_OUT_OF_ORDER_RANGES. */
static bool make_block(struct tcp_reassembly *r, uint32_t i, uint32_t start)
{
	if (r->count == TCP_OUT_OF_ORDER_RANGES)
		return false;
	memmove(&r->block[i + 1], &r->block[i], (r->count - i) * sizeof(r->block[0]));
	r->count++;
	r->block[i] = (struct tcp_block){.range = {start, start}};
	return true;
}

/* A piece beyond rcv_nxt. */
static void add_out_of_order(struct tcp_cb *cb, struct piece p, struct packet *pkt)
{
	struct tcp_reassembly *r = cb->ooo;
	uint32_t i = 0;
	bool follows;

	while (i < r->count && seq_lt(r->block[i].range.end, p.range.start))
		i++;
	follows = i < r->count && seq_leq(r->block[i].range.start, p.range.start);
	if (follows && seq_geq(r->block[i].range.end, p.range.end)) {
		r->block[i].stamp = ++r->stamp; /* all of it is here already */
		return;
	}
	if (follows)
		trim_front(&p, r->block[i].range.end);
	while (i + follows < r->count && seq_leq(r->block[i + follows].range.end, p.range.end))
		drop_block(cb, i + follows);
	if (i + follows < r->count)
		trim_back(&p, r->block[i + follows].range.start);
	if (!follows && !make_block(r, i, p.range.start)) {
		cb->sock.stack->stats.tcp_out_of_order_dropped++;
		return;
	}
	append(cb, &r->block[i], &p, pkt);
	r->block[i].stamp = ++r->stamp;
	if (i + 1 < r->count && r->block[i + 1].range.start == r->block[i].range.end)
		join_next(r, i);
}

/* May one more buffer be held out of order? */
static bool affordable(const struct tcp_cb *cb, const struct buf *b)
{
	return (uint64_t)cb->recv_memory + tcp_buf_memory(b) <=
		   (uint64_t)cb->recv_limit * TCP_RECV_MEMORY_FACTOR &&
	       !tcp_pool_low(b->pool);
}

static bool have_reassembly(struct tcp_cb *cb)
{
	if (cb->ooo == NULL) {
		cb->ooo = tcp_slab_get(&cb->sock.stack->tcp->reassemblies);
		if (cb->ooo == NULL)
			return false;
		cb->ooo->count = 0;
		cb->ooo->stamp = 0;
		cb->out_of_order = true;
	}
	return true;
}

void tcp_reassembly_add(struct tcp_cb *cb, uint32_t start, uint32_t end, uint8_t *data,
			struct packet *pkt)
{
	struct piece p = {{start, end}, data};

	if (seq_geq(start, end))
		return;
	note_duplicate(cb, start, end);
	if (seq_leq(end, cb->rcv_nxt))
		return;
	trim_front(&p, cb->rcv_nxt);
	if (p.range.start == cb->rcv_nxt) {
		add_in_order(cb, p, pkt);
	} else if (affordable(cb, pkt->buf) && have_reassembly(cb)) {
		add_out_of_order(cb, p, pkt);
		give_back_if_empty(cb);
	} else {
		cb->sock.stack->stats.tcp_out_of_order_dropped++;
	}
}

/* The block with the largest stamp below `below`, or NULL. */
static const struct tcp_block *most_recent(const struct tcp_reassembly *r, uint32_t below)
{
	const struct tcp_block *best = NULL;

	for (uint32_t i = 0; i < r->count; i++)
		if (r->block[i].stamp < below && (best == NULL || r->block[i].stamp > best->stamp))
			best = &r->block[i];
	return best;
}

uint32_t tcp_reassembly_sack(const struct tcp_cb *cb, struct tcp_range *out, uint32_t max)
{
	const struct tcp_block *b;
	uint32_t n = 0, below = UINT32_MAX;

	if (cb->duplicate)
		out[n++] = cb->dsack;
	while (cb->ooo != NULL && n < max && (b = most_recent(cb->ooo, below)) != NULL) {
		out[n++] = b->range;
		below = b->stamp;
	}
	return n;
}
