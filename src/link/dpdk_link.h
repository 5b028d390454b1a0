/* dpdk_link.h - what the links over a port share: dpdk.c, one queue for one instance, and
 * dpdk_queues.c, several queues for several. Part of the plug-in.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef LINK_DPDK_LINK_H
#define LINK_DPDK_LINK_H

#include "base/list.h"
#include "link/dpdk_port.h"

struct dpdk {
	struct link link;
	struct dpdk_port *port; /* own, or that of the first of several queues */
	struct dpdk_port own;
	uint16_t queue;               /* which one, of those each way */
	struct rte_mempool *attached; /* mbufs without room, for fragments */
	struct heap *heap;
	bool heap_mapped; /* the device may read the heap */
	int wake_fd;      /* -1: the driver has no interrupts */
	bool counts;      /* wake_fd is an eventfd, readable until it is read */
	bool armed;       /* the driver was asked for interrupts since frames came last */
	uint64_t look_ns; /* when to look after the port */
	bool gone;        /* there is no device any more */
	uint16_t kept;    /* mbufs that the ring had no room for: keep[0..kept-1] go first */
	struct rte_mbuf *keep[LINK_BURST];
};

static inline struct dpdk *dpdk_of(struct link *l)
{
	return container_of(l, struct dpdk, link);
}

/* The process's one port is ours; -EBUSY. */
int dpdk_take_port(char why[DPDK_WHY_BYTES]);
void dpdk_give_port(void);

/* NULL, with rte_errno. */
struct pool *dpdk_make_pool(const struct dpdk_port *p, uint32_t buffers);
struct rte_mempool *dpdk_make_attached(const struct dpdk_port *p);
/* Says that there is none for them; -ENOMEM. */
int dpdk_no_memory(uint32_t buffers, char why[DPDK_WHY_BYTES]);

/* What the link says of itself, and its descriptor to sleep on. */
void dpdk_describe(struct dpdk *d);

/* Functions of links. */
int dpdk_rx(struct link *l, struct buf *bufs[], int max, uint64_t now_ns);
int dpdk_tx(struct link *l, struct frame frames[], int n, uint64_t now_ns);
int dpdk_wake_fd(struct link *l);
int dpdk_arm(struct link *l);

/* Sends what the ring had no room for. True: all of it is gone. */
bool dpdk_send_kept(struct dpdk *d);
/* Gives a peer that reads what was sent where it lies a moment to do so. */
void dpdk_await_peer(const struct dpdk *d);

/* Of struct dpdk_plugin. */
int dpdk_open_queues(struct link *sources[DPDK_QUEUES], unsigned *count, const struct dpdk_setup *s,
		     char why[DPDK_WHY_BYTES]);
int dpdk_open_sender(struct link **out, struct link *source, char why[DPDK_WHY_BYTES]);
int dpdk_source_of(struct link *source, const struct endpoint *peer, const struct endpoint *local);

#endif
