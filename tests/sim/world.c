/* SPDX-License-Identifier: MIT */
#include "world.h"
#include "alloc.h"
#include "link/pair.h"
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

enum {
	/* Rounds that a moment may take until all is still: bursts through a fast wire take some
	 * hundreds. Two stacks that answer each other for ever take more than any. */
	WORLD_ROUNDS = 1000000,
	/* Moments in a row that time may stand still. */
	WORLD_STANDSTILL = 1000,
	ETHERNET_ROOM = 64, /* in a buffer, besides headroom and the IP packet */
	ROOM_MIN = 2048,    /* as every device has: a stack asks for some */
};

void world_config_init(struct world_config *cfg)
{
	memset(cfg, 0, sizeof(*cfg));
	cfg->hosts = 2;
	cfg->mtu = 1500;
	cfg->ring_frames = 1024;
	cfg->host_buffers = 8192;
	cfg->wire_buffers = 32768;
	cfg->down.max_frames = cfg->up.max_frames = 8192;
	stack_config_init(&cfg->stack);
}

uint64_t rng_size(struct rng *r, uint64_t lo, uint64_t hi)
{
	unsigned orders = 63 - (unsigned)__builtin_clzll(hi / lo);
	uint64_t from = lo << rng_below(r, orders + 1);
	uint64_t to = 2 * from - 1 < hi ? 2 * from - 1 : hi;

	return from + rng_below(r, to - from + 1);
}

_Noreturn void world_fail(const struct world *w, const char *format, ...)
{
	uint64_t t = w->now_ns - w->start_ns;
	va_list args;

	alloc_forbid(false);
	fprintf(stderr, "FAILED at %" PRIu64 ".%09" PRIu64 " s: ", t / WORLD_S, t % WORLD_S);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fprintf(stderr, "\nseed %" PRIu64 "; repeat with: %s\n", w->cfg.seed, w->repeat);
	if (w->trace.pcap != NULL)
		fflush(w->trace.pcap);
	abort();
}

static struct pool *make_pool(struct world *w, uint32_t count)
{
	struct pool *pool;
	uint32_t room = BUF_HEADROOM_BYTES + w->cfg.mtu + ETHERNET_ROOM;

	room = room < ROOM_MIN ? ROOM_MIN : (room + 63) / 64 * 64;
	if (pool_create(&pool, count, room, BUF_HEADROOM_BYTES, NULL) < 0)
		world_fail(w, "no memory for %u buffers", count);
	return pool;
}

static struct link *faulty(struct world *w, struct link *inner, const struct sim_config *faults)
{
	struct sim_config c = *faults;
	struct link *link;

	c.seed = rng_u64(&w->rng);
	if (sim_wrap(&link, inner, &c) < 0)
		world_fail(w, "the faults of a link make no sense");
	return link;
}

static void join(struct world *w, struct link *ends[2], const uint8_t mac0[6],
		 const uint8_t mac1[6])
{
	struct pair_config p = {.mtu = w->cfg.mtu,
				.offloads = w->cfg.offloads,
				.max_frags = w->cfg.max_frags,
				.tso_max_bytes = w->cfg.tso_max_bytes,
				.ring_frames = w->cfg.ring_frames,
				.pool = {w->wire_pool, w->wire_pool}};

	memcpy(p.mac[0], mac0, 6);
	memcpy(p.mac[1], mac1, 6);
	if (pair_create(ends, &p) < 0)
		world_fail(w, "no link");
}

static void make_links(struct world *w)
{
	struct link *ends[2];

	if (w->cfg.topology == WORLD_WIRE) {
		join(w, ends, w->hosts[0].mac, w->hosts[1].mac);
		w->hosts[0].link = faulty(w, ends[0], &w->cfg.up);
		w->hosts[1].link = faulty(w, ends[1], &w->cfg.down);
		return;
	}
	for (unsigned i = 0; i < w->cfg.hosts; i++) {
		static const uint8_t of_the_switch[6] = {2, 0, 0, 0, 0xfe, 0};

		join(w, ends, w->hosts[i].mac, of_the_switch);
		w->hosts[i].link = faulty(w, ends[0], &w->cfg.down);
		w->ports[i] = faulty(w, ends[1], &w->cfg.up);
	}
}

static void make_host(struct world *w, unsigned i)
{
	struct host *h = &w->hosts[i];
	uint32_t network = w->cfg.topology == WORLD_ROUTER ? i % 2 : 0;

	h->world = w;
	h->number = i;
	memcpy(h->mac, (const uint8_t[6]){2, 0, 0, 0, 0, (uint8_t)(i + 1)}, 6);
	h->addr = ip4(0x0a000000 | network << 8 | (i + 1));
	h->pool = make_pool(w, w->cfg.host_buffers);
}

void world_create(struct world *w, const struct world_config *cfg, const char *repeat)
{
	memset(w, 0, sizeof(*w));
	w->cfg = *cfg;
	w->repeat = repeat;
	rng_init(&w->rng, (uint64_t[2]){cfg->seed, 0});
	w->start_ns = w->now_ns = rng_below(&w->rng, 1ull << 53);
	w->wire_pool = make_pool(w, cfg->wire_buffers);
	for (unsigned i = 0; i < cfg->hosts; i++)
		make_host(w, i);
	make_links(w);
	for (unsigned i = 0; i < cfg->hosts; i++)
		host_start(&w->hosts[i]);
}

void world_destroy(struct world *w)
{
	for (unsigned i = 0; i < w->cfg.hosts; i++) {
		if (w->hosts[i].stack != NULL)
			host_stop(&w->hosts[i]);
		w->hosts[i].link->ops->destroy(w->hosts[i].link);
		if (w->ports[i] != NULL)
			w->ports[i]->ops->destroy(w->ports[i]);
	}
	for (unsigned i = 0; i < w->cfg.hosts; i++)
		pool_destroy(w->hosts[i].pool);
	if (w->wire_pool->free_count != w->wire_pool->count)
		world_fail(w, "%u buffers are lost on the wires",
			   w->wire_pool->count - w->wire_pool->free_count);
	pool_destroy(w->wire_pool);
}

/* Runs everything at this moment until nothing moves. */
static void run_moment(struct world *w)
{
	bool moved = true;

	for (uint32_t rounds = 0; moved; rounds++) {
		if (rounds == WORLD_ROUNDS)
			world_fail(w, "does not come to rest");
		moved = false;
		for (unsigned i = 0; i < w->cfg.hosts; i++)
			moved |= host_run(&w->hosts[i]);
		for (unsigned i = 0; i < w->cfg.hosts && w->ports[i] != NULL; i++)
			moved |= switch_run(w, i);
	}
}

static uint64_t next_moment(const struct world *w)
{
	uint64_t next =
	    w->programs.next_ns == NULL ? UINT64_MAX : w->programs.next_ns(w->programs.ctx);

	for (unsigned i = 0; i < w->cfg.hosts; i++) {
		uint64_t t = host_next_ns(&w->hosts[i]);
		struct link *port = w->ports[i];

		next = t < next ? t : next;
		if (port == NULL)
			continue;
		t = port->ops->next_deadline(port);
		next = t < next ? t : next;
	}
	return next;
}

void world_run(struct world *w, uint64_t until_ns)
{
	bool forbidden = alloc_forbid(true);
	uint32_t standstill = 0;

	while (w->now_ns < until_ns) {
		uint64_t next;

		if (w->programs.next_ns != NULL &&
		    w->programs.next_ns(w->programs.ctx) <= w->now_ns)
			w->programs.due(w->programs.ctx);
		run_moment(w);
		next = next_moment(w);
		if (next > w->now_ns)
			standstill = 0;
		else if (++standstill == WORLD_STANDSTILL)
			world_fail(w, "something is due at once, for ever");
		if (next > w->now_ns)
			w->now_ns = next < until_ns ? next : until_ns;
	}
	alloc_forbid(forbidden);
}

void world_faults(struct world *w, const struct sim_config *down, const struct sim_config *up)
{
	int r = 0;

	for (unsigned i = 0; i < w->cfg.hosts; i++) {
		const struct sim_config *c = w->ports[i] == NULL && i == 0 ? up : down;

		r |= sim_configure(w->hosts[i].link, c);
		if (w->ports[i] != NULL)
			r |= sim_configure(w->ports[i], up);
	}
	if (r < 0)
		world_fail(w, "the faults of a link make no sense");
}

struct endpoint world_endpoint(const struct host *h, uint16_t port)
{
	return (struct endpoint){h->addr, port};
}
