/* tcp_dctcp.c - DCTCP, RFC 8257: for data centres whose switches mark early. The window comes down
 * in proportion to how much was marked, so that queues stay short and the way full. Otherwise, and
 * for losses, it is RFC 5681.
 *
 * SPDX-License-Identifier: MIT
 */
#include "inet/tcp_cb.h"

/* RFC 8257 4.2: g is 1/16. Alpha has so many bits behind the point. */
enum { G_SHIFT = 4, ALPHA_SHIFT = 20, ALPHA_ONE = 1 << ALPHA_SHIFT };

struct dctcp {
	uint64_t counted; /* Reno's, towards the next increase: first, as in tcp_newreno.c */
	uint64_t bytes_acked, bytes_marked; /* in this observation window */
	uint32_t alpha;                     /* the part that is marked, an estimate */
	uint32_t window_end;
	bool begun;
};

_Static_assert(sizeof(struct dctcp) <= sizeof(((struct tcp_cb *)0)->cc_private), "its place");

static struct dctcp *dctcp_of(struct tcp_cb *cb)
{
	return (struct dctcp *)(void *)cb->cc_private;
}

static void begin_window(const struct tcp_cb *cb, struct dctcp *d)
{
	d->bytes_acked = d->bytes_marked = 0;
	d->window_end = cb->snd_nxt;
}

/* 3.3, steps 1 to 8. */
static void counted(struct tcp_cb *cb, uint32_t bytes, bool marked)
{
	struct dctcp *d = dctcp_of(cb);

	if (!d->begun) {
		d->begun = true;
		d->alpha = ALPHA_ONE;
		begin_window(cb, d);
	}
	d->bytes_acked += bytes;
	if (marked)
		d->bytes_marked += bytes;
	if (seq_lt(cb->snd_una, d->window_end) || d->bytes_acked == 0)
		return;
	d->alpha -= d->alpha >> G_SHIFT;
	d->alpha += (uint32_t)((d->bytes_marked << ALPHA_SHIFT) / d->bytes_acked >> G_SHIFT);
	if (d->alpha > ALPHA_ONE)
		d->alpha = ALPHA_ONE;
	begin_window(cb, d);
}

/* 3.3, step 9: cwnd * (1 - alpha / 2). */
static void marked(struct tcp_cb *cb, uint32_t flight)
{
	uint64_t less = (uint64_t)cb->cwnd * dctcp_of(cb)->alpha >> (ALPHA_SHIFT + 1);
	uint32_t cwnd = cb->cwnd - (uint32_t)less, least = 2 * cb->mss;

	(void)flight;
	cb->ssthresh = cwnd > least ? cwnd : least;
}

static void acked(struct tcp_cb *cb, uint32_t bytes)
{
	tcp_newreno.acked(cb, bytes);
}

static void loss(struct tcp_cb *cb, uint32_t flight)
{
	tcp_newreno.loss(cb, flight);
}

static void timeout(struct tcp_cb *cb, uint32_t flight, bool first)
{
	tcp_newreno.timeout(cb, flight, first);
}

static void undo(struct tcp_cb *cb)
{
	tcp_newreno.undo(cb);
}

const struct tcp_cc tcp_dctcp = {
    .name = "dctcp",
    .needs_ecn = true,
    .init = tcp_cc_begin,
    .acked = acked,
    .loss = loss,
    .marked = marked,
    .counted = counted,
    .timeout = timeout,
    .undo = undo,
    .idle = tcp_cc_restart,
};
