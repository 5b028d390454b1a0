/* pkt_call_data.c - the system calls that move bytes.
 *
 * What a script writes as ... is filled with bytes that say their place in the stream, and what is
 * read is compared with those that were injected, so that no byte can be lost, doubled or misplaced
 * unseen. A string is written as it stands.
 *
 * SPDX-License-Identifier: MIT
 */
#include "pkt_call.h"
#include "pkt_value.h"
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

static void check_received(struct run *r, const struct run_sock *s, int64_t n)
{
	uint64_t offset = host_type(s->sock) == SOCK_STREAM ? s->received : 0;

	for (int64_t i = 0; i < n; i++) {
		if (r->bytes[i] != flow_remote_byte(offset + (uint64_t)i)) {
			run_fail(r, "byte %lld of what was read is not the one that was sent there",
				 (long long)i);
			return;
		}
	}
}

static int64_t receive(struct call_ctx *c, int64_t len, int64_t flags)
{
	struct run_sock *s;
	int64_t n;

	if (!call_sock(c, 0, &s))
		return -EINVAL;
	n = host_recv(s->sock, c->r->bytes, (size_t)len, (int)flags, NULL);
	if (n > 0)
		check_received(c->r, s, n);
	if (n > 0 && !(flags & MSG_PEEK))
		s->received += (uint64_t)n;
	return call_wait(s, flags, n);
}

static int64_t do_read(struct call_ctx *c)
{
	int64_t len;

	return call_number(c, 2, 0, RUN_CALL_BYTES, &len) ? receive(c, len, 0) : -EINVAL;
}

static int64_t do_recv(struct call_ctx *c)
{
	int64_t len, flags;

	if (!call_number(c, 2, 0, RUN_CALL_BYTES, &len) || !call_number(c, 3, 0, INT32_MAX, &flags))
		return -EINVAL;
	return receive(c, len, flags);
}

static bool iovec_bytes(struct call_ctx *c, const struct pkt_expr *e, int64_t *len)
{
	if (e != NULL && pkt_value_iovec(e, len) == 0 && *len <= RUN_CALL_BYTES)
		return true;
	c->wrong = "the buffers are not [{..., N}, ...]";
	return false;
}

static int64_t do_readv(struct call_ctx *c)
{
	int64_t len;

	return iovec_bytes(c, c->call->args[1], &len) ? receive(c, len, 0) : -EINVAL;
}

static int64_t do_recvmsg(struct call_ctx *c)
{
	int64_t len, flags;

	if (!iovec_bytes(c, pkt_value_field(c->call->args[1], "msg_iov"), &len) ||
	    !call_number(c, 2, 0, INT32_MAX, &flags))
		return -EINVAL;
	return receive(c, len, flags);
}

/* A flow that is not known yet, of datagrams to one who has not sent any. */
static void note_flow(struct run *r, struct run_sock *s, const struct endpoint *to)
{
	uint8_t protocol = host_type(s->sock) == SOCK_STREAM ? IPPROTO_TCP : IPPROTO_UDP;
	uint16_t local = host_local(s->sock).port;
	uint16_t remote = to != NULL ? to->port : host_peer(s->sock).port;

	if (s->flow == NULL || to != NULL)
		s->flow = run_flow_find(r, protocol, local, remote);
	if (s->flow == NULL)
		s->flow = run_flow_new(r, protocol, local, remote, false);
	if (s->flow != NULL && to != NULL && !s->flow->named)
		r->current = s->flow;
}

/* Fills what is written next; how many bytes of it there are. */
static int64_t fill(struct call_ctx *c, struct run_sock *s, const struct pkt_expr *what,
		    int64_t len)
{
	uint64_t offset = host_type(s->sock) == SOCK_STREAM ? s->sent : 0;
	uint8_t *bytes = c->r->bytes;

	if (what->kind == EXPR_STRING) {
		if (what->text_len < len)
			return call_wrong(c, "the string is shorter than the length");
		memcpy(bytes, what->text, (size_t)len);
		if (s->flow != NULL)
			s->flow->own_data = true;
		return 0;
	}
	if (what->kind != EXPR_ELLIPSIS && what->kind != EXPR_LIST && what->kind != EXPR_STRUCT)
		return call_wrong(c, "the bytes are neither ... nor a string");
	for (int64_t i = 0; i < len; i++)
		bytes[i] = flow_local_byte(offset + (uint64_t)i);
	return 0;
}

/* A stream's call on a socket that blocks comes back when all was taken. */
static int64_t transmit(struct call_ctx *c, const struct pkt_expr *what, int64_t len, int64_t flags,
			const struct endpoint *to)
{
	struct run_sock *s;
	int64_t n, rest = len - (int64_t)c->state->done;

	if (!call_sock(c, 0, &s))
		return -EINVAL;
	if (fill(c, s, what, rest) < 0)
		return -EINVAL;
	n = host_send(s->sock, c->r->bytes, (size_t)rest, to);
	if (n < 0)
		return c->state->done > 0 && n != -EAGAIN ? (int64_t)c->state->done
							  : call_wait(s, flags, n);
	note_flow(c->r, s, to);
	if (what->kind == EXPR_STRING && s->flow != NULL)
		s->flow->own_data = true;
	if (host_type(s->sock) != SOCK_STREAM)
		return n;
	s->sent += (uint64_t)n;
	c->state->done += (uint64_t)n;
	if (n < rest && call_wait(s, flags, -EAGAIN) == CALL_WAITS)
		return CALL_WAITS;
	return (int64_t)c->state->done;
}

static int64_t do_write(struct call_ctx *c)
{
	int64_t len;

	if (!call_number(c, 2, 0, RUN_CALL_BYTES, &len))
		return -EINVAL;
	return transmit(c, c->call->args[1], len, 0, NULL);
}

static int64_t do_send(struct call_ctx *c)
{
	int64_t len, flags;

	if (!call_number(c, 2, 0, RUN_CALL_BYTES, &len) || !call_number(c, 3, 0, INT32_MAX, &flags))
		return -EINVAL;
	return transmit(c, c->call->args[1], len, flags, NULL);
}

/* An address of ... is the remote's, unless the socket is connected. */
static int64_t do_sendto(struct call_ctx *c)
{
	struct endpoint to = {c->r->script->options.remote, 0};
	struct run_sock *s;
	int64_t len, flags;
	bool given;

	if (!call_sock(c, 0, &s) || !call_number(c, 2, 0, RUN_CALL_BYTES, &len) ||
	    !call_number(c, 3, 0, INT32_MAX, &flags))
		return -EINVAL;
	call_address(c, 4, &to, &given);
	if (c->wrong != NULL)
		return -EINVAL;
	if (!given && (host_type(s->sock) == SOCK_STREAM || host_peer(s->sock).port != 0))
		return transmit(c, c->call->args[1], len, flags, NULL);
	if (!given) /* back to who has sent, else to the port of connect(..., ...) */
		to.port = c->r->current != NULL && c->r->current->protocol == IPPROTO_UDP
			      ? c->r->current->remote_port
			      : RUN_CONNECT_PORT;
	return transmit(c, c->call->args[1], len, flags, &to);
}

static int64_t do_writev(struct call_ctx *c)
{
	int64_t len;

	if (!iovec_bytes(c, c->call->args[1], &len))
		return -EINVAL;
	return transmit(c, c->call->args[1], len, 0, NULL);
}

static int64_t do_sendmsg(struct call_ctx *c)
{
	int64_t len, flags;

	if (!iovec_bytes(c, pkt_value_field(c->call->args[1], "msg_iov"), &len) ||
	    !call_number(c, 2, 0, INT32_MAX, &flags))
		return -EINVAL;
	return transmit(c, c->call->args[1], len, flags, NULL);
}

const struct call_kind call_data_kinds[] = {
    {"read", 3, 3, do_read},
    {"readv", 3, 3, do_readv},
    {"recv", 4, 4, do_recv},
    {"recvfrom", 6, 6, do_recv},
    {"recvmsg", 3, 3, do_recvmsg},
    {"write", 3, 3, do_write},
    {"writev", 3, 3, do_writev},
    {"send", 4, 4, do_send},
    {"sendto", 6, 6, do_sendto},
    {"sendmsg", 3, 3, do_sendmsg},
    {NULL, 0, 0, NULL},
};
