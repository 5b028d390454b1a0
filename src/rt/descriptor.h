/* descriptor.h - the table of queue descriptors.
 *
 * Numbers start at FIRST_QD, so that none is mistaken for a descriptor of the kernel's. A closed
 * number rests behind others that were closed before it and is not given out again at once, so that
 * a program's stale descriptor gives EBADF rather than somebody else's queue.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef RT_DESCRIPTOR_H
#define RT_DESCRIPTOR_H

#include "libos/libos.h"

enum {
	FIRST_QD = 500,
	QD_REST_COUNT = 64, /* closed numbers that rest while fresh ones are left */
};

struct descriptors {
	struct queue **queues; /* by qd - FIRST_QD; NULL: not open */
	uint32_t *next_free;   /* the chain of closed numbers, oldest first */
	uint32_t cap, used, free_count;
	uint32_t free_head, free_tail;
};

int descriptors_create(struct descriptors *t, uint32_t cap); /* 0, -ENOMEM */
void descriptors_destroy(struct descriptors *t);

/* A number for a queue to come, or -EMFILE. */
int descriptor_take(struct descriptors *t);
/* Gives a number back; its queue, if any, is no longer found. */
void descriptor_put(struct descriptors *t, int qd);
/* Opens a taken number: q is found under it, and q->qd is set. */
void descriptor_set(struct descriptors *t, int qd, struct queue *q);

/* The open queue of a number, or NULL. */
static inline struct queue *descriptor_find(const struct descriptors *t, int qd)
{
	uint32_t i = (uint32_t)qd - FIRST_QD;

	return i < t->used ? t->queues[i] : NULL;
}

#endif
