/* tcp_ranges.h - the scoreboard of a sender (RFC 2018, RFC 6675): which ranges between snd_una and
 * snd_nxt the peer has reported to hold. Made when the first report comes, given back when nothing
 * is left in it; without one the connection recovers as if the peer had said nothing.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef INET_TCP_RANGES_H
#define INET_TCP_RANGES_H

#include "inet/tcp_cb.h"

struct tcp_ranges {
	uint32_t count;
	struct tcp_range range[TCP_SACKED_RANGES]; /* in order, not touching each other */
};

/* Takes in the SACK blocks of a segment and drops what lies before snd_una. Blocks that are
 * impossible, or report duplicates (RFC 2883), are skipped. True: something new was reported. */
bool tcp_ranges_update(struct tcp_cb *cb, const struct tcp_segment *seg);

/* Forgets all: the peer may have dropped what it reported (RFC 2018 8). */
void tcp_ranges_clear(struct tcp_cb *cb);

/* The first byte at or after seq that was not reported, and how far it is from there to the next
 * that was (UINT32_MAX: nothing beyond was). */
uint32_t tcp_ranges_hole(const struct tcp_cb *cb, uint32_t seq, uint32_t *len);

/* Bytes in [start, end) that were reported. */
uint32_t tcp_ranges_overlap(const struct tcp_cb *cb, uint32_t start, uint32_t end);

/* What lies before this and was not reported is lost by the rule IsLost of RFC 6675 4: at least
 * three ranges or more than two segments beyond it were. snd_una when nothing is. */
uint32_t tcp_ranges_lost_end(const struct tcp_cb *cb);

#endif
