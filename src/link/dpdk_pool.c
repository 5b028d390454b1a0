/* dpdk_pool.c - see dpdk_pool.h.
 *
 * Buffers at home lie in the mempool, where drivers take theirs too; the pool's own free list holds
 * only what a refill has brought and was not handed out yet.
 *
 * SPDX-License-Identifier: MIT
 */
#include "link/dpdk_pool.h"
#include "base/list.h"
#include <stdlib.h>

enum {
	CACHE_BUFFERS = 256, /* of each lcore's in the mempool */
	REFILL_BUFFERS = 32,
};

struct dpdk_pool {
	struct pool pool;
	struct rte_mempool *mempool;
};

static struct dpdk_pool *dpdk_pool_of(struct pool *pool)
{
	return container_of(pool, struct dpdk_pool, pool);
}

struct rte_mempool *dpdk_mempool(struct pool *pool)
{
	return dpdk_pool_of(pool)->mempool;
}

/* An mbuf goes home with a count of 1, as rte_mbuf_raw_free() wants it. */
static void release(struct pool *pool, struct buf *b)
{
	struct rte_mbuf *m = mbuf_of_buf(b);

	(void)pool;
	m->refcnt = 1;
	m->next = NULL;
	m->nb_segs = 1;
	rte_mbuf_raw_free(m);
}

static bool refill(struct pool *pool)
{
	struct rte_mbuf *m[REFILL_BUFFERS];

	if (rte_pktmbuf_alloc_bulk(dpdk_pool_of(pool)->mempool, m, REFILL_BUFFERS) != 0)
		return false;
	for (unsigned i = 0; i < REFILL_BUFFERS; i++) {
		struct buf *b = buf_of_mbuf(m[i]);

		b->next = pool->free;
		pool->free = b;
	}
	pool->free_count += REFILL_BUFFERS;
	return true;
}

static void gone(struct pool *pool)
{
	struct dpdk_pool *p = dpdk_pool_of(pool);

	pool_fini(pool);
	rte_mempool_free(p->mempool);
	free(p);
}

/* What never changes in a buffer's header. */
static void init_buffer(struct rte_mempool *mempool, void *pool, void *mbuf, unsigned index)
{
	struct rte_mbuf *m = mbuf;
	struct buf *b = buf_of_mbuf(m);

	(void)mempool;
	(void)index;
	*b = (struct buf){
	    .base = m->buf_addr,
	    .data = m->buf_addr,
	    .room = m->buf_len,
	    .refs = &m->refcnt,
	    .pool = pool,
	};
}

struct pool *dpdk_pool_create(const char *name, uint32_t count, uint16_t room, int socket)
{
	struct dpdk_pool *p = calloc(1, sizeof(*p));

	if (!p)
		return NULL;
	if (pool_init(&p->pool, RTE_PKTMBUF_HEADROOM, release, refill, gone) < 0)
		goto free_pool;
	p->mempool =
	    rte_pktmbuf_pool_create(name, count, CACHE_BUFFERS, sizeof(struct buf), room, socket);
	if (!p->mempool)
		goto fini_pool;
	p->pool.count = count;
	rte_mempool_obj_iter(p->mempool, init_buffer, &p->pool);
	return &p->pool;

fini_pool:
	pool_fini(&p->pool);
free_pool:
	free(p);
	return NULL;
}

void dpdk_pool_end(struct pool *pool)
{
	if (!pool)
		return;
	while (pool->free) {
		struct buf *b = pool->free;

		pool->free = b->next;
		pool->free_count--;
		release(pool, b);
	}
	pool_orphan(pool, rte_mempool_in_use_count(dpdk_mempool(pool)));
}
