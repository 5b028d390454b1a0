/* kernel_udp_test.c - what catnap does with datagrams.
 *
 * SPDX-License-Identifier: MIT
 */
#include "libos/kernel_rig.h"
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

static void datagrams_keep_their_bounds_and_their_sender(void **state)
{
	struct rig *r = *state;
	struct queue *a = rig_socket(r, QUEUE_UDP), *b = rig_socket(r, QUEUE_UDP);
	struct endpoint any = rig_at(0);
	struct rig_op push, pop;
	static uint8_t big[65507];

	assert_int_equal(r->class->bind(a, &any), 0);
	assert_int_equal(r->class->bind(b, &any), 0);
	rig_pop(r, &pop, b, UINT32_MAX);
	assert_false(pop.done);
	rig_push_to(r, &push, a, "one", 3, rig_port(b));
	rig_wait_ok(r, &push);
	rig_drop(&push);
	rig_push_to(r, &push, a, big, sizeof(big), rig_port(b));
	rig_wait_ok(r, &push);
	rig_drop(&push);
	rig_wait_ok(r, &pop);
	assert_int_equal(pop.op.pop.len, 3);
	assert_int_equal(pop.op.pop.from.port, rig_port(a));
	rig_drop(&pop);
	rig_pop(r, &pop, b, UINT32_MAX);
	rig_wait_ok(r, &pop);
	assert_int_equal(pop.op.pop.len, sizeof(big));
	rig_drop(&pop);
}

static void a_sized_pop_leaves_the_rest_of_a_datagram(void **state)
{
	struct rig *r = *state;
	struct queue *a = rig_socket(r, QUEUE_UDP), *b = rig_socket(r, QUEUE_UDP);
	struct endpoint any = rig_at(0);
	static const char *const pieces[] = {"abc", "def", "g", "xyz"};
	struct rig_op push[2], pop[4];

	assert_int_equal(r->class->bind(a, &any), 0);
	assert_int_equal(r->class->bind(b, &any), 0);
	rig_push_to(r, &push[0], a, "abcdefg", 7, rig_port(b));
	rig_push_to(r, &push[1], a, "xyz", 3, rig_port(b));
	for (unsigned i = 0; i < 4; i++)
		rig_pop(r, &pop[i], b, 3);
	for (unsigned i = 0; i < 4; i++) {
		rig_wait_ok(r, &pop[i]);
		assert_int_equal(pop[i].op.pop.len, strlen(pieces[i]));
		assert_memory_equal(pop[i].op.pop.data, pieces[i], strlen(pieces[i]));
		assert_int_equal(pop[i].op.pop.from.port, rig_port(a));
	}
	for (unsigned i = 0; i < 4; i++)
		rig_drop(&pop[i]);
	rig_drop(&push[0]);
	rig_drop(&push[1]);
	/* A rest that nobody comes for goes with its queue. */
	rig_push_to(r, &push[0], a, "abcdefg", 7, rig_port(b));
	rig_pop(r, &pop[0], b, 3);
	rig_wait_ok(r, &pop[0]);
	r->class->close(b);
	rig_drop(&push[0]);
	rig_drop(&pop[0]);
}

static void an_empty_datagram_is_a_message(void **state)
{
	struct rig *r = *state;
	struct queue *q = rig_socket(r, QUEUE_UDP);
	struct endpoint at = rig_at(0);
	struct sockaddr_in sin;
	int fd = socket(AF_INET, SOCK_DGRAM, 0);
	struct rig_op pop;

	assert_int_equal(r->class->bind(q, &at), 0);
	at.port = rig_port(q);
	sin = endpoint_to_sockaddr_in(&at);
	assert_int_equal(sendto(fd, "", 0, 0, (struct sockaddr *)&sin, sizeof(sin)), 0);
	assert_int_equal(sendto(fd, "x", 1, 0, (struct sockaddr *)&sin, sizeof(sin)), 1);
	for (uint32_t len = 0; len < 2; len++) {
		rig_pop(r, &pop, q, UINT32_MAX);
		rig_wait_ok(r, &pop);
		assert_int_equal(pop.op.pop.len, len);
		assert_int_not_equal(pop.op.pop.from.port, 0);
		rig_drop(&pop);
	}
	close(fd);
}

static void errors_of_datagrams_are_failed_operations(void **state)
{
	struct rig *r = *state;
	struct queue *q = rig_socket(r, QUEUE_UDP), *gone = rig_socket(r, QUEUE_UDP);
	struct endpoint any = rig_at(0);
	struct rig_op connect, push, pop;
	static uint8_t big[65508];

	assert_int_equal(r->class->bind(gone, &any), 0);
	rig_connect(r, &connect, q, rig_port(gone));
	rig_wait_ok(r, &connect);
	r->class->close(gone);
	rig_pop(r, &pop, q, UINT32_MAX);
	rig_push(r, &push, q, "x", 1);
	rig_wait_ok(r, &push);
	rig_drop(&push);
	rig_wait(r, &pop);
	assert_int_equal(pop.op.error, -ECONNREFUSED);
	rig_push(r, &push, q, big, sizeof(big));
	rig_wait(r, &push);
	assert_int_equal(push.op.error, -EMSGSIZE);
	rig_drop(&push);
}

int main(void)
{
#define test(name) cmocka_unit_test_setup_teardown(name, rig_setup, rig_teardown)
	const struct CMUnitTest tests[] = {
	    test(datagrams_keep_their_bounds_and_their_sender),
	    test(a_sized_pop_leaves_the_rest_of_a_datagram),
	    test(an_empty_datagram_is_a_message),
	    test(errors_of_datagrams_are_failed_operations),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
