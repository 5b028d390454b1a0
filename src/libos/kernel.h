/* kernel.h - catnap: TCP and UDP over non-blocking kernel sockets.
 *
 * A system call is made first; only what would have blocked is waited for. Two ways to wait:
 * while at most KERNEL_DIRECT queues wait for bytes, poll() tries their recv again each time, which
 * is the quickest way there is to see a message; with more, and for everything else, an
 * edge-triggered epoll set says who can go on.
 *
 * What a queue knows of its descriptor:
 * - `readable`, `writable`: a call may succeed. False only after the kernel said EAGAIN, or a
 *   stream gave less than was asked for: then nothing is there until the next edge. Each receive
 *   says anew.
 * - An edge that was not looked at yet stays in the epoll set; a descriptor that is added to the
 *   set reports its present state as an edge. So a queue that is not readable and has bytes is
 *   either not in the set, or has an edge there. Each queue with a waiting operation is in the set,
 *   or among at most KERNEL_DIRECT that are tried each time and put in before the thread sleeps:
 *   no wake-up is lost.
 *
 * The epoll set is the libOS's own, nested in the instance's as EPOLLONESHOT: whatever is harvested
 * there, edges are only ever taken here.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef LIBOS_KERNEL_H
#define LIBOS_KERNEL_H

#include "libos/libos.h"
#include <stddef.h>

extern const struct libos_class kernel_class;

/* Of the class: what hinders it. */
void kernel_examine(const struct config *c, struct findings *found);

enum {
	KERNEL_BATCH = 64,         /* edges taken, and queues served, in one poll() */
	KERNEL_DIRECT = 2,         /* queues whose recv is tried in each poll() */
	KERNEL_DIRECT_TRIES = 4,   /* each, when the runtime is patient */
	KERNEL_DIRECT_ROUNDS = 32, /* then, poll()s between two looks at the epoll set */
	KERNEL_DIRECT_CALM = 64,   /* messages got so until a queue leaves the epoll set */
	/* Asked for in one recv of a stream: what fits a buffer of the small class, which then
	 * needs no copy; behind a message that filled one, more. */
	KERNEL_SMALL_BYTES = HEAP_SMALL_ROOM - BUF_HEADROOM_BYTES,
	KERNEL_RECV_BYTES = 65536, /* holds any datagram, too */
	KERNEL_COPY_BYTES = 16384, /* messages up to here move to a buffer of their size */
	KERNEL_DRAIN_CALLS = 64,   /* recvs of KERNEL_RECV_BYTES that discard, per look */
	KERNEL_LINGERING = 1024,   /* closed connections with bytes on their way: beyond, the
				      kernel goes on alone at once */
	/* Between two polls while something is ready: what one poll finds, each with an answer.
	 * The kernel goes on without us, and a look costs the same whatever it finds. */
	KERNEL_WAITS = 2 * KERNEL_BATCH,
	KERNEL_ACCEPT_TRIES = 16, /* connections found dead already, in one accept */
};

#define KERNEL_RETRY_NS UINT64_C(1000000)    /* when the kernel is short of memory */
#define KERNEL_TEND_NS  UINT64_C(100000000)  /* between two looks at closed connections */
#define KERNEL_HOLD_NS  UINT64_C(2000000000) /* then the kernel goes on alone */

/* What the program said of SO_REUSEADDR. */
enum kernel_reuse { REUSE_AUTO, REUSE_OFF, REUSE_ON };

struct kernel {
	struct libos libos;
	struct libos_env env;
	size_t
	    queue_bytes;  /* of a queue: a libOS made from this one embeds ours first in its own */
	int socket_flags; /* of socket(2) and accept4(2) */
	int epoll_fd;
	bool nested;         /* epoll_fd is in the instance's set */
	bool lingering_edge; /* a lingering queue had an edge */
	struct list queues;
	struct list ready;     /* have an operation that may go on now */
	struct list waiting;   /* have a pop that found nothing */
	struct list stalled;   /* no edge will come: tried again at retry_ns */
	struct list lingering; /* closing, with bytes on their way */
	unsigned waiting_count, lingering_count;
	unsigned registered;       /* queues in the epoll set */
	unsigned rounds;           /* of direct polling since the last look at the set */
	uint64_t retry_ns;         /* 0: to be set */
	uint64_t tend_ns;          /* when lingering queues are looked at without an edge */
	struct buf *small, *spare; /* for the next recv: KERNEL_SMALL_BYTES, KERNEL_RECV_BYTES */
	struct kernel_queue *next; /* for the next accept, or NULL */
};

struct kernel_queue {
	struct queue queue;
	int fd;
	bool registered; /* in the epoll set */
	uint8_t direct;  /* registered: messages that recv found, and no edge, since */
	bool readable, writable;
	bool edge;        /* lingering: an edge came */
	bool hup;         /* the peer's end, or an error, is or was there: only recv knows when */
	bool urgent;      /* urgent data: a short recv does not mean empty */
	bool established; /* a TCP connection */
	bool large;       /* the last message was more than KERNEL_SMALL_BYTES */
	bool eof;         /* recv said 0 */
	bool fin_wanted;  /* shut down the sending side behind the pending pushes */
	bool fin_sent;
	bool closed;    /* by the runtime: freed when its bytes are out */
	bool linger_on; /* SO_LINGER */
	int linger_s;
	enum kernel_reuse reuse;
	int error;                 /* the connection broke: each later operation fails so */
	struct operation_list in;  /* pops or accepts */
	struct operation_list out; /* pushes or a connect */
	struct list ready, waiting, stalled, lingering;
	/* What follows is of no message: KERNEL_QUEUE_HOT_BYTES. */
	struct list all;
	struct operation *close_op;
	uint64_t deadline_ns; /* lingering; 0: to be set */
	struct buf *rest;     /* of a datagram, behind a sized pop */
	uint8_t *rest_data;
	uint32_t rest_len;
	struct endpoint rest_from;
};

#define KERNEL_QUEUE_HOT_BYTES offsetof(struct kernel_queue, all)

static inline struct kernel *kernel_of(const struct queue *queue)
{
	return container_of(queue->libos, struct kernel, libos);
}

static inline struct kernel_queue *kernel_queue_of(struct queue *queue)
{
	return container_of(queue, struct kernel_queue, queue);
}

/* kernel_ready.c: who may go on. */

/* Puts q into the epoll set, if it is not there. Should the kernel refuse, q is stalled. */
void kernel_register(struct kernel *k, struct kernel_queue *q);

/* Takes q, which is there, out of the epoll set. */
void kernel_unregister(struct kernel *k, struct kernel_queue *q);

/* Takes edges from the epoll set, waiting at most timeout_ms. */
void kernel_harvest(struct kernel *k, int timeout_ms);

/* Puts q on the lists where its operations and what is known of its descriptor want it. To be
 * called after each change of them. */
void kernel_settle(struct kernel *k, struct kernel_queue *q);

/* Puts q, which has a pop and is known to be empty, among those that wait. */
void kernel_wait_for_bytes(struct kernel *k, struct kernel_queue *q);

/* No edge will tell when q may go on. */
void kernel_stall(struct kernel *k, struct kernel_queue *q);

/* Takes q off all lists but `all`. */
void kernel_unlist(struct kernel *k, struct kernel_queue *q);

/* Goes on with q: at most one operation each way is finished. Returns how many. */
unsigned kernel_serve(struct kernel *k, struct kernel_queue *q, struct operation_list *done);

/* Tries the first pop of q, which waits: as kernel_serve(), when nothing is known of q. */
unsigned kernel_try_waiting(struct kernel *k, struct kernel_queue *q, struct operation_list *done);

/* kernel.c */

/* Fills in what is zero. 0 or -errno. */
int kernel_init(struct kernel *k, const struct libos_class *class, const struct libos_env *env);

/* As libos_class.destroy, but for k's own memory. */
void kernel_fini(struct kernel *k, uint64_t linger_ns);

/* Of the class. */
void kernel_forked(struct libos *libos);
int kernel_socket(struct libos *libos, enum queue_type type, struct queue **out);
int kernel_bind(struct queue *queue, const struct endpoint *local);
int kernel_listen(struct queue *queue, int backlog);
int kernel_getpeername(struct queue *queue, struct endpoint *peer);
int kernel_getsockname(struct queue *queue, struct endpoint *local);
uint64_t kernel_next_deadline(struct libos *libos);

/* While there are stalled queues: whether to try them now, every KERNEL_RETRY_NS. */
bool kernel_retry_due(struct kernel *k, uint64_t now_ns);

/* Puts the epoll set into the instance's, for one wake-up. The kernel looks at the set's state in
 * doing so: an edge that came meanwhile wakes at once. 0, -EAGAIN. */
int kernel_nest(struct kernel *k);

/* A queue without a descriptor, on no list but k->queues, or NULL. */
struct kernel_queue *kernel_queue_new(struct kernel *k, enum queue_type type);

/* Closes the descriptor, gives the memory back. */
void kernel_queue_free(struct kernel *k, struct kernel_queue *q);

/* A message of n > 0 bytes in k->spare, for the program: a reference, never NULL. */
struct buf *kernel_take(struct kernel *k, size_t n);

/* The buffers to receive into, or NULL. */
static inline struct buf *kernel_small(struct kernel *k)
{
	if (__builtin_expect(k->small == NULL, 0))
		k->small = heap_alloc(k->env.heap, KERNEL_SMALL_BYTES);
	return k->small;
}

static inline struct buf *kernel_spare(struct kernel *k)
{
	if (__builtin_expect(k->spare == NULL, 0))
		k->spare = heap_alloc(k->env.heap, KERNEL_RECV_BYTES);
	return k->spare;
}

/* kernel_tcp.c and kernel_udp.c: one try each. 0: finished; -EAGAIN: an edge will tell, readable or
 * writable is false; -ENOBUFS: try again later; another -errno: the operation has failed. */
int kernel_tcp_accept(struct kernel_queue *q, struct operation *op);
int kernel_tcp_connect(struct kernel_queue *q, struct operation *op);
int kernel_tcp_receive(struct kernel_queue *q, struct operation *op);
int kernel_tcp_send(struct kernel_queue *q, struct operation *op);
int kernel_udp_connect(struct kernel_queue *q, struct operation *op);
int kernel_udp_receive(struct kernel_queue *q, struct operation *op);
int kernel_udp_send(struct kernel_queue *q, struct operation *op);

/* What a new TCP socket has set, from the configuration. Inherited by what it accepts. */
int kernel_tcp_configure(const struct kernel_queue *q, const struct config *config);
int kernel_tcp_bind(struct kernel_queue *q, const struct sockaddr_in *sin);
int kernel_tcp_listen(struct kernel_queue *q, int backlog);

/* Before a bound socket connects: see kernel_tcp_bind(). */
void kernel_tcp_reuse_later(const struct kernel_queue *q);

/* The kernel says that a connect has succeeded. 0 or -errno. */
int kernel_tcp_connected(struct kernel_queue *q);

/* Errno `err` of a connection: it is broken. The -errno that each later operation fails with. */
int kernel_tcp_broken(struct kernel_queue *q, int err);

/* Errno `err` of accept: of the connection that was to be accepted, not of the listener? */
bool kernel_tcp_is_of_the_peer(int err);

/* Errno `err` of accept, as the operation's -errno; -EAGAIN: none there. */
int kernel_tcp_accept_failed(struct kernel_queue *q, int err);

/* Dissolves a connection, or the attempt at one; the address stays bound. */
void kernel_tcp_disconnect(int fd);

/* What an accepted connection has of its listener and is told of. */
void kernel_tcp_adopt(struct kernel_queue *child, const struct kernel_queue *listener, int fd);

/* kernel_close.c */
void kernel_close(struct queue *queue);
int kernel_close_async(struct operation *op);
int kernel_shutdown(struct queue *queue, int how);

/* As kernel_shutdown(), where nobody waits for edges. */
int kernel_shutdown_socket(struct kernel_queue *q, int how);

/* The next close(2) of fd resets the connection. */
void kernel_reset_on_close(int fd);

/* Shuts the sending side down, once its pushes are out. */
void kernel_fin(struct kernel_queue *q);

/* Looks at the lingering queues that had an edge or whose time is up; every KERNEL_TEND_NS, at all.
 * Returns how many were finished. */
unsigned kernel_tend(struct kernel *k, struct operation_list *done, uint64_t now_ns);
uint64_t kernel_tend_deadline(const struct kernel *k);

/* Delivers what was accepted for at most linger_ns, and frees all queues. */
void kernel_flush(struct kernel *k, uint64_t linger_ns);

/* kernel_option.c */
int kernel_setsockopt(struct queue *queue, int level, int name, const void *val, uint32_t len);
int kernel_getsockopt(struct queue *queue, int level, int name, void *val, uint32_t *len);

#endif
