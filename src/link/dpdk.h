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

#include "link/link.h"
#include "mem/heap.h"

enum {
	DPDK_PLUGIN_VERSION = 2,   /* of the structures of this header and those that it includes */
	DPDK_POOL_BUFFERS = 16383, /* 2^n - 1, as mempools like it */
	DPDK_ATTACHED = 4095,      /* mbufs for fragments in flight */
	DPDK_RING_FRAMES = 1024,   /* descriptors asked for, each way */
	DPDK_WHY_BYTES = 256,
};

struct dpdk_setup {
	char *const *eal_arguments; /* as a command line's, the program's name first; borrowed */
	int eal_arguments_len;
	uint16_t mtu;       /* 0: the port's */
	const uint8_t *mac; /* NULL: the port's */
	bool checksums;     /* use the port's checksum and segmentation offloads */
	struct heap *heap;  /* what the program sends from; outlives the link */
};

struct dpdk_plugin {
	uint32_t version;    /* DPDK_PLUGIN_VERSION */
	uint32_t link_bytes; /* sizeof(struct link), so that a stale object is noticed */
	const char *drivers; /* the folder where DPDK looks for those of devices */
	/* Opens the first port that is free. 0 or -errno, with what to do in why[]. */
	int (*open)(struct link **out, const struct dpdk_setup *setup, char why[DPDK_WHY_BYTES]);
	/* Sends its log lines to where the library's go. */
	void (*set_log)(void (*sink)(int level, const char *line));
};

#define DPDK_PLUGIN_SYMBOL "demi_dpdk_plugin"

#endif
