/* tcp_newreno.c - congestion avoidance of RFC 5681.
 *
 * SPDX-License-Identifier: MIT
 */
#include "inet/tcp_cb.h"

/* cc_private[0]: bytes acknowledged towards the next increase in congestion avoidance. */

static void acked(struct tcp_cb *cb, uint32_t bytes)
{
	if (cb->cwnd < cb->ssthresh) {
		tcp_cc_slow_start(cb, bytes);
		return;
	}
	cb->cc_private[0] += bytes;
	if (cb->cc_private[0] >= cb->cwnd) {
		cb->cc_private[0] -= cb->cwnd;
		cb->cwnd += cb->mss;
	}
}

static uint32_t half_of(const struct tcp_cb *cb, uint32_t flight)
{
	return flight / 2 > 2 * cb->mss ? flight / 2 : 2 * cb->mss;
}

static void loss(struct tcp_cb *cb, uint32_t flight)
{
	cb->ssthresh = half_of(cb, flight);
	cb->cc_private[0] = 0;
}

/* RFC 5681 3.1: ssthresh is not lowered again for a retransmission that is itself lost. */
static void timeout(struct tcp_cb *cb, uint32_t flight, bool first)
{
	if (first)
		cb->ssthresh = half_of(cb, flight);
	cb->cwnd = cb->mss;
	cb->cc_private[0] = 0;
}

static void undo(struct tcp_cb *cb)
{
	cb->cc_private[0] = 0;
}

const struct tcp_cc tcp_newreno = {
    .name = "reno", /* as the kernel calls it */
    .init = tcp_cc_begin,
    .acked = acked,
    .loss = loss,
    .marked = loss,
    .timeout = timeout,
    .undo = undo,
    .idle = tcp_cc_restart,
};
