/* kernel_rig.c - a stand-in for the runtime over one instance of catnap, or of what is made from
 * it.
 *
 * SPDX-License-Identifier: MIT
 */
#include "libos/kernel_rig.h"
#include "base/clock.h"
#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

int rig_setup(void **state)
{
	return rig_setup_class(state, &kernel_class);
}

int rig_setup_class(void **state, const struct libos_class *class)
{
	struct rig *r = calloc(1, sizeof(*r));
	struct libos_env env;

	assert_non_null(r);
	r->config.nodelay = true;
	r->config.max_queues = 65536;
	assert_int_equal(heap_create(&r->heap, 1024, 1 << 28), 0);
	r->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	assert_true(r->epoll_fd >= 0);
	env = (struct libos_env){.config = &r->config, .heap = r->heap, .epoll_fd = r->epoll_fd};
	r->config.small_buffers = 1024;
	r->class = class;
	assert_int_equal(r->class->create(&r->libos, &env), 0);
	*state = r;
	return 0;
}

int rig_teardown(void **state)
{
	struct rig *r = *state;

	if (r->libos != NULL)
		r->class->destroy(r->libos, 0);
	close(r->epoll_fd);
	heap_destroy(r->heap);
	free(r);
	return 0;
}

struct endpoint rig_at(uint16_t port)
{
	return (struct endpoint){ip4(INADDR_LOOPBACK), port};
}

struct queue *rig_socket(struct rig *r, enum queue_type type)
{
	struct queue *q;

	assert_int_equal(r->class->socket(r->libos, type, &q), 0);
	return q;
}

uint16_t rig_port(struct queue *queue)
{
	struct endpoint local;

	assert_int_equal(queue->libos->class->getsockname(queue, &local), 0);
	return local.port;
}

struct queue *rig_listener(struct rig *r)
{
	struct queue *q = rig_socket(r, QUEUE_TCP);
	struct endpoint any = rig_at(0);

	assert_int_equal(r->class->bind(q, &any), 0);
	q->bound = true;
	assert_int_equal(r->class->listen(q, 128), 0);
	q->listening = true;
	return q;
}

static void start(struct rig_op *op, int (*verb)(struct operation *))
{
	int rc = verb(&op->op);

	assert_true(rc == 0 || rc == -EINPROGRESS);
	op->done = rc == 0;
}

static void init(struct rig_op *op, struct queue *queue, enum demi_opcode opcode)
{
	memset(op, 0, sizeof(*op));
	op->op.opcode = opcode;
	op->op.queue = queue;
}

void rig_accept(struct rig *r, struct rig_op *op, struct queue *queue)
{
	init(op, queue, DEMI_OPC_ACCEPT);
	start(op, r->class->accept);
}

void rig_connect(struct rig *r, struct rig_op *op, struct queue *queue, uint16_t port)
{
	init(op, queue, DEMI_OPC_CONNECT);
	op->op.connect.to = rig_at(port);
	start(op, r->class->connect);
}

static void fill_push(struct rig *r, struct rig_op *op, const void *data, size_t len)
{
	op->op.push.buf = heap_alloc(r->heap, len);
	assert_non_null(op->op.push.buf);
	memcpy(op->op.push.buf->data, data, len);
	op->op.push.data = op->op.push.buf->data;
	op->op.push.len = (uint32_t)len;
}

void rig_push(struct rig *r, struct rig_op *op, struct queue *queue, const void *data, size_t len)
{
	init(op, queue, DEMI_OPC_PUSH);
	fill_push(r, op, data, len);
	start(op, r->class->push);
}

void rig_push_to(struct rig *r, struct rig_op *op, struct queue *queue, const void *data,
		 size_t len, uint16_t port)
{
	init(op, queue, DEMI_OPC_PUSH);
	fill_push(r, op, data, len);
	op->op.push.has_to = true;
	op->op.push.to = rig_at(port);
	start(op, r->class->push);
}

void rig_pop(struct rig *r, struct rig_op *op, struct queue *queue, uint32_t max_bytes)
{
	init(op, queue, DEMI_OPC_POP);
	op->op.pop.max_bytes = max_bytes;
	start(op, r->class->pop);
}

void rig_close_async(struct rig *r, struct rig_op *op, struct queue *queue)
{
	init(op, queue, DEMI_OPC_CLOSE);
	start(op, r->class->close_async);
}

unsigned rig_poll(struct rig *r)
{
	struct operation_list done;
	struct operation *op;
	unsigned n = 0;

	operation_list_init(&done);
	r->class->poll(r->libos, &done, clock_now_ns());
	r->polls++;
	while ((op = operation_list_pop(&done)) != NULL) {
		struct rig_op *o = container_of(op, struct rig_op, op);

		assert_false(o->done);
		o->done = true;
		n++;
	}
	return n;
}

bool rig_sleep(struct rig *r, uint64_t ns)
{
	struct epoll_event event;
	uint64_t now_ns = clock_now_ns(), deadline_ns = r->class->next_deadline(r->libos);
	int rc = r->class->arm(r->libos);

	assert_true(rc == 0 || rc == 1);
	if (rc == 1)
		return false;
	if (deadline_ns < now_ns + ns)
		ns = deadline_ns > now_ns ? deadline_ns - now_ns : 0;
	epoll_wait(r->epoll_fd, &event, 1, (int)((ns + 999999) / 1000000));
	return true;
}

static void wait_until(struct rig *r, const bool *done)
{
	uint64_t end_ns = clock_now_ns() + RIG_WAIT_NS;

	while (!*done) {
		if (rig_poll(r) == 0 && r->sleepy)
			rig_sleep(r, RIG_WAIT_NS);
		assert_true(clock_now_ns() < end_ns);
	}
}

void rig_wait(struct rig *r, struct rig_op *op)
{
	wait_until(r, &op->done);
}

void rig_wait_ok(struct rig *r, struct rig_op *op)
{
	rig_wait(r, op);
	assert_int_equal(op->op.error, 0);
}

void rig_wait_fd(struct rig *r, int fd)
{
	uint64_t end_ns = clock_now_ns() + RIG_WAIT_NS;
	struct pollfd p = {.fd = fd, .events = POLLIN};

	while (poll(&p, 1, 1) == 0) {
		rig_poll(r);
		assert_true(clock_now_ns() < end_ns);
	}
}

void rig_drop(struct rig_op *op)
{
	struct buf *b = op->op.opcode == DEMI_OPC_PUSH ? op->op.push.buf : op->op.pop.buf;

	if (b != NULL)
		buf_unref(b);
}

struct queue *rig_pair(struct rig *r, int *fd)
{
	struct queue *listener = rig_listener(r), *q;
	struct endpoint to = rig_at(rig_port(listener));
	struct sockaddr_in sin = endpoint_to_sockaddr_in(&to);
	struct rig_op accept;

	*fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_true(*fd >= 0);
	assert_int_equal(connect(*fd, (struct sockaddr *)&sin, sizeof(sin)), 0);
	rig_accept(r, &accept, listener);
	rig_wait_ok(r, &accept);
	q = accept.op.accept.queue;
	q->connected = true;
	r->class->close(listener);
	return q;
}

void rig_pattern(uint8_t *data, size_t len, unsigned seed)
{
	for (size_t i = 0; i < len; i++)
		data[i] = (uint8_t)((i * 2654435761u + seed * 40503u) >> 11);
}
