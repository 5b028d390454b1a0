/* tcp_timer.h - the timers of a connection: four deadlines in its control block and one entry in
 * the wheel, which is armed at or before the first of them. Moving a deadline back costs nothing:
 * the entry fires, finds nothing due, and is armed again. So a connection that exchanges segments
 * does not touch the wheel.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef INET_TCP_TIMER_H
#define INET_TCP_TIMER_H

#include "base/usually.h"
#include "inet/tcp_table.h"

void tcp_timer_arm(struct tcp_cb *cb, uint64_t deadline_ns);

/* To be called with each new deadline. */
static inline void tcp_timer_need(struct tcp_cb *cb, uint64_t deadline_ns)
{
	if (rarely(deadline_ns < cb->timer.deadline_ns))
		tcp_timer_arm(cb, deadline_ns);
}

/* When tcp_tick() or tcp_output() has something to do: UINT64_MAX: never; early is fine, late not.
 */
static inline uint64_t tcp_next_deadline(const struct stack *s)
{
	const struct tcp_table *t = s->tcp;

	return list_empty(&t->output) ? t->next_ns : s->now_ns;
}

/* RFC 6298 5.1, 5.3: (re)starts the retransmission timer. */
static inline void tcp_timer_start_rtx(struct tcp_cb *cb)
{
	cb->rtx_deadline_ns = cb->sock.stack->now_ns + cb->rto_ns;
	tcp_timer_need(cb, cb->rtx_deadline_ns);
}

/* The time-out of RFC 6298 2.3 where it is not the least. */
void tcp_timer_long_rto(struct tcp_cb *cb);

/* RFC 6298 2.3 and 2.4, from what was measured. */
static inline void tcp_timer_compute_rto(struct tcp_cb *cb)
{
	cb->rto_ns = TCP_RTO_MIN_NS; /* the clock's granule is well below it */
	if (rarely(cb->srtt_ns + 4 * cb->rttvar_ns > TCP_RTO_MIN_NS))
		tcp_timer_long_rto(cb);
}

/* A round-trip time was measured: RFC 6298 2, with alpha 1/8, beta 1/4, K 4. This, and no
 * acknowledgement as such, is the end of a back-off, or a path that has become slow would have each
 * segment sent again for ever (Karn and Partridge; RFC 6298 5, after 5.7). */
static inline void tcp_timer_sample(struct tcp_cb *cb, uint64_t rtt_ns)
{
	if (rarely(cb->srtt_ns == 0)) {
		cb->srtt_ns = rtt_ns | 1;
		cb->rttvar_ns = rtt_ns / 2;
	} else {
		int64_t error = (int64_t)(rtt_ns - cb->srtt_ns);

		cb->srtt_ns += (uint64_t)(error >> 3);
		cb->rttvar_ns +=
		    (uint64_t)(((error < 0 ? -error : error) - (int64_t)cb->rttvar_ns) >> 2);
	}
	tcp_timer_compute_rto(cb);
}

/* Keepalive from now on, or when the program has gone the end of SO_LINGER's time or of FIN-WAIT-2;
 * as the state has it. */
void tcp_timer_start_life(struct tcp_cb *cb);

/* The timer of a half-open connection. */
void tcp_timer_arm_half(struct tcp_table *t, struct tcp_half *h, uint64_t deadline_ns);

#endif
