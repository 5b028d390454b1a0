/* api.h - what every entry point does first and last.
 *
 * An entry point checks its pointers, finds the thread's instance and the queue, calls src/rt, and
 * turns -errno into the positive errno of the interface. Its way in and out is API_BEGIN() and
 * api_end(), which keep the in-call flag (a signal handler that calls exit() inside a call must
 * not flush) and serve the profiler.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef API_API_H
#define API_API_H

#include "base/clock.h"
#include "rt/instance.h"
#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>

#define DEMI_EXPORT __attribute__((visibility("default")))

struct api_call {
	struct instance *in;
	const char *name;
	uint32_t name_len;
};

static inline struct api_call api_begin(struct instance *in, const char *name, uint32_t name_len)
{
	in->in_call = true;
	if (__builtin_expect(in->profiler != NULL, 0))
		in->call_start = clock_cycles();
	return (struct api_call){in, name, name_len};
}

/* Starts a call by its name; `in` is the instance, not NULL. */
#define API_BEGIN(in, name) api_begin((in), (name), sizeof(name) - 1)

/* Ends it: the result in the interface's sign. */
static inline int api_end(const struct api_call *c, int rc)
{
	c->in->in_call = false;
	if (__builtin_expect(c->in->profiler != NULL, 0))
		c->in->profiler(c->name, c->name_len, clock_cycles() - c->in->call_start);
	return -rc;
}

/* The open queue of a descriptor; NULL: EBADF. One that is being closed takes no more calls. */
static inline struct queue *api_queue(const struct instance *in, int qd)
{
	struct queue *q = descriptor_find(&in->descriptors, qd);

	return q && !q->closing ? q : NULL;
}

/* Reads a caller's socket address. 0, -EINVAL (NULL, a wrong length, IPv6 on an IPv4 socket),
 * -ENOTSUP (another family). */
int api_address(const struct sockaddr *addr, socklen_t size, struct endpoint *out);

/* Whether len bytes from data on are such as a sized pop has left behind in b. */
bool api_is_left_behind(const struct buf *b, const uint8_t *data, uint32_t len);

/* The segment of a caller's sga. -EINVAL when it is not one segment of 1 byte or more inside its
 * buffer. */
static inline int api_segment(const demi_sgarray_t *sga, struct buf **b, const uint8_t **data,
			      uint32_t *len)
{
	const demi_sgaseg_t *seg = &sga->sga_segs[0];
	uintptr_t offset;

	if (!sga->sga_buf || sga->sga_numsegs != 1 || seg->sgaseg_len == 0)
		return -EINVAL;
	*b = sga->sga_buf;
	*data = seg->sgaseg_buf;
	*len = seg->sgaseg_len;
	offset = (uintptr_t)seg->sgaseg_buf - (uintptr_t)(*b)->data;
	if (offset > (*b)->len || *len > (*b)->len - offset)
		return api_is_left_behind(*b, *data, *len) ? 0 : -EINVAL;
	return 0;
}

#endif
