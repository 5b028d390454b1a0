/* operation.h - the table of operations: what a token names.
 *
 * An operation is a slot of a table made at start, with no allocation after. Its token is the
 * slot's index and its generation, so a token that was consumed names nothing. A slot is FREE,
 * PENDING (its libOS has it) or READY (its result waits to be taken); it becomes READY exactly
 * once.
 *
 * READY slots lie on one of three lists of the table, each in the order in which it got them:
 *   ready      nobody has looked for them yet
 *   unclaimed  a wait has looked through its whole array and they were not there
 *   orphans    their descriptor is closed; bounded: beyond the limit the oldest is forgotten
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef RT_OPERATION_H
#define RT_OPERATION_H

#include "base/list.h"
#include "demi/types.h"
#include "libos/libos.h"
#include <assert.h>
#include <string.h>

enum slot_state { SLOT_FREE, SLOT_PENDING, SLOT_READY };

struct slot {
	demi_qtoken_t token;    /* FREE: of the next operation here; the index in its low half,
				   above it a generation from 1 */
	uint8_t state;          /* enum slot_state */
	bool orphan;            /* READY, on the orphans list */
	uint32_t seen_at;       /* index in the caller's array where a wait last saw the token */
	uint32_t seen_wait;     /* and when: struct operations.waits */
	int32_t qd;             /* of the operation; its queue may be gone */
	int32_t accept_qd;      /* ACCEPT: the descriptor kept for the new connection */
	uint64_t order;         /* READY: counts up with each completion */
	struct list queue_link; /* PENDING or READY: with the queue's others; alone when the queue
				   is gone */
	union {
		struct list ready_link; /* READY: ready, unclaimed or orphans */
		uint32_t next_free;     /* FREE */
	};
	struct operation op;
} __attribute__((aligned(64)));

struct operations {
	struct slot *slots;
	uint32_t cap, used; /* slots in all; slots that were ever taken */
	uint32_t free;      /* index of the first free slot below `used`, NO_SLOT: none */
	uint64_t completions;
	struct list ready, unclaimed, orphans;
	uint32_t orphan_count, orphan_max;
	uint32_t waits;    /* over long arrays, so far */
	uint64_t orphaned; /* slots that ever became orphans */
};

#define NO_SLOT    UINT32_MAX
#define GENERATION (UINT64_C(1) << 32)

/* 0, -ENOMEM. */
int operations_create(struct operations *t, uint32_t cap, uint32_t orphan_max);
/* The slots' contents must be gone already. */
void operations_destroy(struct operations *t);

/* A slot that was never used; NULL: there is none left. */
struct slot *operations_take_fresh(struct operations *t);

/* Moves a READY slot to the orphans. The caller checks orphan_count against orphan_max. */
void operation_orphan(struct operations *t, struct slot *s);

/* Moves a READY slot from ready to unclaimed. */
void operation_unclaimed(struct operations *t, struct slot *s);

/* The READY slot that completed first, of any list; NULL: none. */
struct slot *operations_oldest(struct operations *t);

static inline struct slot *slot_of(struct operation *op)
{
	return container_of(op, struct slot, op);
}

static inline demi_qtoken_t operation_token(const struct slot *s)
{
	return s->token;
}

/* The slot that a token names; NULL: none. */
static inline struct slot *operation_find(const struct operations *t, demi_qtoken_t qt)
{
	uint32_t index = (uint32_t)qt;
	struct slot *s = &t->slots[index];

	if (index >= t->used || s->token != qt || s->state == SLOT_FREE)
		return NULL;
	return s;
}

/* A PENDING slot on q's list, its in- and out-parts zero; NULL: the table is full. */
static inline struct slot *operation_start(struct operations *t, enum demi_opcode opcode,
					   struct queue *q)
{
	struct slot *s;

	if (__builtin_expect(t->free != NO_SLOT, 1)) {
		s = &t->slots[t->free];
		t->free = s->next_free;
	} else {
		s = operations_take_fresh(t);
		if (!s)
			return NULL;
	}
	s->state = SLOT_PENDING;
	s->orphan = false;
	s->seen_at = NO_SLOT;
	s->seen_wait = t->waits;
	s->qd = q->qd;
	s->accept_qd = -1;
	memset(&s->op, 0, sizeof(s->op));
	s->op.opcode = opcode;
	s->op.queue = q;
	list_add_tail(&q->operations, &s->queue_link);
	return s;
}

/* Back to FREE, off its queue's list: the end of operation_taken() and operation_refused(). */
static inline void operation_void(struct operations *t, struct slot *s)
{
	list_unlink(&s->queue_link);
	s->state = SLOT_FREE;
	s->token += GENERATION;
	if (s->token < GENERATION)
		s->token += GENERATION;
	s->next_free = t->free;
	t->free = (uint32_t)s->token;
}

/* READY to FREE, the token void. */
static inline void operation_taken(struct operations *t, struct slot *s)
{
	assert(s->state == SLOT_READY);
	list_unlink(&s->ready_link);
	t->orphan_count -= s->orphan;
	operation_void(t, s);
}

/* PENDING to FREE, the token void: it was never started. */
static inline void operation_refused(struct operations *t, struct slot *s)
{
	assert(s->state == SLOT_PENDING);
	operation_void(t, s);
}

/* PENDING to READY, at the end of the ready list. */
static inline void operation_ready(struct operations *t, struct slot *s)
{
	assert(s->state == SLOT_PENDING);
	s->state = SLOT_READY;
	s->order = ++t->completions;
	list_add_tail(&t->ready, &s->ready_link);
}

#endif
