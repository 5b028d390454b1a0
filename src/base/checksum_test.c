/* SPDX-License-Identifier: MIT */
#include "base/checksum_small.h"
#include "base/bytes.h"
#include "base/checksum_bulk.h"
#include "base/rng.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

enum { MAX_LEN = 2100, MAX_OFFSET = 7 };

/* RFC 1071, 1: 16-bit words of network order, one by one. The result in host order. */
static uint16_t naive(const uint8_t *p, size_t len)
{
	uint32_t sum = 0;

	for (size_t i = 0; i < len; i++) {
		sum += i % 2 == 0 ? (uint32_t)p[i] << 8 : p[i];
		sum = (sum & 0xffff) + (sum >> 16);
	}
	return (uint16_t)~sum;
}

static uint16_t folded(uint32_t sum)
{
	uint8_t field[2];

	csum_store(field, sum);
	return get_be16(field);
}

static void check_equal(uint16_t got, uint16_t expected, size_t len, size_t offset)
{
	if (got != expected)
		fail_msg("len %zu offset %zu: %04x, expected %04x", len, offset, got, expected);
}

static void fill(uint8_t *p, size_t len, uint64_t seed)
{
	const uint64_t key[2] = {seed, 0};
	struct rng r;

	rng_init(&r, key);
	for (size_t i = 0; i < len; i++)
		p[i] = (uint8_t)rng_u64(&r);
}

/* The block ends where its memory ends, so that a sanitizer sees a byte too many. */
static uint8_t *block_at(size_t len, size_t offset, uint8_t **memory)
{
	*memory = malloc(offset + len + (offset + len == 0));
	assert_non_null(*memory);
	return *memory + offset;
}

static void every_length_and_offset_is_summed_right(void **state)
{
	(void)state;
	for (size_t offset = 0; offset <= MAX_OFFSET; offset++) {
		for (size_t len = 0; len <= MAX_LEN; len++) {
			uint8_t *memory, *p = block_at(len, offset, &memory);

			fill(p, len, len);
			check_equal(folded(csum_partial(p, len, 0)), naive(p, len), len, offset);
			free(memory);
		}
	}
}

static void every_length_and_offset_is_copied_and_summed_right(void **state)
{
	(void)state;
	for (size_t offset = 0; offset <= MAX_OFFSET; offset++) {
		for (size_t len = 0; len <= MAX_LEN; len++) {
			size_t to = (offset + len) % (MAX_OFFSET + 1);
			uint8_t *from_memory, *p = block_at(len, offset, &from_memory);
			uint8_t *to_memory, *q = block_at(len, to, &to_memory);

			fill(p, len, len);
			memset(to_memory, 0xa5, to);
			check_equal(folded(csum_copy(q, p, len, 0)), naive(p, len), len, offset);
			assert_memory_equal(q, p, len);
			for (size_t i = 0; i < to; i++)
				assert_int_equal(to_memory[i], 0xa5);
			free(from_memory);
			free(to_memory);
		}
	}
}

/* All ones make every addition carry. */
static void carries_are_not_lost(void **state)
{
	static uint8_t ones[MAX_LEN], copy[MAX_LEN];

	(void)state;
	memset(ones, 0xff, sizeof(ones));
	for (size_t len = 0; len <= MAX_LEN; len++) {
		uint16_t expected = naive(ones, len);

		check_equal(folded(csum_partial(ones, len, 0)), expected, len, 0);
		check_equal(folded(csum_copy(copy, ones, len, 0)), expected, len, 0);
		/* 0xffff more is zero more. */
		if (len > 0)
			check_equal(folded(csum_partial(ones, len, 0xffffffff)), expected, len, 0);
	}
}

static void a_megabyte_and_more_does_not_overflow(void **state)
{
	size_t len = ((size_t)5 << 20) + 39;
	uint8_t *p = malloc(len), *q = malloc(len);

	(void)state;
	assert_non_null(p);
	assert_non_null(q);
	for (int byte = 0; byte <= 0xff; byte += 0xff) {
		memset(p, byte, len);
		check_equal(folded(csum_partial(p, len, 0)), naive(p, len), len, 0);
		check_equal(folded(csum_copy(q, p, len, 0)), naive(p, len), len, 0);
		assert_memory_equal(p, q, len);
	}
	free(p);
	free(q);
}

static void vector_code_agrees_with_the_reference(void **state)
{
	static uint8_t p[4096], q[4096];
	uint64_t sum, copy_sum;

	(void)state;
	fill(p, sizeof(p), 1);
	for (size_t len = 0; len <= sizeof(p); len++) {
		size_t bulk = csum_bulk(p, len, &sum);

		assert_true(bulk <= len && bulk % 8 == 0 && sum < (uint64_t)1 << 32);
		check_equal(folded((uint32_t)sum), naive(p, bulk), bulk, 0);
		assert_int_equal(csum_bulk_copy(q, p, len, &copy_sum), bulk);
		assert_int_equal(copy_sum, sum);
		assert_memory_equal(p, q, bulk);
	}
}

static void a_sum_goes_on_from_an_earlier_one(void **state)
{
	uint8_t p[200];

	(void)state;
	fill(p, sizeof(p), 2);
	for (size_t cut = 0; cut <= sizeof(p); cut += 2) {
		uint32_t sum = csum_partial(p + cut, sizeof(p) - cut, csum_partial(p, cut, 0));

		check_equal(folded(sum), naive(p, sizeof(p)), cut, 0);
	}
}

static void blocks_are_joined_at_any_offset(void **state)
{
	uint8_t p[301];

	(void)state;
	fill(p, sizeof(p), 3);
	for (size_t cut = 0; cut <= sizeof(p); cut++) {
		uint32_t first = csum_partial(p, cut, 0);
		uint32_t second = csum_partial(p + cut, sizeof(p) - cut, 0);
		uint32_t sum = cut % 2 ? csum_add_odd(first, second) : csum_add(first, second);

		check_equal(folded(sum), naive(p, sizeof(p)), cut, 0);
	}
}

static void numbers_of_host_order_join_the_sum(void **state)
{
	uint8_t p[4];

	(void)state;
	put_be16(p, 0x1234);
	put_be16(p + 2, 0xfedc);
	assert_int_equal(csum_fold(csum_add(csum_word(0x1234), csum_word(0xfedc))),
			 csum_fold(csum_partial(p, 4, 0)));
}

/* The example of RFC 1071, 3: 00 01 f2 03 f4 f5 f6 f7 sum to ddf2. */
static void the_example_of_the_rfc_comes_out(void **state)
{
	const uint8_t p[] = {0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7};

	(void)state;
	assert_int_equal(folded(csum_partial(p, sizeof(p), 0)), (uint16_t)~0xddf2);
}

static void a_block_with_its_checksum_folds_to_zero(void **state)
{
	uint8_t p[60];

	(void)state;
	fill(p, sizeof(p), 4);
	put_be16(p + 16, 0);
	csum_store(p + 16, csum_partial(p, sizeof(p), 0));
	assert_int_equal(csum_fold(csum_partial(p, sizeof(p), 0)), 0);
	p[33] ^= 4;
	assert_int_not_equal(csum_fold(csum_partial(p, sizeof(p), 0)), 0);
}

static void the_forms_in_line_equal_the_general_ones(void **state)
{
	uint8_t from[300], to[300];

	(void)state;
	for (size_t len = 0; len <= sizeof(from); len++) {
		fill(from, len, len);
		assert_int_equal(folded(csum_partial_small(from, len, 7)),
				 folded(csum_partial(from, len, 7)));
		memset(to, 0xa5, sizeof(to));
		assert_int_equal(folded(csum_copy_small(to, from, len, 7)),
				 folded(csum_copy(to, from, len, 7)));
		memset(to, 0xa5, sizeof(to));
		csum_copy_small(to, from, len, 0);
		assert_memory_equal(to, from, len);
		assert_true(len == sizeof(to) || to[len] == 0xa5);
	}
}

static void zero_is_recognized_without_folding(void **state)
{
	uint64_t seed = 1;

	(void)state;
	for (uint32_t i = 0; i < 1000000; i++) {
		uint32_t sum = i < 70000 ? i : (uint32_t)(seed >> 16);

		seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407;
		assert_int_equal(csum_is_zero(sum), csum_fold(sum) == 0);
		sum = ~sum << 16 | (sum & 0xffff); /* folds to all ones, or nearly */
		assert_int_equal(csum_is_zero(sum), csum_fold(sum) == 0);
	}
	assert_true(csum_is_zero(0xffff) && csum_is_zero(0xffffffff) && !csum_is_zero(0));
}

static void the_header_form_equals_the_general_one(void **state)
{
	uint8_t p[24];

	(void)state;
	for (unsigned i = 0; i < 1000; i++) {
		fill(p, sizeof(p), i);
		assert_int_equal(csum_fold(csum_header20(p + i % 4, i << 20)),
				 csum_fold(csum_partial(p + i % 4, 20, i << 20)));
	}
	memset(p, 0xff, sizeof(p));
	assert_int_equal(folded(csum_header20(p, 0)), naive(p, 20));
	assert_int_equal(folded(csum_header20(p, 0xffffffff)), naive(p, 20));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_length_and_offset_is_summed_right),
	    cmocka_unit_test(every_length_and_offset_is_copied_and_summed_right),
	    cmocka_unit_test(carries_are_not_lost),
	    cmocka_unit_test(a_megabyte_and_more_does_not_overflow),
	    cmocka_unit_test(vector_code_agrees_with_the_reference),
	    cmocka_unit_test(a_sum_goes_on_from_an_earlier_one),
	    cmocka_unit_test(blocks_are_joined_at_any_offset),
	    cmocka_unit_test(numbers_of_host_order_join_the_sum),
	    cmocka_unit_test(the_example_of_the_rfc_comes_out),
	    cmocka_unit_test(a_block_with_its_checksum_folds_to_zero),
	    cmocka_unit_test(the_forms_in_line_equal_the_general_ones),
	    cmocka_unit_test(zero_is_recognized_without_folding),
	    cmocka_unit_test(the_header_form_equals_the_general_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
