/* How a wait sleeps: when, for how long, and what wakes it. The devices are the test's, and so is
 * ppoll(2), which notes what it is asked for.
 *
 * SPDX-License-Identifier: MIT
 */
#include "rt/wait.h"
#include "base/clock.h"
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cmocka.h>

enum { SLEEPS_MAX = 4096 };

#define MS_NS UINT64_C(1000000)

/* A network libOS whose device says what the test wants. */
struct device {
	struct libos libos;
	int arm;              /* what arm() gives */
	uint64_t deadline_ns; /* what next_deadline() gives */
	unsigned polls, arms;
	int sleep; /* what sleep() gives, if it has one */
	unsigned sleeps;
	uint64_t slept_ns;               /* how long it was to sleep the last time */
	unsigned finish_at;              /* the poll that finishes the operation; 0: none */
	_Atomic uint64_t ready_since_ns; /* not 0: the next poll finishes it */
	uint64_t finished_ns;
	struct operation *op;
};

struct fixture {
	struct instance in;
	struct queue q;
	struct device device, other; /* other: has nothing to say */
	demi_qtoken_t qt;
};

static uint64_t sleeps_ns[SLEEPS_MAX]; /* UINT64_MAX: without a limit */
static unsigned sleeps;
static unsigned polls_before_sleep;
static struct fixture *current;

/* In the place of libc's. */
int ppoll(struct pollfd *fds, nfds_t n, const struct timespec *limit, const sigset_t *mask)
{
	struct timespec copy = limit ? *limit : (struct timespec){0};

	if (sleeps == 0)
		polls_before_sleep = current->device.polls;
	if (sleeps < SLEEPS_MAX)
		sleeps_ns[sleeps++] =
		    limit ? (uint64_t)limit->tv_sec * 1000000000 + (uint64_t)limit->tv_nsec
			  : UINT64_MAX;
	return (int)syscall(SYS_ppoll, fds, n, limit ? &copy : NULL, mask, sizeof(uint64_t));
}

static struct device *device_of(struct libos *l)
{
	return container_of(l, struct device, libos);
}

static int device_poll(struct libos *l, struct operation_list *done, uint64_t now_ns)
{
	struct device *d = device_of(l);

	d->polls++;
	if (!d->op || (d->polls != d->finish_at && atomic_load(&d->ready_since_ns) == 0))
		return 0;
	d->finished_ns = now_ns;
	operation_list_add(done, d->op);
	d->op = NULL;
	return 1;
}

static uint64_t device_next_deadline(struct libos *l)
{
	return device_of(l)->deadline_ns;
}

static int device_arm(struct libos *l)
{
	device_of(l)->arms++;
	return device_of(l)->arm;
}

static const struct libos_class device_class = {
    .name = "device",
    .poll = device_poll,
    .next_deadline = device_next_deadline,
    .arm = device_arm,
};

static int device_sleep(struct libos *l, uint64_t now_ns, uint64_t until_ns)
{
	struct device *d = device_of(l);

	d->sleeps++;
	d->slept_ns = until_ns == UINT64_MAX ? UINT64_MAX : until_ns - now_ns;
	return d->sleep;
}

static const struct libos_class sleeper_class = {
    .name = "sleeper",
    .poll = device_poll,
    .next_deadline = device_next_deadline,
    .arm = device_arm,
    .sleep = device_sleep,
};

static void make_device(struct device *d)
{
	d->libos.class = &device_class;
	d->deadline_ns = UINT64_MAX;
}

/* A pending operation that the device has. */
static void start(struct fixture *f)
{
	struct slot *s = operation_start(&f->in.operations, DEMI_OPC_CONNECT, &f->q);

	assert_non_null(s);
	f->device.op = &s->op;
	f->qt = operation_token(s);
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_int_equal(operations_create(&f->in.operations, 8, 8), 0);
	assert_int_equal(heap_create(&f->in.heap, 64, 16 << 20), 0);
	f->in.epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	list_init(&f->q.operations);
	make_device(&f->device);
	make_device(&f->other);
	f->in.libos[LIBOS_NETWORK] = &f->device.libos;
	f->in.libos[LIBOS_MEMORY] = &f->other.libos;
	f->in.waits_unpolled_max = WAITS_UNPOLLED_MAX;
	f->in.config.idle = IDLE_ADAPTIVE;
	f->in.config.idle_step_us = 2000;
	start(f);
	sleeps = 0;
	current = f;
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	close(f->in.epoll_fd);
	heap_destroy(f->in.heap);
	operations_destroy(&f->in.operations);
	free(f);
	return 0;
}

static int wait_ms(struct fixture *f, uint64_t ms)
{
	const struct timespec limit = {(time_t)(ms / 1000), (long)(ms % 1000 * MS_NS)};
	demi_qresult_t qr;

	return wait_one_longer(&f->in, &qr, f->qt, &limit);
}

static void a_device_that_wakes_is_slept_on_until_the_end(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(wait_ms(f, 500), -ETIMEDOUT);
	assert_true(sleeps >= 1);
	assert_true(sleeps_ns[0] <= 500 * MS_NS);
	for (unsigned i = 1; i < sleeps; i++)
		assert_true(sleeps_ns[i] < sleeps_ns[0]); /* what is left */
	assert_true(sleeps < 5);
}

static void without_an_end_the_sleep_has_none(void **state)
{
	struct fixture *f = *state;
	int wake = eventfd(1, EFD_CLOEXEC); /* readable from the beginning */
	struct epoll_event ev = {.events = EPOLLIN};
	demi_qresult_t qr;

	assert_int_equal(epoll_ctl(f->in.epoll_fd, EPOLL_CTL_ADD, wake, &ev), 0);
	f->device.finish_at = 8;
	assert_int_equal(wait_one_longer(&f->in, &qr, f->qt, NULL), 0);
	assert_true(sleeps >= 1);
	assert_true(sleeps_ns[0] == UINT64_MAX);
	close(wake);
}

static void a_device_that_cannot_wake_is_looked_at_in_steps(void **state)
{
	struct fixture *f = *state;

	f->device.arm = -EAGAIN;
	assert_int_equal(wait_ms(f, 500), -ETIMEDOUT);
	assert_true(sleeps >= 2);
	for (unsigned i = 0; i < sleeps; i++)
		assert_true(sleeps_ns[i] <= 2 * MS_NS);
	/* Before and after each sleep. */
	assert_true(f->device.polls > sleeps);
}

static void the_other_libos_may_be_the_one_that_cannot(void **state)
{
	struct fixture *f = *state;

	f->other.arm = -EAGAIN;
	assert_int_equal(wait_ms(f, 500), -ETIMEDOUT);
	for (unsigned i = 0; i < sleeps; i++)
		assert_true(sleeps_ns[i] <= 2 * MS_NS);
	assert_true(sleeps >= 2);
}

static void a_deadline_of_the_device_ends_the_sleep(void **state)
{
	struct fixture *f = *state;

	f->device.deadline_ns = clock_now_ns() + 500 * MS_NS;
	assert_int_equal(wait_ms(f, 600), -ETIMEDOUT);
	assert_true(sleeps >= 1);
	assert_true(sleeps_ns[0] <= 500 * MS_NS);
}

static void a_deadline_that_is_over_is_not_slept_on(void **state)
{
	struct fixture *f = *state;

	f->device.deadline_ns = 1;
	assert_int_equal(wait_ms(f, 10), -ETIMEDOUT);
	assert_int_equal(sleeps, 0);
}

static void what_came_while_it_was_armed_is_not_slept_over(void **state)
{
	struct fixture *f = *state;

	f->device.arm = 1;
	f->device.finish_at = 50;
	assert_int_equal(wait_ms(f, 60000), 0);
	assert_int_equal(sleeps, 0);
	assert_true(f->device.arms > 0);
}

static void it_is_polled_once_more_after_it_was_armed(void **state)
{
	struct fixture *f = *state;

	f->device.finish_at = 2; /* the poll before the look; the poll behind the arming */
	assert_int_equal(wait_ms(f, 60000), 0);
	assert_int_equal(f->device.arms, 1);
	assert_int_equal(sleeps, 0);
}

static void one_that_can_sleeps_by_itself(void **state)
{
	struct fixture *f = *state;

	f->device.libos.class = &sleeper_class;
	f->device.finish_at = 3; /* a poll, a sleep, a poll, a sleep */
	assert_int_equal(wait_ms(f, 60000), 0);
	assert_int_equal(f->device.sleeps, 2);
	assert_true(f->device.slept_ns <= 60000 * MS_NS);
	assert_int_equal(f->device.arms, 0);
	assert_int_equal(sleeps, 0);
}

static void its_own_sleep_ends_with_the_next_deadline(void **state)
{
	struct fixture *f = *state;

	f->device.libos.class = &sleeper_class;
	f->device.deadline_ns = clock_now_ns() + 500 * MS_NS;
	f->device.finish_at = 2;
	assert_int_equal(wait_ms(f, 60000), 0);
	assert_int_equal(f->device.sleeps, 1);
	assert_true(f->device.slept_ns <= 500 * MS_NS);
}

static void one_that_cannot_now_is_slept_on_like_any(void **state)
{
	struct fixture *f = *state;

	f->device.libos.class = &sleeper_class;
	f->device.sleep = -EAGAIN;
	assert_int_equal(wait_ms(f, 50), -ETIMEDOUT);
	assert_true(f->device.sleeps >= 1);
	assert_true(f->device.arms >= 1);
	assert_true(sleeps >= 1);
}

static void news_in_memory_are_not_slept_over(void **state)
{
	struct fixture *f = *state;

	f->device.libos.class = &sleeper_class;
	f->other.arm = 1;
	f->device.finish_at = 50;
	assert_int_equal(wait_ms(f, 60000), 0);
	assert_int_equal(f->device.sleeps, 0);
	assert_int_equal(sleeps, 0);
}

static void spinning_never_sleeps(void **state)
{
	struct fixture *f = *state;

	f->in.config.idle = IDLE_SPIN;
	assert_int_equal(wait_ms(f, 20), -ETIMEDOUT);
	assert_int_equal(sleeps, 0);
	assert_int_equal(f->device.arms, 0);
}

static void it_keeps_looking_before_it_sleeps(void **state)
{
	struct fixture *f = *state;
	uint64_t start_ns = clock_now_ns();

	f->in.config.idle_after_us = 20000;
	assert_int_equal(wait_ms(f, 10), -ETIMEDOUT); /* less than that */
	assert_int_equal(sleeps, 0);
	assert_int_equal(wait_ms(f, 60), -ETIMEDOUT);
	if (sleeps > 0) {
		assert_true(clock_now_ns() - start_ns >= 20 * MS_NS);
		assert_true(polls_before_sleep > 2);
		assert_true(sleeps_ns[0] <= 40 * MS_NS);
	}
}

static void *become_ready(void *arg)
{
	struct device *d = arg;
	const struct timespec moment = {.tv_nsec = 5 * MS_NS};

	nanosleep(&moment, NULL);
	atomic_store(&d->ready_since_ns, clock_now_ns());
	return NULL;
}

static int compare(const void *a, const void *b)
{
	const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

/* The bound that is configured, and what this machine's scheduler adds. */
static void what_a_silent_device_has_is_seen_within_a_step(void **state)
{
	enum { SAMPLES = 31 };
	struct fixture *f = *state;
	uint64_t late_ns[SAMPLES];

	f->device.arm = -EAGAIN;
	for (unsigned i = 0; i < SAMPLES; i++) {
		pthread_t thread;

		if (i > 0)
			start(f);
		atomic_store(&f->device.ready_since_ns, 0);
		assert_int_equal(pthread_create(&thread, NULL, become_ready, &f->device), 0);
		assert_int_equal(wait_ms(f, 60000), 0);
		late_ns[i] = f->device.finished_ns > f->device.ready_since_ns
				 ? f->device.finished_ns - f->device.ready_since_ns
				 : 0;
		pthread_join(thread, NULL);
	}
	qsort(late_ns, SAMPLES, sizeof(late_ns[0]), compare);
	printf("a step of %u us: seen after %.0f us (p50)\n", f->in.config.idle_step_us,
	       (double)late_ns[SAMPLES / 2] / 1e3);
	assert_true(late_ns[SAMPLES / 2] < 2 * MS_NS + 50 * MS_NS);
}

/* Started, and finished at once. */
static demi_qtoken_t finish(struct fixture *f, enum demi_opcode opcode)
{
	struct slot *s = operation_start(&f->in.operations, opcode, &f->q);

	assert_non_null(s);
	operation_ready(&f->in.operations, s);
	return operation_token(s);
}

static void the_libos_is_told_what_the_program_is_given_next(void **state)
{
	struct fixture *f = *state;
	struct libos *l = &f->device.libos;
	const demi_qtoken_t qts[] = {finish(f, DEMI_OPC_CONNECT), finish(f, DEMI_OPC_CLOSE),
				     finish(f, DEMI_OPC_PUSH)};
	demi_qresult_t qr;

	l->pushed = true;
	assert_int_equal(wait_one(&f->in, &qr, qts[0], NULL), 0);
	assert_true(l->more && l->more_to_answer && !l->pushed);
	assert_int_equal(wait_one(&f->in, &qr, qts[1], NULL), 0);
	assert_true(l->more && !l->more_to_answer); /* a push's result */
	l->pushed = true;
	assert_int_equal(wait_one(&f->in, &qr, qts[2], NULL), 0);
	assert_true(!l->more && !l->more_to_answer && !l->pushed);
}

#define test_of(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    test_of(a_device_that_wakes_is_slept_on_until_the_end),
	    test_of(without_an_end_the_sleep_has_none),
	    test_of(a_device_that_cannot_wake_is_looked_at_in_steps),
	    test_of(the_other_libos_may_be_the_one_that_cannot),
	    test_of(a_deadline_of_the_device_ends_the_sleep),
	    test_of(a_deadline_that_is_over_is_not_slept_on),
	    test_of(what_came_while_it_was_armed_is_not_slept_over),
	    test_of(it_is_polled_once_more_after_it_was_armed),
	    test_of(one_that_can_sleeps_by_itself),
	    test_of(its_own_sleep_ends_with_the_next_deadline),
	    test_of(one_that_cannot_now_is_slept_on_like_any),
	    test_of(news_in_memory_are_not_slept_over),
	    test_of(spinning_never_sleeps),
	    test_of(it_keeps_looking_before_it_sleeps),
	    test_of(the_libos_is_told_what_the_program_is_given_next),
	    test_of(what_a_silent_device_has_is_seen_within_a_step),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
