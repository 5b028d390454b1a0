/* tcp_hystart.h - HyStart++ (RFC 9406): the first slow start of a connection ends when round trips
 * become longer, before a queue overflows. Once they do the window grows by a quarter of what it
 * did, for some rounds; if they become shorter again it was nothing, and slow start goes on.
 *
 * A congestion control calls it while cb->ssthresh is UINT32_MAX. Without a log of when segments
 * were sent (tcp_sent.h) no round trip is known, and it is slow start as ever.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef INET_TCP_HYSTART_H
#define INET_TCP_HYSTART_H

#include "inet/tcp_cb.h"

/* Zeroed at the beginning. Round trips are in 2^10 ns, 0: none yet. Names are those of RFC 9406
 * 4.2. */
struct tcp_hystart {
	uint32_t window_end; /* when this is acknowledged the round is over */
	uint32_t current_round_min_rtt, last_round_min_rtt, css_baseline_min_rtt;
	uint8_t rtt_sample_count; /* in this round, at most N_RTT_SAMPLE */
	uint8_t css_rounds;
	bool begun;
	bool css; /* conservative slow start */
};

/* `bytes` were acknowledged, the last of them `rtt` after they were sent; 0: unknown. Grows cwnd,
 * and sets ssthresh when slow start is over. */
void tcp_hystart_acked(struct tcp_cb *cb, struct tcp_hystart *h, uint32_t bytes, uint32_t rtt);

#endif
