/* inet_share_ring.h - frames from other threads: a bounded queue with many writers and one reader,
 * in which the frames lie as copies. Nobody waits: a full one refuses.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef LIBOS_INET_SHARE_RING_H
#define LIBOS_INET_SHARE_RING_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SHARE_RING_FRAMES = 512 }; /* a power of two */

struct share_frame {
	const uint8_t *bytes; /* put: borrowed; seen: inside the ring, until share_ring_next() */
	uint32_t len;
	uint16_t flags;   /* BUF_ */
	uint64_t visited; /* the members that have seen it */
};

struct share_ring {
	uint8_t *slots;
	size_t slot_bytes;
	_Atomic uint32_t tail; /* the next to write */
	uint32_t head;         /* the reader's: the next to read */
};

/* For frames of up to so many bytes. 0, -ENOMEM. */
int share_ring_create(struct share_ring *r, uint32_t frame_bytes);
void share_ring_destroy(struct share_ring *r); /* harmless on a zeroed one */

/* In any thread. False: it is full, or the frame is too long. */
bool share_ring_put(struct share_ring *r, const struct share_frame *f);

/* In the reader's thread: the oldest frame. False: there is none. */
bool share_ring_see(const struct share_ring *r, struct share_frame *f);
void share_ring_next(struct share_ring *r); /* done with that one */

#endif
