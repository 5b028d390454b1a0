/* inet_queue.h - what the files of the inet libOS share. Included by libos/inet*.c alone.
 *
 *	inet.c		the loop of stack.h, and the cold calls
 *	inet_io.c	operations
 *	inet_close.c	ending connections without losing what was accepted
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef LIBOS_INET_QUEUE_H
#define LIBOS_INET_QUEUE_H

#include "inet/stack.h"
#include "libos/inet.h"

/* A closed connection is looked after for so long; then the stack goes on alone. */
#define INET_HOLD_NS UINT64_C(60000000000)

/* What a peer that has all of ours gets to send its own end. */
#define INET_GRACE_NS UINT64_C(2000000000)

/* An instance that ends waits no longer for its peers' ends when nothing has come for so long: more
 * than twice the shortest retransmission timeout. */
#define INET_EXIT_QUIET_NS UINT64_C(500000000)

/* How often a spinning instance, on which nothing arrives, asks whether the device is still there.
 */
#define INET_CHECK_NS UINT64_C(100000000)

/* Frames that are taken from the device in one poll while the program has results to take: half of
 * those that it has worked off since the last, with a pop and a push each, so that it catches up.
 */
enum { INET_BUSY_BURST = INET_WAITS / 4 };

/* Frames that the device should have room for on behalf of one queue: a message, and what
 * acknowledges ours. */
enum { INET_QUEUE_FRAMES = 2 };

/* Pushes of more bytes gain nothing by leaving with others. */
enum { INET_ROW_BYTES = 1024 };

/* How often the device is asked in one poll while nothing else is to be done. */
enum { INET_PATIENT_TRIES = 8 };

struct inet {
	struct libos libos;
	struct stack *stack;
	struct link *link;
	struct heap *heap;
	int epoll_fd;                /* the instance's */
	uint64_t now_ns;             /* of the last poll: for what is not in a hurry */
	uint64_t deadline_ns;        /* the stack's next, as of the last poll */
	uint64_t check_ns;           /* when to ask whether the device is still there */
	uint64_t linger_deadline_ns; /* the earliest of those lingering; UINT64_MAX: none */
	struct list queues;          /* all that are open */
	struct list lingering;       /* ended, not yet delivered: closed, or with a close pending */
	struct list sending;         /* those with datagrams that the link still reads */
	struct operation_list *done; /* inside a poll: what it hands back */
	unsigned kept; /* frames the link has not taken yet: frames[first..first+kept-1] */
	unsigned first;
	unsigned waiting; /* pushes since the last flush that wait for company */
	bool watched;     /* the link's descriptor is in the instance's epoll set */
	bool link_lost;   /* the device has disappeared: everything fails */
	bool loss_told;   /* the log has it */
	void (*tell_checksums)(const struct config *c); /* NULL: nobody wants to know, or all is
							   told */
	const struct config *config;                    /* its argument */
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
	struct operation_list pops, accepts;
	struct operation *connect, *close;
	struct list lingering;       /* in inet->lingering */
	uint64_t linger_deadline_ns; /* there: when it is over */
	bool reuse_port;
	bool fin_wanted; /* the end goes out behind the pushes that wait */
	bool delivered;  /* the peer has acknowledged our end */
	bool overdue;    /* has lingered for too long: to be reset */
	bool closed;     /* the runtime's no more: this structure goes when it is delivered */
};

static inline struct inet_queue *inet_queue(struct queue *q)
{
	return container_of(q, struct inet_queue, queue);
}

/* Makes the queue of a socket; `sock` gets it as its user. NULL: no memory. */
struct inet_queue *inet_queue_new(struct inet *in, enum queue_type type, struct sock *sock);

/* Frees a queue without a socket. */
void inet_queue_free(struct inet_queue *iq);

/* Gives the queue a fresh socket in place of one that failed or is given up, bound and set up as
 * that was. 0, -ENOMEM. */
int inet_queue_renew(struct inet_queue *iq);

/* Sends what the stack has ready, as much as the link takes. */
void inet_flush(struct inet *in, uint64_t now_ns);

/* Gives the stack a burst of what has arrived; what comes of it is left to the next poll. */
void inet_take_in(struct inet *in, uint64_t now_ns);

/* Sends as many frames as there are pushes that have waited for company. What else there may be
 * (acknowledgements, which wait for pushes yet to come) is not looked at: the next poll does. */
void inet_send_company(struct inet *in, uint64_t now_ns);

/* Finishes the pushes of datagrams that the link has done with. */
void inet_datagrams_sent(struct inet *in);

/* Fails all that waits on a queue, but for pops that can still be served. error: -errno. */
void inet_queue_fail(struct inet_queue *iq, int error, uint64_t now_ns);

/* Acts on what became ready on one socket. May free the queue, when that is closed. */
void inet_event(struct inet_queue *iq, uint32_t bits, uint64_t now_ns);

/* Sends the end of the stream, behind the pushes that wait. 0 or -errno. */
int inet_send_end(struct inet_queue *iq, uint64_t now_ns);

/* The peer has all, or never will (error: -errno): the close operation is finished, a closed queue
 * freed. */
void inet_ended(struct inet_queue *iq, int error, uint64_t now_ns);

/* Resets those that linger whose time is over. */
void inet_tend(struct inet *in, uint64_t now_ns);

/* Whether something that was accepted is not yet acknowledged. */
bool inet_undelivered(const struct inet *in);

/* Ends all that linger: what is not delivered, with a reset. */
void inet_reset_lingering(struct inet *in, uint64_t now_ns);

/* The same for an instance that is about to be gone: every connection whose peer is not through
 * with it is reset, since nobody will be there to answer that peer. */
void inet_abandon(struct inet *in, uint64_t now_ns);

#endif
