/* cutter.h - large TCP frames over a network interface whose ring takes only small ones: a packet
 * socket, by which the kernel makes segments of them in one system call, as it does for its own.
 *
 * They go through the interface's queueing discipline, since cutting is done there. So that no
 * frame overtakes another, what follows soon behind a large frame goes the same way, whatever its
 * size: ask cutter_takes() about each.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef LINK_CUTTER_H
#define LINK_CUTTER_H

#include "link/link.h"
#include "mem/frame.h"
#include <stdbool.h>
#include <stdint.h>

/* Payload of one frame; with its headers it is shorter than what IPv4 can say. */
enum { CUTTER_TSO_BYTES = 65535 - 256 };

/* A queueing discipline has sent what it was given, so long after the last large frame. */
#define CUTTER_CALM_NS UINT64_C(10000000)

struct cutter {
	int fd;           /* -1: there is none */
	uint64_t busy_ns; /* until when all frames go this way */
};

/* Opens one over an interface. 0, or -errno, and then all works as well without, slower:
 * -EOPNOTSUPP: the interface takes large frames as they are (its TSO is on), and a veth hands them
 * over whole, to whoever is behind. Nothing to close then. */
int cutter_open(struct cutter *c, const char *interface);

/* Whether a frame is to go this way. */
static inline bool cutter_takes(struct cutter *c, const struct frame *f, uint64_t now_ns)
{
	if (f->offload & OFFLOAD_TSO)
		c->busy_ns = now_ns + CUTTER_CALM_NS;
	return now_ns < c->busy_ns;
}

/* Sends what comes behind the first `sent` of n frames, up to one that does not go this way, counts
 * it as the link's and drops its references. Frames are lost as behind a pulled cable while the
 * interface is down. Says how many are sent then; -ENODEV when none is and the interface is gone.
 */
int cutter_send_rest(struct cutter *c, struct link *l, struct frame frames[], int sent, int n,
		     uint64_t now_ns);

void cutter_close(struct cutter *c);

#endif
