/* SPDX-License-Identifier: MIT */
#include "scenario.h"
#include "link/pcapng.h"
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum severity { CLEAN, LIGHT, MEDIUM, HEAVY, SEVERITIES };

enum {
	PERCENT = 10000, /* in parts per million */
	/* The end of it all, in s of virtual time: how long programs may take that have begun (on
	 * the worst wires each segment waits for the longest RTO, and nothing stalls for all that),
	 * and after them the stacks: R2 and TIME-WAIT, and the tables of fragments and neighbours.
	 */
	FINISH_S = 20000,
	LIVENESS_S = 300,
	REST_S = 700,
	LIVENESS_CONNECTIONS = 20,
	MAX_TCP = 4096,
	/* So many pass in the time there is, of one connection, however bad the network. */
	STREAM_SEGMENTS = 4000,
	FRAME_HEADER_BYTES = 18, /* Ethernet, and a tag */
	HEADERS_BYTES = 52,      /* of IP, and of TCP with timestamps */
};

static uint64_t pick(struct rng *r, const uint64_t *from, size_t n)
{
	return from[rng_below(r, n)];
}

#define PICK(r, ...)                                                                               \
	pick((r), (const uint64_t[]){__VA_ARGS__},                                                 \
	     sizeof((const uint64_t[]){__VA_ARGS__}) / sizeof(uint64_t))

static uint32_t up_to(struct rng *r, uint32_t most)
{
	return chance(r, 40) ? 0 : (uint32_t)rng_below(r, most + 1);
}

static void choose_faults(struct rng *r, struct sim_config *c, enum severity severity, uint32_t mtu)
{
	static const uint32_t loss[] = {0, PERCENT, 3 * PERCENT, 16 * PERCENT};
	static const uint32_t other[] = {0, PERCENT / 2, 2 * PERCENT, 8 * PERCENT};

	c->delay_ns = PICK(r, 1000, 10000, 50000, WORLD_MS, WORLD_MS, 10 * WORLD_MS, 50 * WORLD_MS,
			   100 * WORLD_MS);
	c->jitter_ns = chance(r, 50) ? 0 : rng_below(r, c->delay_ns);
	c->bits_per_s =
	    PICK(r, 0, 10000000, 100000000, 1000000000, 1000000000, 10000000000, 40000000000);
	c->queue_bytes = (uint32_t)rng_size(r, 20 * (uint64_t)mtu, 4 << 20);
	if (chance(r, 15))
		c->queue_bytes = (uint32_t)rng_size(r, 3 * (uint64_t)mtu, 20 * (uint64_t)mtu);
	c->loss_ppm = up_to(r, loss[severity]);
	c->duplicate_ppm = up_to(r, other[severity]);
	c->corrupt_ppm = up_to(r, other[severity]);
	c->reorder_ppm = up_to(r, 3 * other[severity]);
	c->reorder_ns = rng_size(r, 1000, 100 * WORLD_MS);
	if (severity == HEAVY && chance(r, 30)) {
		c->bad_enter_ppm = up_to(r, PERCENT);
		c->bad_leave_ppm = 2 * PERCENT + up_to(r, 20 * PERCENT);
		c->bad_loss_ppm = 50 * PERCENT + up_to(r, 50 * PERCENT);
	}
}

/* The longest time that a frame spends on its way, about. */
static uint64_t flight_ns(const struct sim_config *c)
{
	uint64_t queue = c->bits_per_s == 0 ? 0 : c->queue_bytes * 8 * WORLD_S / c->bits_per_s;

	return c->delay_ns + c->jitter_ns + c->reorder_ns + queue;
}

/* So long that both hold that TIME-WAIT is for: old duplicates are gone, and a lost last ACK can be
 * repeated for as long as the peer asks for it; on a heavy network that is all of its R2. On a
 * clean one, too, full queues lose frames. */
static uint32_t choose_time_wait_ms(struct rng *r, uint64_t flight, enum severity severity)
{
	static const uint32_t repeats_ms[] = {10000, 20000, 40000, 310000};
	uint64_t ms = rng_size(r, 100, 60000), safe_ms = 4 * flight / WORLD_MS + 10;

	safe_ms = safe_ms > repeats_ms[severity] ? safe_ms : repeats_ms[severity];
	return (uint32_t)(ms > safe_ms ? ms : safe_ms);
}

static void choose_stack(struct rng *r, struct stack_config *c)
{
	c->max_tcp = MAX_TCP;
	c->max_half_open = 256;
	c->max_listeners = 8;
	c->max_udp = 8;
	c->max_neighbours = 32;
	c->send_buffer_bytes = (uint32_t)rng_size(r, 4096, 4 << 20);
	c->recv_buffer_bytes = (uint32_t)rng_size(r, 4096, 4 << 20);
	c->arp_cache_ttl_s = (uint32_t)rng_size(r, 1, 300);
	c->arp_request_timeout_ms = (uint32_t)rng_size(r, 500, 2000);
	c->arp_request_retries = 6 + (uint32_t)rng_below(r, 5);
	c->nagle = chance(r, 30);
	c->keepalive = chance(r, 30);
	c->keepalive_idle_ms = 10000;
	c->keepalive_interval_ms = 2000;
	c->keepalive_probes = 8;
	c->zero_copy_bytes = (uint32_t)rng_size(r, 64, 8192);
	if (chance(r, 20))
		c->mss = (uint16_t)rng_size(r, 64, 1460);
	if (chance(r, 30))
		c->congestion = "reno";
}

static void choose_devices(struct rng *r, struct world_config *w)
{
	static const uint32_t offloads[] = {0, 0, OFFLOAD_IP4_CSUM | OFFLOAD_L4_CSUM,
					    OFFLOAD_IP4_CSUM | OFFLOAD_L4_CSUM | OFFLOAD_RX_CSUM,
					    OFFLOAD_IP4_CSUM | OFFLOAD_L4_CSUM | OFFLOAD_RX_CSUM |
						OFFLOAD_TSO};

	w->mtu = (uint16_t)PICK(r, 1500, 1500, 1500, 1500, 9000, 4000, 1280, 576, 296, 68);
	w->offloads = offloads[rng_below(r, sizeof(offloads) / sizeof(offloads[0]))];
	w->max_frags = (uint16_t)rng_below(r, FRAME_FRAGS + 1);
	w->tso_max_bytes = (uint32_t)rng_size(r, w->mtu, 65000);
	w->ring_frames = 1u << (unsigned)rng_size(r, 6, 10);
	w->host_buffers = (uint32_t)rng_size(r, 2048, 16384);
	w->late_ns = chance(r, 30) ? rng_size(r, 1000, 10 * WORLD_MS) : 0;
	for (unsigned i = 0; i < WORLD_HOSTS && chance(r, 20); i++)
		w->host_mtu[i] = (uint16_t)(68 + rng_below(r, w->mtu - 68u + 1));
	if (w->topology == WORLD_ROUTER && w->mtu > 600 && chance(r, 50))
		w->router_mtu = (uint16_t)(576 + rng_below(r, w->mtu - 576u));
}

/* The longest stream that is sure to arrive: when every second frame is lost a connection sends one
 * segment at a time, and waits for most of them to be sent again. */
static uint64_t most_bytes(const struct stack_config *c, uint32_t narrow, enum severity severity)
{
	uint32_t segment = narrow - HEADERS_BYTES;

	if (severity != HEAVY)
		return UINT64_MAX;
	if (c->mss != 0 && c->mss < segment)
		segment = c->mss;
	return (uint64_t)segment * STREAM_SEGMENTS;
}

static void choose_programs(struct rng *r, struct scenario *s, enum severity severity)
{
	struct program_config *p = &s->programs;
	const struct world_config *w = &s->world;
	uint64_t flight = flight_ns(&w->down) + flight_ns(&w->up), least_gap, most;
	bool corrupt = w->down.corrupt_ppm + w->up.corrupt_ppm > 0;
	uint32_t narrow = w->router_mtu != 0 ? w->router_mtu : w->mtu;

	for (unsigned i = 0; i < w->hosts; i++)
		narrow = w->host_mtu[i] != 0 && w->host_mtu[i] < narrow ? w->host_mtu[i] : narrow;
	p->max_live = (unsigned)rng_size(r, 1, 64);
	/* So few that the table holds all that are in TIME-WAIT. */
	least_gap = w->stack.time_wait_ms * WORLD_MS * 4 / MAX_TCP;
	p->open_gap_ns = rng_size(r, WORLD_MS, 5 * WORLD_S);
	p->open_gap_ns = p->open_gap_ns > least_gap ? p->open_gap_ns : least_gap;
	p->bytes_max = rng_size(r, 1000, 2000 * (uint64_t)w->mtu);
	most = most_bytes(&w->stack, narrow, severity);
	p->bytes_max = p->bytes_max < most ? p->bytes_max : most;
	p->frames_max = rng_size(r, 10000, 300000);
	p->abrupt_percent = (unsigned)PICK(r, 0, 10, 30, 100);
	p->fixed_port_percent = (unsigned)PICK(r, 0, 10, 80);
	p->simultaneous_percent = (unsigned)PICK(r, 0, 0, 20);
	p->pause_ns = rng_size(r, WORLD_MS, 30 * WORLD_S);
	p->backlog = (int)rng_size(r, 64, 512);
	p->may_time_out = severity == HEAVY;
	if (chance(r, 25)) {
		p->vanish_gap_ns = rng_size(r, WORLD_S, 100 * WORLD_S);
		p->down_min_ns = 2 * flight + WORLD_MS;
		p->down_max_ns = p->down_min_ns + rng_size(r, WORLD_MS, 200 * WORLD_S);
	}
	/* Two flipped bits, in two fragments, can cancel out in one checksum. */
	p->datagram_max_bytes = corrupt ? narrow - 28 : 65507;
	if (chance(r, 70))
		p->datagram_gap_ns = rng_size(r, WORLD_MS, 10 * WORLD_S);
}

static enum world_topology choose_topology(struct rng *r, unsigned *hosts)
{
	static const enum world_topology of[] = {WORLD_WIRE, WORLD_WIRE, WORLD_SWITCH,
						 WORLD_ROUTER};
	enum world_topology t = of[rng_below(r, 4)];

	*hosts = t == WORLD_WIRE ? 2 : 2 + (unsigned)rng_below(r, WORLD_HOSTS - 1);
	return t;
}

/* A way that drops what is too large, of which nobody tells, and stacks that probe for it. It is
 * found by time-outs in a row, of up to a minute each: only where programs and TIME-WAIT have
 * patience for that. Chosen last: seeds without it are what they were. */
static void choose_black_hole(struct rng *r, struct world_config *w, enum severity severity)
{
	if (chance(r, 30))
		w->stack.mtu_probing = STACK_MTU_ALWAYS;
	if (severity == HEAVY && w->mtu > 1000 && chance(r, 40))
		w->down.max_frame_bytes =
		    FRAME_HEADER_BYTES + 576 + (uint32_t)rng_below(r, w->mtu - 576u);
}

/* One loss rate for all links. How bad the network is follows from it: TIME-WAIT must last for as
 * long as a peer whose last ACK was lost may ask for it again. */
static enum severity apply_loss(struct world_config *w, double percent, enum severity severity)
{
	enum severity least = percent > 5 ? HEAVY : percent > 1 ? MEDIUM : LIGHT;

	w->down.loss_ppm = (uint32_t)(percent * PERCENT);
	w->up.loss_ppm = w->topology == WORLD_WIRE ? w->down.loss_ppm : 0;
	return percent > 0 && severity < least ? least : severity;
}

static void apply_hosts(struct scenario *s, int hosts)
{
	s->world.hosts = (unsigned)hosts;
	if (hosts > 2 && s->world.topology == WORLD_WIRE)
		s->world.topology = WORLD_SWITCH;
}

static void describe(struct scenario *s, enum severity severity)
{
	static const char *const topologies[] = {"wire", "switch", "router"};
	static const char *const severities[] = {"clean", "light", "medium", "heavy"};
	const struct world_config *w = &s->world;

	snprintf(s->text, sizeof(s->text),
		 "%s of %u, %s, mtu %u, delay %.2f + %.2f ms, %.2f Gbit/s, loss %.1f + %.1f %%%s%s",
		 topologies[w->topology], w->hosts, severities[severity], w->mtu,
		 (double)w->up.delay_ns / 1e6, (double)w->down.delay_ns / 1e6,
		 (double)w->down.bits_per_s / 1e9, w->up.loss_ppm / 1e4, w->down.loss_ppm / 1e4,
		 s->programs.vanish_gap_ns != 0 ? ", vanishing hosts" : "",
		 w->down.max_frame_bytes != 0 ? ", a black hole" : "");
}

void scenario_make(struct scenario *s, uint64_t seed, const struct scenario_wish *wish)
{
	struct rng rng, *r = &rng;
	enum severity severity;
	struct world_config *w = &s->world;

	memset(s, 0, sizeof(*s));
	rng_init(r, (uint64_t[2]){seed, 2});
	world_config_init(w);
	w->seed = seed;
	w->topology = choose_topology(r, &w->hosts);
	choose_devices(r, w);
	severity = (enum severity)rng_below(r, SEVERITIES);
	choose_faults(r, &w->down, severity, w->mtu);
	choose_faults(r, &w->up, severity, w->mtu);
	if (chance(r, 50))
		w->up = w->down;
	/* A bit is flipped on one way only: twice could go unnoticed. */
	if (w->topology != WORLD_WIRE)
		w->up.corrupt_ppm = 0;
	if (wish->loss_percent >= 0)
		severity = apply_loss(w, wish->loss_percent, severity);
	choose_stack(r, &w->stack);
	w->stack.time_wait_ms =
	    choose_time_wait_ms(r, flight_ns(&w->down) + flight_ns(&w->up), severity);
	if (w->topology != WORLD_ROUTER && chance(r, 10))
		w->stack.vlan_id = 1 + (uint16_t)rng_below(r, 4094);
	choose_programs(r, s, severity);
	s->duration_ns = rng_size(r, 20 * WORLD_S, 1200 * WORLD_S);
	choose_black_hole(r, w, severity);
	if (wish->hosts > 0)
		apply_hosts(s, wish->hosts);
	describe(s, severity);
}

static void run_until_idle(struct world *w, struct programs *p, uint64_t most_s)
{
	for (uint64_t i = 0; !programs_idle(p); i++) {
		if (i == most_s)
			world_fail(w, "%u sockets are still open after %u s", p->live,
				   (unsigned)most_s);
		world_run(w, w->now_ns + WORLD_S);
	}
}

/* When the network works and nobody is abrupt, everything must. */
static void check_liveness(struct world *w, struct programs *p)
{
	struct sim_config clean = {.delay_ns = WORLD_MS};
	struct program_counts before;
	uint64_t ends, opened;

	world_faults(w, &clean, &clean);
	/* What is still on its way, and what was said of who is not there, ends. */
	world_run(w, w->now_ns + 100 * WORLD_S);
	run_until_idle(w, p, FINISH_S);
	p->cfg.may_time_out = false;
	p->cfg.abrupt_percent = 0;
	before = p->counts;
	for (int i = 0; i < LIVENESS_CONNECTIONS; i++) {
		conn_open(p);
		world_run(w, w->now_ns + WORLD_MS);
	}
	run_until_idle(w, p, LIVENESS_S + p->cfg.pause_ns / WORLD_S * 2000);
	ends = p->counts.clean - before.clean;
	opened = p->counts.opened - before.opened;
	if (ends != 2 * opened)
		world_fail(w,
			   "of %" PRIu64 " connections at the end, %" PRIu64
			   " ends were clean, %" PRIu64 " cut",
			   opened, ends, p->counts.excused - before.excused);
}

void scenario_run(const struct scenario *s, const char *repeat, FILE *pcap,
		  struct scenario_result *out)
{
	static struct world w;
	static struct programs p;

	world_create(&w, &s->world, repeat);
	if (pcap != NULL && pcapng_start(pcap, "sim", 65535) == 0)
		w.trace.pcap = pcap;
	programs_start(&p, &w, &s->programs);
	world_run(&w, w.now_ns + s->duration_ns);
	programs_stop(&p);
	run_until_idle(&w, &p, FINISH_S);
	check_liveness(&w, &p);
	programs_end(&p);
	world_run(&w, w.now_ns + REST_S * WORLD_S);
	for (unsigned i = 0; i < w.cfg.hosts; i++)
		world_check_rest(&w.hosts[i]);
	programs_free(&p);
	*out =
	    (struct scenario_result){w.trace.hash, w.trace.frames, w.now_ns - w.start_ns, p.counts};
	world_destroy(&w);
}
