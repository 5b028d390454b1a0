/* sga.c - demi_sgaalloc(), demi_sgafree().
 *
 * SPDX-License-Identifier: MIT
 */
#include "api/api.h"
#include "demi/sga.h"

static struct buf *allocate(size_t size)
{
	struct instance *in = instance_self;
	struct api_call call;
	struct buf *b;

	if (!in)
		return NULL;
	call = API_BEGIN(in, "demi_sgaalloc");
	b = heap_alloc(in->heap, size);
	api_end(&call, 0);
	return b;
}

/* The result is written once, where the caller wants it: a copy of a structure made field by field
 * stalls on its own stores, which costs more than the allocation. */
DEMI_EXPORT demi_sgarray_t demi_sgaalloc(size_t size)
{
	struct buf *b = allocate(size);

	if (!b)
		return (demi_sgarray_t){0};
	return (demi_sgarray_t){
	    .sga_buf = b,
	    .sga_numsegs = 1,
	    .sga_segs = {{.sgaseg_buf = b->data, .sgaseg_len = (uint32_t)size}},
	};
}

DEMI_EXPORT int demi_sgafree(demi_sgarray_t *sga)
{
	struct instance *in = instance_self;
	struct api_call call;
	struct buf *b;

	if (!in)
		return ENOSYS;
	if (!sga || !sga->sga_buf || sga->sga_numsegs != 1)
		return EINVAL;
	call = API_BEGIN(in, "demi_sgafree");
	b = sga->sga_buf;
	pool_unref(b);
	return api_end(&call, 0);
}
