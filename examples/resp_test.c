/* SPDX-License-Identifier: MIT */
#include "resp.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Reads from memory of its own, so that sanitizers see what lies beyond. */
static long read_into(struct resp_request *r, const char *text, size_t len, const char **why)
{
	static uint8_t *bytes;

	free(bytes);
	bytes = malloc(len > 0 ? len : 1);
	assert_non_null(bytes);
	memcpy(bytes, text, len);
	return resp_read(r, bytes, len, why);
}

static struct resp_request whole(const char *text)
{
	struct resp_request r;
	const char *why = NULL;

	assert_int_equal(read_into(&r, text, strlen(text), &why), strlen(text));
	return r;
}

static void refused(const char *text)
{
	struct resp_request r;
	const char *why = NULL;

	if (read_into(&r, text, strlen(text), &why) != -1)
		fail_msg("taken: %s", text);
	assert_non_null(why);
}

static void an_array_of_strings_is_read(void **state)
{
	struct resp_request r = whole("*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$4\r\na\r\nb\r\n");

	(void)state;
	assert_int_equal(r.count, 3);
	assert_true(resp_word_is(r.words[0], "SET"));
	assert_int_equal(r.words[2].len, 4);
	assert_memory_equal(r.words[2].at, "a\r\nb", 4);
}

static void a_name_is_read_in_any_case(void **state)
{
	struct resp_request r = whole("*1\r\n$4\r\npInG\r\n");

	(void)state;
	assert_true(resp_word_is(r.words[0], "PING"));
	assert_false(resp_word_is(r.words[0], "PIN"));
	assert_false(resp_word_is(r.words[0], "PINGS"));
}

static void a_line_of_words_is_read(void **state)
{
	struct resp_request r = whole("  set  key value \r\n");

	(void)state;
	assert_int_equal(r.count, 3);
	assert_true(resp_word_is(r.words[2], "VALUE"));
	assert_int_equal(whole("PING\n").count, 1);
	assert_int_equal(whole("\r\n").count, 0);
	assert_int_equal(whole("*0\r\n").count, 0);
}

/* However a request is cut, it is not whole before its last byte, and not wrong. */
static void a_request_cut_anywhere_is_not_whole_yet(void **state)
{
	const char *const texts[] = {"*2\r\n$3\r\nGET\r\n$10\r\n0123456789\r\n", "GET key\r\n",
				     "*1\r\n$0\r\n\r\n"};

	(void)state;
	for (unsigned t = 0; t < sizeof(texts) / sizeof(texts[0]); t++) {
		for (size_t n = 0; n < strlen(texts[t]); n++) {
			struct resp_request r;
			const char *why = NULL;

			assert_int_equal(read_into(&r, texts[t], n, &why), 0);
			assert_null(why);
		}
	}
}

static void the_first_of_a_pipeline_is_read(void **state)
{
	const char *two = "*1\r\n$4\r\nPING\r\nPING\r\n";
	struct resp_request r;
	const char *why;

	(void)state;
	assert_int_equal(read_into(&r, two, strlen(two), &why), 14);
}

static void what_is_no_request_is_refused(void **state)
{
	(void)state;
	refused("*x\r\n");
	refused("*\r\n");
	refused("*-1\r\n");
	refused("*17\r\n");
	refused("*1\n$4");
	refused("*1\r\n+PING\r\n");
	refused("*1\r\n$-1\r\n");
	refused("*1\r\n$524289\r\n");
	refused("*1\r\n$99999999999999999999\r\n");
	refused("*1\r\n$4\r\nPINGxx");
	refused("a b c d e f g h i j k l m n o p q\r\n");
}

static void a_line_without_an_end_is_refused(void **state)
{
	char line[RESP_LINE_BYTES + 1];

	(void)state;
	memset(line, 'a', RESP_LINE_BYTES);
	line[RESP_LINE_BYTES] = '\0';
	refused(line);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(an_array_of_strings_is_read),
	    cmocka_unit_test(a_name_is_read_in_any_case),
	    cmocka_unit_test(a_line_of_words_is_read),
	    cmocka_unit_test(a_request_cut_anywhere_is_not_whole_yet),
	    cmocka_unit_test(the_first_of_a_pipeline_is_read),
	    cmocka_unit_test(what_is_no_request_is_refused),
	    cmocka_unit_test(a_line_without_an_end_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
