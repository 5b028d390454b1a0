/* udp_ping_pong.c - the program udp-ping-pong: a client sends a datagram, the server sends it back,
 * and so on.
 *
 * A datagram may be lost on the way: the client asks again when no answer comes. Answers carry the
 * number of their question modulo 256 in each byte, so that a late one is known and passed over.
 *
 * SPDX-License-Identifier: MIT
 */
#include "arguments.h"
#include "blocking.h"
#include "complain.h"
#include "interrupt.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

static const char help[] =
    "Usage: udp-ping-pong --server LOCAL_IP LOCAL_PORT REMOTE_IP REMOTE_PORT [SIZE] [MESSAGES]\n"
    "       udp-ping-pong --client LOCAL_IP LOCAL_PORT REMOTE_IP REMOTE_PORT [SIZE] [MESSAGES]\n"
    "\n"
    "The client sends a datagram to the server, which sends it back, MESSAGES times\n"
    "(1000000). Each has SIZE bytes (64). REMOTE is the other side; a server with\n"
    "REMOTE_PORT 0 answers whoever asks. Start both with the same numbers, the server first.\n"
    "The environment variable LIBOS chooses the I/O path; see demikernel(7).\n"
    "\n"
    "Exit status: 0 all came back, 1 a failure, 2 a wrong command line.\n";

enum {
	ANSWER_MS = 200,   /* the client asks again when no answer came for so long */
	ATTEMPTS = 25,     /* and gives up after so many: 5 s */
	SILENCE_MS = 6000, /* longer than that: the client is gone */
};

struct options {
	struct sockaddr_in local, remote;
	uint64_t size, messages;
};

/* Sends one datagram back. A question that is asked again is answered again, but counts once:
 * *last is the first byte of the one before, -1 for none. */
static int echo_one(int qd, const struct options *o, int *last, uint64_t *echoed)
{
	uint32_t limit_ms = *echoed ? SILENCE_MS : BLOCKING_FOREVER;
	struct sockaddr_in sender;
	demi_sgarray_t sga;
	demi_qresult_t qr;
	demi_qtoken_t qt;
	int error;

	error = demi_pop(&qt, qd);
	if (!error)
		error = blocking_wait(&qr, qt, limit_ms);
	if (error == ETIMEDOUT)
		return complain(error, "the client has fallen silent");
	if (error)
		return complain(error, "cannot pop");
	sga = qr.qr_value.sga;
	sender = sga.sga_addr;
	/* An empty datagram is no question, and cannot be pushed. */
	if (sga.sga_segs[0].sgaseg_len > 0) {
		int first = *(const uint8_t *)sga.sga_segs[0].sgaseg_buf;

		*echoed += first != *last;
		*last = first;
		error = blocking_push(qd, &sga, o->remote.sin_port ? &o->remote : &sender);
	}
	demi_sgafree(&sga);
	return error;
}

static int serve(const struct options *o)
{
	uint64_t echoed = 0;
	int qd, error, last = -1;

	error = blocking_bind(&qd, &o->local);
	if (error)
		return error;
	while (echoed < o->messages && !error)
		error = echo_one(qd, o, &last, &echoed);
	demi_close(qd);
	if (!error)
		printf("ping: %" PRIu64 " datagrams echoed\n", o->messages);
	return error;
}

static bool is_answer(const demi_sgarray_t *sga, uint64_t size, uint8_t fill)
{
	const uint8_t *bytes = sga->sga_segs[0].sgaseg_buf;

	if (sga->sga_segs[0].sgaseg_len != size)
		return false;
	for (uint64_t i = 0; i < size; i++) {
		if (bytes[i] != fill)
			return false;
	}
	return true;
}

/* Pops until the answer to `fill` is there. ETIMEDOUT: it has not come in time. *pop is the pop in
 * flight, 0 for none: one that gave nothing in time is waited for again the next time. */
static int await_answer(int qd, uint64_t size, uint8_t fill, demi_qtoken_t *pop)
{
	demi_qresult_t qr;
	bool right = false;
	int error;

	while (!right) {
		error = *pop ? 0 : demi_pop(pop, qd);
		if (!error)
			error = blocking_wait(&qr, *pop, ANSWER_MS);
		if (error)
			return error == ETIMEDOUT ? error : complain(error, "cannot pop");
		*pop = 0;
		right = is_answer(&qr.qr_value.sga, size, fill);
		demi_sgafree(&qr.qr_value.sga);
	}
	return 0;
}

static int ask_one(int qd, const struct options *o, uint8_t fill, demi_qtoken_t *pop)
{
	demi_sgarray_t sga;
	int error;

	error = message_make(&sga, o->size, fill);
	if (error)
		return error;
	for (int i = 0; i < ATTEMPTS; i++) {
		error = blocking_push(qd, &sga, &o->remote);
		if (!error)
			error = await_answer(qd, o->size, fill, pop);
		if (error != ETIMEDOUT)
			break;
	}
	demi_sgafree(&sga);
	return error == ETIMEDOUT ? complain(error, "no answer came") : error;
}

static int ask(const struct options *o)
{
	demi_qtoken_t pop = 0;
	int qd, error;

	error = blocking_bind(&qd, &o->local);
	if (error)
		return error;
	for (uint64_t i = 0; i < o->messages && !error; i++)
		error = ask_one(qd, o, (uint8_t)i, &pop);
	demi_close(qd);
	if (!error)
		printf("pong: %" PRIu64 " datagrams came back\n", o->messages);
	return error;
}

int main(int argc, char **argv)
{
	struct options o = {.size = 64, .messages = 1000000};
	struct arguments a = arguments_begin(argc, argv, help);
	bool server = arguments_mode(&a);
	int error;

	arguments_address(&a, "local", &o.local);
	arguments_address(&a, "remote", &o.remote);
	arguments_number(&a, "SIZE", 1, DATAGRAM_MAX_BYTES, &o.size);
	arguments_number(&a, "MESSAGES", 1, UINT32_MAX, &o.messages);
	arguments_end(&a);
	interrupt_catch();

	error = blocking_init();
	if (!error)
		error = server ? serve(&o) : ask(&o);
	return error ? EXIT_FAILURE : EXIT_SUCCESS;
}
