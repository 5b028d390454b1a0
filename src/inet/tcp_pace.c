/* tcp_pace.c - see tcp_pace.h.
 *
 * SPDX-License-Identifier: MIT
 */
#include "inet/tcp_pace.h"
#include "inet/tcp_timer.h"

#define NS_PER_S UINT64_C(1000000000)
/* A timer is late by up to a tick of the wheel: so much of a rate may be made up for. */
#define CREDIT_NS (UINT64_C(2) << WHEEL_TICK_SHIFT)
/* Shorter ways are not paced by themselves: a window of theirs is gone before a timer fires. */
#define RTT_MIN_NS TCP_MS(1)
/* A frame that the device cuts takes this long at the rate. */
#define FRAME_NS TCP_MS(1)
/* Of the rate that the window comes to. */
enum { PERCENT_SLOW_START = 200, PERCENT_AVOIDANCE = 120 };

/* The rate that the window comes to is paced, by itself. A window of the initial size is not: every
 * stack sends that at once (RFC 6928). */
static bool is_fast(const struct tcp_cb *cb)
{
	uint64_t above = cb->sock.stack->cfg.pace_above_bytes_per_s;

	return above != 0 && cb->srtt_ns >= RTT_MIN_NS &&
	       cb->cwnd > TCP_INITIAL_SEGMENTS * cb->mss &&
	       (uint64_t)cb->cwnd * 1000000 >= above / 1000 * cb->srtt_ns;
}

static uint64_t rate_of_window(const struct tcp_cb *cb)
{
	uint64_t percent = cb->cwnd < cb->ssthresh ? PERCENT_SLOW_START : PERCENT_AVOIDANCE;

	return (uint64_t)cb->cwnd * percent / 100 * 1000000 / (cb->srtt_ns / 1000);
}

/* Bytes a second; UINT64_MAX: not paced. */
static uint64_t rate_of(const struct tcp_cb *cb)
{
	uint64_t rate = is_fast(cb) ? rate_of_window(cb) : UINT64_MAX;

	return cb->paced && cb->max_pacing_rate < rate ? cb->max_pacing_rate : rate;
}

uint64_t tcp_pace_rate(const struct tcp_cb *cb)
{
	return rate_of(cb);
}

bool tcp_pace_holds(struct tcp_cb *cb)
{
	if (cb->pace_next_ns <= cb->sock.stack->now_ns)
		return false;
	cb->pace_waits = true;
	tcp_timer_need(cb, cb->pace_next_ns);
	/* Its own rate follows the window, which therefore is what holds the sender back. */
	if (is_fast(cb) && (!cb->paced || cb->max_pacing_rate >= rate_of_window(cb)))
		cb->cwnd_limited = true;
	return true;
}

void tcp_pace_sent(struct tcp_cb *cb, uint32_t bytes)
{
	uint64_t now = cb->sock.stack->now_ns, rate = rate_of(cb);

	if (rate == UINT64_MAX) {
		cb->pace_next_ns = 0;
		return;
	}
	if (cb->pace_next_ns + CREDIT_NS < now)
		cb->pace_next_ns = now - CREDIT_NS;
	cb->pace_next_ns += bytes * NS_PER_S / rate;
}

uint32_t tcp_pace_frame_bytes(const struct tcp_cb *cb, uint32_t most)
{
	uint64_t rate = rate_of(cb), bytes;

	if (rate > most * (NS_PER_S / FRAME_NS))
		return most;
	bytes = rate / (NS_PER_S / FRAME_NS);
	return bytes > 2 * cb->mss ? (uint32_t)bytes : most < 2 * cb->mss ? most : 2 * cb->mss;
}

void tcp_pace_set_rate(struct tcp_cb *cb, uint64_t bytes_per_s)
{
	cb->max_pacing_rate = bytes_per_s;
	cb->paced = bytes_per_s != UINT64_MAX && bytes_per_s != 0;
	cb->pace_next_ns = 0;
}
