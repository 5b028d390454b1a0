/* tcp_push_pop.c - the program tcp-push-pop: a client sends messages over TCP, the server counts
 * the bytes.
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
    "Usage: tcp-push-pop --server IP PORT [SIZE] [MESSAGES]\n"
    "       tcp-push-pop --client IP PORT [SIZE] [MESSAGES]\n"
    "\n"
    "The client sends MESSAGES messages (1024) of SIZE bytes (64) to the server at IP and\n"
    "PORT, which ends when it has them all. Start both with the same numbers, the server\n"
    "first. The environment variable LIBOS chooses the I/O path; see demikernel(7).\n"
    "\n"
    "Exit status: 0 all arrived, 1 a failure, 2 a wrong command line.\n";

enum { FILL = 1 }; /* each byte of a message */

struct options {
	struct sockaddr_in address;
	uint64_t size, messages;
};

static int check(const demi_sgarray_t *sga)
{
	const uint8_t *bytes = sga->sga_segs[0].sgaseg_buf;

	for (uint32_t i = 0; i < sga->sga_segs[0].sgaseg_len; i++) {
		if (bytes[i] != FILL)
			return complain(EPROTO, "the client sent a wrong byte");
	}
	return 0;
}

static int receive(int qd, uint64_t bytes)
{
	uint64_t received = 0;
	demi_sgarray_t sga;
	uint32_t len;
	int error;

	while (received < bytes) {
		error = blocking_pop(&sga, qd);
		if (error)
			return error;
		len = sga.sga_segs[0].sgaseg_len;
		error = check(&sga);
		demi_sgafree(&sga);
		if (error)
			return error;
		if (len == 0)
			return complain(ECONNRESET,
					"the client left after %" PRIu64 " of %" PRIu64 " bytes",
					received, bytes);
		received += len;
	}
	printf("pop: total bytes received: (%" PRIu64 ")\n", received);
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
		error = receive(qd, o->size * o->messages);
		demi_close(qd);
	}
	demi_close(listener);
	return error;
}

static int send_message(int qd, uint64_t size)
{
	demi_sgarray_t sga;
	int error;

	error = message_make(&sga, size, FILL);
	if (error)
		return error;
	error = blocking_push(qd, &sga, NULL);
	demi_sgafree(&sga);
	return error;
}

static int feed(const struct options *o)
{
	int qd, error;

	error = blocking_connect(&qd, &o->address);
	if (error)
		return error;
	for (uint64_t i = 0; i < o->messages && !error; i++)
		error = send_message(qd, o->size);
	/* What a completed push has accepted is still delivered after this. */
	demi_close(qd);
	if (!error)
		printf("push: total bytes sent: (%" PRIu64 ")\n", o->size * o->messages);
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
		error = server ? serve(&o) : feed(&o);
	return error ? EXIT_FAILURE : EXIT_SUCCESS;
}
