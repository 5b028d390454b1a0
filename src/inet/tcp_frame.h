/* tcp_frame.h - segments of a connection, as frames: headers from its path, options, payload by
 * reference where the link takes references, the checksum.
 *
 * Each fills *f and returns true, or false when the pool has no buffer. The path must be valid.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef INET_TCP_FRAME_H
#define INET_TCP_FRAME_H

#include "inet/tcp_sendq.h"

/* How many of len bytes from seq on, which lies in chunk c, go into one frame. */
uint32_t tcp_frame_fit(const struct tcp_cb *cb, const struct tcp_chunk *c, uint32_t seq,
		       uint32_t len);

/* len > 0 bytes from seq on, which lies in chunk c; no more than tcp_frame_fit() says. */
bool tcp_frame_data(struct tcp_cb *cb, struct frame *f, struct tcp_chunk *c, uint32_t seq,
		    uint32_t len, uint8_t flags);

/* The same in one packet, however large a segment may be: a probe of the path's MTU. */
bool tcp_frame_whole(struct tcp_cb *cb, struct frame *f, struct tcp_chunk *c, uint32_t seq,
		     uint32_t len, uint8_t flags);

/* No payload. */
bool tcp_frame_control(struct tcp_cb *cb, struct frame *f, uint32_t seq, uint8_t flags);

/* SYN, or SYN with ACK once a SYN was received. */
bool tcp_frame_syn(struct tcp_cb *cb, struct frame *f);

#endif
