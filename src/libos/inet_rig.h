/* inet_rig.h - what the tests of our stacks' libOSes drive them with: two instances in one thread,
 * without the runtime, that reach each other over a pair of links in memory, or over a veth pair.
 *
 * Every call of the rig that can fail fails the test. Waiting is bounded by RIG_WAIT_NS.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef LIBOS_INET_RIG_H
#define LIBOS_INET_RIG_H

#include "base/config.h"
#include "libos/inet_queue.h"

#define RIG_WAIT_NS UINT64_C(60000000000)

struct rig_side {
	struct config config;
	struct heap *heap;
	int epoll_fd;
	struct pool *pool; /* over a pair: the link's; else NULL */
	struct libos *libos;
};

struct rig {
	struct rig_side side[2]; /* 10.9.0.1 and 10.9.0.2 */
};

/* An operation and what became of it. */
struct rig_op {
	struct operation op;
	bool done;
};

/* cmocka fixtures: *state is a struct rig. Over a pair the teardown checks that no buffer is lost.
 */
int rig_pair_setup(void **state);
int rig_xdp_setup(void **state); /* skipped, *state NULL, where no AF_XDP is allowed */
int rig_packet_setup(void **state);
int rig_teardown(void **state);

struct endpoint rig_at(int side, uint16_t port);
struct inet *rig_inet(struct rig *r, int side);

struct queue *rig_socket(struct rig *r, int side, enum queue_type type);
struct queue *rig_listener(struct rig *r, int side, uint16_t port);

/* Start an operation: what was finished at once is done. */
void rig_accept(struct rig_op *op, struct queue *q);
int rig_connect(struct rig_op *op, struct queue *q, const struct endpoint *to);
void rig_pop(struct rig_op *op, struct queue *q);
void rig_close_async(struct rig_op *op, struct queue *q);
/* Pushes `len` bytes of a pattern. `to`: NULL, or a datagram's destination. */
void rig_push(struct rig_op *op, struct queue *q, uint32_t len, unsigned seed,
	      const struct endpoint *to);

void rig_poll(struct rig *r);                    /* both sides */
void rig_poll_side(struct rig *r, int side);     /* one alone */
void rig_pass_ms(struct rig *r, unsigned ms);    /* polls for so long */
void rig_wait(struct rig *r, struct rig_op *op); /* as the runtime's wait */
void rig_wait_ok(struct rig *r, struct rig_op *op);
void rig_drop(struct rig_op *op); /* gives back what it holds: the buffer pushed or popped */

/* A connection: q[0] on side 0, accepted, and q[1] on side 1. */
void rig_connection(struct rig *r, struct queue *q[2]);

/* Pops on q until `len` bytes of the pattern have come, each in its place. */
void rig_expect(struct rig *r, struct queue *q, uint32_t len, unsigned seed);
/* What must be the end of the stream. */
void rig_expect_end(struct rig *r, struct queue *q);

#endif
