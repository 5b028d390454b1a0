/* tcp_receive.c - see tcp_receive.h.
 *
 * SPDX-License-Identifier: MIT
 */
#include "inet/tcp_receive.h"
#include "inet/tcp_output.h"
#include "inet/tcp_reassembly.h"
#include "inet/tcp_tune.h"

/* Under pressure all that fits is packed, else only what wastes most of its room. */
static bool worth_packing(const struct tcp_cb *cb, const struct buf *b, uint32_t len)
{
	return len <= TCP_COALESCE_BYTES || cb->recv_memory > cb->recv_limit / 2 ||
	       tcp_pool_low(b->pool);
}

bool tcp_receive_pack(struct tcp_cb *cb, struct buf *tail, struct buf *b, const uint8_t *data,
		      uint32_t len)
{
	if (tail == NULL || buf_tailroom(tail) < len || !buf_sole(tail) ||
	    !worth_packing(cb, b, len))
		return false;
	memcpy(tail->data + tail->len, data, len);
	tail->len += len;
	cb->sock.stack->stats.rx_copied_bytes += len;
	buf_unref(b);
	return true;
}

void tcp_receive_append(struct tcp_cb *cb, struct buf *b, uint8_t *data, uint32_t len)
{
	if (tcp_receive_pack(cb, cb->recv_tail, b, data, len))
		return;
	b->data = data;
	b->len = len;
	b->next = NULL;
	if (cb->recv_tail != NULL)
		cb->recv_tail->next = b;
	else
		cb->recv_head = b;
	cb->recv_tail = b;
	cb->recv_memory += tcp_buf_memory(b);
}

/* Keeping more frames would starve the pool that all connections receive from: nothing but the
 * first bytes of an empty queue is kept then, so that every program can still make progress, and
 * not even those of a peer that has too many of them. */
static bool starving(struct tcp_cb *cb, const struct buf *b)
{
	bool keep;

	if (cb->recv_head != NULL)
		keep = b->pool->free_count >= b->pool->count / (2 * TCP_POOL_LOW_DIVISOR);
	else
		keep = !tcp_pool_scarce(b->pool) || tcp_pressure_allows(cb, b->pool);
	if (keep)
		return false;
	cb->sock.stack->stats.tcp_starved++;
	tcp_ack_now(cb);
	return true;
}

void tcp_receive_learn_size(struct tcp_cb *cb, uint32_t bytes)
{
	cb->rcv_mss = bytes;
	cb->recv_step = bytes < cb->recv_limit / 2 ? bytes : cb->recv_limit / 2;
}

void tcp_receive_limit(struct tcp_cb *cb, uint32_t bytes)
{
	cb->recv_limit = bytes;
	tcp_receive_learn_size(cb, cb->rcv_mss);
}

void tcp_receive_begin(struct tcp_cb *cb)
{
	tcp_receive_learn_size(cb, TCP_MSS_DEFAULT);
	tcp_tune_begin(cb);
}

uint64_t tcp_received_bytes(const struct tcp_cb *cb)
{
	uint32_t since = cb->rcv_nxt - (cb->irs + 1) - (uint32_t)cb->received_bytes;

	return cb->received_bytes + since - cb->fin_received;
}

/* The program will not read: RFC 9293 3.10.7.4 lets the bytes be acknowledged and dropped. */
static void skip(struct tcp_cb *cb, uint32_t end)
{
	cb->rcv_nxt = end;
	if (seq_gt(end, cb->rcv_adv))
		cb->rcv_adv = end;
}

bool tcp_receive_queue(struct tcp_cb *cb, struct buf *b, uint8_t *data, uint32_t len)
{
	if (starving(cb, b))
		return false;
	tcp_receive_append(cb, b, data, len);
	return true;
}

void tcp_receive_text(struct tcp_cb *cb, const struct tcp_segment *seg, struct packet *pkt)
{
	uint32_t start = seg->seq, end = start + seg->len;
	struct tcp_segment rest = *seg;
	bool is_next;

	if (seq_gt(end, cb->rcv_adv))
		end = cb->rcv_adv;
	if (cb->fin_seen && seq_gt(end, cb->fin_seq))
		end = cb->fin_seq; /* nothing lies beyond */
	is_next = seq_leq(start, cb->rcv_nxt) && seq_gt(end, cb->rcv_nxt);
	if (!is_next || cb->out_of_order) {
		if (is_next && starving(cb, pkt->buf))
			return;
		tcp_reassembly_add(cb, start, end, seg->data, pkt);
		if (cb->out_of_order && cb->dupacks_due < UINT8_MAX)
			cb->dupacks_due++;
		tcp_ack_now(cb);
		return;
	}
	rest.data += cb->rcv_nxt - start;
	rest.len = end - cb->rcv_nxt;
	if (!cb->read_closed) {
		if (tcp_receive_next(cb, &rest, pkt->buf)) {
			pkt->buf = NULL;
			tcp_raise(cb, STACK_EV_READ);
		}
	} else {
		skip(cb, end);
		tcp_receive_schedule_ack(cb, &rest);
	}
	if (cb->quick_ack)
		tcp_ack_now(cb);
}

struct buf *tcp_receive_copy_out(struct tcp_cb *cb, struct buf *b)
{
	struct stack *s = cb->sock.stack;
	struct buf *copy;

	if (tcp_pool_low(s->pool))
		return b;
	copy = pool_get(s->pool);
	if (copy == NULL)
		return b;
	if (buf_tailroom(copy) < b->len) {
		buf_unref(copy);
		return b;
	}
	memcpy(copy->data, b->data, b->len);
	copy->len = b->len;
	s->stats.rx_copied_bytes += b->len;
	buf_unref(b);
	return copy;
}

/* What the pool that frames arrive in could keep of one connection, and leave some for others. */
static uint64_t room_of_pool(const struct tcp_cb *cb)
{
	const struct stack *s = cb->sock.stack;
	const struct pool *pool = cb->recv_tail != NULL ? cb->recv_tail->pool : s->pool;

	return (uint64_t)(pool->free_count - pool->free_count / TCP_POOL_UNPROMISED_DIVISOR) *
	       s->copy_room_bytes;
}

/* What could be announced from rcv_nxt on, by the memory that is left. */
static uint32_t possible_window(const struct tcp_cb *cb)
{
	uint64_t memory = (uint64_t)cb->recv_limit * TCP_RECV_MEMORY_FACTOR;
	uint64_t room = memory > cb->recv_memory ? memory - cb->recv_memory : 0;
	uint64_t most = UINT64_C(65535) << cb->rcv_shift, free_room = room_of_pool(cb);

	if (cb->recv_tail != NULL && tcp_pool_low(cb->recv_tail->pool))
		return 0;
	room /= TCP_RECV_MEMORY_FACTOR;
	if (room > free_room)
		room = free_room;
	return (uint32_t)(room < most ? room : most);
}

void tcp_receive_made_room(struct tcp_cb *cb)
{
	uint32_t seen = cb->rcv_adv - cb->rcv_nxt, open;

	if (!tcp_can_receive(cb))
		return;
	open = possible_window(cb);
	if (open >= 2 * seen && open - seen >= 2 * cb->recv_step)
		tcp_ack_now(cb);
}

uint32_t tcp_receive_grow(struct tcp_cb *cb)
{
	uint32_t seen = cb->rcv_adv - cb->rcv_nxt, possible;

	if (cb->recv_limit < tcp_tune_most(cb))
		tcp_tune_receive(cb);
	possible = possible_window(cb);
	/* Before the window has moved on by 4 GiB. */
	cb->received_bytes += cb->rcv_nxt - (cb->irs + 1) - (uint32_t)cb->received_bytes;
	if (possible < seen + cb->recv_step)
		return seen;
	cb->rcv_adv = cb->rcv_nxt + possible;
	return possible;
}

void tcp_receive_clear(struct tcp_cb *cb)
{
	while (cb->recv_head != NULL)
		buf_unref(tcp_receive_take(cb));
	tcp_reassembly_clear(cb);
}
