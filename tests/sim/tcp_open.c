/* tcp_open.c - how connections begin, and whether they may end as they do.
 *
 * SPDX-License-Identifier: MIT
 */
#include "pattern.h"
#include "programs.h"
#include <errno.h>
#include <inttypes.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

enum {
	FIRST_FIXED_PORT = 5000,
	FIXED_PORTS = 4,
	PAUSES_MAX = 100, /* of one program at one connection */
	SENDS_MAX = 3000, /* of one connection, about: small chunks make small streams */
};

static uint64_t now(const struct programs *p)
{
	return p->world->now_ns;
}

static struct end *end_take(struct programs *p, struct host *h, bool server)
{
	uint32_t i = 0;
	struct end *e;

	while (i < ENDS && p->ends[i].sock != NULL)
		i++;
	if (i == ENDS)
		return NULL;
	e = &p->ends[i];
	memset(e, 0, sizeof(*e));
	e->programs = p;
	e->host = h;
	e->server = server;
	e->opened_ns = now(p);
	e->rx_ready = e->tx_ready = true;
	p->ends_used = i + 1 > p->ends_used ? i + 1 : p->ends_used;
	return e;
}

static enum ending choose_ending(struct programs *p, bool server)
{
	static const enum ending abrupt[] = {END_EARLY, END_LINGER_0, END_ABORT};

	if (chance(&p->rng, p->cfg.abrupt_percent))
		return abrupt[rng_below(&p->rng, 3)];
	return server && chance(&p->rng, 30) ? END_AFTER_PEER : END_SHUTDOWN;
}

/* What this end will do. */
static void end_plan(struct end *e)
{
	struct programs *p = e->programs;
	struct rng *r = &p->rng;
	uint64_t most;

	e->ending = choose_ending(p, e->server);
	e->tx_chunk_max = (uint32_t)rng_size(r, 1, BIG_BYTES - 64);
	most = (uint64_t)e->tx_chunk_max * SENDS_MAX;
	most = most < p->cfg.bytes_max ? most : p->cfg.bytes_max;
	most = most < 2 * sizeof(e->header) ? 2 * sizeof(e->header) : most;
	e->tx_total = rng_size(r, sizeof(e->header), most);
	if (e->server && chance(r, 10))
		e->tx_total = 0;
	e->rx_max = (uint32_t)rng_size(r, 256, BIG_BYTES);
	if (chance(r, 10))
		e->rx_max = (uint32_t)rng_size(r, 1, 64);
	e->pauses_left = PAUSES_MAX;
	if (chance(r, 30))
		e->tx_pause_ns = p->cfg.pause_ns;
	if (chance(r, 30))
		e->rx_pause_ns = p->cfg.pause_ns;
	if (chance(r, 20))
		e->hoard_max = 1 + (uint32_t)rng_below(r, HOARD);
	e->wait_fin_acked = chance(r, 50);
	e->abrupt_at = rng_below(r, 2 * e->tx_total + 1);
	e->abrupt_ns = now(p) + rng_size(r, 1000, 20 * WORLD_S);
}

static void set_option(struct end *e, int level, int name, int value)
{
	int r = stack_setsockopt(e->sock, level, name, &value, sizeof(value));

	if (r < 0)
		world_fail(e->programs->world, "socket option %d is refused: %d", name, r);
}

static void end_options(struct end *e)
{
	struct rng *r = &e->programs->rng;

	if (chance(r, 20))
		set_option(e, SOL_SOCKET, SO_RCVBUF, (int)rng_size(r, 4096, 4 << 20));
	if (chance(r, 20))
		set_option(e, SOL_SOCKET, SO_SNDBUF, (int)rng_size(r, 4096, 4 << 20));
	if (chance(r, 20))
		set_option(e, IPPROTO_TCP, TCP_NODELAY, chance(r, 50));
	if (chance(r, 20))
		set_option(e, SOL_SOCKET, SO_KEEPALIVE, chance(r, 50));
}

static uint64_t stream_key(const struct programs *p, uint64_t id, int direction)
{
	return pattern_mix(p->key ^ pattern_mix(id * 4 + (unsigned)direction));
}

static void end_keys(struct end *e)
{
	struct programs *p = e->programs;
	uint64_t id = e->conn->id, tag = stream_key(p, id, 2);

	e->tx_key = stream_key(p, id, e->server);
	e->rx_key = stream_key(p, id, !e->server);
	memcpy(e->header, &id, sizeof(id));
	memcpy(e->header + 8, &tag, sizeof(tag));
}

static struct host *random_host_up(struct programs *p)
{
	struct host *h = &p->world->hosts[rng_below(&p->rng, p->world->cfg.hosts)];

	return h->stack != NULL ? h : NULL;
}

static bool is_doubted(const struct programs *p, const struct host *h)
{
	return p->hosts[h->number].doubted_until_ns > now(p);
}

static struct conn *conn_take(struct programs *p, struct host *client, struct host *server)
{
	struct conn *c = &p->conns[p->next_id % CONNS];

	if (c->ends[0] != NULL || c->ends[1] != NULL)
		return NULL;
	memset(c, 0, sizeof(*c));
	c->id = p->next_id++;
	c->hosts[0] = client->number;
	c->hosts[1] = server->number;
	c->fin_at[0] = c->fin_at[1] = UINT64_MAX;
	c->progress_ns = now(p);
	c->unclean = server->stack == NULL || is_doubted(p, server) || is_doubted(p, client);
	return c;
}

/* A socket for e, bound to `port` of its host if that is not 0; false: the port is taken. */
static bool end_open(struct end *e, uint16_t port)
{
	struct programs *p = e->programs;
	struct endpoint local = world_endpoint(e->host, port);
	int r = stack_open(e->host->stack, SOCK_STREAM, e, &e->sock);

	if (r < 0)
		world_fail(p->world, "host %u: stack_open gave %d", e->host->number, r);
	r = port != 0 ? stack_bind(e->sock, &local, false) : 0;
	if (r == 0)
		return true;
	if (r != -EADDRINUSE)
		world_fail(p->world, "host %u: stack_bind gave %d", e->host->number, r);
	stack_close(e->sock, now(p));
	e->sock = NULL;
	return false;
}

/* Gives up before the connection exists. */
static void end_forget(struct end *e)
{
	stack_close(e->sock, now(e->programs));
	world_touch(e->host);
	end_release(e);
	e->sock = NULL;
}

static bool end_connect(struct end *e, struct endpoint to)
{
	struct programs *p = e->programs;
	int r = stack_connect(e->sock, &to, now(p));

	world_touch(e->host);
	if (r == -EINPROGRESS)
		return true;
	/* A port of ours whose last connection rests in TIME-WAIT, or a peer whose MAC nobody
	 * told. */
	if (r != -EADDRINUSE && r != -EADDRNOTAVAIL && r != -EHOSTUNREACH)
		world_fail(p->world, "stack_connect gave %d", r);
	if (r == -EHOSTUNREACH && !e->conn->unclean && !p->cfg.may_time_out)
		world_fail(p->world, "host %u is said to be unreachable",
			   e->conn->hosts[!e->server]);
	p->counts.refused++;
	end_forget(e);
	return false;
}

static void end_join(struct end *e, struct conn *c)
{
	struct programs *p = e->programs;

	e->conn = c;
	c->ends[e->server] = e;
	p->wake_ns[e - p->ends] = end_wake_ns(e);
}

void conn_open(struct programs *p)
{
	struct host *client = random_host_up(p), *server;
	struct end *e;
	struct conn *c;
	uint16_t port = 0;

	server = &p->world->hosts[rng_below(&p->rng, p->world->cfg.hosts)];
	if (client == NULL || client == server)
		return;
	e = end_take(p, client, false);
	c = e != NULL ? conn_take(p, client, server) : NULL;
	if (c == NULL)
		return;
	if (chance(&p->rng, p->cfg.fixed_port_percent))
		port = (uint16_t)(FIRST_FIXED_PORT + rng_below(&p->rng, FIXED_PORTS));
	if (!end_open(e, port)) {
		p->next_id--;
		return;
	}
	e->conn = c;
	end_options(e);
	c->server = world_endpoint(
	    server, p->hosts[server->number].listeners[rng_below(&p->rng, LISTENERS)].port);
	end_plan(e);
	end_keys(e);
	if (!end_connect(e, c->server))
		return;
	p->counts.opened++;
	c->client = stack_local(e->sock);
	end_join(e, c);
	p->live++;
}

/* Two hosts that connect to each other at one moment (RFC 9293 3.5, figure 7). */
void conn_open_simultaneous(struct programs *p)
{
	struct host *h[2] = {random_host_up(p), random_host_up(p)};
	struct end *e[2];
	struct conn *c;
	uint16_t port[2];

	if (h[0] == NULL || h[1] == NULL || h[0] == h[1])
		return;
	c = conn_take(p, h[0], h[1]);
	if (c == NULL)
		return;
	for (int i = 0; i < 2; i++) {
		port[i] = (uint16_t)(6000 + (c->id * 2 + (unsigned)i) % 20000);
		e[i] = end_take(p, h[i], i == 1);
		if (e[i] == NULL || !end_open(e[i], port[i])) {
			if (i == 1)
				end_forget(e[0]);
			return;
		}
	}
	c->client = world_endpoint(h[0], port[0]);
	c->server = world_endpoint(h[1], port[1]);
	c->attached = true;
	p->counts.opened++;
	for (int i = 0; i < 2; i++) {
		e[i]->conn = c;
		e[i]->simultaneous = true;
		end_plan(e[i]);
		end_keys(e[i]);
		if (!end_connect(e[i], i == 0 ? c->server : c->client)) {
			c->unclean = true;
			continue;
		}
		end_join(e[i], c);
		p->live++;
	}
}

void end_attach(struct end *e)
{
	struct programs *p = e->programs;
	struct endpoint peer = stack_peer(e->sock), local = stack_local(e->sock);
	uint64_t id, tag;
	struct conn *c;

	memcpy(&id, e->header, sizeof(id));
	memcpy(&tag, e->header + 8, sizeof(tag));
	c = &p->conns[id % CONNS];
	if (tag != stream_key(p, id, 2) || c->id != id)
		world_fail(p->world, "the header of a stream is wrong");
	if (!endpoint_eq(&peer, &c->client) || !endpoint_eq(&local, &c->server) || c->attached)
		world_fail(p->world, "connection %" PRIu64 " came out at another", id);
	c->attached = true;
	end_join(e, c);
	end_keys(e);
}

static void accepted(struct programs *p, struct host *h, struct end *e, struct sock *k)
{
	e->sock = k;
	e->connected = true;
	end_options(e);
	end_plan(e);
	e->abrupt_at += sizeof(e->header);
	p->live++;
	end_run(e);
	p->wake_ns[e - p->ends] = e->sock != NULL ? end_wake_ns(e) : UINT64_MAX;
	world_touch(h);
}

void listener_run(struct programs *p, struct host *h, struct listener *l)
{
	while (l->ready && l->accept_at_ns <= now(p)) {
		struct end *e = end_take(p, h, true);
		struct sock *k;
		int r;

		if (e == NULL) {
			l->accept_at_ns = now(p) + WORLD_S;
			return;
		}
		r = stack_accept(l->sock, e, &k);
		if (r == -EAGAIN) {
			l->ready = false;
			return;
		}
		if (r < 0)
			world_fail(p->world, "stack_accept gave %d", r);
		if (l->accept_pause_ns > 0)
			l->accept_at_ns = now(p) + rng_below(&p->rng, l->accept_pause_ns);
		l->accepted_ns = now(p);
		accepted(p, h, e, k);
	}
}

void listener_start(struct programs *p, struct host *h, unsigned i)
{
	struct listener *l = &p->hosts[h->number].listeners[i];
	struct endpoint local;

	memset(l, 0, sizeof(*l));
	l->port = (uint16_t)(80 + i);
	l->ready = true;
	l->accept_at_ns = now(p);
	l->accept_pause_ns = !p->stopping && chance(&p->rng, 30) ? p->cfg.pause_ns / 4 : 0;
	local = world_endpoint(h, l->port);
	if (stack_open(h->stack, SOCK_STREAM, l, &l->sock) < 0 ||
	    stack_bind(l->sock, &local, false) < 0 || stack_listen(l->sock, p->cfg.backlog) < 0)
		world_fail(p->world, "host %u: cannot listen", h->number);
	world_touch(h);
}

void end_finish(struct end *e)
{
	struct programs *p = e->programs;

	end_release(e);
	if (e->conn != NULL)
		e->conn->ends[e->server] = NULL;
	world_touch(e->host);
	e->sock = NULL;
	p->wake_ns[e - p->ends] = UINT64_MAX;
	p->live--;
	while (p->ends_used > 0 && p->ends[p->ends_used - 1].sock == NULL)
		p->ends_used--;
}

/* Has the server's host held handshakes up, or kept nothing of them? The last step of one
 * comes again with the client's data, until the half-open connection is given up. */
static bool may_refuse(const struct programs *p, const struct conn *c)
{
	const struct host *h = &p->world->hosts[c->hosts[1]];
	const struct stack_stats *stats = h->stack != NULL ? stack_stats(h->stack) : NULL;

	return stats != NULL &&
	       stats->tcp_backlog_full + stats->tcp_peer_full + stats->tcp_cookies_sent > 0;
}

/* Is that how this connection may fail? Counts it. */
static bool may_fail(struct end *e, int error)
{
	struct programs *p = e->programs;
	const struct conn *c = e->conn;
	bool time_out = error == -ETIMEDOUT || error == -EHOSTUNREACH;
	bool reset = error == -ECONNRESET || error == -ECONNREFUSED;

	if (!time_out && !reset)
		return false;
	/* A server that does not know whose connection it has: the client's end is judged. */
	if (c == NULL || c->unclean) {
		p->counts.excused++;
		return true;
	}
	/* A server that has given up a handshake resets what comes then, and so does a stack that
	 * has given up what a program left to it: nobody is there to be told. */
	if ((time_out || !c->attached || c->ends[!e->server] == NULL) && p->cfg.may_time_out) {
		p->counts.timed_out++;
		return true;
	}
	if (reset && !c->attached && may_refuse(p, c)) {
		p->counts.refused++;
		return true;
	}
	return false;
}

_Noreturn void end_fault(const struct end *e, const char *format, ...)
{
	const struct conn *c = e->conn;
	char text[200];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	if (c == NULL)
		world_fail(e->programs->world, "a server of host %u: %s", e->host->number, text);
	world_fail(e->programs->world,
		   "connection %" PRIu64
		   ", host %u port %u to host %u port %u, at its %s: %s; %" PRIu64 " of %" PRIu64
		   " bytes sent, %" PRIu64 " received",
		   c->id, c->hosts[0], c->client.port, c->hosts[1], c->server.port,
		   e->server ? "server" : "client", text, e->tx_done, e->tx_total, e->rx_done);
}

void end_failed(struct end *e, int error)
{
	struct programs *p = e->programs;

	if (!may_fail(e, error))
		end_fault(e, "failed with %d (%s)", error, strerror(-error));
	if (e->conn != NULL)
		e->conn->unclean = true;
	stack_close(e->sock, now(p));
	end_finish(e);
}

/* When e's connection has last moved. One that waits to be accepted moves as those before it do. */
static uint64_t moved_ns(const struct end *e)
{
	const struct conn *c = e->conn;
	uint64_t at = c != NULL ? c->progress_ns : e->opened_ns;

	for (unsigned i = 0; c != NULL && !c->attached && i < LISTENERS; i++) {
		const struct listener *l = &e->programs->hosts[c->hosts[1]].listeners[i];

		if (l->port == c->server.port && l->accepted_ns > at)
			at = l->accepted_ns;
	}
	return at;
}

/* Nothing has moved for long: the other one is gone without our knowing, or it is a fault. */
void end_watch(struct end *e)
{
	struct programs *p = e->programs;
	uint64_t limit = p->cfg.pause_ns + (p->cfg.may_time_out ? 1500 : 200) * WORLD_S;
	const struct conn *c = e->conn;

	if (now(p) - moved_ns(e) < limit)
		return;
	if (c != NULL && !c->unclean && !p->cfg.may_time_out)
		end_fault(e, "stands still");
	p->counts.excused++;
	if (c != NULL)
		e->conn->unclean = true;
	stack_abort(e->sock, now(p));
	end_finish(e);
}

void host_programs_vanish(struct programs *p, struct host *h)
{
	for (unsigned i = 0; i < CONNS; i++) {
		struct conn *c = &p->conns[i];

		if (c->hosts[0] == h->number || c->hosts[1] == h->number)
			c->unclean = true;
	}
	for (unsigned i = 0; i < ENDS; i++) {
		if (p->ends[i].sock != NULL && p->ends[i].host == h)
			end_finish(&p->ends[i]);
	}
}
