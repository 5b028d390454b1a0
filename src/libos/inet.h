/* inet.h - a libOS made of one stack and one link: what catpowder and catnip are.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef LIBOS_INET_H
#define LIBOS_INET_H

#include "libos/libos.h"
#include "link/link.h"

/* Joins a new stack, set up from env->config and what the link says of itself, to `link`, which is
 * given: it is destroyed with the libOS, and also when this fails. `class` is the libOS's, whose
 * functions are those of INET_CLASS. 0; -EINVAL (what of the configuration does not fit is in
 * env->found), -ENOMEM. */
int inet_create(struct libos **out, const struct libos_class *class, const struct libos_env *env,
		struct link *link);

/* Has tell(c) called, once, when segments or datagrams have been dropped for their checksum and not
 * one was good. */
void inet_on_bad_checksums(struct libos *l, void (*tell)(const struct config *c),
			   const struct config *c);

/* Adds what of the configuration does not fit a stack over a link of this MTU (0: not known yet).
 * interface: for the remedy; NULL: it is no interface of the kernel's. */
void inet_examine(const struct config *c, uint32_t mtu, const char *interface,
		  struct findings *found);

/* All of a libos_class but name and create. */
void inet_destroy(struct libos *l, uint64_t linger_ns);
void inet_forked(struct libos *l);
int inet_socket(struct libos *l, enum queue_type type, struct queue **out);
int inet_bind(struct queue *q, const struct endpoint *local);
int inet_listen(struct queue *q, int backlog);
int inet_accept(struct operation *op);
int inet_connect(struct operation *op);
int inet_push(struct operation *op);
int inet_pop(struct operation *op);
int inet_close_async(struct operation *op);
int inet_cancel(struct operation *op);
int inet_shutdown(struct queue *q, int how);
void inet_close(struct queue *q);
int inet_setsockopt(struct queue *q, int level, int name, const void *val, uint32_t len);
int inet_getsockopt(struct queue *q, int level, int name, void *val, uint32_t *len);
int inet_getpeername(struct queue *q, struct endpoint *peer);
int inet_getsockname(struct queue *q, struct endpoint *local);
int inet_poll(struct libos *l, struct operation_list *done, uint64_t now_ns);
uint64_t inet_next_deadline(struct libos *l);
int inet_arm(struct libos *l);

/* waits_unpolled_max over the kernel's interfaces: so many waits are served from what is ready
 * before the device is looked at. */
enum { INET_WAITS = 32 };

#define INET_CLASS                                                                                 \
	.destroy = inet_destroy, .forked = inet_forked, .socket = inet_socket, .bind = inet_bind,  \
	.listen = inet_listen, .accept = inet_accept, .connect = inet_connect, .push = inet_push,  \
	.pop = inet_pop, .close_async = inet_close_async, .cancel = inet_cancel,                   \
	.shutdown = inet_shutdown, .close = inet_close, .setsockopt = inet_setsockopt,             \
	.getsockopt = inet_getsockopt, .getpeername = inet_getpeername,                            \
	.getsockname = inet_getsockname, .poll = inet_poll, .next_deadline = inet_next_deadline,   \
	.arm = inet_arm

#endif
