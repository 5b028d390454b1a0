/* packetdrill_socket.c - the calls of packetdrill's table that make, name, join, ask and end
 * sockets.
 *
 * A descriptor is a real one of the kernel's, that of an eventfd which holds its place.
 *
 * SPDX-License-Identifier: MIT
 */
#include "packetdrill_so.h"
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <string.h>
#include <sys/eventfd.h>

enum { NS_PER_MS = 1000000 };

/* A descriptor for the socket, which is closed when there is none. */
static int so_new_fd(struct so *so, struct host_sock *sock, bool nonblocking)
{
	int fd = eventfd(0, EFD_CLOEXEC);

	if (fd < 0 || fd >= SO_FDS_MAX) {
		host_close(sock);
		if (fd >= 0)
			close(fd);
		return -EMFILE;
	}
	so->fds[fd] = (struct so_fd){sock, nonblocking};
	return fd;
}

static int so_socket(void *ud, int domain, int type, int protocol)
{
	struct so *so = so_enter(ud);
	struct host_sock *sock;
	int r = -ENODEV;

	if (so != NULL)
		r = host_socket(so->host, domain, type, protocol, &sock);
	if (r == 0)
		r = so_new_fd(so, sock, type & SOCK_NONBLOCK);
	return (int)so_leave(so, r);
}

static int read_address(const struct sockaddr *addr, socklen_t len, struct endpoint *e)
{
	struct sockaddr_in sin;

	if (addr == NULL || len < sizeof(sin))
		return -EINVAL;
	memcpy(&sin, addr, sizeof(sin));
	*e = endpoint_from_sockaddr_in(&sin);
	return sin.sin_family == AF_INET ? 0 : -EAFNOSUPPORT;
}

static void write_address(const struct endpoint *e, struct sockaddr *addr, socklen_t *len)
{
	struct sockaddr_in sin = endpoint_to_sockaddr_in(e);

	if (addr == NULL || len == NULL)
		return;
	memcpy(addr, &sin, *len < sizeof(sin) ? *len : sizeof(sin));
	*len = sizeof(sin);
}

static int so_bind(void *ud, int fd, const struct sockaddr *addr, socklen_t len)
{
	struct so *so = so_enter(ud);
	struct so_fd *f = so == NULL ? NULL : so_find(so, fd);
	struct endpoint e;
	int r = f == NULL ? -EBADF : read_address(addr, len, &e);

	return (int)so_leave(so, r < 0 ? r : host_bind(f->sock, &e));
}

static int so_listen(void *ud, int fd, int backlog)
{
	struct so *so = so_enter(ud);
	struct so_fd *f = so == NULL ? NULL : so_find(so, fd);

	return (int)so_leave(so, f == NULL ? -EBADF : host_listen(f->sock, backlog));
}

/* One call that may have to be tried again. */
struct attempt {
	int fd;
	struct host_sock *accepted;
	struct endpoint peer;
};

static int64_t try_accept(struct so *so, void *arg)
{
	struct attempt *a = arg;
	struct so_fd *f = so_find(so, a->fd);

	return f == NULL ? -EBADF : host_accept(f->sock, &a->accepted, &a->peer);
}

static int so_accept(void *ud, int fd, struct sockaddr *addr, socklen_t *len)
{
	struct so *so = so_enter(ud);
	struct so_fd *f = so == NULL ? NULL : so_find(so, fd);
	struct attempt a = {.fd = fd};
	int64_t r;

	if (f == NULL)
		return (int)so_leave(so, -EBADF);
	r = so_try(so, !f->nonblocking, try_accept, &a);
	if (r == 0) {
		write_address(&a.peer, addr, len);
		r = so_new_fd(so, a.accepted, false);
	}
	return (int)so_leave(so, r);
}

static int64_t try_connected(struct so *so, void *arg)
{
	struct attempt *a = arg;
	struct so_fd *f = so_find(so, a->fd);
	int r = f == NULL ? -EBADF : host_connect_state(f->sock);

	return r == -EINPROGRESS ? -EAGAIN : r;
}

static int so_connect(void *ud, int fd, const struct sockaddr *addr, socklen_t len)
{
	struct so *so = so_enter(ud);
	struct so_fd *f = so == NULL ? NULL : so_find(so, fd);
	struct attempt a = {.fd = fd};
	int64_t r = f == NULL ? -EBADF : read_address(addr, len, &a.peer);

	if (r == 0)
		r = host_connect(f->sock, &a.peer);
	if (r == -EINPROGRESS && !f->nonblocking)
		r = so_try(so, true, try_connected, &a);
	return (int)so_leave(so, r);
}

static int so_close(void *ud, int fd)
{
	struct so *so = so_enter(ud);
	struct so_fd *f = so == NULL ? NULL : so_find(so, fd);
	int r = -EBADF;

	if (f != NULL) {
		r = host_close(f->sock);
		f->sock = NULL;
		close(fd);
	}
	return (int)so_leave(so, r);
}

static int so_shutdown(void *ud, int fd, int how)
{
	struct so *so = so_enter(ud);
	struct so_fd *f = so == NULL ? NULL : so_find(so, fd);

	return (int)so_leave(so, f == NULL ? -EBADF : host_shutdown(f->sock, how));
}

static int so_fcntl(void *ud, int fd, int command, ...)
{
	struct so *so = so_enter(ud);
	struct so_fd *f = so == NULL ? NULL : so_find(so, fd);
	int r = f == NULL ? -EBADF : -EINVAL;
	va_list args;

	va_start(args, command);
	if (f != NULL && command == F_GETFL) {
		r = O_RDWR | (f->nonblocking ? O_NONBLOCK : 0);
	} else if (f != NULL && command == F_SETFL) {
		f->nonblocking = va_arg(args, int) & O_NONBLOCK;
		r = 0;
	}
	va_end(args);
	return (int)so_leave(so, r);
}

/* No request of ioctl() has a meaning for the stack's sockets. */
static int so_ioctl(void *ud, int fd, unsigned long request, ...)
{
	struct so *so = so_enter(ud);

	(void)request;
	return (int)so_leave(so, so == NULL || so_find(so, fd) == NULL ? -EBADF : -ENOTTY);
}

static int so_getsockopt(void *ud, int fd, int level, int name, void *value, socklen_t *len)
{
	struct so *so = so_enter(ud);
	struct so_fd *f = so == NULL ? NULL : so_find(so, fd);
	uint32_t n = *len;
	int r = f == NULL ? -EBADF : host_getsockopt(f->sock, level, name, value, &n);

	if (r == 0)
		*len = n;
	return (int)so_leave(so, r);
}

static int so_setsockopt(void *ud, int fd, int level, int name, const void *value, socklen_t len)
{
	struct so *so = so_enter(ud);
	struct so_fd *f = so == NULL ? NULL : so_find(so, fd);

	return (int)so_leave(so, f == NULL ? -EBADF
					   : host_setsockopt(f->sock, level, name, value, len));
}

struct poll_attempt {
	struct pollfd *fds;
	nfds_t n;
	uint64_t until_ns;
};

static int64_t try_poll(struct so *so, void *arg)
{
	struct poll_attempt *a = arg;
	int64_t ready = 0;

	for (nfds_t i = 0; i < a->n; i++) {
		struct so_fd *f = so_find(so, a->fds[i].fd);
		int bits = f == NULL ? POLLNVAL : host_poll(f->sock);

		a->fds[i].revents =
		    (short)(bits & (a->fds[i].events | POLLERR | POLLHUP | POLLNVAL));
		ready += a->fds[i].revents != 0;
	}
	return ready == 0 && host_now(so->host) < a->until_ns ? -EAGAIN : ready;
}

static int so_poll(void *ud, struct pollfd *fds, nfds_t n, int timeout_ms)
{
	struct so *so = so_enter(ud);
	struct poll_attempt a = {fds, n, UINT64_MAX};

	if (so == NULL)
		return (int)so_leave(so, -ENODEV);
	if (timeout_ms >= 0)
		a.until_ns = host_now(so->host) + (uint64_t)timeout_ms * NS_PER_MS;
	return (int)so_leave(so, so_try(so, true, try_poll, &a));
}

void so_socket_functions(struct packetdrill_interface *ifc)
{
	ifc->socket = so_socket;
	ifc->bind = so_bind;
	ifc->listen = so_listen;
	ifc->accept = so_accept;
	ifc->connect = so_connect;
	ifc->close = so_close;
	ifc->shutdown = so_shutdown;
	ifc->fcntl = so_fcntl;
	ifc->ioctl = so_ioctl;
	ifc->getsockopt = so_getsockopt;
	ifc->setsockopt = so_setsockopt;
	ifc->poll = so_poll;
}
