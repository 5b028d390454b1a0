/* inet_close.c - ending connections without losing what was accepted for sending.
 *
 * A stack that is told to close resets a connection on which bytes are unread, or arrive later
 * (RFC 9293 3.6.1), and the reset may take with it what the peer has not acknowledged, or not read.
 * So a connection is shut down both ways first: what comes in is dropped, until the peer has
 * acknowledged our end and sent its own. Until then the queue lingers. It is over at the latest
 * after the time that SO_LINGER gives, with a reset; without SO_LINGER after INET_HOLD_NS, or
 * INET_GRACE_NS from when all is delivered, from when on the stack goes on alone. At the end of the
 * instance nobody goes on: a peer that is not through by then is reset, or it would send to nobody
 * for minutes.
 *
 * SPDX-License-Identifier: MIT
 */
#include "base/clock.h"
#include "libos/inet_queue.h"
#include <errno.h>
#include <sys/socket.h>

#define NS_PER_S UINT64_C(1000000000)

static struct linger linger_of(const struct inet_queue *iq)
{
	struct linger l = {0};
	uint32_t len = sizeof(l);

	if (stack_getsockopt(iq->sock, SOL_SOCKET, SO_LINGER, &l, &len) < 0)
		l.l_onoff = 0;
	return l;
}

/* A connection that the peer may wait for the end of. */
static bool has_peer(const struct inet_queue *iq)
{
	return iq->queue.type == QUEUE_TCP && iq->queue.connected && !iq->delivered &&
	       !iq->inet->link_lost && stack_error(iq->sock) == 0;
}

static void linger_until(struct inet_queue *iq, uint64_t deadline_ns)
{
	struct inet *in = iq->inet;

	iq->linger_deadline_ns = deadline_ns;
	if (deadline_ns < in->linger_deadline_ns)
		in->linger_deadline_ns = deadline_ns;
	list_del(&iq->lingering);
	list_add_tail(&in->lingering, &iq->lingering);
}

static void forget_operations(struct inet_queue *iq)
{
	operation_list_init(&iq->pushes);
	operation_list_init(&iq->unacked);
	operation_list_init(&iq->pops);
	operation_list_init(&iq->accepts);
	list_del(&iq->sending);
	iq->connect = NULL;
	iq->close = NULL;
	iq->fin_wanted = false;
}

/* The socket goes, the right way for its state, and the queue. */
static void finish_close(struct inet_queue *iq, bool reset, uint64_t now_ns)
{
	struct inet *in = iq->inet;

	if (reset)
		stack_abort(iq->sock, now_ns);
	else
		stack_close(iq->sock, now_ns);
	inet_queue_free(iq);
	inet_flush(in, now_ns);
}

void inet_close(struct queue *q)
{
	struct inet_queue *iq = inet_queue(q);
	const struct linger linger = linger_of(iq);
	const bool reset = iq->overdue || (linger.l_onoff && linger.l_linger == 0);
	uint64_t now_ns = clock_now_ns();

	inet_take_in(iq->inet, now_ns); /* as in inet_connect(): thousands in a row are answered */
	forget_operations(iq);
	if (iq->inet->waiting > 0) /* a reset would take them along */
		inet_flush(iq->inet, now_ns);
	if (reset || !has_peer(iq) || stack_shutdown(iq->sock, SHUT_RDWR, now_ns) < 0) {
		finish_close(iq, reset, now_ns);
		return;
	}
	list_del(&iq->link);
	iq->closed = true;
	linger_until(
	    iq, now_ns + (linger.l_onoff ? (uint64_t)linger.l_linger * NS_PER_S : INET_HOLD_NS));
	inet_flush(iq->inet, now_ns);
}

int inet_send_end(struct inet_queue *iq, uint64_t now_ns)
{
	iq->fin_wanted = iq->pushes.head != NULL;
	return iq->fin_wanted ? 0 : stack_shutdown(iq->sock, SHUT_WR, now_ns);
}

int inet_shutdown(struct queue *q, int how)
{
	struct inet_queue *iq = inet_queue(q);
	uint64_t now_ns = clock_now_ns();
	int rc = 0;

	if (iq->queue.type == QUEUE_UDP)
		return stack_shutdown(iq->sock, how, now_ns);
	if (how != SHUT_WR)
		rc = stack_shutdown(iq->sock, SHUT_RD, now_ns);
	if (rc == 0 && how != SHUT_RD)
		rc = inet_send_end(iq, now_ns);
	inet_flush(iq->inet, now_ns);
	return rc;
}

/* A close that is waited for: what arrives is nobody's any more, the end goes out behind the
 * pushes, and the peer's acknowledgement of it, or an error, finishes the operation. */
int inet_close_async(struct operation *op)
{
	struct inet_queue *iq = inet_queue(op->queue);
	const struct linger linger = linger_of(iq);
	uint64_t now_ns = clock_now_ns();

	op->error = 0;
	if (!has_peer(iq) || (linger.l_onoff && linger.l_linger == 0) ||
	    stack_shutdown(iq->sock, SHUT_RD, now_ns) < 0 || inet_send_end(iq, now_ns) < 0)
		return 0; /* the runtime closes now */
	iq->close = op;
	linger_until(iq,
		     linger.l_onoff ? now_ns + (uint64_t)linger.l_linger * NS_PER_S : UINT64_MAX);
	inet_flush(iq->inet, now_ns);
	return -EINPROGRESS;
}

/* All is delivered. The peer may still be sending: it gets a while to come to its end. */
static void grant_grace(struct inet_queue *iq, uint64_t now_ns)
{
	if (stack_ended(iq->sock))
		finish_close(iq, false, now_ns);
	else
		linger_until(iq, now_ns + INET_GRACE_NS);
}

void inet_ended(struct inet_queue *iq, int error, uint64_t now_ns)
{
	iq->delivered = error == 0;
	if (iq->closed) {
		grant_grace(iq, now_ns);
		return;
	}
	list_del(&iq->lingering);
	if (iq->close != NULL) {
		iq->close->error = error;
		operation_list_add(iq->inet->done, iq->close);
		iq->close = NULL;
	}
}

/* With SO_LINGER it is a failure, else the stack goes on alone. */
static void expire(struct inet_queue *iq, uint64_t now_ns)
{
	iq->overdue = true;
	if (iq->closed)
		finish_close(iq, linger_of(iq).l_onoff && !iq->delivered, now_ns);
	else
		inet_ended(iq, -ETIMEDOUT, now_ns);
}

bool inet_undelivered(const struct inet *in)
{
	const struct list *pos;

	list_for_each (pos, &in->lingering) {
		if (!list_entry(pos, const struct inet_queue, lingering)->delivered)
			return true;
	}
	return stack_busy(in->stack);
}

void inet_tend(struct inet *in, uint64_t now_ns)
{
	struct list *pos, *tmp;

	in->linger_deadline_ns = UINT64_MAX;
	list_for_each_safe (pos, tmp, &in->lingering) {
		struct inet_queue *iq = list_entry(pos, struct inet_queue, lingering);

		if (iq->linger_deadline_ns <= now_ns)
			expire(iq, now_ns);
		else if (iq->linger_deadline_ns < in->linger_deadline_ns)
			in->linger_deadline_ns = iq->linger_deadline_ns;
	}
}

void inet_reset_lingering(struct inet *in, uint64_t now_ns)
{
	struct list *pos, *tmp;

	list_for_each_safe (pos, tmp, &in->lingering) {
		struct inet_queue *iq = list_entry(pos, struct inet_queue, lingering);

		if (iq->closed)
			finish_close(iq, !iq->delivered, now_ns);
		else
			inet_ended(iq, -ENETDOWN, now_ns);
	}
}

void inet_abandon(struct inet *in, uint64_t now_ns)
{
	struct list *pos, *tmp;

	list_for_each_safe (pos, tmp, &in->lingering)
		finish_close(list_entry(pos, struct inet_queue, lingering), false, now_ns);
	while (stack_reset_orphans(in->stack, LINK_BURST, now_ns) > 0)
		inet_flush(in, now_ns);
}
