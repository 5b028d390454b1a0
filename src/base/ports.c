/* ports.c - see ports.h.
 *
 * SPDX-License-Identifier: MIT
 */
#include "base/ports.h"
#include <assert.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>

enum { PORTS = 65536 };

/* What one member has: its thread's alone. */
struct counts {
	uint32_t held[PORTS_PROTOCOLS][PORTS];
	uint32_t listening[PORTS];
};

struct ports {
	_Atomic uint64_t holders[PORTS_PROTOCOLS][PORTS];
	_Atomic uint64_t listeners[PORTS];
	bool shared[PORTS_PROTOCOLS][PORTS]; /* all of its holders share it; under the lock */
	atomic_flag lock;
	struct counts *members[PORTS_MEMBERS];
	bool (*is_near)(void *arg, unsigned member, const struct endpoint *peer,
			const struct endpoint *local);
	void *near_arg;
};

struct ports *ports_create(void)
{
	struct ports *p = calloc(1, sizeof(*p)); /* costs memory as it is touched */

	if (p)
		atomic_flag_clear(&p->lock);
	return p;
}

void ports_destroy(struct ports *p)
{
	for (unsigned i = 0; p && i < PORTS_MEMBERS; i++)
		free(p->members[i]);
	free(p);
}

static void lock(struct ports *p)
{
	while (atomic_flag_test_and_set_explicit(&p->lock, memory_order_acquire))
		;
}

static void unlock(struct ports *p)
{
	atomic_flag_clear_explicit(&p->lock, memory_order_release);
}

static uint64_t bit_of(unsigned member)
{
	return UINT64_C(1) << member;
}

int ports_join(struct ports *p, unsigned member)
{
	assert(member < PORTS_MEMBERS && !p->members[member]);
	p->members[member] = calloc(1, sizeof(*p->members[member]));
	return p->members[member] ? 0 : -ENOMEM;
}

static void remove_holder(struct ports *p, unsigned member, enum ports_protocol protocol,
			  uint16_t port)
{
	lock(p);
	atomic_fetch_and_explicit(&p->holders[protocol][port], ~bit_of(member),
				  memory_order_relaxed);
	unlock(p);
}

void ports_leave(struct ports *p, unsigned member)
{
	struct counts *c = p->members[member];

	for (unsigned port = 0; c && port < PORTS; port++) {
		for (unsigned i = 0; i < PORTS_PROTOCOLS; i++) {
			if (c->held[i][port] > 0)
				remove_holder(p, member, i, (uint16_t)port);
		}
		if (c->listening[port] > 0)
			atomic_fetch_and_explicit(&p->listeners[port], ~bit_of(member),
						  memory_order_relaxed);
	}
	free(c);
	p->members[member] = NULL;
}

bool ports_take(struct ports *p, unsigned member, enum ports_protocol protocol, uint16_t port,
		bool share)
{
	uint32_t *held = &p->members[member]->held[protocol][port];
	_Atomic uint64_t *holders = &p->holders[protocol][port];
	bool free_here;

	if (*held > 0) {
		++*held;
		return true;
	}
	lock(p);
	free_here = atomic_load_explicit(holders, memory_order_relaxed) == 0;
	if (free_here)
		p->shared[protocol][port] = share;
	free_here |= share && p->shared[protocol][port];
	if (free_here)
		atomic_fetch_or_explicit(holders, bit_of(member), memory_order_relaxed);
	unlock(p);
	*held = free_here;
	return free_here;
}

void ports_drop(struct ports *p, unsigned member, enum ports_protocol protocol, uint16_t port)
{
	uint32_t *held = &p->members[member]->held[protocol][port];

	assert(*held > 0);
	if (--*held == 0)
		remove_holder(p, member, protocol, port);
}

void ports_listen(struct ports *p, unsigned member, uint16_t port)
{
	if (p->members[member]->listening[port]++ == 0)
		atomic_fetch_or_explicit(&p->listeners[port], bit_of(member), memory_order_relaxed);
}

void ports_unlisten(struct ports *p, unsigned member, uint16_t port)
{
	assert(p->members[member]->listening[port] > 0);
	if (--p->members[member]->listening[port] == 0)
		atomic_fetch_and_explicit(&p->listeners[port], ~bit_of(member),
					  memory_order_relaxed);
}

void ports_steer(struct ports *p,
		 bool (*is_near)(void *arg, unsigned member, const struct endpoint *peer,
				 const struct endpoint *local),
		 void *arg)
{
	p->is_near = is_near;
	p->near_arg = arg;
}

bool ports_is_near(const struct ports *p, unsigned member, const struct endpoint *peer,
		   const struct endpoint *local)
{
	return !p->is_near || p->is_near(p->near_arg, member, peer, local);
}

uint64_t ports_holders(const struct ports *p, enum ports_protocol protocol, uint16_t port)
{
	return atomic_load_explicit(&p->holders[protocol][port], memory_order_relaxed);
}

uint64_t ports_listeners(const struct ports *p, uint16_t port)
{
	return atomic_load_explicit(&p->listeners[port], memory_order_relaxed);
}
