/* tcp_reassembly.c - see tcp_reassembly.h.
 *
 * SPDX-License-Identifier: MIT
 */
#include "inet/tcp_reassembly.h"
#include "inet/tcp_blocks.h"
#include "inet/tcp_receive.h"

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

static const uint16_t capacities[TCP_SET_SIZES] = {
    [TCP_SET_SMALL] = TCP_OUT_OF_ORDER_RANGES,
    [TCP_SET_LARGE] = TCP_OUT_OF_ORDER_RANGES_LARGE,
};

uint32_t tcp_reassembly_bytes(enum tcp_set_size size)
{
	return tcp_blocks_bytes(capacities[size]);
}

static struct tcp_reassembly *make(struct tcp_cb *cb, enum tcp_set_size size)
{
	struct tcp_sets *sets = &cb->sock.stack->tcp->reassemblies[size];
	struct tcp_cb *old = tcp_sets_who_gives_way(sets, cb);
	struct tcp_reassembly *r;

	if (old != NULL)
		tcp_reassembly_clear(old);
	r = (struct tcp_reassembly *)(void *)tcp_sets_get(sets, cb);
	if (r != NULL) {
		r->set.size = (uint16_t)size;
		tcp_blocks_init(r, capacities[size]);
	}
	return r;
}

static void give_back(struct tcp_cb *cb, struct tcp_reassembly *r)
{
	tcp_sets_put(&cb->sock.stack->tcp->reassemblies[r->set.size], &r->set);
}

/* Moves to a large set. */
static bool grow(struct tcp_cb *cb)
{
	struct tcp_reassembly *old = cb->ooo, *r;

	if (old->set.size == TCP_SET_LARGE)
		return false;
	r = make(cb, TCP_SET_LARGE);
	if (r == NULL)
		return false;
	tcp_blocks_copy(r, old);
	give_back(cb, old);
	cb->ooo = r;
	return true;
}

static void drop_block(struct tcp_cb *cb, uint32_t i)
{
	struct buf *b = tcp_blocks_at(cb->ooo, i)->head;

	while (b != NULL) {
		struct buf *next = b->next;

		cb->recv_memory -= tcp_buf_memory(b);
		buf_unref(b);
		b = next;
	}
	tcp_blocks_erase(cb->ooo, i);
}

static void give_back_if_empty(struct tcp_cb *cb)
{
	if (cb->ooo != NULL && cb->ooo->count == 0) {
		give_back(cb, cb->ooo);
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
	struct tcp_reassembly *r = cb->ooo;
	const struct tcp_range *b;
	uint32_t i;

	cb->duplicate = seq_lt(start, cb->rcv_nxt);
	if (cb->duplicate) {
		cb->dsack.start = start;
		cb->dsack.end = seq_lt(end, cb->rcv_nxt) ? end : cb->rcv_nxt;
		return;
	}
	i = r != NULL ? tcp_blocks_find(r, start + 1) : 0;
	if (r == NULL || i == r->count)
		return;
	b = &tcp_blocks_at(r, i)->range;
	if (seq_lt(b->start, end)) {
		cb->duplicate = true;
		cb->dsack.start = seq_gt(b->start, start) ? b->start : start;
		cb->dsack.end = seq_lt(b->end, end) ? b->end : end;
	}
}

/* Moves the first block, which has come in order, to the receive queue. */
static void deliver_first(struct tcp_cb *cb)
{
	struct tcp_block *first = tcp_blocks_at(cb->ooo, 0);
	struct buf *b = first->head;

	cb->rcv_nxt = first->range.end;
	while (b != NULL) {
		struct buf *next = b->next;

		cb->recv_memory -= tcp_buf_memory(b);
		tcp_receive_append(cb, b, b->data, b->len);
		b = next;
	}
	tcp_blocks_erase(cb->ooo, 0);
}

/* A piece that begins at rcv_nxt. Blocks that it covers are dropped, one that it runs into cuts it
 * short and follows it. */
static void add_in_order(struct tcp_cb *cb, struct piece p, struct packet *pkt)
{
	struct tcp_reassembly *r = cb->ooo;

	while (r != NULL && r->count > 0 && seq_leq(tcp_blocks_at(r, 0)->range.end, p.range.end))
		drop_block(cb, 0);
	if (r != NULL && r->count > 0)
		trim_back(&p, tcp_blocks_at(r, 0)->range.start);
	tcp_receive_append(cb, pkt->buf, p.data, p.range.end - p.range.start);
	pkt->buf = NULL;
	cb->rcv_nxt = p.range.end;
	cb->dupacks_due = 0;
	if (r != NULL && r->count > 0 && tcp_blocks_at(r, 0)->range.start == cb->rcv_nxt)
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

/* Joins the block in place i + 1 to that in place i, which it touches. */
static void join_next(struct tcp_reassembly *r, uint32_t i)
{
	struct tcp_block *a = tcp_blocks_at(r, i), *b = tcp_blocks_at(r, i + 1);

	a->range.end = b->range.end;
	a->tail->next = b->head;
	a->tail = b->tail;
	tcp_blocks_erase(r, i + 1);
}

/* A piece beyond rcv_nxt. */
static void add_out_of_order(struct tcp_cb *cb, struct piece p, struct packet *pkt)
{
	struct tcp_reassembly *r = cb->ooo;
	uint32_t i = tcp_blocks_find(r, p.range.start), next;
	struct tcp_block *b = i < r->count ? tcp_blocks_at(r, i) : NULL;
	bool follows = b != NULL && seq_leq(b->range.start, p.range.start);

	if (follows && seq_geq(b->range.end, p.range.end)) {
		tcp_blocks_touch(r, i); /* all of it is here already */
		return;
	}
	if (follows)
		trim_front(&p, b->range.end);
	next = i + follows;
	while (next < r->count && seq_leq(tcp_blocks_at(r, next)->range.end, p.range.end))
		drop_block(cb, next);
	if (next < r->count)
		trim_back(&p, tcp_blocks_at(r, next)->range.start);
	if (!follows) {
		if (r->count == r->set.capacity && !grow(cb)) {
			cb->sock.stack->stats.tcp_out_of_order_dropped++;
			return;
		}
		r = cb->ooo;
		b = tcp_blocks_insert(r, i, p.range.start);
	}
	append(cb, b, &p, pkt);
	tcp_blocks_touch(r, i);
	if (i + 1 < r->count && tcp_blocks_at(r, i + 1)->range.start == b->range.end)
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
		cb->ooo = make(cb, TCP_SET_SMALL);
		if (cb->ooo == NULL)
			return false;
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

uint32_t tcp_reassembly_sack(struct tcp_cb *cb, struct tcp_range *out, uint32_t max)
{
	uint32_t n = 0;

	if (cb->duplicate)
		out[n++] = cb->dsack;
	return cb->ooo != NULL ? n + tcp_blocks_tell(cb->ooo, out + n, max - n) : n;
}

bool tcp_reassembly_untold(const struct tcp_cb *cb)
{
	return cb->ooo != NULL && cb->ooo->fresh > 0;
}

uint32_t tcp_reassembly_end(const struct tcp_cb *cb)
{
	return cb->ooo != NULL ? tcp_blocks_at(cb->ooo, cb->ooo->count - 1)->range.end
			       : cb->rcv_nxt;
}
