/* packet.h - a link over a network interface by AF_PACKET: mapped rings (TPACKET_V2), transmission
 * past the queueing disciplines (PACKET_QDISC_BYPASS). Works on every interface and in a user
 * namespace; copies each frame once each way.
 *
 * Source: the kernel's Documentation/networking/packet_mmap.rst, packet(7).
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef LINK_PACKET_H
#define LINK_PACKET_H

#include "base/endpoint.h"
#include "link/link.h"

enum {
	/* Slots of the rings. Where thousands of connections have a message each on its way, those
	 * wait here. */
	PACKET_RX_FRAMES = 2048,
	PACKET_TX_FRAMES = 1024,
	PACKET_POOL_BUFFERS = 16384,
};

struct packet_options {
	const char *interface; /* its name; borrowed for the call */
	struct ip_addr addr;   /* frames for this address, and ARP, are taken; ip_is_any(): all */
	const uint8_t *mac; /* 6 bytes: the own MAC when it is not the interface's; NULL: it is */
	bool send_only;     /* what it would receive is another link's */
	int claim_fd; /* closed with the link; stays the caller's when that is not opened. -1: none
		       */
};

/* Opens the interface. Returns 0; -EPERM (no CAP_NET_RAW), -ENODEV (no such interface), -ENETDOWN
 * (it is down), -ENOMEM, -EINVAL (not Ethernet). */
int packet_open(struct link **out, const struct packet_options *opt);

#endif
