/* dpdk_host.c - functions of the library's under their own names, for the plug-in: it has no copy
 * of them, whose lists and thread marks would be others than those that the library looks at.
 *
 * SPDX-License-Identifier: MIT
 */
#include "base/log.h"
#include "link/dpdk.h"

static const struct dpdk_host *host;

void dpdk_set_host(const struct dpdk_host *h)
{
	host = h;
	log_set_sink(h->log_line);
}

int pool_init(struct pool *pool, uint32_t headroom, void (*release)(struct pool *, struct buf *),
	      bool (*refill)(struct pool *), void (*gone)(struct pool *))
{
	return host->pool_init(pool, headroom, release, refill, gone);
}

void pool_orphan(struct pool *pool, uint32_t out)
{
	host->pool_orphan(pool, out);
}

void pool_fini(struct pool *pool)
{
	host->pool_fini(pool);
}

void pool_release(struct buf *b)
{
	host->pool_release(b);
}

struct buf *pool_get_slow(struct pool *pool)
{
	return host->pool_get_slow(pool);
}

void pool_remote_unref(struct buf *b)
{
	host->pool_remote_unref(b);
}

struct buf *heap_alloc(struct heap *heap, size_t bytes)
{
	return host->heap_alloc(heap, bytes);
}

uint8_t *heap_pin(struct heap *heap, size_t *bytes)
{
	return host->heap_pin(heap, bytes);
}
