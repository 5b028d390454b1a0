/* dpdk_pool.h - a mempool as a pool of buffers. Part of the plug-in.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef LINK_DPDK_POOL_H
#define LINK_DPDK_POOL_H

#include "mem/pool.h"
#include <rte_mbuf.h>

/* Makes the mempool and the pool that stands on it: `count` buffers with `room` bytes each,
 * headroom included. `paged`: none of them crosses a page's end, as a device needs it that reads by
 * physical addresses. NULL: no memory, with rte_errno. The pool ends with dpdk_pool_end(), and
 * frees itself when the program has given all back. */
struct pool *dpdk_pool_create(const char *name, uint32_t count, uint16_t room, int socket,
			      bool paged);
void dpdk_pool_end(struct pool *pool);

/* The calling thread is the pool's from now on. For one that threads use in turns, each with what
 * the one before has written in sight. */
void dpdk_pool_adopt(struct pool *pool);

struct rte_mempool *dpdk_mempool(struct pool *pool);

/* Our header and the mbuf in front of it. */
static inline struct buf *buf_of_mbuf(struct rte_mbuf *m)
{
	return (struct buf *)rte_mbuf_to_priv(m);
}

static inline struct rte_mbuf *mbuf_of_buf(struct buf *b)
{
	return (struct rte_mbuf *)(void *)b - 1;
}

#endif
