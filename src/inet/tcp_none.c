/* tcp_none.c - a stack without TCP: its sockets cannot be opened and its segments are of an unknown
 * protocol. Stands in for tcp.c until that is there.
 *
 * SPDX-License-Identifier: MIT
 */
#include "inet/tcp.h"
#include <errno.h>

int tcp_create(struct stack *s)
{
	(void)s;
	return 0;
}

void tcp_destroy(struct stack *s)
{
	(void)s;
}

void tcp_input(struct stack *s, struct packet *pkt)
{
	stack_drop(pkt->buf, &s->stats.drop_ip_protocol);
}

int tcp_output(struct stack *s, struct frame frames[], int n)
{
	(void)s, (void)frames, (void)n;
	return 0;
}

void tcp_tick(struct stack *s)
{
	(void)s;
}

uint64_t tcp_next_deadline(const struct stack *s)
{
	(void)s;
	return UINT64_MAX;
}

bool tcp_icmp_error(struct stack *s, const struct icmp_error *e)
{
	(void)s, (void)e;
	return false;
}

void tcp_path_resolved(struct stack *s, struct ip_path *p, int error)
{
	(void)s, (void)p, (void)error;
}

bool tcp_busy(const struct stack *s)
{
	(void)s;
	return false;
}

int tcp_open(struct stack *s, void *user, struct sock **out)
{
	(void)s, (void)user, (void)out;
	return -ENOTSUP;
}

int tcp_bind(struct sock *k, const struct endpoint *local, bool reuse_port)
{
	(void)k, (void)local, (void)reuse_port;
	return -ENOTSUP;
}

int tcp_listen(struct sock *k, int backlog)
{
	(void)k, (void)backlog;
	return -ENOTSUP;
}

int tcp_accept(struct sock *k, void *user, struct sock **out)
{
	(void)k, (void)user, (void)out;
	return -ENOTSUP;
}

int tcp_connect(struct sock *k, const struct endpoint *peer)
{
	(void)k, (void)peer;
	return -ENOTSUP;
}

int64_t tcp_send(struct sock *k, struct buf *b, const uint8_t *data, uint32_t len, bool *zero_copy)
{
	(void)k, (void)b, (void)data, (void)len, (void)zero_copy;
	return -ENOTSUP;
}

uint64_t tcp_acked(const struct sock *k)
{
	(void)k;
	return 0;
}

uint64_t tcp_accepted(const struct sock *k)
{
	(void)k;
	return 0;
}

int tcp_recv(struct sock *k, uint32_t max, struct stack_received *out)
{
	(void)k, (void)max, (void)out;
	return -ENOTSUP;
}

int64_t tcp_peek(const struct sock *k, uint8_t *dst, uint32_t max)
{
	(void)k, (void)dst, (void)max;
	return -ENOTSUP;
}

int tcp_shutdown(struct sock *k, int how)
{
	(void)k, (void)how;
	return -ENOTSUP;
}

void tcp_close(struct sock *k)
{
	(void)k;
}

void tcp_abort(struct sock *k)
{
	(void)k;
}

int tcp_setsockopt(struct sock *k, int level, int name, const void *val, uint32_t len)
{
	(void)k, (void)level, (void)name, (void)val, (void)len;
	return -ENOTSUP;
}

int tcp_getsockopt(struct sock *k, int level, int name, void *val, uint32_t *len)
{
	(void)k, (void)level, (void)name, (void)val, (void)len;
	return -ENOTSUP;
}
