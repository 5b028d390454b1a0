/* tap.h - a link over a TAP: an interface of this machine's kernel whose other end is us. For
 * talking to the machine itself, to its containers and virtual machines by way of a bridge, or to
 * the world by its routing, without AF_PACKET's privilege: a TAP may belong to a user.
 *
 * Each frame is one system call and one copy each way. Checksums and segmentation are left to the
 * kernel when the stack wishes, by the header of virtio-net in front of each frame.
 *
 * Source: the kernel's Documentation/networking/tuntap.rst; linux/if_tun.h, linux/virtio_net.h
 * (Virtual I/O Device 1.2, 5.1.6).
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef LINK_TAP_H
#define LINK_TAP_H

#include "base/endpoint.h"
#include "link/link.h"

enum {
	TAP_POOL_BUFFERS = 16384,
	TAP_TSO_BYTES = 61440, /* payload of one frame that the kernel cuts */
};

struct tap_options {
	const char *interface; /* its name; borrowed for the call. Made when it is not there */
	struct ip_addr addr;   /* ours: the MAC address is made of it unless one is given */
	const uint8_t *mac;    /* 6 bytes: our end's, never the interface's own; NULL: see addr */
};

/* Attaches to the TAP, or makes one, which is set up and goes with the link. 0; -ENOENT (no
 * /dev/net/tun), -EACCES (it may not be opened), -EPERM (the TAP is another user's, or making one
 * needs CAP_NET_ADMIN), -EBUSY (another program is its end), -EINVAL (an interface of that name is
 * no TAP), -ENETDOWN (it is there, and down), -ENODEV (no name of an interface), -ENOMEM. */
int tap_open(struct link **out, const struct tap_options *opt);

/* Another link to send into the same TAP, in another thread; what comes from it is the first's. 0
 * or -errno. */
int tap_open_sender(struct link **out, const struct link *of);

#endif
