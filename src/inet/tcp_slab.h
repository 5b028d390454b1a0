/* tcp_slab.h - objects of one size, handed out from a block made at the start.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef INET_TCP_SLAB_H
#define INET_TCP_SLAB_H

#include <stdint.h>
#include <string.h>

enum { TCP_SLAB_ALIGN = 16 }; /* bytes: objects begin at a multiple */

struct tcp_slab {
	void *free; /* the next to hand out; each holds a pointer to the one behind it */
	uint8_t *block;
	uint32_t size;    /* bytes of one */
	uint32_t touched; /* so many have been handed out at least once: the rest of the block is
			     untouched memory */
	uint32_t count, used;
};

/* Makes room for `count` objects of `size` bytes; 0 or -ENOMEM. */
int tcp_slab_create(struct tcp_slab *slab, uint32_t count, uint32_t size);
/* Harmless for one that was never made, but zeroed. */
void tcp_slab_destroy(struct tcp_slab *slab);

/* One that was never handed out; NULL: there is none. */
void *tcp_slab_first(struct tcp_slab *slab);

/* NULL when all are in use. Not zeroed. */
static inline void *tcp_slab_get(struct tcp_slab *slab)
{
	void *object = slab->free;

	if (object == NULL)
		return tcp_slab_first(slab);
	memcpy(&slab->free, object, sizeof(slab->free));
	slab->used++;
	return object;
}

static inline void tcp_slab_put(struct tcp_slab *slab, void *object)
{
	memcpy(object, &slab->free, sizeof(slab->free));
	slab->free = object;
	slab->used--;
}

#endif
