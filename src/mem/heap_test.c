/* SPDX-License-Identifier: MIT */
#include "mem/heap.h"
#include "base/rng.h"
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <cmocka.h>

enum { SMALL_COUNT = 16, SMALL_MAX_BYTES = HEAP_SMALL_ROOM - BUF_HEADROOM_BYTES };
static const size_t REGION_BYTES = (size_t)256 << 20;

static struct heap *new_heap(size_t region_bytes)
{
	struct heap *heap = NULL;

	assert_int_equal(heap_create(&heap, SMALL_COUNT, region_bytes), 0);
	return heap;
}

static void any_size_up_to_the_largest_is_given(void **state)
{
	struct heap *heap = new_heap(REGION_BYTES);

	(void)state;
	for (size_t bytes = 1; bytes <= HEAP_MAX_BYTES; bytes += 1 + bytes / 3) {
		struct buf *b = heap_alloc(heap, bytes);

		assert_non_null(b);
		assert_int_equal(b->len, bytes);
		assert_true(b->data >= b->base);
		assert_true(buf_headroom(b) + bytes <= b->room);
		assert_int_equal((uintptr_t)b->data % 64, 0);
		assert_int_equal(buf_headroom(b) >= BUF_HEADROOM_BYTES, bytes <= SMALL_MAX_BYTES);
		assert_true(buf_sole(b));
		assert_int_equal(b->flags, 0);
		memset(b->data, 0xee, bytes);
		buf_unref(b);
	}
	heap_destroy(heap);
}

static void the_limits_of_the_classes_are_exact(void **state)
{
	const size_t sizes[] = {
	    1,    SMALL_MAX_BYTES,    SMALL_MAX_BYTES + 1,    4096,          4097, 8192,
	    8193, HEAP_MAX_BYTES / 2, HEAP_MAX_BYTES / 2 + 1, HEAP_MAX_BYTES};
	const size_t rooms[] = {2048,           2048,          4096,  4096,
				8192,           8192,          16384, HEAP_MAX_BYTES / 2,
				HEAP_MAX_BYTES, HEAP_MAX_BYTES};
	struct heap *heap = new_heap(REGION_BYTES);

	(void)state;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		struct buf *b = heap_alloc(heap, sizes[i]);

		assert_int_equal(b->room, rooms[i]);
		buf_unref(b);
	}
	heap_destroy(heap);
}

static void nothing_and_too_much_are_null(void **state)
{
	struct heap *heap = new_heap(HEAP_MAX_BYTES);

	(void)state;
	assert_null(heap_alloc(heap, 0));
	assert_null(heap_alloc(heap, HEAP_MAX_BYTES + 1));
	assert_null(heap_alloc(heap, SIZE_MAX));
	heap_destroy(heap);
}

static void impossible_heaps_are_refused(void **state)
{
	struct heap *heap;

	(void)state;
	assert_int_equal(heap_create(&heap, 1, HEAP_MAX_BYTES / 2), -EINVAL);
	assert_int_equal(heap_create(&heap, 1, 3 * (size_t)HEAP_MAX_BYTES), -EINVAL);
	assert_int_equal(heap_create(&heap, 1, 2 * HEAP_REGION_MAX_BYTES), -EINVAL);
	assert_int_equal(heap_create(&heap, 0, HEAP_MAX_BYTES), -EINVAL);
	heap_destroy(NULL);
}

/* Takes blocks until there are none; they are chained through next. Returns how many. */
static unsigned take_all(struct heap *heap, size_t bytes, struct buf **chain)
{
	struct buf *b;
	unsigned n = 0;

	for (*chain = NULL; (b = heap_alloc(heap, bytes)) != NULL; n++) {
		b->next = *chain;
		*chain = b;
	}
	return n;
}

static void give_back_all(struct buf *chain)
{
	while (chain != NULL) {
		struct buf *next = chain->next;

		buf_unref(chain);
		chain = next;
	}
}

static void an_exhausted_heap_gives_null_and_recovers(void **state)
{
	const size_t region = 2 * (size_t)HEAP_MAX_BYTES;
	struct heap *heap = new_heap(region);
	struct buf *chain;

	(void)state;
	for (size_t bytes = HEAP_MAX_BYTES; bytes >= 4096; bytes /= 2) {
		assert_int_equal(take_all(heap, bytes, &chain), region / bytes);
		assert_null(heap_alloc(heap, bytes));
		give_back_all(chain);
	}
	/* The whole merges again, whatever it was cut into before. */
	assert_int_equal(take_all(heap, HEAP_MAX_BYTES, &chain), 2);
	give_back_all(chain);
	heap_destroy(heap);
}

static void small_messages_take_blocks_when_their_pool_is_empty(void **state)
{
	struct heap *heap = new_heap(HEAP_MAX_BYTES);
	struct buf *chain;

	(void)state;
	assert_int_equal(take_all(heap, 100, &chain), SMALL_COUNT + HEAP_MAX_BYTES / 4096);
	assert_int_equal(buf_headroom(chain), BUF_HEADROOM_BYTES);
	give_back_all(chain);
	heap_destroy(heap);
}

/* Of the pages from p on, how many cost memory. */
static size_t resident_bytes(uint8_t *p, size_t bytes)
{
	static unsigned char map[65536];
	size_t resident = 0;

	assert_true(bytes / 4096 <= sizeof(map));
	assert_int_equal(mincore(p, bytes, map), 0);
	for (size_t i = 0; i < bytes / 4096; i++)
		resident += (size_t)(map[i] & 1) * 4096;
	return resident;
}

static void idle_memory_beyond_the_limit_goes_back_to_the_kernel(void **state)
{
	struct heap *heap = new_heap(REGION_BYTES);
	uint8_t *region = (uint8_t *)UINTPTR_MAX;
	struct buf *chain;

	(void)state;
	assert_int_equal(take_all(heap, HEAP_MAX_BYTES, &chain), REGION_BYTES / HEAP_MAX_BYTES);
	for (struct buf *b = chain; b != NULL; b = b->next) {
		memset(b->base, 1, b->room);
		region = b->base < region ? b->base : region;
	}
	assert_int_equal(resident_bytes(region, REGION_BYTES), REGION_BYTES);
	give_back_all(chain);
	/* The largest size's own list holds two blocks. */
	assert_true(resident_bytes(region, REGION_BYTES) <=
		    HEAP_KEEP_BYTES + 2 * (size_t)HEAP_MAX_BYTES);
	assert_true(resident_bytes(region, REGION_BYTES) >= HEAP_KEEP_BYTES);
	heap_destroy(heap);
}

static void blocks_outlive_their_heap(void **state)
{
	const size_t sizes[] = {1, 3000, 70000, HEAP_MAX_BYTES};
	struct heap *heap = new_heap(REGION_BYTES);
	struct buf *bufs[4];

	(void)state;
	for (int i = 0; i < 4; i++)
		bufs[i] = heap_alloc(heap, sizes[i]);
	buf_unref(heap_alloc(heap, 3000));
	heap_destroy(heap);
	for (int i = 0; i < 4; i++)
		memset(bufs[i]->data, i, bufs[i]->len);
	for (int i = 0; i < 4; i++)
		pool_unref(bufs[i]);
}

static void *unref_in_thread(void *buf)
{
	pool_unref(buf);
	return NULL;
}

static void unref_elsewhere(struct buf *b)
{
	pthread_t thread;

	assert_int_equal(pthread_create(&thread, NULL, unref_in_thread, b), 0);
	pthread_join(thread, NULL);
}

static void other_threads_give_back_blocks_of_any_size(void **state)
{
	struct heap *heap = new_heap(HEAP_MAX_BYTES);
	struct buf *small = heap_alloc(heap, 1), *large;

	(void)state;
	unref_elsewhere(small);
	heap_collect(heap);
	assert_ptr_equal(heap_alloc(heap, 1), small);
	buf_unref(small);
	large = heap_alloc(heap, HEAP_MAX_BYTES);
	unref_elsewhere(large);
	assert_null(heap_alloc(heap, HEAP_MAX_BYTES));
	heap_collect(heap);
	large = heap_alloc(heap, HEAP_MAX_BYTES);
	assert_non_null(large);
	/* The last block of an orphan goes home from another thread. */
	heap_destroy(heap);
	unref_elsewhere(large);
}

/* Each message's bytes follow from a number in its mark. */
static void fill(struct buf *b, uint32_t mark)
{
	b->mark = mark;
	memset(b->data, (int)(mark * 167), b->len);
	memcpy(b->data, &mark, b->len < 4 ? b->len : 4);
}

static void check_filled(const struct buf *b)
{
	uint8_t expected = (uint8_t)(b->mark * 167);

	if (memcmp(b->data, &b->mark, b->len < 4 ? b->len : 4) != 0)
		fail_msg("message %u: its number has been overwritten", b->mark);
	for (uint32_t i = 4; i < b->len; i += 1 + i / 16) {
		if (b->data[i] != expected)
			fail_msg("message %u: byte %u of %u is wrong", b->mark, i, b->len);
	}
	if (b->len > 4)
		assert_int_equal(b->data[b->len - 1], expected);
}

static size_t random_bytes(struct rng *r)
{
	size_t top = (size_t)1 << rng_below(r, 25);

	return 1 + rng_below(r, top);
}

static void random_messages_keep_their_bytes(void **state)
{
	enum { HELD = 200, STEPS = 20000 };
	const char *given = getenv("SEED");
	const uint64_t key[2] = {given ? strtoull(given, NULL, 0) : (uint64_t)time(NULL), 1};
	struct heap *heap = new_heap(REGION_BYTES);
	struct buf *held[HELD] = {NULL};
	unsigned full = 0;
	struct rng r;

	(void)state;
	print_message("SEED=%llu\n", (unsigned long long)key[0]);
	rng_init(&r, key);
	for (uint32_t step = 0; step < STEPS; step++) {
		struct buf **slot = &held[rng_below(&r, HELD)];

		if (*slot != NULL) {
			check_filled(*slot);
			buf_unref(*slot);
			*slot = NULL;
			continue;
		}
		*slot = heap_alloc(heap, random_bytes(&r));
		if (*slot != NULL)
			fill(*slot, step);
		else
			full++;
	}
	for (int i = 0; i < HELD; i++) {
		if (held[i] == NULL)
			continue;
		check_filled(held[i]);
		if (i % 2)
			buf_unref(held[i]);
	}
	assert_true(full < STEPS / 4);
	heap_destroy(heap);
	for (int i = 0; i < HELD; i += 2) {
		if (held[i] != NULL) {
			check_filled(held[i]);
			pool_unref(held[i]);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(any_size_up_to_the_largest_is_given),
	    cmocka_unit_test(the_limits_of_the_classes_are_exact),
	    cmocka_unit_test(nothing_and_too_much_are_null),
	    cmocka_unit_test(impossible_heaps_are_refused),
	    cmocka_unit_test(an_exhausted_heap_gives_null_and_recovers),
	    cmocka_unit_test(small_messages_take_blocks_when_their_pool_is_empty),
	    cmocka_unit_test(idle_memory_beyond_the_limit_goes_back_to_the_kernel),
	    cmocka_unit_test(blocks_outlive_their_heap),
	    cmocka_unit_test(other_threads_give_back_blocks_of_any_size),
	    cmocka_unit_test(random_messages_keep_their_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
