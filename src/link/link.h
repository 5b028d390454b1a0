/* link.h - a device that carries Ethernet frames, as a small vtable. Tracing (pcapng.h) and faults
 * (sim.h) are wrappers around one. Devices embed struct link first.
 *
 * No call blocks or calls back. A link belongs to one thread.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef LINK_LINK_H
#define LINK_LINK_H

#include "mem/buf.h"
#include "mem/frame.h"
#include "mem/pool.h"
#include <stdbool.h>
#include <stdint.h>

struct link;

enum {
	LINK_BURST = 32,        /* frames a call, at most */
	LINK_HEADER_BYTES = 18, /* in front of the IP packet, an 802.1Q tag included */
};

struct link_info {
	uint8_t mac[6];
	uint16_t mtu;           /* bytes of an IP packet */
	uint32_t offloads;      /* OFFLOAD_ */
	uint16_t max_frags;     /* payload fragments of one frame it can send, <= FRAME_FRAGS; 0:
				   contiguous only */
	uint32_t tso_max_bytes; /* payload of one OFFLOAD_TSO frame */
	uint16_t tx_company;    /* messages that wait for each other before they are sent, while the
				   program is about to be given more; 0: all of them */
	struct pool *rx_pool; /* where received frames come from; what the stack sends from may come
				 from it too */
};

struct link_ops {
	const char *name;
	/* Up to max received frames into bufs; the caller owns them. Returns how many, 0 when none,
	 * or -ENODEV when the device has gone. Also finishes earlier transmissions. */
	int (*rx)(struct link *, struct buf *bufs[], int max, uint64_t now_ns);
	/* Whether what arrives is about to find no place: then rx() is to be asked for as many as
	 * it gives, however busy the caller is. NULL: it cannot tell. */
	bool (*crowded)(struct link *);
	/* Sends: takes the first k of n frames (and their references, see frame.h) and returns k;
	 * fewer than n when the ring is full: the caller keeps the rest and tries again. -ENODEV.
	 */
	int (*tx)(struct link *, struct frame frames[], int n, uint64_t now_ns);
	/* The absolute time (ns) at which rx() would give a frame without an outside event,
	 * UINT64_MAX if none: the simulator's. NULL: never. */
	uint64_t (*next_deadline)(struct link *);
	/* A descriptor that becomes readable when frames arrive; -1: none, poll. Borrowed. */
	int (*wake_fd)(struct link *);
	/* Asks for a wake-up through wake_fd. Returns 1 when frames wait already (poll again), else
	 * 0; -ENODEV. */
	int (*arm)(struct link *);
	/* In the child of a fork: closes descriptors, touches nothing that the parent uses. NULL:
	 * has none. */
	void (*forked)(struct link *);
	/* Drops all it holds and frees itself. */
	void (*destroy)(struct link *);
};

struct link {
	const struct link_ops *ops;
	struct link_info info;
	/* The user's: so many frames may come at once, between two looks. A link whose places for
	 * them are dearer the more there are keeps so many, as far as it can. */
	uint32_t rx_expected;
	uint64_t rx_frames, rx_bytes, rx_dropped;
	uint64_t tx_frames, tx_bytes, tx_full;
	uint64_t tx_copied_bytes,
	    rx_copied_bytes; /* payload that could not be passed by reference */
};

#endif
