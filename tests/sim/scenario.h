/* scenario.h - a whole simulation from one number: its network, its stacks, its programs, and how
 * it ends.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef SIM_SCENARIO_H
#define SIM_SCENARIO_H

#include "programs.h"

struct scenario {
	struct world_config world;
	struct program_config programs;
	uint64_t duration_ns;
	char text[160]; /* what is special about it */
};

/* What overrides the choice of the seed; negative: nothing. */
struct scenario_wish {
	double loss_percent;
	int hosts;
};

void scenario_make(struct scenario *s, uint64_t seed, const struct scenario_wish *wish);

struct scenario_result {
	uint64_t hash; /* of all frames with their times */
	uint64_t frames, virtual_ns;
	struct program_counts counts;
};

/* Runs it to its end and checks all; ends the process on failure. pcap: NULL, or where the frames
 * are captured. */
void scenario_run(const struct scenario *s, const char *repeat, FILE *pcap,
		  struct scenario_result *out);

#endif
