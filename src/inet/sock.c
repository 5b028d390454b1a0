/* sock.c - the verbs of stack.h, each handed to the protocol of its socket.
 *
 * SPDX-License-Identifier: MIT
 */
#include "inet/core.h"
#include "inet/tcp.h"
#include "inet/udp.h"
#include <errno.h>
#include <sys/socket.h>

int stack_open(struct stack *s, int type, void *user, struct sock **out)
{
	if (type == SOCK_STREAM)
		return tcp_open(s, user, out);
	if (type == SOCK_DGRAM)
		return udp_open(s, user, out);
	return -ENOTSUP;
}

void stack_set_user(struct sock *k, void *user)
{
	k->user = user;
}

int stack_bind(struct sock *k, const struct endpoint *local, bool reuse_port)
{
	return k->kind == SOCK_TCP ? tcp_bind(k, local, reuse_port)
				   : udp_bind(k, local, reuse_port);
}

int stack_listen(struct sock *k, int backlog)
{
	return k->kind == SOCK_TCP ? tcp_listen(k, backlog) : -ENOTSUP;
}

int stack_accept(struct sock *k, void *user, struct sock **out)
{
	return k->kind == SOCK_TCP ? tcp_accept(k, user, out) : -ENOTSUP;
}

int stack_connect(struct sock *k, const struct endpoint *peer, uint64_t now_ns)
{
	stack_set_time(k->stack, now_ns);
	return k->kind == SOCK_TCP ? tcp_connect(k, peer) : udp_connect(k, peer);
}

int64_t stack_send(struct sock *k, struct buf *b, const uint8_t *data, uint32_t len,
		   bool *zero_copy, uint64_t now_ns)
{
	stack_set_time(k->stack, now_ns);
	return k->kind == SOCK_TCP ? tcp_send(k, b, data, len, zero_copy) : -ENOTSUP;
}

uint64_t stack_acked(const struct sock *k)
{
	return k->kind == SOCK_TCP ? tcp_acked(k) : 0;
}

uint64_t stack_accepted(const struct sock *k)
{
	return k->kind == SOCK_TCP ? tcp_accepted(k) : 0;
}

int stack_sendto(struct sock *k, struct buf *b, const uint8_t *data, uint32_t len,
		 const struct endpoint *peer, uint64_t now_ns)
{
	stack_set_time(k->stack, now_ns);
	return k->kind == SOCK_UDP ? udp_sendto(k, b, data, len, peer) : -ENOTSUP;
}

int stack_recv(struct sock *k, uint32_t max, struct stack_received *out, uint64_t now_ns)
{
	stack_set_time(k->stack, now_ns);
	if (max == 0)
		return -EINVAL;
	return k->kind == SOCK_TCP ? tcp_recv(k, max, out) : udp_recv(k, max, out);
}

int64_t stack_peek(const struct sock *k, uint8_t *dst, uint32_t max)
{
	return k->kind == SOCK_TCP ? tcp_peek(k, dst, max) : udp_peek(k, dst, max);
}

int stack_shutdown(struct sock *k, int how, uint64_t now_ns)
{
	stack_set_time(k->stack, now_ns);
	if (how != SHUT_RD && how != SHUT_WR && how != SHUT_RDWR)
		return -EINVAL;
	return k->kind == SOCK_TCP ? tcp_shutdown(k, how) : udp_shutdown(k, how);
}

void stack_close(struct sock *k, uint64_t now_ns)
{
	stack_set_time(k->stack, now_ns);
	if (k->kind == SOCK_TCP)
		tcp_close(k);
	else
		udp_close(k);
}

void stack_abort(struct sock *k, uint64_t now_ns)
{
	stack_set_time(k->stack, now_ns);
	if (k->kind == SOCK_TCP)
		tcp_abort(k);
	else
		udp_close(k);
}

bool stack_ended(const struct sock *k)
{
	return k->kind == SOCK_TCP ? tcp_ended(k) : true;
}

int stack_error(const struct sock *k)
{
	return k->error;
}

struct endpoint stack_local(const struct sock *k)
{
	return k->local;
}

struct endpoint stack_peer(const struct sock *k)
{
	return k->peer;
}

int stack_setsockopt(struct sock *k, int level, int name, const void *val, uint32_t len)
{
	return k->kind == SOCK_TCP ? tcp_setsockopt(k, level, name, val, len)
				   : udp_setsockopt(k, level, name, val, len);
}

int stack_getsockopt(struct sock *k, int level, int name, void *val, uint32_t *len)
{
	return k->kind == SOCK_TCP ? tcp_getsockopt(k, level, name, val, len)
				   : udp_getsockopt(k, level, name, val, len);
}

void stack_copy_options(struct sock *to, const struct sock *from)
{
	tcp_copy_options(to, from);
}
