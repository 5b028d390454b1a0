/* try_plot.c - the latency percentiles of `demi try` as a picture: SVG that needs nothing else.
 *
 * Across: percentiles, each nine further from the left than the one before, as in the plots of
 * HdrHistogram. Up: latency, logarithmic, on whole powers of ten.
 *
 * SPDX-License-Identifier: MIT
 */
#include "try.h"

#include <math.h>

enum {
	WIDTH = 960,
	HEIGHT = 520,
	LEFT = 90, /* where the plot begins and ends, in the picture */
	RIGHT = 700,
	TOP = 70,
	BOTTOM = 440,
	MAX_NINES = 7,
	STEPS_PER_NINE = 40, /* points of a curve */
};

/* Told apart by people who do not see all colours (Okabe and Ito). */
static const char *const colours[] = {"#0072b2", "#d55e00", "#009e73", "#cc79a7",
				      "#e69f00", "#56b4e9", "#000000"};

struct axes {
	int nines;                   /* 3: up to 99.9 % */
	int low_decade, high_decade; /* of nanoseconds */
};

/* 1 nine is 90 %, 2 are 99 %, and 0.3 are 50 %. */
static double percentile_of(double nines)
{
	return 100.0 * (1.0 - pow(10.0, -nines));
}

static double x_of(const struct axes *a, double nines)
{
	return LEFT + (RIGHT - LEFT) * nines / a->nines;
}

static double y_of(const struct axes *a, double ns)
{
	double decades = log10(fmax(ns, 1)) - a->low_decade;

	return BOTTOM - (BOTTOM - TOP) * decades / (a->high_decade - a->low_decade);
}

static bool has_curve(const struct try_row *row)
{
	return row->state == TRY_DONE && row->result->latency.count > 0;
}

/* Axes that hold all curves: each goes as far right as its number of messages says something. */
static struct axes choose_axes(const struct try_report *report)
{
	double low = INFINITY, high = 1, most = 1;
	struct axes a;

	for (int i = 0; i < report->count; i++) {
		const struct histogram *h;

		if (!has_curve(&report->rows[i]))
			continue;
		h = &report->rows[i].result->latency;
		low = fmin(low, (double)h->min);
		high = fmax(high, (double)h->max);
		most = fmax(most, (double)h->count);
	}
	a.nines = (int)fmin(fmax(ceil(log10(most)), 1), MAX_NINES);
	a.low_decade = (int)floor(log10(fmax(fmin(low, high), 1)));
	a.high_decade = (int)fmax(ceil(log10(high)), a.low_decade + 1);
	return a;
}

static void print_frame(const struct try_report *report, FILE *out)
{
	fprintf(out,
		"<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" "
		"viewBox=\"0 0 %d %d\" font-family=\"sans-serif\" font-size=\"13\">\n"
		"<rect width=\"100%%\" height=\"100%%\" fill=\"#ffffff\"/>\n"
		"<text x=\"%d\" y=\"32\" font-size=\"18\">Round trips of %u-byte messages</text>\n"
		"<text x=\"%d\" y=\"52\" fill=\"#555555\">demi try: one message at a time between "
		"two processes of one machine</text>\n",
		WIDTH, HEIGHT, WIDTH, HEIGHT, LEFT, report->options.size, LEFT);
}

static void print_percentile_line(FILE *out, const struct axes *a, double nines, const char *label)
{
	fprintf(out,
		"<line x1=\"%.1f\" y1=\"%d\" x2=\"%.1f\" y2=\"%d\" stroke=\"#e0e0e0\"/>\n"
		"<text x=\"%.1f\" y=\"%d\" text-anchor=\"middle\">%s</text>\n",
		x_of(a, nines), TOP, x_of(a, nines), BOTTOM, x_of(a, nines), BOTTOM + 20, label);
}

static void print_grid(FILE *out, const struct axes *a)
{
	char label[32];

	print_percentile_line(out, a, 0, "0 %");
	print_percentile_line(out, a, log10(2), "50 %");
	for (int n = 1; n <= a->nines; n++) {
		snprintf(label, sizeof(label), "%.*f %%", n < 2 ? 0 : n - 2, percentile_of(n));
		print_percentile_line(out, a, n, label);
	}
	for (int d = a->low_decade; d <= a->high_decade; d++) {
		static const char *const units[] = {"ns", "µs", "ms", "s", "ks"};
		double ns = pow(10, d);

		snprintf(label, sizeof(label), "%.0f %s", pow(10, d % 3), units[d / 3 % 5]);
		fprintf(out,
			"<line x1=\"%d\" y1=\"%.1f\" x2=\"%d\" y2=\"%.1f\" stroke=\"#e0e0e0\"/>\n"
			"<text x=\"%d\" y=\"%.1f\" text-anchor=\"end\">%s</text>\n",
			LEFT, y_of(a, ns), RIGHT, y_of(a, ns), LEFT - 8, y_of(a, ns) + 4, label);
	}
	fprintf(out,
		"<text x=\"%d\" y=\"%d\" text-anchor=\"middle\">percentile of the messages</text>\n"
		"<text transform=\"translate(24 %d) rotate(-90)\" text-anchor=\"middle\">"
		"round trip</text>\n"
		"<path d=\"M%d %dV%dH%d\" fill=\"none\" stroke=\"#333333\"/>\n",
		(LEFT + RIGHT) / 2, BOTTOM + 48, (TOP + BOTTOM) / 2, LEFT, TOP, BOTTOM, RIGHT);
}

static void print_curve(FILE *out, const struct axes *a, const struct histogram *h,
			const char *colour)
{
	double last = fmin(log10((double)h->count), a->nines);

	fprintf(out, "<polyline fill=\"none\" stroke=\"%s\" stroke-width=\"2\" points=\"", colour);
	for (int i = 0; (double)i / STEPS_PER_NINE < last; i++) {
		double nines = (double)i / STEPS_PER_NINE;

		fprintf(out, "%.1f,%.1f ", x_of(a, nines),
			y_of(a, (double)histogram_percentile(h, percentile_of(nines))));
	}
	fprintf(out, "%.1f,%.1f\"/>\n", x_of(a, last), y_of(a, (double)h->max));
}

/* Text of XML. */
static void print_text(FILE *out, const char *text)
{
	for (; *text; text++) {
		if (*text == '<')
			fputs("&lt;", out);
		else if (*text == '>')
			fputs("&gt;", out);
		else if (*text == '&')
			fputs("&amp;", out);
		else
			fputc(*text, out);
	}
}

static void print_legend(FILE *out, const struct try_row *row, int nth, const char *colour)
{
	char p50[32], p99[32];
	int y = TOP + 14 + 44 * nth;

	try_format_ns(p50, sizeof(p50), (double)histogram_percentile(&row->result->latency, 50));
	try_format_ns(p99, sizeof(p99), (double)histogram_percentile(&row->result->latency, 99));
	fprintf(out,
		"<line x1=\"%d\" y1=\"%d\" x2=\"%d\" y2=\"%d\" stroke=\"%s\" stroke-width=\"3\"/>\n"
		"<text x=\"%d\" y=\"%d\">%s: ",
		RIGHT + 16, y - 4, RIGHT + 36, y - 4, colour, RIGHT + 42, y, row->listing->name);
	print_text(out, row->listing->what);
	fprintf(out, "</text>\n<text x=\"%d\" y=\"%d\" fill=\"#555555\">p50 %s, p99 %s</text>\n",
		RIGHT + 42, y + 17, p50, p99);
}

void try_print_plot(const struct try_report *report, FILE *out)
{
	struct axes a = choose_axes(report);
	int nth = 0;

	print_frame(report, out);
	print_grid(out, &a);
	for (int i = 0; i < report->count; i++) {
		const struct try_row *row = &report->rows[i];
		const char *colour = colours[nth % (int)(sizeof(colours) / sizeof(colours[0]))];

		if (!has_curve(row))
			continue;
		print_curve(out, &a, &row->result->latency, colour);
		print_legend(out, row, nth++, colour);
	}
	fputs("</svg>\n", out);
}
