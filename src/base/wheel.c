/* wheel.c - see wheel.h.
 *
 * The level of an entry is that of the highest base-64 digit in which its tick differs from the
 * wheel's. Therefore every occupied slot of a level lies ahead of the wheel's own digit there, no
 * level wraps, and the lowest occupied level holds what comes first.
 *
 * SPDX-License-Identifier: MIT
 */
#include "base/wheel.h"

static uint64_t tick_of(uint64_t ns)
{
	return ns >> WHEEL_TICK_SHIFT;
}

/* The first tick that is not before ns. */
static uint64_t tick_after(uint64_t ns)
{
	return tick_of(ns) + ((ns & ((1u << WHEEL_TICK_SHIFT) - 1)) != 0);
}

void wheel_init(struct wheel *w, uint64_t now_ns)
{
	w->tick = tick_of(now_ns);
	list_init(&w->due);
	for (unsigned level = 0; level < WHEEL_LEVELS; level++) {
		w->occupied[level] = 0;
		for (unsigned slot = 0; slot < WHEEL_SLOTS; slot++)
			list_init(&w->slots[level][slot]);
	}
}

/* Files e under its tick, which is ahead of the wheel's. */
static void file(struct wheel *w, struct wheel_entry *e, uint64_t tick)
{
	unsigned bit = 63 - (unsigned)__builtin_clzll(tick ^ w->tick);
	unsigned level = bit / WHEEL_LEVEL_SHIFT;
	unsigned slot = (tick >> (level * WHEEL_LEVEL_SHIFT)) & (WHEEL_SLOTS - 1);

	list_add_tail(&w->slots[level][slot], &e->link);
	w->occupied[level] |= (uint64_t)1 << slot;
}

void wheel_arm(struct wheel *w, struct wheel_entry *e, uint64_t deadline_ns)
{
	uint64_t tick = tick_after(deadline_ns);

	wheel_disarm(w, e);
	e->deadline_ns = deadline_ns;
	file(w, e, tick > w->tick ? tick : w->tick + 1);
}

void wheel_disarm(struct wheel *w, struct wheel_entry *e)
{
	struct list *next = e->link.next;

	list_del(&e->link);
	if (list_empty(next) && next >= &w->slots[0][0] &&
	    next <= &w->slots[WHEEL_LEVELS - 1][WHEEL_SLOTS - 1]) {
		size_t index = (size_t)(next - &w->slots[0][0]);

		w->occupied[index / WHEEL_SLOTS] &= ~((uint64_t)1 << (index % WHEEL_SLOTS));
	}
}

/* The lowest occupied level, or WHEEL_LEVELS. */
static unsigned first_level(const struct wheel *w)
{
	unsigned level = 0;

	while (level < WHEEL_LEVELS && w->occupied[level] == 0)
		level++;
	return level;
}

/* The tick at which the first occupied slot of a level begins. */
static uint64_t slot_tick(const struct wheel *w, unsigned level)
{
	unsigned shift = level * WHEEL_LEVEL_SHIFT;
	uint64_t slot = (uint64_t)__builtin_ctzll(w->occupied[level]);
	uint64_t above = (w->tick >> shift >> WHEEL_LEVEL_SHIFT) << WHEEL_LEVEL_SHIFT;

	return (above | slot) << shift;
}

/* The wheel stands at the beginning of the slot: its entries are due now or move down. */
static void open_slot(struct wheel *w, unsigned level)
{
	unsigned slot = (unsigned)__builtin_ctzll(w->occupied[level]);
	struct list *head = &w->slots[level][slot], *item;

	w->occupied[level] &= ~((uint64_t)1 << slot);
	while ((item = list_pop(head)) != NULL) {
		struct wheel_entry *e = list_entry(item, struct wheel_entry, link);
		uint64_t tick = tick_after(e->deadline_ns);

		if (tick > w->tick)
			file(w, e, tick);
		else
			list_add_tail(&w->due, item);
	}
}

struct wheel_entry *wheel_pop(struct wheel *w, uint64_t now_ns)
{
	uint64_t now_tick = tick_of(now_ns);

	while (list_empty(&w->due)) {
		unsigned level = first_level(w);
		uint64_t next = level < WHEEL_LEVELS ? slot_tick(w, level) : UINT64_MAX;

		if (next > now_tick) {
			if (now_tick > w->tick)
				w->tick = now_tick;
			return NULL;
		}
		w->tick = next;
		open_slot(w, level);
	}
	return list_entry(list_pop(&w->due), struct wheel_entry, link);
}

uint64_t wheel_next(const struct wheel *w)
{
	unsigned level;

	if (!list_empty(&w->due))
		return w->tick << WHEEL_TICK_SHIFT;
	level = first_level(w);
	return level < WHEEL_LEVELS ? slot_tick(w, level) << WHEEL_TICK_SHIFT : UINT64_MAX;
}
