/* sga.c - demi_sgaalloc(), demi_sgafree().
 *
 * SPDX-License-Identifier: MIT
 */
#include "api/api.h"
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

	if (b) {
		b->flags = BUF_HELD; /* it is fresh */
		result_sga(&sga, b, b->data, (uint32_t)size, 0);
	} else {
		result_no_sga(&sga);
	}
	return sga;
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
	return api_end(&call, pool_give_back(sga->sga_buf));
}
