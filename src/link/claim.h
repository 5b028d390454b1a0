/* claim.h - a claim to an IPv4 address on an interface, against other processes that carry it by a
 * stack of their own: two that answer for one address break each other's connections.
 *
 * A claim is a descriptor, and ends when it is closed, also by the end of the process.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef LINK_CLAIM_H
#define LINK_CLAIM_H

#include "base/endpoint.h"
#include <sys/types.h>

enum {
	CLAIM_TRIES = 50, /* 10 ms apart, for a claim of a process that is just ending */
	CLAIM_COMMAND_BYTES = 16,
};

/* Claims it. A descriptor, the caller's; -EBUSY: it is claimed; -ENODEV: there is no such
 * interface; or another -errno. */
int claim_take(const char *interface, const struct ip_addr *addr);

/* The process that has claimed the address, and its name. 0: it is free; -1: it is taken, by one
 * that cannot be seen from here. */
pid_t claim_holder(const char *interface, const struct ip_addr *addr,
		   char command[CLAIM_COMMAND_BYTES]);

/* Another process that has claimed an address on the interface, and its name; 0: none that can be
 * seen. */
pid_t claim_neighbour(const char *interface, char command[CLAIM_COMMAND_BYTES]);

#endif
