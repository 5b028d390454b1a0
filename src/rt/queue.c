/* queue.c - see queue.h.
 *
 * SPDX-License-Identifier: MIT
 */
#include "rt/queue.h"
#include "rt/shortage.h"
#include <assert.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

/* As instance_finished(), of which a push and a pop need little. */
static inline __attribute__((always_inline)) void finished(struct instance *in, struct slot *s,
							   enum demi_opcode opcode)
{
	if (opcode != DEMI_OPC_PUSH && opcode != DEMI_OPC_POP) {
		instance_finished(in, s);
		return;
	}
	if (opcode == DEMI_OPC_PUSH)
		buf_unref(s->op.push.buf);
	operation_ready(&in->operations, s);
}

/* Every operation ends here: the libOS has refused it, finished it, or keeps it. `opcode` is the
 * slot's, where the compiler sees it. */
static inline __attribute__((always_inline)) int
started(struct instance *in, struct slot *s, enum demi_opcode opcode, int rc, demi_qtoken_t *qt)
{
	if (__builtin_expect(rc < 0, 0) && rc != -EINPROGRESS) {
		operation_refused(&in->operations, s);
		shortage_of_operation(in, opcode, rc);
		return rc;
	}
	*qt = operation_token(s);
	if (rc == 0)
		finished(in, s, opcode);
	return 0;
}

static int take_descriptor(struct instance *in)
{
	int qd = descriptor_take(&in->descriptors);

	if (qd < 0)
		shortage_tell(in, SHORTAGE_QUEUES);
	return qd;
}

static __attribute__((cold, noinline)) int no_operation(struct instance *in)
{
	shortage_tell(in, SHORTAGE_OPERATIONS);
	return -ENOMEM;
}

static int open_queue(struct instance *in, struct libos *l, enum queue_type type, int *qd)
{
	struct queue *q;
	int rc = take_descriptor(in);

	if (rc < 0)
		return rc;
	*qd = rc;
	rc = l->class->socket(l, type, &q);
	if (rc < 0) {
		descriptor_put(&in->descriptors, *qd);
		shortage_of_call(in, rc);
		return rc;
	}
	instance_adopt(in, *qd, q);
	return 0;
}

int queue_socket(struct instance *in, int domain, int type, int protocol, int *qd)
{
	struct libos *l = in->libos[LIBOS_NETWORK];

	if (domain != AF_INET)
		return -ENOTSUP;
	if (type == SOCK_STREAM && (protocol == 0 || protocol == IPPROTO_TCP))
		return open_queue(in, l, QUEUE_TCP, qd);
	if (type == SOCK_DGRAM && (protocol == 0 || protocol == IPPROTO_UDP))
		return open_queue(in, l, QUEUE_UDP, qd);
	return -ENOTSUP;
}

int queue_memory(struct instance *in, int *qd)
{
	return open_queue(in, in->libos[LIBOS_MEMORY], QUEUE_MEMORY, qd);
}

int queue_bind(struct queue *q, const struct endpoint *local)
{
	int rc;

	if (q->type == QUEUE_MEMORY)
		return -ENOTSOCK;
	if (q->connected)
		return -EISCONN;
	if (q->bound || q->connecting)
		return -EINVAL;
	rc = q->libos->class->bind(q, local);
	if (rc == 0)
		q->bound = true;
	return rc;
}

int queue_listen(struct queue *q, int backlog)
{
	int rc;

	if (q->type == QUEUE_MEMORY)
		return -ENOTSOCK;
	if (q->type != QUEUE_TCP)
		return -EOPNOTSUPP;
	if (q->connected)
		return -EISCONN;
	if (q->listening || q->connecting)
		return -EADDRINUSE;
	if (backlog < 1)
		return -EINVAL;
	if (!q->bound)
		return -EDESTADDRREQ;
	rc = q->libos->class->listen(q, backlog);
	if (rc == 0)
		q->listening = true;
	return rc;
}

int queue_accept(struct instance *in, struct queue *q, demi_qtoken_t *qt)
{
	struct slot *s;
	int rc, qd;

	if (q->type == QUEUE_MEMORY)
		return -ENOTSOCK;
	if (!q->listening)
		return -EINVAL;
	/* The new connection's descriptor is kept now: once it is accepted it must not be lost for
	 * want of one. */
	qd = take_descriptor(in);
	if (qd < 0)
		return qd;
	s = operation_start(&in->operations, DEMI_OPC_ACCEPT, q);
	if (!s) {
		descriptor_put(&in->descriptors, qd);
		return no_operation(in);
	}
	s->accept_qd = qd;
	rc = started(in, s, DEMI_OPC_ACCEPT, q->libos->class->accept(&s->op), qt);
	if (rc < 0)
		descriptor_put(&in->descriptors, qd);
	return rc;
}

int queue_connect(struct instance *in, struct queue *q, const struct endpoint *to,
		  demi_qtoken_t *qt)
{
	struct slot *s;
	int rc;

	if (q->type == QUEUE_MEMORY)
		return -ENOTSOCK;
	if (q->listening)
		return -EOPNOTSUPP;
	if (q->connecting)
		return -EINPROGRESS;
	if (q->connected && q->type == QUEUE_TCP)
		return -EISCONN;
	s = operation_start(&in->operations, DEMI_OPC_CONNECT, q);
	if (!s)
		return no_operation(in);
	s->op.connect.to = *to;
	q->connecting = true;
	rc = started(in, s, DEMI_OPC_CONNECT, q->libos->class->connect(&s->op), qt);
	if (rc < 0)
		q->connecting = false;
	return rc;
}

int queue_shutdown(struct queue *q, int how)
{
	if (how != SHUT_RD && how != SHUT_WR && how != SHUT_RDWR)
		return -EINVAL;
	if (q->type == QUEUE_MEMORY)
		return -ENOTSOCK;
	if (!q->connected)
		return -ENOTCONN;
	return q->libos->class->shutdown(q, how);
}

/* A push that went out has completed, whatever becomes of its queue: what the libOS held back goes
 * now, and what it has finished is finished. */
int queue_close(struct instance *in, struct queue *q)
{
	if (q->libos->class->flush)
		q->libos->class->flush(q);
	instance_news(in);
	instance_drop(in, q, -EBADF);
	return 0;
}

/* Takes back what waits for the peer. Pushes go on: their bytes are part of what the close
 * delivers. */
static void cancel_waiting(struct instance *in, struct queue *q)
{
	struct list *pos, *tmp;

	list_for_each_safe (pos, tmp, &q->operations) {
		struct slot *s = list_entry(pos, struct slot, queue_link);

		if (s->state != SLOT_PENDING || s->op.opcode == DEMI_OPC_PUSH ||
		    s->op.opcode == DEMI_OPC_CLOSE)
			continue;
		if (q->libos->class->cancel(&s->op) == 0) {
			s->op.error = -ECANCELED;
			instance_finished(in, s);
		}
	}
}

int queue_close_async(struct instance *in, struct queue *q, demi_qtoken_t *qt)
{
	struct slot *s;
	int rc;

	s = operation_start(&in->operations, DEMI_OPC_CLOSE, q);
	if (!s)
		return no_operation(in);
	cancel_waiting(in, q);
	q->closing = true;
	rc = started(in, s, DEMI_OPC_CLOSE, q->libos->class->close_async(&s->op), qt);
	if (rc < 0)
		q->closing = false;
	return rc;
}

/* Over a connection an address says nothing, as for sendto(2): programs of 2023 give one. */
static int may_push(const struct queue *q, const struct endpoint *to)
{
	if (q->type == QUEUE_UDP)
		return to || q->connected ? 0 : -EDESTADDRREQ;
	if (q->type == QUEUE_MEMORY)
		return to ? -ENOTSOCK : 0;
	return q->connected ? 0 : -ENOTCONN;
}

/* A buffer of another thread's cannot be counted here: its bytes are copied. */
static int own_push(struct instance *in, struct operation *op, struct buf *b, const uint8_t *data)
{
	if (__builtin_expect(pool_is_own(b->pool), 1)) {
		if (__builtin_expect(!buf_held(b), 0))
			return -EINVAL;
		if (__builtin_expect(buf_crowded(b), 0)) {
			shortage_tell(in, SHORTAGE_REFERENCES);
			return -ENOMEM;
		}
		op->push.buf = buf_ref(b);
		op->push.data = data;
		return 0;
	}
	op->push.buf = heap_alloc(in->heap, op->push.len);
	if (!op->push.buf) {
		shortage_tell(in, SHORTAGE_BUFFERS);
		return -ENOMEM;
	}
	memcpy(op->push.buf->data, data, op->push.len);
	op->push.data = op->push.buf->data;
	return 0;
}

int queue_push(struct instance *in, struct queue *q, struct buf *b, const uint8_t *data,
	       uint32_t len, const struct endpoint *to, demi_qtoken_t *qt)
{
	struct slot *s;
	int rc = may_push(q, to);

	if (rc < 0)
		return rc;
	s = operation_start(&in->operations, DEMI_OPC_PUSH, q);
	if (!s)
		return no_operation(in);
	s->op.push.len = len;
	if (to && q->type == QUEUE_UDP) {
		s->op.push.has_to = true;
		s->op.push.to = *to;
	}
	rc = own_push(in, &s->op, b, data);
	if (rc < 0) {
		operation_refused(&in->operations, s);
		return rc;
	}
	b = s->op.push.buf;
	rc = started(in, s, DEMI_OPC_PUSH, q->libos->class->push(&s->op), qt);
	if (rc < 0)
		buf_unref(b);
	else if (to)
		q->bound = true; /* the first datagram chooses a port */
	return rc;
}

int queue_pop(struct instance *in, struct queue *q, uint32_t max_bytes, demi_qtoken_t *qt)
{
	struct slot *s;

	if (q->type == QUEUE_TCP && !q->connected)
		return -ENOTCONN;
	if (q->type == QUEUE_UDP && !q->bound)
		return -EDESTADDRREQ;
	s = operation_start(&in->operations, DEMI_OPC_POP, q);
	if (!s)
		return no_operation(in);
	s->op.pop.max_bytes = max_bytes;
	return started(in, s, DEMI_OPC_POP, q->libos->class->pop(&s->op), qt);
}

int queue_cancel(struct instance *in, demi_qtoken_t qt)
{
	struct slot *s = operation_find(&in->operations, qt);
	int rc;

	if (!s)
		return -EINVAL;
	if (s->state == SLOT_READY)
		return -EALREADY;
	if (s->op.opcode == DEMI_OPC_CLOSE)
		return -EBUSY;
	rc = s->op.queue->libos->class->cancel(&s->op);
	if (rc < 0)
		return rc;
	s->op.error = -ECANCELED;
	instance_finished(in, s);
	return 0;
}

int queue_setsockopt(struct queue *q, int level, int name, const void *val, uint32_t len)
{
	if (q->type == QUEUE_MEMORY)
		return -ENOTSOCK;
	return q->libos->class->setsockopt(q, level, name, val, len);
}

int queue_getsockopt(struct queue *q, int level, int name, void *val, uint32_t *len)
{
	if (q->type == QUEUE_MEMORY)
		return -ENOTSOCK;
	return q->libos->class->getsockopt(q, level, name, val, len);
}

int queue_getpeername(struct queue *q, struct endpoint *peer)
{
	if (q->type == QUEUE_MEMORY)
		return -ENOTSOCK;
	if (!q->connected)
		return -ENOTCONN;
	return q->libos->class->getpeername(q, peer);
}

int queue_getsockname(struct queue *q, struct endpoint *local)
{
	if (q->type == QUEUE_MEMORY)
		return -ENOTSOCK;
	return q->libos->class->getsockname(q, local);
}
