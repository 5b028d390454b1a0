/* tcp_cookie.c - see tcp_cookie.h.
 *
 * SPDX-License-Identifier: MIT
 */
#include "inet/tcp_cookie.h"
#include "base/siphash.h"
#include "inet/tcp_receive.h"
#include "inet/tcp_tune.h"

enum {
	MSS_SHIFT = 29,
	MSS_COUNT = 1 << (32 - MSS_SHIFT),
	/* In a timestamp: 4 bits of window scale, where 15 is none, one for SACK, one for ECN. */
	SCALE_MASK = 15,
	SCALE_NONE = 15,
	SACK_BIT = 16,
	ECN_BIT = 32,
	OPTIONS_MASK = SCALE_MASK | SACK_BIT | ECN_BIT,
};

/* From the floor, over what a SYN without the option means, tunnels, PPPoE and Ethernet, to jumbo
 * frames: a peer gets the largest that it has asked for. */
static const uint16_t mss_steps[MSS_COUNT] = {TCP_MSS_FLOOR, 256, TCP_MSS_DEFAULT, 1220, 1360, 1440,
					      1460,          8960};

static uint32_t mss_index(uint16_t mss)
{
	uint32_t i = MSS_COUNT - 1;

	while (i > 0 && mss_steps[i] > mss)
		i--;
	return i;
}

/* What is hashed: longer than the tuple of tcp_isn(), so that one key serves both. No padding. */
struct cookie {
	struct ip_addr peer_ip, local_ip;
	uint32_t ports, irs;
	uint64_t period;
	uint64_t index;
};

_Static_assert(sizeof(struct cookie) == 56, "no padding that would be hashed");

static uint32_t cookie_of(const struct stack *s, const struct tcp_half *h, uint64_t period,
			  uint32_t index)
{
	struct cookie c = {
	    .peer_ip = h->peer_ip,
	    .local_ip = s->cfg.addr,
	    .ports = h->local_port_peer_port,
	    .irs = h->irs,
	    .period = period,
	    .index = index,
	};
	uint32_t hash = (uint32_t)siphash24(s->tcp->isn_key, &c, sizeof(c));

	return index << MSS_SHIFT | hash >> (32 - MSS_SHIFT);
}

static uint64_t period_of(const struct stack *s)
{
	return s->now_ns / TCP_COOKIE_PERIOD_NS;
}

void tcp_cookie_make(struct stack *s, struct tcp_half *h)
{
	uint32_t tick = tcp_clock(s), options;

	if (!h->timestamps)
		h->window_scale = h->sack = h->ecn = false;
	options = h->window_scale ? h->snd_shift : SCALE_NONE;
	options |= (h->sack ? SACK_BIT : 0) | (h->ecn ? ECN_BIT : 0);
	/* Never ahead of our clock, or the timestamps that follow would be old (RFC 7323 5.3). */
	h->made_tick = (tick & ~(uint32_t)OPTIONS_MASK) | options;
	if (seq_gt(h->made_tick, tick))
		h->made_tick -= OPTIONS_MASK + 1;
	h->iss =
	    cookie_of(s, h, period_of(s), mss_index(h->peer_mss ? h->peer_mss : TCP_MSS_DEFAULT));
	s->tcp->cookies_until_ns = s->now_ns + 2 * TCP_COOKIE_PERIOD_NS;
	s->stats.tcp_cookies_sent++;
}

/* The options, from the timestamp that came back. False: it is not one of ours, or too old. */
static bool read_options(const struct stack *s, const struct tcp_segment *seg, struct tcp_half *h)
{
	uint32_t tick = seg->tsecr - tcp_timestamp_offset(s, &h->peer_ip, seg->sport, seg->dport);
	uint8_t scale = tick & SCALE_MASK;

	if (tcp_clock(s) - tick > tcp_ns_to_ticks(2 * TCP_COOKIE_PERIOD_NS) + OPTIONS_MASK + 1)
		return false;
	h->sack = (tick & SACK_BIT) != 0;
	h->ecn = (tick & ECN_BIT) != 0;
	h->window_scale = scale != SCALE_NONE;
	h->snd_shift = h->window_scale ? scale : 0;
	return true;
}

static bool is_good(const struct stack *s, const struct tcp_half *h)
{
	uint64_t period = period_of(s);
	uint32_t index = h->iss >> MSS_SHIFT;

	return h->iss == cookie_of(s, h, period, index) ||
	       (period > 0 && h->iss == cookie_of(s, h, period - 1, index));
}

bool tcp_cookie_check(struct stack *s, struct tcp_cb *listener, const struct tcp_segment *seg,
		      const struct packet *pkt, struct tcp_half *h)
{
	if (s->now_ns >= s->tcp->cookies_until_ns)
		return false;
	*h = (struct tcp_half){
	    .listener = listener,
	    .peer_ip = pkt->src,
	    .local_port_peer_port = (uint32_t)seg->dport << 16 | seg->sport,
	    .iss = seg->ack - 1,
	    .irs = seg->seq - 1,
	    .ts_recent = seg->tsval,
	    .peer_wnd = seg->wnd,
	    .rcv_shift = tcp_window_shift(tcp_tune_most(listener)),
	    .group = tcp_peer_group(s->tcp, &pkt->src),
	    .timestamps = seg->has.timestamps,
	};
	if (!is_good(s, h) || (h->timestamps && !read_options(s, seg, h))) {
		s->stats.tcp_cookies_bad++;
		return false;
	}
	h->peer_mss = mss_steps[h->iss >> MSS_SHIFT];
	s->stats.tcp_cookies_good++;
	return true;
}
