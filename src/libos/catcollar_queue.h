/* catcollar_queue.h - how catcollar moves bytes: kernel sockets through io_uring.
 *
 * A queue is catnap's (kernel.h): options, addresses, and above all closing are the same code. What
 * differs is how bytes move: nothing is tried, all is asked for. The kernel has at most two
 * requests of a queue, its flights: one inward (a receive that goes on and on, or an accept that
 * does) and one outward (a send, or a connect). Their completions are read from memory that is
 * shared with the kernel; a look at it is no system call.
 *
 * - What arrives lies in buffers that the kernel was provided with, and is the program's as it is.
 *   Messages that nobody has asked for yet are the queue's `ahead`; beyond CATCOLLAR_AHEAD of them
 *   the receive is taken back, and the peer is held up by the kernel's own buffer.
 * - A push goes out at once, unless the runtime has more to hand out: then those that the program
 *   makes meanwhile leave together, by one system call.
 * - Sockets block, for the kernel; a request on one that does not would fail instead of waiting.
 *   What catnap's functions do with them they do with MSG_DONTWAIT.
 *
 * A queue is catnap's alone from the moment it closes: its flights are taken back first.
 *
 * Source: io_uring(7), io_uring_setup(2), io_uring_enter(2), liburing.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef LIBOS_CATCOLLAR_QUEUE_H
#define LIBOS_CATCOLLAR_QUEUE_H

#include "libos/catcollar.h"
#include "libos/kernel.h"
#include <liburing.h>

enum {
	CATCOLLAR_SUBMISSIONS = 256,  /* requests that leave together, at most */
	CATCOLLAR_COMPLETIONS = 8192, /* that the kernel may write before we look */
	CATCOLLAR_BATCH = 256,        /* completions looked at in one go */
	/* Between two polls while something is ready. Pushes wait for the next one, to leave by one
	 * system call: those of as many messages as this has pairs of a pop and a push. */
	CATCOLLAR_WAITS = 128,
	CATCOLLAR_ROUNDS = 4, /* of asking and looking, in one poll() */
	CATCOLLAR_AHEAD = 64, /* messages received that no pop asked for */
	CATCOLLAR_AHEAD_BYTES = 1 << 18,
	CATCOLLAR_CONNECTIONS_AHEAD = 16, /* accepted, that no accept asked for */
	CATCOLLAR_RECALLS = 64,           /* looks for what was taken back */
	CATCOLLAR_LINGER_ROUNDS = 32,     /* poll()s between two looks at closed connections */
	CATCOLLAR_LENT = 64,              /* pushes sent from the program's memory, at a time */
	CATCOLLAR_CALM = 64,              /* small messages until small buffers will do again */
};

/* From here on a push is sent from the program's memory: see doc/architecture.md. */
enum { CATCOLLAR_ZERO_COPY_BYTES = 32768 };

/* Buffers that the kernel may fill, of one size. */
enum catcollar_group { GROUP_SMALL, GROUP_LARGE, GROUP_DATAGRAM, GROUP_COUNT };

struct catcollar_buffers {
	struct io_uring_buf_ring *ring;
	struct buf **bufs; /* by number; NULL: that number is free */
	uint16_t *free;    /* numbers */
	uint32_t entries;  /* a power of two */
	uint32_t provided; /* that the kernel has */
	uint32_t target;   /* that it should have: grows to `entries` as it runs out */
	uint32_t bytes;    /* of one */
	bool ran_out;      /* the kernel had none when it wanted one */
	bool used;         /* since it was first */
};

enum { FLIGHT_IN = 1, FLIGHT_OUT = 2 };

struct catcollar_queue {
	struct kernel_queue kernel;
	uint8_t flights;  /* FLIGHT_: requests that the kernel has */
	uint64_t outward; /* what the outward one is labelled with */
	bool recalled;    /* the inward flight is being taken back */
	bool held;        /* the outward flight is not to be followed by another */
	bool ended;       /* the inward flight met the stream's end or its breaking */
	bool large;       /* large buffers are the better ones */
	uint8_t in_group; /* enum catcollar_group of the inward flight */
	uint8_t calm;     /* small messages since */
	bool copied;      /* the kernel copies on the way: zero-copy is no use */
	bool dying;       /* closed, and flights are out still */
	int soft_error;   /* of a datagram socket: the next operation's */
	unsigned ahead_count;
	uint32_t ahead_bytes;
	uint32_t consumed; /* of the first one ahead */
	struct buf *ahead, *ahead_last;
	struct list accepted; /* connections that no accept asked for, by `link` */
	unsigned accepted_count;
	struct list link;      /* in a listener's `accepted` */
	struct list deferred;  /* a push waits for company */
	struct list unarmed;   /* an inward request could not be made */
	struct buf *sending;   /* what the outward flight reads */
	struct sockaddr_in to; /* of a connect, or a datagram */
	struct msghdr datagram;
	struct iovec piece;
};

/* A push that is sent from the program's memory, which the kernel may read until it says that it
 * has done. */
struct catcollar_lent {
	struct list link;              /* of c->lent, or c->unlent */
	struct catcollar_queue *queue; /* NULL: closed since */
	struct operation *op;          /* all of it was sent; NULL: not yet, or nobody's any more */
	struct buf *buf;
};

struct catcollar {
	struct kernel kernel;
	struct io_uring ring;
	struct catcollar_buffers buffers[GROUP_COUNT];
	struct msghdr datagram; /* how datagrams are received */
	struct list deferred, unarmed;
	struct list lent, unlent;
	struct catcollar_lent lents[CATCOLLAR_LENT];
	bool unreported;                /* the kernel cannot say whether it has copied */
	struct operation_list finished; /* outside of poll() */
	struct operation *starting;     /* is being started: NULL when it finished meanwhile */
	int wake_fd;                    /* an eventfd, in the instance's epoll set */
	unsigned wakes;                 /* poll()s until it is not to be written to any more */
	unsigned dying_count, rounds;
};

static inline struct catcollar *catcollar_of(const struct queue *queue)
{
	return container_of(kernel_of(queue), struct catcollar, kernel);
}

static inline struct catcollar_queue *catcollar_queue_of(struct queue *queue)
{
	return container_of(kernel_queue_of(queue), struct catcollar_queue, kernel);
}

/* catcollar_ring.c: asking and looking. */

/* 0 or -errno. -ENOSYS: the kernel has no io_uring, or an old one. */
int catcollar_ring_open(struct catcollar *c);
void catcollar_ring_close(struct catcollar *c);

/* From now on, and then no more, the kernel writes to wake_fd when it has something for us: only
 * while the thread is about to sleep, for each write costs whoever sends to us. */
void catcollar_wake_me(struct catcollar *c);
void catcollar_wake_me_no_more(struct catcollar *c);

/* Hands the kernel all requests, and sleeps until something has completed, for interval_ns at most
 * (UINT64_MAX: for ever), or a signal comes. 0, -EAGAIN: the kernel cannot. */
int catcollar_rest(struct catcollar *c, uint64_t interval_ns);

/* What a request is, and of what: completions carry it. */
enum catcollar_flight { ASK_NOTHING, ASK_RECEIVE, ASK_ACCEPT, ASK_SEND, ASK_CONNECT, ASK_LENT };

/* An empty request, or NULL: the kernel takes none now. */
struct io_uring_sqe *catcollar_ask(struct catcollar *c);

/* Says whose request it is, once it is filled in. Returns the label. */
uint64_t catcollar_label(struct io_uring_sqe *sqe, const void *of, enum catcollar_flight flight);

/* Hands the kernel all requests, and does what completed. Returns how much. */
unsigned catcollar_submit(struct catcollar *c);

/* As catcollar_submit(), where there is a reason to. */
unsigned catcollar_look(struct catcollar *c);

/* Asks the inward flight of q back, if there is one. */
void catcollar_recall_inward(struct catcollar *c, struct catcollar_queue *q);

/* Takes back the flights of q that `which` names, and waits for them: the kernel has no reason to
 * keep any. true: it has none of them any more. */
bool catcollar_recall(struct catcollar *c, struct catcollar_queue *q, uint8_t which);

/* catcollar_buffers.c */
int catcollar_buffers_open(struct catcollar *c);
void catcollar_buffers_close(struct catcollar *c);

/* Gives the kernel as many as it should have. false: it has none. */
bool catcollar_provide(struct catcollar *c, enum catcollar_group group);

/* The buffer that a completion filled: its memory is the caller's from now on (take), or the
 * kernel's again (again). */
struct buf *catcollar_buffer(struct catcollar *c, enum catcollar_group group, uint32_t cqe_flags);
void catcollar_take(struct catcollar *c, enum catcollar_group group, uint32_t cqe_flags);
void catcollar_again(struct catcollar *c, enum catcollar_group group, uint32_t cqe_flags);

/* catcollar_receive.c */
int catcollar_pop(struct operation *op);
void catcollar_received(struct catcollar *c, struct catcollar_queue *q, int res, uint32_t flags);

/* Hands the first operations of q what is there, and asks for more where some are left. */
void catcollar_deliver(struct catcollar *c, struct catcollar_queue *q);

/* Drops what came ahead. */
void catcollar_drop_ahead(struct catcollar_queue *q);

/* catcollar_connect.c */
int catcollar_accept(struct operation *op);
int catcollar_connect(struct operation *op);
void catcollar_accepted(struct catcollar *c, struct catcollar_queue *q, int res, uint32_t flags);
void catcollar_connected(struct catcollar *c, struct catcollar_queue *q, int res);

/* Hands the first accepts of q connections, and asks for more where some are left. */
void catcollar_give_connections(struct catcollar *c, struct catcollar_queue *q);

/* Resets the connections that nobody accepted. */
void catcollar_drop_accepted(struct catcollar *c, struct catcollar_queue *q);

/* catcollar_send.c */
int catcollar_push(struct operation *op);
void catcollar_sent(struct catcollar *c, struct catcollar_queue *q, int res, uint32_t flags);
void catcollar_returned(struct catcollar *c, struct catcollar_lent *lent, int res, uint32_t flags);

/* Asks for the first push of q to be sent, if the kernel has none of it. */
void catcollar_send_next(struct catcollar *c, struct catcollar_queue *q);

/* The pushes that waited for company. */
void catcollar_send_deferred(struct catcollar *c);

/* Each lent is free; and: is given back. */
void catcollar_lent_init(struct catcollar *c);
void catcollar_lent_free(struct catcollar *c);

/* The pushes of q whose memory the kernel reads are nobody's any more. */
void catcollar_disown_lent(struct catcollar *c, struct catcollar_queue *q);

/* catcollar_close.c */
void catcollar_flush(struct queue *queue);
void catcollar_close(struct queue *queue);
int catcollar_close_async(struct operation *op);
int catcollar_shutdown(struct queue *queue, int how);
int catcollar_cancel(struct operation *op);

/* A flight of q, which is closed, has come back. */
void catcollar_close_further(struct catcollar *c, struct catcollar_queue *q);

/* Ends all queues; what is on its way is catnap's affair. */
void catcollar_retire_all(struct catcollar *c);

/* catcollar.c */

/* A queue as kernel_queue_new() makes it, or NULL. */
struct catcollar_queue *catcollar_queue_new(struct catcollar *c);

/* Fills in what is ours of a queue that is catnap's already. */
void catcollar_queue_init(struct catcollar_queue *q);

/* Goes on with op, the first outward one of q. 0: it has finished; -EINPROGRESS. */
int catcollar_start(struct catcollar *c, struct catcollar_queue *q, struct operation *op);

/* The first of `from` has finished; op has. */
void catcollar_finish(struct catcollar *c, struct operation_list *from, int rc);
void catcollar_finish_one(struct catcollar *c, struct operation *op, int rc);

#endif
