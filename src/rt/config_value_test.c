/* SPDX-License-Identifier: MIT */
#include "rt/config_value.h"
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

static void only_true_and_false_are_switches(void **state)
{
	static const char *const bad[] = {"", "tRUE", "yes", "1", "true ", "falsehood"};
	bool b = false;

	(void)state;
	assert_true(config_word_bool("true", &b) && b);
	assert_true(config_word_bool("False", &b) && !b);
	assert_true(config_word_bool("TRUE", &b) && b);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(config_word_bool(bad[i], &b));
}

static void numbers_are_decimal_or_hexadecimal_and_whole(void **state)
{
	static const char *const bad[] = {"",    "0x",
					  "-1",  "+1",
					  "1.5", "1k",
					  "0xg", " 1",
					  "1e3", "18446744073709551616",
					  "a",   "1 ",
					  "x1",  "0x10000000000000000"};
	uint64_t n;

	(void)state;
	assert_true(config_word_number("0", &n) && n == 0);
	assert_true(config_word_number("007", &n) && n == 7);
	assert_true(config_word_number("0xFf", &n) && n == 255);
	assert_true(config_word_number("18446744073709551615", &n) && n == UINT64_MAX);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(config_word_number(bad[i], &n));
}

static void ipv4_addresses_have_four_bytes(void **state)
{
	static const char *const bad[] = {"",           "1.2.3",      "1.2.3.4.5", "1.2.3.256",
					  "1.2.3.4 ",   "1..2.3",     "XX.XX.1.2", "::1",
					  "0001.2.3.4", "1.2.3.4/24", ".1.2.3"};
	uint32_t a;

	(void)state;
	assert_true(config_word_ip4("10.1.2.255", &a) && a == 0x0a0102ff);
	assert_true(config_word_ip4("0.0.0.0", &a) && a == 0);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(config_word_ip4(bad[i], &a));
}

static void a_prefix_may_follow_an_address(void **state)
{
	static const char *const bad[] = {"10.0.0.1/",    "10.0.0.1/0",   "10.0.0.1/33",
					  "10.0.0.1/24x", "10.0.0.1/2 4", "10.0.0.1/-1"};
	uint32_t a;
	uint8_t len;

	(void)state;
	assert_true(config_word_ip4_prefix("10.0.0.1", &a, &len) && len == 0);
	assert_true(config_word_ip4_prefix("10.0.0.1/32", &a, &len) && len == 32);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(config_word_ip4_prefix(bad[i], &a, &len));
}

static void netmasks_are_ones_followed_by_zeros(void **state)
{
	static const char *const bad[] = {
	    "", "/", "0", "33", "255.0.255.0", "0.0.0.0", "0.0.0.255", "//24", "255.255.255"};
	uint8_t len;

	(void)state;
	assert_true(config_word_netmask("255.255.255.0", &len) && len == 24);
	assert_true(config_word_netmask("255.255.255.255", &len) && len == 32);
	assert_true(config_word_netmask("128.0.0.0", &len) && len == 1);
	assert_true(config_word_netmask("/16", &len) && len == 16);
	assert_true(config_word_netmask("8", &len) && len == 8);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(config_word_netmask(bad[i], &len));
}

static void mac_addresses_have_six_bytes(void **state)
{
	static const char *const bad[] = {"",
					  "02",
					  "02:",
					  "02:00:00:00:00",
					  "02:00:00:00:00:0",
					  "02:00:00:00:00:00:",
					  "02:00-00:00:00:00",
					  "0g:00:00:00:00:00",
					  "020:0:00:00:00:00",
					  "02.00.00.00.00.00",
					  "02:00:00:00:00:00 "};
	static const uint8_t right[6] = {0x02, 0, 0, 0xAb, 0xcd, 0xef};
	uint8_t mac[6];

	(void)state;
	assert_true(config_word_mac("02:00:00:Ab:cD:ef", mac));
	assert_memory_equal(mac, right, 6);
	assert_true(config_word_mac("02-00-00-ab-cd-ef", mac));
	assert_memory_equal(mac, right, 6);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(config_word_mac(bad[i], mac));
}

static void distance_counts_insertions_deletions_and_swaps(void **state)
{
	char longest[64] = {0}, too_long[65] = {0};

	(void)state;
	assert_int_equal(config_word_distance("mtu", "mtu"), 0);
	assert_int_equal(config_word_distance("mtu", "mut"), 1);
	assert_int_equal(config_word_distance("", "mtu"), 3);
	assert_int_equal(config_word_distance("mtu", ""), 3);
	assert_int_equal(config_word_distance("nodeley", "nodelay"), 1);
	assert_int_equal(config_word_distance("kepalive", "keepalive"), 1);
	assert_int_equal(config_word_distance("abc", "xyz"), 3);
	memset(longest, 'a', 63);
	memset(too_long, 'a', 64);
	assert_int_equal(config_word_distance(longest, "b"), 63);
	assert_int_equal(config_word_distance(too_long, "a"), 255);
}

static void a_problem_is_one_printable_line(void **state)
{
	char longest[2 * CONFIG_PROBLEM_BYTES];
	struct config_problem p;

	(void)state;
	assert_int_equal(config_refuse(&p, "%s is %d", "a\nb\x1b[31m", 3), -EINVAL);
	assert_string_equal(p.text, "a?b?[31m is 3");
	memset(longest, 'x', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = 0;
	config_refuse(&p, "%s", longest);
	assert_int_equal(strlen(p.text), CONFIG_PROBLEM_BYTES - 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(only_true_and_false_are_switches),
	    cmocka_unit_test(numbers_are_decimal_or_hexadecimal_and_whole),
	    cmocka_unit_test(ipv4_addresses_have_four_bytes),
	    cmocka_unit_test(a_prefix_may_follow_an_address),
	    cmocka_unit_test(netmasks_are_ones_followed_by_zeros),
	    cmocka_unit_test(mac_addresses_have_six_bytes),
	    cmocka_unit_test(distance_counts_insertions_deletions_and_swaps),
	    cmocka_unit_test(a_problem_is_one_printable_line),
	};

	return cmocka_run_group_tests_name("config_value", tests, NULL, NULL);
}
