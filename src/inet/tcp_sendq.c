/* tcp_sendq.c - see tcp_sendq.h.
 *
 * SPDX-License-Identifier: MIT
 */
#include "inet/tcp_sendq.h"
#include "base/checksum.h"
#include "inet/tcp_pressure.h"

/* Up to len bytes into the last chunk: one that was not sent yet, or, once a connection holds many
 * chunks, any. What is in flight is not written to: the bytes go behind it. */
static uint32_t copy_to_last(struct tcp_cb *cb, struct tcp_chunk *c, const uint8_t *data,
			     uint32_t len)
{
	uint32_t room, sum;

	if (!c->copied || (seq_lt(c->seq, cb->snd_nxt) && cb->send_chunks < TCP_LOOSE_CHUNKS))
		return 0;
	room = (uint32_t)(c->buf->base + c->buf->room - (c->data + c->len));
	if (len > room)
		len = room;
	if (len == 0)
		return 0;
	sum = csum_copy(c->data + c->len, data, len, 0);
	c->sum = c->len & 1 ? csum_add_odd(c->sum, sum) : csum_add(c->sum, sum);
	cb->sock.stack->stats.tx_copied_bytes += len;
	c->len += len;
	cb->snd_end += len;
	cb->message = TCP_MESSAGE_NONE;
	if (cb->send_next == NULL)
		cb->send_next = c;
	return len;
}

/* May the queue have one more buffer of the stack's pool? */
static bool may_grow(struct tcp_cb *cb)
{
	const struct pool *pool = cb->sock.stack->pool;

	if (cb->send_head != NULL)
		return pool->free_count > pool->count / TCP_POOL_SEND_DIVISOR;
	return !tcp_pool_scarce(pool) || tcp_pressure_allows(cb, pool);
}

struct tcp_chunk *tcp_sendq_make(struct stack *s, const uint8_t *data, uint32_t len)
{
	struct buf *b = pool_get(s->pool);
	struct tcp_chunk *c;

	if (b == NULL)
		return NULL;
	c = tcp_chunk_in(b, len);
	c->sum = csum_copy(c->data, data, len, 0);
	s->stats.tx_copied_bytes += len;
	return c;
}

uint32_t tcp_sendq_copy(struct tcp_cb *cb, const uint8_t *data, uint32_t len)
{
	uint32_t done = cb->send_tail != NULL ? copy_to_last(cb, cb->send_tail, data, len) : 0;

	while (done < len && may_grow(cb)) {
		uint32_t most = cb->sock.stack->copy_room_bytes;
		uint32_t n = len - done < most ? len - done : most;
		struct tcp_chunk *c = tcp_sendq_make(cb->sock.stack, data + done, n);

		if (c == NULL)
			break;
		tcp_sendq_append(cb, c);
		done += n;
	}
	return done;
}

bool tcp_sendq_reference(struct tcp_cb *cb, struct buf *b, const uint8_t *data, uint32_t len)
{
	struct tcp_chunk *c = tcp_slab_get(&cb->sock.stack->tcp->chunks);

	if (c == NULL)
		return false;
	c->buf = buf_ref(b);
	c->data = (uint8_t *)(uintptr_t)data;
	c->len = len;
	c->copied = false;
	tcp_sendq_append(cb, c);
	return true;
}

struct tcp_chunk *tcp_sendq_find(const struct tcp_cb *cb, uint32_t seq)
{
	struct tcp_chunk *c = cb->send_next;

	if (c == NULL || seq_lt(seq, c->seq))
		c = cb->send_head;
	while (seq_geq(seq, c->seq + c->len))
		c = c->next;
	return c;
}

void tcp_sendq_clear(struct tcp_cb *cb)
{
	while (cb->send_head != NULL)
		tcp_sendq_drop_head(cb);
}
