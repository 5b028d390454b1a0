/* tcp_half.c - where half-open connections are kept: found by their endpoints, and in order of age,
 * so that the oldest can give way at once, of all or of a group of peers (tcp_listen.h). What
 * happens to them is in tcp_listen.c.
 *
 * SPDX-License-Identifier: MIT
 */
#include "inet/tcp_table.h"

static struct tcp_half *half_of(const struct tcp_table *t, uint32_t number)
{
	if (number == 0)
		return NULL;
	return (struct tcp_half *)(void *)(t->halves.block + (size_t)(number - 1) * t->halves.size);
}

static uint32_t number_of(const struct tcp_table *t, const struct tcp_half *h)
{
	return (uint32_t)(((const uint8_t *)h - t->halves.block) / t->halves.size) + 1;
}

/* To the end of a queue. */
static void join(struct tcp_table *t, struct tcp_half_queue *q, enum tcp_half_order order,
		 struct tcp_half *h)
{
	uint32_t number = number_of(t, h);

	h->links[order] = (struct tcp_half_link){.prev = q->last};
	if (q->last != 0)
		half_of(t, q->last)->links[order].next = number;
	else
		q->first = number;
	q->last = number;
}

static void leave(struct tcp_table *t, struct tcp_half_queue *q, enum tcp_half_order order,
		  const struct tcp_half *h)
{
	const struct tcp_half_link *l = &h->links[order];

	if (l->prev != 0)
		half_of(t, l->prev)->links[order].next = l->next;
	else
		q->first = l->next;
	if (l->next != 0)
		half_of(t, l->next)->links[order].prev = l->prev;
	else
		q->last = l->prev;
}

struct tcp_half *tcp_half_oldest(const struct tcp_table *t)
{
	return half_of(t, t->half_queue.first);
}

struct tcp_half *tcp_half_oldest_of(const struct tcp_table *t, uint8_t group)
{
	return half_of(t, t->group_queue[group].first);
}

struct tcp_half *tcp_half_younger(const struct tcp_table *t, const struct tcp_half *h)
{
	return half_of(t, h->links[TCP_HALF_OF_ALL].next);
}

static struct tcp_half **half_slot(struct tcp_table *t, const struct ip_addr *peer_ip,
				   uint32_t local_port_peer_port)
{
	return &t->half_slots[tcp_table_hash(t, peer_ip, (uint16_t)local_port_peer_port,
					     (uint16_t)(local_port_peer_port >> 16)) &
			      t->half_mask];
}

struct tcp_half *tcp_half_find(struct tcp_table *t, const struct ip_addr *peer_ip,
			       uint16_t peer_port, uint16_t local_port)
{
	uint32_t ports = (uint32_t)local_port << 16 | peer_port;
	struct tcp_half *h;

	if (t->halves.used == 0)
		return NULL;
	for (h = *half_slot(t, peer_ip, ports); h != NULL; h = h->hash_next)
		if (h->local_port_peer_port == ports && ip_eq(&h->peer_ip, peer_ip))
			return h;
	return NULL;
}

void tcp_half_add(struct tcp_table *t, struct tcp_half *h)
{
	struct tcp_half **slot = half_slot(t, &h->peer_ip, h->local_port_peer_port);

	h->hash_next = *slot;
	*slot = h;
	join(t, &t->half_queue, TCP_HALF_OF_ALL, h);
	join(t, &t->group_queue[h->group], TCP_HALF_OF_GROUP, h);
	t->group_count[h->group]++;
	h->listener->half_count++;
}

void tcp_half_remove(struct tcp_table *t, struct tcp_half *h)
{
	struct tcp_half **slot = half_slot(t, &h->peer_ip, h->local_port_peer_port);

	while (*slot != h)
		slot = &(*slot)->hash_next;
	*slot = h->hash_next;
	leave(t, &t->half_queue, TCP_HALF_OF_ALL, h);
	leave(t, &t->group_queue[h->group], TCP_HALF_OF_GROUP, h);
	wheel_disarm(&t->half_wheel, &h->timer);
	t->group_count[h->group]--;
	h->listener->half_count--;
	tcp_slab_put(&t->halves, h);
}
