/* inet_rig.c - see inet_rig.h.
 *
 * SPDX-License-Identifier: MIT
 */
#include "libos/inet_rig.h"
#include "base/clock.h"
#include "libos/catpowder.h"
#include "link/pair.h"
#include "link/veth.h"
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

enum { POOL_BUFFERS = 2048, RING = 1024, HEAP_BYTES = 64 << 20 };

static const struct libos_class over_pair = {.name = "pair", INET_CLASS};

struct endpoint rig_at(int side, uint16_t port)
{
	return (struct endpoint){ip4(0x0a090001u + (uint32_t)side), port};
}

struct inet *rig_inet(struct rig *r, int side)
{
	return container_of(r->side[side].libos, struct inet, libos);
}

static void make_side(struct rig_side *s, int i)
{
	s->config.libos = (char *)(uintptr_t) "catpowder";
	s->config.has_addr = true;
	s->config.addr = rig_at(i, 0).ip;
	s->config.prefix_len = 24;
	s->config.nodelay = true;
	s->config.udp_checksum_offload = s->config.tcp_checksum_offload = true;
	assert_int_equal(heap_create(&s->heap, 1024, HEAP_BYTES), 0);
	s->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	assert_true(s->epoll_fd >= 0);
}

static struct rig *new_rig(void)
{
	struct rig *r = calloc(1, sizeof(*r));

	assert_non_null(r);
	for (int i = 0; i < 2; i++)
		make_side(&r->side[i], i);
	return r;
}

static struct libos_env env_of(struct rig_side *s)
{
	return (struct libos_env){.config = &s->config, .heap = s->heap, .epoll_fd = s->epoll_fd};
}

int rig_pair_setup(void **state)
{
	struct rig *r = new_rig();
	struct pair_config cfg = {
	    .mac = {{2, 0, 0, 0, 0, 1}, {2, 0, 0, 0, 0, 2}},
	    .mtu = 1500,
	    .max_frags = FRAME_FRAGS,
	    .ring_frames = RING,
	};
	struct link *end[2];

	for (int i = 0; i < 2; i++) {
		assert_int_equal(
		    pool_create(&r->side[i].pool, POOL_BUFFERS, 2048, BUF_HEADROOM_BYTES, NULL), 0);
		cfg.pool[i] = r->side[i].pool;
	}
	assert_int_equal(pair_create(end, &cfg), 0);
	for (int i = 0; i < 2; i++) {
		struct libos_env env = env_of(&r->side[i]);

		assert_int_equal(inet_create(&r->side[i].libos, &over_pair, &env, end[i]), 0);
	}
	*state = r;
	return 0;
}

/* Once for the process, which has the namespace to itself from then on. -EPERM: it is not allowed.
 */
static int make_veth(void)
{
	static int made = 1;

	if (made > 0) {
		made = veth_namespace(NULL);
		if (made == 0)
			made = veth_create("va", "vb");
	}
	return made;
}

static int veth_setup(void **state, enum config_raw_link link)
{
	struct rig *r;

	*state = NULL;
	if (make_veth() < 0)
		return 0;
	r = new_rig();
	for (int i = 0; i < 2; i++) {
		struct rig_side *s = &r->side[i];
		struct libos_env env = env_of(s);
		int rc;

		s->config.interface = (char *)(uintptr_t)(i == 0 ? "va" : "vb");
		s->config.raw_link = link;
		rc = libos_catpowder.create(&s->libos, &env);
		if (rc < 0 && i == 0) { /* the privilege is missing */
			*state = r;
			rig_teardown(state);
			*state = NULL;
			return 0;
		}
		assert_int_equal(rc, 0);
	}
	*state = r;
	return 0;
}

int rig_xdp_setup(void **state)
{
	return veth_setup(state, RAW_LINK_XDP);
}

int rig_packet_setup(void **state)
{
	return veth_setup(state, RAW_LINK_PACKET);
}

int rig_teardown(void **state)
{
	struct rig *r = *state;

	for (int i = 0; r && i < 2; i++) {
		struct rig_side *s = &r->side[i];

		if (s->libos)
			inet_destroy(s->libos, 0);
		close(s->epoll_fd);
		heap_destroy(s->heap);
	}
	for (int i = 0; r && i < 2; i++) {
		struct pool *pool = r->side[i].pool;

		if (pool)
			assert_int_equal(pool->free_count, POOL_BUFFERS);
		pool_destroy(pool);
	}
	free(r);
	return 0;
}

struct queue *rig_socket(struct rig *r, int side, enum queue_type type)
{
	struct queue *q;

	assert_int_equal(inet_socket(r->side[side].libos, type, &q), 0);
	list_init(&q->operations);
	return q;
}

struct queue *rig_listener(struct rig *r, int side, uint16_t port)
{
	struct queue *q = rig_socket(r, side, QUEUE_TCP);
	struct endpoint at = rig_at(side, port);

	assert_int_equal(inet_bind(q, &at), 0);
	q->bound = true;
	assert_int_equal(inet_listen(q, 64), 0);
	q->listening = true;
	return q;
}

static void init(struct rig_op *op, struct queue *q, enum demi_opcode opcode)
{
	memset(op, 0, sizeof(*op));
	op->op.opcode = opcode;
	op->op.queue = q;
}

static int start(struct rig_op *op, int (*verb)(struct operation *))
{
	int rc = verb(&op->op);

	op->done = rc == 0;
	return rc;
}

void rig_accept(struct rig_op *op, struct queue *q)
{
	init(op, q, DEMI_OPC_ACCEPT);
	start(op, inet_accept);
}

int rig_connect(struct rig_op *op, struct queue *q, const struct endpoint *to)
{
	init(op, q, DEMI_OPC_CONNECT);
	op->op.connect.to = *to;
	return start(op, inet_connect);
}

void rig_pop(struct rig_op *op, struct queue *q)
{
	init(op, q, DEMI_OPC_POP);
	op->op.pop.max_bytes = UINT32_MAX;
	start(op, inet_pop);
}

void rig_close_async(struct rig_op *op, struct queue *q)
{
	init(op, q, DEMI_OPC_CLOSE);
	start(op, inet_close_async);
}

static uint8_t pattern(uint64_t at, unsigned seed)
{
	return (uint8_t)((at * 2654435761u + seed * 40503u) >> 11);
}

void rig_push(struct rig_op *op, struct queue *q, uint32_t len, unsigned seed,
	      const struct endpoint *to)
{
	struct inet *in = container_of(q->libos, struct inet, libos);
	struct buf *b = heap_alloc(in->heap, len);

	assert_non_null(b);
	for (uint32_t i = 0; i < len; i++)
		b->data[i] = pattern(i, seed);
	init(op, q, DEMI_OPC_PUSH);
	op->op.push.buf = b;
	op->op.push.data = b->data;
	op->op.push.len = len;
	if (to) {
		op->op.push.has_to = true;
		op->op.push.to = *to;
	}
	start(op, inet_push);
}

void rig_poll_side(struct rig *r, int side)
{
	struct operation_list done;
	struct operation *op;

	operation_list_init(&done);
	inet_poll(r->side[side].libos, &done, clock_now_ns());
	while ((op = operation_list_pop(&done)) != NULL) {
		struct rig_op *o = container_of(op, struct rig_op, op);

		assert_false(o->done);
		o->done = true;
	}
}

void rig_poll(struct rig *r)
{
	rig_poll_side(r, 0);
	rig_poll_side(r, 1);
}

void rig_pass_ms(struct rig *r, unsigned ms)
{
	uint64_t end_ns = clock_now_ns() + ms * UINT64_C(1000000);

	while (clock_now_ns() < end_ns)
		rig_poll(r);
}

void rig_wait(struct rig *r, struct rig_op *op)
{
	uint64_t end_ns = clock_now_ns() + RIG_WAIT_NS;
	struct libos *l = op->op.queue->libos;

	while (!op->done) {
		rig_poll(r);
		assert_true(clock_now_ns() < end_ns);
	}
	l->pushed = false;
	for (int side = 0; l->news && side < 2; side++) {
		if (r->side[side].libos == l)
			rig_poll_side(r, side);
	}
}

void rig_wait_ok(struct rig *r, struct rig_op *op)
{
	rig_wait(r, op);
	assert_int_equal(op->op.error, 0);
}

void rig_drop(struct rig_op *op)
{
	struct buf *b = op->op.opcode == DEMI_OPC_PUSH ? op->op.push.buf : op->op.pop.buf;

	if (b)
		buf_unref(b);
}

void rig_connection(struct rig *r, struct queue *q[2])
{
	struct queue *listener = rig_listener(r, 0, 80);
	struct endpoint to = rig_at(0, 80);
	struct rig_op accept, connect;

	q[1] = rig_socket(r, 1, QUEUE_TCP);
	rig_accept(&accept, listener);
	assert_int_equal(rig_connect(&connect, q[1], &to), -EINPROGRESS);
	rig_wait_ok(r, &connect);
	rig_wait_ok(r, &accept);
	q[0] = accept.op.accept.queue;
	list_init(&q[0]->operations);
	q[0]->connected = q[1]->connected = true;
	q[0]->bound = q[1]->bound = true;
	inet_close(listener);
}

void rig_expect(struct rig *r, struct queue *q, uint32_t len, unsigned seed)
{
	for (uint32_t got = 0; got < len;) {
		struct rig_op pop;

		rig_pop(&pop, q);
		rig_wait_ok(r, &pop);
		assert_true(pop.op.pop.len > 0 && pop.op.pop.len <= len - got);
		for (uint32_t i = 0; i < pop.op.pop.len; i++)
			assert_int_equal(pop.op.pop.data[i], pattern(got + i, seed));
		got += pop.op.pop.len;
		rig_drop(&pop);
	}
}

void rig_expect_end(struct rig *r, struct queue *q)
{
	struct rig_op pop;

	rig_pop(&pop, q);
	rig_wait_ok(r, &pop);
	assert_int_equal(pop.op.pop.len, 0);
	assert_non_null(pop.op.pop.buf);
	rig_drop(&pop);
}
