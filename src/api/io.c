/* io.c - pushes and pops.
 *
 * SPDX-License-Identifier: MIT
 */
#include "api/api.h"
#include "demi/ext.h"
#include "rt/queue.h"

bool api_is_left_behind(const struct buf *b, const uint8_t *data, uint32_t len)
{
	uintptr_t from_base = (uintptr_t)data - (uintptr_t)b->base;
	uintptr_t end = (uintptr_t)(b->data - b->base) + b->len;

	return (b->flags & BUF_BEGUN) && from_base <= end && len <= end - from_base;
}

static inline __attribute__((always_inline)) int push(struct instance *in, demi_qtoken_t *qt_out,
						      int qd, const demi_sgarray_t *sga,
						      const struct endpoint *to)
{
	struct queue *q = api_queue(in, qd);
	const uint8_t *data;
	uint32_t len;
	struct buf *b;
	int rc;

	if (!q)
		return -EBADF;
	rc = api_segment(sga, &b, &data, &len);
	if (rc < 0)
		return rc;
	return queue_push(in, q, b, data, len, to, qt_out);
}

DEMI_EXPORT int demi_push(demi_qtoken_t *qt_out, int qd, const demi_sgarray_t *sga)
{
	struct instance *in = instance_self;
	struct api_call call;

	if (!in)
		return ENOSYS;
	if (!qt_out || !sga)
		return EINVAL;
	call = API_BEGIN(in, "demi_push");
	return api_end(&call, push(in, qt_out, qd, sga, NULL));
}

DEMI_EXPORT int demi_pushto(demi_qtoken_t *qt_out, int sockqd, const demi_sgarray_t *sga,
			    const struct sockaddr *dest, socklen_t size)
{
	struct instance *in = instance_self;
	struct api_call call;
	struct endpoint to;
	int rc;

	if (!in)
		return ENOSYS;
	if (!qt_out || !sga)
		return EINVAL;
	call = API_BEGIN(in, "demi_pushto");
	rc = api_address(dest, size, &to);
	if (rc == 0)
		rc = push(in, qt_out, sockqd, sga, &to);
	return api_end(&call, rc);
}

static inline __attribute__((always_inline)) int pop(struct instance *in, demi_qtoken_t *qt_out,
						     int qd, uint32_t max_bytes)
{
	struct queue *q = api_queue(in, qd);

	return q ? queue_pop(in, q, max_bytes, qt_out) : -EBADF;
}

DEMI_EXPORT int demi_pop(demi_qtoken_t *qt_out, int qd)
{
	struct instance *in = instance_self;
	struct api_call call;

	if (!in)
		return ENOSYS;
	if (!qt_out)
		return EINVAL;
	call = API_BEGIN(in, "demi_pop");
	return api_end(&call, pop(in, qt_out, qd, UINT32_MAX));
}

DEMI_EXPORT int demi_pop_sized(demi_qtoken_t *qt_out, int qd, size_t size)
{
	struct instance *in = instance_self;
	struct api_call call;

	if (!in)
		return ENOSYS;
	if (!qt_out || size == 0)
		return EINVAL;
	call = API_BEGIN(in, "demi_pop_sized");
	return api_end(&call, pop(in, qt_out, qd, size < UINT32_MAX ? (uint32_t)size : UINT32_MAX));
}

DEMI_EXPORT int demi_cancel(demi_qtoken_t qt)
{
	struct instance *in = instance_self;
	struct api_call call;

	if (!in)
		return ENOSYS;
	call = API_BEGIN(in, "demi_cancel");
	return api_end(&call, queue_cancel(in, qt));
}
