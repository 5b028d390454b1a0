/* SPDX-License-Identifier: MIT */
#include "flows.h"
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

enum { PORT = 80 };

static void feed(struct flows *f, struct flow *flow)
{
	bool zero_copy;

	while (stack_send(flow->client, f->text, f->text->data, FLOWS_CHUNK_BYTES, &zero_copy,
			  f->world->now_ns) > 0)
		;
	world_touch(&f->world->hosts[0]);
}

static void drain(struct flows *f, struct flow *flow)
{
	struct stack_received got;

	while (stack_recv(flow->server, UINT32_MAX, &got, f->world->now_ns) == 1) {
		flow->received += got.len;
		buf_unref(got.buf);
	}
	world_touch(&f->world->hosts[1]);
}

static void on_event(void *ctx, const struct stack_event *ev)
{
	struct flows *f = ctx;

	if (ev->bits & STACK_EV_FAILED)
		world_fail(f->world, "a connection failed: %d", stack_error(ev->sock));
	if (ev->sock == f->listener) {
		while (f->accepted < f->connected &&
		       stack_accept(f->listener, NULL, &f->flow[f->accepted].server) == 0)
			drain(f, &f->flow[f->accepted++]);
		return;
	}
	for (unsigned i = 0; i < f->connected; i++) {
		if (ev->sock == f->flow[i].client)
			feed(f, &f->flow[i]);
		if (i < f->accepted && ev->sock == f->flow[i].server)
			drain(f, &f->flow[i]);
	}
}

void flows_create(struct flows *f, struct world *w, const struct world_config *c,
		  const char *repeat)
{
	struct endpoint at;

	memset(f, 0, sizeof(*f));
	f->world = w;
	world_create(w, c, repeat);
	if (pool_create(&f->pool, 1, FLOWS_CHUNK_BYTES, 0, NULL) < 0)
		world_fail(w, "no memory");
	w->programs = (struct world_programs){.ctx = f, .event = on_event};
	f->text = pool_get(f->pool);
	at = world_endpoint(&w->hosts[1], PORT);
	if (f->text == NULL || stack_open(w->hosts[1].stack, SOCK_STREAM, NULL, &f->listener) < 0 ||
	    stack_bind(f->listener, &at, false) < 0 || stack_listen(f->listener, FLOWS_MAX) < 0)
		world_fail(w, "cannot listen");
	memset(f->text->data, 'f', FLOWS_CHUNK_BYTES);
	f->text->len = FLOWS_CHUNK_BYTES;
}

void flows_destroy(struct flows *f)
{
	for (unsigned i = 0; i < f->connected; i++)
		stack_abort(f->flow[i].client, f->world->now_ns);
	buf_unref(f->text);
	world_destroy(f->world);
	pool_destroy(f->pool);
}

void flows_connect(struct flows *f)
{
	struct world *w = f->world;
	struct endpoint at = world_endpoint(&w->hosts[1], PORT);
	struct sock **k = &f->flow[f->connected++].client;

	if (stack_open(w->hosts[0].stack, SOCK_STREAM, NULL, k) < 0 ||
	    stack_connect(*k, &at, w->now_ns) != -EINPROGRESS)
		world_fail(w, "cannot connect");
	world_touch(&w->hosts[0]);
}

struct flows_result flows_measure(struct flows *f, uint64_t ns)
{
	uint64_t received[FLOWS_MAX];

	for (unsigned i = 0; i < f->connected; i++)
		f->flow[i].received = 0;
	world_run(f->world, f->world->now_ns + ns);
	for (unsigned i = 0; i < f->connected; i++)
		received[i] = f->flow[i].received;
	return flows_evaluate(received, f->connected, ns);
}

struct flows_result flows_evaluate(const uint64_t received[], unsigned n, uint64_t ns)
{
	double sum = 0, squares = 0, least = 0, most = 0;

	for (unsigned i = 0; i < n; i++) {
		double x = (double)received[i];

		sum += x;
		squares += x * x;
		least = i == 0 || x < least ? x : least;
		most = x > most ? x : most;
	}
	return (struct flows_result){sum * 8e3 / (double)ns, sum * sum / (n * squares),
				     least / most};
}

struct tcp_info flows_info(struct flows *f, unsigned i)
{
	struct tcp_info info;
	uint32_t len = sizeof(info);

	if (stack_getsockopt(f->flow[i].client, IPPROTO_TCP, TCP_INFO, &info, &len) < 0)
		world_fail(f->world, "no TCP_INFO");
	return info;
}
