/* offload.h - in software, what a frame asks of a device: for links that are memory, and for those
 * whose device cannot.
 *
 * A frame becomes offload_segments() frames on the wire: one, or with OFFLOAD_TSO one per tso_mss
 * bytes of payload. offload_segment() writes each as contiguous bytes with its checksums filled.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef LINK_OFFLOAD_H
#define LINK_OFFLOAD_H

#include "mem/frame.h"
#include <stdint.h>

/* How many frames on the wire a frame with OFFLOAD_TSO becomes; at least 1. */
uint32_t offload_tso_segments(const struct frame *f);

static inline uint32_t offload_segments(const struct frame *f)
{
	return f->offload & OFFLOAD_TSO ? offload_tso_segments(f) : 1;
}

/* Bytes of segment i < offload_segments(). */
uint32_t offload_segment_bytes(const struct frame *f, uint32_t i);

/* Writes segment i to dst, which has room for offload_segment_bytes(). With OFFLOAD_TSO each has
 * the headers of the frame, with its own IP length and ID (RFC 6864: consecutive), sequence number,
 * and FIN and PSH on the last only, CWR on the first only (RFC 3168 6.1.2). */
void offload_segment(const struct frame *f, uint32_t i, uint8_t *dst);

/* Fills the checksums that f asks for into its contiguous bytes: `data` is the frame, `len` long.
 */
void offload_checksums(uint8_t *data, uint32_t len, const struct frame *f);

#endif
