/* SPDX-License-Identifier: MIT */
#include "libos/catpowder.h"
#include "libos/inet_rig.h"
#include <errno.h>
#include <net/if.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

enum { BIG = 4 << 20 };

static struct rig *allowed(void **state)
{
	if (*state == NULL)
		skip(); /* no network namespace, or no AF_XDP, without privileges */
	return *state;
}

static bool lies_in_umem(struct rig *r, int side, const uint8_t *data)
{
	size_t bytes;
	const uint8_t *umem = heap_pin(r->side[side].heap, &bytes);

	return data >= umem && data < umem + bytes;
}

static void nothing_is_copied_over_xdp(void **state)
{
	struct rig *r = allowed(state);
	struct link *link[2] = {rig_inet(r, 0)->link, rig_inet(r, 1)->link};
	struct rig_op push;
	struct queue *q[2];
	uint32_t got = 0;

	rig_connection(r, q);
	rig_push(&push, q[1], BIG, 3, NULL);
	assert_false(push.done); /* until its memory is not needed any more */
	while (got < BIG) {
		struct rig_op pop;

		rig_pop(&pop, q[0]);
		rig_wait_ok(r, &pop);
		assert_true(lies_in_umem(r, 0, pop.op.pop.data));
		got += pop.op.pop.len;
		rig_drop(&pop);
	}
	rig_wait_ok(r, &push);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(link[i]->rx_copied_bytes, 0);
		assert_int_equal(link[i]->tx_copied_bytes, 0);
	}
	assert_int_equal(stack_stats(rig_inet(r, 1)->stack)->tx_copied_bytes, 0);
	rig_drop(&push);
	for (int i = 0; i < 2; i++)
		inet_close(q[i]);
}

static void bytes_arrive_as_they_were_sent(void **state)
{
	struct rig *r = allowed(state);
	struct rig_op push;
	struct queue *q[2];

	rig_connection(r, q);
	rig_push(&push, q[1], BIG, 3, NULL);
	rig_expect(r, q[0], BIG, 3);
	rig_wait_ok(r, &push);
	rig_drop(&push);
	inet_close(q[1]);
	rig_expect_end(r, q[0]);
	inet_close(q[0]);
}

static void a_second_instance_for_the_address_is_refused(void **state)
{
	struct rig *r = allowed(state);
	struct libos_env env = {
	    .config = &r->side[0].config, .heap = r->side[1].heap, .epoll_fd = r->side[1].epoll_fd};
	struct libos *second;

	assert_int_equal(libos_catpowder.create(&second, &env), -EBUSY);
}

static void what_does_not_fit_is_refused(void **state)
{
	struct rig *r = allowed(state);
	struct rig_side *s = &r->side[0];
	struct libos_env env = {.config = &s->config, .heap = s->heap, .epoll_fd = s->epoll_fd};
	const struct config good = s->config;

	inet_destroy(s->libos, 0);
	s->config.mtu = 9000; /* the interface has 1500 */
	assert_int_equal(libos_catpowder.create(&s->libos, &env), -EINVAL);
	s->config = good;
	s->config.interface = (char *)(uintptr_t) "nosuchif";
	assert_int_equal(libos_catpowder.create(&s->libos, &env), -ENODEV);
	s->config = good;
	s->config.interface = NULL;
	assert_int_equal(libos_catpowder.create(&s->libos, &env), -EINVAL);
	s->config = good;
	s->config.has_addr = false;
	assert_int_equal(libos_catpowder.create(&s->libos, &env), -EINVAL);
	s->config = good; /* and nothing was left behind */
	assert_int_equal(libos_catpowder.create(&s->libos, &env), 0);
}

static void set_flags(const char *interface, int set, int clear)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ifreq req = {0};

	strcpy(req.ifr_name, interface);
	assert_int_equal(ioctl(fd, SIOCGIFFLAGS, &req), 0);
	req.ifr_flags = (short)((req.ifr_flags | set) & ~clear);
	assert_int_equal(ioctl(fd, SIOCSIFFLAGS, &req), 0);
	close(fd);
}

static void an_interface_may_go_down_and_come_up(void **state)
{
	struct rig *r = allowed(state);
	struct rig_op push, pop;
	struct queue *q[2];

	rig_connection(r, q);
	set_flags("va", 0, IFF_UP);
	rig_pop(&pop, q[0]);
	rig_push(&push, q[1], 1000, 3, NULL);
	rig_pass_ms(r, 50);
	assert_false(pop.done);
	set_flags("va", IFF_UP, 0);
	rig_wait_ok(r, &pop);
	assert_int_equal(pop.op.pop.len, 1000);
	rig_drop(&pop);
	rig_drop(&push);
	for (int i = 0; i < 2; i++)
		inet_close(q[i]);
}

#define over_xdp(test)    cmocka_unit_test_setup_teardown(test, rig_xdp_setup, rig_teardown)
#define over_packet(test) cmocka_unit_test_setup_teardown(test, rig_packet_setup, rig_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    over_xdp(nothing_is_copied_over_xdp),
	    over_xdp(bytes_arrive_as_they_were_sent),
	    over_xdp(a_second_instance_for_the_address_is_refused),
	    over_xdp(what_does_not_fit_is_refused),
	    over_xdp(an_interface_may_go_down_and_come_up),
	    over_packet(bytes_arrive_as_they_were_sent),
	    over_packet(a_second_instance_for_the_address_is_refused),
	    over_packet(what_does_not_fit_is_refused),
	    over_packet(an_interface_may_go_down_and_come_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
