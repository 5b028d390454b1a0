/* SPDX-License-Identifier: MIT */
#include "mem/pool.h"
#include "base/log.h"
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

enum { ROOM = 2048, COUNT = 8 };

static struct pool *new_pool(uint32_t count)
{
	struct pool *pool = NULL;

	assert_int_equal(pool_create(&pool, count, ROOM, BUF_HEADROOM_BYTES, NULL), 0);
	return pool;
}

/* pool_free(), observed. */
static int pools_gone;

static void note_gone(struct pool *pool)
{
	pools_gone++;
	pool_free(pool);
}

static struct pool *new_watched_pool(uint32_t count)
{
	struct pool *pool = new_pool(count);

	pools_gone = 0;
	pool->gone = note_gone;
	return pool;
}

static void a_fresh_buffer_is_empty_with_its_headroom(void **state)
{
	struct pool *pool = new_pool(COUNT);
	struct buf *b = pool_get(pool);

	(void)state;
	assert_non_null(b);
	assert_int_equal(b->len, 0);
	assert_int_equal(b->room, ROOM);
	assert_int_equal(buf_headroom(b), BUF_HEADROOM_BYTES);
	assert_int_equal(buf_tailroom(b), ROOM - BUF_HEADROOM_BYTES);
	assert_int_equal((uintptr_t)b->data % 64, 0);
	assert_true(buf_sole(b));
	assert_null(b->next);
	assert_ptr_equal(b->pool, pool);
	b->data += 7;
	b->len = 9;
	b->flags = BUF_CSUM_OK;
	buf_unref(b);
	b = pool_get(pool);
	assert_int_equal(b->len, 0);
	assert_int_equal(b->flags, 0);
	assert_int_equal(buf_headroom(b), BUF_HEADROOM_BYTES);
	buf_unref(b);
	pool_destroy(pool);
}

static void rooms_do_not_overlap(void **state)
{
	struct pool *pool = new_pool(COUNT);
	struct buf *bufs[COUNT];

	(void)state;
	for (int i = 0; i < COUNT; i++) {
		bufs[i] = pool_get(pool);
		memset(bufs[i]->base, i + 1, bufs[i]->room);
	}
	for (int i = 0; i < COUNT; i++) {
		for (uint32_t j = 0; j < bufs[i]->room; j++)
			assert_int_equal(bufs[i]->base[j], i + 1);
		buf_unref(bufs[i]);
	}
	pool_destroy(pool);
}

static void an_empty_pool_gives_null_and_counts_it(void **state)
{
	struct pool *pool = new_pool(2);
	struct buf *a = pool_get(pool), *b = pool_get(pool);

	(void)state;
	assert_non_null(a);
	assert_non_null(b);
	assert_null(pool_get(pool));
	assert_int_equal(pool->empty, 1);
	assert_int_equal(pool->free_count, 0);
	buf_unref(b);
	assert_int_equal(pool->free_count, 1);
	assert_ptr_equal(pool_get(pool), b);
	buf_unref(a);
	buf_unref(b);
	pool_destroy(pool);
}

static void a_buffer_comes_home_with_its_last_reference(void **state)
{
	struct pool *pool = new_pool(1);
	struct buf *b = pool_get(pool);

	(void)state;
	assert_ptr_equal(buf_ref(b), b);
	assert_false(buf_sole(b));
	buf_unref(b);
	assert_true(buf_sole(b));
	assert_null(pool_get(pool));
	buf_unref(b);
	assert_int_equal(pool->free_count, 1);
	pool_destroy(pool);
}

static void a_reference_may_be_dropped_in_line(void **state)
{
	struct pool *pool = new_watched_pool(1);
	struct buf *b = buf_ref(pool_get(pool));

	(void)state;
	pool_put(b);
	assert_true(buf_sole(b));
	assert_null(pool_get(pool));
	pool_put(b);
	assert_int_equal(pool->free_count, 1);
	assert_ptr_equal(pool_get(pool), b);
	pool_destroy(pool);
	pool_put(b); /* of an orphan */
	assert_int_equal(pools_gone, 1);
}

static void a_buffer_with_very_many_references_is_crowded(void **state)
{
	struct pool *pool = new_pool(1);
	struct buf *b = pool_get(pool);

	(void)state;
	for (int i = 1; i < BUF_CALL_REFS_MAX; i++) {
		assert_false(buf_crowded(b));
		buf_ref(b);
	}
	assert_true(buf_crowded(b));
	buf_unref(b);
	assert_false(buf_crowded(b));
	for (int i = 1; i < BUF_CALL_REFS_MAX; i++)
		buf_unref(b);
	assert_int_equal(pool->free_count, 1);
	pool_destroy(pool);
}

static void rooms_may_be_the_callers(void **state)
{
	static _Alignas(64) uint8_t rooms[2 * ROOM];
	struct pool *pool;
	struct buf *b;

	(void)state;
	assert_int_equal(pool_create(&pool, 2, ROOM, 0, rooms), 0);
	b = pool_get(pool);
	assert_ptr_equal(b->data, rooms);
	buf_unref(b);
	pool_destroy(pool);
	rooms[0] = 1;
}

static void impossible_pools_are_refused(void **state)
{
	struct pool *pool;

	(void)state;
	assert_int_equal(pool_create(&pool, 0, ROOM, 0, NULL), -EINVAL);
	assert_int_equal(pool_create(&pool, 1, 0, 0, NULL), -EINVAL);
	assert_int_equal(pool_create(&pool, 1, 100, 0, NULL), -EINVAL);
	assert_int_equal(pool_create(&pool, 1, ROOM, ROOM, NULL), -EINVAL);
	assert_int_equal(pool_create(&pool, UINT32_MAX, UINT32_MAX - 63, 0, NULL), -ENOMEM);
	pool_destroy(NULL);
}

static void a_pool_without_buffers_out_is_gone_at_once(void **state)
{
	struct pool *pool = new_watched_pool(COUNT);

	(void)state;
	buf_unref(pool_get(pool));
	pool_destroy(pool);
	assert_int_equal(pools_gone, 1);
}

static void an_orphan_goes_with_its_last_buffer(void **state)
{
	struct pool *pool = new_watched_pool(COUNT);
	struct buf *a = pool_get(pool), *b = pool_get(pool);

	(void)state;
	buf_ref(b);
	pool_destroy(pool);
	assert_int_equal(pools_gone, 0);
	memset(a->base, 1, a->room);
	buf_unref(a);
	pool_unref(b);
	assert_int_equal(pools_gone, 0);
	memset(b->base, 1, b->room);
	pool_unref(b);
	assert_int_equal(pools_gone, 1);
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

static void another_threads_unref_waits_for_collect(void **state)
{
	struct pool *pool = new_pool(1);
	struct buf *b = pool_get(pool);

	(void)state;
	buf_ref(b);
	unref_elsewhere(b);
	assert_false(buf_sole(b));
	pool_collect(pool);
	assert_true(buf_sole(b));
	unref_elsewhere(b);
	assert_null(pool_get(pool));
	pool_collect(pool);
	assert_ptr_equal(pool_get(pool), b);
	/* In the pool's own thread it is done at once. */
	pool_unref(b);
	assert_int_equal(pool->free_count, 1);
	pool_destroy(pool);
}

static int lines_logged;

static void count_line(int level, const char *line)
{
	(void)line;
	lines_logged += level == LOG_LEVEL_ERROR;
}

static void *give_back_in_thread(void *buf)
{
	return (void *)(intptr_t)pool_give_back(buf);
}

static int give_back_elsewhere(struct buf *b)
{
	pthread_t thread;
	void *rc;

	assert_int_equal(pthread_create(&thread, NULL, give_back_in_thread, b), 0);
	pthread_join(thread, &rc);
	return (int)(intptr_t)rc;
}

/* What another thread gives back too often shows when it is collected. */
static void a_program_gives_back_no_more_than_it_has(void **state)
{
	struct pool *pool = new_pool(1);
	struct buf *b = pool_get(pool);

	(void)state;
	lines_logged = 0;
	log_set_sink(count_line);
	buf_hold(b);
	buf_hold(buf_ref(b));
	buf_ref(b); /* not the program's */
	for (int i = 0; i < 4; i++)
		assert_int_equal(give_back_elsewhere(b), 0);
	assert_int_equal(lines_logged, 0);
	pool_collect(pool);
	assert_int_equal(lines_logged, 1);
	assert_true(buf_sole(b));
	assert_int_equal(pool_give_back(b), -EINVAL);
	assert_true(buf_sole(b));
	buf_unref(b);
	assert_int_equal(pool_give_back(b), -EINVAL);
	log_set_sink(NULL);
	pool_destroy(pool);
}

static void a_program_gives_back_no_more_than_it_has_to_an_orphan(void **state)
{
	struct pool *pool = new_watched_pool(3);
	struct buf *a = pool_get(pool), *b = pool_get(pool), *c = pool_get(pool);

	(void)state;
	log_set_sink(count_line);
	buf_hold(a);
	buf_hold(b);
	buf_hold(c);
	/* Noted before, and counted when the pool becomes one. */
	assert_int_equal(give_back_elsewhere(a), 0);
	assert_int_equal(give_back_elsewhere(a), 0);
	pool_destroy(pool);
	assert_int_equal(give_back_elsewhere(a), -EINVAL);
	assert_int_equal(give_back_elsewhere(b), 0);
	assert_int_equal(pool_give_back(b), -EINVAL);
	assert_int_equal(pools_gone, 0);
	assert_int_equal(pool_give_back(c), 0);
	log_set_sink(NULL);
	assert_int_equal(pools_gone, 1);
}

static void sgas_without_number_are_not_counted_but_may_be_given_back(void **state)
{
	struct pool *pool = new_pool(1);
	struct buf *b = pool_get(pool);

	(void)state;
	buf_hold(b);
	for (int i = 1; i < BUF_CALL_REFS_MAX; i++)
		buf_hold(buf_ref(b));
	for (int i = 0; i < BUF_CALL_REFS_MAX; i++)
		assert_int_equal(pool_give_back(b), 0);
	assert_int_equal(pool->free_count, 1);
	b = pool_get(pool);
	assert_false(buf_held(b));
	buf_unref(b);
	pool_destroy(pool);
}

static void another_threads_unref_of_an_orphan_is_done_at_once(void **state)
{
	struct pool *pool = new_watched_pool(2);
	struct buf *a = pool_get(pool), *b = pool_get(pool);

	(void)state;
	pool_destroy(pool);
	unref_elsewhere(a);
	assert_int_equal(pools_gone, 0);
	unref_elsewhere(b);
	assert_int_equal(pools_gone, 1);
}

static void destroy_carries_out_what_was_noted(void **state)
{
	struct pool *pool = new_watched_pool(2);
	struct buf *a = pool_get(pool), *b = pool_get(pool);

	(void)state;
	unref_elsewhere(a);
	unref_elsewhere(b);
	pool_destroy(pool);
	assert_int_equal(pools_gone, 1);
}

static void the_notes_of_other_threads_grow(void **state)
{
	struct pool *pool = new_pool(1000);

	(void)state;
	for (int i = 0; i < 1000; i++)
		pool_remote_unref(pool_get(pool));
	assert_null(pool_get(pool));
	pool_collect(pool);
	assert_int_equal(pool->free_count, 1000);
	pool_destroy(pool);
}

static void a_note_that_finds_no_memory_loses_one_buffer_and_says_so(void **state)
{
	struct pool *pool = new_watched_pool(2);
	struct buf *a = pool_get(pool), *b = pool_get(pool);

	(void)state;
	lines_logged = 0;
	log_set_sink(count_line);
	mem_fault_set(1);
	pool_remote_unref(a);
	assert_true(mem_fault_clear());
	log_set_sink(NULL);
	assert_int_equal(lines_logged, 1);
	pool_remote_unref(b);
	pool_collect(pool);
	assert_int_equal(pool->free_count, 1);
	buf_unref(a);
	pool_destroy(pool);
	assert_int_equal(pools_gone, 1);
}

/* A device's pool: buffers that are made when asked for. */
struct device_pool {
	struct pool pool;
	struct buf buf;
	uint8_t room[64];
	int released;
	bool gone;
};

static void device_release(struct pool *pool, struct buf *b)
{
	(void)b;
	((struct device_pool *)pool)->released++;
}

static bool device_refill(struct pool *pool)
{
	struct device_pool *d = (struct device_pool *)pool;

	d->buf = (struct buf){
	    .base = d->room, .room = sizeof(d->room), .refs = &d->buf.own_refs, .pool = pool};
	pool->free = &d->buf;
	pool->free_count++;
	return d->released % 2 == 0;
}

static void device_gone(struct pool *pool)
{
	((struct device_pool *)pool)->gone = true;
	pool_fini(pool);
}

static void a_device_may_have_functions_of_its_own(void **state)
{
	struct device_pool d = {.released = 0};
	struct buf *b;

	(void)state;
	assert_int_equal(pool_init(&d.pool, 16, device_release, device_refill, device_gone), 0);
	b = pool_get(&d.pool);
	assert_ptr_equal(b, &d.buf);
	assert_int_equal(buf_headroom(b), 16);
	buf_unref(b);
	assert_int_equal(d.released, 1);
	pool_orphan(&d.pool, 0);
	assert_true(d.gone);
}

static void an_orphaned_device_pool_counts_its_buffers_home(void **state)
{
	struct device_pool d = {.released = 0};
	struct buf *b;

	(void)state;
	assert_int_equal(pool_init(&d.pool, 0, device_release, device_refill, device_gone), 0);
	b = pool_get(&d.pool);
	pool_orphan(&d.pool, 1);
	assert_false(d.gone);
	buf_unref(b);
	assert_int_equal(d.released, 0);
	assert_true(d.gone);
}

/* One thread makes buffers, others read and give them back while it goes on, and one after it has
 * ended the pool. */
enum { TRADERS = 3, TRADES = 20000, RING = 64 };

static struct ring {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	struct buf *bufs[RING];
	unsigned count;
	bool end;
} ring = {.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};

static void ring_put(struct buf *b)
{
	pthread_mutex_lock(&ring.lock);
	while (ring.count == RING)
		pthread_cond_wait(&ring.changed, &ring.lock);
	ring.bufs[ring.count++] = b;
	pthread_cond_broadcast(&ring.changed);
	pthread_mutex_unlock(&ring.lock);
}

static struct buf *ring_get(void)
{
	struct buf *b = NULL;

	pthread_mutex_lock(&ring.lock);
	while (ring.count == 0 && !ring.end)
		pthread_cond_wait(&ring.changed, &ring.lock);
	if (ring.count > 0)
		b = ring.bufs[--ring.count];
	pthread_cond_broadcast(&ring.changed);
	pthread_mutex_unlock(&ring.lock);
	return b;
}

static void *trade(void *arg)
{
	uintptr_t wrong = 0;
	struct buf *b;

	(void)arg;
	while ((b = ring_get()) != NULL) {
		for (uint32_t i = 1; i < 64; i++)
			wrong += b->data[i] != b->data[0];
		pool_unref(b);
	}
	return (void *)wrong;
}

static void threads_may_give_back_while_the_owner_goes_on_and_ends(void **state)
{
	struct pool *pool = new_watched_pool(2 * RING);
	pthread_t threads[TRADERS];
	void *wrong;

	(void)state;
	for (int i = 0; i < TRADERS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, trade, NULL), 0);
	for (int i = 0; i < TRADES;) {
		struct buf *b = pool_get(pool);

		if (b != NULL) {
			memset(b->data, i++, 64);
			ring_put(b);
		}
		pool_collect(pool);
	}
	pool_destroy(pool);
	pthread_mutex_lock(&ring.lock);
	ring.end = true;
	pthread_cond_broadcast(&ring.changed);
	pthread_mutex_unlock(&ring.lock);
	for (int i = 0; i < TRADERS; i++) {
		pthread_join(threads[i], &wrong);
		assert_null(wrong);
	}
	assert_int_equal(pools_gone, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_fresh_buffer_is_empty_with_its_headroom),
	    cmocka_unit_test(rooms_do_not_overlap),
	    cmocka_unit_test(an_empty_pool_gives_null_and_counts_it),
	    cmocka_unit_test(a_buffer_comes_home_with_its_last_reference),
	    cmocka_unit_test(a_reference_may_be_dropped_in_line),
	    cmocka_unit_test(a_buffer_with_very_many_references_is_crowded),
	    cmocka_unit_test(rooms_may_be_the_callers),
	    cmocka_unit_test(impossible_pools_are_refused),
	    cmocka_unit_test(a_pool_without_buffers_out_is_gone_at_once),
	    cmocka_unit_test(an_orphan_goes_with_its_last_buffer),
	    cmocka_unit_test(another_threads_unref_waits_for_collect),
	    cmocka_unit_test(a_program_gives_back_no_more_than_it_has),
	    cmocka_unit_test(a_program_gives_back_no_more_than_it_has_to_an_orphan),
	    cmocka_unit_test(sgas_without_number_are_not_counted_but_may_be_given_back),
	    cmocka_unit_test(another_threads_unref_of_an_orphan_is_done_at_once),
	    cmocka_unit_test(destroy_carries_out_what_was_noted),
	    cmocka_unit_test(the_notes_of_other_threads_grow),
	    cmocka_unit_test(a_note_that_finds_no_memory_loses_one_buffer_and_says_so),
	    cmocka_unit_test(a_device_may_have_functions_of_its_own),
	    cmocka_unit_test(an_orphaned_device_pool_counts_its_buffers_home),
	    cmocka_unit_test(threads_may_give_back_while_the_owner_goes_on_and_ends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
