/* SPDX-License-Identifier: MIT */
#include "http_request.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Reads a head that must be whole; in memory of its own, so that sanitizers see what lies beyond.
 */
static const char *read_into(struct http_request *r, const char *text)
{
	static char *head;
	size_t len = strlen(text);
	const char *status;

	free(head);
	head = malloc(len);
	assert_non_null(head);
	memcpy(head, text, len);
	assert_int_equal(http_head_bytes(head, len), len);
	status = http_request_read(r, head, len);
	if (!status) {
		assert_true(r->path.at >= head && r->path.at + r->path.len <= head + len);
		assert_true(r->method.at >= head && r->method.at + r->method.len <= head + len);
	}
	return status;
}

static struct http_request good(const char *text)
{
	struct http_request r;
	const char *status = read_into(&r, text);

	if (status)
		fail_msg("%s: %s", status, text);
	return r;
}

static void refused(const char *text, const char *status)
{
	struct http_request r;
	const char *got = read_into(&r, text);

	if (!got || strcmp(got, status) != 0)
		fail_msg("%s: %s", got ? got : "taken", text);
}

static void a_request_is_read(void **state)
{
	struct http_request r = good("GET /bytes/12?x=y HTTP/1.1\r\nHost: a\r\n\r\n");

	(void)state;
	assert_true(http_text_is(r.method, "GET"));
	assert_true(http_text_is(r.path, "/bytes/12"));
	assert_false(http_text_is(r.path, "/bytes/1"));
	assert_int_equal(r.body_bytes, 0);
	assert_true(r.keep_alive);
	assert_false(r.expects_continue);
	r = good(
	    "POST / HTTP/1.1\r\nhOST:a\r\ncontent-length: \t42 \r\nExpect: 100-Continue\r\n\r\n");
	assert_int_equal(r.body_bytes, 42);
	assert_true(r.expects_continue);
	r = good("\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\nEmpty:\r\n\r\n");
	assert_true(http_text_is(r.path, "/"));
}

static void a_head_is_whole_with_its_empty_line(void **state)
{
	const char text[] = "\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\nGET ";
	const size_t whole = strlen(text) - strlen("GET ");

	(void)state;
	for (size_t n = 0; n < whole; n++)
		assert_int_equal(http_head_bytes(text, n), 0);
	for (size_t n = whole; n <= strlen(text); n++)
		assert_int_equal(http_head_bytes(text, n), whole);
	assert_int_equal(http_head_bytes("\r\n\r\n\r\n", 6), 0); /* no request yet */
}

static void who_keeps_the_connection_is_told(void **state)
{
	(void)state;
	assert_true(good("GET / HTTP/1.1\r\nHost: a\r\n\r\n").keep_alive);
	assert_false(good("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").keep_alive);
	assert_false(
	    good("GET / HTTP/1.1\r\nHost: a\r\nconnection: x , Close,\r\n\r\n").keep_alive);
	assert_false(good("GET / HTTP/1.0\r\n\r\n").keep_alive);
	assert_true(good("GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n").keep_alive);
}

static void what_makes_no_sense_is_refused(void **state)
{
	static const char *const bad[] = {
	    "GET\r\n\r\n",
	    "GET /\r\n\r\n",
	    "GET / \r\n\r\n",
	    "GET  / HTTP/1.1\r\nHost: a\r\n\r\n",
	    " GET / HTTP/1.1\r\nHost: a\r\n\r\n",
	    "GET / HTTP/1.1 \r\nHost: a\r\n\r\n",
	    "GET / HTTP/11\r\nHost: a\r\n\r\n",
	    "GET / HTTX/1.1\r\nHost: a\r\n\r\n",
	    "GET /\x01 HTTP/1.1\r\nHost: a\r\n\r\n",
	    "GET / HTTP/1.1\r\n\r\n",
	    "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
	    "GET / HTTP/1.1\r\nHost : a\r\n\r\n",
	    "GET / HTTP/1.1\r\nHost: a\r\n folded\r\n\r\n",
	    "GET / HTTP/1.1\r\nHost: a\r\nno colon\r\n\r\n",
	    "GET / HTTP/1.1\r\nHost: a\r\n: no name\r\n\r\n",
	    "GET / HTTP/1.1\r\nHost: a\nX: lone\r\n\r\n",
	    "GET / HTTP/1.1\r\nHost: a\r\nX: \x7f\r\n\r\n",
	    "GET / HTTP/1.1\r\nHost: a\r\nX: a\rb\r\n\r\n",
	    "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n",
	    "POST / HTTP/1.1\r\nHost: a\r\nContent-Length:\r\n\r\n",
	    "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n",
	    "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: +1\r\n\r\n",
	    "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1 1\r\n\r\n",
	    "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0x1\r\n\r\n",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		refused(bad[i], "400 Bad Request");
	refused("GET / HTTP/2.0\r\nHost: a\r\n\r\n", "505 HTTP Version Not Supported");
	refused("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n",
		"501 Not Implemented");
	refused("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999999999999999\r\n\r\n",
		"413 Content Too Large");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_request_is_read),
	    cmocka_unit_test(a_head_is_whole_with_its_empty_line),
	    cmocka_unit_test(who_keeps_the_connection_is_told),
	    cmocka_unit_test(what_makes_no_sense_is_refused),
	};

	return cmocka_run_group_tests_name("http_request", tests, NULL, NULL);
}
