/* kernel_ready.c - catnap: which queues may go on, and how they are told.
 *
 * SPDX-License-Identifier: MIT
 */
#include "libos/kernel.h"
#include <errno.h>
#include <sys/epoll.h>

/* On the list if `want`, else not. */
static void list_want(struct list *head, struct list *item, bool want)
{
	if (want == !list_empty(item))
		return;
	if (want)
		list_add_tail(head, item);
	else
		list_del(item);
}

void kernel_stall(struct kernel *k, struct kernel_queue *q)
{
	list_add_once(&k->stalled, &q->stalled);
}

void kernel_register(struct kernel *k, struct kernel_queue *q)
{
	struct epoll_event ev = {
	    .events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLPRI | EPOLLET,
	    .data.ptr = q,
	};

	if (q->registered)
		return;
	if (epoll_ctl(k->epoll_fd, EPOLL_CTL_ADD, q->fd, &ev) != 0) {
		kernel_stall(k, q); /* ENOMEM, or ENOSPC: the user's limit of watches */
		return;
	}
	q->registered = true;
	q->direct = 0;
	k->registered++;
}

void kernel_unregister(struct kernel *k, struct kernel_queue *q)
{
	epoll_ctl(k->epoll_fd, EPOLL_CTL_DEL, q->fd, NULL);
	q->registered = false;
	k->registered--;
}

/* What the edges of a batch are about lies anywhere in memory when there are many queues. */
static void prefetch(const struct epoll_event *events, int n)
{
	for (int i = 0; i < n; i++) {
		const char *q = events[i].data.ptr;

		for (size_t line = 0; line < KERNEL_QUEUE_HOT_BYTES; line += 64)
			__builtin_prefetch(q + line);
	}
}

static void on_edge(struct kernel *k, struct kernel_queue *q, uint32_t events)
{
	if (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR))
		q->hup = true;
	if (events & EPOLLPRI)
		q->urgent = true;
	if (events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR))
		q->readable = true;
	if (events & (EPOLLOUT | EPOLLHUP | EPOLLERR))
		q->writable = true;
	if (!list_empty(&q->lingering)) {
		/* To the front: there kernel_tend() looks for edges. */
		q->edge = true;
		k->lingering_edge = true;
		list_del(&q->lingering);
		list_add_head(&k->lingering, &q->lingering);
	}
	kernel_settle(k, q);
}

void kernel_harvest(struct kernel *k, int timeout_ms)
{
	struct epoll_event events[KERNEL_BATCH];
	int n = epoll_wait(k->epoll_fd, events, KERNEL_BATCH, timeout_ms);

	k->rounds = 0;
	prefetch(events, n);
	for (int i = 0; i < n; i++)
		on_edge(k, events[i].data.ptr, events[i].events);
}

/* There are too many to be tried directly. */
static void wait_for_edges(struct kernel *k, struct kernel_queue *q)
{
	struct list *pos;

	if (k->waiting_count > KERNEL_DIRECT + 1) {
		kernel_register(k, q);
		return;
	}
	/* Until now there were not. */
	list_for_each (pos, &k->waiting)
		kernel_register(k, list_entry(pos, struct kernel_queue, waiting));
}

void kernel_wait_for_bytes(struct kernel *k, struct kernel_queue *q)
{
	list_add_tail(&k->waiting, &q->waiting);
	if (++k->waiting_count > KERNEL_DIRECT)
		wait_for_edges(k, q);
}

static void wait_no_more(struct kernel *k, struct kernel_queue *q)
{
	if (list_empty(&q->waiting))
		return;
	list_del(&q->waiting);
	k->waiting_count--;
}

void kernel_settle(struct kernel *k, struct kernel_queue *q)
{
	bool in = q->in.head != NULL, out = q->out.head != NULL;
	bool ready = (in && q->readable) || (out && q->writable);

	list_want(&k->ready, &q->ready, ready);
	if (!in || q->readable || q->queue.listening)
		wait_no_more(k, q);
	else if (list_empty(&q->waiting))
		kernel_wait_for_bytes(k, q);
	if ((out && !q->writable) || (in && !q->readable && q->queue.listening))
		kernel_register(k, q);
}

void kernel_unlist(struct kernel *k, struct kernel_queue *q)
{
	wait_no_more(k, q);
	list_del(&q->ready);
	list_del(&q->stalled);
	if (!list_empty(&q->lingering)) {
		list_del(&q->lingering);
		k->lingering_count--;
	}
}

static int try_in(struct kernel_queue *q, struct operation *op)
{
	if (op->opcode == DEMI_OPC_ACCEPT)
		return kernel_tcp_accept(q, op);
	return q->queue.type == QUEUE_TCP ? kernel_tcp_receive(q, op) : kernel_udp_receive(q, op);
}

static int try_out(struct kernel_queue *q, struct operation *op)
{
	if (op->opcode == DEMI_OPC_CONNECT)
		return kernel_tcp_connect(q, op);
	return q->queue.type == QUEUE_TCP ? kernel_tcp_send(q, op) : kernel_udp_send(q, op);
}

/* op is the first of `from`. */
static unsigned finish(struct kernel *k, struct kernel_queue *q, struct operation_list *from,
		       struct operation *op, int rc, struct operation_list *done)
{
	if (rc == -EAGAIN)
		return 0;
	if (rc == -ENOBUFS) {
		kernel_stall(k, q);
		return 0;
	}
	operation_list_pop(from);
	op->error = rc;
	operation_list_add(done, op);
	return 1;
}

/* What a message costs in the way of one that is waited for: kept short. */
unsigned kernel_try_waiting(struct kernel *k, struct kernel_queue *q, struct operation_list *done)
{
	struct operation *op = q->in.head;
	int rc = q->queue.type == QUEUE_TCP ? kernel_tcp_receive(q, op) : kernel_udp_receive(q, op);

	if (rc == -EAGAIN) {
		if (q->readable)
			kernel_settle(k, q);
		return 0;
	}
	operation_list_pop(&q->in);
	op->error = rc;
	operation_list_add(done, op);
	/* Nobody looks at its edges, and the sender pays for each. */
	if (q->registered && ++q->direct >= KERNEL_DIRECT_CALM && q->out.head == NULL)
		kernel_unregister(k, q);
	if (q->in.head == NULL)
		wait_no_more(k, q);
	else
		kernel_settle(k, q);
	return 1;
}

unsigned kernel_serve(struct kernel *k, struct kernel_queue *q, struct operation_list *done)
{
	struct operation *in = q->in.head, *out = q->out.head;
	unsigned n = 0;

	if (in != NULL && q->readable)
		n += finish(k, q, &q->in, in, try_in(q, in), done);
	if (out != NULL && q->writable) {
		n += finish(k, q, &q->out, out, try_out(q, out), done);
		if (q->out.head == NULL && q->fin_wanted)
			kernel_fin(q);
	}
	kernel_settle(k, q);
	return n;
}
