/* tcp_slab.c - see tcp_slab.h.
 *
 * SPDX-License-Identifier: MIT
 */
#include "inet/tcp_slab.h"
#include <errno.h>
#include <stdlib.h>

int tcp_slab_create(struct tcp_slab *slab, uint32_t count, uint32_t size)
{
	slab->free = NULL;
	slab->touched = slab->used = 0;
	slab->count = count;
	slab->size = (size + TCP_SLAB_ALIGN - 1) & ~(uint32_t)(TCP_SLAB_ALIGN - 1);
	slab->block = aligned_alloc(64, ((size_t)slab->count * slab->size + 64) & ~(size_t)63);
	return slab->block != NULL ? 0 : -ENOMEM;
}

void tcp_slab_destroy(struct tcp_slab *slab)
{
	free(slab->block);
}

void *tcp_slab_first(struct tcp_slab *slab)
{
	if (slab->touched == slab->count)
		return NULL;
	slab->used++;
	return slab->block + (size_t)slab->touched++ * slab->size;
}
