/* SPDX-License-Identifier: MIT */
#include "base/finding.h"
#include "base/log.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

static char lines[4][LOG_LINE_BYTES];
static unsigned lines_count;

static void keep(int level, const char *line)
{
	assert_int_equal(level, LOG_LEVEL_ERROR);
	snprintf(lines[lines_count++ % 4], LOG_LINE_BYTES, "%s", line);
}

static void a_finding_has_a_sentence_and_its_remedy(void **state)
{
	struct findings all = {0};
	const struct finding *f;

	(void)state;
	findings_add(&all, FINDING_WARNING, "low", "%s has %d", "va", 7);
	findings_remedy(&all, "raise it to %d", 8);
	findings_add(&all, FINDING_ERROR, "gone", "%s is gone", "vb");
	assert_int_equal(all.count, 2);
	f = findings_find(&all, "low");
	assert_string_equal(f->what, "va has 7");
	assert_string_equal(f->remedy, "raise it to 8");
	assert_string_equal(findings_find(&all, "gone")->remedy, "");
	assert_null(findings_find(&all, "other"));
}

static void the_first_of_a_level_is_found(void **state)
{
	struct findings all = {0};

	(void)state;
	assert_null(findings_first(&all, FINDING_NOTE));
	findings_add(&all, FINDING_NOTE, "a", "a");
	assert_null(findings_first(&all, FINDING_WARNING));
	findings_add(&all, FINDING_ERROR, "b", "b");
	findings_add(&all, FINDING_WARNING, "c", "c");
	assert_string_equal(findings_first(&all, FINDING_WARNING)->id, "b");
	assert_string_equal(findings_first(&all, FINDING_NOTE)->id, "a");
}

static void errors_are_logged_with_their_remedies(void **state)
{
	struct findings all = {0};

	(void)state;
	lines_count = 0;
	log_set_sink(keep);
	findings_add(&all, FINDING_WARNING, "a", "not this");
	findings_add(&all, FINDING_ERROR, "b", "it is down");
	findings_remedy(&all, "set it up");
	findings_add(&all, FINDING_ERROR, "c", "nothing helps");
	assert_int_equal(findings_log_errors(&all), 2);
	log_set_sink(NULL);
	assert_int_equal(lines_count, 2);
	assert_string_equal(lines[0], "it is down: set it up");
	assert_string_equal(lines[1], "nothing helps");
}

static void too_many_are_dropped_with_their_remedies(void **state)
{
	struct findings all = {0};

	(void)state;
	findings_remedy(&all, "of nothing");
	for (int i = 0; i < FINDINGS_MAX; i++)
		findings_add(&all, FINDING_NOTE, "n", "number %d", i);
	findings_add(&all, FINDING_NOTE, "n", "one too many");
	findings_remedy(&all, "its remedy");
	assert_int_equal(all.count, FINDINGS_MAX);
	assert_string_equal(all.items[FINDINGS_MAX - 1].what, "number 31");
	assert_string_equal(all.items[FINDINGS_MAX - 1].remedy, "");
}

static void what_is_too_long_is_cut(void **state)
{
	struct findings all = {0};
	char text[1000];

	(void)state;
	memset(text, 'x', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	findings_add(&all, FINDING_NOTE, "n", "%s", text);
	findings_remedy(&all, "%s", text);
	assert_int_equal(strlen(all.items[0].what), FINDING_WHAT_BYTES - 1);
	assert_int_equal(strlen(all.items[0].remedy), FINDING_REMEDY_BYTES - 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_finding_has_a_sentence_and_its_remedy),
	    cmocka_unit_test(the_first_of_a_level_is_found),
	    cmocka_unit_test(errors_are_logged_with_their_remedies),
	    cmocka_unit_test(too_many_are_dropped_with_their_remedies),
	    cmocka_unit_test(what_is_too_long_is_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
