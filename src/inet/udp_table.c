/* udp_table.c - which socket has which port, and which peer.
 *
 * Every bound socket is in by_port, whose hash needs no key, as we choose the ports; a connected
 * one also in by_peer, whose hash is keyed, as peers choose theirs.
 *
 * SPDX-License-Identifier: MIT
 */
#include "base/siphash.h"
#include "inet/ip4.h"
#include "inet/limits.h"
#include "inet/udp_sock.h"
#include <errno.h>

static uint64_t hash_peer(const struct stack *s, uint16_t port, const struct endpoint *peer)
{
	return siphash13_3(s->hash_key, peer->ip.words[0], peer->ip.words[1],
			   (uint64_t)port << 16 | peer->port);
}

static struct udp_sock **port_bucket(const struct stack *s, uint16_t port)
{
	return &s->udp->by_port[port & s->udp->bucket_mask];
}

static struct udp_sock **peer_bucket(const struct stack *s, uint16_t port,
				     const struct endpoint *peer)
{
	return &s->udp->by_peer[hash_peer(s, port, peer) & s->udp->bucket_mask];
}

static bool is_between(const struct udp_sock *k, uint16_t port, const struct endpoint *peer)
{
	return k->sock.local.port == port && endpoint_eq(&k->sock.peer, peer);
}

/* The socket connected so; NULL: none. */
static struct udp_sock *find_connected(struct stack *s, uint16_t port, const struct endpoint *peer)
{
	struct udp_sock *k;

	if (s->udp->connected == 0)
		return NULL;
	k = *peer_bucket(s, port, peer);
	while (k != NULL && !is_between(k, port, peer))
		k = k->peer_next;
	return k;
}

static bool takes_all(const struct udp_sock *k, const struct endpoint *local)
{
	return k->sock.local.port == local->port && k->sock.peer.port == 0 &&
	       (ip_is_any(&k->sock.local.ip) || ip_eq(&k->sock.local.ip, &local->ip));
}

/* Of the sockets that share a port, a peer's datagrams always reach the same one. */
struct udp_sock *udp_find(struct stack *s, const struct endpoint *local,
			  const struct endpoint *peer)
{
	struct udp_sock *k = find_connected(s, local->port, peer), *found = NULL;
	uint32_t n = 0;

	if (k != NULL)
		return k;
	for (k = *port_bucket(s, local->port); k != NULL; k = k->port_next) {
		if (takes_all(k, local)) {
			found = k;
			n++;
		}
	}
	if (n <= 1)
		return found;
	n = (uint32_t)(hash_peer(s, local->port, peer) >> 32) % n;
	for (k = *port_bucket(s, local->port);; k = k->port_next) {
		if (takes_all(k, local) && n-- == 0)
			return k;
	}
}

struct udp_sock *udp_find_plain(struct stack *s, uint32_t src_wire, uint32_t ports_wire)
{
	struct udp_table *t = s->udp;
	struct endpoint local = {s->cfg.addr, (uint16_t)get_be16((uint8_t *)&ports_wire + 2)};
	struct endpoint peer = {ip4_from_wire(src_wire), get_be16(&ports_wire)};

	if (local.port == 0 || !ip4_is_plain_source(s, src_wire))
		return NULL;
	t->last = udp_find(s, &local, &peer);
	t->last_src_wire = src_wire;
	t->last_ports_wire = ports_wire;
	return t->last;
}

/* There is one local address, so that two sockets of one port always overlap. */
static bool port_is_free(const struct stack *s, uint16_t port, bool reuse_port)
{
	const struct udp_sock *k = *port_bucket(s, port);

	for (; k != NULL; k = k->port_next) {
		if (k->sock.local.port == port && !(reuse_port && k->sock.reuse_port))
			return false;
	}
	return true;
}

/* Among the stacks of our address. */
static bool take_port(const struct stack *s, uint16_t port, bool share)
{
	return s->cfg.ports == NULL ||
	       ports_take(s->cfg.ports, s->cfg.ports_member, PORTS_UDP, port, share);
}

/* RFC 6056 3.3.1: a random one, and from there the next that is free. */
static uint16_t choose_port(struct stack *s, bool share)
{
	uint32_t range = PORT_EPHEMERAL_LAST - PORT_EPHEMERAL_FIRST + 1;
	uint32_t start = (uint32_t)rng_below(&s->rng, range);

	for (uint32_t i = 0; i < range; i++) {
		uint16_t port = (uint16_t)(PORT_EPHEMERAL_FIRST + (start + i) % range);

		if (port_is_free(s, port, false) && take_port(s, port, share))
			return port;
	}
	return 0;
}

int udp_take_port(struct udp_sock *k, uint16_t port, bool reuse_port)
{
	struct stack *s = k->sock.stack;
	struct udp_sock **bucket;

	if (port == 0)
		port = choose_port(s, reuse_port);
	else if (!port_is_free(s, port, reuse_port) || !take_port(s, port, reuse_port))
		port = 0;
	if (port == 0)
		return -EADDRINUSE;
	k->sock.local.port = port;
	k->sock.reuse_port = reuse_port;
	s->udp->last = NULL;
	bucket = port_bucket(s, port);
	k->port_next = *bucket;
	*bucket = k;
	return 0;
}

static void unlink_peer(struct udp_sock *k)
{
	struct stack *s = k->sock.stack;
	struct udp_sock **link;

	if (k->sock.peer.port == 0)
		return;
	link = peer_bucket(s, k->sock.local.port, &k->sock.peer);
	while (*link != k)
		link = &(*link)->peer_next;
	*link = k->peer_next;
	k->sock.peer.port = 0;
	s->udp->connected--;
	s->udp->last = NULL;
}

void udp_set_peer(struct udp_sock *k, const struct endpoint *peer)
{
	struct stack *s = k->sock.stack;
	struct udp_sock **bucket;

	unlink_peer(k);
	k->sock.peer = *peer;
	bucket = peer_bucket(s, k->sock.local.port, peer);
	k->peer_next = *bucket;
	*bucket = k;
	s->udp->connected++;
	s->udp->last = NULL;
}

void udp_unlink(struct udp_sock *k)
{
	struct udp_sock **link;

	if (k->sock.local.port == 0)
		return;
	unlink_peer(k);
	link = port_bucket(k->sock.stack, k->sock.local.port);
	while (*link != k)
		link = &(*link)->port_next;
	*link = k->port_next;
	k->sock.stack->udp->last = NULL;
	if (k->sock.stack->cfg.ports != NULL)
		ports_drop(k->sock.stack->cfg.ports, k->sock.stack->cfg.ports_member, PORTS_UDP,
			   k->sock.local.port);
	k->sock.local.port = 0;
}
