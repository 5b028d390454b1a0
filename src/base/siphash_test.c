/* SPDX-License-Identifier: MIT */
#include "base/siphash.h"
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

/* The designers' vectors: key 00 01 .. 0f; the i-th is of the message 00 01 .. i-1. The one for 15
 * bytes is in the paper, appendix A. */
static const uint64_t published[64] = {
    0x726fdb47dd0e0e31, 0x74f839c593dc67fd, 0x0d6c8009d9a94f5a, 0x85676696d7fb7e2d,
    0xcf2794e0277187b7, 0x18765564cd99a68d, 0xcbc9466e58fee3ce, 0xab0200f58b01d137,
    0x93f5f5799a932462, 0x9e0082df0ba9e4b0, 0x7a5dbbc594ddb9f3, 0xf4b32f46226bada7,
    0x751e8fbc860ee5fb, 0x14ea5627c0843d90, 0xf723ca908e7af2ee, 0xa129ca6149be45e5,
    0x3f2acc7f57c29bdb, 0x699ae9f52cbe4794, 0x4bc1b3f0968dd39c, 0xbb6dc91da77961bd,
    0xbed65cf21aa2ee98, 0xd0f2cbb02e3b67c7, 0x93536795e3a33e88, 0xa80c038ccd5ccec8,
    0xb8ad50c6f649af94, 0xbce192de8a85b8ea, 0x17d835b85bbb15f3, 0x2f2e6163076bcfad,
    0xde4daaaca71dc9a5, 0xa6a2506687956571, 0xad87a3535c49ef28, 0x32d892fad841c342,
    0x7127512f72f27cce, 0xa7f32346f95978e3, 0x12e0b01abb051238, 0x15e034d40fa197ae,
    0x314dffbe0815a3b4, 0x027990f029623981, 0xcadcd4e59ef40c4d, 0x9abfd8766a33735c,
    0x0e3ea96b5304a7d0, 0xad0c42d6fc585992, 0x187306c89bc215a9, 0xd4a60abcf3792b95,
    0xf935451de4f21df2, 0xa9538f0419755787, 0xdb9acddff56ca510, 0xd06c98cd5c0975eb,
    0xe612a3cb9ecba951, 0xc766e62cfcadaf96, 0xee64435a9752fe72, 0xa192d576b245165a,
    0x0a8787bf8ecb74b2, 0x81b3e73d20b49b6f, 0x7fa8220ba3b2ecea, 0x245731c13ca42499,
    0xb78dbfaf3a8d83bd, 0xea1ad565322a1a0b, 0x60e61c23a3795013, 0x6606d7e446282b93,
    0x6ca4ecb15c5f91e1, 0x9f626da15c9625f3, 0xe51b38608ef25f57, 0x958a324ceb064572,
};

static const uint64_t published_key[2] = {0x0706050403020100, 0x0f0e0d0c0b0a0908};

/* SipHash-c-d as the paper words it, byte by byte. */
static uint64_t reference(int c, int d, const uint64_t key[2], const uint8_t *m, size_t len)
{
	struct siphash_state s;
	size_t words = len / 8 + 1;

	siphash_init(&s, key);
	for (size_t i = 0; i < words; i++) {
		uint64_t w = i == words - 1 ? (uint64_t)len << 56 : 0;

		for (size_t j = 8 * i; j < 8 * i + 8 && j < len; j++)
			w |= (uint64_t)m[j] << 8 * (j % 8);
		s.v3 ^= w;
		for (int r = 0; r < c; r++)
			siphash_round(&s);
		s.v0 ^= w;
	}
	s.v2 ^= 0xff;
	for (int r = 0; r < d; r++)
		siphash_round(&s);
	return s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
}

static void siphash24_gives_the_published_values(void **state)
{
	uint8_t message[64];

	(void)state;
	for (unsigned i = 0; i < 64; i++)
		message[i] = (uint8_t)i;
	for (unsigned i = 0; i < 64; i++) {
		assert_int_equal(siphash24(published_key, message, i), published[i]);
		assert_int_equal(reference(2, 4, published_key, message, i), published[i]);
	}
}

static void siphash24_takes_any_alignment(void **state)
{
	uint8_t message[72];

	(void)state;
	for (unsigned offset = 0; offset < 8; offset++) {
		for (unsigned i = 0; i < 64; i++)
			message[offset + i] = (uint8_t)i;
		assert_int_equal(siphash24(published_key, message + offset, 63), published[63]);
	}
}

static void siphash13_of_words_is_siphash13_of_their_bytes(void **state)
{
	const uint64_t key[2] = {0x1122334455667788, 0x99aabbccddeeff00};
	const uint64_t w[5] = {1, 0xfedcba9876543210, 0, 0x8000000000000000, 0xffffffffffffffff};
	uint8_t m[40];

	(void)state;
	memcpy(m, w, sizeof(m));
	assert_int_equal(siphash13_1(key, w[0]), reference(1, 3, key, m, 8));
	assert_int_equal(siphash13_2(key, w[0], w[1]), reference(1, 3, key, m, 16));
	assert_int_equal(siphash13_3(key, w[0], w[1], w[2]), reference(1, 3, key, m, 24));
	assert_int_equal(siphash13_4(key, w[0], w[1], w[2], w[3]), reference(1, 3, key, m, 32));
	assert_int_equal(siphash13_5(key, w[0], w[1], w[2], w[3], w[4]),
			 reference(1, 3, key, m, 40));
}

static void another_key_gives_another_hash(void **state)
{
	const uint64_t a[2] = {1, 2}, b[2] = {1, 3}, c[2] = {0, 2};

	(void)state;
	assert_int_not_equal(siphash13_1(a, 7), siphash13_1(b, 7));
	assert_int_not_equal(siphash13_1(a, 7), siphash13_1(c, 7));
	assert_int_not_equal(siphash24(a, "x", 1), siphash24(b, "x", 1));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(siphash24_gives_the_published_values),
	    cmocka_unit_test(siphash24_takes_any_alignment),
	    cmocka_unit_test(siphash13_of_words_is_siphash13_of_their_bytes),
	    cmocka_unit_test(another_key_gives_another_hash),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
