/* tcp_ranges.h - the scoreboard of a sender (RFC 2018, RFC 6675): which ranges between snd_una and
 * snd_nxt the peer has reported to hold. Made when the first report comes, given back when nothing
 * is left in it; without one the connection recovers as if the peer had said nothing.
 *
 * A set has room for few ranges, which is enough for losses here and there. When half of a large
 * window is lost, as at the end of slow start, every second segment is a range of its own: then it
 * moves to one of the few large sets, if one is free. All look-ups halve; none walks the set.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef INET_TCP_RANGES_H
#define INET_TCP_RANGES_H

#include "inet/tcp_cb.h"
#include "inet/tcp_sets.h"

struct tcp_ranges {
	struct tcp_set set; /* first: tcp_sets.h */
	uint16_t first;     /* index of the lowest: those in front of it were acknowledged */
	uint16_t count;
	struct tcp_range range[]; /* from `first` on in order, not touching each other */
};

/* Bytes of a set. */
uint32_t tcp_ranges_bytes(enum tcp_set_size size);

/* Takes in the SACK blocks of a segment and drops what lies before snd_una. Blocks that are
 * impossible, or report duplicates (RFC 2883), are skipped. True: something new was reported. Sets
 * no_scoreboard when there is no set to remember it in. */
bool tcp_ranges_update(struct tcp_cb *cb, const struct tcp_segment *seg);

/* Forgets all. */
void tcp_ranges_clear(struct tcp_cb *cb);

/* The peer has acknowledged up to the start of a range that it reported, and not the range: it has
 * dropped it (RFC 2018 8: reneging). */
bool tcp_ranges_reneged(const struct tcp_cb *cb);

/* The first byte at or after seq that was not reported, and how far it is from there to the next
 * that was (UINT32_MAX: nothing beyond was). */
uint32_t tcp_ranges_hole(const struct tcp_cb *cb, uint32_t seq, uint32_t *len);

/* Bytes in [start, end) that were reported. Takes time in proportion to the ranges in there. */
uint32_t tcp_ranges_overlap(const struct tcp_cb *cb, uint32_t start, uint32_t end);

/* What lies before this and was not reported is lost by the rule IsLost of RFC 6675 4: at least
 * three ranges or more than two segments beyond it were. snd_una when nothing is. */
uint32_t tcp_ranges_lost_end(const struct tcp_cb *cb);

/* Behind the highest byte that was reported; snd_una when none was. */
uint32_t tcp_ranges_end(const struct tcp_cb *cb);

#endif
