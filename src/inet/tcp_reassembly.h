/* tcp_reassembly.h - what came out of order: a bounded number of blocks, each a chain of buffers
 * without a gap. Made when the first such segment comes, given back with the last.
 *
 * Of two segments that claim the same bytes the earlier one counts, unless the later covers a whole
 * block, which it then replaces. Bytes that are in order are never written again.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef INET_TCP_REASSEMBLY_H
#define INET_TCP_REASSEMBLY_H

#include "inet/tcp_cb.h"

struct tcp_block {
	struct tcp_range range;
	struct buf *head, *tail; /* linked by next */
	uint32_t stamp; /* of its last change: the largest is the most recent (RFC 2018 4) */
};

struct tcp_reassembly {
	uint32_t count;
	uint32_t stamp;
	struct tcp_block block[TCP_OUT_OF_ORDER_RANGES]; /* in order, not touching each other */
};

/* The bytes [start, end) at data, inside pkt->buf and inside the window or before it, of a segment
 * that is out of order, old, or comes while others are out of order. Notes duplicates for D-SACK
 * (RFC 2883), and moves rcv_nxt when a gap is closed. Takes pkt->buf, and leaves NULL there, when
 * it keeps it. */
void tcp_reassembly_add(struct tcp_cb *cb, uint32_t start, uint32_t end, uint8_t *data,
			struct packet *pkt);

/* Up to max SACK blocks for the next acknowledgement: the duplicate first, then the most recently
 * changed ones. Returns how many. */
uint32_t tcp_reassembly_sack(const struct tcp_cb *cb, struct tcp_range *out, uint32_t max);

void tcp_reassembly_clear(struct tcp_cb *cb);

#endif
