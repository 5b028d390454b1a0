/* frame.h - a frame on its way out: a header buffer, references to payload, and what is asked of
 * the device. The stack fills it, the link sends it; neither knows the other.
 *
 * Ownership: a filled frame holds one reference to `head` and one to each fragment's buffer. They
 * are the link's from the moment link tx takes the frame, and dropped by it (frame_release()) when
 * the device is done with the bytes. That is what makes "in flight" visible to the stack: such a
 * buffer is not buf_sole().
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MEM_FRAME_H
#define MEM_FRAME_H

#include "mem/buf.h"
#include <string.h>

enum { FRAME_FRAGS = 4 }; /* payload references of one frame, at most */

struct frame_frag {
	struct buf *buf;
	uint8_t *data;
	uint32_t len;
};

struct frame {
	struct buf
	    *head;    /* data/len: Ethernet, IP and L4 headers, and payload copied behind them */
	uint32_t len; /* bytes of the whole frame, fragments included */
	uint16_t l3_offset; /* of the IP header from head->data */
	uint16_t l4_offset; /* of the TCP or UDP header from head->data */
	uint16_t offload; /* OFFLOAD_ wishes: a subset of what the stack was told the link can do */
	uint16_t tso_mss; /* with OFFLOAD_TSO: payload bytes of each segment */
	uint8_t nfrags;
	struct frame_frag frags[FRAME_FRAGS];
};

/* What a link can do, and what a frame asks for. */
enum {
	OFFLOAD_IP4_CSUM = 1 << 0, /* fills the IPv4 header checksum */
	OFFLOAD_L4_CSUM =
	    1 << 1, /* fills the TCP or UDP checksum; the field holds the pseudo-header sum */
	OFFLOAD_TSO = 1 << 2,     /* cuts one large TCP frame into segments, and makes their
				     checksums: a frame that asks for this asks for both */
	OFFLOAD_RX_CSUM = 1 << 3, /* received frames carry BUF_CSUM_OK when verified */
};

/* All bytes in one piece: `to` has room for f->len. */
static inline void frame_copy(const struct frame *f, uint8_t *to)
{
	memcpy(to, f->head->data, f->head->len);
	to += f->head->len;
	for (unsigned i = 0; i < f->nfrags; i++) {
		memcpy(to, f->frags[i].data, f->frags[i].len);
		to += f->frags[i].len;
	}
}

static inline void frame_release(struct frame *f)
{
	buf_unref(f->head);
	for (unsigned i = 0; i < f->nfrags; i++)
		buf_unref(f->frags[i].buf);
}

#endif
