/* tcp_echo_client.c - the client of tcp-echo: keeps one message on its way on each of its
 * connections, checks what comes back, and measures how long it took.
 *
 * A message is an 8-byte little-endian timestamp in nanoseconds, as far as it has room for one, and
 * a byte that changes from message to message. A push that completed is followed by a pop, a pop
 * that was short by one for just the bytes that are missing, and a whole message by the next push.
 *
 * SPDX-License-Identifier: MIT
 */
#include "tcp_echo.h"

#include "blocking.h"
#include "complain.h"
#include "histogram.h"
#include "interrupt.h"
#include "token_set.h"

#include <demi/ext.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A message that the buffers on the way might not hold has only left when somebody reads its
 * echo: from this size on, in bytes, the pop does not wait for the push. */
enum { POP_EARLY_BYTES = 65536 };

struct client {
	int qd; /* -1: closed */
	bool connected;
	bool popping;      /* a pop is in flight */
	uint64_t sent_ns;  /* the message's timestamp */
	uint8_t fill;      /* the message's other bytes */
	uint64_t received; /* bytes of its echo */
};

struct run {
	const struct echo_options *o;
	struct client *clients;       /* nclients of them */
	uint64_t open;                /* those with a descriptor */
	struct token_set operations;  /* owners are clients */
	uint64_t bytes, target_bytes; /* that came back; UINT64_MAX: no end */
	bool corrupted, interrupted;
	uint64_t start_ns, log_start_ns;
	struct histogram *latencies, *log_latencies; /* of the whole run; since log_start_ns */
};

static void close_client(struct run *r, struct client *c)
{
	token_set_drop(&r->operations, c);
	demi_close(c->qd);
	c->qd = -1;
	r->open--;
}

/* The failures that mean that the connection is gone. Others are told and passed over. */
static void on_failure(struct run *r, struct client *c, int error)
{
	if (!c->connected) {
		complain(error, "cannot connect (qd=%d)", c->qd);
		close_client(r, c);
		return;
	}
	switch (error) {
	case ECONNRESET:
	case ENOTCONN:
	case ECANCELED:
	case EBADF:
		printf("INFO: server reset connection (qd=%d)\n", c->qd);
		close_client(r, c);
		break;
	default:
		fprintf(stderr, "WARN: operation failed, ignoring (qd=%d, error=%s)\n", c->qd,
			strerror(error));
	}
}

/* A call that did not start an operation: none will complete, and the connection would be silent
 * for ever. So it ends, whatever the reason. */
static void on_refusal(struct run *r, struct client *c, int error)
{
	on_failure(r, c, error);
	if (c->qd < 0)
		return;
	complain(error, "closing a connection that cannot go on (qd=%d)", c->qd);
	close_client(r, c);
}

static void keep(struct run *r, int error, demi_qtoken_t qt, struct client *c)
{
	if (!error)
		error = token_set_add(&r->operations, qt, c);
	if (error)
		on_refusal(r, c, error);
}

/* Pops what is there the first time, and just the missing bytes after a short pop. */
static void start_pop(struct run *r, struct client *c)
{
	demi_qtoken_t qt = 0;
	int error;

	c->popping = true;
	if (c->received == 0)
		error = demi_pop(&qt, c->qd);
	else
		error = demi_pop_sized(&qt, c->qd, r->o->bufsize - c->received);
	keep(r, error, qt, c);
}

static void start_push(struct run *r, struct client *c)
{
	uint64_t size = r->o->bufsize;
	demi_sgarray_t sga;
	demi_qtoken_t qt = 0;
	int error;

	c->received = 0;
	c->fill++;
	if (message_make(&sga, size, c->fill)) {
		on_refusal(r, c, ENOMEM);
		return;
	}
	c->sent_ns = echo_clock_ns(CLOCK_MONOTONIC);
	memcpy(sga.sga_segs[0].sgaseg_buf, &c->sent_ns,
	       size < sizeof(c->sent_ns) ? size : sizeof(c->sent_ns));
	error = demi_push(&qt, c->qd, &sga);
	keep(r, error, qt, c);
	demi_sgafree(&sga);
	if (c->qd >= 0 && size >= POP_EARLY_BYTES)
		start_pop(r, c);
}

/* Whether `len` bytes at `offset` of the echo are those of the message. */
static bool is_echo(const struct client *c, const uint8_t *bytes, uint64_t offset, uint32_t len)
{
	const uint8_t *stamp = (const uint8_t *)&c->sent_ns;

	for (; len > 0 && offset < sizeof(c->sent_ns); len--) {
		if (*bytes++ != stamp[offset++])
			return false;
	}
	/* The others are all the same: the first is right, and each equals the one before. */
	return len == 0 || (bytes[0] == c->fill && memcmp(bytes, bytes + 1, len - 1) == 0);
}

static void print_statistics(const char *when, const struct histogram *h, uint64_t ns)
{
	printf("INFO: %s%" PRIu64 " requests, %.0f rps, p50 %" PRIu64 " ns, p99 %" PRIu64 " ns\n",
	       when, h->count, ns ? (double)h->count * 1e9 / (double)ns : 0.0,
	       histogram_percentile(h, 50.0), histogram_percentile(h, 99.0));
	fflush(stdout);
}

/* Prints the statistics of an interval that has ended, and adds them to those of the run. */
static void log_if_due(struct run *r, uint64_t now_ns)
{
	uint64_t interval_ns = r->o->log_s * 1000000000;

	if (!interval_ns || now_ns - r->log_start_ns < interval_ns)
		return;
	print_statistics("", r->log_latencies, now_ns - r->log_start_ns);
	histogram_merge(r->latencies, r->log_latencies);
	histogram_clear(r->log_latencies);
	r->log_start_ns = now_ns;
}

static void on_whole_message(struct run *r, struct client *c, uint64_t now_ns)
{
	histogram_record(r->log_latencies, now_ns - c->sent_ns);
	log_if_due(r, now_ns);
	if (r->bytes < r->target_bytes)
		start_push(r, c);
}

static void on_pop(struct run *r, struct client *c, demi_sgarray_t *sga)
{
	uint64_t now_ns = echo_clock_ns(CLOCK_MONOTONIC); /* the check below is not the echo's */
	uint32_t len = sga->sga_segs[0].sgaseg_len;
	bool right = len <= r->o->bufsize - c->received &&
		     is_echo(c, sga->sga_segs[0].sgaseg_buf, c->received, len);

	demi_sgafree(sga);
	c->popping = false;
	if (len == 0) {
		printf("INFO: server closed connection (qd=%d)\n", c->qd);
		close_client(r, c);
	} else if (!right) {
		complain(EPROTO, "what came back is not what was sent (qd=%d)", c->qd);
		r->corrupted = true;
		close_client(r, c);
	} else {
		c->received += len;
		r->bytes += len;
		if (c->received < r->o->bufsize)
			start_pop(r, c);
		else
			on_whole_message(r, c, now_ns);
	}
}

static void on_connect(struct run *r, struct client *c)
{
	c->connected = true;
	start_push(r, c);
}

static void handle(struct run *r, struct client *c, demi_qresult_t *qr)
{
	switch (qr->qr_opcode) {
	case DEMI_OPC_CONNECT:
		on_connect(r, c);
		break;
	case DEMI_OPC_PUSH:
		if (!c->popping)
			start_pop(r, c);
		break;
	case DEMI_OPC_POP:
		on_pop(r, c, &qr->qr_value.sga);
		break;
	case DEMI_OPC_FAILED:
		on_failure(r, c, (int)qr->qr_ret);
		break;
	default:
		fprintf(stderr, "WARN: unexpected operation %d completed, ignoring (qd=%d)\n",
			qr->qr_opcode, qr->qr_qd);
	}
}

/* The loop. It also ends when nothing is in flight any more: no completion will come. */
static int exchange(struct run *r)
{
	demi_qresult_t qr;
	int i, error;

	while (r->bytes < r->target_bytes && r->open > 0 && r->operations.count > 0) {
		error = demi_wait_any(&qr, &i, r->operations.tokens, r->operations.count,
				      &INTERRUPT_TICK);
		if (!error)
			handle(r, token_set_take(&r->operations, i), &qr);
		else if (error == ETIMEDOUT)
			log_if_due(r, echo_clock_ns(CLOCK_MONOTONIC));
		else
			return complain(error, "cannot wait");
		r->interrupted = interrupted();
		if (r->interrupted)
			return r->target_bytes == UINT64_MAX ? 0 : complain(EINTR, "not finished");
	}
	return 0;
}

static int connect_and_wait(struct run *r, struct client *c)
{
	int error;

	error = blocking_connect(&c->qd, &r->o->address);
	if (error)
		return error;
	r->open++;
	on_connect(r, c);
	return 0;
}

static int start_connect(struct run *r, struct client *c)
{
	demi_qtoken_t qt = 0;
	int error;

	error = demi_socket(&c->qd, AF_INET, SOCK_STREAM, 0);
	if (error)
		return complain(error, "cannot make a socket");
	r->open++;
	error = demi_connect(&qt, c->qd, (const struct sockaddr *)&r->o->address,
			     sizeof(r->o->address));
	keep(r, error, qt, c);
	return error;
}

/* Concurrent: all at once, but for the first, which finds out whether there is a server. */
static int open_clients(struct run *r)
{
	int error = 0;

	for (uint64_t i = 0; i < r->o->nclients && !error; i++) {
		if (i == 0 || r->o->run_mode == ECHO_SEQUENTIAL)
			error = connect_and_wait(r, &r->clients[i]);
		else
			error = start_connect(r, &r->clients[i]);
	}
	return error;
}

static void close_clients(struct run *r)
{
	for (uint64_t i = 0; i < r->o->nclients; i++) {
		if (r->clients[i].qd >= 0)
			close_client(r, &r->clients[i]);
	}
}

/* What a run comes to. */
static int verdict(struct run *r)
{
	uint64_t now_ns = echo_clock_ns(CLOCK_MONOTONIC);

	histogram_merge(r->latencies, r->log_latencies);
	print_statistics("all in all ", r->latencies, now_ns - r->start_ns);
	if (r->corrupted)
		return EPROTO;
	if (r->target_bytes == UINT64_MAX) /* only an interrupt is an end in order */
		return r->interrupted ? 0 : complain(ECONNRESET, "the server has left");
	if (r->bytes < r->target_bytes)
		return complain(ECONNRESET, "%" PRIu64 " of %" PRIu64 " bytes came back", r->bytes,
				r->target_bytes);
	return 0;
}

static int allocate(struct run *r)
{
	r->clients = calloc(r->o->nclients, sizeof(*r->clients));
	r->latencies = malloc(sizeof(*r->latencies));
	r->log_latencies = malloc(sizeof(*r->log_latencies));
	if (!r->clients || !r->latencies || !r->log_latencies)
		return complain(ENOMEM, "cannot start %" PRIu64 " clients", r->o->nclients);
	for (uint64_t i = 0; i < r->o->nclients; i++)
		r->clients[i].qd = -1;
	histogram_clear(r->latencies);
	histogram_clear(r->log_latencies);
	return 0;
}

static int run(struct run *r)
{
	int error;

	error = open_clients(r);
	if (!error)
		error = exchange(r);
	close_clients(r);
	return error ? error : verdict(r);
}

int echo_client_run(const struct echo_options *o)
{
	struct run r = {.o = o, .target_bytes = UINT64_MAX};
	int error;

	if (o->nrequests)
		r.target_bytes = o->nclients * o->bufsize * o->nrequests;
	r.start_ns = r.log_start_ns = echo_clock_ns(CLOCK_MONOTONIC);
	error = allocate(&r);
	if (!error)
		error = run(&r);
	free(r.clients);
	free(r.latencies);
	free(r.log_latencies);
	token_set_free(&r.operations);
	return error;
}
