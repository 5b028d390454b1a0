/* catcollar.c - catcollar: making and ending an instance, and the poll.
 *
 * SPDX-License-Identifier: MIT
 */
#include "libos/catcollar_queue.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static int open_parts(struct catcollar *c, const struct libos_env *env)
{
	int rc = kernel_init(&c->kernel, &catcollar_class, env);

	if (rc < 0)
		return rc;
	c->kernel.queue_bytes = sizeof(struct catcollar_queue);
	c->kernel.socket_flags = SOCK_CLOEXEC;
	rc = catcollar_ring_open(c);
	if (rc < 0)
		kernel_fini(&c->kernel, 0);
	return rc;
}

static int catcollar_create(struct libos **out, const struct libos_env *env)
{
	struct catcollar *c = calloc(1, sizeof(*c));
	int rc;

	if (c == NULL)
		return -ENOMEM;
	c->datagram.msg_namelen = sizeof(struct sockaddr_in);
	list_init(&c->deferred);
	list_init(&c->unarmed);
	operation_list_init(&c->finished);
	catcollar_lent_init(c);
	rc = open_parts(c, env);
	if (rc < 0) {
		free(c);
		return rc;
	}
	*out = &c->kernel.libos;
	return 0;
}

static struct catcollar *of_libos(struct libos *libos)
{
	return container_of(container_of(libos, struct kernel, libos), struct catcollar, kernel);
}

static void catcollar_destroy(struct libos *libos, uint64_t linger_ns)
{
	struct catcollar *c = of_libos(libos);

	catcollar_retire_all(c);
	catcollar_ring_close(c);
	catcollar_lent_free(c);
	kernel_fini(&c->kernel, linger_ns);
	free(c);
}

/* The ring is the parent's, and so are the requests in it. */
static void catcollar_forked(struct libos *libos)
{
	struct catcollar *c = of_libos(libos);

	close(c->ring.ring_fd);
	close(c->wake_fd);
	kernel_forked(libos);
}

void catcollar_queue_init(struct catcollar_queue *q)
{
	list_init(&q->accepted);
	list_init(&q->link);
	list_init(&q->deferred);
	list_init(&q->unarmed);
}

struct catcollar_queue *catcollar_queue_new(struct catcollar *c)
{
	struct kernel_queue *kernel = kernel_queue_new(&c->kernel, QUEUE_TCP);
	struct catcollar_queue *q;

	if (kernel == NULL)
		return NULL;
	q = container_of(kernel, struct catcollar_queue, kernel);
	catcollar_queue_init(q);
	return q;
}

static int catcollar_socket(struct libos *libos, enum queue_type type, struct queue **out)
{
	int rc = kernel_socket(libos, type, out);

	if (rc == 0)
		catcollar_queue_init(catcollar_queue_of(*out));
	return rc;
}

/* The kernel tells an error once, and may have told it a request of ours. */
static int catcollar_getsockopt(struct queue *queue, int level, int name, void *val, uint32_t *len)
{
	struct catcollar_queue *q = catcollar_queue_of(queue);
	int rc = kernel_getsockopt(queue, level, name, val, len), err;

	if (rc != 0 || level != SOL_SOCKET || name != SO_ERROR || *len != sizeof(err))
		return rc;
	memcpy(&err, val, sizeof(err));
	if (err == 0 && q->soft_error != 0)
		memcpy(val, &(int){-q->soft_error}, sizeof(err));
	q->soft_error = 0;
	return 0;
}

void catcollar_finish_one(struct catcollar *c, struct operation *op, int rc)
{
	op->error = rc;
	if (op == c->starting) {
		c->starting = NULL;
		return;
	}
	operation_list_add(&c->finished, op);
	c->kernel.libos.news = true;
}

void catcollar_finish(struct catcollar *c, struct operation_list *from, int rc)
{
	catcollar_finish_one(c, operation_list_pop(from), rc);
}

int catcollar_start(struct catcollar *c, struct catcollar_queue *q, struct operation *op)
{
	bool finished;

	c->starting = op;
	catcollar_send_next(c, q);
	if (c->starting != NULL)
		catcollar_submit(c);
	finished = c->starting == NULL;
	c->starting = NULL;
	return finished ? 0 : -EINPROGRESS;
}

/* Those whose requests could not be made yet. */
static void ask_for_unarmed(struct catcollar *c)
{
	struct list now, *item;

	list_take_all(&now, &c->unarmed);
	while ((item = list_pop(&now)) != NULL) {
		struct catcollar_queue *q = list_entry(item, struct catcollar_queue, unarmed);

		if (q->kernel.queue.listening)
			catcollar_give_connections(c, q);
		else
			catcollar_deliver(c, q);
	}
}

/* Those that the kernel had no memory for. */
static void retry_stalled(struct catcollar *c)
{
	struct list *item;

	while ((item = list_pop(&c->kernel.stalled)) != NULL) {
		struct kernel_queue *q = list_entry(item, struct kernel_queue, stalled);

		catcollar_send_next(c, container_of(q, struct catcollar_queue, kernel));
	}
}

/* Connections that are closed and not through yet are catnap's, and its epoll set's. */
static unsigned tend(struct catcollar *c, struct operation_list *done, uint64_t now_ns)
{
	struct kernel *k = &c->kernel;

	if (++c->rounds >= CATCOLLAR_LINGER_ROUNDS && k->registered > 0) {
		c->rounds = 0;
		kernel_harvest(k, 0);
	}
	return kernel_tend(k, done, now_ns);
}

static int catcollar_poll(struct libos *libos, struct operation_list *done, uint64_t now_ns)
{
	struct catcollar *c = of_libos(libos);
	unsigned n = 0, got = 1;

	if (c->wakes > 0 && --c->wakes == 0)
		catcollar_wake_me_no_more(c);
	if (!list_empty(&c->deferred))
		catcollar_send_deferred(c);
	if (!list_empty(&c->kernel.stalled) && kernel_retry_due(&c->kernel, now_ns))
		retry_stalled(c);
	for (unsigned i = 0; i < CATCOLLAR_ROUNDS && got > 0; i++) {
		if (!list_empty(&c->unarmed))
			ask_for_unarmed(c);
		got = catcollar_look(c);
		n += got;
		if (io_uring_sq_ready(&c->ring) == 0 && list_empty(&c->unarmed))
			break;
	}
	operation_list_splice(done, &c->finished);
	libos->news = false;
	/* Last: a close that is through takes with it what is not finished. */
	if (c->kernel.lingering_count > 0)
		n += tend(c, done, now_ns);
	return (int)n;
}

/* By the rule: set the flag, poll once more (the runtime does), sleep. */
static int catcollar_arm(struct libos *libos)
{
	struct catcollar *c = of_libos(libos);
	struct kernel *k = &c->kernel;

	if (io_uring_cq_ready(&c->ring) > 0)
		return 1;
	catcollar_wake_me(c);
	if (k->lingering_count == 0)
		return 0;
	kernel_harvest(k, 0);
	return k->lingering_edge ? 1 : kernel_nest(k);
}

/* One system call less than by the eventfd, and nothing for whoever sends to us to write. */
static int catcollar_sleep(struct libos *libos, uint64_t now_ns, uint64_t until_ns)
{
	struct catcollar *c = of_libos(libos);

	/* Connections that are being closed wake by epoll; requests that wait for room, not at all.
	 */
	if (c->kernel.lingering_count > 0 || !list_empty(&c->unarmed))
		return -EAGAIN;
	return catcollar_rest(c, until_ns == UINT64_MAX ? UINT64_MAX : until_ns - now_ns);
}

const struct libos_class catcollar_class = {
    .name = "catcollar",
    .create = catcollar_create,
    .examine = catcollar_examine,
    .destroy = catcollar_destroy,
    .waits_unpolled_max = CATCOLLAR_WAITS,
    .forked = catcollar_forked,
    .socket = catcollar_socket,
    .bind = kernel_bind,
    .listen = kernel_listen,
    .accept = catcollar_accept,
    .connect = catcollar_connect,
    .push = catcollar_push,
    .pop = catcollar_pop,
    .close_async = catcollar_close_async,
    .cancel = catcollar_cancel,
    .shutdown = catcollar_shutdown,
    .flush = catcollar_flush,
    .close = catcollar_close,
    .setsockopt = kernel_setsockopt,
    .getsockopt = catcollar_getsockopt,
    .getpeername = kernel_getpeername,
    .getsockname = kernel_getsockname,
    .poll = catcollar_poll,
    .next_deadline = kernel_next_deadline,
    .arm = catcollar_arm,
    .sleep = catcollar_sleep,
};
