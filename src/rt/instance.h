/* instance.h - a thread's Demikernel: its libOSes, descriptors, operations and memory.
 *
 * Each thread that calls demi_init() has one; nothing in it is shared or locked. It ends with its
 * thread, or with the process: what was accepted is then delivered for a bounded time
 * (instance_destroy()).
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef RT_INSTANCE_H
#define RT_INSTANCE_H

#include "base/config.h"
#include "libos/libos.h"
#include "mem/heap.h"
#include "rt/descriptor.h"
#include "rt/operation.h"

/* The libOSes of one instance, in the order in which they are polled. */
enum { LIBOS_NETWORK, LIBOS_MEMORY, LIBOS_COUNT };

enum { WAITS_UNPOLLED_MAX = 16 }; /* where a libOS has no wish */

struct instance {
	struct operations operations;
	struct descriptors descriptors;
	struct libos *libos[LIBOS_COUNT];
	struct heap *heap;
	demi_callback_t profiler; /* NULL: not profiling */
	bool in_call;             /* inside a demi_ call: exit() came from a signal handler then */
	uint64_t call_start;      /* TSC when the call began, while profiling */
	/* Waits served from what was ready, since the last poll; and when the devices get a look
	 * though there is something ready: operations that all complete at once must not starve
	 * them. */
	uint8_t waits_unpolled, waits_unpolled_max;
	/* What wait_any() knows of the arrays it is given (ready.c): */
	uint32_t vacated;        /* where the last wait found its token */
	demi_qtoken_t neighbour; /* the token behind it */
	uint32_t note_at;        /* where note_some() goes on */
	uint32_t rover;          /* where find_left_behind() goes on */
	/* Cold: */
	int epoll_fd;
	unsigned told; /* bits of enum shortage: what the log knows */
	struct config config;
	struct instance *next; /* of all instances, for fork() */
};

/* The calling thread's, NULL before demi_init(). */
extern _Thread_local struct instance *instance_self __attribute__((tls_model("initial-exec")));

/* Makes the calling thread's instance. callback may be NULL. 0, -EEXIST, -EINVAL (bad configuration
 * or LIBOS, a line was logged), -ENOMEM, or why the libOS could not start. */
int instance_create(demi_callback_t callback);

/* Delivers what was accepted for at most the configured linger, then frees all. */
void instance_destroy(struct instance *in);

/* Of address space for messages: what is configured, or as much as the libOS can do with. */
uint64_t instance_heap_bytes(const struct config *c);

/* Polls every libOS once and makes what they finished ready. Returns how much happened. */
int instance_poll(struct instance *in, uint64_t now_ns);

/* Makes ready what libOSes have finished without a device. */
void instance_take_news(struct instance *in);

static inline void instance_news(struct instance *in)
{
	if (in->libos[LIBOS_NETWORK]->news | in->libos[LIBOS_MEMORY]->news)
		instance_take_news(in);
}

/* An operation that its libOS has finished becomes READY: the buffer of a push is let go, a
 * connection gets its descriptor, a closed queue goes. */
void instance_finished(struct instance *in, struct slot *s);

/* Opens the taken number qd as q, which its libOS has just made. */
void instance_adopt(struct instance *in, int qd, struct queue *q);

/* Closes q's descriptor and q. What is pending on it fails with `error` (-errno); its unclaimed
 * results become orphans. */
void instance_drop(struct instance *in, struct queue *q, int error);

/* Frees a READY slot whose result nobody takes, and what it holds. */
void instance_forget(struct instance *in, struct slot *s);

#endif
