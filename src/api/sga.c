/* sga.c - demi_sgaalloc(), demi_sgafree().
 *
 * SPDX-License-Identifier: MIT
 */
#include "api/api.h"
#include "base/log.h"
#include "demi/sga.h"
#include "rt/result.h"
#include "rt/shortage.h"

static struct buf *allocate(size_t size)
{
	struct instance *in = instance_self;
	struct api_call call;
	struct buf *b;

	if (!in)
		return NULL;
	call = API_BEGIN(in, "demi_sgaalloc");
	b = heap_alloc(in->heap, size);
	if (__builtin_expect(!b, 0) && size - 1 < HEAP_MAX_BYTES)
		shortage_tell(in, SHORTAGE_BUFFERS);
	api_end(&call, 0);
	return b;
}

/* The result is written where the caller wants it: `sga` is that place. */
DEMI_EXPORT demi_sgarray_t demi_sgaalloc(size_t size)
{
	demi_sgarray_t sga;
	struct buf *b = allocate(size);

	if (b)
		result_sga(&sga, b, b->data, (uint32_t)size, 0);
	else
		result_no_sga(&sga);
	return sga;
}

static __attribute__((cold, noinline)) int refuse_second(void)
{
	log_error_rarely("demi_sgafree: this message was given back before: each is given back "
			 "once");
	return -EINVAL;
}

/* In another thread its references are not to be looked at. */
static inline int give_back(struct buf *b)
{
	if (__builtin_expect(!pool_is_own(b->pool), 0)) {
		pool_remote_unref(b);
		return 0;
	}
	if (__builtin_expect(*b->refs == 0, 0))
		return refuse_second();
	buf_unref(b);
	return 0;
}

DEMI_EXPORT int demi_sgafree(demi_sgarray_t *sga)
{
	struct instance *in = instance_self;
	struct api_call call;

	if (!in)
		return ENOSYS;
	if (!sga || !sga->sga_buf || sga->sga_numsegs != 1)
		return EINVAL;
	call = API_BEGIN(in, "demi_sgafree");
	return api_end(&call, give_back(sga->sga_buf));
}
