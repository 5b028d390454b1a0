/* clock.h - CLOCK_MONOTONIC in nanoseconds, read from the processor's counter.
 *
 * A reading costs about 10 ns where the counter runs at a constant rate (x86 with an invariant TSC,
 * any ARMv8), and a clock_gettime() elsewhere. Each thread follows the kernel's clock by itself: it
 * looks at it once in CLOCK_SPAN_NS of use and bends its rate, so that a reading differs from the
 * kernel's by what two clocks can drift apart in that time (below 1 us while NTP adjusts the
 * kernel's by its 500 ppm at most). Time never goes back within a thread; across threads it may by
 * that difference.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

enum { CLOCK_SPAN_NS = 1000000 }; /* between two looks at the kernel's clock */

/* The processor's counter: what durations given to the profiler's callback are counted in. */
#if defined(__x86_64__)
static inline uint64_t clock_cycles(void)
{
	return __builtin_ia32_rdtsc();
}
#elif defined(__aarch64__)
static inline uint64_t clock_cycles(void)
{
	uint64_t cycles;

	__asm__ volatile("mrs %0, cntvct_el0" : "=r"(cycles));
	return cycles;
}
#else
uint64_t clock_cycles(void);
#endif

/* Whether that counter runs at one rate whatever the processor does. clock_x86.c, clock_arm.c and
 * clock_other.c: one is built. */
bool clock_counter_is_steady(void);

/* A straight line through the kernel's time: ns + (cycles since `cycles`) * rate / 2^32, for
 * `span` cycles. */
struct clock_line {
	uint64_t cycles, span;
	uint64_t ns;
	uint64_t rate;
};

extern _Thread_local struct clock_line clock_line __attribute__((tls_model("initial-exec")));

/* Draws the next line; clock_now_ns() calls it. */
uint64_t clock_follow_kernel(uint64_t cycles);

/* Nanoseconds of CLOCK_MONOTONIC. */
static inline uint64_t clock_now_ns(void)
{
	uint64_t cycles = clock_cycles(), passed = cycles - clock_line.cycles;

	if (__builtin_expect(passed >= clock_line.span, 0))
		return clock_follow_kernel(cycles);
	return clock_line.ns + (passed * clock_line.rate >> 32);
}

#endif
