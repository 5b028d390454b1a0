/* catcollar_receive.c - catcollar: what arrives. One request goes on receiving until it is taken
 * back, or the stream ends.
 *
 * A datagram that is ahead has its sender written in front of it.
 *
 * SPDX-License-Identifier: MIT
 */
#include "libos/catcollar_queue.h"
#include <errno.h>
#include <string.h>

/* In front of a datagram's bytes; keeps them aligned. */
enum { NOTE_BYTES = 64 };
_Static_assert(sizeof(struct endpoint) <= NOTE_BYTES, "the sender fits in front of a datagram");

static enum catcollar_group group_of(const struct catcollar_queue *q)
{
	if (q->kernel.queue.type == QUEUE_UDP)
		return GROUP_DATAGRAM;
	return q->large ? GROUP_LARGE : GROUP_SMALL;
}

/* Without memory for large buffers, small ones do for a stream. */
static bool have_buffers(struct catcollar *c, struct catcollar_queue *q)
{
	if (q->large && !catcollar_provide(c, GROUP_LARGE))
		q->large = false;
	return catcollar_provide(c, group_of(q));
}

/* Asks for bytes. false: not now. */
static bool ask(struct catcollar *c, struct catcollar_queue *q)
{
	struct io_uring_sqe *sqe = catcollar_ask(c);

	if (sqe == NULL)
		return false;
	if (q->kernel.queue.type == QUEUE_UDP)
		io_uring_prep_recvmsg_multishot(sqe, q->kernel.fd, &c->datagram, 0);
	else
		io_uring_prep_recv_multishot(sqe, q->kernel.fd, NULL, 0, 0);
	sqe->flags |= IOSQE_BUFFER_SELECT;
	q->in_group = (uint8_t)group_of(q);
	sqe->buf_group = q->in_group;
	catcollar_label(sqe, q, ASK_RECEIVE);
	q->flights |= FLIGHT_IN;
	return true;
}

static void want_bytes(struct catcollar *c, struct catcollar_queue *q)
{
	if (q->flights & FLIGHT_IN)
		return;
	if (!have_buffers(c, q))
		catcollar_finish(c, &q->kernel.in, -ENOMEM);
	if (q->kernel.in.head != NULL && !ask(c, q))
		list_add_once(&c->unarmed, &q->unarmed);
}

static void add_ahead(struct catcollar_queue *q, struct buf *b)
{
	b->next = NULL;
	if (q->ahead == NULL)
		q->ahead = b;
	else
		q->ahead_last->next = b;
	q->ahead_last = b;
	q->ahead_count++;
	q->ahead_bytes += b->len;
}

void catcollar_drop_ahead(struct catcollar_queue *q)
{
	while (q->ahead != NULL) {
		struct buf *b = q->ahead;

		q->ahead = b->next;
		buf_unref(b);
	}
	q->ahead_count = 0;
	q->ahead_bytes = 0;
	q->consumed = 0;
}

/* The first message ahead, or the next piece of it. */
static int take_ahead(struct catcollar_queue *q, struct operation *op)
{
	struct buf *b = q->ahead;
	uint32_t left = b->len - q->consumed;

	if (left > op->pop.max_bytes && buf_crowded(b))
		return -ENOMEM;
	op->pop.data = b->data + q->consumed;
	if (q->kernel.queue.type == QUEUE_UDP)
		memcpy(&op->pop.from, b->data - NOTE_BYTES, sizeof(op->pop.from));
	if (left > op->pop.max_bytes) {
		op->pop.buf = buf_ref(b);
		op->pop.len = op->pop.max_bytes;
		q->consumed += op->pop.max_bytes;
		return 0;
	}
	op->pop.buf = b;
	op->pop.len = left;
	q->ahead = b->next;
	q->ahead_count--;
	q->ahead_bytes -= b->len;
	q->consumed = 0;
	return 0;
}

/* One try, without a flight. -EAGAIN: nothing is there. */
static int try_pop(struct catcollar_queue *q, struct operation *op)
{
	int rc;

	if (q->ahead != NULL)
		return take_ahead(q, op);
	if (q->soft_error != 0) {
		rc = q->soft_error;
		q->soft_error = 0;
		return rc;
	}
	if (!q->ended)
		return -EAGAIN;
	/* What comes behind the end, or a breaking, is the kernel's to say: the end again, or that
	 * it was no end. */
	rc = kernel_tcp_receive(&q->kernel, op);
	q->ended = rc != -EAGAIN;
	return rc;
}

void catcollar_deliver(struct catcollar *c, struct catcollar_queue *q)
{
	while (q->kernel.in.head != NULL) {
		int rc = try_pop(q, q->kernel.in.head);

		if (rc == -EAGAIN) {
			want_bytes(c, q);
			return;
		}
		catcollar_finish(c, &q->kernel.in, rc);
	}
}

int catcollar_pop(struct operation *op)
{
	struct catcollar_queue *q = catcollar_queue_of(op->queue);
	int rc = q->kernel.in.head == NULL ? try_pop(q, op) : -EAGAIN;

	if (rc != -EAGAIN) {
		op->error = rc;
		return 0;
	}
	operation_list_add(&q->kernel.in, op);
	if (!(q->flights & FLIGHT_IN))
		list_add_once(&catcollar_of(op->queue)->unarmed, &q->unarmed);
	return -EINPROGRESS;
}

/* Behind a message that filled its buffer, large ones are better. */
static void fit_buffers(struct catcollar *c, struct catcollar_queue *q, uint32_t n)
{
	bool filled = n >= KERNEL_SMALL_BYTES;

	if (filled)
		q->calm = 0;
	else if (q->large)
		q->calm++;
	if (q->large ? q->calm < CATCOLLAR_CALM : !filled)
		return;
	q->large = filled;
	q->calm = 0;
	catcollar_recall_inward(c, q);
}

/* Messages that nobody waits for are put together, as the kernel would. */
static bool joins_last(const struct catcollar_queue *q, uint32_t n)
{
	return q->ahead != NULL && buf_sole(q->ahead_last) && buf_tailroom(q->ahead_last) >= n;
}

/* Bytes of a stream, which the buffer of this completion has. */
static void stream_received(struct catcollar *c, struct catcollar_queue *q,
			    enum catcollar_group group, uint32_t n, uint32_t flags)
{
	struct buf *b = catcollar_buffer(c, group, flags), *fit = NULL;

	if (joins_last(q, n)) {
		memcpy(q->ahead_last->data + q->ahead_last->len, b->data, n);
		q->ahead_last->len += n;
		q->ahead_bytes += n;
		catcollar_again(c, group, flags);
		return;
	}
	if (group != GROUP_SMALL && n <= KERNEL_COPY_BYTES)
		fit = heap_alloc(c->kernel.env.heap, n);
	if (fit != NULL) {
		memcpy(fit->data, b->data, n);
		catcollar_again(c, group, flags);
		add_ahead(q, fit);
		return;
	}
	catcollar_take(c, group, flags);
	b->len = n;
	add_ahead(q, b);
}

/* A datagram, behind what the kernel says of it. */
static void datagram_received(struct catcollar *c, struct catcollar_queue *q, uint32_t n,
			      uint32_t flags)
{
	struct buf *b = catcollar_buffer(c, GROUP_DATAGRAM, flags), *fit;
	struct io_uring_recvmsg_out *out = io_uring_recvmsg_validate(b->data, (int)n, &c->datagram);
	uint32_t header = sizeof(*out) + sizeof(struct sockaddr_in), len = n - header;
	struct sockaddr_in sin;
	struct endpoint from;

	memcpy(&sin, io_uring_recvmsg_name(out), sizeof(sin));
	from = endpoint_from_sockaddr_in(&sin);
	fit = heap_alloc(c->kernel.env.heap, NOTE_BYTES + len);
	if (fit != NULL) {
		memcpy(fit->data + NOTE_BYTES, b->data + header, len);
		catcollar_again(c, GROUP_DATAGRAM, flags);
		b = fit;
	} else { /* the whole buffer, then */
		memmove(b->data + NOTE_BYTES, b->data + header, len);
		catcollar_take(c, GROUP_DATAGRAM, flags);
	}
	memcpy(b->data, &from, sizeof(from));
	b->data += NOTE_BYTES;
	b->len = len;
	add_ahead(q, b);
}

/* The flight is over, with an errno or the end. */
static void stopped(struct catcollar *c, struct catcollar_queue *q, int res)
{
	switch (-res) {
	case 0:
		q->ended = q->kernel.queue.type == QUEUE_TCP;
		q->kernel.eof = q->ended;
		return;
	case ENOBUFS:
		c->buffers[q->in_group].ran_out = true;
		return;
	case ECANCELED:
	case EINTR:
	case EAGAIN:
		return;
	default:
		if (q->kernel.queue.type == QUEUE_UDP) {
			q->soft_error = res == -ENOMEM ? 0 : res;
			return;
		}
		if (res != -ENOMEM) {
			kernel_tcp_broken(&q->kernel, -res);
			q->ended = true;
		}
	}
}

static bool is_far_ahead(const struct catcollar_queue *q)
{
	return q->ahead_count >= CATCOLLAR_AHEAD || q->ahead_bytes >= CATCOLLAR_AHEAD_BYTES;
}

void catcollar_received(struct catcollar *c, struct catcollar_queue *q, int res, uint32_t flags)
{
	enum catcollar_group group = (enum catcollar_group)q->in_group;

	if (flags & IORING_CQE_F_BUFFER)
		c->buffers[group].used = true;
	if (res > 0 && q->kernel.queue.type == QUEUE_UDP)
		datagram_received(c, q, (uint32_t)res, flags);
	else if (res > 0)
		stream_received(c, q, group, (uint32_t)res, flags);
	else if (flags & IORING_CQE_F_BUFFER)
		catcollar_again(c, group, flags);
	if (!(flags & IORING_CQE_F_MORE)) {
		q->flights &= (uint8_t)~FLIGHT_IN;
		q->recalled = false;
		if (res <= 0)
			stopped(c, q, res);
	}
	if (q->dying || q->kernel.closed) {
		catcollar_drop_ahead(q);
		return;
	}
	if (res > 0 && q->kernel.queue.type == QUEUE_TCP)
		fit_buffers(c, q, (uint32_t)res);
	if (res == -ENOBUFS) { /* asked for again when there are some */
		list_add_once(&c->unarmed, &q->unarmed);
		return;
	}
	catcollar_deliver(c, q);
	if (is_far_ahead(q))
		catcollar_recall_inward(c, q);
}
