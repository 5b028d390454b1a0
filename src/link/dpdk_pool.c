/* dpdk_pool.c - see dpdk_pool.h.
 *
 * Buffers at home lie in one place, the pool's free list, and the mempool's operations work on
 * that: so free_count, by which the stack knows that memory runs short, counts what drivers have at
 * home too, and what was sent last, and lies in the cache, is received into next.
 *
 * Source: DPDK programmer's guide (22.11), "Mempool Library", "Mempool Handlers".
 *
 * SPDX-License-Identifier: MIT
 */
#include "link/dpdk_pool.h"
#include "base/list.h"
#include <errno.h>
#include <rte_errno.h>
#include <stdlib.h>

#define HANDLER_NAME "demikernel"

struct dpdk_pool {
	struct pool pool;
	struct rte_mempool *mempool;
	uintptr_t owner; /* pool.owner, as the plug-in knows its threads */
	bool filled;     /* each mbuf has its header */
};

static struct dpdk_pool *dpdk_pool_of(struct pool *pool)
{
	return container_of(pool, struct dpdk_pool, pool);
}

struct rte_mempool *dpdk_mempool(struct pool *pool)
{
	return dpdk_pool_of(pool)->mempool;
}

static int handler_alloc(struct rte_mempool *mempool)
{
	mempool->pool_data = mempool->pool_config;
	return 0;
}

static void handler_free(struct rte_mempool *mempool)
{
	(void)mempool;
}

static void put_remotely(struct rte_mbuf *m)
{
	m->refcnt = 1;
	pool_remote_unref(buf_of_mbuf(m));
}

/* A driver's thread of its own (memif's, when its peer has gone) may not touch the list. */
static bool is_own(const struct dpdk_pool *p)
{
	return p->owner == thread_self();
}

static int handler_enqueue(struct rte_mempool *mempool, void *const *mbufs, unsigned n)
{
	struct dpdk_pool *p = mempool->pool_data;

	if (!p->filled) /* init_buffer() does it */
		return 0;
	for (unsigned i = 0; i < n; i++) {
		if (is_own(p))
			pool_release(buf_of_mbuf(mbufs[i]));
		else
			put_remotely(mbufs[i]);
	}
	return 0;
}

/* As drivers expect a fresh mbuf, whatever ours was used for. */
static struct rte_mbuf *get_one(struct pool *pool)
{
	struct buf *b = pool->free ? pool->free : pool_get_slow(pool);
	struct rte_mbuf *m;

	if (!b)
		return NULL;
	if (b == pool->free) {
		pool->free = b->next;
		pool->free_count--;
	}
	m = mbuf_of_buf(b);
	m->refcnt = 1;
	m->next = NULL;
	m->nb_segs = 1;
	return m;
}

static int handler_dequeue(struct rte_mempool *mempool, void **mbufs, unsigned n)
{
	struct dpdk_pool *p = mempool->pool_data;

	if (!is_own(p))
		return -ENOENT;
	for (unsigned i = 0; i < n; i++) {
		mbufs[i] = get_one(&p->pool);
		if (!mbufs[i]) {
			handler_enqueue(mempool, mbufs, i);
			return -ENOENT;
		}
	}
	return 0;
}

static unsigned handler_count(const struct rte_mempool *mempool)
{
	const struct dpdk_pool *p = mempool->pool_data;

	return p->pool.free_count;
}

static const struct rte_mempool_ops handler = {
    .name = HANDLER_NAME,
    .alloc = handler_alloc,
    .free = handler_free,
    .enqueue = handler_enqueue,
    .dequeue = handler_dequeue,
    .get_count = handler_count,
};

__attribute__((constructor)) static void register_handler(void)
{
	rte_mempool_register_ops(&handler);
}

static void gone(struct pool *pool)
{
	struct dpdk_pool *p = dpdk_pool_of(pool);

	rte_mempool_free(p->mempool);
	pool_fini(pool);
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
	pool_release(b);
}

/* An mbuf, its header, room. Without huge pages, paged ones take a page each; DPDK's AF_XDP driver
 * (22.11) tells the kernel of no more memory than they would take side by side, which drops frames
 * beyond that. NULL with rte_errno. */
static struct rte_mempool *fill(struct dpdk_pool *p, const char *name, uint32_t count,
				uint16_t room, int socket, bool paged)
{
	struct rte_pktmbuf_pool_private private = {.mbuf_data_room_size = room,
						   .mbuf_priv_size = sizeof(struct buf)};
	struct rte_mempool *mp = rte_mempool_create_empty(
	    name, count, sizeof(struct rte_mbuf) + sizeof(struct buf) + room, 0, sizeof(private),
	    socket, paged ? 0 : RTE_MEMPOOL_F_NO_IOVA_CONTIG);

	if (!mp)
		return NULL;
	rte_pktmbuf_pool_init(mp, &private);
	if (rte_mempool_set_ops_byname(mp, HANDLER_NAME, p) != 0 ||
	    rte_mempool_populate_default(mp) < (int)count) {
		rte_mempool_free(mp);
		rte_errno = ENOMEM;
		return NULL;
	}
	rte_mempool_obj_iter(mp, rte_pktmbuf_init, NULL);
	rte_mempool_obj_iter(mp, init_buffer, &p->pool);
	p->filled = true;
	return mp;
}

struct pool *dpdk_pool_create(const char *name, uint32_t count, uint16_t room, int socket,
			      bool paged)
{
	struct dpdk_pool *p = calloc(1, sizeof(*p));

	if (!p)
		return NULL;
	if (pool_init(&p->pool, RTE_PKTMBUF_HEADROOM, NULL, NULL, gone) < 0) {
		free(p);
		return NULL;
	}
	p->owner = thread_self();
	p->mempool = fill(p, name, count, room, socket, paged);
	if (!p->mempool) {
		pool_orphan(&p->pool, 0);
		return NULL;
	}
	p->pool.count = count;
	return &p->pool;
}

void dpdk_pool_adopt(struct pool *pool)
{
	dpdk_pool_of(pool)->owner = thread_self();
}

void dpdk_pool_end(struct pool *pool)
{
	if (pool)
		pool_orphan(pool, pool->count - pool->free_count);
}
