/* list.h - a circular doubly-linked list whose links live inside its members.
 *
 * A head is a struct list that list_init() made point at itself; members embed a struct list and
 * are got back with list_entry(). Nothing here allocates. A member that list_del() took off points
 * at itself, so that taking it off twice is harmless and list_empty() on it says whether it is on a
 * list.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef BASE_LIST_H
#define BASE_LIST_H

#include <stdbool.h>
#include <stddef.h>

#ifndef container_of
#define container_of(ptr, type, member) ((type *)(void *)((char *)(ptr)-offsetof(type, member)))
#endif

struct list {
	struct list *next, *prev;
};

static inline void list_init(struct list *l)
{
	l->next = l;
	l->prev = l;
}

static inline bool list_empty(const struct list *l)
{
	return l->next == l;
}

static inline void list_add_tail(struct list *head, struct list *item)
{
	struct list *prev = head->prev;

	item->prev = prev;
	item->next = head;
	prev->next = item;
	head->prev = item;
}

static inline void list_add_head(struct list *head, struct list *item)
{
	list_add_tail(head->next, item);
}

/* At the tail, unless it is on a list already. */
static inline void list_add_once(struct list *head, struct list *item)
{
	if (list_empty(item))
		list_add_tail(head, item);
}

/* Takes a member off and leaves its links as they are: for one that is put elsewhere, or forgotten,
 * at once. */
static inline void list_unlink(struct list *item)
{
	struct list *prev = item->prev, *next = item->next;

	prev->next = next;
	next->prev = prev;
}

static inline void list_del(struct list *item)
{
	list_unlink(item);
	list_init(item);
}

/* The first member taken off, or NULL. */
static inline struct list *list_pop(struct list *head)
{
	struct list *item = head->next;

	if (item == head)
		return NULL;
	list_del(item);
	return item;
}

/* Makes `to` the head of all members of `from`, which has none then. */
static inline void list_take_all(struct list *to, struct list *from)
{
	list_add_tail(from, to);
	list_del(from);
}

#define list_entry(ptr, type, member) container_of(ptr, type, member)
#define list_for_each(pos, head)      for ((pos) = (head)->next; (pos) != (head); (pos) = (pos)->next)
/* As list_for_each(), and the body may take `pos` off. */
#define list_for_each_safe(pos, tmp, head)                                                         \
	for ((pos) = (head)->next, (tmp) = (pos)->next; (pos) != (head);                           \
	     (pos) = (tmp), (tmp) = (pos)->next)

#endif
