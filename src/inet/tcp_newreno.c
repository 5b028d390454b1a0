/* tcp_newreno.c - slow start and congestion avoidance (RFC 5681) with the initial window of RFC
 * 6928, for the recovery of RFC 6582 that tcp_ack.c does.
 *
 * SPDX-License-Identifier: MIT
 */
#include "inet/tcp_cb.h"

/* cc_private[0]: bytes acknowledged towards the next increase in congestion avoidance. */

static void init(struct tcp_cb *cb)
{
	cb->cwnd = TCP_INITIAL_SEGMENTS * cb->mss;
	cb->ssthresh = UINT32_MAX;
	cb->cc_private[0] = 0;
}

/* RFC 5681 3.1 with L = 2 SMSS for slow start (RFC 3465), and one segment a window beyond it. */
static void acked(struct tcp_cb *cb, uint32_t bytes)
{
	if (cb->cwnd < cb->ssthresh) {
		cb->cwnd += bytes < 2 * cb->mss ? bytes : 2 * cb->mss;
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
	cb->cwnd = cb->ssthresh;
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

static void recovered(struct tcp_cb *cb)
{
	if (cb->cwnd < cb->ssthresh)
		cb->cwnd = cb->ssthresh;
}

static void idle(struct tcp_cb *cb)
{
	uint32_t restart = TCP_INITIAL_SEGMENTS * cb->mss;

	if (cb->cwnd > restart)
		cb->cwnd = restart;
}

const struct tcp_cc tcp_newreno = {
    .name = "newreno",
    .init = init,
    .acked = acked,
    .loss = loss,
    .timeout = timeout,
    .recovered = recovered,
    .idle = idle,
};
