/* try_json.c - the report of `demi try` for programs: one JSON object. Keys are added, and never
 * renamed. Latencies are nanoseconds.
 *
 * SPDX-License-Identifier: MIT
 */
#include "try.h"

#include "json.h"

#include <inttypes.h>

/* Percentiles of "distribution", for plots. */
static const double percentiles[] = {0,  10,   20,   30,    40,    50,     60,     70,
				     75, 80,   85,   90,    92.5,  95,     97.5,   98,
				     99, 99.5, 99.9, 99.95, 99.99, 99.995, 99.999, 100};

static void print_latency(FILE *out, const struct histogram *h)
{
	fprintf(out,
		"\"latency_ns\": {\"min\": %" PRIu64 ", \"mean\": %.1f, \"p50\": %" PRIu64
		", \"p90\": %" PRIu64 ", \"p99\": %" PRIu64 ", \"p99_9\": %" PRIu64
		", \"max\": %" PRIu64 ", \"distribution\": [",
		h->count ? h->min : 0, histogram_mean(h), histogram_percentile(h, 50),
		histogram_percentile(h, 90), histogram_percentile(h, 99),
		histogram_percentile(h, 99.9), h->max);
	for (size_t i = 0; i < sizeof(percentiles) / sizeof(percentiles[0]); i++)
		fprintf(out, "%s[%g, %" PRIu64 "]", i ? ", " : "", percentiles[i],
			histogram_percentile(h, percentiles[i]));
	fputs("]}", out);
}

static void print_errors(FILE *out, const struct try_result *result)
{
	bool first = true;

	fputs("\"errors\": {", out);
	for (enum try_side side = 0; side < TRY_SIDES; side++) {
		if (!result->error[side][0])
			continue;
		fprintf(out, "%s\"%s\": ", first ? "" : ", ", try_side_name(side));
		json_string(out, result->error[side]);
		first = false;
	}
	fputc('}', out);
}

static void print_row(FILE *out, const struct try_row *row)
{
	static const char *const states[] = {"done", "failed", "left_out"};

	fputs("    {\"libos\": ", out);
	json_string(out, row->listing->name);
	fputs(", \"carried_by\": ", out);
	json_string(out, row->listing->what);
	fprintf(out, ", \"state\": \"%s\", ", states[row->state]);
	if (row->state == TRY_LEFT_OUT) {
		fputs("\"why\": ", out);
		json_string(out, row->lack.why);
		fputs(", \"remedy\": ", out);
		json_string(out, row->lack.remedy);
	} else if (row->state == TRY_FAILED) {
		print_errors(out, row->result);
	} else {
		fprintf(out, "\"messages\": %" PRIu64 ", \"seconds\": %.6f, ",
			row->result->latency.count, (double)row->result->elapsed_ns / 1e9);
		fprintf(out, "\"messages_per_second\": %.1f, ", try_rate(row->result));
		print_latency(out, &row->result->latency);
	}
	fputc('}', out);
}

void try_print_json(const struct try_report *report, FILE *out)
{
	fprintf(out, "{\n  \"version\": \"%s\",\n  \"message_bytes\": %u,\n  \"liboses\": [\n",
		DEMI_VERSION, report->options.size);
	for (int i = 0; i < report->count; i++) {
		print_row(out, &report->rows[i]);
		fputs(i + 1 < report->count ? ",\n" : "\n", out);
	}
	fputs("  ]\n}\n", out);
}
