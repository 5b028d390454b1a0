/* tcp_half.c - where half-open connections are kept, found by their endpoints. What happens to them
 * is in tcp_listen.c.
 *
 * SPDX-License-Identifier: MIT
 */
#include "inet/tcp_table.h"

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
	list_add_tail(&t->half_open, &h->link);
	t->group_count[h->group]++;
	h->listener->half_count++;
}

void tcp_half_remove(struct tcp_table *t, struct tcp_half *h)
{
	struct tcp_half **slot = half_slot(t, &h->peer_ip, h->local_port_peer_port);

	while (*slot != h)
		slot = &(*slot)->hash_next;
	*slot = h->hash_next;
	list_del(&h->link);
	wheel_disarm(&t->half_wheel, &h->timer);
	t->group_count[h->group]--;
	h->listener->half_count--;
	tcp_slab_put(&t->halves, h);
}
