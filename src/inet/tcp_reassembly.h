/* tcp_reassembly.h - what came out of order: a bounded number of blocks, each a chain of buffers
 * without a gap. Made when the first such segment comes, given back with the last.
 *
 * Of two segments that claim the same bytes the earlier one counts, unless the later covers a whole
 * block, which it then replaces. Bytes that are in order are never written again.
 *
 * As with the sender's ranges (tcp_ranges.h), there are small sets, and large ones for the few
 * connections that need them. Blocks stay where they are; what is moved to keep them in order is
 * their numbers, and the most recent are found by a list: no peer can make us walk a set.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef INET_TCP_REASSEMBLY_H
#define INET_TCP_REASSEMBLY_H

#include "inet/tcp_cb.h"
#include "inet/tcp_sets.h"

/* Bytes of a set. */
uint32_t tcp_reassembly_bytes(enum tcp_set_size size);

/* The bytes [start, end) at data, inside pkt->buf and inside the window or before it, of a segment
 * that is out of order, old, or comes while others are out of order. Notes duplicates for D-SACK
 * (RFC 2883), and moves rcv_nxt when a gap is closed. Takes pkt->buf, and leaves NULL there, when
 * it keeps it. */
void tcp_reassembly_add(struct tcp_cb *cb, uint32_t start, uint32_t end, uint8_t *data,
			struct packet *pkt);

/* Up to max SACK blocks, at least one, for the next acknowledgement: the duplicate first, then the
 * most recently changed of those that were not told yet, then others. Returns how many. */
uint32_t tcp_reassembly_sack(struct tcp_cb *cb, struct tcp_range *out, uint32_t max);

/* Has something changed that was not told yet? */
bool tcp_reassembly_untold(const struct tcp_cb *cb);

/* Behind the last byte that has arrived, in order or not. */
uint32_t tcp_reassembly_end(const struct tcp_cb *cb);

void tcp_reassembly_clear(struct tcp_cb *cb);

#endif
