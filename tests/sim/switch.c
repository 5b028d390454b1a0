/* switch.c - what joins the hosts: a switch, or the router of two networks.
 *
 * SPDX-License-Identifier: MIT
 */
#include "router.h"
#include "world.h"
#include <string.h>

/* Out of one port; takes the reference. A full ring drops, as a switch does. */
static void port_send(struct world *w, unsigned port, struct buf *b)
{
	struct frame f = {.head = b, .len = b->len};

	if (w->ports[port]->ops->tx(w->ports[port], &f, 1, w->now_ns) != 1)
		frame_release(&f);
}

/* The host with this MAC; `hosts` when there is none: all get it. */
static unsigned port_of(const struct world *w, const uint8_t mac[6])
{
	for (unsigned i = 0; i < w->cfg.hosts; i++) {
		if (memcmp(mac, w->hosts[i].mac, 6) == 0)
			return i;
	}
	return w->cfg.hosts;
}

static bool same_network(const struct world *w, unsigned a, unsigned b)
{
	return w->cfg.topology != WORLD_ROUTER || a % 2 == b % 2;
}

static void switch_forward(struct world *w, unsigned from, struct buf *b)
{
	unsigned to = port_of(w, b->data);

	for (unsigned i = 0; i < w->cfg.hosts; i++) {
		if ((to == i || to == w->cfg.hosts) && i != from && same_network(w, from, i))
			port_send(w, i, buf_ref(b));
	}
	buf_unref(b);
}

static void switch_take(struct world *w, unsigned from, struct buf *b)
{
	struct router_packet out[ROUTER_PACKETS];
	int n;

	if (b->len < 14) {
		buf_unref(b);
		return;
	}
	if (w->cfg.topology == WORLD_ROUTER && router_wants(from, b)) {
		n = router_take(w, from, b, out);
		for (int i = 0; i < n; i++)
			port_send(w, out[i].port, out[i].buf);
		return;
	}
	switch_forward(w, from, b);
}

bool switch_run(struct world *w, unsigned port)
{
	struct link *l = w->ports[port];
	struct buf *bufs[WORLD_BURST];
	int n = l->ops->rx(l, bufs, WORLD_BURST, w->now_ns);

	if (n < 0)
		world_fail(w, "port %u: the link has gone", port);
	for (int i = 0; i < n; i++)
		switch_take(w, port, bufs[i]);
	return n > 0;
}
