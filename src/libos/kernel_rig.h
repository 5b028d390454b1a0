/* kernel_rig.h - what the tests of catnap drive it with: an instance without the runtime, and
 * kernel sockets as its peers.
 *
 * Every call of the rig that can fail fails the test. Waiting is bounded by RIG_WAIT_NS.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef LIBOS_KERNEL_RIG_H
#define LIBOS_KERNEL_RIG_H

#include "base/config.h"
#include "libos/kernel.h"
#include <sys/types.h>

#define RIG_WAIT_NS UINT64_C(60000000000)

struct rig {
	struct config config;
	struct heap *heap;
	int epoll_fd;
	struct libos *libos;
	const struct libos_class *class;
	bool sleepy; /* waits asleep, not spinning */
	unsigned polls;
};

/* An operation and what became of it. */
struct rig_op {
	struct operation op;
	bool done;
};

int rig_setup(void **state); /* of catnap */
int rig_setup_class(void **state, const struct libos_class *class);
int rig_teardown(void **state);

/* 127.0.0.1 */
struct endpoint rig_at(uint16_t port);

struct queue *rig_socket(struct rig *r, enum queue_type type);
uint16_t rig_port(struct queue *queue);

/* Bound to 127.0.0.1 and a port of the kernel's choice, and listening. */
struct queue *rig_listener(struct rig *r);

/* Starts an operation. What was finished at once is done; what was refused fails the test. */
void rig_accept(struct rig *r, struct rig_op *op, struct queue *queue);
void rig_connect(struct rig *r, struct rig_op *op, struct queue *queue, uint16_t port);
void rig_push(struct rig *r, struct rig_op *op, struct queue *queue, const void *data, size_t len);
void rig_push_to(struct rig *r, struct rig_op *op, struct queue *queue, const void *data,
		 size_t len, uint16_t port);
void rig_pop(struct rig *r, struct rig_op *op, struct queue *queue, uint32_t max_bytes);
void rig_close_async(struct rig *r, struct rig_op *op, struct queue *queue);

/* One poll; operations that it finished are done. */
unsigned rig_poll(struct rig *r);

/* Sleeps until the instance's epoll set wakes, or its next deadline comes, or ns are over. false:
 * arm() said that there is something to do already. */
bool rig_sleep(struct rig *r, uint64_t ns);

/* Until it is done. */
void rig_wait(struct rig *r, struct rig_op *op);

/* Until it is done, successfully. */
void rig_wait_ok(struct rig *r, struct rig_op *op);

/* Makes progress until the kernel socket `fd` is readable. */
void rig_wait_fd(struct rig *r, int fd);

/* Gives back what an operation holds: the buffer pushed or popped. */
void rig_drop(struct rig_op *op);

/* A connection, with a kernel socket (blocking) as the peer: *fd. */
struct queue *rig_pair(struct rig *r, int *fd);

/* Fills `data` with bytes that tell their place. */
void rig_pattern(uint8_t *data, size_t len, unsigned seed);

#endif
