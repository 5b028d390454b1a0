/* figures.c - what doc/performance.md says of losses: the goodput of bulk connections over a bad
 * wire, in virtual time, and how evenly several share it.
 *
 *     figures
 *
 * Everything follows from integers: the same on every machine and in every build.
 *
 * SPDX-License-Identifier: MIT
 */
#include "world.h"
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/socket.h>

enum {
	PORT = 80,
	FLOWS = 10, /* at most */
	LINK_MBIT_S = 1000,
	CHUNK_BYTES = 256 << 10,
	BUFFER_BYTES = 16 << 20,
	SEEDS = 3, /* of which the mean is told */
};

struct cell {
	const char *name;
	uint64_t rtt_ns;
	uint32_t loss_ppm, reorder_ppm;
	uint64_t reorder_ns;
	uint32_t queue_bytes;
	unsigned flows;
	uint64_t settle_ns, run_ns; /* not counted, and counted */
};

static const struct cell cells[] = {
    {"0.1 % loss, 10 ms", 10 * WORLD_MS, 1000, 0, 0, 1250000, 1, WORLD_S, 10 * WORLD_S},
    {"1 % loss, 10 ms", 10 * WORLD_MS, 10000, 0, 0, 1250000, 1, WORLD_S, 10 * WORLD_S},
    {"5 % loss, 10 ms", 10 * WORLD_MS, 50000, 0, 0, 1250000, 1, WORLD_S, 10 * WORLD_S},
    {"0.1 % loss, 100 ms", 100 * WORLD_MS, 1000, 0, 0, 1250000, 1, WORLD_S, 10 * WORLD_S},
    {"1 % loss, 100 ms", 100 * WORLD_MS, 10000, 0, 0, 1250000, 1, WORLD_S, 10 * WORLD_S},
    {"1 % late by 1 ms, 10 ms", 10 * WORLD_MS, 0, 10000, WORLD_MS, 1250000, 1, WORLD_S,
     10 * WORLD_S},
    {"1 % late by 1 ms and 1 % loss, 10 ms", 10 * WORLD_MS, 10000, 10000, WORLD_MS, 1250000, 1,
     WORLD_S, 10 * WORLD_S},
    {"2 flows, no loss, 10 ms", 10 * WORLD_MS, 0, 0, 0, 1250000, 2, 60 * WORLD_S, 60 * WORLD_S},
    {"10 flows, no loss, 10 ms", 10 * WORLD_MS, 0, 0, 0, 1250000, 10, 10 * WORLD_S, 10 * WORLD_S},
};

struct flow {
	struct sock *client, *server;
	uint64_t received;
};

struct run {
	struct world *world;
	struct sock *listener;
	struct buf *text;
	struct flow flow[FLOWS];
	unsigned flows, accepted;
};

static void feed(struct run *r, struct flow *f)
{
	bool zero_copy;

	while (stack_send(f->client, r->text, r->text->data, CHUNK_BYTES, &zero_copy,
			  r->world->now_ns) > 0)
		;
	world_touch(&r->world->hosts[0]);
}

static void drain(struct run *r, struct flow *f)
{
	struct stack_received got;

	while (stack_recv(f->server, UINT32_MAX, &got, r->world->now_ns) == 1) {
		f->received += got.len;
		buf_unref(got.buf);
	}
	world_touch(&r->world->hosts[1]);
}

static void on_event(void *ctx, const struct stack_event *ev)
{
	struct run *r = ctx;

	if (ev->bits & STACK_EV_FAILED)
		world_fail(r->world, "a connection failed: %d", stack_error(ev->sock));
	if (ev->sock == r->listener) {
		while (r->accepted < r->flows &&
		       stack_accept(r->listener, NULL, &r->flow[r->accepted].server) == 0)
			drain(r, &r->flow[r->accepted++]);
		return;
	}
	for (unsigned i = 0; i < r->flows; i++) {
		if (ev->sock == r->flow[i].client)
			feed(r, &r->flow[i]);
		if (i < r->accepted && ev->sock == r->flow[i].server)
			drain(r, &r->flow[i]);
	}
}

static void configure(struct world_config *c, const struct cell *cell, uint64_t seed,
		      const char *congestion)
{
	world_config_init(c);
	c->seed = seed;
	c->max_frags = FRAME_FRAGS;
	c->host_buffers = 32768;
	c->wire_buffers = 65536;
	c->down.delay_ns = cell->rtt_ns / 2;
	c->down.bits_per_s = LINK_MBIT_S * UINT64_C(1000000);
	c->down.queue_bytes = cell->queue_bytes;
	c->down.max_frames = 32768;
	c->up = c->down;
	c->down.loss_ppm = cell->loss_ppm; /* of the data; what comes back is whole */
	c->down.reorder_ppm = cell->reorder_ppm;
	c->down.reorder_ns = cell->reorder_ns;
	c->stack.send_buffer_bytes = c->stack.recv_buffer_bytes = BUFFER_BYTES;
	c->stack.max_tcp = 64;
	c->stack.congestion = congestion;
}

static void begin(struct run *r, struct pool *pool)
{
	struct world *w = r->world;
	struct endpoint at = world_endpoint(&w->hosts[1], PORT);

	r->text = pool_get(pool);
	if (r->text == NULL || stack_open(w->hosts[1].stack, SOCK_STREAM, NULL, &r->listener) < 0 ||
	    stack_bind(r->listener, &at, false) < 0 || stack_listen(r->listener, FLOWS) < 0)
		world_fail(w, "cannot listen");
	memset(r->text->data, 'f', CHUNK_BYTES);
	r->text->len = CHUNK_BYTES;
	for (unsigned i = 0; i < r->flows; i++) {
		struct sock **k = &r->flow[i].client;

		if (stack_open(w->hosts[0].stack, SOCK_STREAM, NULL, k) < 0 ||
		    stack_connect(*k, &at, w->now_ns) != -EINPROGRESS)
			world_fail(w, "cannot connect");
	}
	world_touch(&w->hosts[0]);
}

struct result {
	double mbit_s, jain; /* Jain's index: 1 when all have the same, 1/n when one has all */
};

static struct result evaluate(const struct run *r, uint64_t ns)
{
	double sum = 0, squares = 0;

	for (unsigned i = 0; i < r->flows; i++) {
		double x = (double)r->flow[i].received;

		sum += x;
		squares += x * x;
	}
	return (struct result){sum * 8e3 / (double)ns, sum * sum / (r->flows * squares)};
}

static struct result measure(const struct cell *cell, const char *congestion, uint64_t seed)
{
	static struct world w;
	struct world_config c;
	struct run r = {.world = &w, .flows = cell->flows};
	struct pool *pool;
	struct result result;

	configure(&c, cell, seed, congestion);
	world_create(&w, &c, "figures");
	if (pool_create(&pool, 1, CHUNK_BYTES, 0, NULL) < 0)
		world_fail(&w, "no memory");
	w.programs = (struct world_programs){.ctx = &r, .event = on_event};
	begin(&r, pool);
	world_run(&w, w.start_ns + cell->settle_ns);
	for (unsigned i = 0; i < r.flows; i++)
		r.flow[i].received = 0;
	world_run(&w, w.start_ns + cell->settle_ns + cell->run_ns);
	result = evaluate(&r, cell->run_ns);
	for (unsigned i = 0; i < r.flows; i++)
		stack_abort(r.flow[i].client, w.now_ns);
	buf_unref(r.text);
	world_destroy(&w);
	pool_destroy(pool);
	return result;
}

int main(void)
{
	printf("%-38s %14s %14s %8s\n", "1 Gbit/s", "cubic Mbit/s", "reno Mbit/s", "Jain");
	for (unsigned i = 0; i < sizeof(cells) / sizeof(cells[0]); i++) {
		double cubic = 0, reno = 0, jain = 0;

		for (uint64_t seed = 1; seed <= SEEDS; seed++) {
			struct result one = measure(&cells[i], "cubic", seed);

			cubic += one.mbit_s / SEEDS;
			jain += one.jain / SEEDS;
			if (cells[i].flows == 1)
				reno += measure(&cells[i], "reno", seed).mbit_s / SEEDS;
		}
		printf("%-38s %14.1f", cells[i].name, cubic);
		if (cells[i].flows == 1)
			printf(" %14.1f\n", reno);
		else
			printf(" %14s %8.3f\n", "", jain);
		fflush(stdout);
	}
	return 0;
}
