/* catcollar_ring.c - catcollar: the two rings between the kernel and this thread.
 *
 * Work that the kernel has for this thread (a receive whose bytes have come) waits until the thread
 * asks for it, where the kernel can do that: then nothing interrupts the thread, and a word in
 * shared memory says that there is something.
 *
 * SPDX-License-Identifier: MIT
 */
#include "libos/catcollar_queue.h"
#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum { FLIGHT_BITS = 7 }; /* of user_data: what it points to is aligned to 8 bytes */

/* What is best comes first: Linux 6.1, 5.19, and any. */
static const unsigned ways[] = {
    IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_TASKRUN_FLAG,
    IORING_SETUP_COOP_TASKRUN | IORING_SETUP_TASKRUN_FLAG,
    0,
};

/* Zero-copy sends came with the multishot receive, in Linux 6.0. */
static bool is_new_enough(struct io_uring *ring)
{
	struct io_uring_probe *probe = io_uring_get_probe_ring(ring);
	bool enough = probe != NULL && io_uring_opcode_supported(probe, IORING_OP_SEND_ZC);

	if (probe != NULL)
		io_uring_free_probe(probe);
	return enough;
}

static int open_ring(struct io_uring *ring)
{
	int rc = -EINVAL;

	for (unsigned i = 0; rc == -EINVAL && i < sizeof(ways) / sizeof(ways[0]); i++) {
		struct io_uring_params params = {
		    .flags = ways[i] | IORING_SETUP_CQSIZE | IORING_SETUP_CLAMP,
		    .cq_entries = CATCOLLAR_COMPLETIONS,
		};

		rc = io_uring_queue_init_params(CATCOLLAR_SUBMISSIONS, ring, &params);
	}
	return rc;
}

/* A ring's own descriptor wakes nobody for work that is left to the thread; an eventfd does. */
static int open_wake(struct catcollar *c)
{
	struct epoll_event ev = {.events = EPOLLIN};
	int rc;

	c->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (c->wake_fd < 0)
		return -errno;
	rc = io_uring_register_eventfd(&c->ring, c->wake_fd);
	if (rc == 0)
		rc = io_uring_cq_eventfd_toggle(&c->ring, false);
	if (rc == 0 && epoll_ctl(c->kernel.env.epoll_fd, EPOLL_CTL_ADD, c->wake_fd, &ev) != 0)
		rc = -errno;
	return rc;
}

void catcollar_wake_me(struct catcollar *c)
{
	uint64_t written;

	/* What was written for an earlier sleep would end this one. */
	if (read(c->wake_fd, &written, sizeof(written)) < 0 && errno != EAGAIN)
		return;
	/* In order before the last look at what the kernel has for us: either we see it then, or
	 * the kernel has seen this. */
	__atomic_fetch_and(c->ring.cq.kflags, ~(unsigned)IORING_CQ_EVENTFD_DISABLED,
			   __ATOMIC_SEQ_CST);
	c->wakes = 2; /* the last look before the sleep, and the first one behind it */
}

void catcollar_wake_me_no_more(struct catcollar *c)
{
	io_uring_cq_eventfd_toggle(&c->ring, false);
}

static int open_parts(struct catcollar *c)
{
	int rc = is_new_enough(&c->ring) ? open_wake(c) : -ENOSYS;

	return rc == 0 ? catcollar_buffers_open(c) : rc;
}

int catcollar_ring_open(struct catcollar *c)
{
	int rc = open_ring(&c->ring);

	if (rc < 0)
		return rc;
	c->wake_fd = -1;
	rc = open_parts(c);
	if (rc < 0) {
		catcollar_ring_close(c);
		return rc;
	}
	/* A system call less for the kernel to look up; it works without. */
	io_uring_register_ring_fd(&c->ring);
	return 0;
}

void catcollar_ring_close(struct catcollar *c)
{
	io_uring_queue_exit(&c->ring);
	if (c->wake_fd >= 0)
		close(c->wake_fd);
	catcollar_buffers_close(c);
}

struct io_uring_sqe *catcollar_ask(struct catcollar *c)
{
	struct io_uring_sqe *sqe = io_uring_get_sqe(&c->ring);

	if (sqe != NULL)
		return sqe;
	io_uring_submit(&c->ring);
	return io_uring_get_sqe(&c->ring);
}

uint64_t catcollar_label(struct io_uring_sqe *sqe, const void *of, enum catcollar_flight flight)
{
	uint64_t label = (uintptr_t)of | flight;

	io_uring_sqe_set_data64(sqe, label);
	return label;
}

static void completed(struct catcollar *c, const struct io_uring_cqe *cqe)
{
	void *of = (void *)(uintptr_t)(cqe->user_data & ~(uint64_t)FLIGHT_BITS);
	struct catcollar_queue *q = of;
	int res = cqe->res;
	uint32_t flags = cqe->flags;

	switch ((enum catcollar_flight)(cqe->user_data & FLIGHT_BITS)) {
	case ASK_NOTHING:
		return;
	case ASK_RECEIVE:
		catcollar_received(c, q, res, flags);
		break;
	case ASK_ACCEPT:
		catcollar_accepted(c, q, res, flags);
		break;
	case ASK_SEND:
		catcollar_sent(c, q, res, flags);
		break;
	case ASK_CONNECT:
		catcollar_connected(c, q, res);
		break;
	case ASK_LENT:
		catcollar_returned(c, of, res, flags);
		return;
	}
	if (q->dying)
		catcollar_close_further(c, q);
}

/* Does what completed. */
static unsigned reap(struct catcollar *c)
{
	struct io_uring_cqe *cqes[CATCOLLAR_BATCH];
	unsigned n = io_uring_peek_batch_cqe(&c->ring, cqes, CATCOLLAR_BATCH);

	for (unsigned i = 0; i < n; i++)
		completed(c, cqes[i]);
	io_uring_cq_advance(&c->ring, n);
	for (unsigned g = 0; n > 0 && g < GROUP_COUNT; g++) {
		if (c->buffers[g].used)
			catcollar_provide(c, (enum catcollar_group)g);
	}
	return n;
}

unsigned catcollar_submit(struct catcollar *c)
{
	io_uring_submit_and_get_events(&c->ring);
	return reap(c);
}

static bool kernel_has_work(const struct io_uring *ring)
{
	unsigned flags = __atomic_load_n(ring->sq.kflags, __ATOMIC_SEQ_CST);

	return (flags & (IORING_SQ_TASKRUN | IORING_SQ_CQ_OVERFLOW)) != 0;
}

unsigned catcollar_look(struct catcollar *c)
{
	if (io_uring_sq_ready(&c->ring) > 0)
		return catcollar_submit(c);
	if (kernel_has_work(&c->ring))
		io_uring_get_events(&c->ring);
	return io_uring_cq_ready(&c->ring) > 0 ? reap(c) : 0;
}

int catcollar_rest(struct catcollar *c, uint64_t interval_ns)
{
	struct __kernel_timespec interval = {.tv_sec = (int64_t)(interval_ns / 1000000000),
					     .tv_nsec = (int64_t)(interval_ns % 1000000000)};
	struct io_uring_cqe *cqe;

	/* Without it, time is a request of its own. */
	if (!(c->ring.features & IORING_FEAT_EXT_ARG))
		return -EAGAIN;
	io_uring_submit_and_wait_timeout(&c->ring, &cqe, 1,
					 interval_ns == UINT64_MAX ? NULL : &interval, NULL);
	return 0;
}

static void ask_back(struct catcollar *c, uint64_t label)
{
	struct io_uring_sqe *sqe = catcollar_ask(c);

	if (sqe == NULL)
		return;
	io_uring_prep_cancel64(sqe, label, 0);
	sqe->flags |= IOSQE_CQE_SKIP_SUCCESS;
	catcollar_label(sqe, NULL, ASK_NOTHING);
}

void catcollar_recall_inward(struct catcollar *c, struct catcollar_queue *q)
{
	if (q->recalled || !(q->flights & FLIGHT_IN))
		return;
	q->recalled = true;
	ask_back(c, (uintptr_t)q | (q->kernel.queue.listening ? ASK_ACCEPT : ASK_RECEIVE));
}

bool catcollar_recall(struct catcollar *c, struct catcollar_queue *q, uint8_t which)
{
	for (unsigned looks = 0; (q->flights & which) && looks < CATCOLLAR_RECALLS; looks++) {
		if (which & FLIGHT_IN)
			catcollar_recall_inward(c, q);
		if ((q->flights & which & FLIGHT_OUT) && looks == 0)
			ask_back(c, q->outward);
		catcollar_submit(c);
	}
	return !(q->flights & which);
}
