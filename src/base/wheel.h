/* wheel.h - a hierarchical timer wheel (Varghese and Lauck, "Hashed and hierarchical timing
 * wheels", 1987): arming, moving and disarming cost the same however many timers there are, and
 * nothing is allocated: an entry is a member of what it times.
 *
 * Time is cut into ticks of 2^17 ns (131 us). An entry fires at the first tick that is not before
 * its deadline: never early, late by less than one tick. Level 0 has a slot for each of the next 64
 * ticks, level 1 for each of the next 64 groups of 64 ticks, and so on; entries of a higher level
 * move down when their group begins.
 *
 *     while ((e = wheel_pop(&w, now)) != NULL)
 *             act on container_of(e, ...), which may arm e or any other again
 *
 * An entry belongs to one wheel and must be disarmed before its memory goes.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef BASE_WHEEL_H
#define BASE_WHEEL_H

#include "base/list.h"
#include <stdbool.h>
#include <stdint.h>

enum {
	WHEEL_TICK_SHIFT = 17, /* ns of a tick, as a power of two */
	WHEEL_LEVEL_SHIFT = 6, /* slots of a level, as a power of two: one word has a bit for each
				*/
	WHEEL_SLOTS = 1 << WHEEL_LEVEL_SHIFT,
	WHEEL_LEVELS = 8, /* 48 bits of ticks: every uint64_t of ns */
};

struct wheel_entry {
	struct list link;
	uint64_t deadline_ns; /* as armed; read it, do not write it */
};

struct wheel {
	uint64_t tick;                   /* all before and with it has been handed out */
	uint64_t occupied[WHEEL_LEVELS]; /* a bit for each slot that has entries */
	struct list due;                 /* found due, to be popped */
	struct list slots[WHEEL_LEVELS][WHEEL_SLOTS];
};

void wheel_init(struct wheel *w, uint64_t now_ns);

static inline void wheel_entry_init(struct wheel_entry *e)
{
	list_init(&e->link);
}

static inline bool wheel_armed(const struct wheel_entry *e)
{
	return !list_empty(&e->link);
}

/* Arms e, or moves it. A deadline that has passed fires at the next tick. */
void wheel_arm(struct wheel *w, struct wheel_entry *e, uint64_t deadline_ns);

/* Harmless when e is not armed. */
void wheel_disarm(struct wheel *w, struct wheel_entry *e);

/* Takes off one entry that is due at now_ns, or NULL. Time that goes back counts as standing still.
 */
struct wheel_entry *wheel_pop(struct wheel *w, uint64_t now_ns);

/* When wheel_pop() has something to do, UINT64_MAX: never. Never later than the first entry fires;
 * earlier by up to the span of its group, as the group has to be moved down. */
uint64_t wheel_next(const struct wheel *w);

#endif
