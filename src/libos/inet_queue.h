/* inet_queue.h - what the files of the inet libOS share. Included by libos/inet*.c alone.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef LIBOS_INET_QUEUE_H
#define LIBOS_INET_QUEUE_H

#include "inet/stack.h"
#include "libos/inet.h"

struct inet {
	struct libos libos;
	struct stack *stack;
	struct link *link;
	struct heap *heap;
	uint64_t deadline_ns;        /* the stack's next, as of the last poll */
	struct list queues;          /* all, for the end */
	struct list sending;         /* those with datagrams that the link still reads */
	struct operation_list *done; /* inside a poll: what it hands back */
	unsigned kept; /* frames the link has not taken yet: frames[first..first+kept-1] */
	unsigned first;
	bool link_gone; /* the device has disappeared: everything fails */
	struct frame frames[LINK_BURST];
};

struct inet_queue {
	struct queue queue;
	struct inet *inet;
	struct sock *sock;
	struct list link;              /* in inet->queues */
	struct operation_list pushes;  /* not wholly accepted yet, oldest first */
	struct operation_list unacked; /* accepted by reference: a stream's wait for the
					* acknowledgement, a datagram's for the link to be done */
	struct list sending;           /* in inet->sending */
	bool reuse_port;
	struct operation_list pops, accepts;
	struct operation *connect, *close;
};

static inline struct inet_queue *inet_queue(struct queue *q)
{
	return container_of(q, struct inet_queue, queue);
}

/* Makes the queue of a socket; `sock` gets it as its user. NULL: no memory. */
struct inet_queue *inet_queue_new(struct inet *in, enum queue_type type, struct sock *sock);

/* Sends what the stack has ready, as much as the link takes. */
void inet_flush(struct inet *in, uint64_t now_ns);

/* Finishes the pushes of datagrams that the link has done with. */
void inet_datagrams_sent(struct inet *in);

/* Fails all that waits on a queue, but for pops that can still be served. error: -errno. */
void inet_queue_fail(struct inet_queue *iq, int error, uint64_t now_ns);

/* Acts on what became ready on one socket. */
void inet_event(struct inet_queue *iq, uint32_t bits, uint64_t now_ns);

#endif
