/* tcp_hystart.c - see tcp_hystart.h.
 *
 * SPDX-License-Identifier: MIT
 */
#include "inet/tcp_hystart.h"

/* RFC 9406 4.3, in 2^10 ns. */
enum {
	MIN_RTT_THRESH = 4000000 >> TCP_FINE_SHIFT,
	MAX_RTT_THRESH = 16000000 >> TCP_FINE_SHIFT,
	MIN_RTT_DIVISOR = 8,
	N_RTT_SAMPLE = 8,
	CSS_GROWTH_DIVISOR = 4,
	CSS_ROUNDS = 5,
};

static void begin_round(const struct tcp_cb *cb, struct tcp_hystart *h)
{
	h->last_round_min_rtt = h->current_round_min_rtt;
	h->current_round_min_rtt = 0;
	h->rtt_sample_count = 0;
	h->window_end = cb->snd_nxt;
	h->begun = true;
}

static void take_sample(struct tcp_hystart *h, uint32_t rtt)
{
	if (rtt == 0)
		return;
	if (h->current_round_min_rtt == 0 || rtt < h->current_round_min_rtt)
		h->current_round_min_rtt = rtt;
	if (h->rtt_sample_count < N_RTT_SAMPLE)
		h->rtt_sample_count++;
}

/* 4.2: has the shortest round trip grown by more than noise? */
static bool is_slower(const struct tcp_hystart *h)
{
	uint32_t thresh = h->last_round_min_rtt / MIN_RTT_DIVISOR;

	if (thresh > MAX_RTT_THRESH)
		thresh = MAX_RTT_THRESH;
	if (thresh < MIN_RTT_THRESH)
		thresh = MIN_RTT_THRESH;
	return h->last_round_min_rtt != 0 &&
	       h->current_round_min_rtt >= h->last_round_min_rtt + thresh;
}

static void change_phase(struct tcp_hystart *h)
{
	if (h->rtt_sample_count < N_RTT_SAMPLE)
		return;
	if (!h->css && is_slower(h)) {
		h->css_baseline_min_rtt = h->current_round_min_rtt;
		h->css_rounds = 0; /* this one will be the first */
		h->css = true;
	} else if (h->css && h->current_round_min_rtt < h->css_baseline_min_rtt) {
		h->css = false;
	}
}

static void grow(struct tcp_cb *cb, const struct tcp_hystart *h, uint32_t bytes)
{
	uint32_t before = cb->cwnd;

	tcp_cc_slow_start(cb, bytes);
	if (h->css)
		cb->cwnd = before + (cb->cwnd - before) / CSS_GROWTH_DIVISOR;
}

void tcp_hystart_acked(struct tcp_cb *cb, struct tcp_hystart *h, uint32_t bytes, uint32_t rtt)
{
	if (!h->begun)
		begin_round(cb, h);
	grow(cb, h, bytes);
	take_sample(h, rtt);
	change_phase(h);
	if (seq_lt(cb->snd_una, h->window_end))
		return;
	begin_round(cb, h);
	if (h->css && ++h->css_rounds >= CSS_ROUNDS)
		cb->ssthresh = cb->cwnd;
}
