/* pool.c - the slow side of pools: making and ending them, other threads, faults on purpose.
 *
 * SPDX-License-Identifier: MIT
 */
#include "mem/pool.h"
#include "base/log.h"
#include "mem/map.h"
#include <errno.h>
#include <stdlib.h>

enum { REMOTE_FIRST = 64 }; /* references that can be noted before the array first grows */

void pool_release(struct buf *b)
{
	struct pool *pool = b->pool;

	if (__builtin_expect(pool->release != NULL, 0)) {
		pool->release(pool, b);
		return;
	}
	b->next = pool->free;
	pool->free = b;
	pool->free_count++;
}

struct buf *pool_get_slow(struct pool *pool)
{
	if (pool->refill == NULL || !pool->refill(pool)) {
		pool->empty++;
		return NULL;
	}
	return pool_get(pool);
}

/* While a fault is set a pool looks empty: what is free is held back, and comes out one by one. */

static void hold_back(struct pool *pool)
{
	struct buf *b;

	while ((b = pool->free) != NULL) {
		pool->free = b->next;
		b->next = pool->held_back;
		pool->held_back = b;
	}
}

static void slow_release(struct pool *pool, struct buf *b)
{
	if (pool->fast_release != NULL) {
		pool->fast_release(pool, b);
	} else {
		b->next = pool->free;
		pool->free = b;
		pool->free_count++;
	}
	hold_back(pool);
}

static bool slow_refill(struct pool *pool)
{
	struct buf *b;

	if (mem_fault_hit())
		return false;
	if (pool->held_back == NULL && pool->fast_refill != NULL && pool->fast_refill(pool))
		hold_back(pool);
	b = pool->held_back;
	if (b == NULL)
		return false;
	pool->held_back = b->next;
	b->next = NULL;
	pool->free = b;
	return true;
}

static void set_fault(struct mem_fault_point *point, bool slow)
{
	struct pool *pool = container_of(point, struct pool, fault);

	if (slow) {
		pool->fast_release = pool->release;
		pool->fast_refill = pool->refill;
		hold_back(pool);
		pool->release = slow_release;
		pool->refill = slow_refill;
	} else {
		/* Its owner may have set another since. */
		if (pool->release == slow_release)
			pool->release = pool->fast_release;
		pool->refill = pool->fast_refill;
		pool->free = pool->held_back;
		pool->held_back = NULL;
	}
}

static int init(struct pool *pool, uint32_t headroom)
{
	*pool = (struct pool){.headroom = headroom, .fault = {.set = set_fault}};
	if (pthread_mutex_init(&pool->remote_lock, NULL) != 0)
		return -ENOMEM;
	atomic_store(&pool->owner, thread_self());
	return 0;
}

int pool_init(struct pool *pool, uint32_t headroom, void (*release)(struct pool *, struct buf *),
	      bool (*refill)(struct pool *), void (*gone)(struct pool *))
{
	int err = init(pool, headroom);

	if (err != 0)
		return err;
	pool->release = release;
	pool->refill = refill;
	pool->gone = gone;
	mem_fault_register(&pool->fault);
	return 0;
}

static void add_buf(struct pool *pool, struct buf *b, uint8_t *base, uint32_t room)
{
	b->base = base;
	b->room = room;
	b->refs = &b->own_refs;
	b->pool = pool;
	b->next = pool->free;
	pool->free = b;
}

/* From the last to the first, so that the first is handed out first. */
static void add_bufs(struct pool *pool, uint8_t *rooms, uint32_t room)
{
	for (uint32_t i = pool->count; i-- > 0;)
		add_buf(pool, &pool->bufs[i], rooms + (size_t)i * room, room);
	pool->free_count = pool->count;
}

int pool_create(struct pool **out, uint32_t count, uint32_t room, uint32_t headroom, uint8_t *rooms)
{
	struct pool *pool;

	if (count == 0 || room == 0 || room % 64 != 0 || headroom >= room)
		return -EINVAL;
	pool = calloc(1, sizeof(*pool));
	if (pool == NULL)
		return -ENOMEM;
	if (init(pool, headroom) != 0)
		goto free_memory;
	pool->gone = pool_free;
	pool->count = count;
	pool->bufs = map_memory((size_t)count * sizeof(struct buf), &pool->bufs_bytes);
	if (pool->bufs == NULL)
		goto free_pool;
	if (rooms == NULL) {
		rooms = pool->rooms = map_memory((size_t)count * room, &pool->rooms_bytes);
		if (rooms == NULL)
			goto free_pool;
	}
	add_bufs(pool, rooms, room);
	mem_fault_register(&pool->fault);
	*out = pool;
	return 0;

free_pool:
	pool_free(pool);
	return -ENOMEM;
free_memory:
	free(pool);
	return -ENOMEM;
}

void pool_fini(struct pool *pool)
{
	free(pool->remote_notes);
	pthread_mutex_destroy(&pool->remote_lock);
}

void pool_free(struct pool *pool)
{
	map_free(pool->rooms, pool->rooms_bytes);
	map_free(pool->bufs, pool->bufs_bytes);
	pool_fini(pool);
	free(pool);
}

/* The release function of an orphan. */
static void count_home(struct pool *pool, struct buf *b)
{
	bool last;

	(void)b;
	pthread_mutex_lock(&pool->remote_lock);
	last = --pool->out == 0;
	pthread_mutex_unlock(&pool->remote_lock);
	if (last)
		pool->gone(pool);
}

int pool_refuse(void)
{
	log_error_rarely("demi_sgafree: this message was given back before: each is given back "
			 "once");
	return -EINVAL;
}

/* Has the one who noted it a reference? */
static bool is_true(const struct pool_note *note)
{
	return !note->held || buf_let_go(note->buf);
}

void pool_orphan(struct pool *pool, uint32_t out)
{
	bool last, refused = false;

	mem_fault_unregister(&pool->fault);
	pthread_mutex_lock(&pool->remote_lock);
	pool->out = out;
	for (uint32_t i = 0; i < pool->remote_count; i++) {
		if (is_true(&pool->remote_notes[i]))
			pool->out -= --*pool->remote_notes[i].buf->refs == 0;
		else
			refused = true;
	}
	pool->remote_count = 0;
	pool->release = count_home;
	pool->orphan = true;
	atomic_store_explicit(&pool->owner, 0, memory_order_relaxed);
	last = pool->out == 0;
	pthread_mutex_unlock(&pool->remote_lock);
	if (refused)
		pool_refuse();
	if (last)
		pool->gone(pool);
}

void pool_destroy(struct pool *pool)
{
	if (pool != NULL)
		pool_orphan(pool, pool->count - pool->free_count);
}

/* Room for one more note. Under the lock. */
static bool grow_remote(struct pool *pool)
{
	uint32_t cap = pool->remote_cap == 0 ? REMOTE_FIRST : 2 * pool->remote_cap;
	struct pool_note *notes;

	if (pool->remote_count < pool->remote_cap)
		return true;
	notes = mem_fault_hit() ? NULL : realloc(pool->remote_notes, cap * sizeof(*notes));
	if (notes == NULL)
		return false;
	pool->remote_notes = notes;
	pool->remote_cap = cap;
	return true;
}

/* An orphan's references are counted by whoever has the lock. */
static int drop_remotely(struct buf *b, bool held)
{
	struct pool *pool = b->pool;
	bool noted = true, home = false, refused = false;

	pthread_mutex_lock(&pool->remote_lock);
	if (pool->orphan) {
		refused = held && !buf_let_go(b);
		home = !refused && --*b->refs == 0;
	} else {
		noted = grow_remote(pool);
		if (noted)
			pool->remote_notes[pool->remote_count++] = (struct pool_note){b, held};
	}
	pthread_mutex_unlock(&pool->remote_lock);
	if (home)
		pool->release(pool, b);
	if (!noted)
		log_error_rarely("no memory to give a buffer back to its thread: it is lost");
	return refused ? pool_refuse() : 0;
}

void pool_remote_unref(struct buf *b)
{
	drop_remotely(b, false);
}

int pool_remote_give_back(struct buf *b)
{
	return drop_remotely(b, true);
}

void pool_collect_noted(struct pool *pool)
{
	bool refused = false;

	pthread_mutex_lock(&pool->remote_lock);
	for (uint32_t i = 0; i < pool->remote_count; i++) {
		if (is_true(&pool->remote_notes[i]))
			buf_unref(pool->remote_notes[i].buf);
		else
			refused = true;
	}
	pool->remote_count = 0;
	pthread_mutex_unlock(&pool->remote_lock);
	if (refused)
		pool_refuse();
}
