/* catcollar_send.c - catcollar: pushes. The kernel has one of a queue at a time, so that nothing
 * overtakes.
 *
 * A large push is sent from the program's memory: then it has finished when the kernel says that
 * nobody reads that memory any more. Where the bytes are copied on their way in spite of that (a
 * loopback, an interface without scatter-gather) the kernel says so, and the queue's further pushes
 * are copied at once, which costs less.
 *
 * SPDX-License-Identifier: MIT
 */
#include "libos/catcollar_queue.h"
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

/* Of <linux/io_uring.h> since Linux 6.2; liburing's copy may be older. */
#define SEND_ZC_REPORT_USAGE (1U << 3)
#define NOTIF_ZC_COPIED      (1U << 31)

void catcollar_lent_init(struct catcollar *c)
{
	list_init(&c->lent);
	list_init(&c->unlent);
	for (unsigned i = 0; i < CATCOLLAR_LENT; i++)
		list_add_tail(&c->unlent, &c->lents[i].link);
}

/* A place to note a lent push in; NULL: copy it. */
static struct catcollar_lent *lend(struct catcollar *c, struct catcollar_queue *q,
				   struct operation *op)
{
	struct list *item;
	struct catcollar_lent *lent;

	if (op->push.len - op->push.sent < CATCOLLAR_ZERO_COPY_BYTES || q->copied)
		return NULL;
	item = list_pop(&c->unlent);
	if (item == NULL)
		return NULL;
	lent = list_entry(item, struct catcollar_lent, link);
	*lent = (struct catcollar_lent){.queue = q, .buf = buf_ref(op->push.buf)};
	list_add_tail(&c->lent, &lent->link);
	return lent;
}

static void give_back(struct catcollar *c, struct catcollar_lent *lent)
{
	list_del(&lent->link);
	buf_unref(lent->buf);
	list_add_tail(&c->unlent, &lent->link);
}

void catcollar_lent_free(struct catcollar *c)
{
	while (!list_empty(&c->lent))
		give_back(c, list_entry(c->lent.next, struct catcollar_lent, link));
}

void catcollar_disown_lent(struct catcollar *c, struct catcollar_queue *q)
{
	struct list *pos;

	list_for_each (pos, &c->lent) {
		struct catcollar_lent *lent = list_entry(pos, struct catcollar_lent, link);

		if (lent->queue != q)
			continue;
		lent->op = NULL;
		if (!(q->flights & FLIGHT_OUT))
			lent->queue = NULL;
	}
}

static uint64_t fill_stream(struct catcollar *c, struct catcollar_queue *q, struct operation *op,
			    struct io_uring_sqe *sqe)
{
	const void *data = op->push.data + op->push.sent;
	uint32_t len = op->push.len - op->push.sent;
	struct catcollar_lent *lent = lend(c, q, op);

	if (lent != NULL) {
		io_uring_prep_send_zc(sqe, q->kernel.fd, data, len, MSG_NOSIGNAL | MSG_WAITALL,
				      c->unreported ? 0 : SEND_ZC_REPORT_USAGE);
		return catcollar_label(sqe, lent, ASK_LENT);
	}
	io_uring_prep_send(sqe, q->kernel.fd, data, len, MSG_NOSIGNAL | MSG_WAITALL);
	return catcollar_label(sqe, q, ASK_SEND);
}

static uint64_t fill_datagram(struct catcollar_queue *q, struct operation *op,
			      struct io_uring_sqe *sqe)
{
	q->piece = (struct iovec){(void *)(uintptr_t)op->push.data, op->push.len};
	q->datagram = (struct msghdr){.msg_iov = &q->piece, .msg_iovlen = 1};
	if (op->push.has_to) {
		q->to = endpoint_to_sockaddr_in(&op->push.to);
		q->datagram.msg_name = &q->to;
		q->datagram.msg_namelen = sizeof(q->to);
	}
	io_uring_prep_sendmsg(sqe, q->kernel.fd, &q->datagram, MSG_NOSIGNAL);
	return catcollar_label(sqe, q, ASK_SEND);
}

/* The error that a push fails with before it is sent; 0: none. */
static int refusal(struct catcollar_queue *q)
{
	int rc = q->soft_error;

	q->soft_error = 0;
	return rc != 0 ? rc : q->kernel.error;
}

void catcollar_send_next(struct catcollar *c, struct catcollar_queue *q)
{
	struct operation *op;
	struct io_uring_sqe *sqe;
	int rc;

	if ((q->flights & FLIGHT_OUT) || q->held)
		return;
	while ((op = q->kernel.out.head) != NULL && (rc = refusal(q)) != 0)
		catcollar_finish(c, &q->kernel.out, rc);
	if (op == NULL) {
		if (q->kernel.fin_wanted)
			kernel_fin(&q->kernel);
		return;
	}
	sqe = catcollar_ask(c);
	if (sqe == NULL) {
		list_add_once(&c->deferred, &q->deferred);
		return;
	}
	q->outward = q->kernel.queue.type == QUEUE_TCP ? fill_stream(c, q, op, sqe)
						       : fill_datagram(q, op, sqe);
	q->sending = buf_ref(op->push.buf);
	q->flights |= FLIGHT_OUT;
}

void catcollar_send_deferred(struct catcollar *c)
{
	struct list now, *item;

	list_take_all(&now, &c->deferred);
	while ((item = list_pop(&now)) != NULL)
		catcollar_send_next(c, list_entry(item, struct catcollar_queue, deferred));
}

int catcollar_push(struct operation *op)
{
	struct catcollar_queue *q = catcollar_queue_of(op->queue);
	struct catcollar *c = catcollar_of(op->queue);

	if (q->kernel.fin_wanted || q->kernel.fin_sent) {
		op->error = -EPIPE;
		return 0;
	}
	operation_list_add(&q->kernel.out, op);
	if (q->kernel.out.head != op)
		return -EINPROGRESS;
	if (c->kernel.libos.more) {
		list_add_once(&c->deferred, &q->deferred);
		return -EINPROGRESS;
	}
	return catcollar_start(c, q, op);
}

/* -EAGAIN: the same again; another -errno: the push fails so. */
static int send_failed(struct catcollar_queue *q, int err)
{
	bool stream = q->kernel.queue.type == QUEUE_TCP;

	switch (err) {
	case EAGAIN:
	case EINTR:
	case ECANCELED:
		return -EAGAIN;
	case ENOMEM:
	case ENOBUFS:
		return stream ? -ENOBUFS : -ENOMEM;
	default:
		return stream ? kernel_tcp_broken(&q->kernel, err) : -err;
	}
}

/* What a send came to, for the push that is first. 0: all of it is out. */
static int outcome(struct catcollar_queue *q, struct operation *op, int res)
{
	if (res < 0)
		return send_failed(q, -res);
	op->push.sent += (uint32_t)res;
	if (q->kernel.queue.type == QUEUE_UDP)
		op->push.sent = op->push.len;
	return op->push.sent == op->push.len ? 0 : -EAGAIN;
}

static void landed(struct catcollar_queue *q)
{
	q->flights &= (uint8_t)~FLIGHT_OUT;
	buf_unref(q->sending);
	q->sending = NULL;
}

static void go_on(struct catcollar *c, struct catcollar_queue *q, int rc)
{
	if (rc == -ENOBUFS)
		kernel_stall(&c->kernel,
			     &q->kernel); /* the kernel is short of memory: in a while */
	else
		catcollar_send_next(c, q);
}

void catcollar_sent(struct catcollar *c, struct catcollar_queue *q, int res, uint32_t flags)
{
	struct operation *op = q->kernel.out.head;
	int rc;

	(void)flags;
	landed(q);
	if (op == NULL)
		return; /* closed meanwhile */
	rc = outcome(q, op, res);
	if (rc != -EAGAIN && rc != -ENOBUFS)
		catcollar_finish(c, &q->kernel.out, rc);
	go_on(c, q, rc);
}

/* The kernel has what it sends; a notice that it needs the memory no longer comes later. */
static void lent_sent(struct catcollar *c, struct catcollar_lent *lent, int res)
{
	struct catcollar_queue *q = lent->queue;
	struct operation *op = q->kernel.out.head;
	int rc;

	landed(q);
	if (op == NULL)
		return;
	rc = outcome(q, op, res);
	if (rc == 0)
		lent->op = operation_list_pop(&q->kernel.out);
	else if (rc != -EAGAIN && rc != -ENOBUFS)
		catcollar_finish(c, &q->kernel.out, rc);
	go_on(c, q, rc);
}

/* Nothing was lent after all. */
static void lending_refused(struct catcollar *c, struct catcollar_lent *lent, int res)
{
	struct catcollar_queue *q = lent->queue;

	give_back(c, lent);
	if (res == -EINVAL || res == -EOPNOTSUPP) {
		q->copied = c->unreported;
		c->unreported = true;
		res = -EAGAIN;
	}
	catcollar_sent(c, q, res, 0);
}

void catcollar_returned(struct catcollar *c, struct catcollar_lent *lent, int res, uint32_t flags)
{
	struct catcollar_queue *q = lent->queue;

	if (!(flags & IORING_CQE_F_NOTIF)) {
		if (flags & IORING_CQE_F_MORE)
			lent_sent(c, lent, res);
		else
			lending_refused(c, lent, res);
		if (q->dying)
			catcollar_close_further(c, q);
		return;
	}
	if (q != NULL && !c->unreported && ((uint32_t)res & NOTIF_ZC_COPIED))
		q->copied = true;
	if (lent->op != NULL)
		catcollar_finish_one(c, lent->op, 0);
	give_back(c, lent);
}
