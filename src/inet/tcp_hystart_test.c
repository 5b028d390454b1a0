/* SPDX-License-Identifier: MIT
 */
#include "inet/tcp_hystart.h"
#include "inet/tcp_pair_test.h"

enum { MSS = 1000, WINDOW_SEGMENTS = 20, MS = 1000000 >> 10 };

struct flow {
	struct tcp_cb cb;
	struct tcp_hystart h;
};

static void begin(struct flow *f)
{
	memset(f, 0, sizeof(*f));
	f->cb.mss = MSS;
	f->cb.cwnd = WINDOW_SEGMENTS * MSS;
	f->cb.ssthresh = UINT32_MAX;
}

/* One window is sent and acknowledged segment by segment, each after `rtt`; `n` of them are timed.
 * How much cwnd has grown. */
static uint32_t timed_round(struct flow *f, uint32_t rtt, uint32_t n)
{
	uint32_t before = f->cb.cwnd;

	f->cb.snd_nxt = f->cb.snd_una + WINDOW_SEGMENTS * MSS;
	if (f->h.begun)
		f->h.window_end = f->cb.snd_nxt;
	for (uint32_t i = 0; i < WINDOW_SEGMENTS; i++) {
		f->cb.snd_una += MSS;
		tcp_hystart_acked(&f->cb, &f->h, MSS, i < n ? rtt : 0);
	}
	return f->cb.cwnd - before;
}

static uint32_t one_round(struct flow *f, uint32_t rtt)
{
	return timed_round(f, rtt, WINDOW_SEGMENTS);
}

static void while_round_trips_stay_the_window_doubles(void **state)
{
	struct flow f;

	(void)state;
	begin(&f);
	for (int i = 0; i < 10; i++)
		assert_int_equal(one_round(&f, 50 * MS), WINDOW_SEGMENTS * MSS);
	assert_int_equal(f.cb.ssthresh, UINT32_MAX);
}

static void longer_round_trips_slow_it_down_and_after_five_rounds_end_it(void **state)
{
	struct flow f;

	(void)state;
	begin(&f);
	one_round(&f, 50 * MS);
	/* An eighth of 50 ms is 6.25 ms; the eighth sample decides. */
	assert_int_equal(one_round(&f, 57 * MS), 8 * MSS + (WINDOW_SEGMENTS - 8) * MSS / 4);
	for (int i = 0; i < 4; i++) { /* with the one it began in */
		assert_int_equal(f.cb.ssthresh, UINT32_MAX);
		assert_int_equal(one_round(&f, 60 * MS), WINDOW_SEGMENTS * MSS / 4);
	}
	assert_int_equal(f.cb.ssthresh, f.cb.cwnd);
}

static void a_little_longer_is_noise(void **state)
{
	struct flow f;

	(void)state;
	begin(&f);
	one_round(&f, 50 * MS);
	assert_int_equal(one_round(&f, 56 * MS), WINDOW_SEGMENTS * MSS);
	begin(&f);
	one_round(&f, MS); /* and never less than 4 ms */
	assert_int_equal(one_round(&f, 4 * MS), WINDOW_SEGMENTS * MSS);
	begin(&f);
	one_round(&f, 400 * MS); /* nor more than 16 */
	assert_true(one_round(&f, 417 * MS) < WINDOW_SEGMENTS * MSS);
}

static void shorter_round_trips_let_slow_start_go_on(void **state)
{
	struct flow f;

	(void)state;
	begin(&f);
	one_round(&f, 50 * MS);
	one_round(&f, 60 * MS);
	assert_true(f.h.css);
	one_round(&f, 52 * MS);
	assert_false(f.h.css);
	assert_int_equal(one_round(&f, 52 * MS), WINDOW_SEGMENTS * MSS);
	assert_int_equal(f.cb.ssthresh, UINT32_MAX);
}

static void few_samples_decide_nothing(void **state)
{
	struct flow f;

	(void)state;
	begin(&f);
	one_round(&f, 50 * MS);
	assert_int_equal(timed_round(&f, 90 * MS, 7), WINDOW_SEGMENTS * MSS);
	assert_int_equal(timed_round(&f, 0, 0), WINDOW_SEGMENTS * MSS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(while_round_trips_stay_the_window_doubles),
	    cmocka_unit_test(longer_round_trips_slow_it_down_and_after_five_rounds_end_it),
	    cmocka_unit_test(a_little_longer_is_noise),
	    cmocka_unit_test(shorter_round_trips_let_slow_start_go_on),
	    cmocka_unit_test(few_samples_decide_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
