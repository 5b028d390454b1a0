/* try_test.c - the reports of `demi try`, of results that are made up.
 *
 * SPDX-License-Identifier: MIT
 */
#include "try.h"

#include <ctype.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct libos_listing listings[] = {
    {.name = "catnap", .what = "kernel sockets"},
    {.name = "catfast", .what = "a wire <&> no kernel"},
    {.name = "catbroken", .what = "nothing"},
    {.name = "catabsent", .what = "a card"},
};

static struct try_result slow, fast, broken;
static struct try_report report;

static void fill(struct try_result *r, uint64_t ns)
{
	memset(r, 0, sizeof(*r));
	histogram_clear(&r->latency);
	for (uint64_t i = 0; i < 10000; i++)
		histogram_record(&r->latency, ns + i % 100);
	r->elapsed_ns = 10000 * ns;
}

static int set_up(void **state)
{
	(void)state;
	fill(&slow, 8000);
	fill(&fast, 500);
	memset(&broken, 0, sizeof(broken));
	histogram_clear(&broken.latency);
	try_note(&broken, TRY_SERVER, "demi_bind: \"%s\"\n", "in use");
	report = (struct try_report){.options = {.size = 64}, .count = 4};
	report.rows[0] = (struct try_row){&listings[0], TRY_DONE, &slow, {"", ""}};
	report.rows[1] = (struct try_row){&listings[1], TRY_DONE, &fast, {"", ""}};
	report.rows[2] = (struct try_row){&listings[2], TRY_FAILED, &broken, {"", ""}};
	report.rows[3] = (struct try_row){&listings[3], TRY_LEFT_OUT, NULL, {"no card", "buy one"}};
	return 0;
}

static char *printed(void (*print)(const struct try_report *, FILE *))
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	assert_non_null(out);
	print(&report, out);
	assert_int_equal(fclose(out), 0);
	return text;
}

static void print_plain_table(const struct try_report *r, FILE *out)
{
	try_print_table(r, out, false);
}

static void print_coloured_table(const struct try_report *r, FILE *out)
{
	try_print_table(r, out, true);
}

static void durations_have_three_digits_and_a_unit(void **state)
{
	static const struct {
		double ns;
		const char *text;
	} cases[] = {
	    {0, "0 ns"},         {999, "999 ns"},       {999.6, "1.00 µs"}, {1000, "1.00 µs"},
	    {8134, "8.13 µs"},   {9996, "10.0 µs"},     {99960, "100 µs"},  {999400, "999 µs"},
	    {999600, "1.00 ms"}, {12345678, "12.3 ms"}, {1.5e9, "1.50 s"},  {4e12, "4000 s"},
	};
	char text[32];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		try_format_ns(text, sizeof(text), cases[i].ns);
		assert_string_equal(text, cases[i].text);
	}
}

static void the_table_has_a_row_for_each_libos(void **state)
{
	char *text = printed(print_plain_table);

	(void)state;
	assert_non_null(strstr(text, "catnap     kernel sockets            10 000   "
				     "8.05 µs   8.10 µs   8.10 µs     125 000  "));
	assert_non_null(strstr(text, "catbroken  nothing              failed"));
	assert_non_null(strstr(text, "server: demi_bind: \"in use\""));
	assert_non_null(strstr(text, "DEMI_LOG=debug demi try --libos catbroken"));
	assert_non_null(strstr(text, "catabsent  a card               no card"));
	assert_non_null(strstr(text, "To get it: buy one"));
	assert_null(strchr(text, '\033'));
	free(text);
}

static void colours_are_for_terminals(void **state)
{
	char *text = printed(print_coloured_table);

	(void)state;
	assert_non_null(strstr(text, "\033[32mcatnap"));
	assert_non_null(strstr(text, "\033[31mcatbroken"));
	free(text);
}

/* A parser of JSON, just to see whether it is: each returns what follows the value, or NULL. */
static const char *skip_value(const char *t);

static const char *skip_space(const char *t)
{
	while (t && isspace((unsigned char)*t))
		t++;
	return t;
}

static const char *skip_string(const char *t)
{
	if (*t != '"')
		return NULL;
	for (t++; *t != '"'; t++) {
		if (*t == '\\')
			t++;
		if ((unsigned char)*t < 0x20)
			return NULL;
	}
	return t + 1;
}

static const char *skip_members(const char *t, char close, bool keyed)
{
	t = skip_space(t + 1);
	if (*t == close)
		return t + 1;
	for (;;) {
		if (keyed) {
			t = skip_space(skip_string(skip_space(t)));
			if (!t || *t++ != ':')
				return NULL;
		}
		t = skip_space(skip_value(skip_space(t)));
		if (!t || (*t != ',' && *t != close))
			return NULL;
		if (*t++ == close)
			return t;
	}
}

static const char *skip_value(const char *t)
{
	char *end;

	if (*t == '{')
		return skip_members(t, '}', true);
	if (*t == '[')
		return skip_members(t, ']', false);
	if (*t == '"')
		return skip_string(t);
	if (*t != '-' && !isdigit((unsigned char)*t)) /* strtod() takes "nan" */
		return NULL;
	strtod(t, &end);
	return end == t ? NULL : end;
}

static void json_is_json(void **state)
{
	char *text = printed(try_print_json);
	const char *end = skip_space(skip_value(text));

	(void)state;
	assert_true(end && *end == '\0');
	assert_non_null(strstr(text, "\"libos\": \"catnap\""));
	assert_non_null(strstr(text, "\"messages\": 10000"));
	assert_non_null(strstr(text, "\"p99_9\": 8099"));
	assert_non_null(strstr(text, "\"server\": \"demi_bind: \\\"in use\\\"\\u000a\""));
	assert_non_null(strstr(text, "\"remedy\": \"buy one\""));
	free(text);
}

static void json_of_nothing_is_json(void **state)
{
	char *text;

	(void)state;
	report.count = 0;
	text = printed(try_print_json);
	assert_non_null(skip_value(text));
	free(text);
}

static void the_picture_has_a_curve_for_each_libos_that_went_well(void **state)
{
	char *text = printed(try_print_plot);
	int curves = 0;

	(void)state;
	for (const char *t = text; (t = strstr(t, "<polyline")); t++)
		curves++;
	assert_int_equal(curves, 2);
	assert_non_null(strstr(text, "catfast: a wire &lt;&amp;&gt; no kernel"));
	assert_null(strstr(text, "nan"));
	assert_null(strstr(text, "inf"));
	assert_non_null(strstr(text, "</svg>\n"));
	free(text);
}

static void a_table_of_nothing_that_went_well_has_no_latencies(void **state)
{
	char *text;

	(void)state;
	report.rows[0].state = TRY_LEFT_OUT;
	report.rows[1].state = TRY_LEFT_OUT;
	text = printed(print_plain_table);
	assert_null(strstr(text, "inf"));
	assert_null(strstr(text, " s\n"));
	free(text);
}

static void a_picture_of_nothing_has_axes_of_numbers(void **state)
{
	char *text;

	(void)state;
	report.count = 0;
	text = printed(try_print_plot);
	assert_null(strstr(text, "nan"));
	assert_null(strstr(text, "inf"));
	assert_null(strstr(text, "<polyline"));
	free(text);
}

static void the_first_error_of_a_side_is_kept(void **state)
{
	(void)state;
	try_note(&slow, TRY_CLIENT, "first %d", 1);
	try_note(&slow, TRY_CLIENT, "second %d", 2);
	assert_string_equal(slow.error[TRY_CLIENT], "first 1");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(durations_have_three_digits_and_a_unit),
	    cmocka_unit_test_setup(the_table_has_a_row_for_each_libos, set_up),
	    cmocka_unit_test_setup(colours_are_for_terminals, set_up),
	    cmocka_unit_test_setup(json_is_json, set_up),
	    cmocka_unit_test_setup(json_of_nothing_is_json, set_up),
	    cmocka_unit_test_setup(the_picture_has_a_curve_for_each_libos_that_went_well, set_up),
	    cmocka_unit_test_setup(a_table_of_nothing_that_went_well_has_no_latencies, set_up),
	    cmocka_unit_test_setup(a_picture_of_nothing_has_axes_of_numbers, set_up),
	    cmocka_unit_test_setup(the_first_error_of_a_side_is_kept, set_up),
	};

	return cmocka_run_group_tests_name("try", tests, NULL, NULL);
}
