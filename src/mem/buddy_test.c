/* SPDX-License-Identifier: MIT */
#include "mem/buddy.h"
#include "base/rng.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <cmocka.h>

enum { TOP = BUDDY_ORDERS - 1, TOP_PAGES = 1 << TOP, REGIONS = 4, PAGES = REGIONS * TOP_PAGES };

static struct buddy_page pages[PAGES];
static struct buddy buddy;

static int fresh_buddy(void **state)
{
	(void)state;
	for (int i = 0; i < PAGES; i++)
		pages[i] = (struct buddy_page){0};
	buddy_init(&buddy, pages, PAGES);
	return 0;
}

static uint32_t take(unsigned order)
{
	uint32_t page;

	assert_true(buddy_alloc(&buddy, order, &page));
	assert_int_equal(page % (1u << order), 0);
	assert_true(page + (1u << order) <= PAGES);
	return page;
}

static void all_pages_can_be_taken_one_by_one_and_merge_again(void **state)
{
	uint32_t page;

	(void)state;
	for (int i = 0; i < PAGES; i++)
		assert_int_equal(take(0), i);
	assert_false(buddy_alloc(&buddy, 0, &page));
	for (uint32_t i = 0; i < PAGES; i++)
		buddy_free(&buddy, (i * 7919) % PAGES, 0);
	for (int i = 0; i < REGIONS; i++)
		take(TOP);
	assert_false(buddy_alloc(&buddy, 0, &page));
}

static void a_block_merges_with_its_buddy_only(void **state)
{
	uint32_t a = take(0), b = take(0), c = take(0), d = take(0);
	uint32_t page;

	(void)state;
	while (buddy_alloc(&buddy, 1, &page))
		;
	/* b and c are neighbours, but not halves of one block. */
	buddy_free(&buddy, b, 0);
	buddy_free(&buddy, c, 0);
	assert_false(buddy_alloc(&buddy, 1, &page));
	buddy_free(&buddy, a, 0);
	assert_int_equal(take(1), a);
	buddy_free(&buddy, d, 0);
	assert_int_equal(take(1), c);
}

static void used_memory_is_preferred_to_never_used(void **state)
{
	uint32_t a = take(3);

	(void)state;
	buddy_free(&buddy, a, 3);
	for (int i = 0; i < 100; i++) {
		take(3);
		assert_int_equal(buddy.fresh, TOP_PAGES);
	}
}

static void large_blocks_that_were_used_are_named_once(void **state)
{
	uint32_t a = take(TOP), b = take(BUDDY_LARGE_ORDER), page;
	unsigned order;

	(void)state;
	assert_int_equal(buddy.dirty_pages, 0);
	assert_false(buddy_take_dirty(&buddy, &page, &order));
	buddy_free(&buddy, a, TOP);
	assert_int_equal(buddy.dirty_pages, TOP_PAGES);
	assert_true(buddy_take_dirty(&buddy, &page, &order));
	assert_int_equal(page, a);
	assert_int_equal(order, TOP);
	assert_int_equal(buddy.dirty_pages, 0);
	assert_false(buddy_take_dirty(&buddy, &page, &order));
	/* The rest of b's block has never been used; merged with it the whole counts as dirty. */
	buddy_free(&buddy, b, BUDDY_LARGE_ORDER);
	assert_int_equal(buddy.dirty_pages, TOP_PAGES);
}

static void a_split_leaves_the_rest_dirty(void **state)
{
	uint32_t a = take(TOP);

	(void)state;
	buddy_free(&buddy, a, TOP);
	take(0);
	/* Halves down to BUDDY_LARGE_ORDER are counted, the rest below is not. */
	assert_int_equal(buddy.dirty_pages, TOP_PAGES - (1 << BUDDY_LARGE_ORDER));
}

/* What the lists hold must be what the dirty count says, and no page may be in two blocks. */
static void check_lists(const uint8_t *used)
{
	static uint8_t seen[PAGES];
	uint64_t dirty = 0;

	for (uint32_t p = 0; p < PAGES; p++)
		seen[p] = used[p];
	for (unsigned o = 0; o < BUDDY_ORDERS; o++) {
		for (uint32_t p = buddy.heads[o]; p != UINT32_MAX; p = pages[p].next) {
			for (uint32_t i = p; i < p + (1u << o); i++) {
				assert_int_equal(seen[i], 0);
				seen[i] = 1;
			}
			if (o >= BUDDY_LARGE_ORDER && pages[p].dirty)
				dirty += (uint64_t)1 << o;
		}
	}
	for (uint32_t p = 0; p < buddy.fresh; p++)
		assert_int_equal(seen[p], 1);
	assert_int_equal(dirty, buddy.dirty_pages);
}

static void random_use_loses_no_page_and_gives_none_twice(void **state)
{
	static struct {
		uint32_t page;
		unsigned order;
	} held[512];
	static uint8_t used[PAGES];
	const char *given = getenv("SEED");
	const uint64_t key[2] = {given ? strtoull(given, NULL, 0) : (uint64_t)time(NULL), 0};
	unsigned count = 0, order;
	uint32_t page;
	struct rng r;

	(void)state;
	print_message("SEED=%llu\n", (unsigned long long)key[0]);
	rng_init(&r, key);
	for (int step = 0; step < 50000; step++) {
		if (rng_below(&r, 2) && count < 512) {
			order = (unsigned)rng_below(&r, 1 + rng_below(&r, BUDDY_ORDERS));
			if (!buddy_alloc(&buddy, order, &page))
				continue;
			for (uint32_t p = page; p < page + (1u << order); p++) {
				assert_int_equal(used[p], 0);
				used[p] = 1;
			}
			held[count].page = page;
			held[count++].order = order;
		} else if (count > 0) {
			unsigned i = (unsigned)rng_below(&r, count);

			for (uint32_t p = 0; p < 1u << held[i].order; p++)
				used[held[i].page + p] = 0;
			buddy_free(&buddy, held[i].page, held[i].order);
			held[i] = held[--count];
		}
		if (step % 1000 == 0)
			buddy_take_dirty(&buddy, &page, &order);
		if (step % 500 == 0)
			check_lists(used);
	}
	while (count-- > 0)
		buddy_free(&buddy, held[count].page, held[count].order);
	for (int i = 0; i < REGIONS; i++)
		take(TOP);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup(all_pages_can_be_taken_one_by_one_and_merge_again, fresh_buddy),
	    cmocka_unit_test_setup(a_block_merges_with_its_buddy_only, fresh_buddy),
	    cmocka_unit_test_setup(used_memory_is_preferred_to_never_used, fresh_buddy),
	    cmocka_unit_test_setup(large_blocks_that_were_used_are_named_once, fresh_buddy),
	    cmocka_unit_test_setup(a_split_leaves_the_rest_dirty, fresh_buddy),
	    cmocka_unit_test_setup(random_use_loses_no_page_and_gives_none_twice, fresh_buddy),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
