/* A device for several instances, over links of the test's own: whose a frame is, who polls, and
 * who is woken. The members are all in this thread; the time is the test's.
 *
 * SPDX-License-Identifier: MIT
 */
#include "libos/inet_share.h"
#include "base/bytes.h"
#include "inet/stack.h"
#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

enum { OURS = 0x0a090001, PEER = 0x0a090002, LEN = 60, WAITING = 1024, TCP = 6, UDP = 17 };

static const uint8_t mac[6] = {2, 0, 0, 0, 0, 1};

/* Gives the frames that the test puts there, and counts those that are sent. */
struct fake {
	struct link link;
	struct buf *waiting[WAITING];
	unsigned first, end;
	int event_fd, arm, rx_error;
	unsigned polls;
};

struct world {
	struct fake *source, *other; /* other: NULL: there is one */
	bool two;                    /* is to have another */
	struct link *members[4];
	struct stack *stacks[4];
	unsigned closed;
	uint64_t now_ns;
};

static struct world *world;

static int fake_rx(struct link *l, struct buf *bufs[], int max, uint64_t now_ns)
{
	struct fake *f = container_of(l, struct fake, link);
	int n = 0;

	(void)now_ns;
	f->polls++;
	if (f->rx_error < 0)
		return f->rx_error;
	while (n < max && f->first < f->end)
		bufs[n++] = f->waiting[f->first++];
	return n;
}

static int fake_tx(struct link *l, struct frame frames[], int n, uint64_t now_ns)
{
	(void)now_ns;
	for (int i = 0; i < n; i++)
		frame_release(&frames[i]);
	l->tx_frames += (uint64_t)n;
	return n;
}

static int fake_wake_fd(struct link *l)
{
	return container_of(l, struct fake, link)->event_fd;
}

static int fake_arm(struct link *l)
{
	return container_of(l, struct fake, link)->arm;
}

static void fake_destroy(struct link *l)
{
	struct fake *f = container_of(l, struct fake, link);

	while (f->first < f->end)
		buf_unref(f->waiting[f->first++]);
	pool_destroy(l->info.rx_pool);
	close(f->event_fd);
	free(f);
}

static const struct link_ops fake_ops = {
    .name = "fake",
    .rx = fake_rx,
    .tx = fake_tx,
    .wake_fd = fake_wake_fd,
    .arm = fake_arm,
    .destroy = fake_destroy,
};

static struct fake *new_fake(void)
{
	struct fake *f = calloc(1, sizeof(*f));

	f->link.ops = &fake_ops;
	f->link.info.mtu = 1500;
	memcpy(f->link.info.mac, mac, sizeof(mac));
	f->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	assert_int_equal(pool_create(&f->link.info.rx_pool, 2048, 2048, BUF_HEADROOM_BYTES, NULL),
			 0);
	return f;
}

/* A card that looks at the last bit of the peer's port and ours. */
static int source_of(struct share_device *device, const struct endpoint *peer,
		     const struct endpoint *local)
{
	assert_int_equal(device->count, 2);
	return (local->port ^ peer->port) & 1;
}

static int open_device(struct share_device *out, void *arg)
{
	(void)arg;
	world->source = new_fake();
	out->sources[0] = &world->source->link;
	out->count = 1;
	if (!world->two)
		return 0;
	world->other = new_fake();
	out->sources[out->count++] = &world->other->link;
	out->source_of = source_of;
	out->instances = 2;
	return 0;
}

static void close_device(struct share_device *device)
{
	while (device->count > 0) {
		struct link *l = device->sources[--device->count];

		l->ops->destroy(l);
	}
	world->closed++;
}

static int open_sender(struct link **out, struct share_device *device, void *arg)
{
	(void)device;
	(void)arg;
	*out = &new_fake()->link;
	return 0;
}

static int join(struct link **out)
{
	const struct share_plan plan = {
	    .interface = "fake0",
	    .addr = ip4(OURS),
	    .instances = 3,
	    .open = open_device,
	    .close = close_device,
	    .open_sender = open_sender,
	};

	return inet_share_join(out, &plan);
}

/* With a stack, so that it can have ports. */
static void add_member(unsigned i)
{
	struct stack_config cfg;

	assert_int_equal(join(&world->members[i]), 0);
	stack_config_init(&cfg);
	memcpy(cfg.mac, mac, sizeof(mac));
	cfg.addr = ip4(OURS);
	cfg.prefix_len = 24;
	cfg.mtu = 1500;
	cfg.pool = world->members[i]->info.rx_pool;
	cfg.max_tcp = 64;
	cfg.max_udp = 64;
	cfg.key[0] = i + 1;
	cfg.ports = inet_share_ports(world->members[i], &cfg.ports_member);
	assert_non_null(cfg.ports);
	assert_int_equal(cfg.ports_member, i);
	assert_int_equal(stack_create(&world->stacks[i], &cfg, world->now_ns), 0);
	inet_share_attach(world->members[i], world->stacks[i]);
}

static void remove_member(unsigned i)
{
	stack_destroy(world->stacks[i]);
	world->members[i]->ops->destroy(world->members[i]);
	world->stacks[i] = NULL;
	world->members[i] = NULL;
}

static int setup(void **state)
{
	world = calloc(1, sizeof(*world));
	world->now_ns = 1000000000;
	add_member(0);
	add_member(1);
	*state = world;
	return 0;
}

static int setup_two_sources(void **state)
{
	world = calloc(1, sizeof(*world));
	world->now_ns = 1000000000;
	world->two = true;
	add_member(0);
	add_member(1);
	*state = world;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 4; i++) {
		if (world->members[i])
			remove_member(i);
	}
	assert_int_equal(world->closed, 1); /* the device went with the last of them */
	free(world);
	return 0;
}

static struct sock *open_socket(unsigned member, int type, uint16_t port, bool share)
{
	const struct endpoint at = {ip4(OURS), port};
	struct sock *k;

	assert_int_equal(stack_open(world->stacks[member], type, NULL, &k), 0);
	assert_int_equal(stack_bind(k, &at, share), 0);
	return k;
}

static uint8_t *put(uint16_t type)
{
	struct buf *b = pool_get(world->source->link.info.rx_pool);

	assert_true(b && world->source->end < WAITING);
	memset(b->data, 0, LEN);
	memcpy(b->data, mac, 6);
	put_be16(b->data + 12, type);
	b->len = LEN;
	world->source->waiting[world->source->end++] = b;
	return b->data;
}

static uint8_t *put_ip(uint8_t protocol, uint16_t from, uint16_t to)
{
	uint8_t *f = put(0x0800);

	f[14] = 0x45;
	put_be16(f + 16, LEN - 14);
	f[23] = protocol;
	put_be32(f + 26, PEER);
	put_be32(f + 30, OURS);
	put_be16(f + 34, from);
	put_be16(f + 36, to);
	return f;
}

static void put_syn(uint16_t from, uint16_t to)
{
	put_ip(TCP, from, to)[47] = 0x02;
}

/* Polls a member once: how many frames, and the flags of the last. */
static int poll_member(unsigned i, uint16_t *flags)
{
	struct buf *bufs[LINK_BURST];
	int n = world->members[i]->ops->rx(world->members[i], bufs, LINK_BURST, world->now_ns);

	for (int k = 0; k < n; k++) {
		if (flags)
			*flags = bufs[k]->flags;
		buf_unref(bufs[k]);
	}
	return n;
}

static void a_frame_goes_to_who_has_its_port(void **state)
{
	(void)state;
	open_socket(0, SOCK_DGRAM, 1000, false);
	open_socket(1, SOCK_DGRAM, 1001, false);
	open_socket(1, SOCK_STREAM, 80, false);
	put_ip(UDP, 5, 1000);
	put_ip(UDP, 5, 1001);
	put_ip(TCP, 5, 80);
	assert_int_equal(poll_member(0, NULL), 1); /* reads all three */
	assert_int_equal(poll_member(1, NULL), 2);
	assert_int_equal(poll_member(0, NULL) + poll_member(1, NULL), 0);
}

static void what_is_nobodys_stays_with_who_reads_it(void **state)
{
	uint16_t flags = 0xffff;

	(void)state;
	put_ip(TCP, 5, 12345);
	assert_int_equal(poll_member(1, &flags), 1);
	assert_int_equal(flags & BUF_OVERHEARD, 0); /* and is answered */
	assert_int_equal(poll_member(0, NULL), 0);
}

static void what_concerns_all_is_copied_and_answered_by_one(void **state)
{
	uint16_t flags[2] = {0};

	(void)state;
	put(0x0806);
	assert_int_equal(poll_member(0, &flags[0]), 1);
	assert_int_equal(poll_member(1, &flags[1]), 1);
	assert_int_equal(flags[0] & BUF_OVERHEARD, 0);
	assert_int_equal(flags[1] & BUF_OVERHEARD, BUF_OVERHEARD);
}

static void pieces_go_to_all_and_are_answered_by_none(void **state)
{
	uint16_t flags[2] = {0};

	(void)state;
	put_be16(put_ip(UDP, 5, 1000) + 20, 0x2000);
	for (unsigned i = 0; i < 2; i++) {
		assert_int_equal(poll_member(i, &flags[i]), 1);
		assert_int_equal(flags[i] & BUF_OVERHEARD, BUF_OVERHEARD);
	}
	remove_member(1); /* alone, nobody else can answer */
	put_be16(put_ip(UDP, 5, 1000) + 20, 0x2000);
	assert_int_equal(poll_member(0, &flags[0]), 1);
	assert_int_equal(flags[0] & BUF_OVERHEARD, 0);
}

static void a_ping_is_answered_once(void **state)
{
	(void)state;
	put_ip(1, 0, 0)[34] = 8;
	assert_int_equal(poll_member(0, NULL), 1);
	assert_int_equal(poll_member(1, NULL), 0);
}

static void new_connections_are_spread_over_the_listeners(void **state)
{
	int got[2] = {0};

	(void)state;
	for (unsigned i = 0; i < 2; i++)
		assert_int_equal(stack_listen(open_socket(i, SOCK_STREAM, 80, true), 8), 0);
	for (uint16_t port = 1; port <= 400; port++) {
		put_syn(port, 80);
		got[0] += poll_member(0, NULL);
		got[1] += poll_member(1, NULL);
	}
	assert_int_equal(got[0] + got[1], 400);
	assert_true(got[0] > 100 && got[1] > 100);
}

static void who_has_the_port_and_does_not_listen_gets_no_connection(void **state)
{
	(void)state;
	open_socket(0, SOCK_STREAM, 80, true);
	assert_int_equal(stack_listen(open_socket(1, SOCK_STREAM, 80, true), 8), 0);
	for (uint16_t port = 1; port <= 100; port++) {
		put_syn(port, 80);
		assert_int_equal(poll_member(0, NULL), 0);
		assert_int_equal(poll_member(1, NULL), 1);
	}
}

/* It goes through all who have the port, and ends with the last. */
static void a_segment_of_an_unknown_connection_ends_somewhere(void **state)
{
	int got = 0;

	(void)state;
	for (unsigned i = 0; i < 2; i++)
		assert_int_equal(stack_listen(open_socket(i, SOCK_STREAM, 80, true), 8), 0);
	for (uint16_t port = 1; port <= 50; port++)
		put_ip(TCP, port, 80)[47] = 0x10;
	for (unsigned round = 0; round < 20; round++)
		got += poll_member(round % 2, NULL);
	assert_int_equal(got, 50);
}

static void a_source_is_polled_by_its_owner_alone(void **state)
{
	(void)state;
	assert_int_equal(poll_member(0, NULL), 0);
	assert_int_equal(world->source->polls, 1);
	world->now_ns += SHARE_STALE_NS;
	assert_int_equal(poll_member(1, NULL), 0);
	assert_int_equal(world->source->polls, 1);
}

static void one_that_is_not_polled_is_taken_over(void **state)
{
	(void)state;
	poll_member(0, NULL);
	put_ip(TCP, 5, 12345);
	world->now_ns += SHARE_STALE_NS + 1;
	assert_int_equal(poll_member(1, NULL), 1);
	put_ip(TCP, 5, 12345);
	assert_int_equal(poll_member(0, NULL), 0); /* and stays there */
	assert_int_equal(poll_member(1, NULL), 1);
}

static void one_whose_owner_is_gone_is_taken_over_at_once(void **state)
{
	(void)state;
	poll_member(0, NULL);
	remove_member(0);
	put_ip(TCP, 5, 12345);
	assert_int_equal(poll_member(1, NULL), 1);
}

static bool is_readable(unsigned i)
{
	struct link *l = world->members[i];
	struct pollfd p = {.fd = l->ops->wake_fd(l), .events = POLLIN};

	return poll(&p, 1, 0) == 1;
}

static void who_sleeps_is_woken_by_what_is_handed_over(void **state)
{
	(void)state;
	open_socket(1, SOCK_DGRAM, 1001, false);
	poll_member(0, NULL);
	poll_member(1, NULL);
	assert_int_equal(world->members[1]->ops->arm(world->members[1]), 0);
	assert_false(is_readable(1));
	put_ip(UDP, 5, 1001);
	assert_int_equal(poll_member(0, NULL), 0);
	assert_true(is_readable(1));
	assert_int_equal(poll_member(1, NULL), 1);
	assert_false(is_readable(1));
}

static void what_was_handed_over_before_is_not_slept_over(void **state)
{
	(void)state;
	open_socket(1, SOCK_DGRAM, 1001, false);
	put_ip(UDP, 5, 1001);
	poll_member(0, NULL);
	assert_int_equal(world->members[1]->ops->arm(world->members[1]), 1);
}

static void its_owner_alone_sleeps_on_a_source(void **state)
{
	struct link *a, *b;

	(void)state;
	a = world->members[0];
	b = world->members[1];
	poll_member(0, NULL);
	poll_member(1, NULL);
	assert_int_equal(a->ops->arm(a), 0);
	assert_int_equal(b->ops->arm(b), 0);
	assert_int_equal(eventfd_write(world->source->event_fd, 1), 0);
	assert_true(is_readable(0));
	assert_false(is_readable(1));
	/* The other looks now and then, whether the owner still does. */
	assert_true(a->ops->next_deadline(a) == UINT64_MAX);
	assert_true(b->ops->next_deadline(b) == world->now_ns + SHARE_LOOK_NS);
	world->now_ns += SHARE_STALE_NS + 1;
	poll_member(1, NULL);
	assert_int_equal(b->ops->arm(b), 0);
	assert_int_equal(a->ops->arm(a), 0);
	assert_true(is_readable(1));
	assert_false(is_readable(0));
}

static void there_are_no_more_than_was_said(void **state)
{
	struct link *none;

	(void)state;
	add_member(2);
	assert_int_equal(join(&none), -EBUSY);
	remove_member(1);
	add_member(1); /* in the place that is free */
}

static void who_is_flooded_loses_what_does_not_fit(void **state)
{
	enum { FRAMES = 1000 };
	int got = 0, n;

	(void)state;
	open_socket(1, SOCK_DGRAM, 1001, false);
	for (unsigned i = 0; i < FRAMES; i++)
		put_ip(UDP, 5, 1001);
	while (world->source->first < world->source->end)
		poll_member(0, NULL);
	while ((n = poll_member(1, NULL)) > 0)
		got += n;
	assert_true(got > 0 && got < FRAMES);
	assert_int_equal(world->members[0]->rx_dropped, FRAMES - got);
	assert_int_equal(world->source->link.info.rx_pool->free_count, 2048);
}

static void an_interface_that_is_gone_is_gone_for_all(void **state)
{
	(void)state;
	world->source->rx_error = -ENODEV;
	assert_int_equal(poll_member(0, NULL), -ENODEV);
	assert_int_equal(poll_member(1, NULL), -ENODEV);
	assert_int_equal(world->members[1]->ops->arm(world->members[1]), -ENODEV);
}

static void a_port_has_one_stack_unless_all_share_it(void **state)
{
	const struct endpoint at = {ip4(OURS), 80};
	struct sock *first, *second;

	(void)state;
	for (int type = SOCK_STREAM; type <= SOCK_DGRAM; type++) {
		first = open_socket(0, type, 80, false);
		assert_int_equal(stack_open(world->stacks[1], type, NULL, &second), 0);
		assert_int_equal(stack_bind(second, &at, false), -EADDRINUSE);
		assert_int_equal(stack_bind(second, &at, true), -EADDRINUSE);
		stack_close(first, world->now_ns);
		assert_int_equal(stack_bind(second, &at, true), 0);
		open_socket(0, type, 80, true);
	}
}

static void ports_that_are_chosen_are_never_the_same(void **state)
{
	enum { EACH = 60 };
	bool seen[65536] = {false};

	(void)state;
	for (int type = SOCK_STREAM; type <= SOCK_DGRAM; type++) {
		memset(seen, 0, sizeof(seen));
		for (unsigned i = 0; i < 2 * EACH; i++) {
			struct sock *k = open_socket(i % 2, type, 0, false);

			assert_false(seen[stack_local(k).port]);
			seen[stack_local(k).port] = true;
		}
	}
}

static void a_device_that_cannot_wake_is_said_to(void **state)
{
	struct link *a = world->members[0];

	(void)state;
	poll_member(0, NULL);
	world->source->arm = -EAGAIN;
	assert_int_equal(a->ops->arm(a), -EAGAIN);
	world->source->arm = 1;
	assert_int_equal(a->ops->arm(a), 1);
}

static void a_source_comes_home_when_its_instance_polls(void **state)
{
	(void)state;
	poll_member(0, NULL); /* which is alone: all are its */
	assert_int_equal(world->other->polls, 1);
	poll_member(1, NULL);
	assert_int_equal(world->other->polls, 2);
	assert_int_equal(world->source->polls, 1);
	poll_member(0, NULL);
	assert_int_equal(world->other->polls, 2);
	assert_int_equal(world->source->polls, 2);
	world->now_ns += SHARE_STALE_NS + 1; /* the second is busy elsewhere */
	poll_member(0, NULL);
	assert_int_equal(world->other->polls, 3);
	poll_member(1, NULL);
	assert_int_equal(world->other->polls, 4);
}

static void connections_have_ports_whose_segments_come_home(void **state)
{
	const struct endpoint to = {ip4(PEER), 80};

	(void)state;
	for (unsigned i = 0; i < 20; i++) {
		struct sock *k;

		assert_int_equal(stack_open(world->stacks[i % 2], SOCK_STREAM, NULL, &k), 0);
		assert_int_equal(stack_connect(k, &to, world->now_ns), -EINPROGRESS);
		assert_int_equal(stack_local(k).port & 1, i % 2);
	}
}

static void new_connections_go_where_their_segments_will_come(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 2; i++)
		assert_int_equal(stack_listen(open_socket(i, SOCK_STREAM, 80, true), 10), 0);
	for (uint16_t port = 5000; port < 5020; port++) {
		put_syn(port, 80);
		assert_int_equal(poll_member(0, NULL), port % 2 == 0);
		assert_int_equal(poll_member(1, NULL), port % 2 == 1);
	}
}

static void there_are_no_more_than_the_device_has_room_for(void **state)
{
	struct link *none;

	(void)state;
	assert_int_equal(join(&none), -EBUSY); /* three were planned */
}

#define with_two_sources(test) cmocka_unit_test_setup_teardown(test, setup_two_sources, teardown)
#define with_two(test)         cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    with_two(a_frame_goes_to_who_has_its_port),
	    with_two(what_is_nobodys_stays_with_who_reads_it),
	    with_two(what_concerns_all_is_copied_and_answered_by_one),
	    with_two(pieces_go_to_all_and_are_answered_by_none),
	    with_two(a_ping_is_answered_once),
	    with_two(new_connections_are_spread_over_the_listeners),
	    with_two(who_has_the_port_and_does_not_listen_gets_no_connection),
	    with_two(a_segment_of_an_unknown_connection_ends_somewhere),
	    with_two(a_source_is_polled_by_its_owner_alone),
	    with_two(one_that_is_not_polled_is_taken_over),
	    with_two(one_whose_owner_is_gone_is_taken_over_at_once),
	    with_two(who_sleeps_is_woken_by_what_is_handed_over),
	    with_two(what_was_handed_over_before_is_not_slept_over),
	    with_two(its_owner_alone_sleeps_on_a_source),
	    with_two(there_are_no_more_than_was_said),
	    with_two(who_is_flooded_loses_what_does_not_fit),
	    with_two(an_interface_that_is_gone_is_gone_for_all),
	    with_two(a_port_has_one_stack_unless_all_share_it),
	    with_two(ports_that_are_chosen_are_never_the_same),
	    with_two(a_device_that_cannot_wake_is_said_to),
	    with_two_sources(a_source_comes_home_when_its_instance_polls),
	    with_two_sources(connections_have_ports_whose_segments_come_home),
	    with_two_sources(new_connections_go_where_their_segments_will_come),
	    with_two_sources(there_are_no_more_than_the_device_has_room_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
