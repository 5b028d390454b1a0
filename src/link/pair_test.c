/* SPDX-License-Identifier: MIT */
#include "link/pair.h"
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { POOL_BUFFERS = 64, ROOM = 2048, RING = 8 };

struct world {
	struct pool *pool[2];
	struct link *end[2];
};

static void world_make(struct world *w, uint32_t offloads)
{
	struct pair_config cfg = {.mac = {{2, 0, 0, 0, 0, 1}, {2, 0, 0, 0, 0, 2}},
				  .mtu = 1500,
				  .offloads = offloads,
				  .max_frags = FRAME_FRAGS,
				  .tso_max_bytes = 65000,
				  .ring_frames = RING};

	for (int i = 0; i < 2; i++) {
		assert_int_equal(
		    pool_create(&w->pool[i], POOL_BUFFERS, ROOM, BUF_HEADROOM_BYTES, NULL), 0);
		cfg.pool[i] = w->pool[i];
	}
	assert_int_equal(pair_create(w->end, &cfg), 0);
}

static int setup(void **state)
{
	struct world *w = calloc(1, sizeof(*w));

	world_make(w, 0);
	*state = w;
	return 0;
}

static int teardown(void **state)
{
	struct world *w = *state;

	for (int i = 0; i < 2; i++) {
		if (w->end[i] != NULL)
			w->end[i]->ops->destroy(w->end[i]);
		assert_int_equal(w->pool[i]->free_count, POOL_BUFFERS); /* nothing has leaked */
		pool_destroy(w->pool[i]);
	}
	free(w);
	return 0;
}

static int tx(struct link *l, struct frame *f, int n)
{
	return l->ops->tx(l, f, n, 0);
}

static int rx(struct link *l, struct buf *bufs[], int n)
{
	return l->ops->rx(l, bufs, n, 0);
}

/* A frame of `len` bytes first, first + 1 ... in one buffer of the pool. */
static struct frame plain(struct pool *pool, uint32_t len, uint8_t first)
{
	struct buf *b = pool_get(pool);
	struct frame f = {.head = b, .len = len};

	assert_non_null(b);
	for (uint32_t i = 0; i < len; i++)
		b->data[i] = (uint8_t)(first + i);
	b->len = len;
	return f;
}

static void a_sole_buffer_is_passed_by_reference(void **state)
{
	struct world *w = *state;
	struct frame f = plain(w->pool[0], 100, 7);
	struct buf *got[4];

	assert_int_equal(tx(w->end[0], &f, 1), 1);
	assert_int_equal(rx(w->end[1], got, 4), 1);
	assert_ptr_equal(got[0], f.head);
	assert_int_equal(got[0]->len, 100);
	assert_int_equal(got[0]->flags, 0);
	assert_int_equal(w->end[0]->tx_copied_bytes, 0);
	assert_int_equal(w->end[0]->tx_frames, 1);
	assert_int_equal(w->end[1]->rx_bytes, 100);
	buf_unref(got[0]);
}

static void a_buffer_that_the_sender_keeps_is_copied(void **state)
{
	struct world *w = *state;
	struct frame f = plain(w->pool[0], 100, 7);
	struct buf *mine = buf_ref(f.head), *got[1];

	assert_int_equal(tx(w->end[0], &f, 1), 1);
	assert_true(buf_sole(mine));
	assert_int_equal(rx(w->end[1], got, 1), 1);
	assert_ptr_not_equal(got[0], mine);
	assert_ptr_equal(got[0]->pool, w->pool[1]);
	assert_memory_equal(got[0]->data, mine->data, 100);
	assert_int_equal(w->end[0]->tx_copied_bytes, 100);
	buf_unref(mine);
	buf_unref(got[0]);
}

static void fragments_arrive_as_one_contiguous_buffer(void **state)
{
	struct world *w = *state;
	struct frame f = plain(w->pool[0], 54, 0), a = plain(w->pool[0], 600, 54),
		     b = plain(w->pool[0], 500, (uint8_t)(54 + 600));
	struct buf *got[1];

	f.frags[0] = (struct frame_frag){a.head, a.head->data, 600};
	f.frags[1] = (struct frame_frag){b.head, b.head->data, 500};
	f.nfrags = 2;
	f.len = 1154;
	assert_int_equal(tx(w->end[0], &f, 1), 1);
	assert_int_equal(rx(w->end[1], got, 1), 1);
	assert_int_equal(got[0]->len, 1154);
	for (uint32_t i = 0; i < 1154; i++)
		assert_int_equal(got[0]->data[i], (uint8_t)i);
	buf_unref(got[0]);
}

static void a_full_ring_takes_fewer_and_leaves_the_rest_to_the_caller(void **state)
{
	struct world *w = *state;
	struct frame f[RING + 3];
	struct buf *got[RING + 3];

	for (int i = 0; i < RING + 3; i++)
		f[i] = plain(w->pool[0], 60, (uint8_t)i);
	assert_int_equal(tx(w->end[0], f, RING + 3), RING);
	assert_int_equal(w->end[0]->tx_full, 1);
	assert_int_equal(rx(w->end[1], got, 2), 2);
	assert_int_equal(tx(w->end[0], f + RING, 3), 2);
	assert_int_equal(rx(w->end[1], got + 2, RING + 1), RING);
	for (int i = 0; i < RING + 2; i++) {
		assert_int_equal(got[i]->data[0], i);
		buf_unref(got[i]);
	}
	frame_release(&f[RING + 2]);
}

static void both_directions_are_apart(void **state)
{
	struct world *w = *state;
	struct frame f = plain(w->pool[0], 60, 1), g = plain(w->pool[1], 70, 2);
	struct buf *got[2];

	assert_int_equal(tx(w->end[0], &f, 1), 1);
	assert_int_equal(tx(w->end[1], &g, 1), 1);
	assert_int_equal(rx(w->end[0], got, 2), 1);
	assert_int_equal(got[0]->len, 70);
	buf_unref(got[0]);
	assert_int_equal(rx(w->end[1], got, 2), 1);
	assert_int_equal(got[0]->len, 60);
	buf_unref(got[0]);
}

static void a_frame_over_the_mtu_is_lost(void **state)
{
	struct world *w = *state;
	struct frame f = plain(w->pool[0], 1500 + 18 + 1, 0);
	struct buf *got[1];

	assert_int_equal(tx(w->end[0], &f, 1), 1);
	assert_int_equal(rx(w->end[1], got, 1), 0);
	assert_int_equal(w->end[1]->rx_dropped, 1);
}

static void a_copy_without_a_buffer_is_lost(void **state)
{
	struct world *w = *state;
	struct buf *all[POOL_BUFFERS], *got[1];
	struct frame f = plain(w->pool[0], 100, 0);
	struct buf *mine = buf_ref(f.head);

	for (int i = 0; i < POOL_BUFFERS; i++)
		all[i] = pool_get(w->pool[1]);
	assert_int_equal(tx(w->end[0], &f, 1), 1);
	assert_int_equal(rx(w->end[1], got, 1), 0);
	assert_int_equal(w->end[1]->rx_dropped, 1);
	for (int i = 0; i < POOL_BUFFERS; i++)
		buf_unref(all[i]);
	buf_unref(mine);
}

static void waiting_frames_show_in_deadline_and_arm(void **state)
{
	struct world *w = *state;
	struct frame f = plain(w->pool[0], 60, 0);
	struct buf *got[1];

	assert_true(w->end[1]->ops->next_deadline(w->end[1]) == UINT64_MAX);
	assert_int_equal(w->end[1]->ops->arm(w->end[1]), 0);
	assert_int_equal(tx(w->end[0], &f, 1), 1);
	assert_true(w->end[1]->ops->next_deadline(w->end[1]) == 0);
	assert_int_equal(w->end[1]->ops->arm(w->end[1]), 1);
	assert_int_equal(w->end[1]->ops->wake_fd(w->end[1]), -1);
	assert_int_equal(rx(w->end[1], got, 1), 1);
	buf_unref(got[0]);
}

static void an_end_whose_other_end_is_gone_says_so_after_the_last_frame(void **state)
{
	struct world *w = *state;
	struct frame f = plain(w->pool[0], 60, 0), g = plain(w->pool[1], 60, 0);
	struct buf *got[2];

	assert_int_equal(tx(w->end[0], &f, 1), 1);
	w->end[0]->ops->destroy(w->end[0]);
	w->end[0] = NULL;
	assert_int_equal(rx(w->end[1], got, 2), 1);
	buf_unref(got[0]);
	assert_int_equal(rx(w->end[1], got, 2), -ENODEV);
	assert_int_equal(tx(w->end[1], &g, 1), -ENODEV);
	frame_release(&g);
}

static void frames_under_way_are_dropped_with_the_end_they_go_to(void **state)
{
	struct world *w = *state;
	struct frame f = plain(w->pool[0], 60, 0);

	assert_int_equal(tx(w->end[0], &f, 1), 1);
	w->end[1]->ops->destroy(w->end[1]);
	w->end[1] = NULL; /* the teardown sees that the buffer came home */
}

static void an_impossible_configuration_is_refused(void **state)
{
	struct world *w = *state;
	struct link *ends[2];
	struct pair_config cfg = {.mtu = 1500, .ring_frames = 8, .pool = {w->pool[0], w->pool[1]}};
	struct pair_config bad;

	bad = cfg;
	bad.ring_frames = 12;
	assert_int_equal(pair_create(ends, &bad), -EINVAL);
	bad.ring_frames = 0;
	assert_int_equal(pair_create(ends, &bad), -EINVAL);
	bad = cfg;
	bad.pool[1] = NULL;
	assert_int_equal(pair_create(ends, &bad), -EINVAL);
	bad = cfg;
	bad.max_frags = FRAME_FRAGS + 1;
	assert_int_equal(pair_create(ends, &bad), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	    T(a_sole_buffer_is_passed_by_reference),
	    T(a_buffer_that_the_sender_keeps_is_copied),
	    T(fragments_arrive_as_one_contiguous_buffer),
	    T(a_full_ring_takes_fewer_and_leaves_the_rest_to_the_caller),
	    T(both_directions_are_apart),
	    T(a_frame_over_the_mtu_is_lost),
	    T(a_copy_without_a_buffer_is_lost),
	    T(waiting_frames_show_in_deadline_and_arm),
	    T(an_end_whose_other_end_is_gone_says_so_after_the_last_frame),
	    T(frames_under_way_are_dropped_with_the_end_they_go_to),
	    T(an_impossible_configuration_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
