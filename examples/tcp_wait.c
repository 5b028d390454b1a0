/* tcp_wait.c - the program tcp-wait: what a wait on a push or a pop gives when its descriptor has
 * been closed meanwhile.
 *
 * SPDX-License-Identifier: MIT
 */
#include "blocking.h"
#include "complain.h"
#include "drain.h"
#include "interrupt.h"
#include "options.h"

#include <demi/ext.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

static const char help[] =
    "Usage: tcp-wait --peer server --address IP:PORT [--nclients N]\n"
    "       tcp-wait --peer client --address IP:PORT --scenario S [--nclients N]\n"
    "\n"
    "The client opens N connections, one after the other. On each it starts a push or a pop,\n"
    "closes the descriptor, and waits for what it started: it must end, with success or with\n"
    "an error that says closed. The server takes what comes and waits for the ends.\n"
    "\n"
    "  --address IP:PORT   where the server is; port 0 lets a server choose one\n"
    "  --scenario S        push_close_wait, pop_close_wait: closed by demi_close;\n"
    "                      push_async_close_wait, pop_async_close_wait: by demi_close_async,\n"
    "                      which is waited for first;\n"
    "                      push_async_close_pending_wait, pop_async_close_pending_wait: which is\n"
    "                      waited for last\n"
    "  --nclients N        connections (1)\n"
    "\n"
    "The environment variable LIBOS chooses the I/O path; see demikernel(7).\n"
    "Exit status: 0 all ended as they should, 1 a failure, 2 a wrong command line.\n";

enum { SERVER, CLIENT };
enum { MAX_CLIENTS = 60000, MESSAGE_BYTES = 64, FILL = 1, LIMIT_MS = 10000 };

enum how { CLOSE, ASYNC, ASYNC_PENDING };

static const char *const scenarios[] = {"push_close_wait",
					"pop_close_wait",
					"push_async_close_wait",
					"pop_async_close_wait",
					"push_async_close_pending_wait",
					"pop_async_close_pending_wait",
					NULL};

struct plan {
	struct sockaddr_in address;
	uint64_t clients;
	int peer, scenario;
};

/* Odd ones pop; two for each way of closing. */
static bool pops(const struct plan *p)
{
	return p->scenario % 2 == 1;
}

static enum how closes(const struct plan *p)
{
	return (enum how)(p->scenario / 2);
}

static int serve(const struct plan *p)
{
	struct drain d = {.local = p->address, .clients_max = p->clients};

	return drain_run_to_the_end(&d);
}

static int start(const struct plan *p, int qd, demi_qtoken_t *qt)
{
	demi_sgarray_t sga;
	int error;

	if (pops(p)) {
		error = demi_pop(qt, qd);
		return error ? complain(error, "cannot pop") : 0;
	}
	error = message_make(&sga, MESSAGE_BYTES, FILL);
	if (error)
		return error;
	error = demi_push(qt, qd, &sga);
	demi_sgafree(&sga);
	return error ? complain(error, "cannot push") : 0;
}

/* A push may have been through before the close; nothing has been sent that a pop could have. */
static int expect_end(const struct plan *p, demi_qtoken_t qt)
{
	demi_qresult_t qr;
	int error = blocking_wait(&qr, qt, LIMIT_MS);

	if (!error && !pops(p))
		return 0;
	if (error && is_closed_error(error))
		return 0;
	return complain(error ? error : EPROTO, "a wait behind a close ended so");
}

static int wait_closed(demi_qtoken_t qt)
{
	demi_qresult_t qr;
	int error = blocking_wait(&qr, qt, LIMIT_MS);

	return error ? complain(error, "cannot wait for a close") : 0;
}

static int close_and_wait(const struct plan *p, int qd, demi_qtoken_t qt)
{
	demi_qtoken_t closing;
	int error;

	if (closes(p) == CLOSE) {
		error = demi_close(qd);
		return error ? complain(error, "cannot close") : expect_end(p, qt);
	}
	error = demi_close_async(&closing, qd);
	if (error)
		return complain(error, "cannot close");
	if (closes(p) == ASYNC) {
		error = wait_closed(closing);
		return error ? error : expect_end(p, qt);
	}
	error = expect_end(p, qt);
	return error ? error : wait_closed(closing);
}

static int ask(const struct plan *p)
{
	demi_qtoken_t qt;
	int qd, error = 0;

	for (uint64_t i = 0; i < p->clients && !error; i++) {
		error = blocking_connect(&qd, &p->address);
		if (!error)
			error = start(p, qd, &qt);
		if (!error)
			error = close_and_wait(p, qd, qt);
	}
	if (!error)
		printf("%s: %" PRIu64 " ended as they should\n", scenarios[p->scenario],
		       p->clients);
	return error;
}

int main(int argc, char **argv)
{
	static const char *const sides[] = {"server", "client", NULL};
	struct plan p = {.clients = 1, .peer = -1, .scenario = -1};
	const struct option_spec specs[] = {OPTION_WORD("peer", sides, &p.peer),
					    OPTION_ENDPOINT("address", &p.address),
					    OPTION_WORD("scenario", scenarios, &p.scenario),
					    OPTION_NUMBER("nclients", 1, MAX_CLIENTS, &p.clients),
					    {0}};
	int error;

	options_read(argc, argv, help, specs);
	options_require("address", &p.address);
	options_require_word("peer", p.peer);
	if (p.peer == CLIENT)
		options_require_word("scenario", p.scenario);
	interrupt_catch();
	error = blocking_init();
	if (!error)
		error = p.peer == SERVER ? serve(&p) : ask(&p);
	return error ? EXIT_FAILURE : EXIT_SUCCESS;
}
