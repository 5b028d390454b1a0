/* buddy.c - free lists by order, and merging.
 *
 * SPDX-License-Identifier: MIT
 */
#include "mem/buddy.h"
#include <assert.h>

enum { TOP_ORDER = BUDDY_ORDERS - 1 };

static const uint32_t NONE = UINT32_MAX;

static uint64_t counted_pages(const struct buddy_page *head)
{
	return head->dirty && head->order >= BUDDY_LARGE_ORDER ? (uint64_t)1 << head->order : 0;
}

static void list_in(struct buddy *b, uint32_t page, unsigned order, bool dirty)
{
	struct buddy_page *head = &b->pages[page];
	uint32_t next = b->heads[order];

	*head = (struct buddy_page){next, NONE, (uint8_t)order, true, dirty};
	if (next != NONE)
		b->pages[next].prev = page;
	b->heads[order] = page;
	b->dirty_pages += counted_pages(head);
}

static void list_out(struct buddy *b, uint32_t page)
{
	struct buddy_page *head = &b->pages[page];

	if (head->prev != NONE)
		b->pages[head->prev].next = head->next;
	else
		b->heads[head->order] = head->next;
	if (head->next != NONE)
		b->pages[head->next].prev = head->prev;
	head->free = false;
	b->dirty_pages -= counted_pages(head);
}

void buddy_init(struct buddy *b, struct buddy_page *pages, uint32_t page_count)
{
	assert(page_count % (1u << TOP_ORDER) == 0 && page_count < 1u << 31);
	*b = (struct buddy){.pages = pages, .page_count = page_count};
	for (unsigned order = 0; order < BUDDY_ORDERS; order++)
		b->heads[order] = NONE;
}

/* The smallest listed block that is large enough, or part of the never used; listed either way. */
static uint32_t find(struct buddy *b, unsigned order)
{
	uint32_t page = b->fresh;

	for (unsigned o = order; o < BUDDY_ORDERS; o++) {
		if (b->heads[o] != NONE)
			return b->heads[o];
	}
	if (page == b->page_count)
		return NONE;
	b->fresh += 1u << TOP_ORDER;
	list_in(b, page, TOP_ORDER, false);
	return page;
}

bool buddy_alloc(struct buddy *b, unsigned order, uint32_t *page)
{
	uint32_t found = find(b, order);
	unsigned o;
	bool dirty;

	if (found == NONE)
		return false;
	list_out(b, found);
	dirty = b->pages[found].dirty;
	for (o = b->pages[found].order; o > order;) {
		o--;
		list_in(b, found + (1u << o), o, dirty);
	}
	*page = found;
	return true;
}

void buddy_free(struct buddy *b, uint32_t page, unsigned order)
{
	assert(order < BUDDY_ORDERS && page < b->fresh && page % (1u << order) == 0);
	assert(!b->pages[page].free);
	for (; order < TOP_ORDER; order++) {
		uint32_t buddy = page ^ 1u << order;
		const struct buddy_page *head = &b->pages[buddy];

		if (!head->free || head->order != order)
			break;
		list_out(b, buddy);
		page &= ~(1u << order);
	}
	list_in(b, page, order, true);
}

bool buddy_take_dirty(struct buddy *b, uint32_t *page, unsigned *order)
{
	for (unsigned o = BUDDY_LARGE_ORDER; o < BUDDY_ORDERS; o++) {
		for (uint32_t p = b->heads[o]; p != NONE; p = b->pages[p].next) {
			if (!b->pages[p].dirty)
				continue;
			b->dirty_pages -= counted_pages(&b->pages[p]);
			b->pages[p].dirty = false;
			*page = p;
			*order = o;
			return true;
		}
	}
	return false;
}
