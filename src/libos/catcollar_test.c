/* What is catcollar's own: how it asks, how far ahead it receives, what it lends. What programs see
 * of it is in tests/behaviour, with catnap's.
 *
 * SPDX-License-Identifier: MIT
 */
#include "base/clock.h"
#include "base/finding.h"
#include "libos/catcollar_queue.h"
#include "libos/kernel_rig.h"
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

enum { SKIPPED = 77 };

static int setup(void **state)
{
	return rig_setup_class(state, &catcollar_class);
}

static struct catcollar *instance(const struct rig *r)
{
	return container_of(container_of(r->libos, struct kernel, libos), struct catcollar, kernel);
}

/* Polls until the condition holds. */
#define POLL_UNTIL(rig, condition)                                                                 \
	for (uint64_t end_ns = clock_now_ns() + RIG_WAIT_NS; !(condition);) {                      \
		rig_poll(rig);                                                                     \
		assert_true(clock_now_ns() < end_ns);                                              \
	}

static void send_all(int fd, const void *data, size_t n)
{
	for (size_t done = 0; done < n;) {
		ssize_t sent = send(fd, (const uint8_t *)data + done, n - done, MSG_NOSIGNAL);

		assert_true(sent > 0);
		done += (size_t)sent;
	}
}

/* Pops as many bytes as these are. */
static void pop_all(struct rig *r, struct queue *queue, const uint8_t *want, size_t len)
{
	struct rig_op pop;

	for (size_t got = 0; got < len; got += pop.op.pop.len) {
		rig_pop(r, &pop, queue, UINT32_MAX);
		rig_wait_ok(r, &pop);
		assert_in_range(pop.op.pop.len, 1, len - got);
		assert_memory_equal(pop.op.pop.data, want + got, pop.op.pop.len);
		rig_drop(&pop);
	}
}

static void pop_pattern(struct rig *r, struct queue *queue, size_t len, unsigned seed)
{
	uint8_t *want = malloc(len);

	assert_non_null(want);
	rig_pattern(want, len, seed);
	pop_all(r, queue, want, len);
	free(want);
}

/* Receives len bytes, while the other end makes progress. */
static void receive_all(struct rig *r, int fd, uint8_t *got, size_t len)
{
	uint64_t end_ns = clock_now_ns() + RIG_WAIT_NS;

	for (size_t have = 0; have < len;) {
		ssize_t n = recv(fd, got + have, len - have, MSG_DONTWAIT);

		have += n > 0 ? (size_t)n : 0;
		rig_poll(r);
		assert_true(clock_now_ns() < end_ns);
	}
}

/* One pop gets the receive going, which then goes on. */
static void receive_one(struct rig *r, struct queue *queue, int fd)
{
	struct rig_op pop;

	rig_pop(r, &pop, queue, UINT32_MAX);
	send_all(fd, "x", 1);
	rig_wait_ok(r, &pop);
	assert_int_equal(pop.op.pop.len, 1);
	rig_drop(&pop);
}

/* A connection that receives, and the peer's end. */
static struct catcollar_queue *receiving_pair(struct rig *r, int *fd)
{
	struct queue *queue = rig_pair(r, fd);

	receive_one(r, queue, *fd);
	return catcollar_queue_of(queue);
}

static void what_is_received_ahead_is_bounded_and_comes_in_order(void **state)
{
	enum { BYTES = 8 << 20 };
	struct rig *r = *state;
	uint8_t *data = malloc(BYTES);
	struct catcollar_queue *q;
	size_t sent = 0;
	int fd;

	assert_non_null(data);
	rig_pattern(data, BYTES, 1);
	q = receiving_pair(r, &fd);
	for (unsigned idle = 0; idle < 1000 && sent < BYTES; idle++) {
		ssize_t n = send(fd, data + sent, BYTES - sent, MSG_DONTWAIT | MSG_NOSIGNAL);

		if (n > 0) {
			sent += (size_t)n;
			idle = 0;
		}
		rig_poll(r);
	}
	assert_true(sent < BYTES); /* the peer is held up */
	assert_true(q->ahead_bytes > 0);
	/* What the kernel had finished when the receive was taken back comes on top. */
	assert_true(q->ahead_bytes <= CATCOLLAR_AHEAD_BYTES + (16u << 16));
	assert_false(q->flights & FLIGHT_IN);
	pop_pattern(r, &q->kernel.queue, sent, 1);
	close(fd);
	free(data);
}

static void small_messages_that_nobody_waits_for_are_put_together(void **state)
{
	struct rig *r = *state;
	struct catcollar_queue *q;
	uint8_t data[100];
	int fd;

	q = receiving_pair(r, &fd);
	rig_pattern(data, sizeof(data), 2);
	for (unsigned i = 0; i < sizeof(data); i++) {
		send_all(fd, &data[i], 1);
		POLL_UNTIL(r, q->ahead_bytes == i + 1);
	}
	assert_int_equal(q->ahead_count, 1);
	pop_pattern(r, &q->kernel.queue, sizeof(data), 2);
	close(fd);
}

static void a_sized_pop_leaves_the_rest_ahead(void **state)
{
	struct rig *r = *state;
	struct catcollar_queue *q;
	struct rig_op pop;
	int fd;

	q = receiving_pair(r, &fd);
	send_all(fd, "abcde", 5);
	for (unsigned i = 0; i < 5; i += 2) {
		rig_pop(r, &pop, &q->kernel.queue, 2);
		rig_wait_ok(r, &pop);
		assert_int_equal(pop.op.pop.len, i < 4 ? 2 : 1);
		assert_memory_equal(pop.op.pop.data, &"abcde"[i], pop.op.pop.len);
		rig_drop(&pop);
	}
	close(fd);
}

static void a_push_is_finished_when_it_is_made(void **state)
{
	struct rig *r = *state;
	struct queue *queue;
	struct rig_op push;
	int fd;

	queue = rig_pair(r, &fd);
	rig_push(r, &push, queue, "hello", 5);
	assert_true(push.done);
	assert_int_equal(push.op.error, 0);
	rig_drop(&push);
	close(fd);
}

static void pushes_made_while_more_is_handed_out_leave_together(void **state)
{
	enum { QUEUES = 8 };
	struct rig *r = *state;
	struct queue *queue[QUEUES];
	struct rig_op push[QUEUES];
	int fd[QUEUES];
	char byte;

	for (int i = 0; i < QUEUES; i++)
		queue[i] = rig_pair(r, &fd[i]);
	r->libos->more = true;
	for (int i = 0; i < QUEUES; i++) {
		rig_push(r, &push[i], queue[i], "x", 1);
		assert_false(push[i].done);
		assert_int_equal(recv(fd[i], &byte, 1, MSG_DONTWAIT), -1);
	}
	r->libos->more = false;
	assert_int_equal(rig_poll(r), QUEUES);
	for (int i = 0; i < QUEUES; i++) {
		assert_true(push[i].done);
		assert_int_equal(recv(fd[i], &byte, 1, 0), 1);
		rig_drop(&push[i]);
		close(fd[i]);
	}
}

static void a_push_that_waits_for_company_goes_out_before_a_close(void **state)
{
	struct rig *r = *state;
	struct queue *queue;
	struct rig_op push;
	char bytes[8];
	int fd;

	queue = rig_pair(r, &fd);
	r->libos->more = true;
	rig_push(r, &push, queue, "last", 4);
	assert_false(push.done);
	r->class->flush(queue);
	assert_true(r->libos->news);
	rig_poll(r);
	assert_true(push.done);
	r->class->close(queue);
	r->libos->more = false;
	rig_wait_fd(r, fd);
	assert_int_equal(recv(fd, bytes, sizeof(bytes), MSG_WAITALL), 4);
	assert_memory_equal(bytes, "last", 4);
	rig_drop(&push);
	close(fd);
}

/* A loopback copies: the kernel says so, and the next push is copied at once. */
static void a_large_push_is_lent_until_the_kernel_says_that_it_copies(void **state)
{
	enum { BYTES = 4 * CATCOLLAR_ZERO_COPY_BYTES };
	struct rig *r = *state;
	uint8_t *data = malloc(BYTES), *got = malloc(BYTES);
	struct catcollar_queue *q;
	struct queue *queue;
	struct rig_op push;
	int fd;

	assert_true(data != NULL && got != NULL);
	rig_pattern(data, BYTES, 3);
	queue = rig_pair(r, &fd);
	q = catcollar_queue_of(queue);
	for (int i = 0; i < 2; i++) {
		rig_push(r, &push, queue, data, BYTES);
		receive_all(r, fd, got, BYTES);
		rig_wait_ok(r, &push);
		assert_memory_equal(got, data, BYTES);
		assert_true(list_empty(&instance(r)->lent));
		rig_drop(&push);
		assert_true(q->copied || instance(r)->unreported);
	}
	close(fd);
	free(data);
	free(got);
}

static void a_push_on_its_way_is_busy_and_one_behind_it_is_taken_back(void **state)
{
	enum { BYTES = 16 << 20 };
	struct rig *r = *state;
	uint8_t *data = calloc(1, BYTES), *got = malloc(BYTES);
	struct rig_op first, second;
	struct queue *queue;
	int fd;

	assert_true(data != NULL && got != NULL);
	queue = rig_pair(r, &fd);
	rig_push(r, &first, queue, data, BYTES);
	rig_push(r, &second, queue, "x", 1);
	assert_int_equal(r->class->cancel(&second.op), 0);
	assert_int_equal(r->class->cancel(&first.op), -EBUSY);
	receive_all(r, fd, got, BYTES);
	rig_wait_ok(r, &first);
	rig_drop(&first);
	rig_drop(&second);
	assert_int_equal(recv(fd, got, 1, MSG_DONTWAIT), -1);
	close(fd);
	free(data);
	free(got);
}

static void a_stream_of_large_messages_gets_large_buffers_and_a_calm_one_small_ones(void **state)
{
	enum { BYTES = 4 << 20 };
	struct rig *r = *state;
	uint8_t *data = malloc(BYTES);
	struct catcollar_queue *q;
	size_t sent = 0;
	int fd;

	assert_non_null(data);
	rig_pattern(data, BYTES, 4);
	q = receiving_pair(r, &fd);
	assert_int_equal(q->in_group, GROUP_SMALL);
	while (sent < BYTES) {
		ssize_t n = send(fd, data + sent, 65536, MSG_NOSIGNAL);

		assert_true(n > 0);
		pop_all(r, &q->kernel.queue, data + sent, (size_t)n);
		sent += (size_t)n;
	}
	assert_int_equal(q->in_group, GROUP_LARGE);
	for (int i = 0; i < 2 * CATCOLLAR_CALM; i++)
		receive_one(r, &q->kernel.queue, fd);
	assert_int_equal(q->in_group, GROUP_SMALL);
	close(fd);
	free(data);
}

static void a_burst_that_finds_no_buffer_gets_more_of_them(void **state)
{
	enum { QUEUES = 100 };
	struct rig *r = *state;
	struct catcollar_buffers *b = &instance(r)->buffers[GROUP_SMALL];
	static struct rig_op pop[QUEUES];
	struct queue *queue[QUEUES];
	int fd[QUEUES];
	uint32_t before = b->target;

	assert_true(before < QUEUES);
	for (int i = 0; i < QUEUES; i++) {
		queue[i] = rig_pair(r, &fd[i]);
		rig_pop(r, &pop[i], queue[i], UINT32_MAX);
	}
	rig_poll(r);
	for (int i = 0; i < QUEUES; i++)
		send_all(fd[i], "x", 1);
	for (int i = 0; i < QUEUES; i++) {
		rig_wait_ok(r, &pop[i]);
		rig_drop(&pop[i]);
		close(fd[i]);
	}
	assert_true(b->target > before);
}

static void connections_that_nobody_accepts_are_reset_with_their_listener(void **state)
{
	enum { CLIENTS = 40 };
	struct rig *r = *state;
	struct queue *listener = rig_listener(r);
	struct catcollar_queue *q = catcollar_queue_of(listener);
	struct endpoint to = rig_at(rig_port(listener));
	struct sockaddr_in sin = endpoint_to_sockaddr_in(&to);
	struct rig_op accept;
	int fd[CLIENTS];
	char byte;

	rig_accept(r, &accept, listener);
	for (int i = 0; i < CLIENTS; i++) {
		fd[i] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
		assert_int_equal(connect(fd[i], (struct sockaddr *)&sin, sizeof(sin)), 0);
	}
	rig_wait_ok(r, &accept);
	POLL_UNTIL(r, q->accepted_count > 0 || !(q->flights & FLIGHT_IN));
	r->class->close(listener);
	for (int i = 1; i < CLIENTS; i++) {
		assert_int_equal(recv(fd[i], &byte, 1, 0), -1);
		assert_int_equal(errno, ECONNRESET);
		close(fd[i]);
	}
	r->class->close(accept.op.accept.queue);
	close(fd[0]);
}

static void datagrams_of_all_sizes_come_with_their_sender(void **state)
{
	static const size_t sizes[] = {1, 64, 1500, 16384, 16385, 65507};
	struct rig *r = *state;
	struct queue *a = rig_socket(r, QUEUE_UDP), *b = rig_socket(r, QUEUE_UDP);
	struct endpoint any = rig_at(0);
	static uint8_t data[65507];
	struct rig_op pop, push;

	assert_int_equal(r->class->bind(a, &any), 0);
	assert_int_equal(r->class->bind(b, &any), 0);
	rig_pattern(data, sizeof(data), 5);
	for (unsigned i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		rig_pop(r, &pop, b, UINT32_MAX);
		rig_push_to(r, &push, a, data, sizes[i], rig_port(b));
		rig_wait_ok(r, &push);
		rig_wait_ok(r, &pop);
		assert_int_equal(pop.op.pop.len, sizes[i]);
		assert_memory_equal(pop.op.pop.data, data, sizes[i]);
		assert_int_equal(pop.op.pop.from.port, rig_port(a));
		rig_drop(&pop);
		rig_drop(&push);
	}
	r->class->close(a);
	r->class->close(b);
}

static void it_sleeps_in_its_ring_until_something_comes(void **state)
{
	struct rig *r = *state;
	struct queue *queue;
	struct rig_op pop;
	uint64_t now_ns;
	int fd;

	queue = rig_pair(r, &fd);
	rig_pop(r, &pop, queue, UINT32_MAX);
	while (rig_poll(r) > 0)
		;
	now_ns = clock_now_ns();
	if (r->class->sleep(r->libos, now_ns, now_ns + 20000000) != 0)
		skip(); /* Linux before 5.11 */
	assert_false(pop.done);
	assert_true(clock_now_ns() >= now_ns + 20000000);
	for (int i = 0; i < 100; i++) {
		send_all(fd, "x", 1);
		assert_int_equal(r->class->sleep(r->libos, clock_now_ns(), UINT64_MAX), 0);
		rig_poll(r);
		rig_wait_ok(r, &pop);
		rig_drop(&pop);
		rig_pop(r, &pop, queue, UINT32_MAX);
	}
	r->class->close(queue);
	close(fd);
}

static void it_sleeps_until_something_comes(void **state)
{
	struct rig *r = *state;
	struct queue *queue;
	struct rig_op pop;
	int fd;

	r->sleepy = true;
	queue = rig_pair(r, &fd);
	for (int i = 0; i < 100; i++) {
		rig_pop(r, &pop, queue, UINT32_MAX);
		while (rig_poll(r) > 0 || !rig_sleep(r, 1000000))
			;
		assert_false(pop.done);
		r->polls = 0;
		send_all(fd, "x", 1);
		rig_wait_ok(r, &pop);
		assert_true(r->polls < 100);
		rig_drop(&pop);
	}
	close(fd);
}

int main(void)
{
	const struct config any = {0};
	struct findings found = {0};
	const struct CMUnitTest tests[] = {
#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, rig_teardown)
	    CASE(what_is_received_ahead_is_bounded_and_comes_in_order),
	    CASE(small_messages_that_nobody_waits_for_are_put_together),
	    CASE(a_sized_pop_leaves_the_rest_ahead),
	    CASE(a_push_is_finished_when_it_is_made),
	    CASE(pushes_made_while_more_is_handed_out_leave_together),
	    CASE(a_push_that_waits_for_company_goes_out_before_a_close),
	    CASE(a_large_push_is_lent_until_the_kernel_says_that_it_copies),
	    CASE(a_push_on_its_way_is_busy_and_one_behind_it_is_taken_back),
	    CASE(a_stream_of_large_messages_gets_large_buffers_and_a_calm_one_small_ones),
	    CASE(a_burst_that_finds_no_buffer_gets_more_of_them),
	    CASE(connections_that_nobody_accepts_are_reset_with_their_listener),
	    CASE(datagrams_of_all_sizes_come_with_their_sender),
	    CASE(it_sleeps_until_something_comes),
	    CASE(it_sleeps_in_its_ring_until_something_comes),
	};

	catcollar_examine(&any, &found);
	if (findings_log_errors(&found) > 0)
		return SKIPPED;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
