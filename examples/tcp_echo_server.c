/* tcp_echo_server.c - the server of tcp-echo: sends back whatever comes, to any number of clients.
 *
 * One thread, one loop: wait for any of the operations in flight, and start the next one. A popped
 * message is pushed as it is, without a copy, and the next pop does not wait for that push.
 *
 * SPDX-License-Identifier: MIT
 */
#include "tcp_echo.h"

#include "complain.h"
#include "interrupt.h"
#include "token_set.h"

#include <demi/libos.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

enum {
	BACKLOG = 1024,  /* connections not yet accepted */
	MAX_PUSHES = 64, /* in flight to one client; one that does not read gets no more */
};

struct client {
	int qd;
	int pushes;   /* in flight */
	bool popping; /* a pop is in flight. A client always has a pop or a push in flight */
	bool ended;   /* it sends no more; it goes when it has got everything back */
};

struct server {
	int listener;
	bool accepting;              /* an accept is in flight */
	struct token_set operations; /* owners are clients; NULL for the accept */
	int lost;                    /* nobody can be accepted any more: the errno */
	struct echo_server_crew *crew;
	uint64_t log_ns, next_log_ns, next_look_ns;
};

static void drop_client(struct server *s, struct client *c)
{
	token_set_drop(&s->operations, c);
	demi_close(c->qd);
	free(c);
	atomic_fetch_sub(&s->crew->clients, 1);
}

/* Remembers an operation that was started with `error`. */
static int keep(struct server *s, int error, demi_qtoken_t qt, struct client *c)
{
	return error ? error : token_set_add(&s->operations, qt, c);
}

static int start_accept(struct server *s)
{
	demi_qtoken_t qt = 0;
	int error;

	error = demi_accept(&qt, s->listener);
	error = keep(s, error, qt, NULL);
	s->accepting = !error;
	return error;
}

static int start_pop(struct server *s, struct client *c)
{
	demi_qtoken_t qt = 0;
	int error;

	error = demi_pop(&qt, c->qd);
	error = keep(s, error, qt, c);
	c->popping = !error;
	return error;
}

static int start_push(struct server *s, struct client *c, const demi_sgarray_t *sga)
{
	demi_qtoken_t qt = 0;
	int error;

	error = demi_push(&qt, c->qd, sga);
	error = keep(s, error, qt, c);
	c->pushes += !error;
	return error;
}

/* A client that cannot be served any more is closed; the server goes on. */
static void lose_client(struct server *s, struct client *c, int error)
{
	if (error == ECONNRESET)
		printf("INFO: client reset connection (qd=%d)\n", c->qd);
	else
		complain(error, "closing a client (qd=%d)", c->qd);
	drop_client(s, c);
}

static void on_accept(struct server *s, int qd)
{
	struct client *c = calloc(1, sizeof(*c));
	int error;

	s->accepting = false;
	if (!c) {
		complain(ENOMEM, "turning a client away");
		demi_close(qd);
		return;
	}
	c->qd = qd;
	atomic_fetch_add(&s->crew->clients, 1);
	atomic_store(&s->crew->visited, true);
	error = start_pop(s, c);
	if (error)
		lose_client(s, c, error);
	start_accept(s); /* if it cannot be started now, look_around() will */
}

static void on_pop(struct server *s, struct client *c, demi_sgarray_t *sga)
{
	int error;

	c->popping = false;
	if (sga->sga_segs[0].sgaseg_len == 0) {
		demi_sgafree(sga);
		c->ended = true;
		if (c->pushes == 0)
			drop_client(s, c);
		return;
	}
	error = start_push(s, c, sga);
	/* Ours no longer: the library keeps the memory until it is sent. */
	demi_sgafree(sga);
	if (!error && c->pushes < MAX_PUSHES)
		error = start_pop(s, c);
	if (error)
		lose_client(s, c, error);
}

static void on_push(struct server *s, struct client *c)
{
	int error = 0;

	c->pushes--;
	if (c->ended) {
		if (c->pushes == 0)
			drop_client(s, c);
		return;
	}
	if (!c->popping)
		error = start_pop(s, c);
	if (error)
		lose_client(s, c, error);
}

static void on_failure(struct server *s, struct client *c, int error)
{
	if (c) {
		lose_client(s, c, error);
	} else {
		complain(error, "cannot accept a client now");
		s->accepting = false;
		if (error == ENETDOWN) /* the device is gone, and does not come back */
			s->lost = error;
	}
}

static void handle(struct server *s, struct client *c, demi_qresult_t *qr)
{
	switch (qr->qr_opcode) {
	case DEMI_OPC_ACCEPT:
		on_accept(s, qr->qr_value.ares.qd);
		break;
	case DEMI_OPC_POP:
		on_pop(s, c, &qr->qr_value.sga);
		break;
	case DEMI_OPC_PUSH:
		on_push(s, c);
		break;
	case DEMI_OPC_FAILED:
		on_failure(s, c, (int)qr->qr_ret);
		break;
	default: /* which cannot be: as good as a failure */
		on_failure(s, c, EPROTO);
	}
}

/* What is done now and then: statistics, and an accept that could not be started before. */
static void look_around(struct server *s, uint64_t now_ns)
{
	s->next_look_ns = now_ns + (uint64_t)INTERRUPT_TICK.tv_nsec;
	if (!s->accepting)
		start_accept(s);
	if (s->log_ns && now_ns >= s->next_log_ns) {
		printf("INFO: %d clients connected\n", atomic_load(&s->crew->clients));
		fflush(stdout);
		s->next_log_ns = now_ns + s->log_ns;
	}
}

static bool finished(const struct server *s)
{
	const struct echo_server_crew *crew = s->crew;

	return interrupted() || atomic_load(&crew->stop) ||
	       (atomic_load(&crew->clients) == 0 && atomic_load(&crew->visited));
}

static int serve(struct server *s)
{
	demi_qresult_t qr;
	uint64_t now_ns;
	int i, error;

	while (!finished(s) && !s->lost) {
		error = demi_wait_any(&qr, &i, s->operations.tokens, s->operations.count,
				      &INTERRUPT_TICK);
		if (!error)
			handle(s, token_set_take(&s->operations, i), &qr);
		else if (error != ETIMEDOUT)
			return complain(error, "cannot wait");
		/* The coarse clock costs next to nothing, and is good to a few milliseconds. */
		now_ns = echo_clock_ns(CLOCK_MONOTONIC_COARSE);
		if (now_ns >= s->next_look_ns)
			look_around(s, now_ns);
	}
	return s->lost;
}

/* Each client has an operation in flight, so that this finds them all. */
static void drop_all(struct server *s)
{
	token_set_drop(&s->operations, NULL);
	while (s->operations.count)
		drop_client(s, s->operations.owners[0]);
	token_set_free(&s->operations);
	demi_close(s->listener);
}

int echo_server_run(int listener, const struct echo_options *o, struct echo_server_crew *crew)
{
	struct server s = {.listener = listener, .crew = crew, .log_ns = o->log_s * 1000000000};
	int error;

	s.next_log_ns = echo_clock_ns(CLOCK_MONOTONIC_COARSE) + s.log_ns;
	error = start_accept(&s);
	if (error)
		complain(error, "cannot accept clients");
	else
		error = serve(&s);
	drop_all(&s);
	return error;
}

static int prepare(int qd, struct sockaddr_in *address, bool shared)
{
	socklen_t size = sizeof(*address);
	int error, yes = 1;

	if (shared) {
		error = demi_setsockopt(qd, SOL_SOCKET, SO_REUSEPORT, &yes, sizeof(yes));
		if (error)
			return complain(error, "cannot share the port between threads");
	}
	error = demi_bind(qd, (struct sockaddr *)address, size);
	if (error)
		return complain(error, "cannot bind to port %u", ntohs(address->sin_port));
	error = demi_listen(qd, BACKLOG);
	if (error)
		return complain(error, "cannot listen");
	demi_getsockname(qd, (struct sockaddr *)address, &size);
	return 0;
}

int echo_server_open(int *listener_out, struct sockaddr_in *address, bool shared)
{
	int qd, error;

	error = demi_socket(&qd, AF_INET, SOCK_STREAM, 0);
	if (error)
		return complain(error, "cannot make a socket");
	error = prepare(qd, address, shared);
	if (error) {
		demi_close(qd);
		return error;
	}
	*listener_out = qd;
	return 0;
}
