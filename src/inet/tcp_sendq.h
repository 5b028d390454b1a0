/* tcp_sendq.h - what a program has given to be sent and the peer has not acknowledged: a list of
 * chunks in the order of the stream, from cb->snd_una to cb->snd_end.
 *
 * A chunk is copied data in a buffer of the stack's pool, of which the queue is the owner, or a
 * reference to the program's buffer, of which other chunks and other queues may hold more. Neither
 * kind uses the buffer's own data and len to say what is in the queue: those belong to the frame
 * that the buffer is the head of. The chunk of copied data lies in the buffer too, at the beginning
 * of the headroom, in front of where its frame's headers come.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef INET_TCP_SENDQ_H
#define INET_TCP_SENDQ_H

#include "base/checksum_small.h"
#include "inet/tcp_table.h"

struct tcp_chunk {
	struct tcp_chunk *next;
	struct buf *buf; /* one reference is the chunk's */
	uint8_t *data;
	uint32_t len;
	uint32_t seq; /* of data[0] */
	uint32_t sum; /* csum_partial() of the whole chunk, when copied */
	bool copied;
};

/* Takes c, whose buf, data, len, sum and copied are set, to the end of the queue. */
static inline void tcp_sendq_append(struct tcp_cb *cb, struct tcp_chunk *c)
{
	c->next = NULL;
	c->seq = cb->snd_end;
	if (cb->send_tail != NULL)
		cb->send_tail->next = c;
	else
		cb->send_head = c;
	cb->send_tail = c;
	if (cb->send_next == NULL)
		cb->send_next = c;
	cb->send_chunks++;
	cb->snd_end += c->len;
	cb->message = TCP_MESSAGE_NONE;
}

_Static_assert(sizeof(struct tcp_chunk) + TCP_HEADER_BYTES + TCP_TIMESTAMP_BYTES <=
		   TCP_HEADERS_ROOM,
	       "a chunk and a TCP header fit in front of copied data");

/* The chunk of len bytes that are copied to the data of b, which it takes: all but their sum. */
static inline struct tcp_chunk *tcp_chunk_in(struct buf *b, uint32_t len)
{
	struct tcp_chunk *c = (struct tcp_chunk *)(void *)b->base;

	c->buf = b;
	c->data = b->data;
	c->len = len;
	c->copied = true;
	return c;
}

/* A chunk with a copy of len bytes, at most copy_room_bytes; NULL: there is no buffer. */
struct tcp_chunk *tcp_sendq_make(struct stack *s, const uint8_t *data, uint32_t len);

/* Makes c, with a copy of len bytes, the whole of an empty queue: a message. Its own len was
 * written just now, to a line that may be in no cache: whoever reads it waits for that. */
static inline void tcp_sendq_message(struct tcp_cb *cb, struct tcp_chunk *c, uint32_t len)
{
	c->next = NULL;
	c->seq = cb->snd_end;
	cb->send_head = cb->send_tail = cb->send_next = c;
	cb->send_chunks = 1;
	cb->snd_end += len;
	cb->message = TCP_MESSAGE_UNSENT;
}

/* Copies up to len bytes to the end of the queue and moves snd_end; returns how many: fewer when
 * buffers or chunks ran out. */
uint32_t tcp_sendq_copy(struct tcp_cb *cb, const uint8_t *data, uint32_t len);

/* Appends len bytes inside b by reference. False: no chunk left. */
bool tcp_sendq_reference(struct tcp_cb *cb, struct buf *b, const uint8_t *data, uint32_t len);

/* Drops the first chunk. */
static inline void tcp_sendq_drop_head(struct tcp_cb *cb)
{
	struct tcp_chunk *c = cb->send_head;
	bool copied = c->copied;

	cb->send_head = c->next;
	if (cb->send_head == NULL)
		cb->send_tail = NULL;
	if (cb->send_next == c)
		cb->send_next = c->next;
	cb->send_chunks--;
	buf_unref(c->buf); /* with the chunk, if that is in there */
	if (!copied)
		tcp_slab_put(&cb->sock.stack->tcp->chunks, c);
}

/* Drops the chunks that lie before seq. True when a referenced one is among them. */
static inline bool tcp_sendq_release(struct tcp_cb *cb, uint32_t seq)
{
	bool referenced = false;
	struct tcp_chunk *c;

	while ((c = cb->send_head) != NULL && seq_leq(c->seq + c->len, seq)) {
		referenced |= !c->copied;
		tcp_sendq_drop_head(cb);
	}
	return referenced;
}

/* tcp_sendq_release() of a TCP_MESSAGE_SENT, all of it. */
static inline void tcp_sendq_release_message(struct tcp_cb *cb)
{
	struct buf *b = cb->send_head->buf;

	cb->send_head = cb->send_tail = NULL;
	cb->send_chunks = 0;
	pool_put(b);
}

/* The chunk that holds seq; seq lies in [snd_una, snd_end). */
struct tcp_chunk *tcp_sendq_find(const struct tcp_cb *cb, uint32_t seq);

void tcp_sendq_clear(struct tcp_cb *cb);

#endif
