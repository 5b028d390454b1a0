/* SPDX-License-Identifier: MIT */
#include "base/clock.h"
#include <time.h>

/* Rates of counters that there are: 10 MHz to 10 GHz. */
#define LEAST_NS_PER_CYCLE 0.1
#define MOST_NS_PER_CYCLE  100.0

_Thread_local struct clock_line clock_line;

struct sample {
	uint64_t cycles, ns;
};

/* This thread's last look at the kernel's clock; ns 0: none yet. */
static _Thread_local struct sample last;

static uint64_t kernel_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

/* Both clocks at one moment: of a few pairs the one that was taken fastest, so that an interrupt
 * in between does no harm. */
static struct sample take_sample(void)
{
	struct sample best = {0, 0};
	uint64_t least = UINT64_MAX;

	for (int i = 0; i < 3; i++) {
		uint64_t before = clock_cycles(), ns = kernel_ns(), took = clock_cycles() - before;

		if (took < least) {
			least = took;
			best = (struct sample){before + took / 2, ns};
		}
	}
	return best;
}

/* The latest time that the line can have given out before the counter stood at `cycles`. */
static uint64_t line_end(uint64_t cycles)
{
	uint64_t passed = cycles - clock_line.cycles;

	if (passed > clock_line.span)
		passed = clock_line.span;
	return clock_line.ns + (passed * clock_line.rate >> 32);
}

/* The line never steps back: when it has run ahead of the kernel's clock it goes on from where it
 * is, slower, to meet that clock at the end of the next span. */
static void draw_line(struct sample now, uint64_t from_ns, double ns_per_cycle)
{
	uint64_t ahead = from_ns - now.ns;
	double slope = ns_per_cycle;

	if (ahead > CLOCK_SPAN_NS / 2)
		ahead = CLOCK_SPAN_NS / 2;
	slope *= 1.0 - (double)ahead / CLOCK_SPAN_NS;
	clock_line.cycles = now.cycles;
	clock_line.ns = from_ns;
	clock_line.rate = (uint64_t)(slope * 4294967296.0);
	clock_line.span = (uint64_t)(CLOCK_SPAN_NS / ns_per_cycle);
}

/* The rate since the last look; 0: not known, or not what a counter does (a machine that slept). */
static double measure(struct sample now)
{
	double ns_per_cycle;

	if (last.ns == 0 || now.cycles <= last.cycles)
		return 0;
	ns_per_cycle = (double)(now.ns - last.ns) / (double)(now.cycles - last.cycles);
	return ns_per_cycle >= LEAST_NS_PER_CYCLE && ns_per_cycle <= MOST_NS_PER_CYCLE
		   ? ns_per_cycle
		   : 0;
}

uint64_t clock_follow_kernel(uint64_t cycles)
{
	uint64_t floor_ns, from_ns;
	double ns_per_cycle;
	struct sample now;

	if (!clock_counter_is_steady())
		return kernel_ns();
	floor_ns = line_end(cycles);
	now = take_sample();
	from_ns = now.ns > floor_ns ? now.ns : floor_ns;
	ns_per_cycle = measure(now);
	if (ns_per_cycle > 0 && now.ns - last.ns >= CLOCK_SPAN_NS)
		draw_line(now, from_ns, ns_per_cycle);
	else /* a line that ends at once: the kernel's clock itself until the rate is known */
		clock_line = (struct clock_line){.cycles = now.cycles, .ns = from_ns};
	if (ns_per_cycle <= 0 || now.ns - last.ns >= CLOCK_SPAN_NS)
		last = now;
	return from_ns;
}
