/* histogram_test.c - the histogram against exact percentiles of the same data.
 *
 * SPDX-License-Identifier: MIT
 */
#include "histogram.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { VALUES = 100000 };

static struct histogram h, other;
static uint64_t values[VALUES];

static uint64_t random_state;

/* xorshift64*: the same numbers in every run. */
static uint64_t random_next(void)
{
	random_state ^= random_state >> 12;
	random_state ^= random_state << 25;
	random_state ^= random_state >> 27;
	return random_state * 0x2545f4914f6cdd1dULL;
}

static int by_value(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

static int clear(void **state)
{
	(void)state;
	histogram_clear(&h);
	histogram_clear(&other);
	random_state = 0x9e3779b97f4a7c15ULL;
	return 0;
}

static void assert_bounded(uint64_t got, uint64_t exact)
{
	assert_true(got >= exact);
	assert_true(got - exact <= exact / 1024);
}

/* Values of every magnitude up to 1 << bits, as many of each. */
static void record_random(unsigned int bits)
{
	for (size_t i = 0; i < VALUES; i++) {
		values[i] = random_next() >> (64 - 1 - random_next() % bits);
		histogram_record(&h, values[i]);
	}
	qsort(values, VALUES, sizeof(values[0]), by_value);
}

static uint64_t exact_percentile(double p)
{
	double rank = ceil(p * VALUES / 100.0);

	return values[rank < 1.0 ? 0 : (size_t)rank - 1];
}

static void percentiles_are_within_a_thousandth_of_exact_ones(void **state)
{
	static const double percentiles[] = {0.5, 1, 10, 25, 50, 75, 90, 99, 99.9, 99.99, 99.999};
	static const unsigned int bits[] = {8, 20, 33, 63};

	for (size_t b = 0; b < sizeof(bits) / sizeof(bits[0]); b++) {
		clear(state);
		record_random(bits[b]);
		for (size_t i = 0; i < sizeof(percentiles) / sizeof(percentiles[0]); i++)
			assert_bounded(histogram_percentile(&h, percentiles[i]),
				       exact_percentile(percentiles[i]));
		assert_int_equal(histogram_percentile(&h, 0), values[0]);
		assert_int_equal(histogram_percentile(&h, 100), values[VALUES - 1]);
	}
}

static void small_values_are_exact(void **state)
{
	(void)state;
	for (uint64_t v = 1; v <= 1000; v++)
		histogram_record(&h, v);
	assert_int_equal(histogram_percentile(&h, 50), 500);
	assert_int_equal(histogram_percentile(&h, 99), 990);
	assert_int_equal(histogram_percentile(&h, 99.9), 999);
}

static void every_bucket_holds_its_own_largest_value_and_not_the_next(void **state)
{
	(void)state;
	for (size_t b = 0; b < HISTOGRAM_BUCKETS; b++) {
		uint64_t max = histogram_bucket_max(b);

		assert_int_equal(histogram_bucket(max), b);
		if (b + 1 < HISTOGRAM_BUCKETS)
			assert_int_equal(histogram_bucket(max + 1), b + 1);
	}
	assert_int_equal(histogram_bucket_max(HISTOGRAM_BUCKETS - 1), UINT64_MAX);
	assert_int_equal(histogram_bucket(UINT64_MAX), HISTOGRAM_BUCKETS - 1);
}

static void an_empty_histogram_answers_zero(void **state)
{
	(void)state;
	assert_int_equal(histogram_percentile(&h, 50), 0);
	assert_int_equal(histogram_count_up_to(&h, 1000), 0);
	assert_true(histogram_mean(&h) == 0.0);
	assert_true(histogram_deviation(&h) == 0.0);
}

static void merging_equals_recording_into_one(void **state)
{
	static struct histogram whole, part;

	histogram_clear(&whole);
	histogram_clear(&part);
	clear(state);
	for (size_t i = 0; i < 10000; i++) {
		uint64_t v = random_next() >> (random_next() % 64);

		histogram_record(&whole, v);
		histogram_record(i % 3 ? &h : &part, v);
	}
	histogram_merge(&h, &part);
	histogram_merge(&h, &other); /* empty */
	assert_int_equal(h.count, whole.count);
	assert_int_equal(h.min, whole.min);
	assert_int_equal(h.max, whole.max);
	assert_memory_equal(h.buckets, whole.buckets, sizeof(h.buckets));
}

static void mean_and_deviation_are_those_of_the_values(void **state)
{
	static const uint64_t data[] = {2, 4, 4, 4, 5, 5, 7, 9};

	(void)state;
	for (size_t i = 0; i < 8; i++)
		histogram_record(&h, data[i]);
	assert_true(fabs(histogram_mean(&h) - 5.0) < 1e-9);
	assert_true(fabs(histogram_deviation(&h) - 2.0) < 1e-9);
}

static void counts_up_to_a_value_include_it(void **state)
{
	(void)state;
	for (uint64_t v = 10; v <= 100; v += 10)
		histogram_record(&h, v);
	assert_int_equal(histogram_count_up_to(&h, 9), 0);
	assert_int_equal(histogram_count_up_to(&h, 50), 5);
	assert_int_equal(histogram_count_up_to(&h, UINT64_MAX), 10);
}

static char *printed(double unit)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	assert_non_null(out);
	histogram_print(&h, out, 5, unit);
	assert_int_equal(fclose(out), 0);
	return text;
}

/* Reads the rows back, as a plotter does. */
static void the_printed_distribution_rises_to_all_values(void **state)
{
	double value, fraction, inverse, last_value = -1, last_fraction = -1;
	unsigned long long total = 0;
	int rows = 0, fields;
	char *text, *line, *save = NULL;

	(void)state;
	record_random(33);
	text = printed(1000.0);
	line = strtok_r(text, "\n", &save);
	assert_non_null(strstr(line, "Value     Percentile TotalCount 1/(1-Percentile)"));
	while ((line = strtok_r(NULL, "\n", &save)) && line[0] != '#') {
		fields = sscanf(line, "%lf %lf %llu %lf", &value, &fraction, &total, &inverse);
		assert_true(value > last_value && fraction > last_fraction);
		assert_int_equal(fields, total < h.count ? 4 : 3);
		if (fields == 4)
			assert_true(fabs(inverse * (1 - fraction) - 1) < 0.01 * inverse);
		last_value = value;
		last_fraction = fraction;
		rows++;
	}
	assert_true(rows > 50);
	assert_int_equal(total, VALUES);
	assert_true(fabs(last_value - (double)h.max / 1000.0) < 0.001);
	assert_non_null(line);
	assert_non_null(strstr(line, "#[Mean    ="));
	free(text);
}

static void an_empty_distribution_prints_its_frame_alone(void **state)
{
	char *text;

	(void)state;
	text = printed(1.0);
	assert_non_null(strstr(text, "Total count    =            0"));
	free(text);
}

static void one_value_prints_one_row(void **state)
{
	char *text;

	(void)state;
	histogram_record(&h, 4242);
	text = printed(1.0);
	assert_non_null(strstr(text, "4242.000 1.000000000000          1\n#[Mean"));
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup(percentiles_are_within_a_thousandth_of_exact_ones, clear),
	    cmocka_unit_test_setup(small_values_are_exact, clear),
	    cmocka_unit_test_setup(every_bucket_holds_its_own_largest_value_and_not_the_next,
				   clear),
	    cmocka_unit_test_setup(an_empty_histogram_answers_zero, clear),
	    cmocka_unit_test_setup(merging_equals_recording_into_one, clear),
	    cmocka_unit_test_setup(mean_and_deviation_are_those_of_the_values, clear),
	    cmocka_unit_test_setup(counts_up_to_a_value_include_it, clear),
	    cmocka_unit_test_setup(the_printed_distribution_rises_to_all_values, clear),
	    cmocka_unit_test_setup(an_empty_distribution_prints_its_frame_alone, clear),
	    cmocka_unit_test_setup(one_value_prints_one_row, clear),
	};

	return cmocka_run_group_tests_name("histogram", tests, NULL, NULL);
}
