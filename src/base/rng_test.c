/* SPDX-License-Identifier: MIT */
#include "base/rng.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

/* ChaCha8 with a key of 16 zero bytes, counter and nonce zero: the first two blocks (test vector
 * TC1 of draft-strombergson-chacha-test-vectors). */
static const uint8_t chacha8_zero_key[128] = {
    0xe2, 0x8a, 0x5f, 0xa4, 0xa6, 0x7f, 0x8c, 0x5d, 0xef, 0xed, 0x3e, 0x6f, 0xb7, 0x30, 0x34, 0x86,
    0xaa, 0x84, 0x27, 0xd3, 0x14, 0x19, 0xa7, 0x29, 0x57, 0x2d, 0x77, 0x79, 0x53, 0x49, 0x11, 0x20,
    0xb6, 0x4a, 0xb8, 0xe7, 0x2b, 0x8d, 0xeb, 0x85, 0xcd, 0x6a, 0xea, 0x7c, 0xb6, 0x08, 0x9a, 0x10,
    0x18, 0x24, 0xbe, 0xeb, 0x08, 0x81, 0x4a, 0x42, 0x8a, 0xab, 0x1f, 0xa2, 0xc8, 0x16, 0x08, 0x1b,
    0x8a, 0x26, 0xaf, 0x44, 0x8a, 0x1b, 0xa9, 0x06, 0x36, 0x8f, 0xd8, 0xc8, 0x38, 0x31, 0xc1, 0x8c,
    0xec, 0x8c, 0xed, 0x81, 0x1a, 0x02, 0x8e, 0x67, 0x5b, 0x8d, 0x2b, 0xe8, 0xfc, 0xe0, 0x81, 0x16,
    0x5c, 0xea, 0xe9, 0xf1, 0xd1, 0xb7, 0xa9, 0x75, 0x49, 0x77, 0x49, 0x48, 0x05, 0x69, 0xce, 0xb8,
    0x3d, 0xe6, 0xa0, 0xa5, 0x87, 0xd4, 0x98, 0x4f, 0x19, 0x92, 0x5f, 0x5d, 0x33, 0x8e, 0x43, 0x0d,
};

static void numbers_are_those_of_chacha8(void **state)
{
	const uint64_t key[2] = {0, 0};
	uint32_t words[2 * RNG_BUFFER_WORDS], expected;
	struct rng r;

	(void)state;
	rng_init(&r, key);
	for (unsigned i = 0; i < RNG_BUFFER_WORDS; i++) {
		uint64_t v = rng_u64(&r);

		memcpy(words + 2 * i, &v, 8);
	}
	/* Four blocks side by side: word i of block b is at 4 * i + b. */
	for (unsigned b = 0; b < 2; b++) {
		for (unsigned i = 0; i < 16; i++) {
			memcpy(&expected, chacha8_zero_key + 64 * b + 4 * i, 4);
			assert_int_equal(words[4 * i + b], expected);
		}
	}
}

static void the_same_key_gives_the_same_numbers(void **state)
{
	const uint64_t key[2] = {1, 2}, other[2] = {1, 3};
	struct rng a, b, c;
	unsigned same = 0;

	(void)state;
	rng_init(&a, key);
	rng_init(&b, key);
	rng_init(&c, other);
	for (int i = 0; i < 1000; i++) {
		uint64_t v = rng_u64(&a);

		assert_int_equal(v, rng_u64(&b));
		same += v == rng_u64(&c);
	}
	assert_int_equal(same, 0);
}

static void blocks_do_not_repeat(void **state)
{
	const uint64_t key[2] = {5, 6};
	uint64_t first[RNG_BUFFER_WORDS];
	struct rng r;

	(void)state;
	rng_init(&r, key);
	for (unsigned i = 0; i < RNG_BUFFER_WORDS; i++)
		first[i] = rng_u64(&r);
	for (unsigned i = 0; i < 100 * RNG_BUFFER_WORDS; i++)
		assert_int_not_equal(rng_u64(&r), first[i % RNG_BUFFER_WORDS]);
}

static void below_stays_below_and_reaches_each(void **state)
{
	const uint64_t key[2] = {7, 8};
	unsigned seen[10] = {0};
	struct rng r;

	(void)state;
	rng_init(&r, key);
	for (int i = 0; i < 100000; i++) {
		uint64_t v = rng_below(&r, 10);

		assert_true(v < 10);
		seen[v]++;
	}
	/* 10 000 each, standard deviation 95. */
	for (int i = 0; i < 10; i++)
		assert_in_range(seen[i], 9400, 10600);
	assert_int_equal(rng_below(&r, 1), 0);
}

/* With n = 3 * 2^62 a plain modulo gives the lowest third twice as often as the others. */
static void below_has_no_modulo_bias(void **state)
{
	const uint64_t key[2] = {9, 10}, third = (uint64_t)1 << 62;
	unsigned seen[3] = {0};
	struct rng r;

	(void)state;
	rng_init(&r, key);
	for (int i = 0; i < 30000; i++)
		seen[rng_below(&r, 3 * third) / third]++;
	for (int i = 0; i < 3; i++)
		assert_in_range(seen[i], 9500, 10500);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(numbers_are_those_of_chacha8),
	    cmocka_unit_test(the_same_key_gives_the_same_numbers),
	    cmocka_unit_test(blocks_do_not_repeat),
	    cmocka_unit_test(below_stays_below_and_reaches_each),
	    cmocka_unit_test(below_has_no_modulo_bias),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
