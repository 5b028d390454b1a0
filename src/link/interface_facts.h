/* interface_facts.h - what the kernel and the driver say of an interface, for whoever wants to know
 * why a link over it does not work, or not well.
 *
 * Nothing here needs a privilege, and nothing is changed. What is not known is left zero.
 *
 * Source: rtnetlink(7), the kernel's Documentation/networking/ethtool-netlink.rst (for the words)
 * and Documentation/netlink/specs/netdev.yaml.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef LINK_INTERFACE_FACTS_H
#define LINK_INTERFACE_FACTS_H

#include "link/netns.h"
#include <net/if.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* What a driver can do for XDP: netdev.yaml, xdp-act. */
enum {
	XDP_CAN_BASIC = 1 << 0, /* programs run in the driver */
	XDP_CAN_REDIRECT = 1 << 1,
	XDP_CAN_ZERO_COPY = 1 << 3, /* AF_XDP without a copy */
};

/* Work that is left to a device, or, between ends of a veth pair, to nobody. */
struct interface_offloads {
	bool tx_checksum, tso, gso, gro, lro;
};

struct interface_facts {
	char name[IFNAMSIZ];
	int index;
	char driver[32]; /* empty: unknown */
	bool ethernet, up, carrier;
	bool tap;          /* its other end is a program */
	int64_t tap_owner; /* the user who may be that; -1: anybody */
	uint32_t mtu;
	uint32_t rx_queues; /* in use; 0: unknown */
	struct interface_offloads offloads;
	uint32_t xdp_program; /* the id of the program that is attached; 0: none */
	bool xdp_generic;     /* that one is, behind the driver */
	bool xdp_known;       /* the kernel says what the driver can do (Linux 6.3) */
	uint32_t xdp_can;     /* XDP_CAN_ */
	int peer_index;       /* veth: the other end; 0: none */
	int peer_netns;       /* the kernel's number of the network namespace where that is; -1:
				 this one */
};

/* The other end of a veth pair. */
struct interface_peer {
	char name[IFNAMSIZ];
	struct netns netns; /* all 0: it is ours, or was not found */
	bool up;
	struct interface_offloads offloads;
};

/* Reads them. 0, -ENODEV, or another -errno. */
int interface_facts_read(struct interface_facts *out, const char *name);

/* Looks at the other end, also in another network namespace if that can be found and
 * entered. 0; -ENODEV: there is none; -EACCES: it may not be looked at, and only netns is known.
 */
int interface_peer_read(struct interface_peer *out, const struct interface_facts *of);

/* The name of an Ethernet interface that a person may have meant: the first that is up, else the
 * first. False: there is none. */
bool interface_suggest(char name[IFNAMSIZ]);

#endif
