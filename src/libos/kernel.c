/* kernel.c - catnap: making and ending an instance, and what its operations have in common.
 *
 * SPDX-License-Identifier: MIT
 */
#include "libos/kernel.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

int kernel_init(struct kernel *k, const struct libos_class *class, const struct libos_env *env)
{
	k->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (k->epoll_fd < 0)
		return -errno;
	k->libos.class = class;
	k->env = *env;
	k->queue_bytes = sizeof(struct kernel_queue);
	k->socket_flags = SOCK_NONBLOCK | SOCK_CLOEXEC;
	list_init(&k->queues);
	list_init(&k->ready);
	list_init(&k->waiting);
	list_init(&k->stalled);
	list_init(&k->lingering);
	return 0;
}

static int kernel_create(struct libos **out, const struct libos_env *env)
{
	struct kernel *k = calloc(1, sizeof(*k));
	int rc;

	if (k == NULL)
		return -ENOMEM;
	rc = kernel_init(k, &kernel_class, env);
	if (rc < 0) {
		free(k);
		return rc;
	}
	*out = &k->libos;
	return 0;
}

void kernel_fini(struct kernel *k, uint64_t linger_ns)
{
	if (k->next != NULL)
		kernel_queue_free(k, k->next);
	kernel_flush(k, linger_ns);
	if (k->small != NULL)
		buf_unref(k->small);
	if (k->spare != NULL)
		buf_unref(k->spare);
	close(k->epoll_fd);
}

static void kernel_destroy(struct libos *libos, uint64_t linger_ns)
{
	struct kernel *k = container_of(libos, struct kernel, libos);

	kernel_fini(k, linger_ns);
	free(k);
}

/* The epoll set is shared with the parent: nothing may be taken out of it. Nor may a connection be
 * shut down: it is the parent's. */
void kernel_forked(struct libos *libos)
{
	struct kernel *k = container_of(libos, struct kernel, libos);
	struct list *pos;

	list_for_each (pos, &k->queues) {
		struct kernel_queue *q = list_entry(pos, struct kernel_queue, all);

		if (q->fd >= 0)
			close(q->fd);
	}
	close(k->epoll_fd);
}

struct kernel_queue *kernel_queue_new(struct kernel *k, enum queue_type type)
{
	struct kernel_queue *q = calloc(1, k->queue_bytes);

	if (q == NULL)
		return NULL;
	q->queue.libos = &k->libos;
	q->queue.type = type;
	q->fd = -1;
	q->readable = true;
	q->writable = true;
	operation_list_init(&q->in);
	operation_list_init(&q->out);
	list_init(&q->ready);
	list_init(&q->waiting);
	list_init(&q->stalled);
	list_init(&q->lingering);
	list_add_tail(&k->queues, &q->all);
	return q;
}

void kernel_queue_free(struct kernel *k, struct kernel_queue *q)
{
	kernel_unlist(k, q);
	/* By hand: while a child of a fork holds a copy of the descriptor, closing ours leaves it
	 * in the set. */
	if (q->registered)
		kernel_unregister(k, q);
	/* Such a copy would go on listening, too, and keep the address. */
	if (q->queue.listening)
		shutdown(q->fd, SHUT_RDWR);
	if (q->fd >= 0)
		close(q->fd);
	if (q->rest != NULL)
		buf_unref(q->rest);
	list_del(&q->all);
	free(q);
}

int kernel_socket(struct libos *libos, enum queue_type type, struct queue **out)
{
	struct kernel *k = container_of(libos, struct kernel, libos);
	int sock = type == QUEUE_TCP ? SOCK_STREAM : SOCK_DGRAM;
	struct kernel_queue *q = kernel_queue_new(k, type);
	int rc;

	if (q == NULL)
		return -ENOMEM;
	q->fd = socket(AF_INET, sock | k->socket_flags, 0);
	if (q->fd < 0) {
		rc = errno == ENFILE ? -EMFILE : errno == ENOBUFS ? -ENOMEM : -errno;
		goto fail;
	}
	rc = type == QUEUE_TCP ? kernel_tcp_configure(q, k->env.config) : 0;
	if (rc != 0)
		goto fail;
	*out = &q->queue;
	return 0;
fail:
	kernel_queue_free(k, q);
	return rc;
}

int kernel_bind(struct queue *queue, const struct endpoint *local)
{
	struct kernel_queue *q = kernel_queue_of(queue);
	struct sockaddr_in sin = endpoint_to_sockaddr_in(local);

	if (queue->type == QUEUE_TCP)
		return kernel_tcp_bind(q, &sin);
	return bind(q->fd, (struct sockaddr *)&sin, sizeof(sin)) == 0 ? 0 : -errno;
}

int kernel_listen(struct queue *queue, int backlog)
{
	return kernel_tcp_listen(kernel_queue_of(queue), backlog);
}

struct buf *kernel_take(struct kernel *k, size_t n)
{
	struct buf *b = k->spare;

	if (n <= KERNEL_COPY_BYTES) {
		struct buf *fit = heap_alloc(k->env.heap, n);

		if (fit != NULL) {
			memcpy(fit->data, b->data, n);
			return fit;
		}
	}
	/* The rest of it is wasted, at most three quarters unless memory is short. */
	b->len = (uint32_t)n;
	k->spare = NULL;
	return b;
}

/* Behind others, an operation changes nothing. */
static int queue_behind(struct operation_list *list, struct operation *op)
{
	operation_list_add(list, op);
	return -EINPROGRESS;
}

/* The first of its queue waits for an edge. */
static int pend(struct kernel_queue *q, struct operation_list *list, struct operation *op)
{
	operation_list_add(list, op);
	kernel_settle(kernel_of(&q->queue), q);
	return -EINPROGRESS;
}

/* What a first try came to. */
static int tried(struct kernel_queue *q, struct operation_list *list, struct operation *op, int rc)
{
	if (rc == -ENOBUFS)
		kernel_stall(kernel_of(&q->queue), q);
	if (rc == -EAGAIN || rc == -ENOBUFS)
		return pend(q, list, op);
	op->error = rc;
	return 0;
}

static int kernel_accept(struct operation *op)
{
	struct kernel_queue *q = kernel_queue_of(op->queue);

	if (q->in.head != NULL)
		return queue_behind(&q->in, op);
	if (!q->readable)
		return pend(q, &q->in, op);
	return tried(q, &q->in, op, kernel_tcp_accept(q, op));
}

static int kernel_connect(struct operation *op)
{
	struct kernel_queue *q = kernel_queue_of(op->queue);

	if (op->queue->type == QUEUE_UDP) {
		op->error = kernel_udp_connect(q, op);
		return 0;
	}
	return tried(q, &q->out, op, kernel_tcp_connect(q, op));
}

static int kernel_push(struct operation *op)
{
	struct kernel_queue *q = kernel_queue_of(op->queue);

	if (q->fin_wanted || q->fin_sent) {
		op->error = -EPIPE;
		return 0;
	}
	if (q->out.head != NULL)
		return queue_behind(&q->out, op);
	if (!q->writable)
		return pend(q, &q->out, op);
	return tried(q, &q->out, op,
		     op->queue->type == QUEUE_TCP ? kernel_tcp_send(q, op)
						  : kernel_udp_send(q, op));
}

static int kernel_pop(struct operation *op)
{
	struct kernel_queue *q = kernel_queue_of(op->queue);

	if (q->in.head != NULL)
		return queue_behind(&q->in, op);
	if (!q->readable) {
		operation_list_add(&q->in, op);
		kernel_wait_for_bytes(kernel_of(op->queue), q);
		return -EINPROGRESS;
	}
	return tried(q, &q->in, op,
		     op->queue->type == QUEUE_TCP ? kernel_tcp_receive(q, op)
						  : kernel_udp_receive(q, op));
}

static int kernel_cancel(struct operation *op)
{
	struct kernel_queue *q = kernel_queue_of(op->queue);

	if (op->opcode == DEMI_OPC_PUSH && op->push.sent > 0)
		return -EBUSY;
	if (op->opcode == DEMI_OPC_CLOSE)
		q->close_op = NULL;
	else if (!operation_list_remove(&q->in, op))
		operation_list_remove(&q->out, op);
	if (op->opcode == DEMI_OPC_CONNECT)
		kernel_tcp_disconnect(q->fd);
	kernel_settle(kernel_of(op->queue), q);
	return 0;
}

int kernel_getpeername(struct queue *queue, struct endpoint *peer)
{
	struct sockaddr_in sin;
	socklen_t len = sizeof(sin);

	if (getpeername(kernel_queue_of(queue)->fd, (struct sockaddr *)&sin, &len) != 0)
		return -errno;
	*peer = endpoint_from_sockaddr_in(&sin);
	return 0;
}

int kernel_getsockname(struct queue *queue, struct endpoint *local)
{
	struct sockaddr_in sin;
	socklen_t len = sizeof(sin);

	if (getsockname(kernel_queue_of(queue)->fd, (struct sockaddr *)&sin, &len) != 0)
		return -errno;
	*local = endpoint_from_sockaddr_in(&sin);
	return 0;
}

bool kernel_retry_due(struct kernel *k, uint64_t now_ns)
{
	if (k->retry_ns == 0)
		k->retry_ns = now_ns + KERNEL_RETRY_NS;
	if (now_ns < k->retry_ns)
		return false;
	k->retry_ns = 0;
	return true;
}

/* Queues that no edge will wake. */
static void retry_stalled(struct kernel *k)
{
	struct list *pos;

	while ((pos = list_pop(&k->stalled)) != NULL) {
		struct kernel_queue *q = list_entry(pos, struct kernel_queue, stalled);

		q->readable = true;
		q->writable = true;
		kernel_settle(k, q);
	}
}

/* The quick way: no edge, just another recv. Most find nothing, and then nothing has changed. */
static unsigned try_waiting(struct kernel *k, struct operation_list *done)
{
	unsigned tries = k->libos.patient ? KERNEL_DIRECT_TRIES : 1, n = 0;
	struct list *pos, *tmp;

	for (; tries > 0 && n == 0; tries--)
		list_for_each_safe (pos, tmp, &k->waiting) {
			struct kernel_queue *q = list_entry(pos, struct kernel_queue, waiting);

			n += kernel_try_waiting(k, q, done);
		}
	return n;
}

static unsigned serve_ready(struct kernel *k, struct operation_list *done)
{
	unsigned n = 0;

	for (unsigned i = 0; i < KERNEL_BATCH; i++) {
		struct list *first = list_pop(&k->ready);

		if (first == NULL)
			break;
		n += kernel_serve(k, list_entry(first, struct kernel_queue, ready), done);
	}
	return n;
}

/* Few waiting queues are tried one by one, with a look at the set now and then for all else. What
 * is ready already goes first, so that the ready list stays short. */
static unsigned look(struct kernel *k, struct operation_list *done)
{
	unsigned n = 0;
	bool direct = k->waiting_count > 0 && k->waiting_count <= KERNEL_DIRECT;

	if (direct)
		n = try_waiting(k, done);
	if (k->registered == 0 || !list_empty(&k->ready))
		return n;
	if (!direct || ++k->rounds >= KERNEL_DIRECT_ROUNDS)
		kernel_harvest(k, 0);
	return n;
}

static int kernel_poll(struct libos *libos, struct operation_list *done, uint64_t now_ns)
{
	struct kernel *k = container_of(libos, struct kernel, libos);
	unsigned n;

	if (!list_empty(&k->stalled) && kernel_retry_due(k, now_ns))
		retry_stalled(k);
	n = look(k, done);
	if (!list_empty(&k->ready))
		n += serve_ready(k, done);
	if (k->lingering_count > 0)
		n += kernel_tend(k, done, now_ns);
	return (int)n;
}

uint64_t kernel_next_deadline(struct libos *libos)
{
	struct kernel *k = container_of(libos, struct kernel, libos);
	uint64_t retry_ns = list_empty(&k->stalled) ? UINT64_MAX : k->retry_ns;
	uint64_t tend_ns = kernel_tend_deadline(k);

	return retry_ns < tend_ns ? retry_ns : tend_ns;
}

int kernel_nest(struct kernel *k)
{
	struct epoll_event ev = {.events = EPOLLIN | EPOLLONESHOT};
	int op = k->nested ? EPOLL_CTL_MOD : EPOLL_CTL_ADD;

	if (epoll_ctl(k->env.epoll_fd, op, k->epoll_fd, &ev) != 0)
		return -EAGAIN;
	k->nested = true;
	return 0;
}

static int kernel_arm(struct libos *libos)
{
	struct kernel *k = container_of(libos, struct kernel, libos);
	struct list *pos;

	list_for_each (pos, &k->waiting)
		kernel_register(k, list_entry(pos, struct kernel_queue, waiting));
	/* Edges that make nobody ready (an empty send buffer, say) would end the sleep at once. */
	if (k->registered > 0 && list_empty(&k->ready))
		kernel_harvest(k, 0);
	if (!list_empty(&k->ready) || k->lingering_edge)
		return 1;
	return kernel_nest(k);
}

const struct libos_class kernel_class = {
    .name = "catnap",
    .waits_unpolled_max = KERNEL_WAITS,
    .create = kernel_create,
    .examine = kernel_examine,
    .destroy = kernel_destroy,
    .forked = kernel_forked,
    .socket = kernel_socket,
    .bind = kernel_bind,
    .listen = kernel_listen,
    .accept = kernel_accept,
    .connect = kernel_connect,
    .push = kernel_push,
    .pop = kernel_pop,
    .close_async = kernel_close_async,
    .cancel = kernel_cancel,
    .shutdown = kernel_shutdown,
    .close = kernel_close,
    .setsockopt = kernel_setsockopt,
    .getsockopt = kernel_getsockopt,
    .getpeername = kernel_getpeername,
    .getsockname = kernel_getsockname,
    .poll = kernel_poll,
    .next_deadline = kernel_next_deadline,
    .arm = kernel_arm,
};
