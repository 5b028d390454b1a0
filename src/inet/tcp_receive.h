/* tcp_receive.h - what came in order and waits for the program, and the window that says how much
 * more may come.
 *
 * Frames are queued as they came, without a copy. They are accounted by the memory that they pin,
 * not by the bytes that they carry: the window closes as real memory fills up. Small payloads that
 * pile up are packed into the buffer before them. The right edge of the window is never retracted
 * (RFC 9293 3.8.6.2.2).
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef INET_TCP_RECEIVE_H
#define INET_TCP_RECEIVE_H

#include "base/usually.h"
#include "inet/tcp_output.h"
#include "inet/tcp_pressure.h"
#include <errno.h>

/* Bytes of memory that a buffer in a receive queue pins. */
static inline uint32_t tcp_buf_memory(const struct buf *b)
{
	return b->room + (uint32_t)sizeof(*b);
}

/* Is the pool that a received frame came from running low? */
static inline bool tcp_pool_low(const struct pool *pool)
{
	return pool->free_count < pool->count / TCP_POOL_LOW_DIVISOR;
}

/* RFC 9293 3.10.7.4, seventh: the text of a segment that passed the checks before. What is new goes
 * to the receive queue or out of order; decides how soon to acknowledge. Takes pkt->buf, and leaves
 * NULL there, when it keeps it. */
void tcp_receive_text(struct tcp_cb *cb, const struct tcp_segment *seg, struct packet *pkt);

/* The peer's segments are larger than was known. The window grows by no less than one of them, or
 * half of the buffer (RFC 9293 3.8.6.2.2). */
void tcp_receive_learn_size(struct tcp_cb *cb, uint32_t bytes);

/* RFC 9293 3.8.6.3: at once for every second full segment. Else it may wait, see tcp_output.c. */
static inline void tcp_receive_schedule_ack(struct tcp_cb *cb, const struct tcp_segment *seg)
{
	if (rarely(seg->len > cb->rcv_mss))
		tcp_receive_learn_size(cb, seg->len);
	if (rarely(cb->rcv_nxt - cb->last_ack_sent >= TCP_ACK_EVERY_SEGMENTS * cb->rcv_mss)) {
		cb->ack_need = TCP_ACK_NOW;
	} else if (usually(cb->ack_need == TCP_ACK_NONE)) {
		cb->ack_need = seg->flags & TCP_PSH ? TCP_ACK_PUSHED : TCP_ACK_DELAYED;
		cb->ack_fresh = true;
	} else if (cb->ack_need == TCP_ACK_DELAYED && (seg->flags & TCP_PSH)) {
		cb->ack_need = TCP_ACK_PUSHED;
	}
	tcp_output_request(cb);
}

/* Puts text behind what is queued. Takes b, or leaves it and returns false: memory runs short. */
bool tcp_receive_queue(struct tcp_cb *cb, struct buf *b, uint8_t *data, uint32_t len);

/* tcp_receive_text() for a segment in b that fits the window and begins at rcv_nxt, while nothing
 * is out of order and the program reads, who is to be told. False: b was not taken. */
static inline bool tcp_receive_next(struct tcp_cb *cb, const struct tcp_segment *seg, struct buf *b)
{
	if (usually(cb->recv_head == NULL && !tcp_pool_scarce(b->pool))) {
		b->data = seg->data;
		b->len = seg->len;
		b->next = NULL;
		cb->recv_head = cb->recv_tail = b;
		cb->recv_memory += tcp_buf_memory(b);
	} else if (!tcp_receive_queue(cb, b, seg->data, seg->len)) {
		return false;
	}
	cb->rcv_nxt += seg->len;
	tcp_receive_schedule_ack(cb, seg);
	return true;
}

/* The connection is established: the window may grow from here on. */
void tcp_receive_begin(struct tcp_cb *cb);

/* Bytes of the peer's stream that were received in order, in all. */
uint64_t tcp_received_bytes(const struct tcp_cb *cb);

/* The window is never larger than so many bytes, from now on. */
void tcp_receive_limit(struct tcp_cb *cb, uint32_t bytes);

/* Appends bytes inside b to the receive queue: takes the reference. */
void tcp_receive_append(struct tcp_cb *cb, struct buf *b, uint8_t *data, uint32_t len);

/* Can the bytes of b be packed behind those of `tail`, which ends a queue of this connection? Then
 * they are, and the reference to b is dropped. */
bool tcp_receive_pack(struct tcp_cb *cb, struct buf *tail, struct buf *b, const uint8_t *data,
		      uint32_t len);

/* A frame that the program may sit on for long, from a pool that runs low, is given back in
 * exchange for a copy in the stack's own pool. Returns b, or the copy. */
struct buf *tcp_receive_copy_out(struct tcp_cb *cb, struct buf *b);

/* The program has made room, and the peer sees less than half of what it might: tell it, if it is
 * much. Otherwise the next acknowledgement does. */
void tcp_receive_made_room(struct tcp_cb *cb);

/* Takes the first buffer off the queue; its reference goes to the caller. */
static inline struct buf *tcp_receive_take(struct tcp_cb *cb)
{
	struct buf *b = cb->recv_head;

	cb->recv_head = b->next;
	if (usually(cb->recv_head == NULL))
		cb->recv_tail = NULL;
	b->next = NULL;
	cb->recv_memory -= tcp_buf_memory(b);
	return b;
}

/* As stack_recv(), of a queue that is not empty. */
static inline int tcp_receive_pop(struct tcp_cb *cb, uint32_t max, struct stack_received *out)
{
	struct buf *b = cb->recv_head;

	out->data = b->data;
	if (rarely(b->len > max)) {
		if (buf_crowded(b))
			return -ENOMEM;
		out->len = max;
		b->data += max;
		b->len -= max;
		b->flags |= BUF_BEGUN;
		out->buf = buf_ref(b);
		return 1;
	}
	out->len = b->len;
	b = tcp_receive_take(cb);
	if (rarely(b->pool != cb->sock.stack->pool && tcp_pool_low(b->pool))) {
		b = tcp_receive_copy_out(cb, b);
		out->data = b->data;
	}
	out->buf = b;
	if (rarely(cb->rcv_adv - cb->rcv_nxt < cb->recv_limit / 2))
		tcp_receive_made_room(cb);
	return 1;
}

/* tcp_receive_window() when there may be something to say. */
uint32_t tcp_receive_grow(struct tcp_cb *cb);

/* Moves the right edge when there is enough to say (RFC 9293 3.8.6.2.2: by the smaller of half the
 * buffer and a segment); called before each acknowledgement goes out. Returns the window from
 * rcv_nxt, bytes. */
static inline uint32_t tcp_receive_window(struct tcp_cb *cb)
{
	uint32_t seen = cb->rcv_adv - cb->rcv_nxt;

	return usually(seen + cb->recv_step > cb->recv_limit) ? seen : tcp_receive_grow(cb);
}

/* Drops all that was received, in order or not. */
void tcp_receive_clear(struct tcp_cb *cb);

#endif
