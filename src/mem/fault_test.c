/* SPDX-License-Identifier: MIT */
#include "mem/fault.h"
#include "mem/heap.h"
#include "mem/pool.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static void only_the_nth_allocation_fails(void **state)
{
	(void)state;
	mem_fault_set(3);
	assert_false(mem_fault_hit());
	assert_false(mem_fault_hit());
	assert_true(mem_fault_hit());
	assert_false(mem_fault_hit());
	assert_true(mem_fault_clear());
	assert_false(mem_fault_hit());
}

static void clear_says_whether_it_struck(void **state)
{
	(void)state;
	assert_false(mem_fault_clear());
	mem_fault_set(2);
	assert_false(mem_fault_hit());
	assert_false(mem_fault_clear());
	assert_false(mem_fault_hit());
}

/* Gets, gives back and gets again: `n` allocations; returns how many failed. */
static int get_and_give_back(struct pool *pool, int n)
{
	int failed = 0;

	for (int i = 0; i < n; i++) {
		struct buf *b = pool_get(pool);

		if (b != NULL)
			buf_unref(b);
		else
			failed++;
	}
	return failed;
}

static void each_allocation_of_a_pool_can_be_made_to_fail(void **state)
{
	struct pool *pool;

	(void)state;
	assert_int_equal(pool_create(&pool, 4, 2048, 0, NULL), 0);
	for (uint64_t n = 1; n <= 5; n++) {
		mem_fault_set(n);
		assert_int_equal(get_and_give_back(pool, 5), 1);
		assert_true(mem_fault_clear());
		assert_int_equal(pool->free_count, 4);
	}
	mem_fault_set(6);
	assert_int_equal(get_and_give_back(pool, 5), 0);
	assert_false(mem_fault_clear());
	assert_int_equal(get_and_give_back(pool, 5), 0);
	pool_destroy(pool);
}

static void a_pool_keeps_all_its_buffers_through_a_fault(void **state)
{
	struct buf *bufs[4];
	struct pool *pool;

	(void)state;
	assert_int_equal(pool_create(&pool, 4, 2048, 0, NULL), 0);
	bufs[0] = pool_get(pool);
	mem_fault_set(100);
	for (int i = 1; i < 4; i++) {
		bufs[i] = pool_get(pool);
		assert_non_null(bufs[i]);
	}
	assert_null(pool_get(pool));
	buf_unref(bufs[0]);
	buf_unref(bufs[1]);
	mem_fault_clear();
	assert_non_null(bufs[0] = pool_get(pool));
	assert_non_null(bufs[1] = pool_get(pool));
	assert_null(pool_get(pool));
	for (int i = 0; i < 4; i++)
		buf_unref(bufs[i]);
	pool_destroy(pool);
}

static void pools_made_or_ended_during_a_fault_are_counted_too(void **state)
{
	struct pool *early, *late;

	(void)state;
	assert_int_equal(pool_create(&early, 4, 2048, 0, NULL), 0);
	mem_fault_set(3);
	assert_int_equal(pool_create(&late, 4, 2048, 0, NULL), 0);
	assert_int_equal(get_and_give_back(early, 1), 0);
	pool_destroy(early);
	assert_int_equal(get_and_give_back(late, 3), 1);
	assert_true(mem_fault_clear());
	assert_int_equal(late->free_count, 4);
	pool_destroy(late);
}

static void each_allocation_of_a_heap_can_be_made_to_fail(void **state)
{
	const size_t sizes[] = {1, 1000, 5000, 100000, HEAP_MAX_BYTES};
	struct heap *heap;

	(void)state;
	assert_int_equal(heap_create(&heap, 4, HEAP_MAX_BYTES), 0);
	for (uint64_t n = 1; n <= 6; n++) {
		mem_fault_set(n);
		for (uint64_t i = 0; i < 5; i++) {
			struct buf *b = heap_alloc(heap, sizes[i]);

			assert_int_equal(b == NULL, i + 1 == n);
			if (b != NULL)
				buf_unref(b);
		}
		assert_int_equal(mem_fault_clear(), n <= 5);
	}
	heap_destroy(heap);
}

static void *get_once(void *pool)
{
	return get_and_give_back(pool, 1) == 0 ? pool : NULL;
}

static void *use_pool_of_its_own(void *arg)
{
	struct pool *pool;
	void *result;

	(void)arg;
	if (pool_create(&pool, 1, 2048, 0, NULL) != 0)
		return NULL;
	result = get_once(pool);
	pool_destroy(pool);
	return result;
}

static void other_threads_are_left_alone(void **state)
{
	pthread_t thread;
	void *worked;

	(void)state;
	mem_fault_set(1);
	assert_int_equal(pthread_create(&thread, NULL, use_pool_of_its_own, NULL), 0);
	pthread_join(thread, &worked);
	assert_non_null(worked);
	assert_false(mem_fault_clear());
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(only_the_nth_allocation_fails),
	    cmocka_unit_test(clear_says_whether_it_struck),
	    cmocka_unit_test(each_allocation_of_a_pool_can_be_made_to_fail),
	    cmocka_unit_test(a_pool_keeps_all_its_buffers_through_a_fault),
	    cmocka_unit_test(pools_made_or_ended_during_a_fault_are_counted_too),
	    cmocka_unit_test(each_allocation_of_a_heap_can_be_made_to_fail),
	    cmocka_unit_test(other_threads_are_left_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
