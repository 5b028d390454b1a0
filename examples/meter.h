/* meter.h - counts bytes, and prints every 5 seconds how many came in how long.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef EXAMPLES_METER_H
#define EXAMPLES_METER_H

#include <stdint.h>

struct meter {
	uint64_t bytes, messages; /* in all */
	uint64_t printed_bytes;   /* up to the last line */
	uint64_t start_ns, line_ns, now_ns;
};

void meter_start(struct meter *m);
void meter_add(struct meter *m, uint64_t bytes);

/* To be called now and then: prints "N B / N us" when it is time. */
void meter_look(struct meter *m);

/* Prints the rest, and "total: N messages, N B / N us". */
void meter_end(struct meter *m);

#endif
