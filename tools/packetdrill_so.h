/* packetdrill_so.h - what the files of libdemi_packetdrill.so share: a host in virtual time, a
 * table of descriptors, and calls that wait for each other.
 *
 * Time is the host's. packetdrill sleeps until shortly before an event and then spins on
 * gettimeofday(): so each call moves time by a microsecond and runs the timers that are due.
 *
 * A call that blocks comes from a second thread of packetdrill's and sleeps on a condition, really,
 * since packetdrill looks in /proc whether it does. Whoever moves time or hands in a packet wakes
 * it and waits until it has tried again: what a call gives never depends on the scheduler.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef TOOLS_PACKETDRILL_SO_H
#define TOOLS_PACKETDRILL_SO_H

#include "packetdrill.h"
#include "pkt_host.h"
#include <pthread.h>
#include <stdbool.h>

enum {
	SO_FDS_MAX = 1024,           /* descriptors are below */
	SO_EPOCH_S = 1000000000,     /* where its clock starts */
	SO_RECEIVE_LIMIT_S = 3600,   /* how far netdev_receive moves time for a packet */
	SO_IOV_BYTES_MAX = 16 << 20, /* of one readv() and its kind */
};

struct so_fd {
	struct host_sock *sock; /* NULL: not ours */
	bool nonblocking;
};

struct so {
	pthread_mutex_t lock; /* guards all below */
	struct host *host;
	struct so_fd fds[SO_FDS_MAX]; /* by the kernel descriptor that stands for the socket */
	uint64_t change;              /* counts: calls that sleep try again after each */
	uint32_t sleeping;            /* of those calls, how many there are */
	uint32_t untried;             /* and how many have not tried since the last change */
	pthread_cond_t changed, tried;
};

/* Each call is in between these: the lock, and a microsecond. so_leave() returns `result`, or sets
 * errno and returns -1 for a negative one. */
struct so *so_enter(void *ud);
int64_t so_leave(struct so *so, int64_t result);

/* Moves time to until_ns, or to the next packet of the stack if `packet`. With the lock. */
void so_move(struct so *so, uint64_t until_ns, bool packet);
/* Calls attempt(arg); with `blocks`, again and again after each change until it gives something
 * else than -EAGAIN. With the lock. */
int64_t so_try(struct so *so, bool blocks, int64_t (*attempt)(struct so *so, void *arg), void *arg);

/* NULL: not a descriptor of ours. */
struct so_fd *so_find(struct so *so, int fd);

/* The functions of the table, by kind. */
void so_socket_functions(struct packetdrill_interface *ifc); /* packetdrill_socket.c */
void so_data_functions(struct packetdrill_interface *ifc);   /* packetdrill_data.c */

#endif
