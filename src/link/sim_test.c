/* SPDX-License-Identifier: MIT */
#include "link/sim.h"
#include "base/bytes.h"
#include "base/checksum.h"
#include "link/pair.h"
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { POOL_BUFFERS = 4096, ROOM = 2048, FRAME_BYTES = 1000, MS = 1000000 };

struct world {
	struct pool *pool;
	struct link *from, *to; /* to: the simulated end */
};

static struct sim_config plain(void)
{
	return (struct sim_config){.seed = 1, .max_frames = 2048};
}

static void world_make(struct world *w, const struct sim_config *cfg)
{
	struct link *end[2];
	struct pair_config pair = {.mtu = 1500, .ring_frames = 2048};

	assert_int_equal(pool_create(&w->pool, POOL_BUFFERS, ROOM, BUF_HEADROOM_BYTES, NULL), 0);
	pair.pool[0] = pair.pool[1] = w->pool;
	assert_int_equal(pair_create(end, &pair), 0);
	w->from = end[0];
	assert_int_equal(sim_wrap(&w->to, end[1], cfg), 0);
}

static void world_end(struct world *w)
{
	w->from->ops->destroy(w->from);
	w->to->ops->destroy(w->to);
	assert_int_equal(w->pool->free_count, POOL_BUFFERS);
	pool_destroy(w->pool);
}

/* Sends a frame that says its number and holds zeros, and lets the simulator see it. */
static void send(struct world *w, uint32_t number, uint64_t now_ns)
{
	struct buf *b = pool_get(w->pool);
	struct frame f = {.head = b, .len = FRAME_BYTES};

	assert_non_null(b);
	memset(b->data, 0, FRAME_BYTES);
	memcpy(b->data, &number, sizeof(number));
	b->len = FRAME_BYTES;
	assert_int_equal(w->from->ops->tx(w->from, &f, 1, now_ns), 1);
	assert_int_equal(w->to->ops->rx(w->to, NULL, 0, now_ns), 0);
}

/* The number of the frame that is given now; -1: none. */
static int64_t receive(struct world *w, uint64_t now_ns)
{
	struct buf *b;
	uint32_t number;

	if (w->to->ops->rx(w->to, &b, 1, now_ns) != 1)
		return -1;
	memcpy(&number, b->data, sizeof(number));
	buf_unref(b);
	return number;
}

static uint64_t due(struct world *w)
{
	return w->to->ops->next_deadline(w->to);
}

static void without_faults_frames_come_at_once_and_in_order(void **state)
{
	struct sim_config cfg = plain();
	struct world w;

	(void)state;
	world_make(&w, &cfg);
	for (uint32_t i = 0; i < 100; i++)
		send(&w, i, 5);
	for (uint32_t i = 0; i < 100; i++)
		assert_int_equal(receive(&w, 5), i);
	assert_int_equal(receive(&w, 5), -1);
	world_end(&w);
}

static void a_frame_comes_exactly_when_its_delay_is_over(void **state)
{
	struct sim_config cfg = plain();
	struct world w;

	(void)state;
	cfg.delay_ns = 10 * MS;
	world_make(&w, &cfg);
	assert_true(due(&w) == UINT64_MAX);
	send(&w, 1, 3 * MS);
	assert_int_equal(due(&w), 13 * MS);
	assert_int_equal(receive(&w, 13 * MS - 1), -1);
	assert_int_equal(receive(&w, 13 * MS), 1);
	assert_true(due(&w) == UINT64_MAX);
	world_end(&w);
}

static void jitter_delays_within_its_bound_and_keeps_the_order(void **state)
{
	struct sim_config cfg = plain();
	struct world w;
	uint64_t last = 0, spread = 0;

	(void)state;
	cfg.delay_ns = 10 * MS;
	cfg.jitter_ns = 5 * MS;
	world_make(&w, &cfg);
	for (uint32_t i = 0; i < 200; i++)
		send(&w, i, (uint64_t)i * MS);
	for (uint32_t i = 0; i < 200; i++) {
		uint64_t t = due(&w), earliest = (uint64_t)i * MS + 10 * MS;

		assert_true(t >= earliest && t >= last);
		spread = t - earliest > spread ? t - earliest : spread;
		assert_int_equal(receive(&w, t), i);
		last = t;
	}
	assert_in_range(spread, 1 * MS, 5 * MS);
	world_end(&w);
}

static void the_bandwidth_spaces_frames_and_its_queue_is_bounded(void **state)
{
	struct sim_config cfg = plain();
	struct world w;

	(void)state;
	cfg.bits_per_s = 8000000; /* a frame of 1000 bytes takes 1 ms */
	cfg.queue_bytes = 3 * FRAME_BYTES;
	world_make(&w, &cfg);
	for (uint32_t i = 0; i < 6; i++)
		send(&w, i, 0);
	for (uint32_t i = 0; i < 3; i++) {
		assert_int_equal(due(&w), (i + 1) * MS);
		assert_int_equal(receive(&w, (i + 1) * MS), i);
	}
	assert_int_equal(receive(&w, 100 * MS), -1);
	assert_int_equal(sim_stats(w.to)->queue_dropped, 3);
	send(&w, 9, 100 * MS); /* an idle link has saved up nothing */
	assert_int_equal(due(&w), 101 * MS);
	world_end(&w);
}

static void a_frame_that_is_too_large_vanishes(void **state)
{
	struct sim_config cfg = plain();
	struct world w;

	(void)state;
	cfg.max_frame_bytes = FRAME_BYTES - 1;
	world_make(&w, &cfg);
	send(&w, 1, 0);
	assert_int_equal(receive(&w, 0), -1);
	assert_int_equal(sim_stats(w.to)->too_large, 1);
	cfg.max_frame_bytes = FRAME_BYTES;
	assert_int_equal(sim_configure(w.to, &cfg), 0);
	send(&w, 2, 0);
	assert_int_equal(receive(&w, 0), 2);
	world_end(&w);
}

/* Sends an IPv4 header of that ECN codepoint; what arrives when it is due has the returned one, and
 * a good checksum. */
static uint8_t codepoint_after(struct world *w, uint8_t codepoint, uint64_t now_ns, bool shared)
{
	struct buf *b = pool_get(w->pool);
	struct frame f = {.head = b, .len = FRAME_BYTES};

	assert_non_null(b);
	memset(b->data, 0, FRAME_BYTES);
	put_be16(b->data + 12, 0x0800);
	b->data[14] = 0x45;
	b->data[15] = codepoint;
	put_be16(b->data + 16, FRAME_BYTES - 14);
	csum_store(b->data + 24, csum_partial(b->data + 14, 20, 0));
	b->len = FRAME_BYTES;
	if (shared)
		buf_ref(b);
	assert_int_equal(w->from->ops->tx(w->from, &f, 1, now_ns), 1);
	assert_int_equal(w->to->ops->rx(w->to, NULL, 0, now_ns), 0);
	if (shared) {
		assert_int_equal(b->data[15], codepoint);
		buf_unref(b);
	}
	while (w->to->ops->rx(w->to, &b, 1, due(w)) != 1)
		;
	assert_true(csum_is_zero(csum_partial(b->data + 14, 20, 0)));
	codepoint = b->data[15];
	buf_unref(b);
	return codepoint;
}

static void a_queue_marks_what_can_be_marked_beyond_its_threshold(void **state)
{
	struct sim_config cfg = plain();
	struct world w;

	(void)state;
	cfg.bits_per_s = 8000000; /* a frame of 1000 bytes takes 1 ms */
	cfg.queue_bytes = 100 * FRAME_BYTES;
	cfg.mark_bytes = FRAME_BYTES - 1; /* all */
	world_make(&w, &cfg);
	assert_int_equal(codepoint_after(&w, 0, 0, false), 0);
	assert_int_equal(codepoint_after(&w, 1, MS, false), 3);
	assert_int_equal(codepoint_after(&w, 2, 2 * MS, true), 3);
	assert_int_equal(codepoint_after(&w, 3, 3 * MS, false), 3);
	assert_int_equal(sim_stats(w.to)->marked, 2);
	cfg.mark_bytes = FRAME_BYTES; /* what finds nothing before it is not marked */
	assert_int_equal(sim_configure(w.to, &cfg), 0);
	assert_int_equal(codepoint_after(&w, 2, 100 * MS, false), 2);
	send(&w, 0, 200 * MS);
	send(&w, 1, 200 * MS); /* not IPv4 */
	assert_int_equal(receive(&w, 202 * MS), 0);
	assert_int_equal(receive(&w, 202 * MS), 1);
	assert_int_equal(sim_stats(w.to)->marked, 2);
	assert_int_equal(sim_stats(w.to)->queue_peak_bytes, 2 * FRAME_BYTES);
	world_end(&w);
}

static void losses_come_as_often_as_asked(void **state)
{
	struct sim_config cfg = plain();
	struct world w;

	(void)state;
	cfg.loss_ppm = 100000;
	world_make(&w, &cfg);
	for (uint32_t i = 0; i < 20000; i++) {
		send(&w, i, 0);
		receive(&w, 0);
	}
	assert_in_range(sim_stats(w.to)->lost, 1800, 2200);
	assert_int_equal(sim_stats(w.to)->lost + sim_stats(w.to)->given, 20000);
	world_end(&w);
}

static void bursts_lose_frames_in_runs(void **state)
{
	struct sim_config cfg = plain();
	struct world w;
	uint32_t runs = 0, lost = 0;
	bool was_lost = false;

	(void)state;
	cfg.bad_enter_ppm = 10000;
	cfg.bad_leave_ppm = 100000; /* ten frames in the mean */
	cfg.bad_loss_ppm = SIM_MILLION;
	world_make(&w, &cfg);
	for (uint32_t i = 0; i < 20000; i++) {
		bool is_lost;

		send(&w, i, 0);
		is_lost = receive(&w, 0) < 0;
		runs += is_lost && !was_lost;
		lost += is_lost;
		was_lost = is_lost;
	}
	assert_in_range(lost, 1200, 2500);
	assert_in_range(lost / runs, 7, 13);
	world_end(&w);
}

static void a_reordered_frame_is_passed_by_those_behind_it(void **state)
{
	struct sim_config cfg = plain();
	struct world w;

	(void)state;
	cfg.delay_ns = 10 * MS;
	cfg.reorder_ppm = SIM_MILLION;
	cfg.reorder_ns = 3 * MS;
	world_make(&w, &cfg);
	send(&w, 0, 0);
	cfg.reorder_ppm = 0;
	assert_int_equal(sim_configure(w.to, &cfg), 0);
	send(&w, 1, 1 * MS);
	assert_int_equal(receive(&w, 11 * MS), 1);
	assert_int_equal(receive(&w, 12 * MS), -1);
	assert_int_equal(receive(&w, 13 * MS), 0);
	assert_int_equal(sim_stats(w.to)->reordered, 1);
	world_end(&w);
}

static void a_duplicate_is_a_buffer_of_its_own(void **state)
{
	struct sim_config cfg = plain();
	struct world w;
	struct buf *got[3];

	(void)state;
	cfg.duplicate_ppm = SIM_MILLION;
	world_make(&w, &cfg);
	send(&w, 7, 0);
	assert_int_equal(w.to->ops->rx(w.to, got, 3, 0), 2);
	assert_ptr_not_equal(got[0]->data, got[1]->data);
	assert_int_equal(got[0]->len, got[1]->len);
	assert_memory_equal(got[0]->data, got[1]->data, FRAME_BYTES);
	buf_unref(got[0]);
	buf_unref(got[1]);
	world_end(&w);
}

static void corruption_flips_one_bit_and_takes_the_verified_mark(void **state)
{
	struct sim_config cfg = plain();
	struct world w;
	struct buf *got;
	int bits = 0;

	(void)state;
	cfg.corrupt_ppm = SIM_MILLION;
	world_make(&w, &cfg);
	send(&w, 0, 0);
	assert_int_equal(w.to->ops->rx(w.to, &got, 1, 0), 1);
	for (int i = 0; i < FRAME_BYTES; i++)
		bits += __builtin_popcount(got->data[i]);
	assert_int_equal(bits, 1);
	assert_int_equal(got->flags & BUF_CSUM_OK, 0);
	buf_unref(got);
	world_end(&w);
}

static uint64_t trace_of(uint64_t seed)
{
	struct sim_config cfg = {.seed = seed,
				 .delay_ns = MS,
				 .jitter_ns = MS,
				 .max_frames = 2048,
				 .loss_ppm = 50000,
				 .bad_enter_ppm = 1000,
				 .bad_leave_ppm = 200000,
				 .bad_loss_ppm = 900000,
				 .reorder_ppm = 50000,
				 .reorder_ns = 2 * MS,
				 .duplicate_ppm = 50000};
	struct world w;
	uint64_t hash = 14695981039346656037u;

	world_make(&w, &cfg);
	for (uint32_t i = 0; i < 1000; i++)
		send(&w, i, (uint64_t)i * 100000);
	while (due(&w) != UINT64_MAX) {
		uint64_t t = due(&w);

		hash = (hash ^ t ^ (uint64_t)receive(&w, t)) * 1099511628211u;
	}
	world_end(&w);
	return hash;
}

static void the_same_seed_gives_the_same_trace(void **state)
{
	(void)state;
	assert_true(trace_of(42) == trace_of(42));
	assert_true(trace_of(42) != trace_of(43));
}

static void frames_beyond_max_frames_are_dropped(void **state)
{
	struct sim_config cfg = plain();
	struct world w;

	(void)state;
	cfg.delay_ns = MS;
	cfg.max_frames = 4;
	world_make(&w, &cfg);
	for (uint32_t i = 0; i < 6; i++)
		send(&w, i, 0);
	assert_int_equal(sim_stats(w.to)->queue_dropped, 2);
	world_end(&w); /* and those on their way go with the link */
}

static void an_impossible_configuration_is_refused(void **state)
{
	struct sim_config cfg = plain(), bad;
	struct link *l;
	struct world w;

	(void)state;
	world_make(&w, &cfg);
	bad = cfg;
	bad.loss_ppm = SIM_MILLION + 1;
	assert_int_equal(sim_configure(w.to, &bad), -EINVAL);
	bad = cfg;
	bad.bits_per_s = 1000;
	assert_int_equal(sim_configure(w.to, &bad), -EINVAL);
	bad = cfg;
	bad.max_frames = 0;
	assert_int_equal(sim_wrap(&l, w.from, &bad), -EINVAL);
	world_end(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(without_faults_frames_come_at_once_and_in_order),
	    cmocka_unit_test(a_frame_comes_exactly_when_its_delay_is_over),
	    cmocka_unit_test(jitter_delays_within_its_bound_and_keeps_the_order),
	    cmocka_unit_test(the_bandwidth_spaces_frames_and_its_queue_is_bounded),
	    cmocka_unit_test(a_frame_that_is_too_large_vanishes),
	    cmocka_unit_test(a_queue_marks_what_can_be_marked_beyond_its_threshold),
	    cmocka_unit_test(losses_come_as_often_as_asked),
	    cmocka_unit_test(bursts_lose_frames_in_runs),
	    cmocka_unit_test(a_reordered_frame_is_passed_by_those_behind_it),
	    cmocka_unit_test(a_duplicate_is_a_buffer_of_its_own),
	    cmocka_unit_test(corruption_flips_one_bit_and_takes_the_verified_mark),
	    cmocka_unit_test(the_same_seed_gives_the_same_trace),
	    cmocka_unit_test(frames_beyond_max_frames_are_dropped),
	    cmocka_unit_test(an_impossible_configuration_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
