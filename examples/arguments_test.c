/* arguments_test.c - what command lines are taken for. Those that are refused end the program, and
 * are tested with the programs.
 *
 * SPDX-License-Identifier: MIT
 */
#include "arguments.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void numbers_are_digits_within_bounds(void **state)
{
	uint64_t n = 7;

	(void)state;
	assert_true(parse_number("0", 0, 10, &n));
	assert_int_equal(n, 0);
	assert_true(parse_number("18446744073709551615", 0, UINT64_MAX, &n));
	assert_true(n == UINT64_MAX);
	assert_true(parse_number("010", 10, 10, &n)); /* ten, not octal */
}

static void other_words_are_no_numbers(void **state)
{
	static const char *const words[] = {
	    "",
	    " 1",
	    "1 ",
	    "-1",
	    "+1",
	    "1x",
	    "0x1",
	    "11",
	    "1.5",
	    "18446744073709551616",
	    "99999999999999999999999",
	};
	uint64_t n = 7;

	(void)state;
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		assert_false(parse_number(words[i], 0, 10, &n));
	assert_int_equal(n, 7);
}

static void an_endpoint_is_an_address_and_a_port(void **state)
{
	struct sockaddr_in a;

	(void)state;
	assert_true(parse_endpoint("192.168.100.200:65535", &a));
	assert_int_equal(a.sin_family, AF_INET);
	assert_int_equal(ntohl(a.sin_addr.s_addr), 0xc0a864c8);
	assert_int_equal(ntohs(a.sin_port), 65535);
	assert_true(parse_endpoint("0.0.0.0:0", &a));
}

static void other_words_are_no_endpoints(void **state)
{
	static const char *const words[] = {
	    "",
	    ":",
	    "127.0.0.1",
	    "127.0.0.1:",
	    ":80",
	    "127.0.0:80",
	    "127.0.0.1:65536",
	    "127.0.0.1:-1",
	    "127.0.0.1:80x",
	    "localhost:80",
	    "1.2.3.4:5:6",
	    "[::1]:80",
	    "1111.2222.3333.4444.5555:80",
	};
	struct sockaddr_in a;

	(void)state;
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		assert_false(parse_endpoint(words[i], &a));
}

static void a_whole_line_is_read_in_order(void **state)
{
	char *argv[] = {(char *)"program",
			(char *)"--server",
			(char *)"10.0.0.1",
			(char *)"12345",
			(char *)"100",
			(char *)"5",
			NULL};
	struct arguments a = arguments_begin(6, argv, "");
	uint64_t size = 64, messages = 1024;
	struct sockaddr_in address;

	(void)state;
	assert_true(arguments_mode(&a));
	arguments_address(&a, "server's", &address);
	arguments_number(&a, "SIZE", 1, 1000, &size);
	arguments_number(&a, "MESSAGES", 1, 1000, &messages);
	arguments_end(&a);
	assert_int_equal(ntohs(address.sin_port), 12345);
	assert_int_equal(size, 100);
	assert_int_equal(messages, 5);
}

static void numbers_left_out_keep_their_defaults(void **state)
{
	char *argv[] = {(char *)"program", (char *)"--client", (char *)"10.0.0.1", (char *)"1",
			NULL};
	struct arguments a = arguments_begin(4, argv, "");
	uint64_t size = 64, messages = 1024;
	struct sockaddr_in address;

	(void)state;
	assert_false(arguments_mode(&a));
	arguments_address(&a, "server's", &address);
	arguments_number(&a, "SIZE", 1, 1000, &size);
	arguments_number(&a, "MESSAGES", 1, 1000, &messages);
	arguments_end(&a);
	assert_int_equal(size, 64);
	assert_int_equal(messages, 1024);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(numbers_are_digits_within_bounds),
	    cmocka_unit_test(other_words_are_no_numbers),
	    cmocka_unit_test(an_endpoint_is_an_address_and_a_port),
	    cmocka_unit_test(other_words_are_no_endpoints),
	    cmocka_unit_test(a_whole_line_is_read_in_order),
	    cmocka_unit_test(numbers_left_out_keep_their_defaults),
	};

	return cmocka_run_group_tests_name("arguments", tests, NULL, NULL);
}
