/* tcp_newreno.c - slow start and congestion avoidance (RFC 5681) with the initial window of RFC
 * 6928.
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

/* RFC 5681 3.1, counting bytes (RFC 3465): for one acknowledgement cwnd grows by what it covers, at
 * most L segments; a receiver that takes in frames by the burst acknowledges many at once. After a
 * timeout that says less, for they may have arrived before it: L = 2. */
static void acked(struct tcp_cb *cb, uint32_t bytes)
{
	uint32_t most = cb->mss * (cb->recovery == TCP_OPEN ? TCP_SLOW_START_SEGMENTS : 2);

	if (cb->cwnd < cb->ssthresh) {
		cb->cwnd += bytes < most ? bytes : most;
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
    .idle = idle,
};
