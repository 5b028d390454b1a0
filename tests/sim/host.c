/* host.c - one host: what drives a stack over a link.
 *
 * A received frame moves from the wire's memory into the host's own, as if a device had written it
 * there; a frame sent is copied by the wire and, as a device with a long ring would, kept for a
 * while: its bytes may not change meanwhile.
 *
 * SPDX-License-Identifier: MIT
 */
#include "alloc.h"
#include "invariants.h"
#include "world.h"
#include <inttypes.h>
#include <string.h>

enum { ETHERNET_ARP = 0x0806, ETHERNET_VLAN = 0x8100, ARP_BYTES = 28 };

/* Stands for the frame check sequence: the one thing here that nothing else protects is ARP. */
static bool arp_is_intact(const struct world *w, const struct buf *b)
{
	const uint8_t *arp = b->data + 14;

	if (b->len >= 18 && get_be16(arp - 2) == ETHERNET_VLAN)
		arp += 4;
	if (arp + ARP_BYTES > b->data + b->len || get_be16(arp - 2) != ETHERNET_ARP)
		return true;
	for (unsigned i = 0; i < w->cfg.hosts; i++) {
		const struct host *h = &w->hosts[i];

		if (memcmp(arp + 14, h->addr.bytes + 12, 4) == 0)
			return memcmp(arp + 8, h->mac, 6) == 0;
	}
	return w->cfg.topology == WORLD_ROUTER && arp[17] == 254;
}

/* The frame in memory of this host, or NULL; takes b. */
static struct buf *host_take(struct host *h, struct buf *b)
{
	struct buf *own = NULL;

	if (h->stack != NULL && arp_is_intact(h->world, b)) {
		own = pool_get(h->pool);
		h->dropped_no_buffer += own == NULL;
	}
	if (own != NULL) {
		memcpy(own->data, b->data, b->len);
		own->len = b->len;
		own->flags = b->flags;
	}
	buf_unref(b);
	return own;
}

static bool host_receive(struct host *h)
{
	struct world *w = h->world;
	struct buf *bufs[WORLD_BURST];
	int max = 1 + (int)rng_below(&w->rng, WORLD_BURST), kept = 0;
	int n = h->link->ops->rx(h->link, bufs, max, w->now_ns);

	if (n < 0)
		world_fail(w, "host %u: the link has gone", h->number);
	for (int i = 0; i < n; i++) {
		struct buf *b;

		trace_received(&w->trace, w->now_ns, h->number, bufs[i]);
		b = host_take(h, bufs[i]);
		if (b != NULL)
			bufs[kept++] = b;
	}
	if (kept > 0)
		stack_input(h->stack, bufs, kept, w->now_ns);
	return n > 0;
}

static void late_finish_one(struct host *h)
{
	struct late_frame *l = &h->late[h->late_first % WORLD_LATE];

	if (trace_frame_hash(0, &l->frame) != l->hash)
		world_fail(h->world, "host %u: a frame changed while the device read it",
			   h->number);
	frame_release(&l->frame);
	h->late_first++;
	h->late_count--;
}

static void late_finish(struct host *h)
{
	while (h->late_count > 0 && h->late[h->late_first % WORLD_LATE].due_ns <= h->world->now_ns)
		late_finish_one(h);
}

/* Keeps references of its own to what the link is about to take. */
static void late_keep(struct host *h, const struct frame *f)
{
	struct late_frame *l;
	uint64_t due = h->world->now_ns + rng_below(&h->world->rng, h->world->cfg.late_ns);

	if (h->late_count == WORLD_LATE)
		late_finish_one(h);
	if (h->late_count > 0) {
		l = &h->late[(h->late_first + h->late_count - 1) % WORLD_LATE];
		due = due > l->due_ns ? due : l->due_ns;
	}
	l = &h->late[(h->late_first + h->late_count++) % WORLD_LATE];
	l->frame = *f;
	l->due_ns = due;
	l->hash = trace_frame_hash(0, f);
	buf_ref(f->head);
	for (unsigned i = 0; i < f->nfrags; i++)
		buf_ref(f->frags[i].buf);
}

/* No packet is longer than the interface takes, unless the device cuts it. */
static void check_size(const struct host *h, const struct frame *f)
{
	uint32_t mtu = h->world->cfg.host_mtu[h->number];
	uint32_t bytes = f->head->len;

	if (mtu == 0)
		mtu = h->world->cfg.mtu;
	for (unsigned i = 0; i < f->nfrags; i++)
		bytes += f->frags[i].len;
	if (bytes != f->len)
		world_fail(h->world, "host %u: a frame of %u bytes says %u", h->number, bytes,
			   f->len);
	if (f->len - f->l3_offset > mtu && !(f->offload & OFFLOAD_TSO))
		world_fail(h->world, "host %u: a packet of %u bytes", h->number,
			   f->len - f->l3_offset);
}

/* Gives the link what it will take of `waiting`. The extra references make the wire copy. */
static bool host_transmit(struct host *h)
{
	struct world *w = h->world;
	struct buf *heads[WORLD_BURST];
	struct frame sent[WORLD_BURST];
	int n = h->waiting_count, k;

	for (int i = 0; i < n; i++) {
		sent[i] = h->waiting[i];
		heads[i] = buf_ref(sent[i].head);
		for (unsigned j = 0; j < sent[i].nfrags; j++)
			buf_ref(sent[i].frags[j].buf);
	}
	k = h->link->ops->tx(h->link, h->waiting, n, w->now_ns);
	if (k < 0)
		world_fail(w, "host %u: the link has gone", h->number);
	for (int i = 0; i < n; i++) {
		if (i < k) {
			check_size(h, &sent[i]);
			trace_sent(&w->trace, w->now_ns, h->number, &sent[i]);
			if (w->cfg.late_ns > 0)
				late_keep(h, &sent[i]);
		}
		buf_unref(heads[i]);
		for (unsigned j = 0; j < sent[i].nfrags; j++)
			buf_unref(sent[i].frags[j].buf);
	}
	memmove(h->waiting, h->waiting + k, (size_t)(n - k) * sizeof(h->waiting[0]));
	h->waiting_count = n - k;
	return k > 0;
}

static bool host_send(struct host *h)
{
	struct world *w = h->world;
	bool moved = false;

	for (;;) {
		if (h->waiting_count == 0) {
			int max = 1 + (int)rng_below(&w->rng, WORLD_BURST);

			h->waiting_count = stack_output(h->stack, h->waiting, max, w->now_ns);
		}
		if (h->waiting_count == 0 || !host_transmit(h))
			return moved;
		moved = true;
	}
}

static void host_events(struct host *h)
{
	struct world *w = h->world;
	struct stack_event ev;

	/* One at a time: what a program does may end the sockets of later ones, or the host. */
	while (h->stack != NULL && stack_events(h->stack, &ev, 1) == 1)
		w->programs.event(w->programs.ctx, &ev);
}

bool host_run(struct host *h)
{
	struct world *w = h->world;
	bool moved = host_receive(h);

	late_finish(h);
	if (h->stack == NULL)
		return moved;
	if (!moved && !h->touched && h->waiting_count == 0 && w->now_ns < h->deadline_ns)
		return false;
	h->touched = false;
	if (w->now_ns >= stack_next_deadline(h->stack))
		stack_tick(h->stack, w->now_ns);
	host_events(h);
	if (h->stack == NULL)
		return true;
	moved |= host_send(h);
	h->deadline_ns = stack_next_deadline(h->stack);
	return moved || h->touched;
}

uint64_t host_next_ns(const struct host *h)
{
	uint64_t next = h->link->ops->next_deadline(h->link);

	if (h->stack != NULL && h->deadline_ns < next)
		next = h->deadline_ns;
	if (h->late_count > 0 && h->late[h->late_first % WORLD_LATE].due_ns < next)
		next = h->late[h->late_first % WORLD_LATE].due_ns;
	return next;
}

static struct stack_config host_config(struct host *h)
{
	struct world *w = h->world;
	const struct link_info *info = &h->link->info;
	struct stack_config c = w->cfg.stack;
	uint16_t mtu = w->cfg.host_mtu[h->number];

	memcpy(c.mac, h->mac, sizeof(c.mac));
	c.addr = h->addr;
	c.prefix_len = 24;
	if (w->cfg.topology == WORLD_ROUTER)
		c.gateway = ip4((ip4_get(&h->addr) & 0xffffff00) | 254);
	c.mtu = mtu != 0 ? mtu : info->mtu;
	c.offloads = info->offloads;
	c.max_frags = info->max_frags;
	c.tso_max_bytes = info->tso_max_bytes;
	c.pool = h->pool;
	c.key[0] = rng_u64(&w->rng);
	c.key[1] = rng_u64(&w->rng);
	return c;
}

void host_start(struct host *h)
{
	struct stack_config c = host_config(h);
	bool forbidden = alloc_forbid(false);
	int r = stack_create(&h->stack, &c, h->world->now_ns);

	alloc_forbid(forbidden);
	if (r < 0)
		world_fail(h->world, "host %u: stack_create gave %d", h->number, r);
	h->deadline_ns = stack_next_deadline(h->stack);
	h->touched = true;
}

void host_stop(struct host *h)
{
	for (int i = 0; i < h->waiting_count; i++)
		frame_release(&h->waiting[i]);
	h->waiting_count = 0;
	stack_destroy(h->stack);
	h->stack = NULL;
	while (h->late_count > 0)
		late_finish_one(h);
	if (h->pool->free_count != h->pool->count)
		world_fail(h->world, "host %u: %u buffers are lost with the stack", h->number,
			   h->pool->count - h->pool->free_count);
}

void world_host_vanish(struct host *h)
{
	world_check_counters(h);
	host_stop(h);
}

void world_host_return(struct host *h)
{
	host_start(h);
}

void world_check_counters(const struct host *h)
{
	const struct stack_stats *s = stack_stats(h->stack);
	uint64_t ended = invariant_frames_ended(s);

	if (s->rx_frames + s->rx_reassembled != ended)
		world_fail(h->world,
			   "host %u: %" PRIu64 " frames and %" PRIu64 " datagrams came, %" PRIu64
			   " were counted",
			   h->number, s->rx_frames, s->rx_reassembled, ended);
}

void world_check_rest(struct host *h)
{
	const char *fault;

	world_check_counters(h);
	if (stack_busy(h->stack))
		world_fail(h->world, "host %u: still busy", h->number);
	while (h->late_count > 0)
		late_finish_one(h);
	if (h->pool->free_count != h->pool->count)
		world_fail(h->world, "host %u: %u buffers are lost", h->number,
			   h->pool->count - h->pool->free_count);
	fault = invariant_rest(h->stack, h->world->now_ns);
	if (fault != NULL)
		world_fail(h->world, "host %u: %s", h->number, fault);
}
