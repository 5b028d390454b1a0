/* tcp_cubic.c - CUBIC, RFC 9438: after a loss the window goes back to where it was by a cubic
 * function of time, fast at first, flat around that place, and then fast again to look for more. So
 * it does not depend on the round-trip time how fast a connection grows; where Reno would be faster
 * (short ways, small windows) it grows as Reno does.
 *
 * Times are ms, windows bytes. Sums of fractions are kept, as an acknowledgement may be worth less
 * than a byte.
 *
 * SPDX-License-Identifier: MIT
 */
#include "inet/tcp_hystart.h"
#include "inet/tcp_sent.h"

/* RFC 9438 4.1, 5: beta is 0.7, C 0.4 segments a second cubed. */
enum { BETA_PERCENT = 70, C_TENTHS = 4 };
/* 4.3: alpha is 3 (1 - beta) / (1 + beta), that is 9 / 17. */
enum { ALPHA_NUMERATOR = 9, ALPHA_DENOMINATOR = 17 };
/* The cube of so many ms is of no use to any window: 10 million segments. */
enum { T_MAX_MS = 300000 };
/* Of an estimate, bits behind the point. */
enum { ESTIMATE_SHIFT = 16 };

struct cubic {
	union {
		struct {
			/* Congestion avoidance began; 0: it has not since the last loss. */
			uint64_t epoch_ns;
			uint64_t acked_ns;  /* the last acknowledgement that counted */
			uint64_t w_est;     /* what Reno's window would be, shifted */
			uint64_t remainder; /* of the growth so far, in bytes times cwnd */
		};
		struct tcp_hystart start; /* while ssthresh is UINT32_MAX */
	};
	uint32_t w_max;         /* cwnd where the curve is flat */
	uint32_t w_prior;       /* cwnd before the last loss */
	uint32_t w_undo;        /* w_max before the last loss */
	uint32_t k_ms : 31;     /* from the epoch until the curve is at w_max */
	uint32_t timed_out : 1; /* the last loss was found by a timeout */
};

_Static_assert(sizeof(struct cubic) <= sizeof(((struct tcp_cb *)0)->cc_private), "its place");

static struct cubic *cubic_of(struct tcp_cb *cb)
{
	return (struct cubic *)(void *)cb->cc_private;
}

/* The cube root, rounded down, of what is below 2^60. */
static uint32_t cube_root(uint64_t x)
{
	uint64_t root = 0;

	for (uint64_t bit = 1 << 19; bit != 0; bit >>= 1) {
		uint64_t with = root | bit;

		if (with * with * with <= x)
			root = with;
	}
	return (uint32_t)root;
}

/* C t^3, in bytes. */
static uint64_t curve(const struct tcp_cb *cb, uint64_t t_ms)
{
	uint64_t t = t_ms < T_MAX_MS ? t_ms : T_MAX_MS;

	return t * t * t / 1000 * C_TENTHS * cb->mss / 10000000;
}

/* 4.2, figure 1: W_cubic(t). */
static uint64_t w_cubic(const struct tcp_cb *cb, const struct cubic *c, uint64_t t_ms)
{
	uint64_t below;

	if (t_ms >= c->k_ms)
		return c->w_max + curve(cb, t_ms - c->k_ms);
	below = curve(cb, c->k_ms - t_ms);
	return below < c->w_max ? c->w_max - below : 0;
}

/* 4.2, figure 2: K. After a timeout, or from beyond w_max, the flat place is here (4.8). */
static void begin_epoch(struct tcp_cb *cb, struct cubic *c, uint64_t now_ns)
{
	c->epoch_ns = c->acked_ns = now_ns;
	c->w_est = (uint64_t)cb->cwnd << ESTIMATE_SHIFT;
	c->remainder = 0;
	c->k_ms = 0;
	if (c->timed_out || cb->cwnd >= c->w_max)
		c->w_max = cb->cwnd;
	else
		c->k_ms = cube_root((uint64_t)(c->w_max - cb->cwnd) * 10000000 / cb->mss * 1000 /
				    C_TENTHS) &
			  (UINT32_MAX >> 1);
	c->timed_out = false;
}

/* The clock stands still while cwnd does not hold the sender back (4.2): pauses are left out. */
static void leave_out_pause(const struct tcp_cb *cb, struct cubic *c, uint64_t now_ns)
{
	uint64_t pause_ns = now_ns - c->acked_ns;

	if (pause_ns > cb->rto_ns)
		c->epoch_ns += pause_ns - cb->srtt_ns;
	c->acked_ns = now_ns;
}

/* 4.3, figure 4. From w_prior on alpha is 1. */
static void estimate(const struct tcp_cb *cb, struct cubic *c, uint32_t bytes)
{
	uint64_t growth = ((uint64_t)bytes << ESTIMATE_SHIFT) * cb->mss / cb->cwnd;

	if (c->w_est >> ESTIMATE_SHIFT < c->w_prior)
		growth = growth * ALPHA_NUMERATOR / ALPHA_DENOMINATOR;
	c->w_est += growth;
}

/* 4.4, 4.5: a step towards where the curve is a round trip from now, by (target - cwnd) / cwnd of
 * what was acknowledged. */
static void follow_curve(struct tcp_cb *cb, struct cubic *c, uint64_t t_ms, uint32_t bytes)
{
	uint64_t target = w_cubic(cb, c, t_ms + cb->srtt_ns / 1000000);
	uint64_t most = cb->cwnd + cb->cwnd / 2, growth;

	if (target > most)
		target = most;
	if (target <= cb->cwnd)
		return;
	c->remainder += (target - cb->cwnd) * bytes;
	growth = c->remainder / cb->cwnd;
	c->remainder -= growth * cb->cwnd;
	cb->cwnd += (uint32_t)growth;
}

/* No epoch, and no slow start that HyStart++ knows of. */
static void forget_epoch(struct cubic *c)
{
	memset(&c->start, 0, sizeof(c->start));
	c->epoch_ns = 0;
}

static void first_slow_start(struct tcp_cb *cb, struct cubic *c, uint32_t bytes)
{
	uint32_t rtt = tcp_ns_to_fine(tcp_sent_age_ns(cb, cb->snd_una));

	tcp_hystart_acked(cb, &c->start, bytes, rtt);
	if (cb->ssthresh != UINT32_MAX)
		forget_epoch(c);
}

static void acked(struct tcp_cb *cb, uint32_t bytes)
{
	struct cubic *c = cubic_of(cb);
	uint64_t now_ns = cb->sock.stack->now_ns, t_ms, reno;

	if (cb->ssthresh == UINT32_MAX) {
		first_slow_start(cb, c, bytes);
		return;
	}
	if (cb->cwnd < cb->ssthresh) {
		tcp_cc_slow_start(cb, bytes);
		return;
	}
	if (c->epoch_ns == 0)
		begin_epoch(cb, c, now_ns);
	leave_out_pause(cb, c, now_ns);
	estimate(cb, c, bytes);
	t_ms = (now_ns - c->epoch_ns) / 1000000;
	reno = c->w_est >> ESTIMATE_SHIFT;
	if (w_cubic(cb, c, t_ms) >= reno)
		follow_curve(cb, c, t_ms, bytes);
	else if (cb->cwnd < reno)
		cb->cwnd = (uint32_t)reno;
	if (cb->cwnd > TCP_CWND_MAX_BYTES)
		cb->cwnd = TCP_CWND_MAX_BYTES;
}

static uint32_t part_of(uint32_t flight, uint32_t percent)
{
	return (uint32_t)((uint64_t)flight * percent / 100);
}

/* 4.6, 4.7: the window comes down to beta of what was in use. Where that is less than at the loss
 * before, others want more of the way, and the flat place is lower still (fast convergence). */
static void reduce(struct tcp_cb *cb, uint32_t flight)
{
	struct cubic *c = cubic_of(cb);
	uint32_t least = 2 * cb->mss, beta = part_of(flight, BETA_PERCENT);

	c->w_undo = c->w_max;
	c->w_max = flight < c->w_max ? part_of(flight, (100 + BETA_PERCENT) / 2) : flight;
	c->w_prior = flight;
	forget_epoch(c);
	c->timed_out = false;
	cb->ssthresh = beta > least ? beta : least;
}

static void loss(struct tcp_cb *cb, uint32_t flight)
{
	reduce(cb, flight);
}

/* 4.8. */
static void timeout(struct tcp_cb *cb, uint32_t flight, bool first)
{
	if (first)
		reduce(cb, flight);
	cubic_of(cb)->timed_out = true;
	forget_epoch(cubic_of(cb));
	cb->cwnd = cb->mss;
}

/* 4.9: the curve goes on to where it went. A window between where it began and its flat place is on
 * the same curve whenever it is taken up again. */
static void undo(struct tcp_cb *cb)
{
	struct cubic *c = cubic_of(cb);

	c->w_max = c->w_prior = c->w_undo;
	forget_epoch(c);
	c->timed_out = false;
}

static void idle(struct tcp_cb *cb)
{
	forget_epoch(cubic_of(cb));
	tcp_cc_restart(cb);
}

const struct tcp_cc tcp_cubic = {
    .name = "cubic",
    .init = tcp_cc_begin,
    .acked = acked,
    .loss = loss,
    .marked = loss,
    .timeout = timeout,
    .undo = undo,
    .idle = idle,
};
