/* descriptor.c - see descriptor.h.
 *
 * SPDX-License-Identifier: MIT
 */
#include "rt/descriptor.h"
#include <errno.h>
#include <stdlib.h>

int descriptors_create(struct descriptors *t, uint32_t cap)
{
	*t = (struct descriptors){.cap = cap};
	t->queues = calloc(cap, sizeof(*t->queues));
	t->next_free = calloc(cap, sizeof(*t->next_free));
	if (!t->queues || !t->next_free) {
		descriptors_destroy(t);
		return -ENOMEM;
	}
	return 0;
}

void descriptors_destroy(struct descriptors *t)
{
	free(t->queues);
	free(t->next_free);
	t->queues = NULL;
	t->next_free = NULL;
}

int descriptor_take(struct descriptors *t)
{
	uint32_t i;

	if (t->free_count > QD_REST_COUNT || (t->used == t->cap && t->free_count > 0)) {
		i = t->free_head;
		t->free_head = t->next_free[i];
		t->free_count--;
	} else if (t->used < t->cap) {
		i = t->used++;
	} else {
		return -EMFILE;
	}
	return (int)i + FIRST_QD;
}

void descriptor_put(struct descriptors *t, int qd)
{
	uint32_t i = (uint32_t)qd - FIRST_QD;

	t->queues[i] = NULL;
	if (t->free_count++ == 0)
		t->free_head = i;
	else
		t->next_free[t->free_tail] = i;
	t->free_tail = i;
}

void descriptor_set(struct descriptors *t, int qd, struct queue *q)
{
	t->queues[qd - FIRST_QD] = q;
	q->qd = qd;
}
