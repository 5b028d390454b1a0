/* SPDX-License-Identifier: MIT */
#include "rt/config_yaml.h"
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static struct config_problem problem;

static struct config_node *parse(const char *text)
{
	struct config_node *root;

	memset(&problem, 0, sizeof(problem));
	assert_int_equal(config_yaml_parse(&root, "f", text, strlen(text), &problem), 0);
	return root;
}

static void assert_refused(const char *text, size_t bytes, const char *line)
{
	struct config_node *root;

	assert_int_equal(config_yaml_parse(&root, "f", text, bytes, &problem), -EINVAL);
	assert_null(root);
	assert_string_equal(problem.text, line);
}

static void the_tree_remembers_lines_and_quotes(void **state)
{
	struct config_node *root = parse("# first\na:\n  b: 1\n  c: 'x'\nd: [\"\", -l]\n"), *a, *d;

	(void)state;
	assert_int_equal(root->kind, CONFIG_MAP);
	a = root->child;
	assert_string_equal(a->key, "a");
	assert_int_equal(a->kind, CONFIG_MAP);
	assert_int_equal(a->line, 2);
	assert_string_equal(a->child->text, "1");
	assert_false(a->child->quoted);
	assert_int_equal(a->child->line, 3);
	assert_string_equal(a->child->next->text, "x");
	assert_true(a->child->next->quoted);
	assert_null(a->child->next->next);
	d = a->next;
	assert_int_equal(d->kind, CONFIG_LIST);
	assert_int_equal(d->line, 5);
	assert_string_equal(d->child->text, "");
	assert_true(d->child->quoted);
	assert_string_equal(d->child->next->text, "-l");
	assert_null(d->next);
	config_node_free(root);
}

static void files_without_a_value_are_empty(void **state)
{
	static const char *const empty[] = {"",    "\n\n", "# nothing\n", "---\n",
					    "~\n", "null", "\xef\xbb\xbf"};

	(void)state;
	for (size_t i = 0; i < sizeof(empty) / sizeof(empty[0]); i++)
		assert_null(parse(empty[i]));
}

static void refused_forms_name_their_line(void **state)
{
	static const struct {
		const char *text, *line;
	} cases[] = {
	    {"a: &x 1\nb: *x\n", "f:2: an alias (*name) is not allowed: write the value out"},
	    {"a: 1\n---\nb: 1\n", "f:2: a second document: keep to one"},
	    {"a: 1\n[1, 2]: 3\n", "f:2: a key must be a word, not a list or a map"},
	    {"? [1, 2]\n: 3\n", "f:1: a key must be a word, not a list or a map"},
	    {"a: [[[[[[[[1]]]]]]]]\n", "f:1: nested too deeply for a configuration"},
	    {"a: \"\\0\"\n", "f:1: a NUL character is not allowed"},
	    {"- a\n- b\n", "f:1: expected \"section:\" lines at the top"},
	    {"\n\nwords\n", "f:3: expected \"section:\" lines at the top"},
	    {"a:\n  b: 1\n\tc: 2\n", "f:3: a tab: YAML is indented with spaces"},
	    {"a: [1, 2\n", "f:2: not valid YAML: did not find expected ',' or ']' at column 1"},
	    {"a: \"never closed\n",
	     "f:2: not valid YAML: found unexpected end of stream at column 1"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_refused(cases[i].text, strlen(cases[i].text), cases[i].line);
}

static void binary_files_are_not_text(void **state)
{
	(void)state;
	assert_refused("a: 1\n\x7f"
		       "ELF\x02\x01",
		       11, "f:2: not a text file: control characters are not allowed");
	assert_refused("a: \xff\xfe\n", 6, "f:1: not a text file: invalid leading UTF-8 octet");
	assert_refused("a: 1\nb: \0\n", 10,
		       "f:2: not a text file: control characters are not allowed");
}

/* Nine lines that stand for a billion words when aliases are followed. */
static void billion_laughs_are_not_laughed(void **state)
{
	static const char text[] = "a: &a [lol, lol]\nb: &b [*a, *a, *a, *a, *a, *a, *a, *a, *a]\n";

	(void)state;
	assert_refused(text, sizeof(text) - 1,
		       "f:2: an alias (*name) is not allowed: write the value out");
}

static void too_many_values_are_refused(void **state)
{
	size_t n = 0, room = 3 * (CONFIG_NODES + 2) + 8;
	char *text = malloc(room);

	(void)state;
	assert_non_null(text);
	n += (size_t)sprintf(text, "a: [");
	for (int i = 0; i < CONFIG_NODES; i++)
		n += (size_t)sprintf(text + n, "1,");
	n += (size_t)sprintf(text + n, "]\n");
	assert_refused(text, n, "f:1: too many values for a configuration");
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_tree_remembers_lines_and_quotes),
	    cmocka_unit_test(files_without_a_value_are_empty),
	    cmocka_unit_test(refused_forms_name_their_line),
	    cmocka_unit_test(binary_files_are_not_text),
	    cmocka_unit_test(billion_laughs_are_not_laughed),
	    cmocka_unit_test(too_many_values_are_refused),
	};

	return cmocka_run_group_tests_name("config_yaml", tests, NULL, NULL);
}
