/* histogram.c - see histogram.h.
 *
 * SPDX-License-Identifier: MIT
 */
#include "histogram.h"

#include <math.h>
#include <string.h>

void histogram_clear(struct histogram *h)
{
	memset(h, 0, sizeof(*h));
	h->min = UINT64_MAX;
}

uint64_t histogram_bucket_max(size_t bucket)
{
	uint64_t above, mantissa;
	unsigned int shift;

	if (bucket < HISTOGRAM_LINEAR)
		return bucket;
	above = bucket - HISTOGRAM_LINEAR;
	shift = (unsigned int)(above / HISTOGRAM_HALF) + 1;
	mantissa = HISTOGRAM_HALF + above % HISTOGRAM_HALF;
	/* mantissa + 1 may be 1 << 11 and shift 53: the shift wraps to 0, and 0 - 1 is right. */
	return ((mantissa + 1) << shift) - 1;
}

void histogram_merge(struct histogram *to, const struct histogram *from)
{
	if (from->count == 0)
		return;
	for (size_t i = histogram_bucket(from->min); i <= histogram_bucket(from->max); i++)
		to->buckets[i] += from->buckets[i];
	to->count += from->count;
	to->sum += from->sum;
	if (from->min < to->min)
		to->min = from->min;
	if (from->max > to->max)
		to->max = from->max;
}

/* The value that `rank` of the recorded values (1 to count) do not exceed. */
static uint64_t value_at_rank(const struct histogram *h, uint64_t rank)
{
	uint64_t seen = 0;
	size_t i = histogram_bucket(h->min);
	uint64_t value;

	while ((seen += h->buckets[i]) < rank)
		i++;
	value = histogram_bucket_max(i);
	return value < h->max ? value : h->max;
}

uint64_t histogram_percentile(const struct histogram *h, double percentile)
{
	double rank;

	if (h->count == 0)
		return 0;
	if (percentile <= 0.0)
		return h->min;
	/* In this order, 99.9 % of 1000 is 999 and not a hair more. */
	rank = ceil(percentile * (double)h->count / 100.0);
	if (rank >= (double)h->count)
		return h->max;
	return value_at_rank(h, rank < 1.0 ? 1 : (uint64_t)rank);
}

uint64_t histogram_count_up_to(const struct histogram *h, uint64_t value)
{
	uint64_t seen = 0;

	if (h->count == 0 || value < h->min)
		return 0;
	if (value > h->max)
		value = h->max;
	for (size_t i = histogram_bucket(h->min); i <= histogram_bucket(value); i++)
		seen += h->buckets[i];
	return seen;
}

double histogram_mean(const struct histogram *h)
{
	return h->count ? h->sum / (double)h->count : 0.0;
}

/* What stands for the values of a bucket in sums: its middle. */
static double bucket_middle(size_t bucket)
{
	uint64_t max = histogram_bucket_max(bucket);
	uint64_t min = bucket == 0 ? 0 : histogram_bucket_max(bucket - 1) + 1;

	return ((double)min + (double)max) / 2.0;
}

double histogram_deviation(const struct histogram *h)
{
	double mean = histogram_mean(h), squares = 0.0;

	if (h->count == 0)
		return 0.0;
	for (size_t i = histogram_bucket(h->min); i <= histogram_bucket(h->max); i++) {
		double off = bucket_middle(i) - mean;

		if (h->buckets[i])
			squares += off * off * (double)h->buckets[i];
	}
	return sqrt(squares / (double)h->count);
}

/* The percentile after `p` at which a row is due: `ticks` even steps for each halving of what is
 * left to 100. */
static double next_tick(double p, int ticks)
{
	double halvings = floor(log2(100.0 / (100.0 - p))) + 1.0;

	return p + 100.0 / ((double)ticks * exp2(halvings));
}

static void print_row(const struct histogram *h, FILE *out, uint64_t value, double unit)
{
	uint64_t upto = histogram_count_up_to(h, value);
	double fraction = (double)upto / (double)h->count;

	fprintf(out, "%12.3f %14.12f %10llu", (double)value / unit, fraction,
		(unsigned long long)upto);
	if (upto < h->count)
		fprintf(out, " %14.2f", 1.0 / (1.0 - fraction));
	fputc('\n', out);
}

void histogram_print(const struct histogram *h, FILE *out, int ticks, double unit)
{
	double p = 0.0;
	uint64_t value;

	fprintf(out, "%12s %14s %10s %14s\n\n", "Value", "Percentile", "TotalCount",
		"1/(1-Percentile)");
	while (h->count) {
		value = histogram_percentile(h, p);
		print_row(h, out, value, unit);
		if (value >= h->max)
			break;
		/* Rows that would tell the same value again are left out. */
		while (histogram_percentile(h, p) <= value)
			p = next_tick(p, ticks);
	}
	fprintf(out, "#[Mean    = %12.3f, StdDeviation   = %12.3f]\n", histogram_mean(h) / unit,
		histogram_deviation(h) / unit);
	fprintf(out, "#[Max     = %12.3f, Total count    = %12llu]\n", (double)h->max / unit,
		(unsigned long long)h->count);
	fprintf(out, "#[Buckets = %12d, SubBuckets     = %12d]\n", 64 - HISTOGRAM_LINEAR_BITS + 1,
		HISTOGRAM_LINEAR);
}
