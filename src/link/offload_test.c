/* SPDX-License-Identifier: MIT */
#include "link/offload.h"
#include "base/bytes.h"
#include "base/checksum.h"
#include "link/pair.h"
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum {
	L3 = 14,
	L4 = 34,
	TCP_BYTES = 32,
	HEADERS = L4 + TCP_BYTES,
	FIN = 1,
	PSH = 8,
	ACK = 16,
	CWR = 0x80
};

static struct pool *pool;

static int setup(void **state)
{
	(void)state;
	return pool_create(&pool, 32, 4096, BUF_HEADROOM_BYTES, NULL);
}

static int teardown(void **state)
{
	(void)state;
	assert_int_equal(pool->free_count, 32);
	pool_destroy(pool);
	return 0;
}

/* Sum of the pseudo-header, by RFC 9293 3.1 and written out here on its own. */
static uint32_t pseudo(const uint8_t *ip, uint32_t l4_bytes)
{
	uint8_t p[12];

	memcpy(p, ip + 12, 8);
	p[8] = 0;
	p[9] = ip[9];
	put_be16(p + 10, (uint16_t)l4_bytes);
	return csum_partial(p, sizeof(p), 0);
}

static bool checksums_are_right(const uint8_t *frame, uint32_t len)
{
	const uint8_t *ip = frame + L3;

	return csum_fold(csum_partial(ip, 20, 0)) == 0 &&
	       csum_fold(csum_partial(frame + L4, len - L4, pseudo(ip, len - L4))) == 0;
}

/* Headers of a frame with l4_bytes of L4; checksums empty, the pseudo-header's sum in the L4 one.
 */
static struct buf *headers(uint8_t protocol, uint32_t l4_header_bytes, uint32_t l4_bytes)
{
	struct buf *b = pool_get(pool);
	uint8_t *ip = b->data + L3, *l4 = b->data + L4;
	uint16_t sum;

	memset(b->data, 0, HEADERS);
	b->len = L4 + l4_header_bytes;
	put_be16(b->data + 12, 0x0800);
	ip[0] = 0x45;
	put_be16(ip + 2, (uint16_t)(20 + l4_bytes));
	put_be16(ip + 4, 0xfffe);
	ip[8] = 64;
	ip[9] = protocol;
	put_be32(ip + 12, 0xc0a80001);
	put_be32(ip + 16, 0xc0000201);
	sum = (uint16_t)~csum_fold(pseudo(ip, l4_bytes));
	memcpy(l4 + (protocol == IPPROTO_TCP ? 16 : 6), &sum, 2);
	return b;
}

static struct frame tcp_frame(uint32_t payload, uint8_t flags)
{
	struct buf *h = headers(IPPROTO_TCP, TCP_BYTES, TCP_BYTES + payload),
		   *data = pool_get(pool);
	struct frame f = {
	    .head = h, .len = HEADERS + payload, .l3_offset = L3, .l4_offset = L4, .nfrags = 2};

	put_be32(h->data + L4 + 4, 0xffffff00); /* wraps within the payload */
	h->data[L4 + 12] = (TCP_BYTES / 4) << 4;
	h->data[L4 + 13] = flags;
	for (uint32_t i = 0; i < payload; i++)
		data->data[i] = (uint8_t)(i * 7);
	data->len = payload;
	f.frags[0] = (struct frame_frag){data, data->data, payload / 3};
	f.frags[1] =
	    (struct frame_frag){buf_ref(data), data->data + payload / 3, payload - payload / 3};
	return f;
}

static void a_tcp_checksum_is_completed_from_the_pseudo_header_sum(void **state)
{
	struct frame f = tcp_frame(999, ACK);
	uint8_t out[2048];

	(void)state;
	f.offload = OFFLOAD_IP4_CSUM | OFFLOAD_L4_CSUM;
	assert_int_equal(offload_segments(&f), 1);
	assert_int_equal(offload_segment_bytes(&f, 0), HEADERS + 999);
	offload_segment(&f, 0, out);
	assert_true(checksums_are_right(out, f.len));
	frame_release(&f);
}

static void a_udp_checksum_that_comes_out_as_zero_is_sent_as_all_ones(void **state)
{
	struct buf *b = headers(IPPROTO_UDP, 8, 10);
	struct frame f = {.head = b,
			  .len = L4 + 10,
			  .l3_offset = L3,
			  .l4_offset = L4,
			  .offload = OFFLOAD_L4_CSUM};
	uint16_t rest;

	(void)state;
	put_be16(b->data + L4 + 4, 10);
	b->len = L4 + 10;
	rest = csum_fold(csum_partial(b->data + L4, 8, 0)); /* makes the whole sum to zero */
	memcpy(b->data + L4 + 8, &rest, 2);
	offload_checksums(b->data, b->len, &f);
	assert_int_equal(get_be16(b->data + L4 + 6), 0xffff);
	frame_release(&f);
}

static void a_large_segment_is_cut_at_the_mss(void **state)
{
	struct frame f = tcp_frame(2500, ACK | PSH | FIN | CWR);
	const uint32_t want[3] = {1000, 1000, 500};
	uint32_t offset = 0;
	uint8_t out[2048];

	(void)state;
	f.offload = OFFLOAD_TSO | OFFLOAD_IP4_CSUM | OFFLOAD_L4_CSUM;
	f.tso_mss = 1000;
	assert_int_equal(offload_segments(&f), 3);
	for (uint32_t i = 0; i < 3; i++) {
		uint32_t len = offload_segment_bytes(&f, i);

		assert_int_equal(len, HEADERS + want[i]);
		offload_segment(&f, i, out);
		assert_true(checksums_are_right(out, len));
		assert_int_equal(get_be16(out + L3 + 2), len - L3);
		assert_int_equal(get_be16(out + L3 + 4), (uint16_t)(0xfffe + i));
		assert_int_equal(get_be32(out + L4 + 4), (uint32_t)(0xffffff00 + offset));
		assert_int_equal(out[L4 + 13], ACK | (i == 0 ? CWR : 0) | (i == 2 ? PSH | FIN : 0));
		for (uint32_t j = 0; j < want[i]; j++)
			assert_int_equal(out[HEADERS + j], (uint8_t)((offset + j) * 7));
		offset += want[i];
	}
	frame_release(&f);
}

static void a_payload_that_is_a_multiple_of_the_mss_has_no_empty_segment(void **state)
{
	struct frame f = tcp_frame(2000, ACK);

	(void)state;
	f.offload = OFFLOAD_TSO;
	f.tso_mss = 1000;
	assert_int_equal(offload_segments(&f), 2);
	assert_int_equal(offload_segment_bytes(&f, 1), HEADERS + 1000);
	frame_release(&f);
}

static void a_pair_with_tso_delivers_verified_segments(void **state)
{
	struct pair_config cfg = {.mtu = 1500,
				  .offloads = OFFLOAD_TSO | OFFLOAD_IP4_CSUM | OFFLOAD_L4_CSUM |
					      OFFLOAD_RX_CSUM,
				  .max_frags = FRAME_FRAGS,
				  .tso_max_bytes = 65000,
				  .ring_frames = 2,
				  .pool = {pool, pool}};
	struct frame f = tcp_frame(2500, ACK);
	struct link *end[2];
	struct buf *got[4];

	(void)state;
	f.offload = OFFLOAD_TSO | OFFLOAD_IP4_CSUM | OFFLOAD_L4_CSUM;
	f.tso_mss = 1250;
	assert_int_equal(pair_create(end, &cfg), 0);
	assert_int_equal(end[0]->ops->tx(end[0], &f, 1, 0), 1);
	assert_int_equal(end[1]->ops->rx(end[1], got, 4, 0), 2);
	for (int i = 0; i < 2; i++) {
		assert_true(checksums_are_right(got[i]->data, got[i]->len));
		assert_int_equal(got[i]->flags, BUF_CSUM_OK);
		buf_unref(got[i]);
	}
	f = tcp_frame(2500, ACK); /* three segments would never fit the ring of two */
	f.offload = OFFLOAD_TSO;
	f.tso_mss = 1000;
	assert_int_equal(end[0]->ops->tx(end[0], &f, 1, 0), 1);
	assert_int_equal(end[1]->rx_dropped, 1);
	end[0]->ops->destroy(end[0]);
	end[1]->ops->destroy(end[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	    T(a_tcp_checksum_is_completed_from_the_pseudo_header_sum),
	    T(a_udp_checksum_that_comes_out_as_zero_is_sent_as_all_ones),
	    T(a_large_segment_is_cut_at_the_mss),
	    T(a_payload_that_is_a_multiple_of_the_mss_has_no_empty_segment),
	    T(a_pair_with_tso_delivers_verified_segments),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
