/* dpdk.h - a link over a port of DPDK's, in a shared object of its own.
 *
 * libdemikernel-dpdk.so is loaded when LIBOS=catnip asks for it, so that the library itself runs
 * where DPDK is not installed. It exports one symbol, struct dpdk_plugin, and stays loaded: DPDK's
 * environment can be set up once in a process.
 *
 * The mempool is the buffer pool: our header lies in the private area behind each mbuf's own, and
 * the mbuf's reference count is the buffer's. What lies elsewhere (the program's heap) is attached
 * to an mbuf as an external buffer, which holds a reference until the device has sent it.
 *
 * Source: DPDK programmer's guide (22.11), "Mbuf Library", "Poll Mode Driver".
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef LINK_DPDK_H
#define LINK_DPDK_H

#include "base/endpoint.h"
#include "link/link.h"
#include "mem/heap.h"

enum {
	DPDK_PLUGIN_VERSION = 5,   /* of the structures of this header and those that it includes */
	DPDK_POOL_BUFFERS = 16383, /* 2^n - 1, as mempools like it */
	DPDK_ATTACHED = 4095,      /* mbufs for fragments in flight */
	DPDK_COMPANY = 8, /* messages that leave together, while the other end works on the last */
	DPDK_RING_FRAMES = 1024,    /* descriptors asked for, each way */
	DPDK_SOURCE_BUFFERS = 4095, /* of a queue of several: what is in its ring, and a burst */
	DPDK_QUEUES = 64,
	DPDK_WHY_BYTES = 256,
};

struct dpdk_setup {
	char *const *eal_arguments; /* as a command line's, the program's name first; borrowed */
	int eal_arguments_len;
	uint16_t mtu;       /* 0: the port's */
	const uint8_t *mac; /* NULL: the port's */
	bool checksums;     /* use the port's checksum and segmentation offloads */
	uint16_t instances; /* threads that may share the port, one queue for each; at least 1 */
	struct heap *heap;  /* what the program sends from; outlives the link */
};

/* What the plug-in calls of the library. */
struct dpdk_host {
	void (*log_line)(int level, const char *line);
	int (*pool_init)(struct pool *pool, uint32_t headroom,
			 void (*release)(struct pool *, struct buf *),
			 bool (*refill)(struct pool *), void (*gone)(struct pool *));
	void (*pool_orphan)(struct pool *pool, uint32_t out);
	void (*pool_fini)(struct pool *pool);
	void (*pool_release)(struct buf *b);
	struct buf *(*pool_get_slow)(struct pool *pool);
	void (*pool_remote_unref)(struct buf *b);
	struct buf *(*heap_alloc)(struct heap *heap, size_t bytes);
	uint8_t *(*heap_pin)(struct heap *heap, size_t *bytes);
};

struct dpdk_plugin {
	uint32_t version;    /* DPDK_PLUGIN_VERSION */
	uint32_t link_bytes; /* sizeof(struct link), so that a stale object is noticed */
	const char *drivers; /* the folder where DPDK looks for those of devices */
	/* The first call. The structure is borrowed for ever. */
	void (*set_host)(const struct dpdk_host *host);
	/* Opens the first port that is free. 0 or -errno, with what to do in why[]. */
	int (*open)(struct link **out, const struct dpdk_setup *setup, char why[DPDK_WHY_BYTES]);
	/* The same for several instances: links that receive, one for each queue, and that threads
	 * may use in turns. At most setup->instances of them; as many as the driver has queues.
	 * They are destroyed from the last to the first. */
	int (*open_queues)(struct link *sources[DPDK_QUEUES], unsigned *count,
			   const struct dpdk_setup *setup, char why[DPDK_WHY_BYTES]);
	/* The calling thread's link to send by, over the port that the first source has. 0,
	 * -EBUSY: all queues are taken; -ENOMEM. */
	int (*open_sender)(struct link **out, struct link *source, char why[DPDK_WHY_BYTES]);
	/* Which source gets the segments of a connection, as far as the port's hash is known: else
	 * -1. */
	int (*source_of)(struct link *source, const struct endpoint *peer,
			 const struct endpoint *local);
};

/* The plug-in's own. */
void dpdk_set_host(const struct dpdk_host *host);

#define DPDK_PLUGIN_SYMBOL "demi_dpdk_plugin"

#endif
