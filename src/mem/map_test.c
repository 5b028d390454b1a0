/* SPDX-License-Identifier: MIT */
#include "mem/map.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

static void check_zero_and_usable(uint8_t *p, size_t bytes)
{
	for (size_t i = 0; i < bytes; i += 511)
		assert_int_equal(p[i], 0);
	assert_int_equal(p[bytes - 1], 0);
	memset(p, 0x5a, bytes);
}

static void memory_is_zeroed_and_at_least_as_large(void **state)
{
	const size_t sizes[] = {
	    1, 4096, 4097, MAP_HUGE_BYTES - 1, MAP_HUGE_BYTES, MAP_HUGE_BYTES + 1};

	(void)state;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		size_t mapped = 0;
		uint8_t *p = map_memory(sizes[i], &mapped);

		assert_non_null(p);
		assert_true(mapped >= sizes[i]);
		check_zero_and_usable(p, sizes[i]);
		map_free(p, mapped);
	}
}

static void large_memory_starts_at_a_huge_page(void **state)
{
	size_t mapped;
	void *p = map_memory(3 * (size_t)MAP_HUGE_BYTES, &mapped);
	void *q;

	(void)state;
	assert_non_null(p);
	assert_int_equal((uintptr_t)p % MAP_HUGE_BYTES, 0);
	map_free(p, mapped);
	q = map_reserve(3 * (size_t)MAP_HUGE_BYTES, true, &mapped);
	assert_non_null(q);
	assert_int_equal((uintptr_t)q % MAP_HUGE_BYTES, 0);
	map_free(q, mapped);
}

static void reserved_space_is_zeroed_as_it_is_touched(void **state)
{
	size_t mapped;
	uint8_t *p = map_reserve((size_t)1 << 30, false, &mapped);

	(void)state;
	assert_non_null(p);
	assert_int_equal(mapped, (size_t)1 << 30);
	check_zero_and_usable(p + mapped - 10000, 10000);
	map_free(p, mapped);
}

static void too_much_is_null(void **state)
{
	size_t mapped;

	(void)state;
	assert_null(map_memory(SIZE_MAX, &mapped));
	assert_null(map_memory((size_t)1 << 60, &mapped));
	assert_null(map_reserve(SIZE_MAX - 1, true, &mapped));
	assert_null(map_reserve((size_t)1 << 60, false, &mapped));
	map_free(NULL, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(memory_is_zeroed_and_at_least_as_large),
	    cmocka_unit_test(large_memory_starts_at_a_huge_page),
	    cmocka_unit_test(reserved_space_is_zeroed_as_it_is_touched),
	    cmocka_unit_test(too_much_is_null),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
