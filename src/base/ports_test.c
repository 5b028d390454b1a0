/* SPDX-License-Identifier: MIT */
#include "base/ports.h"
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

static int setup(void **state)
{
	struct ports *p = ports_create();

	assert_non_null(p);
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(ports_join(p, i), 0);
	*state = p;
	return 0;
}

static int teardown(void **state)
{
	ports_destroy(*state);
	return 0;
}

static void a_port_has_one_member(void **state)
{
	struct ports *p = *state;

	assert_true(ports_take(p, 0, PORTS_TCP, 80, false));
	assert_false(ports_take(p, 1, PORTS_TCP, 80, false));
	assert_false(ports_take(p, 1, PORTS_TCP, 80, true));
	assert_true(ports_take(p, 1, PORTS_UDP, 80, false)); /* another protocol's */
	assert_int_equal(ports_holders(p, PORTS_TCP, 80), 1);
	assert_int_equal(ports_holders(p, PORTS_UDP, 80), 2);
	ports_drop(p, 0, PORTS_TCP, 80);
	assert_true(ports_take(p, 1, PORTS_TCP, 80, false));
}

static void it_is_the_members_until_the_last_drop(void **state)
{
	struct ports *p = *state;

	for (int i = 0; i < 3; i++)
		assert_true(ports_take(p, 2, PORTS_TCP, 65535, false));
	for (int i = 0; i < 3; i++) {
		assert_int_equal(ports_holders(p, PORTS_TCP, 65535), 4);
		assert_false(ports_take(p, 0, PORTS_TCP, 65535, false));
		ports_drop(p, 2, PORTS_TCP, 65535);
	}
	assert_int_equal(ports_holders(p, PORTS_TCP, 65535), 0);
}

static void members_share_a_port_when_each_says_so(void **state)
{
	struct ports *p = *state;

	assert_true(ports_take(p, 0, PORTS_TCP, 80, true));
	assert_true(ports_take(p, 1, PORTS_TCP, 80, true));
	assert_false(ports_take(p, 2, PORTS_TCP, 80, false));
	assert_int_equal(ports_holders(p, PORTS_TCP, 80), 3);
	ports_drop(p, 0, PORTS_TCP, 80);
	assert_true(ports_take(p, 2, PORTS_TCP, 80, true));
	ports_drop(p, 1, PORTS_TCP, 80);
	ports_drop(p, 2, PORTS_TCP, 80);
	assert_true(ports_take(p, 2, PORTS_TCP, 80, false)); /* anew */
	assert_false(ports_take(p, 1, PORTS_TCP, 80, true));
}

static void listeners_are_a_part_of_the_holders(void **state)
{
	struct ports *p = *state;

	assert_true(ports_take(p, 0, PORTS_TCP, 80, true));
	assert_true(ports_take(p, 1, PORTS_TCP, 80, true));
	ports_listen(p, 1, 80);
	ports_listen(p, 1, 80);
	assert_int_equal(ports_listeners(p, 80), 2);
	ports_unlisten(p, 1, 80);
	assert_int_equal(ports_listeners(p, 80), 2);
	ports_unlisten(p, 1, 80);
	assert_int_equal(ports_listeners(p, 80), 0);
	assert_int_equal(ports_holders(p, PORTS_TCP, 80), 3);
}

static void who_leaves_drops_all(void **state)
{
	struct ports *p = *state;

	assert_true(ports_take(p, 1, PORTS_TCP, 0, false));
	assert_true(ports_take(p, 1, PORTS_UDP, 65535, false));
	assert_true(ports_take(p, 1, PORTS_UDP, 65535, false));
	ports_listen(p, 1, 0);
	ports_leave(p, 1);
	assert_int_equal(ports_holders(p, PORTS_TCP, 0), 0);
	assert_int_equal(ports_holders(p, PORTS_UDP, 65535), 0);
	assert_int_equal(ports_listeners(p, 0), 0);
	assert_int_equal(ports_join(p, 1), 0);
	assert_true(ports_take(p, 0, PORTS_UDP, 65535, false));
	assert_false(ports_take(p, 1, PORTS_UDP, 65535, false));
}

enum { ROUNDS = 20000, CONTESTED = 4 };

struct contender {
	pthread_t thread;
	struct ports *p;
	unsigned member;
	int *inside; /* by port: who believes to have it */
};

/* Takes and drops the same few ports as the others; what is taken is nobody else's. */
static void *contend(void *arg)
{
	struct contender *c = arg;
	long won = 0;

	for (unsigned i = 0; i < ROUNDS; i++) {
		uint16_t port = (uint16_t)(i % CONTESTED);

		if (!ports_take(c->p, c->member, PORTS_TCP, port, false))
			continue;
		won += __atomic_fetch_add(&c->inside[port], 1, __ATOMIC_RELAXED) == 0 ? 0 : ROUNDS;
		__atomic_fetch_sub(&c->inside[port], 1, __ATOMIC_RELAXED);
		ports_drop(c->p, c->member, PORTS_TCP, port);
	}
	return (void *)won; /* 0: nobody else was ever inside */
}

static void two_threads_never_have_the_same_port(void **state)
{
	struct contender all[3];
	int inside[CONTESTED] = {0};

	for (unsigned i = 0; i < 3; i++) {
		all[i] = (struct contender){.p = *state, .member = i, .inside = inside};
		assert_int_equal(pthread_create(&all[i].thread, NULL, contend, &all[i]), 0);
	}
	for (unsigned i = 0; i < 3; i++) {
		void *clashes;

		assert_int_equal(pthread_join(all[i].thread, &clashes), 0);
		assert_null(clashes);
	}
	for (uint16_t port = 0; port < CONTESTED; port++)
		assert_int_equal(ports_holders(*state, PORTS_TCP, port), 0);
}

static bool is_like_the_member(void *arg, unsigned member, const struct endpoint *peer,
			       const struct endpoint *local)
{
	assert_ptr_equal(arg, peer);
	return local->port % 2 == member;
}

static void a_device_may_say_which_ports_are_near(void **state)
{
	struct endpoint peer = {ip4(1), 80}, local = {ip4(2), 7};

	assert_true(ports_is_near(*state, 0, &peer, &local));
	ports_steer(*state, is_like_the_member, &peer);
	assert_false(ports_is_near(*state, 0, &peer, &local));
	assert_true(ports_is_near(*state, 1, &peer, &local));
}

#define with_three(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    with_three(a_port_has_one_member),
	    with_three(it_is_the_members_until_the_last_drop),
	    with_three(members_share_a_port_when_each_says_so),
	    with_three(listeners_are_a_part_of_the_holders),
	    with_three(who_leaves_drops_all),
	    with_three(a_device_may_say_which_ports_are_near),
	    with_three(two_threads_never_have_the_same_port),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
