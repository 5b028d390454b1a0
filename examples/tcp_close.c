/* tcp_close.c - the program tcp-close: opens and closes many connections.
 *
 * SPDX-License-Identifier: MIT
 */
#include "blocking.h"
#include "complain.h"
#include "drain.h"
#include "interrupt.h"
#include "options.h"
#include "token_set.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

static const char help[] =
    "Usage: tcp-close --peer server|client --address IP:PORT --whocloses server|client\n"
    "                 [--nclients N] [--run-mode MODE]\n"
    "\n"
    "The client opens N connections; one side closes each, the other sees the end of its\n"
    "stream and closes too. Start both with the same options, the server first.\n"
    "\n"
    "  --address IP:PORT    where the server is; port 0 lets a server choose one\n"
    "  --whocloses SIDE     server or client\n"
    "  --nclients N         connections (1)\n"
    "  --run-mode MODE      of the client. sequential: one after the other; concurrent: all at\n"
    "                       once (sequential)\n"
    "\n"
    "The environment variable LIBOS chooses the I/O path; see demikernel(7).\n"
    "Exit status: 0 all were closed in order, 1 a failure, 2 a wrong command line.\n";

enum { SERVER, CLIENT };
enum { SEQUENTIAL, CONCURRENT };
enum { MAX_CLIENTS = 60000 };

struct plan {
	struct sockaddr_in address;
	uint64_t clients;
	int peer, who_closes, mode;
};

static int serve(const struct plan *p)
{
	struct drain d = {.local = p->address,
			  .clients_max = p->clients,
			  .closes_first = p->who_closes == SERVER};

	return drain_run_to_the_end(&d);
}

/* A connection that is open: closed by us, or seen to its end. */
static int finish(const struct plan *p, int qd)
{
	demi_sgarray_t sga;
	int error = 0;

	if (p->who_closes == SERVER) {
		error = blocking_pop(&sga, qd);
		if (!error && sga.sga_segs[0].sgaseg_len > 0)
			error = complain(EPROTO, "the server sent something");
		if (!error)
			demi_sgafree(&sga);
	}
	demi_close(qd);
	return error;
}

static int one_after_the_other(const struct plan *p)
{
	int qd, error = 0;

	for (uint64_t i = 0; i < p->clients && !error; i++) {
		error = blocking_connect(&qd, &p->address);
		if (!error)
			error = finish(p, qd);
	}
	return error;
}

static int start_connect(const struct plan *p, struct token_set *set)
{
	demi_qtoken_t qt;
	int qd, error = demi_socket(&qd, AF_INET, SOCK_STREAM, 0);

	if (!error)
		error =
		    demi_connect(&qt, qd, (const struct sockaddr *)&p->address, sizeof(p->address));
	if (!error)
		error = token_set_add(set, qt, NULL);
	return error ? complain(error, "cannot connect") : 0;
}

static int all_at_once(const struct plan *p)
{
	struct token_set set = {0};
	demi_qresult_t qr;
	int at, error = 0;

	for (uint64_t i = 0; i < p->clients && !error; i++)
		error = start_connect(p, &set);
	while (!error && set.count > 0) {
		error = demi_wait_any(&qr, &at, set.tokens, set.count, &INTERRUPT_TICK);
		if (error == ETIMEDOUT && !interrupted()) {
			error = 0;
			continue;
		}
		if (error) {
			complain(interrupted() ? EINTR : error, "cannot wait");
			break;
		}
		token_set_take(&set, at);
		if (qr.qr_opcode == DEMI_OPC_FAILED)
			error = complain((int)qr.qr_ret, "cannot connect");
		else
			error = finish(p, qr.qr_qd);
	}
	token_set_free(&set);
	return error;
}

static int ask(const struct plan *p)
{
	int error = p->mode == SEQUENTIAL ? one_after_the_other(p) : all_at_once(p);

	if (!error)
		printf("closed: %" PRIu64 "\n", p->clients);
	return error;
}

int main(int argc, char **argv)
{
	static const char *const sides[] = {"server", "client", NULL};
	static const char *const modes[] = {"sequential", "concurrent", NULL};
	struct plan p = {.clients = 1, .peer = -1, .who_closes = -1};
	const struct option_spec specs[] = {OPTION_WORD("peer", sides, &p.peer),
					    OPTION_ENDPOINT("address", &p.address),
					    OPTION_WORD("whocloses", sides, &p.who_closes),
					    OPTION_NUMBER("nclients", 1, MAX_CLIENTS, &p.clients),
					    OPTION_WORD("run-mode", modes, &p.mode),
					    {0}};
	int error;

	options_read(argc, argv, help, specs);
	options_require("address", &p.address);
	options_require_word("peer", p.peer);
	options_require_word("whocloses", p.who_closes);
	interrupt_catch();
	error = blocking_init();
	if (!error)
		error = p.peer == SERVER ? serve(&p) : ask(&p);
	return error ? EXIT_FAILURE : EXIT_SUCCESS;
}
