/* pkt_socket.c - the calls of POSIX over the verbs of stack.h.
 *
 * What POSIX has and the stack leaves to its callers is here: an error is reported once and then is
 * the end of the stream, SO_ERROR, SO_REUSEADDR, the second connect(), and levels for poll() where
 * the stack tells edges.
 *
 * SPDX-License-Identifier: MIT
 */
#include "pkt_host_state.h"
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

struct host_sock {
	struct host *host;
	struct sock *k;
	int type;
	bool listening, connecting, connected;
	bool reuse_address, reuse_port;
	bool failed; /* the connection has ended with an error */
	int error;   /* -errno not reported yet, 0: none */
	bool full;   /* a send gave -EAGAIN, and no event since says otherwise */
	/* Accepted for poll(), which can only tell by trying; the next accept() takes it. */
	struct host_sock *accepted;
};

static struct host_sock *sock_new(struct host *h, int type)
{
	struct host_sock *s = calloc(1, sizeof(*s));

	if (s != NULL) {
		s->host = h;
		s->type = type;
	}
	return s;
}

void host_sock_event(struct host_sock *s, uint32_t bits)
{
	if (bits & STACK_EV_CONNECTED)
		s->connected = true;
	if (bits & STACK_EV_WRITE)
		s->full = false;
	if (bits & STACK_EV_FAILED && !s->failed) {
		s->failed = true;
		s->connected = false;
		s->error = stack_error(s->k);
	}
}

static int take_error(struct host_sock *s)
{
	int e = s->error;

	s->error = 0;
	s->connecting = s->connecting && e == 0;
	return e;
}

int host_socket(struct host *h, int domain, int type, int protocol, struct host_sock **out)
{
	struct host_sock *s;
	int r;

	if (domain != AF_INET)
		return -EAFNOSUPPORT;
	type &= ~(SOCK_NONBLOCK | SOCK_CLOEXEC);
	if ((type == SOCK_STREAM && protocol != 0 && protocol != IPPROTO_TCP) ||
	    (type == SOCK_DGRAM && protocol != 0 && protocol != IPPROTO_UDP) ||
	    (type != SOCK_STREAM && type != SOCK_DGRAM))
		return -EPROTONOSUPPORT;
	s = sock_new(h, type);
	if (s == NULL)
		return -ENOMEM;
	r = stack_open(h->stack, type, s, &s->k);
	if (r < 0) {
		free(s);
		return r;
	}
	*out = s;
	return 0;
}

int host_bind(struct host_sock *s, const struct endpoint *local)
{
	return stack_bind(s->k, local, s->reuse_port);
}

int host_listen(struct host_sock *s, int backlog)
{
	int r = stack_listen(s->k, backlog);

	s->listening |= r == 0;
	return r;
}

static int accept_one(struct host_sock *s, struct host_sock **out)
{
	struct host_sock *a = sock_new(s->host, SOCK_STREAM);
	int r;

	if (a == NULL)
		return -ENOMEM;
	r = stack_accept(s->k, a, &a->k);
	if (r < 0) {
		free(a);
		return r;
	}
	a->connected = true;
	if (stack_error(a->k) < 0) /* it was reset while it waited */
		host_sock_event(a, STACK_EV_FAILED);
	host_pump(s->host);
	*out = a;
	return 0;
}

int host_accept(struct host_sock *s, struct host_sock **out, struct endpoint *peer)
{
	int r = 0;

	if (s->accepted != NULL) {
		*out = s->accepted;
		s->accepted = NULL;
	} else {
		r = accept_one(s, out);
	}
	if (r == 0 && peer != NULL)
		*peer = stack_peer((*out)->k);
	return r;
}

int host_connect(struct host_sock *s, const struct endpoint *peer)
{
	int r;

	if (s->connecting) {
		r = host_connect_state(s);
		return r == -EINPROGRESS ? -EALREADY : r;
	}
	if (s->connected && s->type == SOCK_STREAM)
		return -EISCONN;
	r = stack_connect(s->k, peer, s->host->now_ns);
	s->connecting = r == -EINPROGRESS;
	host_pump(s->host);
	return r;
}

int host_connect_state(struct host_sock *s)
{
	if (s->error != 0)
		return take_error(s);
	if (!s->connected)
		return s->connecting ? -EINPROGRESS : -ENOTCONN;
	s->connecting = false;
	return 0;
}

static int64_t send_stream(struct host_sock *s, struct buf *b)
{
	uint32_t sent = 0;

	while (sent < b->len) {
		bool zero_copy;
		int64_t n =
		    stack_send(s->k, b, b->data + sent, b->len - sent, &zero_copy, s->host->now_ns);

		if (n < 0 && sent == 0)
			return n;
		if (n <= 0)
			break;
		sent += (uint32_t)n;
	}
	return sent;
}

int64_t host_send(struct host_sock *s, const void *data, size_t len, const struct endpoint *to)
{
	struct buf *b;
	int64_t n;

	if (s->error != 0)
		return take_error(s);
	if (s->failed)
		return -EPIPE;
	if (len == 0 && s->type == SOCK_STREAM)
		return 0;
	b = heap_alloc(s->host->heap, len > 0 ? len : 1);
	if (b == NULL)
		return len > HEAP_MAX_BYTES ? -EMSGSIZE : -ENOBUFS;
	memcpy(b->data, data, len);
	b->len = (uint32_t)len;
	if (s->type == SOCK_STREAM) {
		n = send_stream(s, b);
	} else {
		n = stack_sendto(s->k, b, b->data, b->len, to, s->host->now_ns);
		n = n < 0 ? n : (int64_t)len;
	}
	s->full = n >= 0 ? n < (int64_t)len : n == -EAGAIN;
	buf_unref(b);
	host_pump(s->host);
	return n;
}

/* One datagram: what does not fit is lost, as POSIX has it. */
static int64_t recv_datagram(struct host_sock *s, uint8_t *data, size_t len, struct endpoint *from)
{
	struct stack_received got;
	int r = stack_recv(s->k, UINT32_MAX, &got, s->host->now_ns);

	if (r <= 0)
		return r;
	if (got.len < len)
		len = got.len;
	memcpy(data, got.data, len);
	if (from != NULL)
		*from = got.from;
	buf_unref(got.buf);
	return (int64_t)len;
}

static int64_t recv_stream(struct host_sock *s, uint8_t *data, size_t len)
{
	size_t got_all = 0;

	while (got_all < len) {
		struct stack_received got;
		size_t want = len - got_all;
		int r = stack_recv(s->k, want > UINT32_MAX ? UINT32_MAX : (uint32_t)want, &got,
				   s->host->now_ns);

		if (r <= 0)
			return got_all > 0 ? (int64_t)got_all : r;
		memcpy(data + got_all, got.data, got.len);
		got_all += got.len;
		buf_unref(got.buf);
	}
	return (int64_t)got_all;
}

int64_t host_recv(struct host_sock *s, void *data, size_t len, int flags, struct endpoint *from)
{
	int64_t n;

	if (len == 0 && s->type == SOCK_STREAM)
		return 0;
	if (flags & MSG_PEEK)
		n = stack_peek(s->k, data, len > UINT32_MAX ? UINT32_MAX : (uint32_t)len);
	else if (s->type == SOCK_DGRAM)
		n = recv_datagram(s, data, len, from);
	else
		n = recv_stream(s, data, len);
	/* No pump: the program may answer what it has read before the stack gets its turn. */
	if (n < 0 && s->failed) /* once the error, from then on the end of the stream */
		n = take_error(s);
	return n;
}

int host_shutdown(struct host_sock *s, int how)
{
	int r = stack_shutdown(s->k, how, s->host->now_ns);

	host_pump(s->host);
	return r;
}

int host_close(struct host_sock *s)
{
	struct host *h = s->host;

	if (s->accepted != NULL)
		host_close(s->accepted);
	stack_close(s->k, h->now_ns);
	free(s);
	host_pump(h);
	return 0;
}

static bool *own_option(struct host_sock *s, int level, int name)
{
	if (level == SOL_SOCKET && name == SO_REUSEADDR)
		return &s->reuse_address;
	if (level == SOL_SOCKET && name == SO_REUSEPORT)
		return &s->reuse_port;
	return NULL;
}

int host_setsockopt(struct host_sock *s, int level, int name, const void *value, uint32_t len)
{
	bool *own = own_option(s, level, name);
	int v, r;

	if (own == NULL) {
		r = stack_setsockopt(s->k, level, name, value, len);
		host_pump(s->host);
		return r == -ENOTSUP ? -ENOPROTOOPT : r;
	}
	if (len < sizeof(v))
		return -EINVAL;
	memcpy(&v, value, sizeof(v));
	*own = v != 0;
	return 0;
}

int host_getsockopt(struct host_sock *s, int level, int name, void *value, uint32_t *len)
{
	const bool *own = own_option(s, level, name);
	int v, r;

	if (level == SOL_SOCKET && name == SO_ERROR) {
		v = -take_error(s);
	} else if (level == SOL_SOCKET && name == SO_TYPE) {
		v = s->type;
	} else if (own != NULL) {
		v = *own;
	} else {
		r = stack_getsockopt(s->k, level, name, value, len);
		return r == -ENOTSUP ? -ENOPROTOOPT : r;
	}
	if (*len > sizeof(v))
		*len = sizeof(v);
	memcpy(value, &v, *len);
	return 0;
}

static bool is_readable(struct host_sock *s)
{
	uint8_t byte;

	if (s->listening)
		return s->accepted != NULL || accept_one(s, &s->accepted) == 0;
	if (s->type == SOCK_STREAM && !s->connected)
		return false;
	return stack_peek(s->k, &byte, 1) != -EAGAIN;
}

int host_poll(struct host_sock *s)
{
	int bits = 0;

	if (s->error != 0)
		bits |= POLLERR;
	if (s->failed)
		return bits | POLLIN | POLLOUT | POLLHUP;
	if (is_readable(s))
		bits |= POLLIN;
	if (!s->listening && !s->full && (s->connected || s->type == SOCK_DGRAM))
		bits |= POLLOUT;
	return bits;
}

int host_type(const struct host_sock *s)
{
	return s->type;
}

struct endpoint host_local(const struct host_sock *s)
{
	return stack_local(s->k);
}

struct endpoint host_peer(const struct host_sock *s)
{
	return stack_peer(s->k);
}
