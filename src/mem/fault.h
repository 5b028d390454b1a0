/* fault.h - allocations that fail on purpose, so that a test can make every allocation of a
 * sequence fail once:
 *
 *     for (n = 1;; n++) {
 *             mem_fault_set(n);
 *             run the sequence: it may fail, but not crash or leak
 *             if (!mem_fault_clear())
 *                     break;             the sequence has fewer than n allocations
 *     }
 *
 * Counted are buffers taken from the pools and heaps that the calling thread made, and whatever
 * else asks mem_fault_hit(). Fast paths do not look: while a fault is set, pools look empty and
 * heaps keep nothing ready, so that each allocation takes its slow path.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MEM_FAULT_H
#define MEM_FAULT_H

#include "base/list.h"
#include <stdbool.h>
#include <stdint.h>

/* The nth allocation of this thread from now on fails, those before and after do not. n >= 1. */
void mem_fault_set(uint64_t n);

/* Ends it. Returns whether the allocation has failed. */
bool mem_fault_clear(void);

/* Counts an allocation; true: it is the one to fail. For slow paths:
 *         p = mem_fault_hit() ? NULL : calloc(1, sizeof(*p)); */
bool mem_fault_hit(void);

/* Something with a fast path to be turned off. It belongs to the thread that registers it, which
 * also ends it. */
struct mem_fault_point {
	struct list link;
	uintptr_t owner;
	void (*set)(struct mem_fault_point *, bool slow); /* slow: no fast path from now on */
};

/* Adds a point whose `set` is filled in; turns it to slow at once when a fault is set. */
void mem_fault_register(struct mem_fault_point *point);

/* Turns the point back and takes it off. Harmless on one that is off. */
void mem_fault_unregister(struct mem_fault_point *point);

#endif
