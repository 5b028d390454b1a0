/* libos.h - one way to carry bytes, as a vtable: kernel sockets, io_uring, our own stack, memory.
 *
 * The runtime checks arguments and socket states (bound, listening, connected ...: they are in
 * struct queue and kept by it), so a libOS gets only calls that make sense. It is given operations
 * and hands them back finished: at once, by returning 0, or later from poll(). It calls nothing of
 * the runtime.
 *
 * Errors are 0 or -errno throughout. A libOS belongs to one thread. No call blocks.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef LIBOS_LIBOS_H
#define LIBOS_LIBOS_H

#include "base/endpoint.h"
#include "base/list.h"
#include "demi/types.h"
#include "mem/buf.h"
#include "mem/heap.h"
#include <stdbool.h>
#include <stdint.h>

struct config;   /* base/config.h */
struct findings; /* base/finding.h */
struct libos;
struct libos_class;
struct operation;

enum queue_type { QUEUE_TCP, QUEUE_UDP, QUEUE_MEMORY };

/* What a descriptor stands for. Each libOS embeds it first in a structure of its own, and zeroes
 * the rest of it. */
struct queue {
	struct libos *libos; /* the libOS sets this, and type, when it makes a queue */
	enum queue_type type;
	/* The runtime's: */
	int32_t qd;
	bool bound, listening, connecting, connected, closing;
	bool reuse_port;
	struct list operations; /* those pending */
};

/* One operation, given to the libOS until it is finished. The libOS may link it by `next`; the
 * union's in-parts are set, its out-parts zero. */
struct operation {
	enum demi_opcode opcode; /* PUSH, POP, ACCEPT, CONNECT or CLOSE */
	int error;               /* out: 0 or -errno */
	struct queue *queue;
	struct operation *next; /* the libOS's while it has the operation */
	union {
		struct {
			struct buf *buf; /* a reference, dropped by the runtime when the operation
					    is finished */
			const uint8_t *data; /* inside buf */
			uint32_t len;
			uint32_t sent; /* the libOS's progress */
			bool has_to;
			struct endpoint to; /* with has_to: the destination of this datagram */
			uint64_t mark;      /* the libOS's note */
		} push;
		struct {
			uint32_t max_bytes; /* at most so many; UINT32_MAX: whatever is there */
			struct buf *
			    buf; /* out: a reference, given to the runtime; on success never NULL */
			uint8_t *data; /* out: the message, inside buf: two results may share one
					  buffer */
			uint32_t len;  /* out: 0 on a stream is its end */
			struct endpoint from; /* out, datagrams: the sender */
		} pop;
		struct {
			struct queue *queue;  /* out: the new connection, given to the runtime */
			struct endpoint peer; /* out */
		} accept;
		struct {
			struct endpoint to;
		} connect;
	};
};

/* A chain of operations through `next`, in order of completion. */
struct operation_list {
	struct operation *head, **tail;
};

static inline void operation_list_init(struct operation_list *l)
{
	l->head = NULL;
	l->tail = &l->head;
}

static inline void operation_list_add(struct operation_list *l, struct operation *op)
{
	op->next = NULL;
	*l->tail = op;
	l->tail = &op->next;
}

/* The first of a chain taken off, or NULL. */
static inline struct operation *operation_list_pop(struct operation_list *l)
{
	struct operation *op = l->head;

	if (op == NULL)
		return NULL;
	l->head = op->next;
	if (l->head == NULL)
		l->tail = &l->head;
	return op;
}

/* Moves all of `from` behind `to`. */
static inline void operation_list_splice(struct operation_list *to, struct operation_list *from)
{
	if (!from->head)
		return;
	*to->tail = from->head;
	to->tail = from->tail;
	operation_list_init(from);
}

/* Takes `op` out of the chain. false: it is not in it. */
static inline bool operation_list_remove(struct operation_list *l, struct operation *op)
{
	for (struct operation **p = &l->head; *p != NULL; p = &(*p)->next) {
		if (*p != op)
			continue;
		*p = op->next;
		if (*p == NULL)
			l->tail = p;
		return true;
	}
	return false;
}

/* What a libOS is made with; all borrowed for its life. */
struct libos_env {
	const struct config *config;
	struct heap *heap; /* messages for the program */
	int epoll_fd;      /* the instance's: a libOS that is woken by descriptors adds them here
			    * (EPOLLET), data.ptr is its own */
	struct findings *found; /* gets why it could not be made, where only the attempt shows it;
				   NULL: nobody asks */
};

struct libos_class {
	const char *name;        /* as in LIBOS */
	uint64_t heap_bytes_max; /* a device pins the heap: it is no larger, whatever is configured;
				    0: any */
	uint8_t waits_unpolled_max; /* so many waits may be served from what is ready before poll()
				       is called; 0: as the runtime likes */

	/* Whether this build and machine have it at all; NULL: they do. Only for messages: it may
	 * be slow. */
	bool (*present)(void);
	/* 0, or -errno: why not is in env->found, or found out by examine(). */
	int (*create)(struct libos **out, const struct libos_env *env);
	/* Adds what hinders it on this machine with this configuration, and what would make it do
	 * better; changes nothing. Errors are what create() fails of. */
	void (*examine)(const struct config *, struct findings *);
	/* Delivers what was accepted, for at most linger_ns (0: not at all), then drops all queues
	 * and frees. */
	void (*destroy)(struct libos *, uint64_t linger_ns);
	/* In the child of a fork: closes descriptors, says nothing to any peer, frees nothing. */
	void (*forked)(struct libos *);

	int (*socket)(struct libos *, enum queue_type type, struct queue **out);
	int (*bind)(struct queue *, const struct endpoint *local);
	int (*listen)(struct queue *, int backlog);
	/* Each: 0: finished, its out-parts and error are set (error may be an errno: FAILED);
	 * -EINPROGRESS: pending, it will come back from poll() or close(); another -errno: refused,
	 * it was never started. */
	int (*accept)(struct operation *);
	int (*connect)(struct operation *);
	int (*push)(struct operation *);
	int (*pop)(struct operation *);
	int (*close_async)(struct operation *);
	/* Gives a pending operation back, unfinished. -EBUSY: a push that has begun to go out. */
	int (*cancel)(struct operation *);
	int (*shutdown)(struct queue *, int how);
	/* Before close(): sends what waits for company, and sets `news` where that finished
	 * something. NULL: nothing ever waits. */
	void (*flush)(struct queue *);
	/* Frees the queue; what was accepted is still sent. Pending operations were cancelled by
	 * the runtime before, or are the runtime's again without a word: the libOS forgets them. */
	void (*close)(struct queue *);
	int (*setsockopt)(struct queue *, int level, int name, const void *val, uint32_t len);
	int (*getsockopt)(struct queue *, int level, int name, void *val, uint32_t *len);
	int (*getpeername)(struct queue *, struct endpoint *);
	int (*getsockname)(struct queue *, struct endpoint *);

	/* Moves bytes: finished operations are added to `done`. Returns how much happened, 0:
	 * nothing. A burst at most. */
	int (*poll)(struct libos *, struct operation_list *done, uint64_t now_ns);
	/* When poll() has something to do without an outside event; UINT64_MAX: never. */
	uint64_t (*next_deadline)(struct libos *);
	/* Asks to be woken through the instance's epoll set. 0: armed; 1: poll again, something
	 * came; -EAGAIN: this device cannot wake, sleep in bounded steps. */
	int (*arm)(struct libos *);
	/* Sleeps until something comes for poll(), a signal, or until_ns (UINT64_MAX: for ever), in
	 * one step that misses nothing: in place of arm() and the runtime's own sleep, while no
	 * other libOS could end it. 0; -EAGAIN: not now. NULL: never. */
	int (*sleep)(struct libos *, uint64_t now_ns, uint64_t until_ns);
};

struct libos {
	const struct libos_class *class;
	bool more; /* the runtime's: it is about to hand out more that is ready, so what is sent may
		      wait for company */
	bool more_to_answer; /* the runtime's: and the next of that is no push's result, so the
				program may well push something more when it gets it */
	bool pushed; /* the libOS's: the program has pushed something since a wait gave it a result;
			the runtime clears it then */
	bool news;   /* there is something to do that need not wait for a device to be looked at:
			the runtime calls poll() before it looks for what is ready, with now_ns 0 */
	bool patient; /* the runtime's: nothing happened in the last poll(), and if nothing does
			 now the next follows at once, so this one may look several times */
};

#endif
