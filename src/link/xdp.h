/* xdp.h - a link over a network interface by AF_XDP: frames go between the driver's queue and our
 * buffers past the kernel's stack; in zero-copy mode the device itself reads and writes them.
 *
 * The UMEM, the memory that the kernel may touch, is the program's heap: received frames are handed
 * on where they arrived, and sent payload leaves from where the program wrote it. What lies
 * elsewhere is copied, and counted.
 *
 * Source: the kernel's Documentation/networking/af_xdp.rst.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef LINK_XDP_H
#define LINK_XDP_H

#include "base/endpoint.h"
#include "link/link.h"
#include "link/xdp_program.h"
#include "mem/heap.h"

enum {
	XDP_CHUNK_BYTES = 4096,  /* of the UMEM: one received frame lies in one chunk, a sent piece
				    does not cross one */
	XDP_RING_FRAMES = 2048,  /* slots of each of the four rings */
	XDP_POOL_BUFFERS = 4096, /* frames in all: on the fill ring, with the stack, with the
				    program; at most a quarter of the heap */
	XDP_BIND_TRIES =
	    100, /* for a queue that is still busy from a process just ended, 10 ms apart */
	/* Of an IP packet that fits into one chunk: less 256 bytes that the kernel keeps in front
	   (XDP_PACKET_HEADROOM), an Ethernet header and a VLAN tag. Larger ones come in several. */
	XDP_CHUNK_MTU = XDP_CHUNK_BYTES - 256 - 14 - 4,
	XDP_RX_PIECES = 18, /* of one received frame: as many as one of the kernel's packets has */
};

struct xdp_setup {
	const char *interface; /* its name; borrowed for the call */
	struct ip_addr addr;   /* frames for this IPv4 address, and ARP for it, are taken */
	const uint8_t *mac;    /* NULL: the interface's */
	uint16_t mtu;          /* frames up to this are wanted; 0: the interface's MTU */
	uint32_t queue;        /* of the interface */
	enum xdp_mode mode;
	const struct link *beside; /* NULL, or the link of another queue, whose XDP program is for
				      this one as well and goes with that */
	uint32_t busy_poll_us; /* 0: off; else the kernel polls the device for so long in our system
				  calls */
	struct heap *heap;     /* becomes the UMEM, all of it pinned; outlives the link */
	int claim_fd;          /* as in struct packet_options */
};

/* 0; -EPERM, -ENODEV, -ENETDOWN, -EBUSY (of the queue, or of the place where an XDP program is
 * attached), -EOPNOTSUPP (the kernel has no AF_XDP), -EINVAL (no Ethernet), -EMSGSIZE (the MTU is
 * beyond XDP_CHUNK_MTU, and the driver or the kernel has no frames of several pieces), -ENOBUFS
 * (RLIMIT_MEMLOCK), -ENOMEM. */
int xdp_open(struct link **out, const struct xdp_setup *opt);

/* Whether a queue of an interface could be bound, by a socket that binds and goes; nothing is
 * attached. large: for frames of several chunks. A busy one is waited for, as xdp_open() does. 0,
 * -EBUSY: somebody has it; -EPERM, -EAFNOSUPPORT (no AF_XDP here), -EINVAL (there is no such queue,
 * or no large frames), or another -errno. */
int xdp_try_queue(int interface_index, uint32_t queue, bool large);

#endif
