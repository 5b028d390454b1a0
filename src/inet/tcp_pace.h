/* tcp_pace.h - pacing: a connection sends at a rate, and not a window at once. The rate is that of
 * SO_MAX_PACING_RATE, or where a connection is fast (stack_config.pace_above_bytes_per_s) and its
 * way not short, a little more than what its congestion window comes to, so that the window stays
 * what bounds it: twice in slow start, 1.2 times later.
 *
 * When the next segment may go is a deadline like others; nobody waits in a loop for it. The timers
 * are coarser than a fast connection's gaps: what a tick has held back goes at once, no more.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef INET_TCP_PACE_H
#define INET_TCP_PACE_H

#include "inet/tcp_cb.h"

/* May nothing be sent now, for the first time or again? True: a timer lets the connection know. */
bool tcp_pace_holds(struct tcp_cb *cb);

/* So many bytes of payload were sent. */
void tcp_pace_sent(struct tcp_cb *cb, uint32_t bytes);

/* Bytes that one frame may carry, at most `most`: what goes in a millisecond or so, and no less
 * than two segments. */
uint32_t tcp_pace_frame_bytes(const struct tcp_cb *cb, uint32_t most);

/* The rate that it is sent at, bytes a second; UINT64_MAX: not paced. */
uint64_t tcp_pace_rate(const struct tcp_cb *cb);

/* Bytes a second; UINT64_MAX, and as in the kernel's TCP 0: no bound. */
void tcp_pace_set_rate(struct tcp_cb *cb, uint64_t bytes_per_s);

#endif
