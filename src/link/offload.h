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
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

/* Offsets of fields in their headers: RFC 791 3.1, RFC 8200 3, RFC 9293 3.1. */
enum { OFFLOAD_IP4_PROTOCOL = 9, OFFLOAD_IP6_NEXT_HEADER = 6, OFFLOAD_TCP_DATA_OFFSET = 12 };

/* Of a frame with OFFLOAD_L4_CSUM: is it TCP's, or UDP's? */
static inline bool offload_is_tcp(const struct frame *f)
{
	const uint8_t *ip = f->head->data + f->l3_offset;

	return ip[ip[0] >> 4 == 4 ? OFFLOAD_IP4_PROTOCOL : OFFLOAD_IP6_NEXT_HEADER] == IPPROTO_TCP;
}

/* Bytes of all headers of a TCP frame. */
static inline uint32_t offload_tcp_headers(const struct frame *f)
{
	return f->l4_offset + (f->head->data[f->l4_offset + OFFLOAD_TCP_DATA_OFFSET] >> 4) * 4u;
}

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
