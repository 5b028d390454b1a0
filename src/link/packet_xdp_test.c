/* The links over interfaces of the kernel's, between the ends of a veth pair in a network namespace
 * of the test's own. Skipped where none can be made, or AF_XDP is not allowed.
 *
 * SPDX-License-Identifier: MIT
 */
#include "base/clock.h"
#include "base/bytes.h"
#include "link/interface.h"
#include "link/packet.h"
#include "link/veth.h"
#include "link/xdp.h"
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum { OURS = 0x0a090001, ANOTHER = 0x0a090007, HEAP_BYTES = 64 << 20 };

struct world {
	struct heap *heap;
	struct link *ours, *peer; /* on va; on vb, which takes everything */
};

static int open_ours(struct world *w, bool xdp)
{
	const struct packet_options packet = {.interface = "va", .addr = ip4(OURS), .claim_fd = -1};
	const struct xdp_setup setup = {
	    .interface = "va", .addr = ip4(OURS), .heap = w->heap, .claim_fd = -1};
	const char *why;

	return xdp ? xdp_open(&w->ours, &setup, &why) : packet_open(&w->ours, &packet);
}

static int setup(void **state, bool xdp)
{
	static int made = 1;
	const struct packet_options all = {.interface = "vb", .claim_fd = -1};
	struct world *w;

	*state = NULL;
	if (made > 0)
		made = veth_namespace(NULL) < 0 ? -EPERM : veth_create("va", "vb");
	if (made < 0)
		return 0;
	w = calloc(1, sizeof(*w));
	assert_int_equal(heap_create(&w->heap, 64, HEAP_BYTES), 0);
	if (open_ours(w, xdp) < 0) {
		heap_destroy(w->heap);
		free(w);
		return 0;
	}
	assert_int_equal(packet_open(&w->peer, &all), 0);
	*state = w;
	return 0;
}

static int setup_xdp(void **state)
{
	return setup(state, true);
}

static int setup_packet(void **state)
{
	return setup(state, false);
}

static int teardown(void **state)
{
	struct world *w = *state;

	if (w == NULL)
		return 0;
	w->ours->ops->destroy(w->ours);
	w->peer->ops->destroy(w->peer);
	heap_destroy(w->heap);
	free(w);
	return 0;
}

static struct world *allowed(void **state)
{
	if (*state == NULL)
		skip(); /* no network namespace, or no AF_XDP, without privileges */
	return *state;
}

/* A frame from the peer to us: `type`, and an address at `at`. The last byte tells frames apart. */
static void send_frame(struct world *w, uint16_t type, uint32_t at, uint32_t addr, uint32_t len,
		       uint8_t mark)
{
	struct buf *b = pool_get(w->peer->info.rx_pool);
	struct frame f = {.head = b, .len = len};

	assert_non_null(b);
	memset(b->data, 0, len);
	memcpy(b->data, w->ours->info.mac, 6);
	memcpy(b->data + 6, w->peer->info.mac, 6);
	put_be16(b->data + 12, type);
	if (at + 4 <= len)
		put_be32(b->data + at, addr);
	b->data[len - 1] = mark;
	b->len = len;
	assert_int_equal(w->peer->ops->tx(w->peer, &f, 1, 0), 1);
}

/* The next frame on a link, which the caller drops; NULL: none within 200 ms. */
static struct buf *next(struct link *l)
{
	const uint64_t end_ns = clock_now_ns() + 200000000;
	struct buf *b;

	do {
		if (l->ops->rx(l, &b, 1, 0) == 1)
			return b;
	} while (clock_now_ns() < end_ns);
	return NULL;
}

static void only_what_is_for_our_address_arrives(void **state)
{
	enum { IP = 0x0800, ARP = 0x0806, IP6 = 0x86dd, TO = 30, ARP_TO = 38 };
	struct world *w = allowed(state);

	send_frame(w, IP, TO, ANOTHER, 60, 1);
	send_frame(w, IP6, TO, OURS, 60, 2);
	send_frame(w, ARP, ARP_TO, OURS, 60, 3);
	send_frame(w, 0x88cc, TO, OURS, 60, 4);
	send_frame(w, IP, TO, OURS, 33, 5); /* ends inside the address */
	send_frame(w, IP, TO, OURS, 1514, 6);
	for (uint8_t mark = 3; mark <= 6; mark += 3) {
		struct buf *b = next(w->ours);

		while (b != NULL && b->data[b->len - 1] == 5 && b->len == 60)
			b = next(w->ours); /* padded on its way */
		assert_non_null(b);
		assert_int_equal(b->data[b->len - 1], mark);
		buf_unref(b);
	}
}

/* A head and three fragments, of which one crosses the border of a chunk. */
static void fragments_leave_in_order(void **state, bool copied)
{
	struct world *w = allowed(state);
	struct buf *payload = heap_alloc(w->heap, 16384), *b;
	struct frame f = {.head = pool_get(w->ours->info.rx_pool), .nfrags = 3};
	const uint32_t at[3] = {100, 4000, 9000}, len[3] = {10, 400, 700};
	uint32_t done = 14;

	for (unsigned i = 0; i < 16384; i++)
		payload->data[i] = (uint8_t)(i * 7);
	memset(f.head->data, 0, 14);
	f.head->len = f.len = 14;
	put_be16(f.head->data + 12, 0x1234);
	for (unsigned i = 0; i < 3; i++) {
		f.frags[i] = (struct frame_frag){buf_ref(payload), payload->data + at[i], len[i]};
		f.len += len[i];
	}
	assert_int_equal(w->ours->ops->tx(w->ours, &f, 1, 0), 1);
	b = next(w->peer);
	assert_non_null(b);
	assert_int_equal(b->len, 14 + 10 + 400 + 700);
	for (unsigned i = 0; i < 3; done += len[i++])
		assert_memory_equal(b->data + done, payload->data + at[i], len[i]);
	buf_unref(b);
	assert_int_equal(w->ours->tx_copied_bytes > 0, copied);
	for (unsigned i = 0; i < 1000 && !buf_sole(payload); i++)
		assert_null(w->ours->ops->rx(w->ours, &b, 1, 0) == 1 ? b : NULL);
	assert_true(buf_sole(payload)); /* the kernel is done with it */
	buf_unref(payload);
}

static void fragments_leave_from_where_they_lie(void **state)
{
	fragments_leave_in_order(state, false);
}

static void fragments_are_copied_into_the_ring(void **state)
{
	fragments_leave_in_order(state, true);
}

static void what_lies_outside_the_umem_is_copied(void **state)
{
	struct world *w = allowed(state);
	struct pool *elsewhere;
	struct frame f;
	struct buf *b;

	assert_int_equal(pool_create(&elsewhere, 4, 2048, BUF_HEADROOM_BYTES, NULL), 0);
	f = (struct frame){.head = pool_get(elsewhere), .len = 60};
	memset(f.head->data, 0x5a, 60);
	f.head->len = 60;
	assert_int_equal(w->ours->ops->tx(w->ours, &f, 1, 0), 1);
	b = next(w->peer);
	assert_non_null(b);
	assert_int_equal(b->len, 60);
	assert_int_equal(b->data[59], 0x5a);
	buf_unref(b);
	assert_int_equal(w->ours->tx_copied_bytes, 60);
	assert_int_equal(elsewhere->free_count, 4);
	pool_destroy(elsewhere);
}

/* More than the ring, or a system call, takes at once. */
static void a_long_burst_arrives_whole(void **state)
{
	enum { FRAMES = 700 };
	struct world *w = allowed(state);
	int got = 0;

	for (int i = 0; i < FRAMES; i++) {
		struct frame f = {.head = pool_get(w->ours->info.rx_pool), .len = 60};
		struct buf *b;

		assert_non_null(f.head);
		memset(f.head->data, 0, 60);
		f.head->len = 60;
		while (w->ours->ops->tx(w->ours, &f, 1, 0) == 0)
			w->ours->ops->rx(w->ours, &b, 0, 0);
		if (i % 32 == 31)
			while (w->peer->ops->rx(w->peer, &b, 1, 0) == 1) {
				buf_unref(b);
				got++;
			}
	}
	while (got < FRAMES) {
		struct buf *b = next(w->peer);

		assert_non_null(b);
		buf_unref(b);
		got++;
	}
}

static void a_busy_queue_is_refused(void **state)
{
	struct world *w = allowed(state);
	const struct xdp_setup setup = {
	    .interface = "va", .addr = ip4(ANOTHER), .heap = w->heap, .claim_fd = -1};
	const char *why;
	struct link *second;

	assert_int_equal(xdp_open(&second, &setup, &why), -EBUSY);
	assert_non_null(why);
}

static void an_address_is_claimed_once(void **state)
{
	struct ip_addr addr = ip4(OURS), other = ip4(ANOTHER);
	int fd, second;

	allowed(state);
	fd = interface_claim("va", &addr);
	assert_true(fd >= 0);
	assert_int_equal(interface_claim("va", &addr), -EBUSY);
	second = interface_claim("va", &other);
	assert_true(second >= 0);
	close(second);
	second = interface_claim("vb", &addr);
	assert_true(second >= 0);
	close(second);
	close(fd);
	fd = interface_claim("va", &addr);
	assert_true(fd >= 0);
	close(fd);
	assert_int_equal(interface_claim("nosuchif", &addr), -ENODEV);
}

#define over_xdp(test)    cmocka_unit_test_setup_teardown(test, setup_xdp, teardown)
#define over_packet(test) cmocka_unit_test_setup_teardown(test, setup_packet, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    over_packet(only_what_is_for_our_address_arrives),
	    over_packet(fragments_are_copied_into_the_ring),
	    over_packet(a_long_burst_arrives_whole),
	    over_packet(an_address_is_claimed_once),
	    over_xdp(only_what_is_for_our_address_arrives),
	    over_xdp(fragments_leave_from_where_they_lie),
	    over_xdp(what_lies_outside_the_umem_is_copied),
	    over_xdp(a_long_burst_arrives_whole),
	    over_xdp(a_busy_queue_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
