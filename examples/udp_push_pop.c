/* udp_push_pop.c - the program udp-push-pop: a client sends datagrams, the server counts them.
 *
 * UDP does not resend what is lost on the way, and neither do we: the server ends when all have
 * come, or when none has come for a while, and tells how many are missing.
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
    "Usage: udp-push-pop --server LOCAL_IP LOCAL_PORT [SIZE] [MESSAGES]\n"
    "       udp-push-pop --client LOCAL_IP LOCAL_PORT REMOTE_IP REMOTE_PORT [SIZE] [MESSAGES]\n"
    "\n"
    "The client sends MESSAGES datagrams (1000000) of SIZE bytes (64) to the server. Start\n"
    "both with the same numbers, the server first. It ends when all have arrived, or when\n"
    "none has for two seconds after the first, and tells how many were lost: UDP sends nothing\n"
    "again, and a client that is faster than the server loses a part. That is no failure.\n"
    "The environment variable LIBOS chooses the I/O path; see demikernel(7).\n"
    "\n"
    "Exit status: 0 sent or received, 1 a failure, 2 a wrong command line.\n";

enum {
	FILL = 1,          /* each byte of a message */
	SILENCE_MS = 2000, /* the client is done when nothing has come for so long */
};

struct options {
	struct sockaddr_in local, remote;
	uint64_t size, messages;
};

static int check(const demi_sgarray_t *sga, uint64_t size)
{
	const uint8_t *bytes = sga->sga_segs[0].sgaseg_buf;

	if (sga->sga_segs[0].sgaseg_len != size)
		return complain(EMSGSIZE, "a datagram of %u bytes came instead of %" PRIu64,
				sga->sga_segs[0].sgaseg_len, size);
	for (uint64_t i = 0; i < size; i++) {
		if (bytes[i] != FILL)
			return complain(EPROTO, "the client sent a wrong byte");
	}
	return 0;
}

/* Waits for one datagram. ETIMEDOUT, without a complaint, when none comes in limit_ms. */
static int receive(int qd, uint64_t size, uint32_t limit_ms)
{
	demi_qresult_t qr;
	demi_qtoken_t qt;
	int error;

	error = demi_pop(&qt, qd);
	if (!error)
		error = blocking_wait(&qr, qt, limit_ms);
	if (error)
		return error == ETIMEDOUT ? error : complain(error, "cannot pop");
	error = check(&qr.qr_value.sga, size);
	demi_sgafree(&qr.qr_value.sga);
	return error;
}

static int serve(const struct options *o)
{
	uint64_t received = 0;
	int qd, error;

	error = blocking_bind(&qd, &o->local);
	if (error)
		return error;
	while (received < o->messages && !error) {
		error = receive(qd, o->size, received ? SILENCE_MS : BLOCKING_FOREVER);
		if (!error)
			received++;
	}
	demi_close(qd);
	if (error && error != ETIMEDOUT)
		return error;
	printf("pop: %" PRIu64 " of %" PRIu64 " datagrams received, %" PRIu64 " lost\n", received,
	       o->messages, o->messages - received);
	return 0;
}

static int feed(const struct options *o)
{
	demi_sgarray_t sga;
	int qd, error;

	error = blocking_bind(&qd, &o->local);
	if (error)
		return error;
	for (uint64_t i = 0; i < o->messages && !error; i++) {
		error = message_make(&sga, o->size, FILL);
		if (error)
			break;
		error = blocking_push(qd, &sga, &o->remote);
		demi_sgafree(&sga);
		if (interrupted())
			error = complain(EINTR, "%" PRIu64 " datagrams sent", i + 1);
	}
	demi_close(qd);
	if (!error)
		printf("push: %" PRIu64 " datagrams sent\n", o->messages);
	return error;
}

int main(int argc, char **argv)
{
	struct options o = {.size = 64, .messages = 1000000};
	struct arguments a = arguments_begin(argc, argv, help);
	bool server = arguments_mode(&a);
	int error;

	arguments_address(&a, "local", &o.local);
	if (!server)
		arguments_address(&a, "remote", &o.remote);
	arguments_number(&a, "SIZE", 1, DATAGRAM_MAX_BYTES, &o.size);
	arguments_number(&a, "MESSAGES", 1, UINT32_MAX, &o.messages);
	arguments_end(&a);
	interrupt_catch();

	error = blocking_init();
	if (!error)
		error = server ? serve(&o) : feed(&o);
	return error ? EXIT_FAILURE : EXIT_SUCCESS;
}
