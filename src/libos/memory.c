/* memory.c - see memory.h.
 *
 * A message is a push operation until it is settled, that is, until its bytes are known to stay as
 * they are; then it is an entry in the queue's ring. Sockets' calls never get here: the runtime
 * knows the type.
 *
 * SPDX-License-Identifier: MIT
 */
#include "libos/memory.h"
#include "base/config.h"
#include "base/list.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct message {
	struct buf *buf; /* a reference of the queue's */
	uint8_t *data;
	uint32_t len;
};

struct memory_queue {
	struct queue queue;
	struct memory *memory;
	struct list link;             /* in memory->queues */
	struct list news_link;        /* in memory->news when poll() has work here */
	struct operation_list pushes; /* not settled, oldest first */
	struct operation_list pops;   /* waiting for a message */
	uint32_t head, count, cap;    /* of ring; cap is a power of two */
	struct message *ring;
};

struct memory {
	struct libos libos;
	struct heap *heap;
	uint32_t max_messages;
	struct list queues, news;
	struct operation_list finished; /* pushes that a pop has settled, for the next poll */
};

enum {
	RING_START = 64, /* messages; doubles up to the limit */
	MEMORY_SHORT_BYTES = 256,
};

static struct memory_queue *memory_queue(struct queue *q)
{
	return container_of(q, struct memory_queue, queue);
}

static int memory_create(struct libos **out, const struct libos_env *env)
{
	struct memory *m = calloc(1, sizeof(*m));

	if (!m)
		return -ENOMEM;
	m->libos.class = &libos_memory;
	m->heap = env->heap;
	m->max_messages = env->config->memory_queue_messages;
	list_init(&m->queues);
	list_init(&m->news);
	operation_list_init(&m->finished);
	*out = &m->libos;
	return 0;
}

/* Finished pushes of a queue that goes are the runtime's to finish. */
static void forget_finished(struct memory *m, const struct queue *q)
{
	struct operation_list kept;
	struct operation *op;

	operation_list_init(&kept);
	while ((op = operation_list_pop(&m->finished))) {
		if (op->queue != q)
			operation_list_add(&kept, op);
	}
	operation_list_splice(&m->finished, &kept);
}

static void memory_close(struct queue *q)
{
	struct memory_queue *mq = memory_queue(q);

	forget_finished(mq->memory, q);
	while (mq->count > 0) {
		buf_unref(mq->ring[mq->head].buf);
		mq->head = (mq->head + 1) & (mq->cap - 1);
		mq->count--;
	}
	list_del(&mq->link);
	list_del(&mq->news_link);
	free(mq->ring);
	free(mq);
}

static void memory_destroy(struct libos *l, uint64_t linger_ns)
{
	struct memory *m = container_of(l, struct memory, libos);

	(void)linger_ns; /* nobody is left to read */
	while (!list_empty(&m->queues))
		memory_close(&list_entry(m->queues.next, struct memory_queue, link)->queue);
	free(m);
}

static int memory_socket(struct libos *l, enum queue_type type, struct queue **out)
{
	struct memory *m = container_of(l, struct memory, libos);
	struct memory_queue *mq = calloc(1, sizeof(*mq));

	if (!mq)
		return -ENOMEM;
	mq->ring = malloc(RING_START * sizeof(*mq->ring));
	if (!mq->ring) {
		free(mq);
		return -ENOMEM;
	}
	mq->cap = RING_START;
	mq->queue.libos = l;
	mq->queue.type = type;
	mq->memory = m;
	operation_list_init(&mq->pushes);
	operation_list_init(&mq->pops);
	list_add_tail(&m->queues, &mq->link);
	list_init(&mq->news_link);
	*out = &mq->queue;
	return 0;
}

static void tell_news(struct memory_queue *mq)
{
	list_add_once(&mq->memory->news, &mq->news_link);
	mq->memory->libos.news = true;
}

static int grow(struct memory_queue *mq)
{
	struct message *ring = malloc(2 * (size_t)mq->cap * sizeof(*ring));

	if (!ring)
		return -ENOMEM;
	for (uint32_t i = 0; i < mq->count; i++)
		ring[i] = mq->ring[(mq->head + i) & (mq->cap - 1)];
	free(mq->ring);
	mq->ring = ring;
	mq->head = 0;
	mq->cap *= 2;
	return 0;
}

/* The references to a pushed buffer when the program has given its own back: the push's alone. */
static bool program_let_go(const struct operation *push)
{
	return buf_sole(push->push.buf);
}

static bool copy(struct memory_queue *mq, const struct operation *op, struct message *m)
{
	m->buf = heap_alloc(mq->memory->heap, op->push.len);
	if (!m->buf)
		return false;
	m->data = m->buf->data;
	m->len = op->push.len;
	memcpy(m->data, op->push.data, m->len);
	return true;
}

/* Makes a push's bytes a message of the queue's own: by reference when nobody else can change them,
 * else copied. */
static int settle(struct memory_queue *mq, const struct operation *op, struct message *m)
{
	if (!program_let_go(op))
		return copy(mq, op, m) ? 0 : -ENOMEM;
	m->buf = buf_ref(op->push.buf);
	m->data = m->buf->base + (op->push.data - m->buf->base);
	m->len = op->push.len;
	return 0;
}

/* Moves the oldest push into the ring, as far as there is room. False: nothing moved. */
static bool settle_one(struct memory_queue *mq, struct operation_list *done)
{
	struct operation *op;

	if (!mq->pushes.head || mq->count >= mq->memory->max_messages)
		return false;
	op = operation_list_pop(&mq->pushes);
	op->error = mq->count == mq->cap ? grow(mq) : 0;
	if (op->error == 0)
		op->error = settle(mq, op, &mq->ring[(mq->head + mq->count) & (mq->cap - 1)]);
	if (op->error == 0)
		mq->count++;
	operation_list_add(done, op);
	return true;
}

/* Gives the oldest message, or as much of it as the pop wants, to a pop. */
static void deliver(struct memory_queue *mq, struct operation *pop)
{
	struct message *m = &mq->ring[mq->head];
	bool whole = m->len <= pop->pop.max_bytes;

	pop->error = !whole && buf_crowded(m->buf) ? -ENOMEM : 0;
	if (pop->error != 0)
		return;
	pop->pop.data = m->data;
	pop->pop.len = m->len;
	if (!whole) {
		pop->pop.buf = buf_ref(m->buf);
		pop->pop.len = pop->pop.max_bytes;
		m->data += pop->pop.max_bytes;
		m->len -= pop->pop.max_bytes;
		return;
	}
	pop->pop.buf = m->buf;
	mq->head = (mq->head + 1) & (mq->cap - 1);
	mq->count--;
}

static int serve(struct memory_queue *mq, struct operation_list *done)
{
	int happened = 0;
	bool moved;

	do {
		moved = settle_one(mq, done);
		while (mq->count > 0 && mq->pops.head) {
			struct operation *pop = operation_list_pop(&mq->pops);

			deliver(mq, pop);
			operation_list_add(done, pop);
			moved = true;
		}
		happened += moved;
	} while (moved);
	return happened;
}

static int memory_poll(struct libos *l, struct operation_list *done, uint64_t now_ns)
{
	struct memory *m = container_of(l, struct memory, libos);
	struct list *item;
	int happened = 0;

	(void)now_ns;
	happened += m->finished.head != NULL;
	operation_list_splice(done, &m->finished);
	while ((item = list_pop(&m->news)))
		happened += serve(list_entry(item, struct memory_queue, news_link), done);
	l->news = false;
	return happened;
}

/* A short message is copied at once, which costs less than waiting for whether it has to be. */
static bool push_short(struct memory_queue *mq, const struct operation *op)
{
	struct message *m = &mq->ring[(mq->head + mq->count) & (mq->cap - 1)];

	if (op->push.len > MEMORY_SHORT_BYTES || mq->pushes.head || mq->count == mq->cap ||
	    mq->count >= mq->memory->max_messages || !copy(mq, op, m))
		return false;
	mq->count++;
	if (mq->pops.head)
		tell_news(mq);
	return true;
}

static int memory_push(struct operation *op)
{
	struct memory_queue *mq = memory_queue(op->queue);

	if (push_short(mq, op)) {
		op->error = 0;
		return 0;
	}
	operation_list_add(&mq->pushes, op);
	tell_news(mq);
	return -EINPROGRESS;
}

/* The oldest message is given out at once, settled or not. */
static int memory_pop(struct operation *op)
{
	struct memory_queue *mq = memory_queue(op->queue);

	if (mq->pops.head) {
		operation_list_add(&mq->pops, op);
		return -EINPROGRESS;
	}
	if (settle_one(mq, &mq->memory->finished))
		mq->memory->libos.news = true;
	if (mq->count > 0) {
		deliver(mq, op);
		return 0;
	}
	operation_list_add(&mq->pops, op);
	return -EINPROGRESS;
}

static int memory_cancel(struct operation *op)
{
	struct memory_queue *mq = memory_queue(op->queue);
	struct operation_list *l = op->opcode == DEMI_OPC_PUSH ? &mq->pushes : &mq->pops;

	return operation_list_remove(l, op) ? 0 : -EBUSY; /* popped already */
}

/* There is no peer to wait for. */
static int memory_close_async(struct operation *op)
{
	op->error = 0;
	return 0;
}

static uint64_t memory_next_deadline(struct libos *l)
{
	(void)l;
	return UINT64_MAX;
}

static int memory_arm(struct libos *l)
{
	return l->news;
}

const struct libos_class libos_memory = {
    .name = "memory",
    .create = memory_create,
    .destroy = memory_destroy,
    .socket = memory_socket,
    .push = memory_push,
    .pop = memory_pop,
    .cancel = memory_cancel,
    .close = memory_close,
    .close_async = memory_close_async,
    .poll = memory_poll,
    .next_deadline = memory_next_deadline,
    .arm = memory_arm,
};
