/* udp.c - datagrams beside the connections: each says who sent it and how long it is, and every
 * byte is checked. They may be lost, never changed, cut or delivered under another's name.
 *
 * SPDX-License-Identifier: MIT
 */
#include "pattern.h"
#include "programs.h"
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

enum { UDP_FIRST_PORT = 700, UDP_NOBODY = 999 };

/* In front of a datagram that has room for it. */
struct datagram {
	uint64_t tag; /* key of the bytes behind */
	uint64_t nonce;
	uint32_t len;
	uint16_t host, socket;
};

static uint64_t now(const struct programs *p)
{
	return p->world->now_ns;
}

static uint64_t tag_of(const struct programs *p, const struct datagram *d)
{
	return pattern_mix(p->key ^ pattern_mix(d->nonce + d->len) ^ (uint64_t)d->host << 16 ^
			   d->socket);
}

static void datagram_write(struct programs *p, uint8_t *dst, struct datagram *d)
{
	if (d->len < sizeof(*d)) {
		pattern_fill(dst, p->key ^ d->len, 0, d->len);
		return;
	}
	d->tag = tag_of(p, d);
	memcpy(dst, d, sizeof(*d));
	pattern_fill(dst + sizeof(*d), d->tag, 0, d->len - (uint32_t)sizeof(*d));
}

void udp_start(struct programs *p, struct host *h, unsigned i)
{
	struct udp_program *u = &p->hosts[h->number].udp[i];
	struct endpoint local;

	memset(u, 0, sizeof(*u));
	u->port = (uint16_t)(UDP_FIRST_PORT + i);
	u->rx_ready = true;
	local = world_endpoint(h, u->port);
	if (stack_open(h->stack, SOCK_DGRAM, u, &u->sock) < 0 ||
	    stack_bind(u->sock, &local, false) < 0)
		world_fail(p->world, "host %u: cannot bind a UDP socket", h->number);
	world_touch(h);
}

void udp_send(struct programs *p)
{
	struct rng *r = &p->rng;
	unsigned from = (unsigned)rng_below(r, p->world->cfg.hosts);
	unsigned to = (unsigned)rng_below(r, p->world->cfg.hosts);
	unsigned socket = (unsigned)rng_below(r, UDP_SOCKETS);
	struct host *h = &p->world->hosts[from];
	struct datagram d = {
	    .nonce = rng_u64(r), .host = (uint16_t)from, .socket = (uint16_t)socket};
	struct endpoint peer;
	struct buf *b;
	int e;

	d.len = (uint32_t)rng_size(r, 1, p->cfg.datagram_max_bytes + 1) - 1;
	if (h->stack == NULL || from == to)
		return;
	b = pool_get(d.len <= 8192 ? p->small : p->big);
	if (b == NULL)
		return;
	b->len = d.len;
	datagram_write(p, b->data, &d);
	peer = world_endpoint(
	    &p->world->hosts[to],
	    (uint16_t)(chance(r, 5) ? UDP_NOBODY : UDP_FIRST_PORT + rng_below(r, UDP_SOCKETS)));
	e = stack_sendto(p->hosts[from].udp[socket].sock, b, b->data, d.len, &peer, now(p));
	buf_unref(b);
	world_touch(h);
	if (e == 0)
		p->counts.datagrams_sent++;
	else if (e == -ECONNREFUSED || e == -EAGAIN || e == -EHOSTUNREACH || e == -ENOMEM)
		p->counts.datagrams_unreachable++;
	else
		world_fail(p->world, "stack_sendto of %u bytes gave %d", d.len, e);
}

/* The rest of a datagram whose first bytes were taken. */
static void take_rest(struct programs *p, struct udp_program *u, const struct datagram *d,
		      const struct endpoint *from)
{
	uint32_t at = 0, rest = d->len - (uint32_t)sizeof(*d);

	while (at < rest) {
		struct stack_received r;
		int n = stack_recv(u->sock, 1 + (uint32_t)rng_below(&p->rng, 2 * rest), &r, now(p));

		if (n != 1 || !endpoint_eq(&r.from, from) || r.len > rest - at ||
		    pattern_check(r.data, d->tag, at, r.len) >= 0)
			world_fail(p->world, "the rest of a datagram is wrong");
		at += r.len;
		buf_unref(r.buf);
	}
}

static void check_datagram(struct programs *p, struct udp_program *u,
			   const struct stack_received *r)
{
	struct world *w = p->world;
	struct datagram d;
	struct endpoint from;

	if (r->len < sizeof(d)) {
		if (pattern_check(r->data, p->key ^ r->len, 0, r->len) >= 0)
			world_fail(w, "a datagram of %u bytes is wrong", r->len);
		return;
	}
	memcpy(&d, r->data, sizeof(d));
	if (d.tag != tag_of(p, &d) || d.host >= w->cfg.hosts || r->len > d.len)
		world_fail(w, "a datagram's header is wrong");
	from = world_endpoint(&w->hosts[d.host], (uint16_t)(UDP_FIRST_PORT + d.socket));
	if (!endpoint_eq(&r->from, &from))
		world_fail(w, "a datagram came under another's name");
	if (pattern_check(r->data + sizeof(d), d.tag, 0, r->len - (uint32_t)sizeof(d)) >= 0)
		world_fail(w, "a datagram of %u bytes is wrong", d.len);
	if (r->len == sizeof(d))
		take_rest(p, u, &d, &from);
	else if (r->len != d.len)
		world_fail(w, "a datagram of %u bytes came cut to %u", d.len, r->len);
}

void udp_run(struct programs *p, struct host *h, struct udp_program *u)
{
	while (u->rx_ready) {
		struct stack_received r;
		uint32_t max = chance(&p->rng, 20) ? sizeof(struct datagram) : 65535;
		int n = stack_recv(u->sock, max, &r, now(p));

		if (n == -EAGAIN) {
			u->rx_ready = false;
		} else if (n == 1) {
			check_datagram(p, u, &r);
			p->counts.datagrams_received++;
			p->counts.bytes += r.len;
			buf_unref(r.buf);
		} else if (n != -ECONNREFUSED && n != -EHOSTUNREACH) {
			world_fail(p->world, "host %u: a UDP receive gave %d", h->number, n);
		}
	}
	world_touch(h);
}
