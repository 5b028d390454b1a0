/* histogram.h - counts of values, kept so that percentiles are right to 0.1 % whatever their size.
 *
 * Log-linear: values below 2048 have a bucket each; above, every power of two is cut into 1024
 * buckets of equal width. A percentile is thus never below the exact one, and above it by at most
 * 1/1024 of it. Recording takes a few instructions and never allocates. The unit of a value is the
 * caller's.
 *
 *	static struct histogram h;
 *	histogram_clear(&h);
 *	histogram_record(&h, latency_ns);
 *	printf("%llu\n", (unsigned long long)histogram_percentile(&h, 99.0));
 *
 * The structure has 450 KB: make it static or allocate it.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef TOOLS_HISTOGRAM_H
#define TOOLS_HISTOGRAM_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum {
	HISTOGRAM_LINEAR_BITS = 11, /* values below 1 << 11 are exact */
	HISTOGRAM_LINEAR = 1 << HISTOGRAM_LINEAR_BITS,
	HISTOGRAM_HALF = HISTOGRAM_LINEAR / 2, /* buckets of each power of two above */
	HISTOGRAM_BUCKETS = HISTOGRAM_LINEAR + (64 - HISTOGRAM_LINEAR_BITS) * HISTOGRAM_HALF,
};

struct histogram {
	uint64_t count; /* values recorded */
	uint64_t min;   /* UINT64_MAX when there are none */
	uint64_t max;   /* 0 when there are none */
	double sum;
	uint64_t buckets[HISTOGRAM_BUCKETS];
};

void histogram_clear(struct histogram *h);

/* The bucket of a value, and the largest value that a bucket holds. */
static inline size_t histogram_bucket(uint64_t value)
{
	int shift;

	if (value < HISTOGRAM_LINEAR)
		return (size_t)value;
	shift = 63 - __builtin_clzll(value) - (HISTOGRAM_LINEAR_BITS - 1);
	return (size_t)(HISTOGRAM_LINEAR + (uint64_t)(shift - 1) * HISTOGRAM_HALF +
			((value >> shift) - HISTOGRAM_HALF));
}

uint64_t histogram_bucket_max(size_t bucket);

static inline void histogram_record(struct histogram *h, uint64_t value)
{
	h->buckets[histogram_bucket(value)]++;
	h->count++;
	h->sum += (double)value;
	if (value < h->min)
		h->min = value;
	if (value > h->max)
		h->max = value;
}

/* Adds what `from` has recorded to `to`. */
void histogram_merge(struct histogram *to, const struct histogram *from);

/* The smallest recorded value that at least `percentile` percent of all values do not exceed,
 * rounded up within its bucket; percentile is 0 to 100, and 0 asks for the minimum. 0 when nothing
 * was recorded. */
uint64_t histogram_percentile(const struct histogram *h, double percentile);

/* How many values were recorded in the buckets up to and with the one of `value`. */
uint64_t histogram_count_up_to(const struct histogram *h, uint64_t value);

/* 0 when nothing was recorded. */
double histogram_mean(const struct histogram *h);
double histogram_deviation(const struct histogram *h);

/* Writes the percentile distribution in the text format of HdrHistogram (.hgrm), which its plotters
 * read: columns Value, Percentile, TotalCount and 1/(1-Percentile), `ticks` rows for each halving
 * of the distance to 100 % (5 is usual). Values are divided by `unit`: 1000 prints nanoseconds as
 * microseconds. */
void histogram_print(const struct histogram *h, FILE *out, int ticks, double unit);

#endif
