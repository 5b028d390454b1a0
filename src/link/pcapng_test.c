/* The format, block by block; tests/pcapng_libpcap_test.c has libpcap read such a file.
 *
 * SPDX-License-Identifier: MIT
 */
#include "link/pcapng.h"
#include "link/pair.h"
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static uint32_t u32(const char *p)
{
	uint32_t v;

	memcpy(&v, p, 4);
	return v;
}

/* The nth block of a capture; checks the framing of those before it. */
static const char *block(const char *file, size_t size, int nth)
{
	size_t at = 0;

	for (;;) {
		uint32_t total;

		assert_true(at + 12 <= size);
		total = u32(file + at + 4);
		assert_int_equal(total % 4, 0);
		assert_true(at + total <= size);
		assert_int_equal(u32(file + at + total - 4), total);
		if (nth-- == 0)
			return file + at;
		at += total;
	}
}

static void a_capture_starts_with_a_section_and_an_interface_in_nanoseconds(void **state)
{
	char *file;
	size_t size;
	FILE *f = open_memstream(&file, &size);
	const char *b;

	(void)state;
	assert_int_equal(pcapng_start(f, "eth0", 2048), 0);
	fclose(f);
	b = block(file, size, 0);
	assert_int_equal(u32(b), 0x0a0d0d0a);
	assert_int_equal(u32(b + 8), 0x1a2b3c4d);
	assert_int_equal(u32(b + 12), 1); /* version 1.0 */
	b = block(file, size, 1);
	assert_int_equal(u32(b), 1);
	assert_int_equal(u32(b + 8), 1); /* Ethernet */
	assert_int_equal(u32(b + 12), 2048);
	assert_memory_equal(b + 16, "\x02\0\x04\0eth0\x09\0\x01\0\x09\0\0\0\0\0\0\0", 20);
	free(file);
}

static void a_packet_has_its_time_length_bytes_and_direction(void **state)
{
	char *file;
	size_t size;
	FILE *f = open_memstream(&file, &size);
	const char *b;

	(void)state;
	assert_int_equal(pcapng_start(f, "a", 100), 0);
	assert_int_equal(
	    pcapng_frame(f, PCAPNG_OUTBOUND, 0x123456789abcdef0, (const uint8_t *)"hello", 5), 0);
	fclose(f);
	b = block(file, size, 2);
	assert_int_equal(u32(b), 6);
	assert_int_equal(u32(b + 4), size - (size_t)(b - file));
	assert_int_equal(u32(b + 12), 0x12345678);
	assert_int_equal(u32(b + 16), 0x9abcdef0);
	assert_int_equal(u32(b + 20), 5);
	assert_int_equal(u32(b + 24), 5);
	assert_memory_equal(b + 28, "hello\0\0\0", 8);
	assert_memory_equal(b + 36, "\x02\0\x04\0\x02\0\0\0\0\0\0\0", 12);
	free(file);
}

static void a_full_device_is_an_error(void **state)
{
	FILE *f = fopen("/dev/full", "w");

	(void)state;
	assert_non_null(f);
	setvbuf(f, NULL, _IONBF, 0);
	assert_int_equal(pcapng_start(f, "a", 100), -EIO);
	fclose(f);
}

static void a_wrapped_link_captures_what_it_took_and_what_it_gave(void **state)
{
	struct pool *pool;
	struct pair_config cfg = {.mtu = 1500, .ring_frames = 2};
	struct link *end[2], *l;
	struct frame frames[3];
	struct buf *got[4];
	char *file;
	size_t size;
	FILE *f = open_memstream(&file, &size);

	(void)state;
	assert_int_equal(pool_create(&pool, 16, 2048, BUF_HEADROOM_BYTES, NULL), 0);
	cfg.pool[0] = cfg.pool[1] = pool;
	assert_int_equal(pair_create(end, &cfg), 0);
	assert_int_equal(pcapng_wrap(&l, end[0], f, 1000), 0);
	for (int i = 0; i < 3; i++) {
		frames[i] = (struct frame){.head = pool_get(pool), .len = 60};
		memset(frames[i].head->data, 'a' + i, 60);
		frames[i].head->len = 60;
	}
	assert_int_equal(l->ops->tx(l, frames, 3, 5), 2); /* the third is not sent, nor captured */
	assert_int_equal(end[1]->ops->rx(end[1], got, 4, 6), 2);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(got[i]->data[0], 'a' + i);
		buf_unref(got[i]);
	}
	assert_int_equal(end[1]->ops->tx(end[1], &frames[2], 1, 7), 1);
	assert_int_equal(l->ops->next_deadline(l), 0);
	assert_int_equal(l->ops->rx(l, got, 4, 8), 1);
	buf_unref(got[0]);
	l->ops->destroy(l);
	end[1]->ops->destroy(end[1]);
	assert_int_equal(pool->free_count, 16);
	pool_destroy(pool);
	fclose(f);
	assert_int_equal(block(file, size, 2)[28], 'a');
	assert_int_equal(u32(block(file, size, 2) + 16), 1005);
	assert_int_equal(block(file, size, 3)[28], 'b');
	assert_int_equal(block(file, size, 4)[28], 'c');
	assert_int_equal(u32(block(file, size, 4) + 16), 1008);
	assert_int_equal(block(file, size, 4)[28 + 60 + 4], PCAPNG_INBOUND);
	free(file);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_capture_starts_with_a_section_and_an_interface_in_nanoseconds),
	    cmocka_unit_test(a_packet_has_its_time_length_bytes_and_direction),
	    cmocka_unit_test(a_full_device_is_an_error),
	    cmocka_unit_test(a_wrapped_link_captures_what_it_took_and_what_it_gave),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
