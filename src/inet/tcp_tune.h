/* tcp_tune.h - buffers that grow with what a connection needs: its bandwidth times its round trip.
 *
 * The receive buffer doubles when at least half of it has come within a round trip and the program
 * has read it: then the window may be what holds the peer back. The send buffer is twice the
 * congestion window. Both go up to cfg.buffer_max_bytes, the first no further than the pool, unless
 * the program has set them, and all of what connections have so in addition is no more than
 * cfg.buffer_total_bytes. What really lies in them is bounded by the pools, as ever: tcp_receive.h,
 * tcp_pressure.h.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef INET_TCP_TUNE_H
#define INET_TCP_TUNE_H

#include "inet/tcp_cb.h"

/* The largest window that there may ever be, which the scale of windows must be able to tell. */
static inline uint32_t tcp_tune_most(const struct tcp_cb *cb)
{
	uint32_t most = cb->recv_grows ? cb->sock.stack->cfg.buffer_max_bytes : 0;

	return most > cb->recv_limit ? most : cb->recv_limit;
}

/* What is received is counted from now on. */
void tcp_tune_begin(struct tcp_cb *cb);

/* More was received than a step of the window: is it time for a larger one? */
void tcp_tune_receive(struct tcp_cb *cb);

/* The congestion window may have grown. */
void tcp_tune_send(struct tcp_cb *cb);

/* The connection ends: what it had in addition is for others. */
void tcp_tune_end(struct tcp_cb *cb);

#endif
