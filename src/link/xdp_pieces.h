/* xdp_pieces.h - a frame to be sent as AF_XDP wants it: pieces of memory inside the UMEM, none of
 * which crosses the border of a chunk.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef LINK_XDP_PIECES_H
#define LINK_XDP_PIECES_H

#include "mem/frame.h"
#include "mem/pool.h"
#include <stddef.h>
#include <stdint.h>

enum {
	XDP_TX_PIECES = 2 * (FRAME_FRAGS + 1)
}; /* of one frame: each fragment may cross one border */

struct xdp_piece {
	struct buf *buf; /* borrowed; of a copy: held */
	const uint8_t *data;
	uint32_t len;
};

/* The pieces of a frame as it lies. How many; 0: a part of it is not in the UMEM, or there would be
 * too many, so that it has to be copied. */
unsigned xdp_cut(struct xdp_piece out[XDP_TX_PIECES], const struct frame *f, const uint8_t *umem,
		 size_t umem_bytes);

/* A copy of a frame, in buffers of a pool whose rooms are chunks. How many pieces, each with the
 * buffer's one reference, until xdp_drop_copy(); 0: no buffer is left. */
unsigned xdp_copy(struct xdp_piece out[XDP_TX_PIECES], const struct frame *f, struct pool *pool);
void xdp_drop_copy(const struct xdp_piece pieces[XDP_TX_PIECES]);

#endif
