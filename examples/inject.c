/* inject.c - see inject.h.
 *
 * SPDX-License-Identifier: MIT
 */
#include "inject.h"

#include "blocking.h"
#include "complain.h"
#include "interrupt.h"
#include "meter.h"
#include "token_set.h"

#include <demi/libos.h>
#include <errno.h>

enum {
	FILL = 1,        /* each byte of a message */
	PUSHES_MAX = 64, /* on their way at a time */
	US_NS = 1000,
};

#define TICK_NS ((uint64_t)INTERRUPT_TICK.tv_nsec)

struct injector {
	int qd;
	const struct sockaddr_in *to;
	demi_sgarray_t message; /* pushed again and again: nobody changes it */
	struct token_set pushes;
	struct meter meter;
	uint64_t bytes, interval_ns, next_ns;
};

static int push(struct injector *i)
{
	demi_qtoken_t qt;
	int error;

	if (i->to)
		error = demi_pushto(&qt, i->qd, &i->message, (const struct sockaddr *)i->to,
				    sizeof(*i->to));
	else
		error = demi_push(&qt, i->qd, &i->message);
	if (!error)
		error = token_set_add(&i->pushes, qt, NULL);
	i->next_ns += i->interval_ns;
	return error ? complain(error, "cannot push") : 0;
}

/* Late by more than a tick, the messages in between are left out: a burst is no rate. */
static int push_what_is_due(struct injector *i)
{
	int error = 0;

	if (i->meter.now_ns > i->next_ns + TICK_NS)
		i->next_ns = i->meter.now_ns;
	while (!error && i->meter.now_ns >= i->next_ns && i->pushes.count < PUSHES_MAX) {
		error = push(i);
		if (i->interval_ns == 0)
			i->next_ns = 0;
	}
	return error;
}

/* A datagram that nobody listens for comes back as a refusal: that is no reason to stop. */
static int on_result(struct injector *i, const demi_qresult_t *qr)
{
	if (qr->qr_opcode == DEMI_OPC_PUSH)
		meter_add(&i->meter, i->bytes);
	else if (!(i->to && qr->qr_ret == ECONNREFUSED))
		return complain((int)qr->qr_ret, "cannot push");
	return 0;
}

static int wait(struct injector *i)
{
	uint64_t left_ns = i->next_ns > i->meter.now_ns ? i->next_ns - i->meter.now_ns : 0;
	struct timespec limit = INTERRUPT_TICK;
	demi_qresult_t qr;
	int at, error;

	if (left_ns < TICK_NS && i->pushes.count < PUSHES_MAX)
		limit.tv_nsec = (long)left_ns;
	error = demi_wait_any(&qr, &at, i->pushes.tokens, i->pushes.count, &limit);
	if (error == ETIMEDOUT)
		return 0;
	if (error)
		return complain(error, "cannot wait");
	token_set_take(&i->pushes, at);
	return on_result(i, &qr);
}

int inject_run(int qd, const struct sockaddr_in *to, const struct injection *injection)
{
	struct injector i = {.qd = qd,
			     .to = to,
			     .bytes = injection->bytes,
			     .interval_ns = injection->interval_us * US_NS};
	int error = message_make(&i.message, i.bytes, FILL);

	if (error)
		return error;
	meter_start(&i.meter);
	i.next_ns = i.interval_ns > 0 ? i.meter.start_ns : 0;
	while (!error && !interrupted()) {
		error = push_what_is_due(&i);
		if (!error)
			error = wait(&i);
		meter_look(&i.meter);
	}
	meter_end(&i.meter);
	token_set_free(&i.pushes);
	demi_sgafree(&i.message);
	return error;
}
