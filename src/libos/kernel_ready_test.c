/* kernel_ready_test.c - who may go on: no wake-up is lost, nobody starves.
 *
 * SPDX-License-Identifier: MIT
 */
#include "base/clock.h"
#include "libos/kernel_rig.h"
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

enum { MANY = 200 };

static struct kernel *kernel(struct rig *r)
{
	return container_of(r->libos, struct kernel, libos);
}

/* Waits for the epoll set as rig_sleep() does, and fails unless it wakes. */
static void must_wake(struct rig *r)
{
	struct epoll_event event;
	int rc = r->class->arm(r->libos);

	if (rc == 0)
		assert_int_equal(epoll_wait(r->epoll_fd, &event, 1, 5000), 1);
	else
		assert_int_equal(rc, 1);
}

static void a_sleeper_wakes_for_each_message(void **state)
{
	struct rig *r = *state;
	int fd[3];
	struct queue *q[3];
	struct rig_op pop[3];

	for (int i = 0; i < 3; i++) {
		q[i] = rig_pair(r, &fd[i]);
		rig_pop(r, &pop[i], q[i], UINT32_MAX);
	}
	/* Bytes come before arm(), and after it. */
	for (int round = 0; round < 100; round++) {
		int i = round % 3;

		if (round % 2 == 0)
			assert_int_equal(rig_poll(r), 0);
		assert_int_equal(write(fd[i], "x", 1), 1);
		must_wake(r);
		assert_int_equal(rig_poll(r), 1);
		assert_true(pop[i].done);
		rig_drop(&pop[i]);
		rig_pop(r, &pop[i], q[i], UINT32_MAX);
		assert_false(pop[i].done);
	}
	for (int i = 0; i < 3; i++)
		close(fd[i]);
}

static void a_sleep_ends_only_when_something_can_be_done(void **state)
{
	struct rig *r = *state;
	struct epoll_event event;
	int fd;
	struct queue *q = rig_pair(r, &fd);
	struct rig_op pop;

	rig_pop(r, &pop, q, UINT32_MAX);
	/* The edge that the empty send buffer gives a descriptor new to the set is not news. */
	assert_int_equal(r->class->arm(r->libos), 0);
	assert_int_equal(epoll_wait(r->epoll_fd, &event, 1, 20), 0);
	assert_int_equal(r->class->next_deadline(r->libos), UINT64_MAX);
	assert_int_equal(r->class->arm(r->libos), 0);
	assert_int_equal(write(fd, "x", 1), 1);
	assert_int_equal(epoll_wait(r->epoll_fd, &event, 1, 5000), 1);
	rig_wait_ok(r, &pop);
	rig_drop(&pop);
	close(fd);
}

/* A peer in a thread of its own: echoes one byte over each of `count` descriptors, at times that
 * the sleeper cannot foresee. */
struct echoer {
	int *fd;
	unsigned count;
	unsigned rounds;
};

static void *echo(void *arg)
{
	struct echoer *e = arg;
	unsigned seed = 1;

	for (unsigned i = 0; i < e->rounds; i++) {
		int fd = e->fd[i % e->count];
		char c;

		if (read(fd, &c, 1) != 1)
			return arg;
		for (unsigned spin = (unsigned)rand_r(&seed) % 20000; spin > 0; spin--)
			__asm__ volatile("");
		if (write(fd, &c, 1) != 1)
			return arg;
	}
	return NULL;
}

static void echo_rounds(struct rig *r, unsigned count, unsigned rounds)
{
	int *fd = calloc(count, sizeof(*fd));
	struct queue **q = calloc(count, sizeof(*q));
	struct rig_op *pop = calloc(count, sizeof(*pop)), push;
	struct echoer e = {fd, count, rounds};
	pthread_t thread;
	void *failed;

	for (unsigned i = 0; i < count; i++) {
		q[i] = rig_pair(r, &fd[i]);
		rig_pop(r, &pop[i], q[i], UINT32_MAX);
	}
	assert_int_equal(pthread_create(&thread, NULL, echo, &e), 0);
	for (unsigned i = 0; i < rounds; i++) {
		struct rig_op *p = &pop[i % count];

		rig_push(r, &push, q[i % count], "x", 1);
		rig_wait_ok(r, &push);
		rig_drop(&push);
		rig_wait_ok(r, p);
		assert_int_equal(p->op.pop.len, 1);
		rig_drop(p);
		rig_pop(r, p, q[i % count], UINT32_MAX);
	}
	pthread_join(thread, &failed);
	assert_null(failed);
	for (unsigned i = 0; i < count; i++) {
		r->class->close(q[i]);
		close(fd[i]);
	}
	free(fd);
	free(q);
	free(pop);
}

static void no_wakeup_is_lost_whatever_the_timing(void **state)
{
	struct rig *r = *state;

	r->sleepy = true;
	for (unsigned count = 1; count <= 5; count++)
		echo_rounds(r, count, 2000);
	echo_rounds(r, MANY, 2000);
	echo_rounds(r, 1, 2000);
	r->sleepy = false;
	for (unsigned count = 1; count <= 5; count++)
		echo_rounds(r, count, 2000);
}

static void growing_past_direct_polling_forgets_nobody(void **state)
{
	struct rig *r = *state;
	int fd[MANY];
	struct queue *q[MANY];
	struct rig_op pop[MANY];

	/* Bytes lie there before each pop that finds the queue known as empty. */
	for (unsigned i = 0; i < MANY; i++) {
		q[i] = rig_pair(r, &fd[i]);
		assert_int_equal(write(fd[i], "x", 1), 1);
		rig_pop(r, &pop[i], q[i], UINT32_MAX);
		rig_wait_ok(r, &pop[i]);
		rig_drop(&pop[i]);
		assert_int_equal(write(fd[i], "y", 1), 1);
	}
	for (unsigned i = 0; i < MANY; i++)
		rig_pop(r, &pop[i], q[i], UINT32_MAX);
	for (unsigned i = 0; i < MANY; i++) {
		rig_wait_ok(r, &pop[i]);
		assert_int_equal(pop[i].op.pop.data[0], 'y');
		rig_drop(&pop[i]);
		close(fd[i]);
	}
}

static void a_message_costs_one_receive_when_edges_tell(void **state)
{
	struct rig *r = *state;
	int fd[4];
	struct queue *q[4];
	struct rig_op pop[4];

	for (unsigned i = 0; i < 4; i++) {
		q[i] = rig_pair(r, &fd[i]);
		rig_pop(r, &pop[i], q[i], UINT32_MAX);
	}
	rig_poll(r);
	assert_int_equal(write(fd[0], "x", 1), 1);
	rig_wait_ok(r, &pop[0]);
	rig_drop(&pop[0]);
	assert_false(kernel_queue_of(q[0])->readable);
	/* The peer's end is news that a short receive does not take away. */
	rig_pop(r, &pop[0], q[0], UINT32_MAX);
	assert_int_equal(write(fd[0], "x", 1), 1);
	close(fd[0]);
	rig_wait_ok(r, &pop[0]);
	assert_int_equal(pop[0].op.pop.len, 1);
	rig_drop(&pop[0]);
	rig_pop(r, &pop[0], q[0], UINT32_MAX);
	rig_wait_ok(r, &pop[0]);
	assert_int_equal(pop[0].op.pop.len, 0);
	rig_drop(&pop[0]);
	for (unsigned i = 1; i < 4; i++)
		close(fd[i]);
}

static void a_flood_on_one_connection_does_not_starve_another(void **state)
{
	enum { POPS = 64 };
	struct rig *r = *state;
	static uint8_t flood[1 << 20];
	int fd, quiet_fd;
	struct queue *q = rig_pair(r, &fd), *quiet = rig_pair(r, &quiet_fd);
	struct rig_op pop[POPS], one;
	bool done = false;

	assert_true(send(fd, flood, sizeof(flood), MSG_DONTWAIT) > 0);
	for (unsigned i = 0; i < POPS; i++)
		rig_pop(r, &pop[i], q, 16);
	assert_int_equal(write(quiet_fd, "x", 1), 1);
	kernel_queue_of(quiet)->readable = false; /* an edge or a direct try must tell */
	rig_pop(r, &one, quiet, UINT32_MAX);
	for (unsigned i = 0; i < KERNEL_DIRECT_ROUNDS + 1 && !done; i++) {
		rig_poll(r);
		done = one.done;
		for (unsigned j = 0; j < POPS; j++)
			if (pop[j].done) {
				rig_drop(&pop[j]);
				rig_pop(r, &pop[j], q, 16);
			}
	}
	assert_true(done);
	rig_drop(&one);
	r->class->close(q);
	for (unsigned j = 0; j < POPS; j++)
		if (pop[j].done)
			rig_drop(&pop[j]);
	close(fd);
	close(quiet_fd);
}

/* A child of a fork holds copies of the descriptors: closing ours does not end them. */
static void events_of_a_closed_queue_do_not_come_while_a_child_holds_its_descriptor(void **state)
{
	struct rig *r = *state;
	int fd[4], gate[2];
	struct queue *q[4];
	struct rig_op pop[4];
	pid_t child;
	char c;

	for (unsigned i = 0; i < 4; i++) {
		q[i] = rig_pair(r, &fd[i]);
		rig_pop(r, &pop[i], q[i], UINT32_MAX);
	}
	rig_poll(r);
	assert_int_equal(pipe(gate), 0);
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		close(gate[1]);
		_exit(read(gate[0], &c, 1) == 0 ? 0 : 1);
	}
	close(gate[0]);
	assert_int_equal(write(fd[0], "x", 1), 1);
	r->class->close(q[0]);
	assert_int_equal(write(fd[0], "x", 1), 1);
	assert_int_equal(write(fd[1], "y", 1), 1);
	rig_wait_ok(r, &pop[1]);
	rig_drop(&pop[1]);
	assert_false(pop[0].done);
	close(gate[1]);
	waitpid(child, NULL, 0);
	for (unsigned i = 0; i < 4; i++)
		close(fd[i]);
}

static void a_forked_child_lets_go_and_the_parents_connections_live(void **state)
{
	struct rig *r = *state;
	int fd[4], status;
	struct queue *q[4];
	struct rig_op pop[4], push;
	pid_t child;
	char c;

	for (unsigned i = 0; i < 4; i++) {
		q[i] = rig_pair(r, &fd[i]);
		rig_pop(r, &pop[i], q[i], UINT32_MAX);
	}
	r->class->arm(r->libos);
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		r->class->forked(r->libos);
		_exit(recv(kernel_queue_of(q[0])->fd, &c, 1, 0) == -1 && errno == EBADF ? 0 : 1);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	for (unsigned i = 0; i < 4; i++) {
		rig_push(r, &push, q[i], "x", 1);
		rig_wait_ok(r, &push);
		rig_drop(&push);
		assert_int_equal(read(fd[i], &c, 1), 1);
		assert_int_equal(write(fd[i], "y", 1), 1);
		must_wake(r);
		rig_wait_ok(r, &pop[i]);
		rig_drop(&pop[i]);
		close(fd[i]);
	}
}

/* Takes the descriptor out of the way, so that the set refuses it. */
static void a_queue_that_the_set_refuses_is_tried_by_the_clock(void **state)
{
	struct rig *r = *state;
	struct kernel *k = kernel(r);
	int fd[4], epoll_fd = k->epoll_fd;
	struct queue *q[4];
	struct rig_op pop[4];

	for (unsigned i = 0; i < 4; i++) {
		q[i] = rig_pair(r, &fd[i]);
		if (i == 3)
			k->epoll_fd = -1;
		rig_pop(r, &pop[i], q[i], UINT32_MAX);
	}
	assert_false(list_empty(&kernel_queue_of(q[3])->stalled));
	assert_true(r->class->next_deadline(r->libos) != UINT64_MAX);
	assert_int_equal(write(fd[3], "x", 1), 1);
	rig_wait_ok(r, &pop[3]);
	rig_drop(&pop[3]);
	k->epoll_fd = epoll_fd;
	rig_pop(r, &pop[3], q[3], UINT32_MAX);
	assert_true(kernel_queue_of(q[3])->registered);
	for (unsigned i = 0; i < 4; i++)
		close(fd[i]);
}

/* The sender of a message pays for each epoll set that its receiver is in. */
static void what_is_always_found_directly_leaves_the_epoll_set_until_it_sleeps(void **state)
{
	struct rig *r = *state;
	struct rig_op pop;
	struct queue *q;
	int fd;

	q = rig_pair(r, &fd);
	kernel_register(kernel(r), kernel_queue_of(q));
	for (unsigned i = 0; i < KERNEL_DIRECT_CALM; i++) {
		assert_true(kernel_queue_of(q)->registered);
		rig_pop(r, &pop, q, UINT32_MAX);
		assert_int_equal(write(fd, "x", 1), 1);
		rig_wait_ok(r, &pop);
		rig_drop(&pop);
	}
	assert_false(kernel_queue_of(q)->registered);
	rig_pop(r, &pop, q, UINT32_MAX);
	assert_int_equal(r->class->arm(r->libos), 0);
	assert_true(kernel_queue_of(q)->registered);
	assert_int_equal(write(fd, "x", 1), 1);
	rig_wait_ok(r, &pop);
	rig_drop(&pop);
	close(fd);
}

int main(void)
{
#define test(name) cmocka_unit_test_setup_teardown(name, rig_setup, rig_teardown)
	const struct CMUnitTest tests[] = {
	    test(what_is_always_found_directly_leaves_the_epoll_set_until_it_sleeps),
	    test(a_sleeper_wakes_for_each_message),
	    test(a_sleep_ends_only_when_something_can_be_done),
	    test(no_wakeup_is_lost_whatever_the_timing),
	    test(growing_past_direct_polling_forgets_nobody),
	    test(a_message_costs_one_receive_when_edges_tell),
	    test(a_flood_on_one_connection_does_not_starve_another),
	    test(events_of_a_closed_queue_do_not_come_while_a_child_holds_its_descriptor),
	    test(a_forked_child_lets_go_and_the_parents_connections_live),
	    test(a_queue_that_the_set_refuses_is_tried_by_the_clock),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
