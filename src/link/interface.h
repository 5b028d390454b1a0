/* interface.h - what the kernel says of a network interface.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef LINK_INTERFACE_H
#define LINK_INTERFACE_H

#include "base/endpoint.h"
#include <stdbool.h>
#include <stdint.h>

struct interface {
	int index;
	uint8_t mac[6];
	uint16_t mtu; /* bytes of an IP packet; at most 65535 */
};

/* Reads an Ethernet interface that is up. 0; -ENODEV (there is none of that name), -ENETDOWN (it is
 * down), -EINVAL (not Ethernet), or another -errno. */
int interface_read(struct interface *out, const char *name);

/* Whether an interface of that index is still there. */
bool interface_exists(int index);

/* Where the kernel has this address: 0, or -ENOENT: nowhere. Fills in the interface's name and the
 * address's prefix length. When it is on several, `wanted` is preferred. */
struct interface_address {
	char interface[16]; /* IFNAMSIZ */
	uint8_t prefix_len;
};
int interface_find_address(struct interface_address *out, const struct ip_addr *addr,
			   const char *wanted);

#endif
