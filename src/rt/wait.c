/* wait.c - the one wait loop. See wait.h.
 *
 * A wait looks for what is ready; finding nothing it polls the devices and looks again; finding
 * nothing for idle_after_us it asks the devices to wake it, polls once more and sleeps until the
 * next deadline.
 *
 * SPDX-License-Identifier: MIT
 */
#include "rt/wait.h"
#include "base/log.h"
#include "base/clock.h"
#include "rt/ready.h"
#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <string.h>

/* What a wait is after, and until when. */
struct waiting {
	struct instance *in;
	const struct timespec *timeout; /* an interval from the first look at the clock */
	uint64_t deadline_ns;           /* UINT64_MAX: none; 0: the clock was not looked at yet */
	uint64_t idle_since_ns;         /* 0: something happened since */
	bool searching;                 /* not all of the array was looked at: no time to sleep */
};

/* -EINVAL: not a time. */
static inline int check_timeout(const struct timespec *timeout)
{
	if (timeout && (timeout->tv_sec < 0 || (uint64_t)timeout->tv_nsec >= 1000000000))
		return -EINVAL;
	return 0;
}

/* An interval to an absolute time. An overflow is for ever. */
static uint64_t deadline_of(const struct timespec *timeout, uint64_t now_ns)
{
	uint64_t ns;

	if (!timeout ||
	    __builtin_mul_overflow((uint64_t)timeout->tv_sec, UINT64_C(1000000000), &ns) ||
	    __builtin_add_overflow(ns, (uint64_t)timeout->tv_nsec, &ns) ||
	    __builtin_add_overflow(ns, now_ns, &ns))
		return UINT64_MAX;
	return ns;
}

/* Asks every libOS for a wake-up. -EAGAIN: one cannot, sleep in steps; 1: something came meanwhile.
 */
static int arm_all(struct instance *in)
{
	int steps = 0;

	for (unsigned i = 0; i < LIBOS_COUNT; i++) {
		int rc = in->libos[i]->class->arm(in->libos[i]);

		if (rc == 1)
			return 1;
		steps |= rc == -EAGAIN;
	}
	return steps ? -EAGAIN : 0;
}

static uint64_t wake_at(struct instance *in, uint64_t until_ns)
{
	for (unsigned i = 0; i < LIBOS_COUNT; i++) {
		uint64_t at = in->libos[i]->class->next_deadline(in->libos[i]);

		if (at < until_ns)
			until_ns = at;
	}
	return until_ns;
}

/* What is in memory comes from this thread alone: the network's libOS may sleep as it knows best.
 */
static bool sleep_in_network(struct instance *in, uint64_t now_ns, uint64_t until_ns)
{
	struct libos *network = in->libos[LIBOS_NETWORK], *memory = in->libos[LIBOS_MEMORY];

	if (network->class->sleep == NULL || memory->class->arm(memory) != 0)
		return false;
	until_ns = wake_at(in, until_ns);
	return until_ns > now_ns && network->class->sleep(network, now_ns, until_ns) == 0;
}

/* By the rule: set the flag, poll once more, sleep. A signal ends the sleep, never the wait. */
static void sleep_until(struct instance *in, uint64_t now_ns, uint64_t until_ns)
{
	struct pollfd wake = {.fd = in->epoll_fd, .events = POLLIN};
	struct timespec interval, *limit = NULL;
	int rc;

	if (sleep_in_network(in, now_ns, until_ns))
		return;
	rc = arm_all(in);
	if (rc == 1)
		return;
	now_ns = clock_now_ns();
	if (instance_poll(in, now_ns) > 0)
		return;
	until_ns = wake_at(in, until_ns);
	if (rc == -EAGAIN && until_ns > now_ns + in->config.idle_step_us * UINT64_C(1000))
		until_ns = now_ns + in->config.idle_step_us * UINT64_C(1000);
	if (until_ns <= now_ns)
		return;
	if (until_ns != UINT64_MAX) {
		interval.tv_sec = (time_t)((until_ns - now_ns) / 1000000000);
		interval.tv_nsec = (long)((until_ns - now_ns) % 1000000000);
		limit = &interval;
	}
	ppoll(&wake, 1, limit, NULL);
}

/* Whether it is time to sleep, at now_ns. */
static bool idle_enough(struct waiting *w, uint64_t now_ns)
{
	const struct config *config = &w->in->config;

	if (w->idle_since_ns == 0)
		w->idle_since_ns = now_ns;
	return config->idle == IDLE_ADAPTIVE && !w->searching &&
	       now_ns - w->idle_since_ns >= config->idle_after_us * UINT64_C(1000);
}

/* Polls once, and sleeps when nothing has happened for long enough. 0: something may have; 1:
 * nothing has; -ETIMEDOUT: the time is over, and the devices were polled since it was. */
static int poll_or_sleep(struct waiting *w)
{
	struct instance *in = w->in;
	uint64_t now_ns = clock_now_ns();

	if (w->deadline_ns == 0)
		w->deadline_ns = deadline_of(w->timeout, now_ns);
	if (instance_poll(in, now_ns) > 0) {
		w->idle_since_ns = 0;
		return now_ns >= w->deadline_ns ? -ETIMEDOUT : 0;
	}
	if (now_ns >= w->deadline_ns)
		return -ETIMEDOUT;
	if (!idle_enough(w, now_ns))
		return 1;
	sleep_until(in, now_ns, w->deadline_ns);
	return 0;
}

/* One step of waiting, when nothing that is wanted is ready: until something happens, or, while
 * the array is not searched through, one poll. 0, -ETIMEDOUT. */
static int wait_step(struct waiting *w)
{
	struct libos *network = w->in->libos[LIBOS_NETWORK];
	int rc;

	w->in->waits_unpolled = 0;
	rc = poll_or_sleep(w);
	if (rc <= 0)
		return rc;
	network->patient = !w->searching;
	while (rc > 0 && !w->searching)
		rc = poll_or_sleep(w);
	network->patient = false;
	return rc < 0 ? rc : 0;
}

/* Before a look at what is ready: what finished without a device, and now and then the devices. */
static inline void before_look(struct instance *in)
{
	instance_news(in);
	if (++in->waits_unpolled >= in->waits_unpolled_max) {
		in->waits_unpolled = 0;
		instance_poll(in, clock_now_ns());
	}
}

int wait_one_longer(struct instance *in, demi_qresult_t *qr, demi_qtoken_t qt,
		    const struct timespec *timeout)
{
	struct waiting w = {.in = in, .timeout = timeout};
	int rc = check_timeout(timeout);

	if (rc < 0)
		return rc;
	before_look(in);
	for (;;) {
		struct slot *s = operation_find(&in->operations, qt);

		if (!s)
			return -EINVAL;
		if (s->state == SLOT_READY) {
			wait_take(in, s, qr);
			return 0;
		}
		if (rc < 0)
			return rc;
		rc = wait_step(&w);
	}
}

/* Whether something in the array may be ready, or unknown, that no search has come to yet. */
static bool searching(const struct instance *in, const struct ready_sweep *sw, uint32_t n)
{
	return sw->next < n || (n > READY_DIRECT && !list_empty(&in->operations.ready));
}

/* The rest of a sweep, or a piece of it when the wait goes on. The ready slot that it found at its
 * end; NULL: none, with *rc: -EINVAL when a token names nothing. */
static struct slot *sweep(struct instance *in, struct ready_sweep *sw, const demi_qtoken_t *qts,
			  uint32_t n, uint32_t *at, bool to_the_end, int *rc)
{
	int done;

	do {
		done = ready_sweep(in, sw, qts, n);
	} while (done == 0 && to_the_end);
	if (done < 0)
		*rc = done;
	if (done <= 0 || !sw->found)
		return NULL;
	*at = sw->first_at;
	struct slot *s = operation_find(&in->operations, qts[*at]);
	if (!s)
		*rc = -EINVAL; /* forgotten since */
	return s;
}

int wait_any(struct instance *in, demi_qresult_t *qr, int *offset, const demi_qtoken_t *qts,
	     uint32_t n, const struct timespec *timeout)
{
	struct waiting w = {.in = in, .timeout = timeout, .searching = true};
	struct ready_sweep sw = {0};
	struct slot *s;
	uint32_t at = 0;
	int rc = check_timeout(timeout), invalid = 0;

	if (rc < 0)
		return rc;
	before_look(in);
	s = ready_find(in, qts, n, &at);
	while (!s) {
		bool last = rc < 0;

		if (!last)
			rc = wait_step(&w);
		s = ready_find(in, qts, n, &at);
		if (!s)
			s = sweep(in, &sw, qts, n, &at, last, &invalid);
		if (invalid < 0)
			return invalid;
		if (!s && last)
			return rc;
		w.searching = searching(in, &sw, n);
	}
	ready_taken(in, qts, n, at);
	*offset = (int)at;
	wait_take(in, s, qr);
	return 0;
}

/* Each token's slot notes its index; a token that is there twice has noted another. */
static int check_all(struct instance *in, const demi_qtoken_t *qts, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		struct slot *s = operation_find(&in->operations, qts[i]);

		if (!s)
			return -EINVAL;
		s->seen_at = i;
	}
	for (uint32_t i = 0; i < n; i++) {
		const struct slot *s = operation_find(&in->operations, qts[i]);

		if (!s || s->seen_at != i)
			return -EINVAL;
	}
	return 0;
}

/* The index of the first token from `from` on that is not ready, n when all are; -EINVAL: one names
 * nothing. */
static int64_t first_pending(struct instance *in, const demi_qtoken_t *qts, uint32_t n,
			     uint32_t from)
{
	for (uint32_t i = from; i < n; i++) {
		struct slot *s = operation_find(&in->operations, qts[i]);

		if (!s)
			return -EINVAL;
		if (s->state != SLOT_READY)
			return i;
	}
	return n;
}

int wait_all(struct instance *in, demi_qresult_t *qrs, const demi_qtoken_t *qts, uint32_t n,
	     const struct timespec *timeout)
{
	struct waiting w = {.in = in, .timeout = timeout};
	int64_t pending = 0;
	int rc = check_timeout(timeout);

	if (rc == 0)
		rc = check_all(in, qts, n);
	if (rc < 0)
		return rc;
	before_look(in);
	for (;;) {
		pending = first_pending(in, qts, n, (uint32_t)pending);
		/* One that was ready may have been forgotten while the others were waited for. */
		if (pending == n)
			pending = first_pending(in, qts, n, 0);
		if (pending < 0)
			return -EINVAL;
		if (pending == n)
			break;
		if (rc < 0)
			return rc;
		rc = wait_step(&w);
	}
	for (uint32_t i = 0; i < n; i++) {
		struct slot *s = operation_find(&in->operations, qts[i]);

		assert(s);
		wait_take(in, s, &qrs[i]);
	}
	return 0;
}

int wait_next_n(struct instance *in, demi_qresult_t *qrs, int n, int *written,
		const struct timespec *timeout)
{
	struct waiting w = {.in = in, .timeout = timeout};
	int rc = check_timeout(timeout);

	*written = 0;
	if (rc < 0)
		return rc;
	before_look(in);
	for (;;) {
		struct slot *s;

		while (*written < n && (s = operations_oldest(&in->operations)))
			wait_take(in, s, &qrs[(*written)++]);
		if (*written == n)
			return 0;
		if (rc < 0)
			return rc;
		rc = wait_step(&w);
	}
}
