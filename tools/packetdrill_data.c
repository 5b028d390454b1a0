/* packetdrill_data.c - the calls of packetdrill's table that move bytes, and those that are not
 * here.
 *
 * SPDX-License-Identifier: MIT
 */
#include "packetdrill_so.h"
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

/* One call that may have to be tried again. */
struct transfer {
	int fd;
	uint8_t *data;
	size_t len;
	size_t done; /* bytes of a stream that were taken already */
	int flags;
	const struct endpoint *to;
	struct endpoint from;
};

static bool blocks(const struct so_fd *f, int flags)
{
	return !f->nonblocking && !(flags & MSG_DONTWAIT);
}

static int64_t try_receive(struct so *so, void *arg)
{
	struct transfer *t = arg;
	struct so_fd *f = so_find(so, t->fd);

	if (f == NULL)
		return -EBADF;
	return host_recv(f->sock, t->data, t->len, t->flags & MSG_PEEK, &t->from);
}

/* A stream's call that blocks comes back when all was taken. */
static int64_t try_send(struct so *so, void *arg)
{
	struct transfer *t = arg;
	struct so_fd *f = so_find(so, t->fd);
	int64_t n;

	if (f == NULL)
		return -EBADF;
	n = host_send(f->sock, t->data + t->done, t->len - t->done, t->to);
	if (host_type(f->sock) != SOCK_STREAM)
		return n;
	if (n > 0)
		t->done += (size_t)n;
	if (n < 0 && (n == -EAGAIN || t->done == 0))
		return t->done > 0 && !blocks(f, t->flags) ? (int64_t)t->done : n;
	return t->done < t->len && n >= 0 && blocks(f, t->flags) ? -EAGAIN : (int64_t)t->done;
}

static ssize_t run(void *ud, struct transfer *t, int64_t (*attempt)(struct so *, void *))
{
	struct so *so = so_enter(ud);
	struct so_fd *f = so == NULL ? NULL : so_find(so, t->fd);

	if (f == NULL)
		return (ssize_t)so_leave(so, -EBADF);
	return (ssize_t)so_leave(so, so_try(so, blocks(f, t->flags), attempt, t));
}

static ssize_t so_recv(void *ud, int fd, void *buf, size_t n, int flags)
{
	struct transfer t = {.fd = fd, .data = buf, .len = n, .flags = flags};

	return run(ud, &t, try_receive);
}

static ssize_t so_read(void *ud, int fd, void *buf, size_t n)
{
	return so_recv(ud, fd, buf, n, 0);
}

static ssize_t so_recvfrom(void *ud, int fd, void *buf, size_t n, int flags, struct sockaddr *addr,
			   socklen_t *len)
{
	struct transfer t = {.fd = fd, .data = buf, .len = n, .flags = flags};
	ssize_t r = run(ud, &t, try_receive);

	if (r >= 0 && addr != NULL && len != NULL) {
		struct sockaddr_in sin = endpoint_to_sockaddr_in(&t.from);

		memcpy(addr, &sin, *len < sizeof(sin) ? *len : sizeof(sin));
		*len = sizeof(sin);
	}
	return r;
}

static ssize_t so_send(void *ud, int fd, const void *buf, size_t n, int flags)
{
	struct transfer t = {.fd = fd, .data = (uint8_t *)buf, .len = n, .flags = flags};

	return run(ud, &t, try_send);
}

static ssize_t so_write(void *ud, int fd, const void *buf, size_t n)
{
	return so_send(ud, fd, buf, n, 0);
}

static ssize_t so_sendto(void *ud, int fd, const void *buf, size_t n, int flags,
			 const struct sockaddr *addr, socklen_t len)
{
	struct transfer t = {.fd = fd, .data = (uint8_t *)buf, .len = n, .flags = flags};
	struct sockaddr_in sin;
	struct endpoint to;

	if (addr != NULL) {
		if (len < sizeof(sin)) {
			errno = EINVAL;
			return -1;
		}
		memcpy(&sin, addr, sizeof(sin));
		to = endpoint_from_sockaddr_in(&sin);
		t.to = &to;
	}
	return run(ud, &t, try_send);
}

/* All bytes of the vectors in one block, for free(); NULL with errno set. */
static uint8_t *iov_join(const struct iovec *iov, int n, size_t *bytes, bool copy)
{
	uint8_t *all;
	size_t at = 0;

	*bytes = 0;
	for (int i = 0; i < n; i++) {
		if (iov[i].iov_len > SO_IOV_BYTES_MAX - *bytes) {
			errno = EINVAL;
			return NULL;
		}
		*bytes += iov[i].iov_len;
	}
	all = malloc(*bytes + 1);
	for (int i = 0; all != NULL && copy && i < n; i++) {
		memcpy(all + at, iov[i].iov_base, iov[i].iov_len);
		at += iov[i].iov_len;
	}
	return all;
}

static void iov_scatter(const struct iovec *iov, int n, const uint8_t *all, size_t bytes)
{
	for (int i = 0; i < n && bytes > 0; i++) {
		size_t part = iov[i].iov_len < bytes ? iov[i].iov_len : bytes;

		memcpy(iov[i].iov_base, all, part);
		all += part;
		bytes -= part;
	}
}

static ssize_t receive_iov(void *ud, int fd, const struct iovec *iov, int n, int flags,
			   struct sockaddr *addr, socklen_t *len)
{
	size_t bytes;
	uint8_t *all = iov_join(iov, n, &bytes, false);
	ssize_t r;

	if (all == NULL)
		return -1;
	r = so_recvfrom(ud, fd, all, bytes, flags, addr, len);
	if (r > 0)
		iov_scatter(iov, n, all, (size_t)r);
	free(all);
	return r;
}

static ssize_t send_iov(void *ud, int fd, const struct iovec *iov, int n, int flags,
			const struct sockaddr *addr, socklen_t len)
{
	size_t bytes;
	uint8_t *all = iov_join(iov, n, &bytes, true);
	ssize_t r;

	if (all == NULL)
		return -1;
	r = so_sendto(ud, fd, all, bytes, flags, addr, len);
	free(all);
	return r;
}

static ssize_t so_readv(void *ud, int fd, const struct iovec *iov, int n)
{
	return receive_iov(ud, fd, iov, n, 0, NULL, NULL);
}

static ssize_t so_writev(void *ud, int fd, const struct iovec *iov, int n)
{
	return send_iov(ud, fd, iov, n, 0, NULL, 0);
}

static ssize_t so_recvmsg(void *ud, int fd, struct msghdr *msg, int flags)
{
	msg->msg_controllen = 0;
	msg->msg_flags = 0;
	return receive_iov(ud, fd, msg->msg_iov, (int)msg->msg_iovlen, flags, msg->msg_name,
			   &msg->msg_namelen);
}

static ssize_t so_sendmsg(void *ud, int fd, const struct msghdr *msg, int flags)
{
	return send_iov(ud, fd, msg->msg_iov, (int)msg->msg_iovlen, flags, msg->msg_name,
			msg->msg_namelen);
}

/* epoll sets, pipes and splicing are not the stack's: scripts that use them say that it has none.
 */
static int not_here(void *ud)
{
	return (int)so_leave(so_enter(ud), -ENOSYS);
}

static int so_epoll_create(void *ud, int size)
{
	(void)size;
	return not_here(ud);
}

static int so_epoll_ctl(void *ud, int epfd, int op, int fd, struct epoll_event *event)
{
	(void)epfd, (void)op, (void)fd, (void)event;
	return not_here(ud);
}

static int so_epoll_wait(void *ud, int epfd, struct epoll_event *events, int n, int timeout_ms)
{
	(void)epfd, (void)events, (void)n, (void)timeout_ms;
	return not_here(ud);
}

static int so_pipe(void *ud, int fds[2])
{
	(void)fds;
	return not_here(ud);
}

static int so_splice(void *ud, int fd_in, loff_t *off_in, int fd_out, loff_t *off_out, size_t n,
		     unsigned flags)
{
	(void)fd_in, (void)off_in, (void)fd_out, (void)off_out, (void)n, (void)flags;
	return not_here(ud);
}

void so_data_functions(struct packetdrill_interface *ifc)
{
	ifc->read = so_read;
	ifc->readv = so_readv;
	ifc->recv = so_recv;
	ifc->recvfrom = so_recvfrom;
	ifc->recvmsg = so_recvmsg;
	ifc->write = so_write;
	ifc->writev = so_writev;
	ifc->send = so_send;
	ifc->sendto = so_sendto;
	ifc->sendmsg = so_sendmsg;
	ifc->epoll_create = so_epoll_create;
	ifc->epoll_ctl = so_epoll_ctl;
	ifc->epoll_wait = so_epoll_wait;
	ifc->pipe = so_pipe;
	ifc->splice = so_splice;
}
