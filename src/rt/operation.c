/* operation.c - see operation.h.
 *
 * SPDX-License-Identifier: MIT
 */
#include "rt/operation.h"
#include <assert.h>
#include <errno.h>
#include <sys/mman.h>

/* The slots are mapped and not cleared, so that a large table costs what of it was used. */
int operations_create(struct operations *t, uint32_t cap, uint32_t orphan_max)
{
	void *slots = mmap(NULL, (size_t)cap * sizeof(struct slot), PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (slots == MAP_FAILED)
		return -ENOMEM;
	*t = (struct operations){
	    .slots = slots, .cap = cap, .free = NO_SLOT, .orphan_max = orphan_max};
	list_init(&t->ready);
	list_init(&t->unclaimed);
	list_init(&t->orphans);
	return 0;
}

void operations_destroy(struct operations *t)
{
	if (t->slots)
		munmap(t->slots, (size_t)t->cap * sizeof(struct slot));
	t->slots = NULL;
}

struct slot *operations_take_fresh(struct operations *t)
{
	struct slot *s;

	if (t->used == t->cap)
		return NULL;
	s = &t->slots[t->used];
	s->token = GENERATION | t->used++;
	return s;
}

void operation_orphan(struct operations *t, struct slot *s)
{
	assert(s->state == SLOT_READY && !s->orphan);
	list_del(&s->queue_link);
	list_del(&s->ready_link);
	list_add_tail(&t->orphans, &s->ready_link);
	s->orphan = true;
	t->orphan_count++;
	t->orphaned++;
}

void operation_unclaimed(struct operations *t, struct slot *s)
{
	list_del(&s->ready_link);
	list_add_tail(&t->unclaimed, &s->ready_link);
}

struct slot *operations_oldest(struct operations *t)
{
	struct list *heads[] = {&t->ready, &t->unclaimed, &t->orphans};
	struct slot *oldest = NULL;

	for (unsigned i = 0; i < 3; i++) {
		if (list_empty(heads[i]))
			continue;
		struct slot *s = list_entry(heads[i]->next, struct slot, ready_link);
		if (!oldest || s->order < oldest->order)
			oldest = s;
	}
	return oldest;
}
