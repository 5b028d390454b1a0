/* figures.c - what doc/performance.md says of losses: the goodput of bulk connections over a bad
 * wire, in virtual time, and how evenly several share it.
 *
 *     figures
 *
 * Everything follows from integers: the same on every machine and in every build.
 *
 * SPDX-License-Identifier: MIT
 */
#include "flows.h"
#include <inttypes.h>

enum {
	LINK_MBIT_S = 1000,
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

static struct flows_result measure(const struct cell *cell, const char *congestion, uint64_t seed)
{
	static struct world w;
	struct flows_result result;
	struct world_config c;
	struct flows f;

	configure(&c, cell, seed, congestion);
	flows_create(&f, &w, &c, "figures");
	for (unsigned i = 0; i < cell->flows; i++)
		flows_connect(&f);
	world_run(&w, w.start_ns + cell->settle_ns);
	result = flows_measure(&f, cell->run_ns);
	flows_destroy(&f);
	return result;
}

int main(void)
{
	printf("%-38s %14s %14s %8s\n", "1 Gbit/s", "cubic Mbit/s", "reno Mbit/s", "Jain");
	for (unsigned i = 0; i < sizeof(cells) / sizeof(cells[0]); i++) {
		double cubic = 0, reno = 0, jain = 0;

		for (uint64_t seed = 1; seed <= SEEDS; seed++) {
			struct flows_result one = measure(&cells[i], "cubic", seed);

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
