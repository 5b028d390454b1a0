/* SPDX-License-Identifier: MIT */
#include "libos/inet_share_ring.h"
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

enum { FRAME_BYTES = 100, WRITERS = 3, EACH = 20000 };

static void frames_come_out_in_order_and_whole(void **state)
{
	struct share_ring r = {0};
	uint8_t bytes[FRAME_BYTES];
	struct share_frame f;

	(void)state;
	assert_int_equal(share_ring_create(&r, FRAME_BYTES), 0);
	assert_false(share_ring_see(&r, &f));
	for (uint32_t i = 0; i < 3 * SHARE_RING_FRAMES; i++) {
		const struct share_frame in = {bytes, i % FRAME_BYTES + 1, (uint16_t)i, i};

		memset(bytes, (int)i, sizeof(bytes));
		assert_true(share_ring_put(&r, &in));
		assert_true(share_ring_see(&r, &f));
		assert_int_equal(f.len, i % FRAME_BYTES + 1);
		assert_int_equal(f.flags, (uint16_t)i);
		assert_int_equal(f.visited, i);
		assert_memory_equal(f.bytes, bytes, f.len);
		share_ring_next(&r);
	}
	share_ring_destroy(&r);
}

static void a_full_one_refuses_and_so_does_what_is_too_long(void **state)
{
	static const uint8_t bytes[4096];
	struct share_ring r = {0};
	struct share_frame f = {.bytes = bytes, .len = FRAME_BYTES};

	(void)state;
	assert_int_equal(share_ring_create(&r, FRAME_BYTES), 0);
	for (uint32_t i = 0; i < SHARE_RING_FRAMES; i++)
		assert_true(share_ring_put(&r, &f));
	assert_false(share_ring_put(&r, &f));
	assert_true(share_ring_see(&r, &f));
	share_ring_next(&r);
	f = (struct share_frame){.bytes = bytes, .len = sizeof(bytes)};
	assert_false(share_ring_put(&r, &f));
	f.len = FRAME_BYTES;
	assert_true(share_ring_put(&r, &f));
	share_ring_destroy(&r);
}

struct writer {
	pthread_t thread;
	struct share_ring *r;
	uint8_t number;
};

static void *write_all(void *arg)
{
	struct writer *w = arg;

	for (uint32_t i = 0; i < EACH; i++) {
		uint8_t bytes[8] = {w->number};
		const struct share_frame f = {.bytes = bytes, .len = sizeof(bytes)};

		memcpy(bytes + 4, &i, sizeof(i));
		while (!share_ring_put(w->r, &f))
			sched_yield();
	}
	return NULL;
}

static void many_writers_lose_and_mix_nothing(void **state)
{
	struct writer writers[WRITERS];
	uint32_t next[WRITERS] = {0};
	struct share_ring r = {0};
	struct share_frame f;

	(void)state;
	assert_int_equal(share_ring_create(&r, FRAME_BYTES), 0);
	for (unsigned i = 0; i < WRITERS; i++) {
		writers[i] = (struct writer){.r = &r, .number = (uint8_t)i};
		assert_int_equal(pthread_create(&writers[i].thread, NULL, write_all, &writers[i]),
				 0);
	}
	for (uint32_t got = 0; got < WRITERS * EACH;) {
		uint32_t n;

		if (!share_ring_see(&r, &f)) {
			sched_yield();
			continue;
		}
		assert_true(f.len == 8 && f.bytes[0] < WRITERS);
		memcpy(&n, f.bytes + 4, sizeof(n));
		assert_int_equal(n, next[f.bytes[0]]++); /* each writer's in its order */
		share_ring_next(&r);
		got++;
	}
	for (unsigned i = 0; i < WRITERS; i++)
		pthread_join(writers[i].thread, NULL);
	share_ring_destroy(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(frames_come_out_in_order_and_whole),
	    cmocka_unit_test(a_full_one_refuses_and_so_does_what_is_too_long),
	    cmocka_unit_test(many_writers_lose_and_mix_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
