/* drain.c - see drain.h.
 *
 * One operation is pending on each connection, a pop, and one on the listener: demi_wait_any() says
 * which has completed.
 *
 * SPDX-License-Identifier: MIT
 */
#include "drain.h"

#include "blocking.h"
#include "complain.h"
#include "interrupt.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

struct drain_client {
	int qd;
};

bool is_closed_error(int64_t error)
{
	return error == ECONNRESET || error == ENOTCONN || error == ECANCELED || error == EBADF ||
	       error == ECONNABORTED;
}

static int start_accept(struct drain *d)
{
	demi_qtoken_t qt;
	int error;

	if (d->clients_max && d->started == d->clients_max)
		return 0;
	error = demi_accept(&qt, d->listener);
	if (error)
		return complain(error, "cannot accept");
	d->started++;
	error = token_set_add(&d->operations, qt, NULL);
	return error ? complain(error, "cannot note an operation") : 0;
}

static void leave(struct drain_client *c)
{
	demi_close(c->qd);
	free(c);
}

/* A client without an operation has no place in the set: it goes. */
static int start_pop(struct drain *d, struct drain_client *c)
{
	demi_qtoken_t qt;
	int error = demi_pop(&qt, c->qd);

	if (!error)
		error = token_set_add(&d->operations, qt, c);
	if (error) {
		leave(c);
		d->broken++;
	}
	return error && !is_closed_error(error) ? complain(error, "cannot pop") : 0;
}

static int on_accept(struct drain *d, int qd)
{
	struct drain_client *c;
	int error = start_accept(d);

	d->accepted++;
	if (error || d->closes_first) {
		d->ended++;
		demi_close(qd);
		return error;
	}
	c = malloc(sizeof(*c));
	if (!c) {
		demi_close(qd);
		return complain(ENOMEM, "cannot take a client");
	}
	c->qd = qd;
	return start_pop(d, c);
}

static void tell(const struct drain *d)
{
	if (!d->tells)
		return;
	puts("INFO: a client has left");
	fflush(stdout);
}

static int on_pop(struct drain *d, struct drain_client *c, demi_sgarray_t *sga)
{
	uint32_t bytes = sga->sga_segs[0].sgaseg_len;

	demi_sgafree(sga);
	if (bytes == 0) {
		leave(c);
		d->ended++;
		tell(d);
		return 0;
	}
	meter_add(&d->meter, bytes);
	return start_pop(d, c);
}

static int on_failure(struct drain *d, struct drain_client *c, int error)
{
	if (!c)
		return complain(error, "cannot accept");
	leave(c);
	d->broken++;
	tell(d);
	return is_closed_error(error) ? 0 : complain(error, "a connection failed");
}

static int handle(struct drain *d, struct drain_client *c, demi_qresult_t *qr)
{
	switch (qr->qr_opcode) {
	case DEMI_OPC_ACCEPT:
		return on_accept(d, qr->qr_value.ares.qd);
	case DEMI_OPC_POP:
		return on_pop(d, c, &qr->qr_value.sga);
	default:
		return on_failure(d, c, (int)qr->qr_ret);
	}
}

static int drain_all(struct drain *d)
{
	demi_qresult_t qr;
	int at, error = start_accept(d);

	while (!error && d->operations.count > 0 && !interrupted()) {
		error = demi_wait_any(&qr, &at, d->operations.tokens, d->operations.count,
				      &INTERRUPT_TICK);
		if (!error)
			error = handle(d, token_set_take(&d->operations, at), &qr);
		else if (error == ETIMEDOUT)
			error = 0;
		else
			complain(error, "cannot wait");
		if (d->tells)
			meter_look(&d->meter);
	}
	return error;
}

int drain_run(struct drain *d)
{
	int error = blocking_listen(&d->listener, &d->local);

	if (error)
		return error;
	meter_start(&d->meter);
	error = drain_all(d);
	while (d->operations.count > 0) {
		struct drain_client *c = token_set_take(&d->operations, 0);

		if (c)
			leave(c);
	}
	token_set_free(&d->operations);
	demi_close(d->listener);
	if (d->tells)
		meter_end(&d->meter);
	return error;
}

int drain_run_to_the_end(struct drain *d)
{
	int error = drain_run(d);

	if (error)
		return error;
	printf("accepted: %" PRIu64 ", closed: %" PRIu64 ", broken: %" PRIu64 "\n", d->accepted,
	       d->ended, d->broken);
	return d->ended == d->clients_max ? 0 : EPROTO;
}
