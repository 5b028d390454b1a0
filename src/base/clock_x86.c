/* SPDX-License-Identifier: MIT */
#include "base/clock.h"
#include <cpuid.h>
#include <stdatomic.h>

/* "Invariant TSC" (Intel SDM 18.17.1, AMD APM 3 E.4.7). The answer is kept: in a virtual machine
 * the instruction costs microseconds. */
static bool ask_processor(void)
{
	unsigned a, b, c, d;

	return __get_cpuid(0x80000007, &a, &b, &c, &d) && (d & 1 << 8);
}

bool clock_counter_is_steady(void)
{
	static atomic_int answer; /* 0: not asked yet, 1: yes, 2: no */

	int known = atomic_load_explicit(&answer, memory_order_relaxed);

	if (known == 0) {
		known = ask_processor() ? 1 : 2;
		atomic_store_explicit(&answer, known, memory_order_relaxed);
	}
	return known == 1;
}
