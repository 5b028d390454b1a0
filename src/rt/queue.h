/* queue.h - what can be done with a queue: the checks of states that hold for every libOS, and the
 * start of operations.
 *
 * All return 0 or -errno, and write a token or descriptor only on 0. Pointers were checked by the
 * caller.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef RT_QUEUE_H
#define RT_QUEUE_H

#include "rt/instance.h"

int queue_socket(struct instance *in, int domain, int type, int protocol, int *qd);
int queue_memory(struct instance *in, int *qd);
int queue_bind(struct queue *q, const struct endpoint *local);
int queue_listen(struct queue *q, int backlog);
int queue_accept(struct instance *in, struct queue *q, demi_qtoken_t *qt);
int queue_connect(struct instance *in, struct queue *q, const struct endpoint *to,
		  demi_qtoken_t *qt);
int queue_shutdown(struct queue *q, int how);
int queue_close(struct instance *in, struct queue *q);
int queue_close_async(struct instance *in, struct queue *q, demi_qtoken_t *qt);

/* data[0..len-1] lies inside b. `to`: NULL, or the destination of this datagram. */
int queue_push(struct instance *in, struct queue *q, struct buf *b, const uint8_t *data,
	       uint32_t len, const struct endpoint *to, demi_qtoken_t *qt);
int queue_pop(struct instance *in, struct queue *q, uint32_t max_bytes, demi_qtoken_t *qt);
int queue_cancel(struct instance *in, demi_qtoken_t qt);

int queue_setsockopt(struct queue *q, int level, int name, const void *val, uint32_t len);
int queue_getsockopt(struct queue *q, int level, int name, void *val, uint32_t *len);
int queue_getpeername(struct queue *q, struct endpoint *peer);
int queue_getsockname(struct queue *q, struct endpoint *local);

#endif
