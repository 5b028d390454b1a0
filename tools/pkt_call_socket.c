/* pkt_call_socket.c - the system calls that make, name, join and end sockets.
 *
 * SPDX-License-Identifier: MIT
 */
#include "pkt_call.h"
#include "pkt_value.h"
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

/* ... stands for IPv4 as the domain. */
static int64_t do_socket(struct call_ctx *c)
{
	struct host_sock *sock;
	struct run_sock *s;
	int64_t domain = AF_INET, type, protocol;
	int r;

	if ((c->call->args[0]->kind != EXPR_ELLIPSIS &&
	     !call_number(c, 0, 0, INT32_MAX, &domain)) ||
	    !call_number(c, 1, 0, INT32_MAX, &type) || !call_number(c, 2, 0, INT32_MAX, &protocol))
		return -EINVAL;
	r = host_socket(c->r->host, (int)domain, (int)type, (int)protocol, &sock);
	if (r < 0)
		return r;
	s = call_new_sock(c, sock);
	if (s == NULL)
		return -EINVAL;
	s->nonblocking = type & SOCK_NONBLOCK;
	return s->fd;
}

/* New packets without ports belong to the socket that was bound or set to listen last. */
static void at_hand(struct run *r, struct run_sock *s)
{
	r->local_port = host_local(s->sock).port;
	r->current = NULL;
}

static int64_t do_bind(struct call_ctx *c)
{
	struct endpoint local = {c->r->script->options.local, RUN_BIND_PORT};
	struct run_sock *s;
	bool given;
	int r;

	if (!call_sock(c, 0, &s))
		return -EINVAL;
	call_address(c, 1, &local, &given);
	if (c->wrong != NULL)
		return -EINVAL;
	r = host_bind(s->sock, &local);
	if (r == 0)
		at_hand(c->r, s);
	return r;
}

static int64_t do_listen(struct call_ctx *c)
{
	struct run_sock *s;
	int64_t backlog;
	int r;

	if (!call_sock(c, 0, &s) || !call_number(c, 1, INT32_MIN, INT32_MAX, &backlog))
		return -EINVAL;
	r = host_listen(s->sock, (int)backlog);
	if (r == 0)
		at_hand(c->r, s);
	return r;
}

static int64_t do_accept(struct call_ctx *c)
{
	struct host_sock *sock;
	struct endpoint peer;
	struct run_sock *s;
	int r;

	if (!call_sock(c, 0, &s))
		return -EINVAL;
	r = host_accept(s->sock, &sock, &peer);
	if (r < 0)
		return call_wait(s, 0, r);
	s = call_new_sock(c, sock);
	if (s == NULL)
		return -EINVAL;
	s->flow = run_flow_find(c->r, IPPROTO_TCP, host_local(sock).port, peer.port);
	if (s->flow != NULL && !s->flow->named)
		c->r->current = s->flow;
	return s->fd;
}

static int64_t do_connect(struct call_ctx *c)
{
	struct endpoint peer = {c->r->script->options.remote, RUN_CONNECT_PORT};
	struct run_sock *s;
	uint8_t protocol;
	bool given;
	int r;

	if (!call_sock(c, 0, &s))
		return -EINVAL;
	call_address(c, 1, &peer, &given);
	if (c->wrong != NULL)
		return -EINVAL;
	if (c->state->started) {
		r = host_connect_state(s->sock);
		return r == -EINPROGRESS ? CALL_WAITS : r;
	}
	r = host_connect(s->sock, &peer);
	if (r < 0 && r != -EINPROGRESS)
		return r;
	protocol = host_type(s->sock) == SOCK_STREAM ? IPPROTO_TCP : IPPROTO_UDP;
	s->flow = run_flow_find(c->r, protocol, host_local(s->sock).port, peer.port);
	if (s->flow == NULL)
		s->flow = run_flow_new(c->r, protocol, host_local(s->sock).port, peer.port, given);
	else
		s->flow->may_restart = true;
	c->r->current = s->flow;
	return r == -EINPROGRESS && !s->nonblocking ? CALL_WAITS : r;
}

static int64_t do_close(struct call_ctx *c)
{
	struct run_sock *s;
	int r;

	if (!call_sock(c, 0, &s))
		return -EINVAL;
	r = host_close(s->sock);
	s->sock = NULL;
	return r;
}

static int64_t do_shutdown(struct call_ctx *c)
{
	struct run_sock *s;
	int64_t how;

	if (!call_sock(c, 0, &s) || !call_number(c, 1, 0, INT32_MAX, &how))
		return -EINVAL;
	return host_shutdown(s->sock, (int)how);
}

enum { OPTION_BYTES = 16 }; /* of a value: the name of a congestion control is the longest */

/* {onoff=1, linger=0}, a name, or a number in brackets or without. False: none of them. */
static bool option_value(const struct pkt_expr *e, uint8_t value[OPTION_BYTES], uint32_t *len)
{
	const struct pkt_expr *onoff = pkt_value_field(e, "onoff");
	const struct pkt_expr *seconds = pkt_value_field(e, "linger");
	struct linger linger;
	int64_t a, b;
	int v;

	if (onoff != NULL && seconds != NULL && pkt_value_number(onoff, &a) == 0 &&
	    pkt_value_number(seconds, &b) == 0) {
		linger = (struct linger){(int)a, (int)b};
		memcpy(value, &linger, sizeof(linger));
		*len = sizeof(linger);
		return true;
	}
	if (e->kind == EXPR_STRING && e->text_len <= OPTION_BYTES) {
		memset(value, 0, OPTION_BYTES);
		memcpy(value, e->text, e->text_len);
		*len = OPTION_BYTES;
		return true;
	}
	if (pkt_value_number(e, &a) < 0)
		return false;
	v = (int)a;
	memcpy(value, &v, sizeof(v));
	*len = sizeof(v);
	return true;
}

static int64_t do_setsockopt(struct call_ctx *c)
{
	struct run_sock *s;
	int64_t level, name;
	uint8_t value[OPTION_BYTES];
	uint32_t len;

	if (!call_sock(c, 0, &s) || !call_number(c, 1, 0, INT32_MAX, &level) ||
	    !call_number(c, 2, 0, INT32_MAX, &name))
		return -EINVAL;
	if (!option_value(c->call->args[3], value, &len))
		return call_wrong(c, "the value is none of [N], {onoff=N, linger=N} and \"name\"");
	return host_setsockopt(s->sock, (int)level, (int)name, value, len);
}

static int64_t do_getsockopt(struct call_ctx *c)
{
	uint8_t got[OPTION_BYTES] = {0}, want[OPTION_BYTES] = {0};
	uint32_t len = sizeof(got), want_len;
	struct run_sock *s;
	int64_t level, name;
	int v, w, r;

	if (!call_sock(c, 0, &s) || !call_number(c, 1, 0, INT32_MAX, &level) ||
	    !call_number(c, 2, 0, INT32_MAX, &name))
		return -EINVAL;
	r = host_getsockopt(s->sock, (int)level, (int)name, got, &len);
	if (r < 0 || c->call->args[3]->kind == EXPR_ELLIPSIS)
		return r;
	if (!option_value(c->call->args[3], want, &want_len))
		return call_wrong(c, "the value is none of [N], {onoff=N, linger=N} and \"name\"");
	if (want_len != len || memcmp(want, got, len) != 0) {
		memcpy(&v, got, sizeof(v));
		memcpy(&w, want, sizeof(w));
		run_fail(c->r, "getsockopt() gave another value");
		run_note(c->r, "expected: %d", w);
		run_note(c->r, "got:      %d", v);
	}
	return r;
}

static int64_t do_fcntl(struct call_ctx *c)
{
	struct run_sock *s;
	int64_t command, flags;

	if (!call_sock(c, 0, &s) || !call_number(c, 1, 0, INT32_MAX, &command))
		return -EINVAL;
	if (command == F_GETFL)
		return O_RDWR | (s->nonblocking ? O_NONBLOCK : 0);
	if (command != F_SETFL || c->call->nargs < 3)
		return call_wrong(c, "F_GETFL or F_SETFL is expected");
	if (!call_number(c, 2, 0, INT32_MAX, &flags))
		return -EINVAL;
	s->nonblocking = flags & O_NONBLOCK;
	return 0;
}

/* One pollfd: whether it is ready; a revents that is given must be right then. */
static bool poll_one(struct call_ctx *c, const struct pkt_expr *e, bool *wrong)
{
	const struct pkt_expr *fd = pkt_value_field(e, "fd"),
			      *events = pkt_value_field(e, "events"),
			      *revents = pkt_value_field(e, "revents");
	int64_t want = 0, asked, number;
	int got = POLLNVAL;

	if (fd == NULL || events == NULL || pkt_value_number(fd, &number) < 0 ||
	    pkt_value_number(events, &asked) < 0 ||
	    (revents != NULL && pkt_value_number(revents, &want) < 0)) {
		call_wrong(c, "the first argument is [{fd=N, events=E, revents=E}, ...]");
		return false;
	}
	for (int i = 0; i < RUN_SOCKETS_MAX; i++) {
		if (c->r->socks[i].sock != NULL && c->r->socks[i].fd == number)
			got = host_poll(c->r->socks[i].sock) & ((int)asked | POLLERR | POLLHUP);
	}
	*wrong |= revents != NULL && got != want;
	return got != 0;
}

static int64_t do_poll(struct call_ctx *c)
{
	int64_t ready = 0, timeout;
	bool wrong = false;

	if (c->call->args[0]->kind != EXPR_LIST)
		return call_wrong(c, "the first argument is [{fd=N, events=E, revents=E}, ...]");
	if (!call_number(c, 2, -1, INT32_MAX, &timeout))
		return -EINVAL;
	for (const struct pkt_expr *e = c->call->args[0]->first; e != NULL; e = e->next)
		ready += poll_one(c, e, &wrong);
	if (timeout > 0)
		c->state->wake_us = c->state->start_us + timeout * 1000;
	if (ready == 0 && (timeout < 0 || run_now_us(c->r) < c->state->wake_us))
		return CALL_WAITS;
	if (wrong && c->wrong == NULL)
		run_fail(c->r, "poll() gave other revents");
	return ready;
}

const struct call_kind call_socket_kinds[] = {
    {"socket", 3, 3, do_socket},
    {"bind", 3, 3, do_bind},
    {"listen", 2, 2, do_listen},
    {"accept", 3, 3, do_accept},
    {"connect", 3, 3, do_connect},
    {"close", 1, 1, do_close},
    {"shutdown", 2, 2, do_shutdown},
    {"setsockopt", 5, 5, do_setsockopt},
    {"getsockopt", 5, 5, do_getsockopt},
    {"fcntl", 2, 3, do_fcntl},
    {"poll", 3, 3, do_poll},
    {NULL, 0, 0, NULL},
};
