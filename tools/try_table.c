/* try_table.c - the report of `demi try` for people.
 *
 * SPDX-License-Identifier: MIT
 */
#include "try.h"

#include <math.h>
#include <string.h>

enum {
	CELLS = 24,      /* of the little histogram */
	WHAT_LEAST = 14, /* columns of "carried by" */
};

/* The latencies that the histograms of all rows span, so that they can be compared by eye. */
struct span {
	double from_ns, to_ns;
};

struct style {
	const char *bold, *good, *bad, *end;
};

static const struct style plain = {"", "", "", ""};
static const struct style coloured = {"\033[1m", "\033[32m", "\033[31m", "\033[0m"};

void try_format_ns(char *text, size_t size, double ns)
{
	static const struct {
		double factor;
		const char *name;
	} units[] = {{1, "ns"}, {1e3, "µs"}, {1e6, "ms"}, {1e9, "s"}};
	size_t u = 0;
	double v;

	while (u + 1 < sizeof(units) / sizeof(units[0]) && ns >= 999.5 * units[u].factor)
		u++;
	v = ns / units[u].factor;
	snprintf(text, size, "%.*f %s",
		 u == 0 || v >= 99.95 ? 0
		 : v >= 9.995         ? 1
				      : 2,
		 v, units[u].name);
}

/* Columns that a text takes: bytes that continue a UTF-8 character take none. */
static int columns(const char *text)
{
	int n = 0;

	for (; *text; text++)
		n += ((unsigned char)*text & 0xc0) != 0x80;
	return n;
}

static void print_right(FILE *out, const char *text, int width)
{
	fprintf(out, "%*s%s", width - columns(text), "", text);
}

static void print_duration(FILE *out, double ns, int width)
{
	char text[32];

	try_format_ns(text, sizeof(text), ns);
	print_right(out, text, width);
}

/* With blanks between the thousands: "123 456". */
static void print_count(FILE *out, uint64_t n, int width)
{
	char digits[24], text[32];
	size_t len = (size_t)snprintf(digits, sizeof(digits), "%llu", (unsigned long long)n);
	size_t at = 0;

	for (size_t i = 0; i < len; i++) {
		if (i > 0 && (len - i) % 3 == 0)
			text[at++] = ' ';
		text[at++] = digits[i];
	}
	text[at] = '\0';
	print_right(out, text, width);
}

/* Columns of the longest "carried by". */
static int find_what_width(const struct try_report *report)
{
	int width = WHAT_LEAST;

	for (int i = 0; i < report->count; i++) {
		int n = columns(report->rows[i].listing->what);

		width = n > width ? n : width;
	}
	return width;
}

static struct span find_span(const struct try_report *report)
{
	struct span s = {INFINITY, 0};

	for (int i = 0; i < report->count; i++) {
		const struct try_row *row = &report->rows[i];

		if (row->state != TRY_DONE)
			continue;
		s.from_ns = fmin(s.from_ns, (double)row->result->latency.min);
		s.to_ns = fmax(s.to_ns, (double)histogram_percentile(&row->result->latency, 99.9));
	}
	s.from_ns = fmax(s.from_ns, 1);
	s.to_ns = fmax(s.to_ns, s.from_ns * 1.01);
	return s;
}

/* The upper end of a cell: cells are equal steps of the logarithm. */
static uint64_t cell_end(struct span s, int cell)
{
	return (uint64_t)(s.from_ns * pow(s.to_ns / s.from_ns, (cell + 1.0) / CELLS));
}

static void print_histogram(FILE *out, const struct histogram *h, struct span s)
{
	static const char *const bars[] = {" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
	uint64_t counts[CELLS], before = 0, upto, most = 1;

	for (int i = 0; i < CELLS; i++) {
		upto = histogram_count_up_to(h, cell_end(s, i));
		counts[i] = upto - before;
		before = upto;
		most = counts[i] > most ? counts[i] : most;
	}
	/* What is there at all gets the lowest bar. */
	for (int i = 0; i < CELLS; i++)
		fputs(bars[(counts[i] * 8 + most - 1) / most], out);
}

static void print_head(FILE *out, struct span s, int what, const struct style *style)
{
	char from[32] = "", to[32] = "";
	int gap;

	if (!isinf(s.from_ns)) {
		try_format_ns(from, sizeof(from), s.from_ns);
		try_format_ns(to, sizeof(to), s.to_ns);
	}
	gap = CELLS - columns(from) - columns(to);
	fprintf(out, "%s%-10s %-*s%12s%10s%10s%10s%12s  %s%*s%s%s\n", style->bold, "libOS", what,
		"carried by", "messages", "p50", "p99", "p99.9", "messages/s", from,
		gap > 0 ? gap : 1, "", to, style->end);
}

static void print_done(FILE *out, const struct try_row *row, struct span s, int what,
		       const struct style *style)
{
	const struct histogram *h = &row->result->latency;

	fprintf(out, "%s%-10s%s %-*s", style->good, row->listing->name, style->end, what,
		row->listing->what);
	print_count(out, h->count, 12);
	print_duration(out, (double)histogram_percentile(h, 50.0), 10);
	print_duration(out, (double)histogram_percentile(h, 99.0), 10);
	print_duration(out, (double)histogram_percentile(h, 99.9), 10);
	print_count(out, (uint64_t)(try_rate(row->result) + 0.5), 12);
	fputs("  ", out);
	print_histogram(out, h, s);
	fputc('\n', out);
}

static void print_failed(FILE *out, const struct try_row *row, int what, const struct style *style)
{
	fprintf(out, "%s%-10s %-*s failed%s\n", style->bad, row->listing->name, what,
		row->listing->what, style->end);
	for (enum try_side side = 0; side < TRY_SIDES; side++) {
		if (row->result->error[side][0])
			fprintf(out, "           %s: %s\n", try_side_name(side),
				row->result->error[side]);
	}
	fprintf(out, "           To look closer: DEMI_LOG=debug demi try --libos %s\n",
		row->listing->name);
}

static void print_left_out(FILE *out, const struct try_report *report, int what,
			   const struct style *style)
{
	bool any = false;

	for (int i = 0; i < report->count; i++) {
		const struct try_row *row = &report->rows[i];

		if (row->state != TRY_LEFT_OUT)
			continue;
		if (!any)
			fprintf(out, "\n%sLeft out%s\n", style->bold, style->end);
		any = true;
		fprintf(out, "%-10s %-*s %s\n%10s To get it: %s\n", row->listing->name, what,
			row->listing->what, row->lack.why, "", row->lack.remedy);
	}
}

void try_print_table(const struct try_report *report, FILE *out, bool colour)
{
	const struct style *style = colour ? &coloured : &plain;
	struct span s = find_span(report);
	int what = find_what_width(report);

	fprintf(out, "Echo of %u-byte messages between two processes, every byte checked\n\n",
		report->options.size);
	print_head(out, s, what, style);
	for (int i = 0; i < report->count; i++) {
		if (report->rows[i].state == TRY_DONE)
			print_done(out, &report->rows[i], s, what, style);
		else if (report->rows[i].state == TRY_FAILED)
			print_failed(out, &report->rows[i], what, style);
	}
	print_left_out(out, report, what, style);
}
