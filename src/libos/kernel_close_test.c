/* kernel_close_test.c - ending connections: what was accepted for sending arrives.
 *
 * SPDX-License-Identifier: MIT
 */
#include "base/clock.h"
#include "libos/kernel_rig.h"
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <linux/sockios.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cmocka.h>

#define NS_PER_S UINT64_C(1000000000)

static int old_answers; /* so often SIOCOUTQ says what was true before the last acknowledgement */

/* In the place of the C library's. */
int ioctl(int fd, unsigned long request, ...)
{
	va_list rest;
	int *unacknowledged;

	va_start(rest, request);
	unacknowledged = va_arg(rest, int *);
	va_end(rest);
	if (request == SIOCOUTQ && old_answers > 0) {
		old_answers--;
		*unacknowledged = 1;
		return 0;
	}
	return (int)syscall(SYS_ioctl, fd, request, unacknowledged);
}

/* Pushes patterns until one is not taken at once; that one is cancelled or, begun, left. Returns
 * the bytes that the kernel has accepted in completed pushes. */
static size_t fill(struct rig *r, struct queue *q, struct rig_op *last)
{
	enum { BYTES = 100000 };
	static uint8_t data[BYTES];
	size_t accepted = 0;

	for (unsigned i = 0;; i++) {
		rig_pattern(data, BYTES, i);
		rig_push(r, last, q, data, BYTES);
		if (!last->done)
			return accepted;
		assert_int_equal(last->op.error, 0);
		rig_drop(last);
		accepted += BYTES;
	}
}

/* Reads to the end; returns the bytes, or -errno. */
static ssize_t read_all(int fd)
{
	static _Thread_local uint8_t data[65536];
	ssize_t n, all = 0;

	while ((n = read(fd, data, sizeof(data))) > 0)
		all += n;
	return n < 0 ? -errno : all;
}

struct reader {
	int fd;
	ssize_t got;
};

static void *read_slowly(void *arg)
{
	struct reader *reader = arg;

	reader->got = read_all(reader->fd);
	return NULL;
}

static unsigned lingering(struct rig *r)
{
	return container_of(r->libos, struct kernel, libos)->lingering_count;
}

static void wait_nobody_lingers(struct rig *r)
{
	uint64_t end_ns = clock_now_ns() + RIG_WAIT_NS;

	while (lingering(r) > 0) {
		if (rig_poll(r) == 0 && lingering(r) > 0)
			rig_sleep(r, RIG_WAIT_NS);
		assert_true(clock_now_ns() < end_ns);
	}
}

static void closing_delivers_everything_though_bytes_are_unread(void **state)
{
	struct rig *r = *state;
	int fd;
	struct queue *q = rig_pair(r, &fd);
	struct rig_op push;
	size_t accepted;
	pthread_t thread;
	struct reader reader;
	static const char more[100000];

	accepted = fill(r, q, &push);
	assert_true(accepted > 0);
	assert_int_equal(write(fd, "unread", 6), 6);
	r->class->close(q);
	rig_drop(&push);
	assert_int_equal(lingering(r), 1);
	/* What a plain close(2) answers with a reset. */
	assert_true(send(fd, more, sizeof(more), MSG_NOSIGNAL | MSG_DONTWAIT) > 0);
	reader.fd = fd;
	assert_int_equal(pthread_create(&thread, NULL, read_slowly, &reader), 0);
	wait_nobody_lingers(r);
	pthread_join(thread, NULL);
	assert_true(reader.got >= (ssize_t)accepted);
	close(fd);
}

static void a_connection_with_nothing_on_its_way_is_closed_at_once(void **state)
{
	struct rig *r = *state;
	int fd;
	struct queue *q = rig_pair(r, &fd);
	struct rig_op pop;

	rig_pop(r, &pop, q, UINT32_MAX);
	r->class->close(q);
	assert_int_equal(lingering(r), 0);
	assert_int_equal(read_all(fd), 0);
	assert_int_equal(rig_poll(r), 0);
	assert_false(pop.done);
	close(fd);
}

static void a_linger_time_of_zero_resets(void **state)
{
	struct rig *r = *state;
	int fd;
	struct queue *q = rig_pair(r, &fd);
	struct linger zero = {1, 0};
	struct rig_op push;

	assert_int_equal(r->class->setsockopt(q, SOL_SOCKET, SO_LINGER, &zero, sizeof(zero)), 0);
	rig_push(r, &push, q, "x", 1);
	rig_wait_ok(r, &push);
	rig_drop(&push);
	r->class->close(q);
	assert_int_equal(read_all(fd), -ECONNRESET);
	close(fd);
}

static void a_linger_time_is_inherited_bounded_and_does_not_block(void **state)
{
	struct rig *r = *state;
	struct queue *q, *listener = rig_listener(r);
	struct linger one = {1, 1};
	struct endpoint to = rig_at(rig_port(listener));
	struct sockaddr_in sin = endpoint_to_sockaddr_in(&to);
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	struct rig_op accept, push;
	uint64_t start_ns;

	assert_int_equal(r->class->setsockopt(listener, SOL_SOCKET, SO_LINGER, &one, sizeof(one)),
			 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&sin, sizeof(sin)), 0);
	rig_accept(r, &accept, listener);
	rig_wait_ok(r, &accept);
	q = accept.op.accept.queue;
	fill(r, q, &push);
	start_ns = clock_now_ns();
	r->class->close(q);
	rig_drop(&push);
	assert_int_equal(lingering(r), 1); /* close did not wait */
	wait_nobody_lingers(r);
	assert_true(clock_now_ns() - start_ns >= NS_PER_S);
	assert_int_equal(read_all(fd), -ECONNRESET);
	close(fd);
}

static void without_a_linger_time_the_kernel_goes_on_alone(void **state)
{
	struct rig *r = *state;
	int fd;
	struct queue *q = rig_pair(r, &fd);
	struct rig_op push;
	size_t accepted = fill(r, q, &push);

	r->class->close(q);
	rig_drop(&push);
	wait_nobody_lingers(r);
	assert_true(read_all(fd) >= (ssize_t)accepted);
	close(fd);
}

static void close_async_completes_when_the_peer_has_everything(void **state)
{
	struct rig *r = *state;
	int fd;
	struct queue *q = rig_pair(r, &fd);
	struct rig_op push, closing;
	size_t bytes = 0;
	pthread_t thread;
	struct reader reader;

	/* A push that has begun goes out first. */
	bytes = fill(r, q, &push) + push.op.push.len;
	rig_close_async(r, &closing, q);
	for (int i = 0; i < 100; i++)
		assert_int_equal(rig_poll(r), 0);
	assert_false(closing.done);
	reader.fd = fd;
	assert_int_equal(pthread_create(&thread, NULL, read_slowly, &reader), 0);
	r->sleepy = true;
	rig_wait_ok(r, &push);
	rig_drop(&push);
	rig_wait_ok(r, &closing);
	r->class->close(q);
	assert_int_equal(lingering(r), 0);
	pthread_join(thread, NULL);
	assert_int_equal(reader.got, bytes);
	close(fd);
}

static void close_async_of_an_idle_connection_completes(void **state)
{
	struct rig *r = *state;
	int fd;
	struct queue *q = rig_pair(r, &fd);
	struct rig_op closing;

	r->sleepy = true;
	rig_close_async(r, &closing, q);
	rig_wait_ok(r, &closing);
	assert_int_equal(read_all(fd), 0);
	r->class->close(q);
	close(fd);
	/* And the other way round: the peer's end came first. */
	q = rig_pair(r, &fd);
	close(fd);
	rig_close_async(r, &closing, q);
	rig_wait_ok(r, &closing);
	r->class->close(q);
}

/* The peer has acknowledged all and closed between two looks at the connection. */
static void close_async_completes_when_the_end_comes_while_it_is_looked_for(void **state)
{
	struct rig *r = *state;
	int fd;
	struct queue *q = rig_pair(r, &fd);
	struct rig_op closing;

	close(fd);
	old_answers = 1;
	rig_close_async(r, &closing, q);
	rig_wait_ok(r, &closing);
	assert_int_equal(old_answers, 0);
	r->class->close(q);
}

static void close_async_fails_when_the_peer_resets(void **state)
{
	struct rig *r = *state;
	int fd;
	struct queue *q = rig_pair(r, &fd);
	struct linger zero = {1, 0};
	struct rig_op push, closing;

	fill(r, q, &push);
	rig_close_async(r, &closing, q);
	assert_false(closing.done);
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_LINGER, &zero, sizeof(zero)), 0);
	close(fd);
	r->sleepy = true;
	rig_wait(r, &closing);
	assert_int_equal(closing.op.error, -ECONNRESET);
	rig_wait(r, &push);
	assert_int_equal(push.op.error, -ECONNRESET);
	rig_drop(&push);
	r->class->close(q);
	assert_int_equal(lingering(r), 0);
}

static void close_async_ends_with_the_linger_time(void **state)
{
	struct rig *r = *state;
	int fd;
	struct queue *q = rig_pair(r, &fd);
	struct linger one = {1, 1};
	struct rig_op push, closing;

	assert_int_equal(r->class->setsockopt(q, SOL_SOCKET, SO_LINGER, &one, sizeof(one)), 0);
	fill(r, q, &push);
	rig_close_async(r, &closing, q);
	r->sleepy = true;
	rig_wait(r, &closing);
	assert_int_equal(closing.op.error, -ETIMEDOUT);
	r->class->close(q);
	rig_drop(&push);
	assert_int_equal(read_all(fd), -ECONNRESET);
	close(fd);
}

static void close_async_of_what_has_no_peer_is_done_at_once(void **state)
{
	struct rig *r = *state;
	struct queue *q[] = {rig_listener(r), rig_socket(r, QUEUE_TCP), rig_socket(r, QUEUE_UDP)};
	struct rig_op closing;

	for (unsigned i = 0; i < 3; i++) {
		rig_close_async(r, &closing, q[i]);
		assert_true(closing.done);
		assert_int_equal(closing.op.error, 0);
		r->class->close(q[i]);
	}
}

static void a_close_that_was_cancelled_still_ends_the_connection(void **state)
{
	struct rig *r = *state;
	int fd;
	struct queue *q = rig_pair(r, &fd);
	struct rig_op push, closing;
	size_t accepted = fill(r, q, &push);

	rig_close_async(r, &closing, q);
	assert_int_equal(r->class->cancel(&closing.op), 0);
	r->class->close(q);
	rig_drop(&push);
	wait_nobody_lingers(r);
	assert_false(closing.done);
	assert_true(read_all(fd) >= (ssize_t)accepted);
	close(fd);
}

static void shutting_down_waits_for_what_was_pushed_before(void **state)
{
	struct rig *r = *state;
	int fd;
	struct queue *q = rig_pair(r, &fd);
	struct rig_op push, late, pop;
	size_t bytes = fill(r, q, &push) + push.op.push.len;
	pthread_t thread;
	struct reader reader = {.fd = fd};

	assert_int_equal(r->class->shutdown(q, SHUT_WR), 0);
	rig_push(r, &late, q, "x", 1);
	assert_true(late.done);
	assert_int_equal(late.op.error, -EPIPE);
	rig_drop(&late);
	assert_int_equal(pthread_create(&thread, NULL, read_slowly, &reader), 0);
	rig_wait_ok(r, &push);
	rig_drop(&push);
	pthread_join(thread, NULL);
	assert_int_equal(reader.got, bytes);
	/* The other direction is open. */
	rig_pop(r, &pop, q, UINT32_MAX);
	assert_int_equal(write(fd, "x", 1), 1);
	rig_wait_ok(r, &pop);
	assert_int_equal(pop.op.pop.len, 1);
	rig_drop(&pop);
	rig_push(r, &late, q, "x", 1);
	assert_int_equal(late.op.error, -EPIPE);
	rig_drop(&late);
	close(fd);
}

static void shutting_down_reception_ends_a_waiting_pop(void **state)
{
	struct rig *r = *state;
	int fd;
	struct queue *q = rig_pair(r, &fd);
	struct rig_op pop;

	rig_pop(r, &pop, q, UINT32_MAX);
	assert_int_equal(r->class->shutdown(q, SHUT_RD), 0);
	rig_wait_ok(r, &pop);
	assert_int_equal(pop.op.pop.len, 0);
	rig_drop(&pop);
	assert_int_equal(r->class->shutdown(rig_socket(r, QUEUE_TCP), SHUT_WR), -ENOTCONN);
	close(fd);
}

/* Ends the instance; returns how long it took. */
static uint64_t destroy(struct rig *r, uint64_t linger_ns)
{
	uint64_t start_ns = clock_now_ns();

	r->class->destroy(r->libos, linger_ns);
	r->libos = NULL;
	return clock_now_ns() - start_ns;
}

static void the_end_of_an_instance_delivers_what_was_accepted(void **state)
{
	struct rig *r = *state;
	int fd[3];
	struct rig_op push[3], pop;
	size_t accepted[3];
	pthread_t thread[3];
	struct reader reader[3];

	for (int i = 0; i < 3; i++) {
		struct queue *q = rig_pair(r, &fd[i]);

		accepted[i] = fill(r, q, &push[i]);
		assert_int_equal(write(fd[i], "unread", 6), 6);
		if (i == 1)
			r->class->close(q);
		reader[i].fd = fd[i];
		assert_int_equal(pthread_create(&thread[i], NULL, read_slowly, &reader[i]), 0);
	}
	rig_pop(r, &pop, rig_pair(r, &(int){0}), UINT32_MAX);
	rig_listener(r);
	assert_true(destroy(r, 60 * NS_PER_S) < 60 * NS_PER_S);
	for (int i = 0; i < 3; i++) {
		pthread_join(thread[i], NULL);
		assert_true(reader[i].got >= (ssize_t)accepted[i]);
		rig_drop(&push[i]);
		close(fd[i]);
	}
}

static void the_end_of_an_instance_resets_who_does_not_read(void **state)
{
	struct rig *r = *state;
	int fd;
	struct rig_op push;
	uint64_t took_ns;

	fill(r, rig_pair(r, &fd), &push);
	took_ns = destroy(r, NS_PER_S / 5);
	assert_in_range(took_ns, NS_PER_S / 5, 20 * NS_PER_S);
	rig_drop(&push);
	assert_int_equal(read_all(fd), -ECONNRESET);
	close(fd);
}

static void an_end_without_linger_waits_for_nobody(void **state)
{
	struct rig *r = *state;
	int fd;
	struct rig_op push;
	size_t accepted = fill(r, rig_pair(r, &fd), &push);

	destroy(r, 0); /* the peer reads only when this has returned */
	rig_drop(&push);
	assert_true(read_all(fd) >= (ssize_t)accepted);
	close(fd);
}

int main(void)
{
#define test(name) cmocka_unit_test_setup_teardown(name, rig_setup, rig_teardown)
	const struct CMUnitTest tests[] = {
	    test(closing_delivers_everything_though_bytes_are_unread),
	    test(a_connection_with_nothing_on_its_way_is_closed_at_once),
	    test(a_linger_time_of_zero_resets),
	    test(a_linger_time_is_inherited_bounded_and_does_not_block),
	    test(without_a_linger_time_the_kernel_goes_on_alone),
	    test(close_async_completes_when_the_peer_has_everything),
	    test(close_async_of_an_idle_connection_completes),
	    test(close_async_completes_when_the_end_comes_while_it_is_looked_for),
	    test(close_async_fails_when_the_peer_resets),
	    test(close_async_ends_with_the_linger_time),
	    test(close_async_of_what_has_no_peer_is_done_at_once),
	    test(a_close_that_was_cancelled_still_ends_the_connection),
	    test(shutting_down_waits_for_what_was_pushed_before),
	    test(shutting_down_reception_ends_a_waiting_pop),
	    test(the_end_of_an_instance_delivers_what_was_accepted),
	    test(the_end_of_an_instance_resets_who_does_not_read),
	    test(an_end_without_linger_waits_for_nobody),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
