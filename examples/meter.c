/* meter.c - see meter.h.
 *
 * SPDX-License-Identifier: MIT
 */
#include "meter.h"

#include <inttypes.h>
#include <stdio.h>
#include <time.h>

#define LINE_NS UINT64_C(5000000000)
enum { US_NS = 1000 };

static uint64_t clock_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

void meter_start(struct meter *m)
{
	*m = (struct meter){.start_ns = clock_ns()};
	m->line_ns = m->start_ns;
	m->now_ns = m->start_ns;
}

void meter_add(struct meter *m, uint64_t bytes)
{
	m->bytes += bytes;
	m->messages++;
}

static void print_line(struct meter *m)
{
	printf("%" PRIu64 " B / %" PRIu64 " us\n", m->bytes - m->printed_bytes,
	       (m->now_ns - m->line_ns) / US_NS);
	fflush(stdout);
	m->printed_bytes = m->bytes;
	m->line_ns = m->now_ns;
}

void meter_look(struct meter *m)
{
	m->now_ns = clock_ns();
	if (m->now_ns - m->line_ns >= LINE_NS)
		print_line(m);
}

void meter_end(struct meter *m)
{
	m->now_ns = clock_ns();
	print_line(m);
	printf("total: %" PRIu64 " messages, %" PRIu64 " B / %" PRIu64 " us\n", m->messages,
	       m->bytes, (m->now_ns - m->start_ns) / US_NS);
	fflush(stdout);
}
