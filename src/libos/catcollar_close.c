/* catcollar_close.c - catcollar: taking back what the kernel was asked for. Then the queue is as
 * one of catnap's, and closed as one: kernel_close.c.
 *
 * SPDX-License-Identifier: MIT
 */
#include "libos/catcollar_queue.h"
#include <errno.h>

/* Pushes that waited for company were accepted for sending as much as any. One that is sent at once
 * makes room for the next: for as many of them as the socket takes. */
void catcollar_flush(struct queue *queue)
{
	struct catcollar_queue *q = catcollar_queue_of(queue);
	struct catcollar *c = catcollar_of(queue);
	const struct operation *first;

	if (list_empty(&q->deferred))
		return;
	list_del(&q->deferred);
	catcollar_send_next(c, q);
	do {
		first = q->kernel.out.head;
		catcollar_submit(c);
	} while (q->kernel.out.head != NULL && q->kernel.out.head != first);
}

static void forget_result(struct operation *op)
{
	if (op->error != 0)
		return;
	if (op->opcode == DEMI_OPC_POP)
		buf_unref(op->pop.buf);
	if (op->opcode == DEMI_OPC_ACCEPT)
		catcollar_close(op->accept.queue);
}

/* What finished and was not handed back yet; of all queues: q is NULL. */
static void forget_finished(struct catcollar *c, const struct queue *q)
{
	struct operation_list all = c->finished;
	struct operation *op;

	if (all.head == NULL)
		return;
	operation_list_init(&c->finished);
	while ((op = operation_list_pop(&all)) != NULL) {
		if (q == NULL || op->queue == q)
			forget_result(op);
		else
			operation_list_add(&c->finished, op);
	}
}

static void forget_operations(struct catcollar_queue *q)
{
	operation_list_init(&q->kernel.in);
	operation_list_init(&q->kernel.out);
	list_del(&q->deferred);
	list_del(&q->unarmed);
	list_del(&q->kernel.stalled);
}

void catcollar_close_further(struct catcollar *c, struct catcollar_queue *q)
{
	catcollar_drop_ahead(q);
	if (q->flights != 0)
		return;
	catcollar_drop_accepted(c, q);
	catcollar_disown_lent(c, q);
	if (q->dying)
		c->dying_count--;
	q->dying = false;
	kernel_close(&q->kernel.queue);
}

void catcollar_close(struct queue *queue)
{
	struct catcollar_queue *q = catcollar_queue_of(queue);
	struct catcollar *c = catcollar_of(queue);

	forget_finished(c, queue);
	forget_operations(q);
	catcollar_disown_lent(c, q);
	if (!catcollar_recall(c, q, FLIGHT_IN | FLIGHT_OUT)) {
		q->dying = true;
		c->dying_count++;
	}
	catcollar_close_further(c, q);
}

int catcollar_close_async(struct operation *op)
{
	struct catcollar_queue *q = catcollar_queue_of(op->queue);
	struct catcollar *c = catcollar_of(op->queue);

	catcollar_flush(op->queue);
	catcollar_recall(c, q, FLIGHT_IN);
	catcollar_drop_ahead(q);
	return kernel_close_async(op);
}

int catcollar_shutdown(struct queue *queue, int how)
{
	return kernel_shutdown_socket(kernel_queue_of(queue), how);
}

static int cancel_connect(struct catcollar *c, struct catcollar_queue *q, struct operation *op)
{
	if (!operation_list_remove(&q->kernel.out, op))
		return -EALREADY;
	catcollar_recall(c, q, FLIGHT_OUT);
	kernel_tcp_disconnect(q->kernel.fd);
	return 0;
}

/* -EBUSY: it is on its way; -EALREADY: it has arrived. */
static int cancel_push(struct catcollar *c, struct catcollar_queue *q, struct operation *op)
{
	if (q->kernel.out.head == op && (q->flights & FLIGHT_OUT)) {
		q->held = true;
		catcollar_recall(c, q, FLIGHT_OUT);
		q->held = false;
	}
	if (op->push.sent > 0) {
		bool going = q->kernel.out.head == op;

		catcollar_send_next(c, q);
		return going ? -EBUSY : -EALREADY;
	}
	if (!operation_list_remove(&q->kernel.out, op))
		return -EALREADY;
	catcollar_send_next(c, q);
	return 0;
}

int catcollar_cancel(struct operation *op)
{
	struct catcollar_queue *q = catcollar_queue_of(op->queue);
	struct catcollar *c = catcollar_of(op->queue);

	switch (op->opcode) {
	case DEMI_OPC_CLOSE:
		q->kernel.close_op = NULL;
		return 0;
	case DEMI_OPC_CONNECT:
		return cancel_connect(c, q, op);
	case DEMI_OPC_PUSH:
		return cancel_push(c, q, op);
	default:
		return operation_list_remove(&q->kernel.in, op) ? 0 : -EALREADY;
	}
}

static struct catcollar_queue *at(struct list *pos)
{
	return container_of(list_entry(pos, struct kernel_queue, all), struct catcollar_queue,
			    kernel);
}

static bool is_anything_out(const struct catcollar *c)
{
	struct list *pos;

	list_for_each (pos, &c->kernel.queues) {
		if (at(pos)->flights != 0)
			return true;
	}
	return false;
}

static void ask_all_back(struct catcollar *c)
{
	struct io_uring_sqe *sqe = catcollar_ask(c);

	if (sqe == NULL)
		return;
	io_uring_prep_cancel64(sqe, 0, IORING_ASYNC_CANCEL_ANY | IORING_ASYNC_CANCEL_ALL);
	catcollar_label(sqe, NULL, ASK_NOTHING);
}

/* The first listener that has connections, or NULL. */
static struct catcollar_queue *next_listener(const struct catcollar *c)
{
	struct list *pos;

	list_for_each (pos, &c->kernel.queues) {
		if (at(pos)->accepted_count > 0)
			return at(pos);
	}
	return NULL;
}

void catcollar_retire_all(struct catcollar *c)
{
	struct catcollar_queue *q;
	struct list *pos;

	catcollar_send_deferred(c);
	catcollar_submit(c);
	forget_finished(c, NULL);
	list_for_each (pos, &c->kernel.queues) {
		forget_operations(at(pos));
		catcollar_disown_lent(c, at(pos));
	}
	for (unsigned looks = 0; is_anything_out(c) && looks < CATCOLLAR_RECALLS; looks++) {
		ask_all_back(c);
		catcollar_submit(c);
	}
	list_for_each (pos, &c->kernel.queues)
		catcollar_drop_ahead(at(pos));
	while ((q = next_listener(c)) != NULL)
		catcollar_drop_accepted(c, q);
}
