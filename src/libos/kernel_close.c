/* kernel_close.c - catnap: ending connections without losing what was accepted for sending.
 *
 * A plain close(2) is not enough. Linux answers bytes that arrive after it, and bytes that were
 * there unread, with a reset, and the reset takes with it what the peer has not acknowledged. So a
 * connection is shut down for sending, what comes in is discarded, and the descriptor is closed
 * when all is acknowledged: at once in the usual case; else the queue lingers, looked after by
 * poll(), for KERNEL_HOLD_NS, and then the kernel goes on alone.
 *
 * SO_LINGER is ours, never the kernel's: its close(2) would block the thread. With a time, it is
 * how long the queue may linger before the connection is reset; with time 0, close resets at once.
 *
 * SPDX-License-Identifier: MIT
 */
#include "base/clock.h"
#include "libos/kernel.h"
#include <errno.h>
#include <linux/sockios.h>
#include <netinet/tcp.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#define NS_PER_S  UINT64_C(1000000000)
#define NS_PER_MS UINT64_C(1000000)

void kernel_reset_on_close(int fd)
{
	struct linger now = {.l_onoff = 1, .l_linger = 0};

	setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
}

/* Discards what has come in (MSG_TRUNC: without copying it; tcp(7)). */
static void drain(struct kernel *k, struct kernel_queue *q)
{
	struct buf *spare = kernel_spare(k);
	uint8_t sink[1024];
	ssize_t n = 1;

	for (int i = 0; i < KERNEL_DRAIN_CALLS && n > 0 && !q->eof; i++)
		n = recv(q->fd, spare != NULL ? spare->data : sink,
			 spare != NULL ? KERNEL_RECV_BYTES : sizeof(sink),
			 MSG_TRUNC | MSG_DONTWAIT);
	if (n == 0)
		q->eof = true;
	if (n < 0 && errno != EAGAIN && errno != EINTR)
		q->error = -errno;
}

/* Has the peer acknowledged all bytes, and our end behind them if it was sent? */
static bool delivered(const struct kernel_queue *q)
{
	int unacknowledged;

	return ioctl(q->fd, SIOCOUTQ, &unacknowledged) == 0 && unacknowledged == 0;
}

/* 0, or the -errno that the connection broke with. */
static int breakage(const struct kernel_queue *q)
{
	struct tcp_info info;
	socklen_t len = sizeof(info);
	int err = 0;

	if (q->error != 0)
		return q->error;
	if (getsockopt(q->fd, IPPROTO_TCP, TCP_INFO, &info, &len) != 0)
		return -errno;
	if (info.tcpi_state != TCP_CLOSE)
		return 0;
	len = sizeof(err);
	getsockopt(q->fd, SOL_SOCKET, SO_ERROR, &err, &len);
	return err == 0 || err == EPIPE ? -ECONNRESET : -err;
}

/* How a connection that is being ended stands. 0: the peer has everything; -EAGAIN: not yet;
 * another -errno: it never will. It goes on while we look: one that is gone may have come to its
 * good end since it was asked what is unacknowledged. */
static int outcome(struct kernel *k, struct kernel_queue *q, uint64_t now_ns)
{
	int rc;

	drain(k, q);
	if (q->fin_sent && delivered(q))
		return 0;
	rc = breakage(q);
	if (rc != 0)
		return q->fin_sent && delivered(q) ? 0 : rc;
	return q->deadline_ns != 0 && now_ns >= q->deadline_ns ? -ETIMEDOUT : -EAGAIN;
}

static uint64_t deadline(const struct kernel_queue *q, uint64_t now_ns)
{
	if (q->linger_on)
		return now_ns + (uint64_t)(unsigned)q->linger_s * NS_PER_S;
	return q->closed ? now_ns + KERNEL_HOLD_NS : UINT64_MAX;
}

static void linger(struct kernel *k, struct kernel_queue *q)
{
	if (list_empty(&q->lingering))
		k->lingering_count++;
	else
		list_del(&q->lingering);
	list_add_head(&k->lingering, &q->lingering);
	q->deadline_ns = 0;
	q->edge = true;
	k->lingering_edge = true;
	kernel_register(k, q);
}

void kernel_fin(struct kernel_queue *q)
{
	shutdown(q->fd, SHUT_WR);
	q->fin_wanted = false;
	q->fin_sent = true;
	if (q->close_op != NULL)
		linger(kernel_of(&q->queue), q);
}

static void forget_operations(struct kernel *k, struct kernel_queue *q)
{
	operation_list_init(&q->in);
	operation_list_init(&q->out);
	q->close_op = NULL;
	q->fin_wanted = false;
	kernel_unlist(k, q);
}

/* true: close(2) can do no harm now. */
static bool may_close(struct kernel *k, struct kernel_queue *q)
{
	if (!q->established || q->error != 0)
		return true;
	if (q->linger_on && q->linger_s == 0) {
		kernel_reset_on_close(q->fd);
		return true;
	}
	/* Behind its end the peer sends nothing that could make the kernel reset. */
	if (q->eof && !q->linger_on)
		return true;
	drain(k, q);
	if (delivered(q))
		return true;
	kernel_fin(q);
	return delivered(q) || k->lingering_count >= KERNEL_LINGERING;
}

void kernel_close(struct queue *queue)
{
	struct kernel *k = kernel_of(queue);
	struct kernel_queue *q = kernel_queue_of(queue);

	forget_operations(k, q);
	q->closed = true;
	if (may_close(k, q))
		kernel_queue_free(k, q);
	else
		linger(k, q);
}

int kernel_close_async(struct operation *op)
{
	struct kernel_queue *q = kernel_queue_of(op->queue);
	struct kernel *k = kernel_of(op->queue);

	if (!q->established || (q->linger_on && q->linger_s == 0)) {
		op->error = 0;
		return 0; /* close() does the rest */
	}
	if (q->out.head == NULL)
		kernel_fin(q);
	else
		q->fin_wanted = true; /* behind a push that has begun */
	op->error = outcome(k, q, 0);
	if (op->error != -EAGAIN)
		return 0;
	op->error = 0;
	q->close_op = op;
	linger(k, q);
	return -EINPROGRESS;
}

int kernel_shutdown_socket(struct kernel_queue *q, int how)
{
	int now = how;

	if (how != SHUT_RD && q->out.head != NULL) {
		q->fin_wanted = true; /* what was pushed before goes out before */
		if (how == SHUT_WR)
			return 0;
		now = SHUT_RD;
	}
	if (shutdown(q->fd, now) != 0)
		return -errno;
	if (now != SHUT_RD)
		q->fin_sent = true;
	return 0;
}

int kernel_shutdown(struct queue *queue, int how)
{
	struct kernel_queue *q = kernel_queue_of(queue);
	int rc = kernel_shutdown_socket(q, how);

	if (rc < 0 || how == SHUT_WR)
		return rc;
	q->hup = true;
	q->readable = true;
	kernel_settle(kernel_of(queue), q);
	return 0;
}

/* A lingering queue has come to its end. */
static void end(struct kernel *k, struct kernel_queue *q, int rc, struct operation_list *done)
{
	struct operation *op = q->close_op;

	list_del(&q->lingering);
	k->lingering_count--;
	if (rc == -ETIMEDOUT && q->linger_on) {
		q->error = rc;
		kernel_reset_on_close(q->fd);
	}
	if (q->closed) {
		kernel_queue_free(k, q);
	} else if (op != NULL) {
		q->close_op = NULL;
		op->error = rc;
		operation_list_add(done, op);
	}
}

static struct kernel_queue *first_lingering(const struct kernel *k)
{
	return list_empty(&k->lingering)
		   ? NULL
		   : list_entry(k->lingering.next, struct kernel_queue, lingering);
}

/* Those that had an edge are in front; who was looked at goes to the back. */
unsigned kernel_tend(struct kernel *k, struct operation_list *done, uint64_t now_ns)
{
	bool all = now_ns >= k->tend_ns;
	unsigned n = 0, looks = k->lingering_count;
	struct kernel_queue *q;

	if (!all && !k->lingering_edge)
		return 0;
	if (all)
		k->tend_ns = now_ns + KERNEL_TEND_NS;
	for (looks = looks < KERNEL_BATCH ? looks : KERNEL_BATCH; looks > 0; looks--) {
		int rc;

		q = first_lingering(k);
		if (!all && !q->edge)
			break;
		list_del(&q->lingering);
		list_add_tail(&k->lingering, &q->lingering);
		q->edge = false;
		if (q->deadline_ns == 0)
			q->deadline_ns = deadline(q, now_ns);
		rc = outcome(k, q, now_ns);
		if (rc == -EAGAIN)
			continue;
		end(k, q, rc, done);
		n++;
	}
	q = first_lingering(k);
	k->lingering_edge = q != NULL && q->edge;
	return n;
}

uint64_t kernel_tend_deadline(const struct kernel *k)
{
	if (k->lingering_count == 0)
		return UINT64_MAX;
	return k->lingering_edge ? 0 : k->tend_ns;
}

/* Blocks until all is delivered or end_ns has come. */
static void wait_delivered(struct kernel *k, uint64_t end_ns)
{
	struct operation_list none;
	uint64_t now_ns = clock_now_ns();

	operation_list_init(&none);
	k->tend_ns = 0;
	while (k->lingering_count > 0 && now_ns < end_ns) {
		uint64_t left_ns = end_ns - now_ns;

		kernel_tend(k, &none, now_ns);
		if (k->lingering_count == 0)
			break;
		if (left_ns > KERNEL_TEND_NS)
			left_ns = KERNEL_TEND_NS;
		kernel_harvest(k, k->lingering_edge ? 0 : (int)(left_ns / NS_PER_MS) + 1);
		now_ns = clock_now_ns();
	}
}

void kernel_flush(struct kernel *k, uint64_t linger_ns)
{
	uint64_t end_ns = clock_now_ns() + linger_ns;
	struct list *pos, *tmp;

	list_for_each_safe (pos, tmp, &k->queues) {
		struct kernel_queue *q = list_entry(pos, struct kernel_queue, all);

		if (linger_ns == 0)
			kernel_queue_free(k, q);
		else
			kernel_close(&q->queue);
	}
	wait_delivered(k, end_ns);
	list_for_each_safe (pos, tmp, &k->queues) {
		struct kernel_queue *q = list_entry(pos, struct kernel_queue, all);

		kernel_reset_on_close(q->fd);
		kernel_queue_free(k, q);
	}
}
