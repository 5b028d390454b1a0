/* inet_io.c - operations on the stack's sockets: tried at once, gone on with when the stack says
 * that it is worth it.
 *
 * SPDX-License-Identifier: MIT
 */
#include "base/clock.h"
#include "libos/inet_queue.h"
#include <errno.h>

static void finish(struct inet_queue *iq, struct operation *op, int error)
{
	op->error = error;
	operation_list_add(iq->inet->done, op);
}

static void fail_all(struct inet_queue *iq, struct operation_list *l, int error)
{
	while (l->head)
		finish(iq, operation_list_pop(l), error);
}

/* A datagram is taken whole or not at all. The stack may send it from the program's memory: it is
 * over when no more references are held than before. (Should the program give its own back
 * meanwhile it is over sooner, and nobody can change the bytes.) */
static int push_datagram(struct inet_queue *iq, struct operation *op, uint64_t now_ns)
{
	const struct endpoint *to = op->push.has_to ? &op->push.to : NULL;
	int rc;

	op->push.mark = *op->push.buf->refs;
	rc = stack_sendto(iq->sock, op->push.buf, op->push.data, op->push.len, to, now_ns);
	if (rc < 0)
		return rc;
	return *op->push.buf->refs > op->push.mark ? -EINPROGRESS : 0;
}

/* A stream takes what fits into its send buffer. A push is over when all its bytes are the stack's
 * own copies, or, where some are references to the program's memory, when those are acknowledged.
 */
static int push_stream(struct inet_queue *iq, struct operation *op, uint64_t now_ns)
{
	while (op->push.sent < op->push.len) {
		bool by_reference = false;
		int64_t n = stack_send(iq->sock, op->push.buf, op->push.data + op->push.sent,
				       op->push.len - op->push.sent, &by_reference, now_ns);

		if (n < 0)
			return (int)n;
		op->push.sent += (uint32_t)n;
		if (by_reference)
			op->push.mark = stack_accepted(iq->sock);
	}
	if (op->push.mark > stack_acked(iq->sock))
		return -EINPROGRESS;
	return 0;
}

/* Starts, or goes on with, a push. 0: finished, with op->error; -EAGAIN: wait for room;
 * -EINPROGRESS: sent by reference. */
static int push_some(struct inet_queue *iq, struct operation *op, uint64_t now_ns)
{
	int rc = iq->inet->link_lost           ? -ENETDOWN
		 : iq->queue.type == QUEUE_TCP ? push_stream(iq, op, now_ns)
					       : push_datagram(iq, op, now_ns);

	if (rc == -EAGAIN || rc == -EINPROGRESS)
		return rc;
	op->error = rc;
	return 0;
}

static void wait_for_reference(struct inet_queue *iq, struct operation *op)
{
	operation_list_add(&iq->unacked, op);
	if (iq->queue.type == QUEUE_UDP && list_empty(&iq->sending))
		list_add_tail(&iq->inet->sending, &iq->sending);
}

void inet_datagrams_sent(struct inet *in)
{
	struct list *pos, *tmp;

	list_for_each_safe (pos, tmp, &in->sending) {
		struct inet_queue *iq = list_entry(pos, struct inet_queue, sending);

		while (iq->unacked.head &&
		       *iq->unacked.head->push.buf->refs <= iq->unacked.head->push.mark)
			finish(iq, operation_list_pop(&iq->unacked), 0);
		if (!iq->unacked.head)
			list_del(&iq->sending);
	}
}

/* Whether the program is about to be given more that is ready, and to push more then. A link whose
 * messages wait for each other for long waits for all that is ready. */
static bool more_follows(const struct inet *in)
{
	return in->link->info.tx_company == 0 ? in->libos.more : in->libos.more_to_answer;
}

/* A push goes at once, and all that waits with it, when nothing else is going to be pushed before
 * the program waits, as far as one can see: nothing more follows, and this is the first since it
 * waited, or is large. Else it leaves with the others, by the next poll, which in a row of pushes
 * is that of the next wait; or when they are so many that the link gains no more by it, and the
 * other end could begin with them. */
static void send_pushed(struct inet *in, const struct operation *op, uint64_t now_ns)
{
	bool in_row = in->libos.pushed;

	in->libos.pushed = true;
	if (!more_follows(in)) {
		if (!in_row || op->push.len > INET_ROW_BYTES) {
			inet_flush(in, now_ns);
			return;
		}
		in->libos.news = true;
	}
	if (++in->waiting == in->link->info.tx_company)
		inet_send_company(in, clock_now_ns());
}

int inet_push(struct operation *op)
{
	struct inet_queue *iq = inet_queue(op->queue);
	uint64_t now_ns = iq->inet->libos.more ? iq->inet->now_ns : clock_now_ns();
	int rc;

	if (iq->fin_wanted) {
		op->error = -EPIPE;
		return 0;
	}
	if (iq->pushes.head) { /* in order, behind those that wait */
		operation_list_add(&iq->pushes, op);
		return -EINPROGRESS;
	}
	rc = push_some(iq, op, now_ns);
	if (rc == -EAGAIN)
		operation_list_add(&iq->pushes, op);
	else if (rc == -EINPROGRESS)
		wait_for_reference(iq, op);
	send_pushed(iq->inet, op, now_ns);
	return rc == 0 ? 0 : -EINPROGRESS;
}

static void go_on_pushing(struct inet_queue *iq, uint64_t now_ns)
{
	while (iq->pushes.head) {
		struct operation *op = iq->pushes.head;
		int rc = push_some(iq, op, now_ns);

		if (rc == -EAGAIN)
			break;
		operation_list_pop(&iq->pushes);
		if (rc == -EINPROGRESS)
			wait_for_reference(iq, op);
		else
			operation_list_add(iq->inet->done, op);
	}
}

/* Acknowledgements come in the order of the stream. */
static void complete_acked(struct inet_queue *iq)
{
	uint64_t acked = stack_acked(iq->sock);

	while (iq->unacked.head && iq->unacked.head->push.mark <= acked)
		finish(iq, operation_list_pop(&iq->unacked), 0);
}

/* The end of a stream is a message too: an empty buffer. */
static int end_of_stream(struct inet_queue *iq, struct operation *op)
{
	struct buf *b = heap_alloc(iq->inet->heap, 1);

	op->error = b ? 0 : -ENOMEM;
	op->pop.buf = b;
	op->pop.data = b ? b->data : NULL;
	op->pop.len = 0;
	return 0;
}

static int pop_some(struct inet_queue *iq, struct operation *op, uint64_t now_ns)
{
	struct stack_received got;
	int rc = stack_recv(iq->sock, op->pop.max_bytes, &got, now_ns);

	if (rc == -EAGAIN && iq->inet->link_lost)
		rc = -ENETDOWN;
	if (rc == -EAGAIN)
		return rc;
	if (rc == 0)
		return end_of_stream(iq, op);
	op->error = rc < 0 ? rc : 0;
	if (rc < 0)
		return 0;
	op->pop.buf = got.buf;
	op->pop.data = got.data;
	op->pop.len = got.len;
	if (iq->queue.type == QUEUE_UDP)
		op->pop.from = got.from;
	return 0;
}

int inet_pop(struct operation *op)
{
	struct inet_queue *iq = inet_queue(op->queue);

	if (!iq->pops.head && pop_some(iq, op, iq->inet->now_ns) == 0)
		return 0;
	operation_list_add(&iq->pops, op);
	return -EINPROGRESS;
}

static void go_on_popping(struct inet_queue *iq, uint64_t now_ns)
{
	while (iq->pops.head && pop_some(iq, iq->pops.head, now_ns) == 0)
		operation_list_add(iq->inet->done, operation_list_pop(&iq->pops));
}

/* The new connection's queue is there before it is taken off the backlog, so that it cannot be
 * lost. */
static int accept_some(struct inet_queue *iq, struct operation *op)
{
	struct inet_queue *new = inet_queue_new(iq->inet, QUEUE_TCP, NULL);
	int rc;

	if (!new) {
		op->error = -ENOMEM;
		return 0;
	}
	rc = stack_accept(iq->sock, new, &new->sock);
	if (rc < 0) {
		inet_queue_free(new);
		if (rc == -EAGAIN && iq->inet->link_lost)
			rc = -ENETDOWN;
		if (rc == -EAGAIN)
			return rc;
		op->error = rc;
		return 0;
	}
	op->error = 0;
	op->accept.queue = &new->queue;
	op->accept.peer = stack_peer(new->sock);
	return 0;
}

int inet_accept(struct operation *op)
{
	struct inet_queue *iq = inet_queue(op->queue);

	if (!iq->accepts.head && accept_some(iq, op) == 0)
		return 0;
	operation_list_add(&iq->accepts, op);
	return -EINPROGRESS;
}

static void go_on_accepting(struct inet_queue *iq)
{
	while (iq->accepts.head && accept_some(iq, iq->accepts.head) == 0)
		operation_list_add(iq->inet->done, operation_list_pop(&iq->accepts));
}

int inet_connect(struct operation *op)
{
	struct inet_queue *iq = inet_queue(op->queue);
	uint64_t now_ns = clock_now_ns();
	int rc;

	/* A program that opens thousands in a row does not wait meanwhile: what their peers answer
	 * would find no room in the device. */
	inet_take_in(iq->inet, now_ns);
	rc = iq->inet->link_lost ? -ENETDOWN : 0;
	if (rc == 0 && iq->queue.type == QUEUE_TCP && stack_error(iq->sock) != 0)
		rc = inet_queue_renew(iq); /* another try after one that failed */
	if (rc == 0)
		rc = stack_connect(iq->sock, &op->connect.to, now_ns);
	inet_flush(iq->inet, now_ns);
	if (rc == -EINPROGRESS) {
		iq->connect = op;
		return rc;
	}
	op->error = rc;
	return 0;
}

static void finish_single(struct inet_queue *iq, struct operation **op, int error)
{
	if (!*op)
		return;
	finish(iq, *op, error);
	*op = NULL;
}

void inet_queue_fail(struct inet_queue *iq, int error, uint64_t now_ns)
{
	go_on_popping(iq, now_ns); /* what had arrived is still the program's */
	fail_all(iq, &iq->unacked, error);
	fail_all(iq, &iq->pushes, error);
	fail_all(iq, &iq->pops, error);
	fail_all(iq, &iq->accepts, error);
	finish_single(iq, &iq->connect, error);
}

void inet_event(struct inet_queue *iq, uint32_t bits, uint64_t now_ns)
{
	if (bits & STACK_EV_CONNECTED)
		finish_single(iq, &iq->connect, 0);
	if (bits & STACK_EV_ACCEPT)
		go_on_accepting(iq);
	if (bits & STACK_EV_READ)
		go_on_popping(iq, now_ns);
	if (bits & STACK_EV_ACKED)
		complete_acked(iq);
	if (bits & STACK_EV_WRITE) {
		go_on_pushing(iq, now_ns);
		if (iq->fin_wanted)
			inet_send_end(iq, now_ns);
	}
	if (bits & STACK_EV_FAILED)
		inet_queue_fail(iq, stack_error(iq->sock), now_ns);
	if (bits & (STACK_EV_CLOSED | STACK_EV_FAILED) || (iq->delivered && iq->closed))
		inet_ended(iq, stack_error(iq->sock), now_ns);
}

/* A push whose first bytes are in the stream, or that the link may be reading, cannot be taken
 * back. */
int inet_cancel(struct operation *op)
{
	struct inet_queue *iq = inet_queue(op->queue);

	if (op->opcode == DEMI_OPC_PUSH &&
	    (op->push.sent > 0 || !operation_list_remove(&iq->pushes, op)))
		return -EBUSY;
	if (op->opcode == DEMI_OPC_CONNECT) {
		if (inet_queue_renew(iq) < 0)
			return -EBUSY;
		iq->connect = NULL;
	}
	operation_list_remove(&iq->pops, op);
	operation_list_remove(&iq->accepts, op);
	return 0;
}
