/* tcp_sets.c - see tcp_sets.h.
 *
 * SPDX-License-Identifier: MIT
 */
#include "inet/tcp_sets.h"
#include "inet/tcp_table.h"

int tcp_sets_create(struct tcp_sets *sets, uint32_t count, uint32_t bytes)
{
	list_init(&sets->in_use);
	return tcp_slab_create(&sets->slab, count, bytes);
}

void tcp_sets_destroy(struct tcp_sets *sets)
{
	tcp_slab_destroy(&sets->slab);
}

static uint8_t group_of(const struct tcp_cb *cb)
{
	return tcp_peer_group(cb->sock.stack->tcp, &cb->sock.peer.ip);
}

static bool within_share(const struct tcp_sets *sets, const struct tcp_cb *cb)
{
	return sets->slab.used < sets->slab.count / 2 ||
	       sets->of_group[group_of(cb)] < sets->slab.count / TCP_PEER_SHARE_DIVISOR;
}

struct tcp_set *tcp_sets_get(struct tcp_sets *sets, struct tcp_cb *cb)
{
	struct tcp_set *set = within_share(sets, cb) ? tcp_slab_get(&sets->slab) : NULL;

	if (set == NULL)
		return NULL;
	sets->of_group[group_of(cb)]++;
	set->cb = cb;
	set->made_tick = tcp_clock(cb->sock.stack);
	list_add_tail(&sets->in_use, &set->link);
	return set;
}

void tcp_sets_put(struct tcp_sets *sets, struct tcp_set *set)
{
	sets->of_group[group_of(set->cb)]--;
	list_del(&set->link);
	tcp_slab_put(&sets->slab, set);
}

struct tcp_cb *tcp_sets_who_gives_way(const struct tcp_sets *sets, const struct tcp_cb *cb)
{
	const struct tcp_set *oldest;

	if (sets->slab.used < sets->slab.count || list_empty(&sets->in_use) ||
	    !within_share(sets, cb))
		return NULL;
	oldest = list_entry(sets->in_use.next, struct tcp_set, link);
	if (tcp_clock(cb->sock.stack) - oldest->made_tick < tcp_ns_to_ticks(TCP_SET_TENURE_NS))
		return NULL;
	return oldest->cb;
}
