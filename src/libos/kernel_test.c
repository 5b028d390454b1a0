/* kernel_test.c - what catnap does with TCP operations, and socket options.
 *
 * SPDX-License-Identifier: MIT
 */
#include "libos/kernel_rig.h"
#include "libos/table.h"
#include <errno.h>
#include <netinet/tcp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

static void every_libos_is_found_by_its_name(void **state)
{
	char names[LIBOS_NAMES_BYTES];

	(void)state;
	assert_ptr_equal(libos_find("catnap"), &kernel_class);
	assert_ptr_equal(libos_find("CatNap"), &kernel_class);
	assert_null(libos_find("catna"));
	assert_null(libos_find(""));
	libos_names(names);
	for (unsigned i = 0; libos_at(i) != NULL; i++) {
		const struct libos_class *class = libos_at(i);

		if (class->present && !class->present())
			assert_null(strstr(names, class->name));
		else
			assert_non_null(strstr(names, class->name));
	}
}

static void two_queues_connect_and_exchange_messages(void **state)
{
	struct rig *r = *state;
	struct queue *listener = rig_listener(r), *a = rig_socket(r, QUEUE_TCP), *b;
	struct rig_op accept, connect, push, pop;
	struct endpoint peer;

	rig_accept(r, &accept, listener);
	rig_connect(r, &connect, a, rig_port(listener));
	rig_wait_ok(r, &connect);
	rig_wait_ok(r, &accept);
	b = accept.op.accept.queue;
	assert_int_equal(accept.op.accept.peer.port, rig_port(a));
	assert_int_equal(r->class->getpeername(b, &peer), 0);
	assert_true(endpoint_eq(&peer, &accept.op.accept.peer));

	rig_pop(r, &pop, b, UINT32_MAX);
	assert_false(pop.done);
	rig_push(r, &push, a, "hello", 5);
	rig_wait_ok(r, &push);
	rig_wait_ok(r, &pop);
	assert_int_equal(pop.op.pop.len, 5);
	assert_memory_equal(pop.op.pop.data, "hello", 5);
	rig_drop(&push);
	rig_drop(&pop);

	r->class->close(a);
	rig_pop(r, &pop, b, UINT32_MAX);
	rig_wait_ok(r, &pop);
	assert_int_equal(pop.op.pop.len, 0);
	assert_non_null(pop.op.pop.buf);
	rig_drop(&pop);
}

static void the_end_of_a_stream_stays_the_end(void **state)
{
	struct rig *r = *state;
	int fd;
	struct queue *q = rig_pair(r, &fd);
	struct rig_op pop;

	assert_int_equal(write(fd, "x", 1), 1);
	close(fd);
	for (int i = 0; i < 4; i++) {
		rig_pop(r, &pop, q, UINT32_MAX);
		rig_wait_ok(r, &pop);
		assert_int_equal(pop.op.pop.len, i == 0 ? 1 : 0);
		rig_drop(&pop);
	}
}

static void a_sized_pop_leaves_the_rest_of_a_stream(void **state)
{
	struct rig *r = *state;
	int fd;
	struct queue *q = rig_pair(r, &fd);
	uint8_t data[100];
	size_t got = 0;

	rig_pattern(data, sizeof(data), 1);
	assert_int_equal(write(fd, data, sizeof(data)), sizeof(data));
	while (got < sizeof(data)) {
		struct rig_op pop;

		rig_pop(r, &pop, q, 7);
		rig_wait_ok(r, &pop);
		assert_in_range(pop.op.pop.len, 1, 7);
		assert_memory_equal(pop.op.pop.data, data + got, pop.op.pop.len);
		got += pop.op.pop.len;
		rig_drop(&pop);
	}
	close(fd);
}

/* Pops all of `len` bytes of pattern `seed`; with `more` behind them, no byte of that. */
static void pop_pattern(struct rig *r, struct queue *q, size_t len, unsigned seed, bool more)
{
	uint8_t *data = malloc(len);
	size_t got = 0;

	assert_non_null(data);
	rig_pattern(data, len, seed);
	while (got < len) {
		struct rig_op pop;

		rig_pop(r, &pop, q, more ? (uint32_t)(len - got) : UINT32_MAX);
		rig_wait_ok(r, &pop);
		assert_in_range(pop.op.pop.len, 1, len - got);
		assert_memory_equal(pop.op.pop.data, data + got, pop.op.pop.len);
		got += pop.op.pop.len;
		rig_drop(&pop);
	}
	free(data);
}

static void connect_two(struct rig *r, struct queue **a, struct queue **b)
{
	struct queue *listener = rig_listener(r);
	struct rig_op accept, connect;

	*a = rig_socket(r, QUEUE_TCP);
	rig_accept(r, &accept, listener);
	rig_connect(r, &connect, *a, rig_port(listener));
	rig_wait_ok(r, &connect);
	rig_wait_ok(r, &accept);
	*b = accept.op.accept.queue;
	r->class->close(listener);
}

static void messages_of_every_size_arrive_whole(void **state)
{
	static const size_t sizes[] = {1,     64,    1920,  1921,  4096,    16384,
				       16385, 65535, 65536, 65537, 1 << 20, 16 << 20};
	struct rig *r = *state;
	struct queue *a, *b;

	connect_two(r, &a, &b);
	for (unsigned i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		uint8_t *data = malloc(sizes[i]);
		struct rig_op push;

		assert_non_null(data);
		rig_pattern(data, sizes[i], i);
		rig_push(r, &push, a, data, sizes[i]);
		free(data);
		pop_pattern(r, b, sizes[i], i, false);
		rig_wait_ok(r, &push);
		assert_int_equal(push.op.push.sent, sizes[i]);
		rig_drop(&push);
	}
}

static void pushes_and_pops_are_first_in_first_out(void **state)
{
	enum { MESSAGES = 40, BYTES = 300000, POPS = 8 };
	struct rig *r = *state;
	struct queue *a, *b;
	struct rig_op push[MESSAGES], pop[POPS];
	uint8_t *data = malloc(BYTES);
	unsigned finished = 0;

	assert_non_null(data);
	connect_two(r, &a, &b);
	for (unsigned i = 0; i < MESSAGES; i++) {
		rig_pattern(data, BYTES, i);
		rig_push(r, &push[i], a, data, BYTES);
	}
	assert_false(push[MESSAGES - 1].done);
	for (unsigned i = 0; i < MESSAGES; i++) {
		pop_pattern(r, b, BYTES, i, true);
		while (finished < MESSAGES && push[finished].done)
			finished++;
		for (unsigned j = finished; j < MESSAGES; j++)
			assert_false(push[j].done);
	}
	for (unsigned i = 0; i < MESSAGES; i++) {
		rig_wait_ok(r, &push[i]);
		rig_drop(&push[i]);
	}
	for (unsigned i = 0; i < POPS; i++)
		rig_pop(r, &pop[i], b, 1);
	rig_push(r, &push[0], a, "01234567", POPS);
	for (unsigned i = 0; i < POPS; i++) {
		rig_wait_ok(r, &pop[i]);
		assert_int_equal(pop[i].op.pop.data[0], '0' + i);
		rig_drop(&pop[i]);
	}
	rig_drop(&push[0]);
	free(data);
}

static void abort_peer(int fd)
{
	struct linger now = {1, 0};

	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now)), 0);
	close(fd);
}

static void a_reset_fails_every_operation_from_then_on(void **state)
{
	struct rig *r = *state;
	int fd;
	struct queue *q = rig_pair(r, &fd);
	struct rig_op pop, push;

	rig_pop(r, &pop, q, UINT32_MAX);
	abort_peer(fd);
	rig_wait(r, &pop);
	assert_int_equal(pop.op.error, -ECONNRESET);
	for (int i = 0; i < 2; i++) {
		rig_pop(r, &pop, q, UINT32_MAX);
		rig_wait(r, &pop);
		assert_int_equal(pop.op.error, -ECONNRESET);
		rig_push(r, &push, q, "x", 1);
		rig_wait(r, &push);
		assert_int_equal(push.op.error, -ECONNRESET);
		rig_drop(&push);
	}
}

static void a_reset_that_a_push_sees_is_not_an_end_of_stream_to_a_pop(void **state)
{
	struct rig *r = *state;
	int fd;
	struct queue *q = rig_pair(r, &fd);
	struct rig_op pop, push;

	abort_peer(fd);
	rig_push(r, &push, q, "x", 1);
	rig_wait(r, &push);
	assert_int_equal(push.op.error, -ECONNRESET);
	rig_drop(&push);
	rig_pop(r, &pop, q, UINT32_MAX);
	rig_wait(r, &pop);
	assert_int_equal(pop.op.error, -ECONNRESET);
}

static void pushing_to_a_peer_that_has_closed_ends_in_a_reset(void **state)
{
	struct rig *r = *state;
	int fd;
	struct queue *q = rig_pair(r, &fd);
	struct rig_op pop, push;
	int error = 0;

	close(fd);
	rig_pop(r, &pop, q, UINT32_MAX);
	rig_wait_ok(r, &pop);
	rig_drop(&pop);
	for (int i = 0; i < 1000 && error == 0; i++) {
		rig_push(r, &push, q, "x", 1);
		rig_wait(r, &push);
		error = push.op.error;
		rig_drop(&push);
	}
	assert_int_equal(error, -ECONNRESET);
}

static void connecting_where_nobody_listens_is_refused(void **state)
{
	struct rig *r = *state;
	struct queue *listener = rig_listener(r), *q = rig_socket(r, QUEUE_TCP);
	uint16_t port = rig_port(listener);
	struct rig_op connect, accept;

	r->class->close(listener);
	for (int i = 0; i < 2; i++) {
		rig_connect(r, &connect, q, port);
		rig_wait(r, &connect);
		assert_int_equal(connect.op.error, -ECONNREFUSED);
	}
	/* And the same queue may connect elsewhere. */
	listener = rig_listener(r);
	rig_accept(r, &accept, listener);
	rig_connect(r, &connect, q, rig_port(listener));
	rig_wait_ok(r, &connect);
	rig_wait_ok(r, &accept);
	rig_pop(r, &connect, q, UINT32_MAX);
	rig_poll(r);
	assert_false(connect.done);
}

static void a_connection_to_itself_is_refused(void **state)
{
	struct rig *r = *state;
	struct queue *q = rig_socket(r, QUEUE_TCP);
	struct endpoint any = rig_at(0);
	struct rig_op connect;

	assert_int_equal(r->class->bind(q, &any), 0);
	q->bound = true;
	rig_connect(r, &connect, q, rig_port(q));
	rig_wait(r, &connect);
	assert_int_equal(connect.op.error, -ECONNREFUSED);
}

static void an_address_is_bound_once(void **state)
{
	struct rig *r = *state;
	struct queue *a = rig_socket(r, QUEUE_TCP), *b = rig_socket(r, QUEUE_TCP);
	struct endpoint at = rig_at(0), foreign = {ip4(0xc0000201), 0};

	assert_int_equal(r->class->bind(a, &at), 0);
	at.port = rig_port(a);
	assert_int_equal(r->class->bind(b, &at), -EADDRINUSE);
	assert_int_equal(r->class->listen(a, 1), 0);
	assert_int_equal(r->class->bind(b, &at), -EADDRINUSE);
	assert_int_equal(r->class->bind(b, &foreign), -EADDRNOTAVAIL);
	b = rig_socket(r, QUEUE_UDP);
	assert_int_equal(r->class->bind(b, &at), 0);
	assert_int_equal(r->class->bind(rig_socket(r, QUEUE_UDP), &at), -EADDRINUSE);
}

static void listeners_share_an_address_when_each_says_so(void **state)
{
	struct rig *r = *state;
	struct endpoint at = rig_at(0);
	int on = 1;

	for (int i = 0; i < 3; i++) {
		struct queue *q = rig_socket(r, QUEUE_TCP);

		assert_int_equal(r->class->setsockopt(q, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on)),
				 0);
		assert_int_equal(r->class->bind(q, &at), 0);
		assert_int_equal(r->class->listen(q, 1), 0);
		at.port = rig_port(q);
	}
	assert_int_equal(r->class->bind(rig_socket(r, QUEUE_TCP), &at), -EADDRINUSE);
}

/* Leaves a connection of the listener's port in TIME-WAIT, and another open. */
static void a_server_binds_over_connections_of_its_former_life(void **state)
{
	struct rig *r = *state;
	struct endpoint at = rig_at(0);

	for (int life = 0; life < 3; life++) {
		struct queue *listener = rig_socket(r, QUEUE_TCP), *a, *b;
		struct rig_op accept, connect, pop;

		assert_int_equal(r->class->bind(listener, &at), 0);
		at.port = rig_port(listener);
		assert_int_equal(r->class->bind(rig_socket(r, QUEUE_TCP), &at), -EADDRINUSE);
		assert_int_equal(r->class->listen(listener, 8), 0);
		listener->listening = true;
		for (int i = 0; i < 2; i++) {
			a = rig_socket(r, QUEUE_TCP);
			rig_accept(r, &accept, listener);
			rig_connect(r, &connect, a, at.port);
			rig_wait_ok(r, &connect);
			rig_wait_ok(r, &accept);
			b = accept.op.accept.queue;
		}
		r->class->close(b); /* the server first: TIME-WAIT is its */
		rig_pop(r, &pop, a, UINT32_MAX);
		rig_wait_ok(r, &pop);
		rig_drop(&pop);
		r->class->close(a);
		r->class->close(listener);
	}
}

static void accept_without_descriptors_fails_and_recovers(void **state)
{
	struct rig *r = *state;
	struct queue *listener = rig_listener(r);
	struct endpoint to = rig_at(rig_port(listener));
	struct sockaddr_in sin = endpoint_to_sockaddr_in(&to);
	struct rlimit before, none;
	struct rig_op accept;
	int fd[2];

	/* Two: valgrind, which keeps the limit itself, accepts and closes the first. */
	for (int i = 0; i < 2; i++) {
		fd[i] = socket(AF_INET, SOCK_STREAM, 0);
		assert_int_equal(connect(fd[i], (struct sockaddr *)&sin, sizeof(sin)), 0);
	}
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	none = before;
	none.rlim_cur = 0;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	rig_accept(r, &accept, listener);
	setrlimit(RLIMIT_NOFILE, &before);
	assert_true(accept.done);
	assert_int_equal(accept.op.error, -EMFILE);
	rig_accept(r, &accept, listener);
	rig_wait_ok(r, &accept);
	close(fd[0]);
	close(fd[1]);
}

static void many_accepts_meet_many_connections(void **state)
{
	enum { COUNT = 100 };
	struct rig *r = *state;
	struct queue *listener = rig_listener(r);
	struct rig_op accept[COUNT], connect[COUNT];

	for (unsigned i = 0; i < COUNT; i++)
		rig_accept(r, &accept[i], listener);
	for (unsigned i = 0; i < COUNT; i++)
		rig_connect(r, &connect[i], rig_socket(r, QUEUE_TCP), rig_port(listener));
	for (unsigned i = 0; i < COUNT; i++) {
		rig_wait_ok(r, &connect[i]);
		rig_wait_ok(r, &accept[i]);
	}
}

static void urgent_bytes_are_bytes_and_nothing_behind_them_is_stuck(void **state)
{
	struct rig *r = *state;
	char got[16] = "";
	size_t len = 0;
	int fd;
	struct queue *q = rig_pair(r, &fd);
	struct rig_op other[3];
	int other_fd[3];

	/* More than are tried directly: edges alone tell. */
	for (int i = 0; i < 3; i++)
		rig_pop(r, &other[i], rig_pair(r, &other_fd[i]), UINT32_MAX);
	for (int round = 0; round < 10; round++) {
		assert_int_equal(send(fd, "ab", 2, 0), 2);
		assert_int_equal(send(fd, "c", 1, MSG_OOB), 1);
		assert_int_equal(send(fd, "de", 2, 0), 2);
		for (len = 0; len < 5;) {
			struct rig_op pop;

			rig_pop(r, &pop, q, UINT32_MAX);
			rig_wait_ok(r, &pop);
			memcpy(got + len, pop.op.pop.data, pop.op.pop.len);
			len += pop.op.pop.len;
			rig_drop(&pop);
		}
		assert_int_equal(len, 5);
		assert_string_equal(got, "abcde");
	}
	close(fd);
	for (int i = 0; i < 3; i++)
		close(other_fd[i]);
}

static void without_memory_a_pop_fails_and_its_bytes_stay(void **state)
{
	struct rig *r = *state;
	int fd;
	struct queue *q = rig_pair(r, &fd);
	struct buf *taken = NULL, *b;
	struct rig_op pop;

	assert_int_equal(write(fd, "kept", 4), 4);
	for (size_t bytes = HEAP_MAX_BYTES; bytes > 0; bytes /= 2)
		while ((b = heap_alloc(r->heap, bytes)) != NULL) {
			b->next = taken;
			taken = b;
		}
	rig_pop(r, &pop, q, UINT32_MAX);
	rig_wait(r, &pop);
	assert_int_equal(pop.op.error, -ENOMEM);
	/* One small buffer is enough. */
	b = taken;
	taken = taken->next;
	buf_unref(b);
	rig_pop(r, &pop, q, UINT32_MAX);
	rig_wait_ok(r, &pop);
	assert_int_equal(pop.op.pop.len, 4);
	rig_drop(&pop);
	while ((b = taken) != NULL) {
		taken = b->next;
		buf_unref(b);
	}
	close(fd);
}

static void cancelling_takes_back_what_has_not_begun(void **state)
{
	struct rig *r = *state;
	int fd;
	struct queue *q = rig_pair(r, &fd), *listener = rig_listener(r);
	struct rig_op pop[3], accept, push[2];
	size_t len = 16 << 20;
	uint8_t *data = calloc(1, len);

	for (int i = 0; i < 3; i++)
		rig_pop(r, &pop[i], q, UINT32_MAX);
	assert_int_equal(r->class->cancel(&pop[1].op), 0);
	assert_int_equal(r->class->cancel(&pop[2].op), 0);
	assert_int_equal(write(fd, "x", 1), 1);
	rig_wait_ok(r, &pop[0]);
	rig_drop(&pop[0]);
	rig_accept(r, &accept, listener);
	assert_int_equal(r->class->cancel(&accept.op), 0);
	rig_push(r, &push[0], q, data, len);
	rig_push(r, &push[1], q, data, 1);
	assert_false(push[0].done);
	assert_int_equal(r->class->cancel(&push[0].op), -EBUSY);
	assert_int_equal(r->class->cancel(&push[1].op), 0);
	rig_poll(r);
	assert_false(pop[1].done || pop[2].done || accept.done || push[1].done);
	r->class->close(q);
	rig_drop(&push[0]);
	rig_drop(&push[1]);
	free(data);
	close(fd);
}

static void a_cancelled_connect_may_be_made_again(void **state)
{
	struct rig *r = *state;
	struct queue *listener = rig_listener(r), *q = rig_socket(r, QUEUE_TCP);
	struct rig_op accept, connect;

	rig_connect(r, &connect, q, rig_port(listener));
	if (!connect.done)
		assert_int_equal(r->class->cancel(&connect.op), 0);
	rig_connect(r, &connect, q, rig_port(listener));
	rig_wait_ok(r, &connect);
	rig_accept(r, &accept, listener);
	rig_wait_ok(r, &accept);
}

static void options_are_the_kernels(void **state)
{
	struct rig *r = *state;
	struct queue *tcp = rig_socket(r, QUEUE_TCP), *udp = rig_socket(r, QUEUE_UDP);
	struct linger linger = {1, 7}, got;
	uint32_t len = sizeof(int);
	int value = 0;

	assert_int_equal(r->class->getsockopt(tcp, IPPROTO_TCP, TCP_NODELAY, &value, &len), 0);
	assert_int_equal(value, 1);
	value = 0;
	assert_int_equal(r->class->setsockopt(tcp, IPPROTO_TCP, TCP_NODELAY, &value, len), 0);
	value = 1;
	assert_int_equal(r->class->getsockopt(tcp, IPPROTO_TCP, TCP_NODELAY, &value, &len), 0);
	assert_int_equal(value, 0);
	assert_int_equal(r->class->setsockopt(tcp, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger)),
			 0);
	len = sizeof(got);
	assert_int_equal(r->class->getsockopt(tcp, SOL_SOCKET, SO_LINGER, &got, &len), 0);
	assert_memory_equal(&got, &linger, sizeof(got));
	assert_int_equal(r->class->setsockopt(tcp, SOL_SOCKET, SO_LINGER, &linger, 4), -EINVAL);
	assert_int_equal(r->class->setsockopt(tcp, SOL_SOCKET, SO_KEEPALIVE, &value, 2), -EINVAL);
	assert_int_equal(r->class->setsockopt(tcp, 4711, 1, &value, 4), -ENOTSUP);
	assert_int_equal(r->class->getsockopt(tcp, 4711, 1, &value, &len), -ENOTSUP);
	assert_int_equal(r->class->setsockopt(tcp, SOL_SOCKET, 4711, &value, 4), -ENOPROTOOPT);
	assert_int_equal(r->class->getsockopt(tcp, IPPROTO_TCP, 4711, &value, &len), -ENOPROTOOPT);
	assert_int_equal(r->class->setsockopt(tcp, SOL_SOCKET, SO_TYPE, &value, 4), -ENOPROTOOPT);
	assert_int_equal(r->class->setsockopt(udp, IPPROTO_TCP, TCP_NODELAY, &value, 4),
			 -ENOPROTOOPT);
}

int main(void)
{
#define test(name) cmocka_unit_test_setup_teardown(name, rig_setup, rig_teardown)
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_libos_is_found_by_its_name),
	    test(two_queues_connect_and_exchange_messages),
	    test(the_end_of_a_stream_stays_the_end),
	    test(a_sized_pop_leaves_the_rest_of_a_stream),
	    test(messages_of_every_size_arrive_whole),
	    test(pushes_and_pops_are_first_in_first_out),
	    test(a_reset_fails_every_operation_from_then_on),
	    test(a_reset_that_a_push_sees_is_not_an_end_of_stream_to_a_pop),
	    test(pushing_to_a_peer_that_has_closed_ends_in_a_reset),
	    test(connecting_where_nobody_listens_is_refused),
	    test(a_connection_to_itself_is_refused),
	    test(an_address_is_bound_once),
	    test(listeners_share_an_address_when_each_says_so),
	    test(a_server_binds_over_connections_of_its_former_life),
	    test(accept_without_descriptors_fails_and_recovers),
	    test(many_accepts_meet_many_connections),
	    test(urgent_bytes_are_bytes_and_nothing_behind_them_is_stuck),
	    test(without_memory_a_pop_fails_and_its_bytes_stay),
	    test(cancelling_takes_back_what_has_not_begun),
	    test(a_cancelled_connect_may_be_made_again),
	    test(options_are_the_kernels),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
