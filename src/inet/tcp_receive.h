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

#include "inet/tcp_cb.h"

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

/* The same for a segment that fits the window and begins at rcv_nxt, while nothing is out of order
 * and the program reads. */
void tcp_receive_next(struct tcp_cb *cb, const struct tcp_segment *seg, struct packet *pkt);

/* The connection is established: the window may grow from here on. */
void tcp_receive_begin(struct tcp_cb *cb);

/* The window is never larger than so many bytes, from now on. */
void tcp_receive_limit(struct tcp_cb *cb, uint32_t bytes);

/* Appends bytes inside b to the receive queue: takes the reference. */
void tcp_receive_append(struct tcp_cb *cb, struct buf *b, uint8_t *data, uint32_t len);

/* Can the bytes of b be packed behind those of `tail`, which ends a queue of this connection? Then
 * they are, and the reference to b is dropped. */
bool tcp_receive_pack(struct tcp_cb *cb, struct buf *tail, struct buf *b, const uint8_t *data,
		      uint32_t len);

/* As stack_recv(), without the end of the stream and errors: 1, or 0 when there are no bytes. */
int tcp_receive_pop(struct tcp_cb *cb, uint32_t max, struct stack_received *out);

/* tcp_receive_window() when there may be something to say. */
uint32_t tcp_receive_grow(struct tcp_cb *cb);

/* Moves the right edge when there is enough to say (RFC 9293 3.8.6.2.2: by the smaller of half the
 * buffer and a segment); called before each acknowledgement goes out. Returns the window from
 * rcv_nxt, bytes. */
static inline uint32_t tcp_receive_window(struct tcp_cb *cb)
{
	uint32_t seen = cb->rcv_adv - cb->rcv_nxt;

	return seen + cb->recv_step > cb->recv_limit ? seen : tcp_receive_grow(cb);
}

/* Drops all that was received, in order or not. */
void tcp_receive_clear(struct tcp_cb *cb);

#endif
