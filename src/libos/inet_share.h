/* inet_share.h - one device for the instances of several threads, which all have its address.
 *
 * A device has one or more sources, links that receive; each belongs to one instance at a time,
 * which polls it and is woken by it. One that was not polled for SHARE_STALE_NS, because its owner
 * is busy elsewhere, or that is nobody's, belongs to the next instance that polls. Of several, the
 * first is at home with the first instance, the second with the second, and so on, which take them
 * back when they poll. Whoever reads a frame finds out whose it is: by its port, which the stacks
 * take from one struct ports. A frame of another instance is copied into that one's ring, and it is
 * woken; what concerns all (ARP, ICMP, fragments) is copied to all. Each instance sends by a link
 * of its own. Nothing of this waits for a lock.
 *
 * Of a port that several instances listen on, a new connection is for one of them by a hash, the
 * device's own where that is known: what follows comes by that one's source. A
 * segment of a connection that an instance does not know (the set of listeners has changed since)
 * goes on to the next of those that have the port; the last answers.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef LIBOS_INET_SHARE_H
#define LIBOS_INET_SHARE_H

#include "base/endpoint.h"
#include "base/ports.h"
#include "link/link.h"

struct stack;

enum {
	SHARE_INSTANCES = PORTS_MEMBERS,
	SHARE_SOURCES = 64,
};

#define SHARE_STALE_NS UINT64_C(1000000)

/* How long an instance sleeps that is not woken by all sources: their owners may have turned to
 * something else. */
#define SHARE_LOOK_NS UINT64_C(10000000)

/* What the first instance opens for all. */
struct share_device {
	struct link *sources[SHARE_SOURCES];
	unsigned count;
	unsigned instances; /* that it has room for, if fewer than planned; 0: as planned */
	/* Which source gets the segments from peer to local; -1: not known. NULL: it never is. */
	int (*source_of)(struct share_device *device, const struct endpoint *peer,
			 const struct endpoint *local);
	void *owner; /* for close() */
};

struct share_plan {
	const char *interface; /* its name, and the address: which device it is; borrowed */
	struct ip_addr addr;
	unsigned instances; /* at most so many, as the first of them says */
	/* Opens the device. 0 or -errno. */
	int (*open)(struct share_device *out, void *arg);
	/* Destroys its sources, when its last instance has left. */
	void (*close)(struct share_device *device);
	/* Opens an instance's own link to send by; what it would receive is not asked for. */
	int (*open_sender)(struct link **out, struct share_device *device, void *arg);
	void *arg; /* borrowed for the call */
};

/* Makes the calling thread's instance a member of the device, which is opened if this process has
 * not done so. *out is its link, and leaves when it is destroyed. 0; -EBUSY: it has as many
 * instances as it may have; or what plan->open() says. */
int inet_share_join(struct link **out, const struct share_plan *plan);

/* The ports of all who have the link's address, and its number among them. NULL: it is nobody
 * else's. */
struct ports *inet_share_ports(struct link *l, unsigned *member);

/* The stack that is joined to the link: it is asked whether it knows a connection. */
void inet_share_attach(struct link *l, struct stack *stack);

#endif
