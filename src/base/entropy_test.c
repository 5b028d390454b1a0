/* SPDX-License-Identifier: MIT */
#include "base/entropy.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

static void two_keys_differ(void **state)
{
	uint8_t a[16] = {0}, b[16] = {0};

	(void)state;
	assert_int_equal(entropy_fill(a, sizeof(a)), 0);
	assert_int_equal(entropy_fill(b, sizeof(b)), 0);
	assert_memory_not_equal(a, b, sizeof(a));
}

/* The kernel hands out large amounts in pieces. */
static void every_byte_of_a_large_buffer_is_filled(void **state)
{
	static uint8_t buf[1 << 20], zero[64];

	(void)state;
	assert_int_equal(entropy_fill(buf, sizeof(buf)), 0);
	for (size_t i = 0; i < sizeof(buf); i += sizeof(zero))
		assert_memory_not_equal(buf + i, zero, sizeof(zero));
}

static void nothing_is_written_for_no_bytes(void **state)
{
	uint8_t byte = 7;

	(void)state;
	assert_int_equal(entropy_fill(&byte, 0), 0);
	assert_int_equal(byte, 7);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(two_keys_differ),
	    cmocka_unit_test(every_byte_of_a_large_buffer_is_filled),
	    cmocka_unit_test(nothing_is_written_for_no_bytes),
	};

	return cmocka_run_group_tests_name("entropy", tests, NULL, NULL);
}
