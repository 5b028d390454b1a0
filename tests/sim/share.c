/* share.c - connections that share a bottleneck, in virtual time: what its queue, marks and losses
 * come to, and how evenly they have it.
 *
 *     share
 *
 * Everything follows from integers: the same on every machine and in every build. Prints what was
 * measured; exits with 1 where it is not what it should be.
 *
 * SPDX-License-Identifier: MIT
 */
#include "flows.h"
#include <inttypes.h>
#include <stdarg.h>

enum {
	GBIT_MBIT = 1000,
	/* Of a link of 1 Gbit/s, what is left for text: frames are 1514 bytes, text 1448. */
	FULL_MBIT = 956,
	SEEDS = 4, /* of which the mean is asserted */
};

static bool wrong;

/* Complains unless `ok`. */
static void check(bool ok, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void check(bool ok, const char *format, ...)
{
	va_list args;

	if (ok)
		return;
	wrong = true;
	printf("    WRONG: ");
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	printf("\n");
}

struct bottleneck {
	const char *congestion;
	uint8_t ecn; /* enum stack_ecn */
	uint64_t rtt_ns, bits_per_s;
	uint32_t queue_bytes, mark_bytes;
	uint64_t jitter_ns; /* of what comes back: no two hosts are that regular */
	uint64_t seed;
};

static void configure(struct world_config *c, const struct bottleneck *b)
{
	world_config_init(c);
	c->seed = b->seed;
	c->max_frags = FRAME_FRAGS;
	c->host_buffers = 16384;
	c->wire_buffers = 32768;
	c->down.delay_ns = b->rtt_ns / 2;
	c->down.bits_per_s = b->bits_per_s;
	c->down.queue_bytes = b->queue_bytes;
	c->down.max_frames = 16384;
	c->up = c->down;
	c->up.jitter_ns = b->jitter_ns;
	c->down.mark_bytes = b->mark_bytes;
	c->stack.send_buffer_bytes = c->stack.recv_buffer_bytes = 4 << 20;
	c->stack.max_tcp = 64;
	c->stack.congestion = b->congestion;
	c->stack.ecn = b->ecn;
}

/* What a shared bottleneck came to, after it has settled. */
struct seen {
	struct flows_result result;
	uint64_t dropped, marked, given; /* frames of the bottleneck */
	uint32_t peak_bytes;             /* of its queue */
	uint32_t cwnd_min, cwnd_max;     /* of the first connection, segments */
	uint32_t rtt_us_min, rtt_us_max; /* its smoothed round trip */
	uint64_t retransmitted, reductions;
};

static void look_at_first(struct flows *f, struct seen *s, bool begin)
{
	struct tcp_info info = flows_info(f, 0);

	if (begin || info.tcpi_snd_cwnd < s->cwnd_min)
		s->cwnd_min = info.tcpi_snd_cwnd;
	if (begin || info.tcpi_snd_cwnd > s->cwnd_max)
		s->cwnd_max = info.tcpi_snd_cwnd;
	if (begin || info.tcpi_rtt < s->rtt_us_min)
		s->rtt_us_min = info.tcpi_rtt;
	if (begin || info.tcpi_rtt > s->rtt_us_max)
		s->rtt_us_max = info.tcpi_rtt;
}

/* n connections one after the other, gap_ns apart; then settle_ns, then run_ns, which is measured
 * as a whole and looked at a hundred times. */
static struct seen share(const struct bottleneck *b, unsigned n, uint64_t gap_ns,
			 uint64_t settle_ns, uint64_t run_ns)
{
	static struct world w;
	uint64_t received[FLOWS_MAX] = {0};
	struct seen s = {0};
	struct world_config c;
	struct sim_stats before;
	const struct stack_stats *stats;
	struct flows f;

	configure(&c, b);
	flows_create(&f, &w, &c, "share");
	for (unsigned i = 0; i < n; i++) {
		flows_connect(&f);
		world_run(&w, w.now_ns + gap_ns);
	}
	world_run(&w, w.now_ns + settle_ns);
	world_faults(&w, &c.down, &c.up); /* the peak begins anew */
	before = *sim_stats(w.hosts[1].link);
	stats = stack_stats(w.hosts[0].stack);
	s.retransmitted = stats->tcp_retransmitted;
	s.reductions = stats->tcp_ecn_reductions;
	for (int i = 0; i < 100; i++) {
		flows_measure(&f, run_ns / 100);
		for (unsigned k = 0; k < n; k++)
			received[k] += f.flow[k].received;
		look_at_first(&f, &s, i == 0);
	}
	s.result = flows_evaluate(received, n, run_ns);
	s.retransmitted = stats->tcp_retransmitted - s.retransmitted;
	s.reductions = stats->tcp_ecn_reductions - s.reductions;
	s.dropped = sim_stats(w.hosts[1].link)->queue_dropped - before.queue_dropped;
	s.marked = sim_stats(w.hosts[1].link)->marked - before.marked;
	s.given = sim_stats(w.hosts[1].link)->given - before.given;
	s.peak_bytes = sim_stats(w.hosts[1].link)->queue_peak_bytes;
	flows_destroy(&f);
	printf("  %u of %s: %.1f Mbit/s, least to most %.2f, Jain %.3f\n"
	       "    queue at most %u bytes, %" PRIu64 " dropped, %" PRIu64 " of %" PRIu64
	       " marked; window %u to %u, round trip %u to %u us; reduced %" PRIu64
	       " times for marks\n",
	       n, b->congestion, s.result.mbit_s, s.result.ratio, s.result.jain, s.peak_bytes,
	       s.dropped, s.marked, s.given, s.cwnd_min, s.cwnd_max, s.rtt_us_min, s.rtt_us_max,
	       s.reductions);
	fflush(stdout);
	return s;
}

/* A switch of a data centre: 1 Gbit/s, 200 us, a threshold of 20 frames (K, RFC 8257 4.1: above a
 * seventh of the bandwidth-delay product). */
static const struct bottleneck switch_queue = {.congestion = "dctcp",
					       .rtt_ns = 200000,
					       .bits_per_s = 1000000000,
					       .queue_bytes = 256 << 10,
					       .mark_bytes = 30000,
					       .seed = 1};

/* RFC 8257 3.3: the queue stays at the threshold, the way full. Alpha has found its value when the
 * window comes down by little: by half of that, where a lone mark once cost half. */
static void dctcp_keeps_the_queue_at_the_threshold(void)
{
	const struct bottleneck *b = &switch_queue;
	uint32_t queue_us = b->mark_bytes * 8 / GBIT_MBIT; /* that K takes to be served */
	uint32_t rtt_us = (uint32_t)(b->rtt_ns / 1000);

	printf("%s\n", __func__);
	for (unsigned n = 1; n <= FLOWS_MAX; n = 2 * n + 1) {
		struct seen s = share(b, n, 0, WORLD_S / 2, WORLD_S);

		check(s.dropped == 0 && s.retransmitted == 0, "something was lost");
		check(s.result.mbit_s >= FULL_MBIT, "the way is not full");
		check(s.peak_bytes <= 2 * b->mark_bytes, "the queue is long");
		check(s.rtt_us_min >= rtt_us + queue_us / 2 &&
			  s.rtt_us_max <= rtt_us + 2 * queue_us,
		      "the queue is not near its threshold");
		check(s.marked > 0 && s.marked < s.given / 2, "marks are too few or too many");
		check(n > 1 || s.cwnd_min * 10 >= s.cwnd_max * 7, "the window swings");
		check(s.result.jain >= 0.95, "the shares differ");
		check(n != 2 || s.result.ratio >= 0.8, "the shares of two differ");
	}
}

/* And a newcomer gets its share of what another one has all of. */
static void dctcp_makes_room_for_a_newcomer(void)
{
	struct seen s;

	printf("%s\n", __func__);
	s = share(&switch_queue, 2, WORLD_S / 4, WORLD_S / 4, WORLD_S);
	check(s.result.ratio >= 0.8, "the shares differ");
	check(s.dropped == 0, "something was lost");
}

/* RFC 3168: marks in place of losses, each window reduced once for all of its marks. */
static void cubic_with_ecn_loses_nothing(void)
{
	struct bottleneck b = switch_queue;
	struct seen s;

	printf("%s\n", __func__);
	b.congestion = "cubic";
	b.ecn = STACK_ECN_ON;
	b.rtt_ns = WORLD_MS;
	b.mark_bytes = 60000;
	s = share(&b, 2, 0, WORLD_S / 2, 2 * WORLD_S);
	check(s.dropped == 0 && s.retransmitted == 0, "something was lost");
	check(s.reductions > 0 && s.reductions <= s.marked, "not reduced for marks");
	check(s.reductions <= 2 * 2 * WORLD_S / b.rtt_ns, "reduced more than once a round trip");
	check(s.result.mbit_s >= 0.85 * FULL_MBIT, "the way is not full");
	check(s.result.ratio >= 0.8, "the shares differ");
}

/* Without marks, of the same age or not. Each overflow of the queue loses a frame or two, of the
 * one connection or of the other: which of two has more goes to and fro for minutes, and so does
 * the kernel's. Their shares are those of the time that it takes to even out. */
static void cubic_shares_by_losses(void)
{
	struct bottleneck b = {.congestion = "cubic",
			       .rtt_ns = 10 * WORLD_MS,
			       .bits_per_s = 100000000,
			       .queue_bytes = 125000,
			       .jitter_ns = 50000};
	double together = 0, newcomer = 0;
	struct seen s;

	printf("%s\n", __func__);
	for (b.seed = 1; b.seed <= SEEDS; b.seed++) {
		s = share(&b, 2, 0, 0, 60 * WORLD_S);
		check(s.result.jain >= 0.95, "the shares of two differ much");
		together += s.result.ratio / SEEDS;
		s = share(&b, 2, 2 * WORLD_S, 5 * WORLD_S, 60 * WORLD_S);
		check(s.result.jain >= 0.95, "the newcomer does not get its share");
		newcomer += s.result.ratio / SEEDS;
		s = share(&b, 10, 0, 0, 10 * WORLD_S);
		check(s.result.jain >= 0.95, "the shares of ten differ");
	}
	printf("  least to most of two, in the mean: %.2f, %.2f\n", together, newcomer);
	check(together >= 0.8 && newcomer >= 0.8, "the shares of two differ");
}

int main(void)
{
	cubic_shares_by_losses();
	dctcp_keeps_the_queue_at_the_threshold();
	dctcp_makes_room_for_a_newcomer();
	cubic_with_ecn_loses_nothing();
	return wrong;
}
