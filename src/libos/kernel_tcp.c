/* kernel_tcp.c - catnap: what TCP asks of the kernel. One try each; kernel_ready.c says when.
 *
 * SPDX-License-Identifier: MIT
 */
#include "base/config.h"
#include "libos/kernel.h"
#include "libos/kernel_call.h"
#include <errno.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>

static int set_int(int fd, int level, int name, int value)
{
	return setsockopt(fd, level, name, &value, sizeof(value)) == 0 ? 0 : -errno;
}

static int ms_to_s(uint32_t ms)
{
	return ms < 1000 ? 1 : (int)((ms + 999) / 1000);
}

static int keepalive(int fd, const struct config *config)
{
	int rc = set_int(fd, SOL_SOCKET, SO_KEEPALIVE, 1);

	if (rc == 0 && config->keepalive_time_ms > 0)
		rc = set_int(fd, IPPROTO_TCP, TCP_KEEPIDLE, ms_to_s(config->keepalive_time_ms));
	if (rc == 0 && config->keepalive_interval_ms > 0)
		rc =
		    set_int(fd, IPPROTO_TCP, TCP_KEEPINTVL, ms_to_s(config->keepalive_interval_ms));
	return rc;
}

int kernel_tcp_configure(const struct kernel_queue *q, const struct config *config)
{
	/* Urgent bytes are bytes: RFC 6093 section 6. */
	int rc = set_int(q->fd, SOL_SOCKET, SO_OOBINLINE, 1);

	if (rc == 0 && config->nodelay)
		rc = set_int(q->fd, IPPROTO_TCP, TCP_NODELAY, 1);
	if (rc == 0 && config->keepalive)
		rc = keepalive(q->fd, config);
	return rc;
}

/* A server that starts again must be able to bind over the TIME-WAITs of its former life, which
 * takes SO_REUSEADDR in both lives. But two sockets that have it may be bound to one address until
 * one listens, and the second bind is to fail with EADDRINUSE. So: without it first, with it if the
 * address is taken, off again behind bind, and on once it is sure to listen or connect. What is in
 * the way then is an old connection. */
int kernel_tcp_bind(struct kernel_queue *q, const struct sockaddr_in *sin)
{
	int rc = bind(q->fd, (const struct sockaddr *)sin, sizeof(*sin)) == 0 ? 0 : -errno;

	if (rc != -EADDRINUSE || q->reuse != REUSE_AUTO)
		return rc;
	set_int(q->fd, SOL_SOCKET, SO_REUSEADDR, 1);
	rc = bind(q->fd, (const struct sockaddr *)sin, sizeof(*sin)) == 0 ? 0 : -errno;
	set_int(q->fd, SOL_SOCKET, SO_REUSEADDR, 0);
	return rc;
}

void kernel_tcp_reuse_later(const struct kernel_queue *q)
{
	if (q->reuse == REUSE_AUTO)
		set_int(q->fd, SOL_SOCKET, SO_REUSEADDR, 1);
}

int kernel_tcp_listen(struct kernel_queue *q, int backlog)
{
	kernel_tcp_reuse_later(q);
	return listen(q->fd, backlog) == 0 ? 0 : -errno;
}

/* accept(2) lists them. */
bool kernel_tcp_is_of_the_peer(int err)
{
	switch (err) {
	case ECONNABORTED:
	case EPROTO:
	case ENETDOWN:
	case ENOPROTOOPT:
	case EHOSTDOWN:
	case ENONET:
	case EHOSTUNREACH:
	case ENETUNREACH:
	case EPERM:
	case EINTR:
		return true;
	default:
		return false;
	}
}

int kernel_tcp_accept_failed(struct kernel_queue *q, int err)
{
	switch (err) {
	case EAGAIN:
		q->readable = false;
		return -EAGAIN;
	case EMFILE:
	case ENFILE:
		return -EMFILE;
	case ENOBUFS:
		return -ENOMEM;
	default:
		return -err;
	}
}

static int accept_fd(struct kernel_queue *q, struct sockaddr_in *peer)
{
	for (int tries = 0; tries < KERNEL_ACCEPT_TRIES; tries++) {
		socklen_t len = sizeof(*peer);
		int fd = accept4(q->fd, (struct sockaddr *)peer, &len,
				 kernel_of(&q->queue)->socket_flags);

		if (fd >= 0)
			return fd;
		if (!kernel_tcp_is_of_the_peer(errno))
			return kernel_tcp_accept_failed(q, errno);
	}
	return -EAGAIN; /* still readable: the next poll goes on */
}

void kernel_tcp_adopt(struct kernel_queue *child, const struct kernel_queue *listener, int fd)
{
	child->fd = fd;
	child->established = true;
	child->linger_on = listener->linger_on;
	child->linger_s = listener->linger_s;
}

int kernel_tcp_accept(struct kernel_queue *q, struct operation *op)
{
	struct kernel *k = kernel_of(&q->queue);
	struct kernel_queue *child;
	struct sockaddr_in peer;
	int fd;

	/* Before the kernel gives the connection away, so that it cannot be lost. */
	if (k->next == NULL)
		k->next = kernel_queue_new(k, QUEUE_TCP);
	if (k->next == NULL)
		return -ENOMEM;
	fd = accept_fd(q, &peer);
	if (fd < 0)
		return fd;
	child = k->next;
	k->next = NULL;
	kernel_tcp_adopt(child, q, fd);
	op->accept.queue = &child->queue;
	op->accept.peer = endpoint_from_sockaddr_in(&peer);
	return 0;
}

void kernel_tcp_disconnect(int fd)
{
	struct sockaddr none = {.sa_family = AF_UNSPEC};

	connect(fd, &none, sizeof(none));
}

/* With nobody listening at a port of this host, a connect from that very port meets itself: a
 * simultaneous open (RFC 9293 3.5, figure 8) that no program wants. */
static bool met_itself(int fd)
{
	struct sockaddr_in local, peer;
	socklen_t local_len = sizeof(local), peer_len = sizeof(peer);

	return getsockname(fd, (struct sockaddr *)&local, &local_len) == 0 &&
	       getpeername(fd, (struct sockaddr *)&peer, &peer_len) == 0 &&
	       local.sin_port == peer.sin_port && local.sin_addr.s_addr == peer.sin_addr.s_addr;
}

int kernel_tcp_connected(struct kernel_queue *q)
{
	if (met_itself(q->fd)) {
		kernel_tcp_disconnect(q->fd);
		return -ECONNREFUSED;
	}
	/* Edges of the unconnected socket said nothing of the connection. */
	q->established = true;
	q->readable = true;
	q->writable = true;
	q->hup = false;
	q->eof = false;
	q->error = 0;
	return 0;
}

/* Called again at an edge: a second connect(2) says what became of the first. */
int kernel_tcp_connect(struct kernel_queue *q, struct operation *op)
{
	struct sockaddr_in sin = endpoint_to_sockaddr_in(&op->connect.to);

	if (q->queue.bound)
		kernel_tcp_reuse_later(q);
	if (connect(q->fd, (struct sockaddr *)&sin, sizeof(sin)) == 0)
		return kernel_tcp_connected(q);
	switch (errno) {
	case EISCONN:
		return kernel_tcp_connected(q);
	case EINPROGRESS:
	case EALREADY:
	case EINTR:
		q->writable = false;
		return -EAGAIN;
	case EAGAIN:
	case ENOBUFS:
		q->writable = false;
		return -ENOBUFS;
	default:
		return -errno;
	}
}

int kernel_tcp_broken(struct kernel_queue *q, int err)
{
	/* EPIPE is a reset that came behind the peer's end: our own end is seen before. */
	q->error = err == EPIPE ? -ECONNRESET : -err;
	return q->error;
}

static int receive_failed(struct kernel_queue *q, int err)
{
	q->readable = err != EAGAIN;
	switch (err) {
	case EAGAIN:
	case EINTR:
		return -EAGAIN;
	case ENOMEM:
	case ENOBUFS:
		return -ENOMEM;
	default:
		return kernel_tcp_broken(q, err);
	}
}

static int end_of_stream(struct kernel_queue *q, struct operation *op)
{
	q->readable = true;
	if (q->error != 0)
		return q->error;
	q->eof = true;
	op->pop.buf = heap_alloc(kernel_of(&q->queue)->env.heap, 1);
	if (op->pop.buf == NULL)
		return -ENOMEM;
	op->pop.data = op->pop.buf->data;
	op->pop.len = 0;
	return 0;
}

static int without_a_buffer(struct kernel_queue *q)
{
	q->readable = true;
	return -ENOMEM;
}

static int received(struct kernel_queue *q, struct operation *op, struct buf *b, size_t n)
{
	b->len = (uint32_t)n;
	op->pop.buf = b;
	op->pop.data = b->data;
	op->pop.len = (uint32_t)n;
	q->large = n >= KERNEL_SMALL_BYTES;
	return 0;
}

/* Behind a large message a large buffer is the better one; either will do. */
int kernel_tcp_receive(struct kernel_queue *q, struct operation *op)
{
	struct kernel *k = kernel_of(&q->queue);
	bool large = q->large ? kernel_spare(k) != NULL : kernel_small(k) == NULL;
	struct buf *b = large ? kernel_spare(k) : kernel_small(k);
	uint32_t room = large ? KERNEL_RECV_BYTES : KERNEL_SMALL_BYTES;
	uint32_t want = op->pop.max_bytes < room ? op->pop.max_bytes : room;
	ssize_t n;

	if (b == NULL)
		return without_a_buffer(q);
	n = kernel_call_recv(q->fd, b->data, want);
	if (n < 0)
		return receive_failed(q, errno);
	if (n == 0)
		return end_of_stream(q, op);
	/* Short: all that was there, but for what an edge has announced. */
	q->readable = (uint32_t)n == want || q->hup || q->urgent;
	if (large)
		return received(q, op, kernel_take(k, (size_t)n), (size_t)n);
	k->small = NULL;
	return received(q, op, b, (size_t)n);
}

static int send_failed(struct kernel_queue *q, int err)
{
	switch (err) {
	case EAGAIN:
		q->writable = false;
		return -EAGAIN;
	case EINTR:
		return -EAGAIN;
	case ENOMEM:
	case ENOBUFS:
		q->writable = false;
		return -ENOBUFS;
	default:
		return kernel_tcp_broken(q, err);
	}
}

/* Until the kernel has it all, or says that it is full: only then will there be an edge. */
int kernel_tcp_send(struct kernel_queue *q, struct operation *op)
{
	if (q->error != 0)
		return q->error;
	do {
		ssize_t n = kernel_call_send(q->fd, op->push.data + op->push.sent,
					     op->push.len - op->push.sent, MSG_NOSIGNAL);

		if (n < 0)
			return send_failed(q, errno);
		op->push.sent += (uint32_t)n;
	} while (op->push.sent < op->push.len);
	return 0;
}
