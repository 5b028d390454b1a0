/* SPDX-License-Identifier: MIT */
#include "programs.h"
#include <string.h>
#include <sys/socket.h>

enum {
	SMALL_ROOM = 16384,
	SMALL_COUNT = 2048,
	BIG_COUNT = 48,
	WATCH_NS = 1000000000, /* how often standing connections are looked for */
};

/* A stack that got no answer says so to its programs for at most so long: ARP's requests and the
 * pause after them. */
static const uint64_t doubt_ns = 60 * WORLD_S;

static uint64_t now(const struct programs *p)
{
	return p->world->now_ns;
}

static void start_host(struct programs *p, struct host *h)
{
	for (unsigned i = 0; i < LISTENERS; i++)
		listener_start(p, h, i);
	for (unsigned i = 0; i < UDP_SOCKETS; i++)
		udp_start(p, h, i);
	p->hosts[h->number].return_ns = UINT64_MAX;
}

static struct host *host_of_socket(struct programs *p, const void *user)
{
	size_t at = (size_t)((const char *)user - (const char *)p->hosts);

	return &p->world->hosts[at / sizeof(p->hosts[0])];
}

static void end_turn(struct programs *p, struct end *e, uint32_t bits)
{
	size_t i = (size_t)(e - p->ends);

	if (bits != 0)
		end_event(e, bits);
	else
		end_run(e);
	p->wake_ns[i] = e->sock != NULL ? end_wake_ns(e) : UINT64_MAX;
}

static void on_event(void *ctx, const struct stack_event *ev)
{
	struct programs *p = ctx;
	char *user = ev->user;
	struct host *h;
	struct listener *l;

	if (user >= (char *)p->ends && user < (char *)(p->ends + ENDS)) {
		struct end *e = ev->user;

		if (e->sock != ev->sock)
			world_fail(p->world, "an event of a socket that is closed");
		end_turn(p, e, ev->bits);
		return;
	}
	h = host_of_socket(p, user);
	for (unsigned i = 0; i < UDP_SOCKETS; i++) {
		struct udp_program *u = &p->hosts[h->number].udp[i];

		if (user == (char *)u) {
			u->rx_ready = true;
			udp_run(p, h, u);
			return;
		}
	}
	l = ev->user;
	l->ready = true;
	listener_run(p, h, l);
}

static void vanish_one(struct programs *p)
{
	struct host *h = &p->world->hosts[rng_below(&p->rng, p->world->cfg.hosts)];
	struct program_host *ph = &p->hosts[h->number];

	if (h->stack == NULL)
		return;
	host_programs_vanish(p, h);
	world_host_vanish(h);
	memset(ph, 0, sizeof(*ph));
	ph->return_ns = now(p) + p->cfg.down_min_ns +
			rng_below(&p->rng, p->cfg.down_max_ns - p->cfg.down_min_ns + 1);
	p->counts.vanished++;
}

static void return_hosts(struct programs *p)
{
	for (unsigned i = 0; i < p->world->cfg.hosts; i++) {
		if (p->hosts[i].return_ns <= now(p)) {
			world_host_return(&p->world->hosts[i]);
			start_host(p, &p->world->hosts[i]);
			p->hosts[i].doubted_until_ns = now(p) + doubt_ns;
		}
	}
}

static void run_ends(struct programs *p)
{
	for (uint32_t i = 0; i < p->ends_used; i++) {
		if (p->wake_ns[i] <= now(p))
			end_turn(p, &p->ends[i], 0);
	}
}

static void run_listeners(struct programs *p)
{
	for (unsigned i = 0; i < p->world->cfg.hosts; i++) {
		for (unsigned j = 0; j < LISTENERS; j++) {
			if (p->hosts[i].listeners[j].sock != NULL)
				listener_run(p, &p->world->hosts[i], &p->hosts[i].listeners[j]);
		}
	}
}

static void watch(struct programs *p)
{
	for (uint32_t i = 0; i < ENDS; i++) {
		if (p->ends[i].sock != NULL)
			end_watch(&p->ends[i]);
	}
	for (unsigned i = 0; i < p->world->cfg.hosts; i++) {
		if (p->world->hosts[i].stack != NULL)
			world_check_counters(&p->world->hosts[i]);
	}
}

static void open_one(struct programs *p)
{
	p->next_open_ns = now(p) + 1 + rng_below(&p->rng, p->cfg.open_gap_ns);
	if (p->live / 2 >= p->cfg.max_live || p->world->trace.frames >= p->cfg.frames_max)
		return;
	if (chance(&p->rng, p->cfg.simultaneous_percent))
		conn_open_simultaneous(p);
	else
		conn_open(p);
}

static void begin_new(struct programs *p)
{
	if (p->next_open_ns <= now(p))
		open_one(p);
	if (p->next_datagram_ns <= now(p)) {
		p->next_datagram_ns = now(p) + 1 + rng_below(&p->rng, p->cfg.datagram_gap_ns);
		if (p->world->trace.frames < p->cfg.frames_max)
			udp_send(p);
	}
	if (p->next_vanish_ns <= now(p)) {
		p->next_vanish_ns = now(p) + 1 + rng_below(&p->rng, p->cfg.vanish_gap_ns);
		vanish_one(p);
	}
}

static void on_due(void *ctx)
{
	struct programs *p = ctx;

	return_hosts(p);
	run_listeners(p);
	run_ends(p);
	if (!p->stopping)
		begin_new(p);
	if (p->next_watch_ns <= now(p)) {
		p->next_watch_ns = now(p) + WATCH_NS;
		watch(p);
	}
}

static uint64_t least(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static uint64_t next_ns(const void *ctx)
{
	const struct programs *p = ctx;
	uint64_t next = p->next_watch_ns;

	for (uint32_t i = 0; i < p->ends_used; i++)
		next = least(next, p->wake_ns[i]);
	for (unsigned i = 0; i < p->world->cfg.hosts; i++) {
		const struct program_host *h = &p->hosts[i];

		next = least(next, h->return_ns);
		for (unsigned j = 0; j < LISTENERS; j++) {
			if (h->listeners[j].ready)
				next = least(next, h->listeners[j].accept_at_ns);
		}
	}
	if (!p->stopping)
		next = least(next,
			     least(p->next_open_ns, least(p->next_datagram_ns, p->next_vanish_ns)));
	return next;
}

void programs_start(struct programs *p, struct world *w, const struct program_config *cfg)
{
	memset(p, 0, sizeof(*p));
	p->world = w;
	p->cfg = *cfg;
	rng_init(&p->rng, (uint64_t[2]){w->cfg.seed, 1});
	p->key = rng_u64(&p->rng);
	p->next_id = 1;
	if (pool_create(&p->small, SMALL_COUNT, SMALL_ROOM, 0, NULL) < 0 ||
	    pool_create(&p->big, BIG_COUNT, BIG_BYTES, 0, NULL) < 0)
		world_fail(w, "no memory for the programs' buffers");
	for (uint32_t i = 0; i < ENDS; i++)
		p->wake_ns[i] = UINT64_MAX;
	p->next_open_ns = w->now_ns;
	p->next_watch_ns = w->now_ns + WATCH_NS;
	p->next_datagram_ns = cfg->datagram_gap_ns != 0 ? w->now_ns : UINT64_MAX;
	p->next_vanish_ns = cfg->vanish_gap_ns != 0 ? w->now_ns + cfg->vanish_gap_ns : UINT64_MAX;
	for (unsigned i = 0; i < w->cfg.hosts; i++)
		start_host(p, &w->hosts[i]);
	w->programs = (struct world_programs){p, on_event, on_due, next_ns};
}

void programs_stop(struct programs *p)
{
	p->stopping = true;
	for (unsigned i = 0; i < p->world->cfg.hosts; i++) {
		for (unsigned j = 0; j < LISTENERS; j++) {
			p->hosts[i].listeners[j].accept_pause_ns = 0;
			p->hosts[i].listeners[j].accept_at_ns = now(p);
		}
	}
}

bool programs_idle(const struct programs *p)
{
	for (unsigned i = 0; i < p->world->cfg.hosts; i++) {
		if (p->world->hosts[i].stack == NULL)
			return false;
	}
	return p->live == 0;
}

void programs_end(struct programs *p)
{
	for (unsigned i = 0; i < p->world->cfg.hosts; i++) {
		struct program_host *h = &p->hosts[i];

		for (unsigned j = 0; j < LISTENERS; j++) {
			stack_close(h->listeners[j].sock, now(p));
			h->listeners[j].ready = false;
		}
		for (unsigned j = 0; j < UDP_SOCKETS; j++)
			stack_close(h->udp[j].sock, now(p));
		memset(h->listeners, 0, sizeof(h->listeners));
		world_touch(&p->world->hosts[i]);
	}
}

void programs_free(struct programs *p)
{
	if (p->small->free_count != p->small->count || p->big->free_count != p->big->count)
		world_fail(p->world, "%u small and %u big buffers of programs are lost",
			   p->small->count - p->small->free_count,
			   p->big->count - p->big->free_count);
	pool_destroy(p->small);
	pool_destroy(p->big);
}
