/* tcp_none.c - no congestion control: for a way of one's own, where the peer's window is the only
 * bound. What is lost is sent again all the same. Not for the Internet (RFC 8085, RFC 5681 1).
 *
 * SPDX-License-Identifier: MIT
 */
#include "inet/tcp_cb.h"

static void open_window(struct tcp_cb *cb)
{
	cb->cwnd = cb->ssthresh = TCP_CWND_MAX_BYTES;
}

static void acked(struct tcp_cb *cb, uint32_t bytes)
{
	(void)bytes;
	open_window(cb);
}

static void loss(struct tcp_cb *cb, uint32_t flight)
{
	(void)flight;
	open_window(cb);
}

static void timeout(struct tcp_cb *cb, uint32_t flight, bool first)
{
	(void)flight;
	(void)first;
	open_window(cb);
}

static void idle(struct tcp_cb *cb)
{
	(void)cb;
}

const struct tcp_cc tcp_none = {
    .name = "none",
    .init = open_window,
    .acked = acked,
    .loss = loss,
    .marked = loss,
    .timeout = timeout,
    .undo = open_window,
    .idle = idle,
};
