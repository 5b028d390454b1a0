/* tcp_pressure.c - see tcp_pressure.h. Nothing is counted while there is enough: who holds how much
 * is found out by a look at all connections, now and then while a pool is scarce.
 *
 * SPDX-License-Identifier: MIT
 */
#include "inet/tcp_pressure.h"
#include "inet/tcp_receive.h"

/* Between two counts. A group may take its share of the pool meanwhile, however much of that its
 * programs give back: so not too long; and at most about a hundredth of the time is spent so. */
#define COUNT_INTERVAL_NS         TCP_MS(5)
#define COUNT_INTERVAL_OF_EACH_NS UINT64_C(2000) /* connection, at least */

/* Buffers that the queues of a connection hold, about: those that were received are accounted by
 * their memory, and of what was sent each chunk has one. */
static uint32_t buffers_of(const struct tcp_cb *cb)
{
	const struct buf *b = cb->recv_head;
	/* What is out of order lies elsewhere, in buffers such as ours or larger. */
	uint32_t one = b != NULL ? tcp_buf_memory(b) : cb->sock.stack->copy_room_bytes;

	return (cb->recv_memory + one - 1) / one + cb->send_chunks;
}

static void count_all(struct tcp_table *t)
{
	memset(t->group_buffers, 0, sizeof(t->group_buffers));
	for (uint32_t i = 0; i <= t->slot_mask; i++)
		for (const struct tcp_cb *cb = t->slots[i]; cb != NULL; cb = cb->hash_next)
			t->group_buffers[tcp_peer_group(t, &cb->sock.peer.ip)] += buffers_of(cb);
}

bool tcp_pressure_allows(struct tcp_cb *cb, const struct pool *pool)
{
	struct stack *s = cb->sock.stack;
	struct tcp_table *t = s->tcp;
	uint32_t *held = &t->group_buffers[tcp_peer_group(t, &cb->sock.peer.ip)];

	if (pool->free_count < pool->count / TCP_POOL_RESERVE_DIVISOR)
		return false;
	if (s->now_ns >= t->group_buffers_ns) {
		count_all(t);
		t->group_buffers_ns =
		    s->now_ns + COUNT_INTERVAL_NS + t->cbs.used * COUNT_INTERVAL_OF_EACH_NS;
	}
	if (*held >= pool->count / TCP_PEER_SHARE_DIVISOR)
		return false;
	++*held;
	return true;
}
