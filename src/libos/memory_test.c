/* memory_test.c - queues in memory, driven as the runtime drives them.
 *
 * SPDX-License-Identifier: MIT
 */
#include "libos/memory.h"
#include "base/config.h"
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

enum {
	LIMIT = 100,
	LONG = 1000, /* bytes */
};

struct fixture {
	struct config config;
	struct heap *heap;
	struct libos *l;
	struct queue *q;
	struct operation ops[2 * LIMIT];
	unsigned used;
};

static struct fixture fixture;

static int setup(void **state)
{
	struct fixture *f = &fixture;
	const struct libos_env env = {.config = &f->config, .epoll_fd = -1};
	struct libos_env with_heap = env;

	memset(f, 0, sizeof(*f));
	f->config.memory_queue_messages = LIMIT;
	assert_int_equal(heap_create(&f->heap, 512, HEAP_MAX_BYTES), 0);
	with_heap.heap = f->heap;
	assert_int_equal(libos_memory.create(&f->l, &with_heap), 0);
	assert_int_equal(libos_memory.socket(f->l, QUEUE_MEMORY, &f->q), 0);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	libos_memory.destroy(f->l, 0);
	heap_destroy(f->heap);
	return 0;
}

static struct operation *push(struct fixture *f, struct buf *b, int *rc)
{
	struct operation *op = &f->ops[f->used++];

	op->opcode = DEMI_OPC_PUSH;
	op->queue = f->q;
	op->error = 1;
	op->push.buf = buf_ref(b);
	op->push.data = b->data;
	op->push.len = b->len;
	*rc = libos_memory.push(op);
	return op;
}

static struct operation *pop(struct fixture *f, uint32_t max_bytes, int *rc)
{
	struct operation *op = &f->ops[f->used++];

	op->opcode = DEMI_OPC_POP;
	op->queue = f->q;
	op->error = 1;
	op->pop.max_bytes = max_bytes;
	*rc = libos_memory.pop(op);
	return op;
}

/* Polls, and lets go of the buffers of finished pushes as the runtime does. Returns how many
 * operations finished. */
static unsigned poll_all(struct fixture *f)
{
	struct operation_list done;
	unsigned n = 0;

	operation_list_init(&done);
	libos_memory.poll(f->l, &done, 0);
	for (struct operation *op = done.head; op; op = op->next, n++) {
		if (op->opcode == DEMI_OPC_PUSH)
			buf_unref(op->push.buf);
	}
	return n;
}

/* A message too long to be copied for its shortness. */
static struct buf *message(struct fixture *f, const char *text)
{
	struct buf *b = heap_alloc(f->heap, LONG);

	assert_non_null(b);
	memcpy(b->data, text, strlen(text));
	return b;
}

static void a_message_given_up_is_not_copied(void **state)
{
	struct fixture *f = *state;
	struct buf *b = message(f, "hello");
	struct operation *op;
	int rc;

	push(f, b, &rc);
	assert_int_equal(rc, -EINPROGRESS);
	buf_unref(b);
	assert_int_equal(poll_all(f), 1);
	op = pop(f, UINT32_MAX, &rc);
	assert_int_equal(rc, 0);
	assert_ptr_equal(op->pop.buf, b);
	assert_memory_equal(op->pop.data, "hello", 5);
	buf_unref(op->pop.buf);
}

static void a_message_kept_may_change_after_its_push(void **state)
{
	struct fixture *f = *state;
	struct buf *b = message(f, "hello");
	struct operation *op;
	int rc;

	push(f, b, &rc);
	assert_int_equal(poll_all(f), 1);
	memset(b->data, 'x', b->len);
	op = pop(f, UINT32_MAX, &rc);
	assert_int_equal(rc, 0);
	assert_memory_equal(op->pop.data, "hello", 5);
	buf_unref(op->pop.buf);
	buf_unref(b);
}

static void a_short_message_is_the_queues_at_once(void **state)
{
	struct fixture *f = *state;
	struct operation *op, *pushed;
	struct buf *b = message(f, "hello");
	int rc;

	b->len = 5;
	pushed = push(f, b, &rc);
	assert_int_equal(rc, 0);
	assert_int_equal(pushed->error, 0);
	buf_unref(pushed->push.buf);
	memset(b->data, 'x', b->len);
	op = pop(f, UINT32_MAX, &rc);
	assert_int_equal(rc, 0);
	assert_int_equal(op->pop.len, 5);
	assert_memory_equal(op->pop.data, "hello", 5);
	buf_unref(op->pop.buf);
	buf_unref(b);
}

static void a_short_message_reaches_the_pop_that_waits(void **state)
{
	struct fixture *f = *state;
	struct buf *b = message(f, "hello");
	struct operation *op;
	int rc;

	b->len = 5;
	op = pop(f, UINT32_MAX, &rc);
	assert_int_equal(rc, -EINPROGRESS);
	buf_unref(push(f, b, &rc)->push.buf);
	assert_int_equal(rc, 0);
	assert_int_equal(poll_all(f), 1);
	assert_memory_equal(op->pop.data, "hello", 5);
	buf_unref(op->pop.buf);
	buf_unref(b);
}

static void a_pop_that_waits_gets_the_next_message(void **state)
{
	struct fixture *f = *state;
	struct operation *first, *second;
	struct buf *b = message(f, "one");
	int rc;

	first = pop(f, UINT32_MAX, &rc);
	assert_int_equal(rc, -EINPROGRESS);
	second = pop(f, UINT32_MAX, &rc);
	push(f, b, &rc);
	buf_unref(b);
	assert_int_equal(poll_all(f), 2);
	assert_int_equal(first->error, 0);
	assert_int_equal(second->error, 1);
	buf_unref(first->pop.buf);
	assert_int_equal(libos_memory.cancel(second), 0);
}

static void the_rest_of_a_message_stays_for_the_next_pop(void **state)
{
	struct fixture *f = *state;
	struct buf *b = message(f, "abcdef");
	struct operation *one, *two;
	int rc;

	push(f, b, &rc);
	buf_unref(b);
	poll_all(f);
	one = pop(f, 4, &rc);
	two = pop(f, LONG, &rc);
	assert_int_equal(rc, 0);
	assert_int_equal(one->pop.len, 4);
	assert_memory_equal(one->pop.data, "abcd", 4);
	assert_int_equal(two->pop.len, LONG - 4);
	assert_memory_equal(two->pop.data, "ef", 2);
	buf_unref(one->pop.buf);
	buf_unref(two->pop.buf);
}

static void a_full_queue_makes_pushes_wait_and_keeps_their_order(void **state)
{
	struct fixture *f = *state;
	unsigned finished;
	int rc;

	for (unsigned i = 0; i < LIMIT + 1; i++) {
		struct buf *b = heap_alloc(f->heap, LONG);

		b->data[0] = (uint8_t)i;
		push(f, b, &rc);
		buf_unref(b);
	}
	assert_int_equal(poll_all(f), LIMIT);
	finished = 0;
	for (unsigned i = 0; i < LIMIT + 1; i++) {
		struct operation op = {.opcode = DEMI_OPC_POP, .queue = f->q};

		op.pop.max_bytes = UINT32_MAX;
		assert_int_equal(libos_memory.pop(&op), 0);
		assert_int_equal(op.pop.data[0], i);
		buf_unref(op.pop.buf);
		finished += poll_all(f);
	}
	assert_int_equal(finished, 1);
}

static void a_push_without_memory_for_its_copy_fails_alone(void **state)
{
	struct fixture *f = *state;
	struct buf *all[16], *b = heap_alloc(f->heap, HEAP_MAX_BYTES / 2 + 1);
	struct operation *op;
	unsigned n = 0;
	int rc;

	assert_non_null(b);
	while (n < 16 && (all[n] = heap_alloc(f->heap, HEAP_MAX_BYTES / 2 + 1)))
		n++;
	assert_true(n < 16);
	op = push(f, b, &rc);
	assert_int_equal(poll_all(f), 1);
	assert_int_equal(op->error, -ENOMEM);
	while (n > 0)
		buf_unref(all[--n]);
	buf_unref(b);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
	    CASE(a_message_given_up_is_not_copied),
	    CASE(a_message_kept_may_change_after_its_push),
	    CASE(a_short_message_is_the_queues_at_once),
	    CASE(a_short_message_reaches_the_pop_that_waits),
	    CASE(a_pop_that_waits_gets_the_next_message),
	    CASE(the_rest_of_a_message_stays_for_the_next_pop),
	    CASE(a_full_queue_makes_pushes_wait_and_keeps_their_order),
	    CASE(a_push_without_memory_for_its_copy_fails_alone),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
