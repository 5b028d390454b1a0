/* pair.h - two links joined back to back in memory: what one end sends, the other receives.
 *
 * For tests, benchmarks and simulations of two stacks in one process and one thread. An end has a
 * bounded ring of frames on their way to it; when it is full the other end's tx takes fewer.
 *
 * A frame without fragments whose head has no other holder is passed on as it is, so that a
 * benchmark measures the stacks and not memcpy; the buffer goes back to the pool it came from when
 * the receiver drops it. Every other frame is copied into a buffer of the receiving end's pool
 * (tx_copied_bytes), since its bytes are still the sender's; an empty pool, or a frame over the
 * MTU, is a frame lost on the wire (rx_dropped of the receiving end).
 *
 * Offload wishes are carried out in software, so that a stack can be run as on a port that cuts
 * segments or fills checksums. With OFFLOAD_RX_CSUM frames whose checksum the pair has filled carry
 * BUF_CSUM_OK.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef LINK_PAIR_H
#define LINK_PAIR_H

#include "link/link.h"

enum { PAIR_MAX_RING_FRAMES = 1 << 20 }; /* of one direction */

struct pair_config {
	uint8_t mac[2][6];
	uint16_t mtu;           /* bytes of an IP packet */
	uint32_t offloads;      /* OFFLOAD_ that both ends offer */
	uint16_t max_frags;     /* <= FRAME_FRAGS */
	uint32_t tso_max_bytes; /* payload of one OFFLOAD_TSO frame */
	uint32_t ring_frames;   /* of one direction; a power of two */
	struct pool *pool[2];   /* each end's rx_pool: borrowed, one may serve both. Rooms for
				   headroom and a frame of mtu + 18 bytes */
};

/* Makes both ends. Each is destroyed on its own, in any order; an end whose other end is gone gives
 * the frames that are there, then -ENODEV. 0, -EINVAL, -ENOMEM. */
int pair_create(struct link *ends[2], const struct pair_config *cfg);

#endif
