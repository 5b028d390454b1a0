/* forward.c - see forward.h.
 *
 * Several pops are pending, so that datagrams which come together are taken together; each push
 * gives its datagram back at once, for the library holds it as long as it needs it.
 *
 * SPDX-License-Identifier: MIT
 */
#include "forward.h"

#include "blocking.h"
#include "complain.h"
#include "interrupt.h"
#include "token_set.h"

#include <demi/libos.h>
#include <errno.h>

enum {
	POPS = 16,             /* pending at a time */
	OPERATIONS_MAX = 1024, /* beyond, datagrams are dropped: their sender is too fast */
};

static char is_pop; /* the owner of pops; pushes have none */

static int start_pop(struct forward *f, struct token_set *set)
{
	demi_qtoken_t qt;
	int error = demi_pop(&qt, f->qd);

	if (!error)
		error = token_set_add(set, qt, &is_pop);
	return error ? complain(error, "cannot pop") : 0;
}

/* What cannot be sent on is lost, as datagrams may be. */
static int send_on(struct forward *f, struct token_set *set, demi_sgarray_t *sga)
{
	const struct sockaddr_in from = sga->sga_addr; /* there it is not aligned */
	struct sockaddr_in to;
	demi_qtoken_t qt;
	int error = 0;

	if (sga->sga_segs[0].sgaseg_len > 0 && set->count < OPERATIONS_MAX &&
	    f->to(f->context, &from, &to) &&
	    demi_pushto(&qt, f->qd, sga, (struct sockaddr *)&to, sizeof(to)) == 0)
		error = token_set_add(set, qt, NULL);
	demi_sgafree(sga);
	return error ? complain(error, "cannot note an operation") : 0;
}

static int handle(struct forward *f, struct token_set *set, bool pop, demi_qresult_t *qr)
{
	int error = 0;

	if (!pop)
		return 0; /* sent, or lost */
	if (qr->qr_opcode == DEMI_OPC_POP) {
		meter_add(&f->meter, qr->qr_value.sga.sga_segs[0].sgaseg_len);
		error = send_on(f, set, &qr->qr_value.sga);
	} else if (qr->qr_ret != ECONNREFUSED) {
		/* A refusal is an answer to a datagram that nobody wanted. */
		return complain((int)qr->qr_ret, "cannot receive");
	}
	return error ? error : start_pop(f, set);
}

static int forward_all(struct forward *f, struct token_set *set)
{
	demi_qresult_t qr;
	int at, error = 0;

	for (int i = 0; i < POPS && !error; i++)
		error = start_pop(f, set);
	while (!error && !interrupted()) {
		error = demi_wait_any(&qr, &at, set->tokens, set->count, &INTERRUPT_TICK);
		if (!error)
			error = handle(f, set, token_set_take(set, at) == &is_pop, &qr);
		else if (error == ETIMEDOUT)
			error = 0;
		else
			complain(error, "cannot wait");
		meter_look(&f->meter);
	}
	return error;
}

int forward_run(struct forward *f)
{
	struct token_set set = {0};
	int error;

	interrupt_catch();
	error = blocking_init();
	if (!error)
		error = blocking_bind(&f->qd, &f->local);
	if (error)
		return error;
	meter_start(&f->meter);
	error = forward_all(f, &set);
	token_set_free(&set);
	demi_close(f->qd);
	meter_end(&f->meter);
	return error;
}
