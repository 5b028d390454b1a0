/* tcp_pressure.h - who may still have a buffer when a pool is nearly empty.
 *
 * A connection whose queue is empty may have one buffer however little there is, so that every
 * program makes progress. A peer with thousands of connections would have thousands so. When the
 * pool is scarce, a group of peers that holds its share of it gets none any more, and the others
 * still do: what a segment carried comes again, and a send fails with -ENOMEM.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef INET_TCP_PRESSURE_H
#define INET_TCP_PRESSURE_H

#include "inet/tcp_table.h"

static inline bool tcp_pool_scarce(const struct pool *pool)
{
	return pool->free_count < pool->count / TCP_POOL_SCARCE_DIVISOR;
}

/* May an empty queue of cb have one buffer of a pool that is scarce? Counts it as taken. */
bool tcp_pressure_allows(struct tcp_cb *cb, const struct pool *pool);

#endif
