/* tcp_ping_pong.c - the program tcp-ping-pong: a client sends a message over TCP, the server sends
 * it back, and so on.
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
    "Usage: tcp-ping-pong --server IP PORT [SIZE] [MESSAGES]\n"
    "       tcp-ping-pong --client IP PORT [SIZE] [MESSAGES]\n"
    "\n"
    "The client sends a message to the server at IP and PORT, which sends it back, MESSAGES\n"
    "times (1024). Each has SIZE bytes (64). Start both with the same numbers, the server\n"
    "first. The environment variable LIBOS chooses the I/O path; see demikernel(7).\n"
    "\n"
    "Exit status: 0 all came back, 1 a failure, 2 a wrong command line.\n";

enum { FILL = 1 }; /* each byte of a message */

struct options {
	struct sockaddr_in address;
	uint64_t size, messages;
};

/* Pops what there is and pushes it back, until `bytes` have been echoed. */
static int echo(int qd, uint64_t bytes)
{
	demi_sgarray_t sga;
	uint64_t echoed = 0;
	uint32_t len;
	int error;

	while (echoed < bytes) {
		error = blocking_pop(&sga, qd);
		if (error)
			return error;
		len = sga.sga_segs[0].sgaseg_len;
		/* A length of 0 is the end of the stream, and nothing to push. */
		error = len ? blocking_push(qd, &sga, NULL) : ECONNRESET;
		demi_sgafree(&sga);
		if (!len)
			return complain(error,
					"the client left after %" PRIu64 " of %" PRIu64 " bytes",
					echoed, bytes);
		if (error)
			return error;
		echoed += len;
	}
	printf("ping: %" PRIu64 " bytes echoed\n", echoed);
	return 0;
}

static int serve(const struct options *o)
{
	int listener, qd, error;

	error = blocking_listen(&listener, &o->address);
	if (error)
		return error;
	error = blocking_accept(&qd, listener);
	if (!error) {
		error = echo(qd, o->size * o->messages);
		demi_close(qd);
	}
	demi_close(listener);
	return error;
}

static int check(const demi_sgarray_t *sga, uint64_t missing)
{
	const uint8_t *bytes = sga->sga_segs[0].sgaseg_buf;
	uint32_t len = sga->sga_segs[0].sgaseg_len;

	if (len == 0)
		return complain(ECONNRESET, "the server left before the end");
	if (len > missing)
		return complain(EPROTO, "the server sent more than it got");
	for (uint32_t i = 0; i < len; i++) {
		if (bytes[i] != FILL)
			return complain(EPROTO, "the server sent back a wrong byte");
	}
	return 0;
}

/* Pops until all `size` bytes of a message have come back. */
static int receive(int qd, uint64_t size)
{
	demi_sgarray_t sga;
	int error;

	while (size > 0) {
		error = blocking_pop(&sga, qd);
		if (error)
			return error;
		error = check(&sga, size);
		size -= error ? 0 : sga.sga_segs[0].sgaseg_len;
		demi_sgafree(&sga);
		if (error)
			return error;
	}
	return 0;
}

/* The push is waited for after the answer: a message larger than all the buffers on the way has
 * only left when its first bytes have been read back. */
static int ping(int qd, uint64_t size)
{
	demi_sgarray_t sga;
	demi_qresult_t qr;
	demi_qtoken_t pushed;
	int error;

	error = message_make(&sga, size, FILL);
	if (error)
		return error;
	error = demi_push(&pushed, qd, &sga);
	demi_sgafree(&sga);
	if (error)
		return complain(error, "cannot push");
	error = receive(qd, size);
	if (error)
		return error;
	error = blocking_wait(&qr, pushed, BLOCKING_FOREVER);
	return error ? complain(error, "cannot push") : 0;
}

static int ask(const struct options *o)
{
	int qd, error;

	error = blocking_connect(&qd, &o->address);
	if (error)
		return error;
	for (uint64_t i = 0; i < o->messages && !error; i++)
		error = ping(qd, o->size);
	demi_close(qd);
	if (!error)
		printf("pong: %" PRIu64 " bytes came back\n", o->size * o->messages);
	return error;
}

int main(int argc, char **argv)
{
	struct options o = {.size = 64, .messages = 1024};
	struct arguments a = arguments_begin(argc, argv, help);
	bool server = arguments_mode(&a);
	int error;

	arguments_address(&a, "server's", &o.address);
	arguments_number(&a, "SIZE", 1, MESSAGE_MAX_BYTES, &o.size);
	arguments_number(&a, "MESSAGES", 1, UINT32_MAX, &o.messages);
	arguments_end(&a);
	interrupt_catch();

	error = blocking_init();
	if (!error)
		error = server ? serve(&o) : ask(&o);
	return error ? EXIT_FAILURE : EXIT_SUCCESS;
}
