/* catcollar_connect.c - catcollar: accepts and connects. One request goes on accepting until it is
 * taken back.
 *
 * SPDX-License-Identifier: MIT
 */
#include "libos/catcollar_queue.h"
#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

static void want_connections(struct catcollar *c, struct catcollar_queue *q)
{
	struct io_uring_sqe *sqe;

	if (q->flights & FLIGHT_IN)
		return;
	sqe = catcollar_ask(c);
	if (sqe == NULL) {
		list_add_once(&c->unarmed, &q->unarmed);
		return;
	}
	io_uring_prep_multishot_accept(sqe, q->kernel.fd, NULL, NULL, SOCK_CLOEXEC);
	catcollar_label(sqe, q, ASK_ACCEPT);
	q->flights |= FLIGHT_IN;
}

static struct catcollar_queue *pop_accepted(struct catcollar_queue *q)
{
	struct list *item = list_pop(&q->accepted);

	if (item == NULL)
		return NULL;
	q->accepted_count--;
	return list_entry(item, struct catcollar_queue, link);
}

/* -EAGAIN: there is none. One that is gone already is nobody's, as accept(2) has it. */
static int try_accept(struct catcollar *c, struct catcollar_queue *q, struct operation *op)
{
	struct catcollar_queue *child;

	while ((child = pop_accepted(q)) != NULL) {
		if (kernel_getpeername(&child->kernel.queue, &op->accept.peer) == 0) {
			op->accept.queue = &child->kernel.queue;
			return 0;
		}
		kernel_queue_free(&c->kernel, &child->kernel);
	}
	return -EAGAIN;
}

void catcollar_give_connections(struct catcollar *c, struct catcollar_queue *q)
{
	while (q->kernel.in.head != NULL) {
		int rc = try_accept(c, q, q->kernel.in.head);

		if (rc == -EAGAIN) {
			want_connections(c, q);
			return;
		}
		catcollar_finish(c, &q->kernel.in, rc);
	}
}

void catcollar_drop_accepted(struct catcollar *c, struct catcollar_queue *q)
{
	struct catcollar_queue *child;

	while ((child = pop_accepted(q)) != NULL) {
		kernel_reset_on_close(child->kernel.fd);
		kernel_queue_free(&c->kernel, &child->kernel);
	}
}

int catcollar_accept(struct operation *op)
{
	struct catcollar_queue *q = catcollar_queue_of(op->queue);
	struct catcollar *c = catcollar_of(op->queue);
	int rc = q->kernel.in.head == NULL ? try_accept(c, q, op) : -EAGAIN;

	if (rc != -EAGAIN) {
		op->error = rc;
		return 0;
	}
	operation_list_add(&q->kernel.in, op);
	want_connections(c, q);
	return -EINPROGRESS;
}

/* Without memory for the connection its peer is told so, by a reset, and an accept fails. */
static int adopt(struct catcollar *c, struct catcollar_queue *q, int fd)
{
	struct catcollar_queue *child = catcollar_queue_new(c);

	if (child == NULL) {
		kernel_reset_on_close(fd);
		close(fd);
		return -ENOMEM;
	}
	kernel_tcp_adopt(&child->kernel, &q->kernel, fd);
	list_add_tail(&q->accepted, &child->link);
	q->accepted_count++;
	return 0;
}

static int accept_failed(struct catcollar_queue *q, int err)
{
	if (err == ECANCELED || kernel_tcp_is_of_the_peer(err))
		return 0;
	err = -kernel_tcp_accept_failed(&q->kernel, err);
	return err == EAGAIN ? 0 : -err;
}

void catcollar_accepted(struct catcollar *c, struct catcollar_queue *q, int res, uint32_t flags)
{
	int rc;

	if (!(flags & IORING_CQE_F_MORE)) {
		q->flights &= (uint8_t)~FLIGHT_IN;
		q->recalled = false;
	}
	rc = res >= 0 ? adopt(c, q, res) : accept_failed(q, -res);
	if (rc < 0 && q->kernel.in.head != NULL)
		catcollar_finish(c, &q->kernel.in, rc);
	catcollar_give_connections(c, q);
	if (q->accepted_count >= CATCOLLAR_CONNECTIONS_AHEAD)
		catcollar_recall_inward(c, q);
}

int catcollar_connect(struct operation *op)
{
	struct catcollar_queue *q = catcollar_queue_of(op->queue);
	struct catcollar *c = catcollar_of(op->queue);
	struct io_uring_sqe *sqe;

	if (op->queue->type == QUEUE_UDP) {
		op->error = kernel_udp_connect(&q->kernel, op);
		return 0;
	}
	sqe = catcollar_ask(c);
	if (sqe == NULL)
		return -ENOMEM;
	if (op->queue->bound)
		kernel_tcp_reuse_later(&q->kernel);
	q->to = endpoint_to_sockaddr_in(&op->connect.to);
	io_uring_prep_connect(sqe, q->kernel.fd, (struct sockaddr *)&q->to, sizeof(q->to));
	q->outward = catcollar_label(sqe, q, ASK_CONNECT);
	q->flights |= FLIGHT_OUT;
	operation_list_add(&q->kernel.out, op);
	io_uring_submit(&c->ring); /* off it goes; what came of it poll() will say */
	return -EINPROGRESS;
}

void catcollar_connected(struct catcollar *c, struct catcollar_queue *q, int res)
{
	q->flights &= (uint8_t)~FLIGHT_OUT;
	if (q->kernel.out.head == NULL)
		return; /* closed or cancelled meanwhile */
	if (res == 0 || res == -EISCONN) {
		q->ended = false;
		res = kernel_tcp_connected(&q->kernel);
	}
	catcollar_finish(c, &q->kernel.out, res == -ENOBUFS || res == -EAGAIN ? -ENOMEM : res);
}
