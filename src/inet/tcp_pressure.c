/* tcp_pressure.c - see tcp_pressure.h. Nothing is counted while there is enough: who holds how much
 * is found out by a look at all connections, now and then while a pool is scarce.
 *
 * SPDX-License-Identifier: MIT
 */
#include "inet/tcp_pressure.h"
#include "inet/tcp_blocks.h"
#include "inet/tcp_receive.h"
#include "inet/tcp_sendq.h"

/* Between two counts. A group may take its share of the pool meanwhile, however much of that its
 * programs give back: so not too long; and at most about a hundredth of the time is spent so. */
#define COUNT_INTERVAL_NS         TCP_MS(5)
#define COUNT_INTERVAL_OF_EACH_NS UINT64_C(2000) /* control block, at least */

/* The count of cb's group: what its connections hold of the stack's pool, which sends are copied
 * to, or of others, which is the device's that frames arrive in. */
static uint32_t *held_by_peers_of(const struct tcp_cb *cb, const struct pool *pool)
{
	struct tcp_table *t = cb->sock.stack->tcp;
	enum tcp_pool_kind kind = pool == cb->sock.stack->pool ? TCP_POOL_OWN : TCP_POOL_OTHER;

	return &t->group_buffers[kind][tcp_peer_group(t, &cb->sock.peer.ip)];
}

/* Of all that was received, in order or not. */
static const struct buf *first_received(const struct tcp_cb *cb)
{
	if (cb->recv_head != NULL)
		return cb->recv_head;
	return cb->ooo != NULL ? tcp_blocks_at(cb->ooo, 0)->head : NULL;
}

/* What the queues of a connection hold, about, for the first of a queue stands for all: buffers
 * that were received are accounted by their memory, and of what was sent each chunk has one. (The
 * program's blocks are of a pool with a count of 0, which nobody asks for.) */
static void count(const struct tcp_cb *cb)
{
	const struct buf *b = first_received(cb);

	if (b != NULL)
		*held_by_peers_of(cb, b->pool) +=
		    (cb->recv_memory + tcp_buf_memory(b) - 1) / tcp_buf_memory(b);
	if (cb->send_head != NULL && cb->send_head->buf->pool->count > 0)
		*held_by_peers_of(cb, cb->send_head->buf->pool) += cb->send_chunks;
}

static void count_all(struct tcp_table *t)
{
	memset(t->group_buffers, 0, sizeof(t->group_buffers));
	for (uint32_t i = 0; i < t->cbs.touched; i++)
		count(tcp_cb_at(t, i)); /* one that was freed holds nothing */
}

bool tcp_pressure_allows(struct tcp_cb *cb, const struct pool *pool)
{
	struct stack *s = cb->sock.stack;
	struct tcp_table *t = s->tcp;
	uint32_t *held = held_by_peers_of(cb, pool);

	if (pool->free_count < pool->count / TCP_POOL_RESERVE_DIVISOR)
		return false;
	if (s->now_ns >= t->group_buffers_ns) {
		count_all(t);
		t->group_buffers_ns =
		    s->now_ns + COUNT_INTERVAL_NS + t->cbs.touched * COUNT_INTERVAL_OF_EACH_NS;
	}
	if (*held >= pool->count / TCP_PEER_SHARE_DIVISOR)
		return false;
	++*held;
	return true;
}
