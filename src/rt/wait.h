/* wait.h - the one wait loop, and the finding of what is ready.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef RT_WAIT_H
#define RT_WAIT_H

#include "rt/instance.h"
#include "rt/result.h"
#include "rt/shortage.h"
#include <time.h>

/* All: 0 or -errno; results in order of completion; their tokens are consumed. timeout: an
 * interval, NULL: no limit. */

int wait_one_longer(struct instance *in, demi_qresult_t *qr, demi_qtoken_t qt,
		    const struct timespec *timeout);
int wait_any(struct instance *in, demi_qresult_t *qr, int *offset, const demi_qtoken_t *qts,
	     uint32_t n, const struct timespec *timeout);
int wait_all(struct instance *in, demi_qresult_t *qrs, const demi_qtoken_t *qts, uint32_t n,
	     const struct timespec *timeout);
int wait_next_n(struct instance *in, demi_qresult_t *qrs, int n, int *written,
		const struct timespec *timeout);

/* Tells the network's libOS what the program is given next. */
static inline void wait_tell(struct instance *in)
{
	struct libos *network = in->libos[LIBOS_NETWORK];
	const struct list *ready = &in->operations.ready;

	network->more = !list_empty(ready);
	network->more_to_answer =
	    network->more &&
	    list_entry(ready->next, struct slot, ready_link)->op.opcode != DEMI_OPC_PUSH;
	network->pushed = false;
}

/* Writes a READY slot's result and consumes its token. */
static inline void wait_take(struct instance *in, struct slot *s, demi_qresult_t *qr)
{
	const struct operation *op = &s->op;
	bool done = op->error == 0;

	qr->qr_opcode = done ? op->opcode : DEMI_OPC_FAILED;
	qr->qr_qd = s->qd;
	qr->qr_qt = operation_token(s);
	qr->qr_ret = -(int64_t)op->error;
	if (done && op->opcode == DEMI_OPC_POP) {
		buf_hold(op->pop.buf);
		result_sga(&qr->qr_value.sga, op->pop.buf, op->pop.data, op->pop.len,
			   result_address(&op->pop.from));
	} else {
		result_no_sga(&qr->qr_value.sga);
		if (__builtin_expect(!done, 0))
			shortage_of_operation(in, op->opcode, op->error);
		if (done && op->opcode == DEMI_OPC_ACCEPT) {
			qr->qr_value.ares.qd = s->accept_qd;
			qr->qr_value.ares.addr = endpoint_to_sockaddr_in(&op->accept.peer);
		}
	}
	operation_taken(&in->operations, s);
	wait_tell(in);
}

/* What is ready already, and was not given without a look at the devices too often, takes the short
 * way. */
static inline int wait_one(struct instance *in, demi_qresult_t *qr, demi_qtoken_t qt,
			   const struct timespec *timeout)
{
	struct slot *s;

	instance_news(in);
	s = operation_find(&in->operations, qt);
	if (__builtin_expect(!s || s->state != SLOT_READY || timeout ||
				 in->waits_unpolled + 1 >= in->waits_unpolled_max,
			     0))
		return wait_one_longer(in, qr, qt, timeout);
	in->waits_unpolled++;
	wait_take(in, s, qr);
	return 0;
}

#endif
