/* udp.c - UDP sockets: made, bound, connected, closed; their options; ICMP errors about them.
 *
 * SPDX-License-Identifier: MIT
 */
#include "inet/udp.h"
#include "inet/limits.h"
#include "inet/output.h"
#include "inet/udp_sock.h"
#include "mem/pool.h"
#include <errno.h>
#include <stdlib.h>

/* What any path takes in one frame, as none is said to take less than limits.h's floor, and what is
 * copied; so short that ip_path_tried() need not know of it. */
static uint32_t small_max(const struct stack *s)
{
	uint32_t packet = s->ip_mtu < PMTU_FLOOR_BYTES ? s->ip_mtu : PMTU_FLOOR_BYTES;
	uint32_t bytes = packet - IP4_HEADER_BYTES - UDP_HEADER_BYTES;

	if (s->cfg.max_frags > 0 && bytes >= s->cfg.zero_copy_bytes)
		bytes = s->cfg.zero_copy_bytes > 0 ? s->cfg.zero_copy_bytes - 1 : 0;
	return bytes;
}

int udp_create(struct stack *s)
{
	struct udp_table *t = calloc(1, sizeof(*t));
	uint32_t buckets = 16, n = s->cfg.max_udp;

	if (t == NULL)
		return -ENOMEM;
	s->udp = t;
	while (buckets < 2 * n)
		buckets *= 2;
	t->bucket_mask = buckets - 1;
	t->socks = calloc(n, sizeof(*t->socks));
	t->by_port = calloc(buckets, sizeof(struct udp_sock *));
	t->by_peer = calloc(buckets, sizeof(struct udp_sock *));
	if ((t->socks == NULL && n > 0) || t->by_port == NULL || t->by_peer == NULL)
		return -ENOMEM;
	list_init(&t->blocked);
	t->small_max_bytes = small_max(s);
	t->held_max_bytes = (uint64_t)s->pool->count * s->copy_room_bytes / 2;
	if (t->held_max_bytes < UDP_RECV_BYTES)
		t->held_max_bytes = UDP_RECV_BYTES;
	for (uint32_t i = n; i-- > 0;) {
		t->socks[i].port_next = t->free;
		t->free = &t->socks[i];
	}
	return 0;
}

void udp_destroy(struct stack *s)
{
	struct udp_table *t = s->udp;

	if (t == NULL)
		return;
	for (uint32_t i = 0; t->socks != NULL && i < s->cfg.max_udp; i++) {
		if (t->socks[i].open)
			udp_drop_queue(&t->socks[i]);
	}
	free(t->socks);
	free(t->by_port);
	free(t->by_peer);
	free(t);
	s->udp = NULL;
}

int udp_open(struct stack *s, void *user, struct sock **out)
{
	struct udp_sock *k = s->udp->free;

	if (k == NULL)
		return -ENOMEM;
	s->udp->free = k->port_next;
	memset(k, 0, sizeof(*k));
	sock_init(&k->sock, s, SOCK_UDP, user);
	k->open = true;
	k->recv_max_bytes = UDP_RECV_BYTES;
	list_init(&k->blocked);
	ip_path_init(&k->path, IPPROTO_UDP);
	*out = &k->sock;
	return 0;
}

int udp_bind(struct sock *k, const struct endpoint *local, bool reuse_port)
{
	int err;

	if (k->local.port != 0)
		return -EINVAL;
	if (!ip_is_any(&local->ip) && !ip_is_own(k->stack, &local->ip))
		return -EADDRNOTAVAIL;
	err = udp_take_port(udp_of(k), local->port, reuse_port || k->reuse_port);
	if (err == 0)
		k->local.ip = local->ip;
	return err;
}

int udp_connect(struct sock *k, const struct endpoint *peer)
{
	int err = ip_check_route(k->stack, &peer->ip);

	if (peer->port == 0)
		return -EADDRNOTAVAIL;
	if (err == 0 && k->local.port == 0)
		err = udp_take_port(udp_of(k), 0, false);
	if (err != 0)
		return err;
	k->local.ip = k->stack->cfg.addr;
	udp_set_peer(udp_of(k), peer);
	return 0;
}

int udp_shutdown(struct sock *k, int how)
{
	struct udp_sock *u = udp_of(k);

	if (how != SHUT_RD && how != SHUT_WR && how != SHUT_RDWR)
		return -EINVAL;
	if (k->peer.port == 0)
		return -ENOTCONN;
	u->shut_read |= how != SHUT_WR;
	u->shut_write |= how != SHUT_RD;
	if (u->shut_read)
		event_raise(k, STACK_EV_READ);
	return 0;
}

static void free_sock(struct udp_sock *k)
{
	struct udp_table *t = k->sock.stack->udp;

	k->open = false;
	k->port_next = t->free;
	t->free = k;
}

void udp_close(struct sock *k)
{
	struct udp_sock *u = udp_of(k);

	sock_gone(k);
	udp_unlink(u);
	udp_drop_queue(u);
	list_del(&u->blocked);
	u->closing = true;
	if (u->packets == 0)
		free_sock(u);
}

void udp_packet_added(struct sock *k)
{
	udp_of(k)->packets++;
}

static void wake(struct udp_sock *k)
{
	if (list_empty(&k->blocked) || k->packets > UDP_SEND_DATAGRAMS / 2)
		return;
	list_del(&k->blocked);
	event_raise(&k->sock, STACK_EV_WRITE);
}

/* Sockets wait for a half of their own share, and for a half of the whole queue or, if what they
 * want to send is larger, for all of it. */
void udp_packet_gone(struct sock *k)
{
	struct stack *s = k->stack;
	struct udp_sock *u = udp_of(k);
	struct list *item, *next;
	uint32_t room;

	u->packets--;
	if (u->closing && u->packets == 0)
		free_sock(u);
	if (list_empty(&s->udp->blocked))
		return;
	room = output_room(s, false);
	if (room == OUTPUT_DATAGRAMS / 2 || room == OUTPUT_DATAGRAMS) {
		list_for_each_safe (item, next, &s->udp->blocked)
			wake(list_entry(item, struct udp_sock, blocked));
	} else if (room > OUTPUT_DATAGRAMS / 2) {
		wake(u);
	}
}

void udp_error(struct sock *k, int error)
{
	if (k->peer.port == 0 || udp_of(k)->closing)
		return;
	k->error = error;
	event_raise(k, STACK_EV_READ | STACK_EV_WRITE);
}

bool udp_icmp_error(struct stack *s, const struct icmp_error *e)
{
	struct udp_sock *k = udp_find(s, &e->local, &e->peer);

	if (k == NULL || (e->error == -EMSGSIZE && !ip_path_was_tried(s, &e->peer.ip, e->mtu)))
		return false;
	if (e->error == -EMSGSIZE)
		ip_path_mtu_lower(s, &e->peer.ip, e->mtu);
	else
		udp_error(&k->sock, e->error);
	return true;
}

static int set_int(struct udp_sock *k, int name, int v)
{
	switch (name) {
	case SO_REUSEPORT:
		k->sock.reuse_port = v != 0;
		return 0;
	case SO_RCVBUF:
		/* Doubled, as the kernel does, as it is memory that is counted, not payload. */
		if (v == 0)
			v = 1;
		k->recv_max_bytes =
		    v < 0 || v > UDP_RECV_MAX_BYTES / 2 ? UDP_RECV_MAX_BYTES : 2 * v;
		return 0;
	default:
		return -ENOPROTOOPT;
	}
}

int udp_setsockopt(struct sock *k, int level, int name, const void *val, uint32_t len)
{
	struct udp_sock *u = udp_of(k);
	int v;

	if (level != SOL_SOCKET)
		return level == IPPROTO_TCP ? -ENOPROTOOPT : -ENOTSUP;
	if (name == SO_LINGER) {
		if (len < sizeof(u->linger))
			return -EINVAL;
		memcpy(&u->linger, val, sizeof(u->linger));
		return 0;
	}
	if (len < sizeof(v))
		return -EINVAL;
	memcpy(&v, val, sizeof(v));
	return set_int(u, name, v);
}

static int get_int(struct udp_sock *k, int name, int *v)
{
	switch (name) {
	case SO_REUSEPORT:
		*v = k->sock.reuse_port;
		return 0;
	case SO_RCVBUF:
		*v = (int)k->recv_max_bytes;
		return 0;
	case SO_DOMAIN:
		*v = AF_INET;
		return 0;
	case SO_TYPE:
		*v = SOCK_DGRAM;
		return 0;
	case SO_PROTOCOL:
		*v = IPPROTO_UDP;
		return 0;
	case SO_ERROR:
		*v = -k->sock.error;
		k->sock.error = 0;
		return 0;
	default:
		return -ENOPROTOOPT;
	}
}

int udp_getsockopt(struct sock *k, int level, int name, void *val, uint32_t *len)
{
	struct udp_sock *u = udp_of(k);
	const void *from = &u->linger;
	uint32_t bytes = sizeof(u->linger);
	int v, err;

	if (level != SOL_SOCKET)
		return level == IPPROTO_TCP ? -ENOPROTOOPT : -ENOTSUP;
	if (name != SO_LINGER) {
		err = get_int(u, name, &v);
		if (err != 0)
			return err;
		from = &v;
		bytes = sizeof(v);
	}
	if (*len > bytes) /* else cut short, as by the kernel */
		*len = bytes;
	memcpy(val, from, *len);
	return 0;
}
