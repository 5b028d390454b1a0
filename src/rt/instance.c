/* instance.c - making, polling and ending a thread's instance. See instance.h.
 *
 * SPDX-License-Identifier: MIT
 */
#include "rt/instance.h"
#include "base/finding.h"
#include "base/log.h"
#include "libos/memory.h"
#include "libos/table.h"
#include "base/clock.h"
#include "rt/config.h"
#include "rt/shortage.h"
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

_Thread_local struct instance *instance_self __attribute__((tls_model("initial-exec")));

/* All instances of the process, for the child of a fork(), which has the descriptors of every one
 * of them. */
static pthread_mutex_t instances_lock = PTHREAD_MUTEX_INITIALIZER;
static struct instance *instances;
/* The parent's, in a child: not to be used, nor freed (other threads were amidst using theirs). */
static struct instance *inherited;
static pthread_key_t thread_end;
static pthread_once_t process_once = PTHREAD_ONCE_INIT;

static void register_instance(struct instance *in)
{
	pthread_mutex_lock(&instances_lock);
	in->next = instances;
	instances = in;
	pthread_mutex_unlock(&instances_lock);
}

static void unregister_instance(struct instance *in)
{
	pthread_mutex_lock(&instances_lock);
	for (struct instance **p = &instances; *p; p = &(*p)->next) {
		if (*p == in) {
			*p = in->next;
			break;
		}
	}
	pthread_mutex_unlock(&instances_lock);
}

/* A thread ended. When it did so inside a demi_ call (cancelled), its instance is in no state to be
 * used. */
static void on_thread_end(void *arg)
{
	struct instance *in = arg;

	if (!in->in_call)
		instance_destroy(in);
}

/* The process exits by this thread; instances of others still run and are the kernel's to end. */
static void on_exit_flush(void)
{
	struct instance *in = instance_self;

	if (in && !in->in_call)
		instance_destroy(in);
}

static void before_fork(void)
{
	pthread_mutex_lock(&instances_lock);
}

static void after_fork_parent(void)
{
	pthread_mutex_unlock(&instances_lock);
}

/* The child has copies of all descriptors and of the memory: the connections are the parent's. */
static void after_fork_child(void)
{
	struct instance *in, *next;

	for (in = instances; in; in = next) {
		next = in->next;
		for (unsigned i = 0; i < LIBOS_COUNT; i++) {
			if (in->libos[i] && in->libos[i]->class->forked)
				in->libos[i]->class->forked(in->libos[i]);
		}
		close(in->epoll_fd);
		in->next = inherited;
		inherited = in;
	}
	instances = NULL;
	instance_self = NULL;
	pthread_setspecific(thread_end, NULL);
	pthread_mutex_unlock(&instances_lock);
}

static void process_setup(void)
{
	if (pthread_key_create(&thread_end, on_thread_end) != 0)
		log_warn(
		    "no thread-specific key is left: what a thread that ends has pushed last may be lost");
	pthread_atfork(before_fork, after_fork_parent, after_fork_child);
	atexit(on_exit_flush);
}

/* Says why a libOS cannot start: what the attempt showed, else what demi doctor would say. Of
 * descriptors there may be enough again by now. */
static void explain(struct instance *in, const struct libos_class *class, struct findings *found,
		    int rc)
{
	if (found->count == 0 && (rc == -EMFILE || rc == -ENFILE)) {
		shortage_of_call(in, rc);
		return;
	}
	if (found->count == 0 && class->examine)
		class->examine(&in->config, found);
	if (findings_log_errors(found) == 0)
		log_error("%s cannot start: %s; demi doctor looks closer", class->name,
			  strerror(-rc));
}

static int open_liboses(struct instance *in)
{
	const struct libos_class *class = libos_find(in->config.libos);
	struct findings found = {0};
	const struct libos_env env = {
	    .config = &in->config, .heap = in->heap, .epoll_fd = in->epoll_fd, .found = &found};
	int rc;

	if (!class) {
		char names[LIBOS_NAMES_BYTES];

		log_error("LIBOS=%s is unknown; this build has: %s", in->config.libos,
			  libos_names(names));
		return -EINVAL;
	}
	rc = class->create(&in->libos[LIBOS_NETWORK], &env);
	if (rc < 0) {
		explain(in, class, &found, rc);
		return rc;
	}
	in->waits_unpolled_max =
	    class->waits_unpolled_max > 0 ? class->waits_unpolled_max : WAITS_UNPOLLED_MAX;
	rc = libos_memory.create(&in->libos[LIBOS_MEMORY], &env);
	if (rc < 0) {
		class->destroy(in->libos[LIBOS_NETWORK], 0);
		shortage_of_call(in, rc);
	}
	return rc;
}

uint64_t instance_heap_bytes(const struct config *c)
{
	const struct libos_class *class = libos_find(c->libos);
	uint64_t max = class ? class->heap_bytes_max : 0;

	return max > 0 && max < c->heap_bytes ? max : c->heap_bytes;
}

static int open_tables(struct instance *in)
{
	int rc = operations_create(&in->operations, in->config.max_operations,
				   in->config.max_unclaimed_closed);

	if (rc < 0)
		return rc;
	rc = descriptors_create(&in->descriptors, in->config.max_queues);
	if (rc < 0)
		goto free_operations;
	rc = heap_create(&in->heap, in->config.small_buffers, instance_heap_bytes(&in->config));
	if (rc < 0)
		goto free_descriptors;
	return 0;

free_descriptors:
	descriptors_destroy(&in->descriptors);
free_operations:
	operations_destroy(&in->operations);
	return rc;
}

static void free_tables(struct instance *in)
{
	heap_destroy(in->heap);
	descriptors_destroy(&in->descriptors);
	operations_destroy(&in->operations);
}

/* The tables had no room: says how much they want, where that is why. */
static void explain_tables(struct instance *in, int rc)
{
	struct findings found = {0};

	shortage_examine(&in->config, &found);
	if (findings_log_errors(&found) == 0)
		shortage_of_call(in, rc);
}

static int open_instance(struct instance *in)
{
	int rc = config_load(&in->config, NULL);

	if (rc < 0)
		return rc;
	rc = open_tables(in);
	if (rc < 0) {
		explain_tables(in, rc);
		goto free_config;
	}
	in->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (in->epoll_fd < 0) {
		rc = -errno;
		shortage_of_call(in, rc);
		goto free_tables;
	}
	rc = open_liboses(in);
	if (rc < 0)
		goto close_epoll;
	return 0;

close_epoll:
	close(in->epoll_fd);
free_tables:
	free_tables(in);
free_config:
	config_free(&in->config);
	return rc;
}

int instance_create(demi_callback_t callback)
{
	struct instance *in;
	int rc;

	if (instance_self)
		return -EEXIST;
	pthread_once(&process_once, process_setup);
	in = calloc(1, sizeof(*in));
	if (!in) {
		log_error("no memory for an instance");
		return -ENOMEM;
	}
	rc = open_instance(in);
	if (rc < 0) {
		free(in);
		return rc;
	}
	in->profiler = in->config.profiling ? callback : NULL;
	instance_self = in;
	register_instance(in);
	pthread_setspecific(thread_end, in);
	return 0;
}

/* Lets go of what results that nobody took still hold. The queues are the libOSes' to end. */
static void forget_ready(struct instance *in)
{
	struct slot *s;

	while ((s = operations_oldest(&in->operations)))
		instance_forget(in, s);
}

static void release_pending(struct instance *in)
{
	for (uint32_t i = 0; i < in->operations.used; i++) {
		struct slot *s = &in->operations.slots[i];

		if (s->state == SLOT_PENDING && s->op.opcode == DEMI_OPC_PUSH)
			buf_unref(s->op.push.buf);
	}
}

void instance_destroy(struct instance *in)
{
	uint64_t linger_ns = (uint64_t)in->config.exit_linger_ms * 1000000;

	unregister_instance(in);
	instance_self = NULL;
	pthread_setspecific(thread_end, NULL);
	forget_ready(in);
	for (unsigned i = 0; i < LIBOS_COUNT; i++)
		in->libos[i]->class->destroy(in->libos[i], linger_ns);
	release_pending(in);
	close(in->epoll_fd);
	free_tables(in);
	config_free(&in->config);
	free(in);
}

/* A connection that succeeded gets the descriptor kept for it; one that did not come gives it back.
 */
static void finish_accept(struct instance *in, struct slot *s)
{
	if (s->op.error == 0) {
		s->op.accept.queue->bound = true;
		s->op.accept.queue->connected = true;
		instance_adopt(in, s->accept_qd, s->op.accept.queue);
	} else {
		descriptor_put(&in->descriptors, s->accept_qd);
	}
}

static void finish_connect(struct slot *s)
{
	struct queue *q = s->op.queue;

	if (!q)
		return;
	q->connecting = false;
	q->connected = s->op.error == 0;
	q->bound |= q->connected;
}

void instance_finished(struct instance *in, struct slot *s)
{
	switch (s->op.opcode) {
	case DEMI_OPC_PUSH:
		buf_unref(s->op.push.buf);
		break;
	case DEMI_OPC_ACCEPT:
		finish_accept(in, s);
		break;
	case DEMI_OPC_CONNECT:
		finish_connect(s);
		break;
	case DEMI_OPC_CLOSE:
		list_del(&s->queue_link);
		instance_drop(in, s->op.queue, -ECANCELED);
		s->op.queue = NULL;
		break;
	default:
		break;
	}
	operation_ready(&in->operations, s);
}

void instance_adopt(struct instance *in, int qd, struct queue *q)
{
	list_init(&q->operations);
	descriptor_set(&in->descriptors, qd, q);
}

/* The libOS frees the queue before its operations finish, so that nothing of it refers to them any
 * more. */
void instance_drop(struct instance *in, struct queue *q, int error)
{
	struct list left, *item;

	list_take_all(&left, &q->operations);
	descriptor_put(&in->descriptors, q->qd);
	q->libos->class->close(q);
	while ((item = list_pop(&left))) {
		struct slot *s = list_entry(item, struct slot, queue_link);

		s->op.queue = NULL;
		if (s->state == SLOT_PENDING) {
			s->op.error = error;
			instance_finished(in, s);
		}
		operation_orphan(&in->operations, s);
	}
	while (in->operations.orphan_count > in->operations.orphan_max)
		instance_forget(in,
				list_entry(in->operations.orphans.next, struct slot, ready_link));
}

void instance_forget(struct instance *in, struct slot *s)
{
	if (s->op.error == 0 && s->op.opcode == DEMI_OPC_POP)
		buf_unref(s->op.pop.buf);
	if (s->op.error == 0 && s->op.opcode == DEMI_OPC_ACCEPT)
		instance_drop(in, s->op.accept.queue, -EBADF);
	operation_taken(&in->operations, s);
}

/* Polls one libOS and makes ready what it has finished. */
static int poll_one(struct instance *in, struct libos *l, uint64_t now_ns)
{
	struct operation_list done;
	struct operation *op, *next;
	int happened;

	operation_list_init(&done);
	happened = l->class->poll(l, &done, now_ns);
	for (op = done.head; op; op = next) {
		next = op->next;
		instance_finished(in, slot_of(op));
		happened |= 1;
	}
	return happened;
}

int instance_poll(struct instance *in, uint64_t now_ns)
{
	int happened;

	heap_collect(in->heap);
	happened = poll_one(in, in->libos[LIBOS_NETWORK], now_ns);
	/* Memory has no device: without news there is nothing to do. */
	if (in->libos[LIBOS_MEMORY]->news)
		happened |= poll_one(in, in->libos[LIBOS_MEMORY], now_ns);
	return happened;
}

void instance_take_news(struct instance *in)
{
	for (unsigned i = 0; i < LIBOS_COUNT; i++) {
		if (in->libos[i]->news)
			poll_one(in, in->libos[i], 0);
	}
}
