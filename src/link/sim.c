/* SPDX-License-Identifier: MIT */
#include "link/sim.h"
#include "base/bytes.h"
#include "base/list.h"
#include "base/rng.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { NS_PER_S = 1000000000 };

/* An Ethernet frame with an IPv4 packet (RFC 894, RFC 791 3.1), and its last two bits of TOS
 * (RFC 3168 5). */
enum {
	ETHERTYPE = 12,
	ETHERTYPE_IP4 = 0x0800,
	IP4_TOS = 15,
	IP4_CHECKSUM = 24,
	IP4_END = 34,
	ECN_BITS = 3,
	ECN_CE = 3,
};

/* A frame on its way. */
struct flight {
	uint64_t due_ns;
	uint64_t order; /* of those due at one time, the first arrived is given first */
	struct buf *buf;
};

struct sim {
	struct link link;
	struct link *inner;
	struct sim_config cfg;
	struct sim_stats stats;
	struct rng rng;
	bool bad;               /* the state of the bursts */
	uint64_t free_at_ns;    /* when the bandwidth has served all that arrived */
	uint64_t last_due_ns;   /* of the frames in order */
	uint64_t arrivals;      /* numbers the flights */
	struct flight *flights; /* a binary heap, the next due first */
	uint32_t count;
	bool gone; /* the inner link is */
};

static struct sim *sim_of(const struct link *l)
{
	return container_of(l, struct sim, link);
}

static bool flight_before(const struct flight *a, const struct flight *b)
{
	return a->due_ns != b->due_ns ? a->due_ns < b->due_ns : a->order < b->order;
}

static void flight_put(struct sim *s, struct flight f)
{
	uint32_t i = s->count++;

	while (i > 0 && flight_before(&f, &s->flights[(i - 1) / 2])) {
		s->flights[i] = s->flights[(i - 1) / 2];
		i = (i - 1) / 2;
	}
	s->flights[i] = f;
}

static struct buf *flight_take(struct sim *s)
{
	struct buf *b = s->flights[0].buf;
	struct flight last = s->flights[--s->count];
	uint32_t i = 0;

	for (;;) {
		uint32_t child = 2 * i + 1;

		if (child + 1 < s->count &&
		    flight_before(&s->flights[child + 1], &s->flights[child]))
			child++;
		if (child >= s->count || flight_before(&last, &s->flights[child]))
			break;
		s->flights[i] = s->flights[child];
		i = child;
	}
	s->flights[i] = last;
	return b;
}

/* One draw, whatever the probability, so that changing one fault leaves the others where they were
 * in the sequence. */
static bool sim_chance(struct sim *s, uint32_t ppm)
{
	return rng_below(&s->rng, SIM_MILLION) < ppm;
}

static bool sim_loses(struct sim *s)
{
	bool change = sim_chance(s, s->bad ? s->cfg.bad_leave_ppm : s->cfg.bad_enter_ppm);

	s->bad ^= change;
	return sim_chance(s, s->bad ? s->cfg.bad_loss_ppm : s->cfg.loss_ppm);
}

/* Bytes that the bottleneck has not served yet, when it is busy for another busy_ns. In integers,
 * so that a seed gives the same on every machine. */
static uint64_t sim_waiting_bytes(const struct sim *s, uint64_t busy_ns)
{
	uint64_t bytes_per_s = s->cfg.bits_per_s / 8;

	/* What would not fit is more than any queue: the bandwidth has been raised meanwhile. */
	if (bytes_per_s > 0 && busy_ns > UINT64_MAX / bytes_per_s)
		return UINT32_MAX;
	return busy_ns * bytes_per_s / NS_PER_S;
}

/* When a frame of len bytes has passed the bottleneck; UINT64_MAX: the queue is full. *mark: it was
 * beyond mark_bytes. */
static uint64_t sim_serve(struct sim *s, uint32_t len, uint64_t now_ns, bool *mark)
{
	uint64_t start = s->free_at_ns > now_ns ? s->free_at_ns : now_ns, waiting;

	*mark = false;
	if (s->cfg.bits_per_s == 0)
		return now_ns;
	waiting = sim_waiting_bytes(s, start - now_ns) + len;
	if (waiting > s->cfg.queue_bytes)
		return UINT64_MAX;
	if (waiting > s->stats.queue_peak_bytes)
		s->stats.queue_peak_bytes = (uint32_t)waiting;
	*mark = s->cfg.mark_bytes > 0 && waiting > s->cfg.mark_bytes;
	s->free_at_ns = start + (uint64_t)len * 8 * NS_PER_S / s->cfg.bits_per_s;
	return s->free_at_ns;
}

static struct buf *sim_copy(struct sim *s, const struct buf *b)
{
	struct pool *pool = s->link.info.rx_pool;
	struct buf *copy = pool_get(pool);

	if (copy == NULL || buf_tailroom(copy) < b->len) {
		if (copy != NULL)
			buf_unref(copy);
		s->stats.no_buffer++;
		return NULL;
	}
	memcpy(copy->data, b->data, b->len);
	copy->len = b->len;
	copy->flags = b->flags;
	return copy;
}

/* b, or a copy in its place: nobody else has it. NULL: there is no buffer, and b stays. */
static struct buf *sim_own(struct sim *s, struct buf *b)
{
	struct buf *copy;

	if (buf_sole(b))
		return b;
	copy = sim_copy(s, b);
	if (copy != NULL)
		buf_unref(b);
	return copy;
}

/* RFC 3168 5: congestion is experienced. The checksum by RFC 1624. */
static struct buf *sim_mark(struct sim *s, struct buf *b)
{
	struct buf *own;
	uint32_t sum;

	if (b->len < IP4_END || get_be16(b->data + ETHERTYPE) != ETHERTYPE_IP4 ||
	    (b->data[IP4_TOS] & ECN_BITS) == 0 || (b->data[IP4_TOS] & ECN_BITS) == ECN_CE)
		return b;
	own = sim_own(s, b);
	if (own == NULL)
		return b;
	sum = (uint16_t)~get_be16(own->data + IP4_CHECKSUM) + ECN_CE -
	      (own->data[IP4_TOS] & ECN_BITS);
	own->data[IP4_TOS] |= ECN_CE;
	put_be16(own->data + IP4_CHECKSUM, (uint16_t) ~(sum + (sum >> 16)));
	s->stats.marked++;
	return own;
}

static struct buf *sim_corrupt(struct sim *s, struct buf *b)
{
	uint64_t bit = rng_below(&s->rng, (uint64_t)b->len * 8);
	struct buf *own = sim_own(s, b);

	if (own == NULL)
		return b;
	b = own;
	b->data[bit / 8] ^= (uint8_t)(1u << bit % 8);
	b->flags &= (uint16_t)~BUF_CSUM_OK;
	s->stats.corrupted++;
	return b;
}

static void sim_launch(struct sim *s, struct buf *b, uint64_t due_ns)
{
	if (s->count == s->cfg.max_frames) {
		s->stats.queue_dropped++;
		buf_unref(b);
		return;
	}
	if (b->len > 0 && sim_chance(s, s->cfg.corrupt_ppm))
		b = sim_corrupt(s, b);
	flight_put(s, (struct flight){due_ns, s->arrivals++, b});
}

static void sim_arrive(struct sim *s, struct buf *b, uint64_t now_ns)
{
	uint64_t served, due;
	struct buf *copy = NULL;
	bool mark;

	s->stats.arrived++;
	if (s->cfg.max_frame_bytes > 0 && b->len > s->cfg.max_frame_bytes) {
		s->stats.too_large++;
		buf_unref(b);
		return;
	}
	if (sim_loses(s)) {
		s->stats.lost++;
		buf_unref(b);
		return;
	}
	served = sim_serve(s, b->len, now_ns, &mark);
	if (served == UINT64_MAX) {
		s->stats.queue_dropped++;
		buf_unref(b);
		return;
	}
	if (mark)
		b = sim_mark(s, b);
	due = served + s->cfg.delay_ns + rng_below(&s->rng, s->cfg.jitter_ns + 1);
	if (due < s->last_due_ns)
		due = s->last_due_ns;
	s->last_due_ns = due;
	if (sim_chance(s, s->cfg.reorder_ppm)) {
		s->stats.reordered++;
		due += s->cfg.reorder_ns;
	}
	if (sim_chance(s, s->cfg.duplicate_ppm))
		copy = sim_copy(s, b);
	sim_launch(s, b, due);
	if (copy != NULL) {
		s->stats.duplicated++;
		sim_launch(s, copy, due);
	}
}

static void sim_pull(struct sim *s, uint64_t now_ns)
{
	struct buf *bufs[LINK_BURST];
	int n;

	while (!s->gone && (n = s->inner->ops->rx(s->inner, bufs, LINK_BURST, now_ns)) != 0) {
		if (n < 0) {
			s->gone = true;
			return;
		}
		for (int i = 0; i < n; i++)
			sim_arrive(s, bufs[i], now_ns);
	}
}

static int sim_rx(struct link *l, struct buf *bufs[], int max, uint64_t now_ns)
{
	struct sim *s = sim_of(l);
	int n = 0;

	sim_pull(s, now_ns);
	while (n < max && s->count > 0 && s->flights[0].due_ns <= now_ns) {
		bufs[n] = flight_take(s);
		l->rx_bytes += bufs[n++]->len;
	}
	l->rx_frames += (uint64_t)n;
	s->stats.given += (uint64_t)n;
	return n == 0 && s->gone && s->count == 0 ? -ENODEV : n;
}

static int sim_tx(struct link *l, struct frame frames[], int n, uint64_t now_ns)
{
	struct link *inner = sim_of(l)->inner;
	uint64_t bytes = inner->tx_bytes;
	int k = inner->ops->tx(inner, frames, n, now_ns);

	if (k > 0)
		l->tx_frames += (uint64_t)k;
	if (k >= 0 && k < n)
		l->tx_full++;
	l->tx_bytes += inner->tx_bytes - bytes;
	return k;
}

static uint64_t sim_next_deadline(struct link *l)
{
	struct sim *s = sim_of(l);
	uint64_t inner = UINT64_MAX, own = s->count > 0 ? s->flights[0].due_ns : UINT64_MAX;

	if (s->inner->ops->next_deadline != NULL)
		inner = s->inner->ops->next_deadline(s->inner);
	return inner < own ? inner : own;
}

static int sim_wake_fd(struct link *l)
{
	struct link *inner = sim_of(l)->inner;

	return inner->ops->wake_fd(inner);
}

static int sim_arm(struct link *l)
{
	struct link *inner = sim_of(l)->inner;

	return inner->ops->arm(inner);
}

static void sim_destroy(struct link *l)
{
	struct sim *s = sim_of(l);

	while (s->count > 0)
		buf_unref(flight_take(s));
	s->inner->ops->destroy(s->inner);
	free(s->flights);
	free(s);
}

static const struct link_ops sim_ops = {
    .name = "sim",
    .rx = sim_rx,
    .tx = sim_tx,
    .next_deadline = sim_next_deadline,
    .wake_fd = sim_wake_fd,
    .arm = sim_arm,
    .destroy = sim_destroy,
};

static bool sim_config_ok(const struct sim_config *c)
{
	const uint32_t ppm[] = {c->loss_ppm,    c->bad_enter_ppm, c->bad_leave_ppm, c->bad_loss_ppm,
				c->reorder_ppm, c->duplicate_ppm, c->corrupt_ppm};

	for (size_t i = 0; i < sizeof(ppm) / sizeof(ppm[0]); i++) {
		if (ppm[i] > SIM_MILLION)
			return false;
	}
	return c->max_frames > 0 && (c->bits_per_s == 0 || c->queue_bytes > 0) &&
	       c->jitter_ns < UINT64_MAX;
}

int sim_wrap(struct link **out, struct link *inner, const struct sim_config *cfg)
{
	struct sim *s;

	if (!sim_config_ok(cfg))
		return -EINVAL;
	s = calloc(1, sizeof(*s));
	if (s == NULL)
		return -ENOMEM;
	s->flights = calloc(cfg->max_frames, sizeof(struct flight));
	if (s->flights == NULL) {
		free(s);
		return -ENOMEM;
	}
	s->link.ops = &sim_ops;
	s->link.info = inner->info;
	s->inner = inner;
	s->cfg = *cfg;
	rng_init(&s->rng, (uint64_t[2]){cfg->seed, 0});
	*out = &s->link;
	return 0;
}

int sim_configure(struct link *sim, const struct sim_config *cfg)
{
	struct sim *s = sim_of(sim);
	struct sim_config c = *cfg;

	c.seed = s->cfg.seed;
	c.max_frames = s->cfg.max_frames;
	if (!sim_config_ok(&c))
		return -EINVAL;
	s->cfg = c;
	s->stats.queue_peak_bytes = 0;
	return 0;
}

const struct sim_stats *sim_stats(const struct link *sim)
{
	return &sim_of(sim)->stats;
}
