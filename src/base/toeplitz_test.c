/* toeplitz_test.c - against what Microsoft has published to verify an implementation.
 *
 * SPDX-License-Identifier: MIT
 */
#include "base/toeplitz.h"
#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static const uint8_t key[40] = {0x6d, 0x5a, 0x56, 0xda, 0x25, 0x5b, 0x0e, 0xc2, 0x41, 0x67,
				0x25, 0x3d, 0x43, 0xa3, 0x8f, 0xb0, 0xd0, 0xca, 0x2b, 0xcb,
				0xae, 0x7b, 0x30, 0xb4, 0x77, 0xcb, 0x2d, 0xa3, 0x80, 0x30,
				0xf2, 0x0c, 0x6a, 0x42, 0xb7, 0x3b, 0xbe, 0xac, 0x01, 0xfa};

struct vector {
	const char *source, *destination;
	uint16_t source_port, destination_port;
	uint32_t addresses_hash, tcp_hash;
};

static const struct vector ip4_vectors[] = {
    {"66.9.149.187", "161.142.100.80", 2794, 1766, 0x323e8fc2, 0x51ccc178},
    {"199.92.111.2", "65.69.140.83", 14230, 4739, 0xd718262a, 0xc626b0ea},
    {"24.19.198.95", "12.22.207.184", 12898, 38024, 0xd2d0a5de, 0x5c2b394a},
    {"38.27.205.30", "209.142.163.6", 48228, 2217, 0x82989176, 0xafc7327f},
    {"153.39.163.191", "202.188.127.2", 44251, 1303, 0x5d1809c5, 0x10e828a2},
};

static const struct vector ip6_vectors[] = {
    {"3ffe:2501:200:1fff::7", "3ffe:2501:200:3::1", 2794, 1766, 0x2cc18cd5, 0x40207d3d},
    {"3ffe:501:8::260:97ff:fe40:efab", "ff02::1", 14230, 4739, 0x0f0c461c, 0xdde51bbf},
    {"3ffe:1900:4545:3:200:f8ff:fe21:67cf", "fe80::200:f8ff:fe21:67cf", 44251, 38024, 0x4b61e985,
     0x02d1feef},
};

static void check_vector(const struct vector *v, int family, uint32_t bytes)
{
	uint8_t input[36];

	assert_int_equal(inet_pton(family, v->source, input), 1);
	assert_int_equal(inet_pton(family, v->destination, input + bytes), 1);
	put_be16(input + 2 * bytes, v->source_port);
	put_be16(input + 2 * bytes + 2, v->destination_port);
	assert_int_equal(toeplitz_hash(key, input, 2 * bytes), v->addresses_hash);
	assert_int_equal(toeplitz_hash(key, input, 2 * bytes + 4), v->tcp_hash);
}

static void the_published_ip4_packets_have_the_published_hashes(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(ip4_vectors) / sizeof(ip4_vectors[0]); i++)
		check_vector(&ip4_vectors[i], AF_INET, 4);
}

static void the_published_ip6_packets_have_the_published_hashes(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(ip6_vectors) / sizeof(ip6_vectors[0]); i++)
		check_vector(&ip6_vectors[i], AF_INET6, 16);
}

static void the_low_bits_of_the_hash_choose_the_queue(void **state)
{
	const struct endpoint peer = {ip4(0x420995bb), 2794}, local = {ip4(0xa18e6450), 1766};
	struct toeplitz t = {.count = 128};

	(void)state;
	memcpy(t.key, key, sizeof(key));
	t.queues[0x78] = 5; /* of 0x51ccc178 */
	assert_int_equal(toeplitz_queue(&t, &peer, &local), 5);
	t.count = 8;
	t.queues[0] = 3;
	assert_int_equal(toeplitz_queue(&t, &peer, &local), 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_published_ip4_packets_have_the_published_hashes),
	    cmocka_unit_test(the_published_ip6_packets_have_the_published_hashes),
	    cmocka_unit_test(the_low_bits_of_the_hash_choose_the_queue),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
