/* dpdk_queues.c - a port with several queues, for the instances of several threads: a source to
 * receive from for each queue, and for each instance a sender, which has a queue to itself.
 *
 * Threads use a source in turns (libos/inet_share.h), so its buffers go no further than the one
 * that receives them. What is in a sender's ring outlives it: whoever has that queue next lets the
 * driver finish it, and so the mbufs without room, which chain fragments, are the port's.
 *
 * SPDX-License-Identifier: MIT
 */
#include "link/dpdk_link.h"
#include "link/dpdk_pool.h"
#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

/* A port of several queues: the first source's. */
struct queues {
	struct dpdk_port port;
	struct pool *pools[DPDK_QUEUES]; /* of the sources */
	struct rte_mempool *attached[DPDK_QUEUES];
	_Atomic uint64_t senders; /* a bit for each queue that has one */
};

static struct queues *queues_of(const struct dpdk *d)
{
	return container_of(d->port, struct queues, port);
}

static int source_rx(struct link *l, struct buf *bufs[], int max, uint64_t now_ns)
{
	dpdk_pool_adopt(l->info.rx_pool);
	return dpdk_rx(l, bufs, max, now_ns);
}

static void free_pools(struct queues *q)
{
	for (unsigned i = 0; i < DPDK_QUEUES; i++) {
		dpdk_pool_end(q->pools[i]);
		rte_mempool_free(q->attached[i]);
	}
}

/* The last to go stops the port, whose driver gives back what it has. */
static void close_port(struct queues *q)
{
	for (unsigned i = 0; i < q->port.queues; i++)
		dpdk_pool_adopt(q->pools[i]);
	dpdk_port_stop(&q->port);
	free_pools(q);
	free(q);
	dpdk_give_port();
}

static void source_destroy(struct link *l)
{
	struct dpdk *d = dpdk_of(l);

	if (d->queue == 0)
		close_port(queues_of(d));
	free(d);
}

static const struct link_ops source_ops = {
    .name = "dpdk",
    .rx = source_rx,
    .wake_fd = dpdk_wake_fd,
    .arm = dpdk_arm,
    .destroy = source_destroy,
};

static void sender_destroy(struct link *l)
{
	struct dpdk *d = dpdk_of(l);

	if (d->kept > 0 && !dpdk_send_kept(d))
		rte_pktmbuf_free_bulk(d->keep, d->kept);
	dpdk_await_peer(d);
	dpdk_pool_end(l->info.rx_pool);
	atomic_fetch_and(&queues_of(d)->senders, ~(UINT64_C(1) << d->queue));
	free(d);
}

static const struct link_ops sender_ops = {
    .name = "dpdk",
    .tx = dpdk_tx,
    .destroy = sender_destroy,
};

static int make_pools(struct queues *q, char why[DPDK_WHY_BYTES])
{
	for (unsigned i = 0; i < q->port.queues; i++) {
		q->pools[i] = dpdk_make_pool(&q->port, DPDK_SOURCE_BUFFERS);
		q->attached[i] = dpdk_make_attached(&q->port);
		if (!q->pools[i] || !q->attached[i])
			return dpdk_no_memory(DPDK_SOURCE_BUFFERS, why);
	}
	return 0;
}

static struct dpdk *make_link(const struct link_ops *ops, struct dpdk_port *port, uint16_t queue,
			      struct pool *pool)
{
	struct dpdk *d = calloc(1, sizeof(*d));

	if (!d)
		return NULL;
	d->link.ops = ops;
	d->port = port;
	d->queue = queue;
	d->link.info.rx_pool = pool;
	dpdk_describe(d);
	return d;
}

static int make_sources(struct queues *q, struct link *sources[], unsigned *count,
			char why[DPDK_WHY_BYTES])
{
	for (*count = 0; *count < q->port.queues; ++*count) {
		struct dpdk *d =
		    make_link(&source_ops, &q->port, (uint16_t)*count, q->pools[*count]);

		if (!d)
			return dpdk_no_memory(1, why);
		sources[*count] = &d->link;
	}
	return 0;
}

static int open_port(struct queues *q, const struct dpdk_setup *s, char why[DPDK_WHY_BYTES])
{
	struct rte_mempool *mempools[DPDK_QUEUES];
	int rc = dpdk_environment(s, why);

	if (rc == 0)
		rc = dpdk_port_find(&q->port, s, why);
	if (rc == 0)
		rc = make_pools(q, why);
	if (rc < 0)
		return rc;
	for (unsigned i = 0; i < q->port.queues; i++)
		mempools[i] = dpdk_mempool(q->pools[i]);
	/* What an instance sends from its own memory is copied: that may go before it is sent. */
	q->port.offloads &= ~(uint32_t)OFFLOAD_TSO;
	return dpdk_port_start(&q->port, s, mempools, why);
}

int dpdk_open_queues(struct link *sources[DPDK_QUEUES], unsigned *count, const struct dpdk_setup *s,
		     char why[DPDK_WHY_BYTES])
{
	struct queues *q;
	int rc = dpdk_take_port(why);

	if (rc < 0)
		return rc;
	q = calloc(1, sizeof(*q));
	if (!q) {
		dpdk_give_port();
		return dpdk_no_memory(1, why);
	}
	rc = open_port(q, s, why);
	if (rc < 0) {
		free_pools(q);
		free(q);
		dpdk_give_port();
		return rc;
	}
	rc = make_sources(q, sources, count, why);
	if (rc == 0)
		return 0;
	for (unsigned i = 0; i < *count; i++)
		free(dpdk_of(sources[i]));
	close_port(q);
	return rc;
}

/* A queue that nobody sends by; -1: there is none. */
static int take_queue(struct queues *q)
{
	for (int i = 0; i < q->port.queues; i++) {
		const uint64_t bit = UINT64_C(1) << i;

		if (!(atomic_fetch_or(&q->senders, bit) & bit))
			return i;
	}
	return -1;
}

int dpdk_open_sender(struct link **out, struct link *source, char why[DPDK_WHY_BYTES])
{
	struct queues *q = queues_of(dpdk_of(source));
	int queue = take_queue(q);
	struct pool *pool;
	struct dpdk *d;

	if (queue < 0) {
		snprintf(why, DPDK_WHY_BYTES, "the port has %u queues, which are taken",
			 q->port.queues);
		return -EBUSY;
	}
	dpdk_register_thread();
	pool = dpdk_make_pool(&q->port, DPDK_POOL_BUFFERS);
	d = pool ? make_link(&sender_ops, &q->port, (uint16_t)queue, pool) : NULL;
	if (!d) {
		dpdk_pool_end(pool);
		atomic_fetch_and(&q->senders, ~(UINT64_C(1) << queue));
		return dpdk_no_memory(DPDK_POOL_BUFFERS, why);
	}
	d->attached = q->attached[queue];
	*out = &d->link;
	return 0;
}

int dpdk_source_of(struct link *source, const struct endpoint *peer, const struct endpoint *local)
{
	const struct toeplitz *rss = &dpdk_of(source)->port->rss;

	return rss->count > 0 ? toeplitz_queue(rss, peer, local) : -1;
}
