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

/* Whether the kernel has this address on the interface, and would answer for it too. */
bool interface_has_address(const char *name, const struct ip_addr *addr);

/* Claims an address on an interface for this instance, against others that carry it by a stack of
 * their own: two that answer for one address break each other's connections. A claim is a
 * descriptor, given to the caller, and ends when it is closed, also by the end of the process; one
 * of a process just ended is waited for, for at most INTERFACE_CLAIM_TRIES * 10 ms. -EBUSY: it is
 * claimed; -ENODEV: there is no such interface; or another -errno. */
int interface_claim(const char *name, const struct ip_addr *addr);

enum { INTERFACE_CLAIM_TRIES = 50 };

#endif
