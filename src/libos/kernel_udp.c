/* kernel_udp.c - catnap: what UDP asks of the kernel. One try each; kernel_ready.c says when.
 *
 * A datagram socket is empty when the kernel says so, and only then: datagrams come one by one.
 *
 * SPDX-License-Identifier: MIT
 */
#include "libos/kernel.h"
#include <errno.h>
#include <sys/socket.h>

int kernel_udp_connect(struct kernel_queue *q, struct operation *op)
{
	struct sockaddr_in sin = endpoint_to_sockaddr_in(&op->connect.to);

	return connect(q->fd, (struct sockaddr *)&sin, sizeof(sin)) == 0 ? 0 : -errno;
}

/* The next piece of a datagram that a sized pop has begun. */
static int take_rest(struct kernel_queue *q, struct operation *op)
{
	if (q->rest_len > op->pop.max_bytes && buf_crowded(q->rest))
		return -ENOMEM;
	op->pop.from = q->rest_from;
	op->pop.data = q->rest_data;
	if (q->rest_len <= op->pop.max_bytes) {
		op->pop.buf = q->rest;
		op->pop.len = q->rest_len;
		q->rest = NULL;
		return 0;
	}
	op->pop.buf = buf_ref(q->rest);
	op->pop.len = op->pop.max_bytes;
	q->rest_data += op->pop.max_bytes;
	q->rest_len -= op->pop.max_bytes;
	return 0;
}

static int receive_failed(struct kernel_queue *q, int err)
{
	q->readable = err != EAGAIN;
	switch (err) {
	case EAGAIN:
	case EINTR:
		return -EAGAIN;
	case ENOBUFS:
		return -ENOMEM;
	default:
		return -err;
	}
}

int kernel_udp_receive(struct kernel_queue *q, struct operation *op)
{
	struct kernel *k = kernel_of(&q->queue);
	struct sockaddr_in from;
	socklen_t from_len = sizeof(from);
	struct buf *spare;
	ssize_t n;

	if (q->rest != NULL)
		return take_rest(q, op);
	q->readable = true;
	spare = kernel_spare(k);
	if (spare == NULL)
		return -ENOMEM; /* a smaller buffer would cut the datagram */
	n = recvfrom(q->fd, spare->data, KERNEL_RECV_BYTES, 0, (struct sockaddr *)&from, &from_len);
	if (n < 0)
		return receive_failed(q, errno);
	/* An empty datagram has a buffer too. */
	q->rest = kernel_take(k, n > 0 ? (size_t)n : 1);
	q->rest_data = q->rest->data;
	q->rest_len = (uint32_t)n;
	q->rest_from = endpoint_from_sockaddr_in(&from);
	return take_rest(q, op);
}

int kernel_udp_send(struct kernel_queue *q, struct operation *op)
{
	struct sockaddr_in sin = endpoint_to_sockaddr_in(&op->push.to);
	const struct sockaddr *to = op->push.has_to ? (struct sockaddr *)&sin : NULL;

	if (sendto(q->fd, op->push.data, op->push.len, MSG_NOSIGNAL, to,
		   to != NULL ? sizeof(sin) : 0) >= 0) {
		op->push.sent = op->push.len;
		return 0;
	}
	switch (errno) {
	case EAGAIN:
		q->writable = false;
		return -EAGAIN;
	case EINTR:
		return -EAGAIN;
	case ENOBUFS:
		return -ENOMEM;
	default:
		return -errno;
	}
}
