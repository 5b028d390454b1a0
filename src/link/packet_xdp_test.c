/* The links over interfaces of the kernel's, between the ends of a veth pair in a network namespace
 * of the test's own. Skipped where none can be made, or AF_XDP is not allowed.
 *
 * SPDX-License-Identifier: MIT
 */
#include "base/clock.h"
#include "base/bytes.h"
#include "base/checksum.h"
#include "link/claim.h"
#include "link/packet.h"
#include "link/veth.h"
#include "link/xdp.h"
#include <errno.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

enum {
	OURS = 0x0a090001,
	ANOTHER = 0x0a090007,
	HEAP_BYTES = 64 << 20,
	LARGE_MTU = 9000, /* frames of three chunks */
	BUSY_POLL_US = 20,
};

/* Newer than the C library's headers. */
#ifndef SO_PREFER_BUSY_POLL
#define SO_PREFER_BUSY_POLL 69
#endif

struct world {
	struct heap *heap;
	struct link *ours, *peer; /* on va; on vb, which takes everything */
};

static enum xdp_mode mode = XDP_MODE_AUTO;
static uint32_t busy_poll_us;

static void set_mtu(const char *interface, int mtu)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ifreq req = {.ifr_mtu = mtu};

	strcpy(req.ifr_name, interface);
	assert_int_equal(ioctl(fd, SIOCSIFMTU, &req), 0);
	close(fd);
}

static int open_ours(struct world *w, bool xdp)
{
	const struct packet_options packet = {.interface = "va", .addr = ip4(OURS), .claim_fd = -1};
	const struct xdp_setup setup = {
	    .interface = "va",
	    .addr = ip4(OURS),
	    .mode = mode,
	    .busy_poll_us = busy_poll_us,
	    .heap = w->heap,
	    .claim_fd = -1,
	};

	return xdp ? xdp_open(&w->ours, &setup) : packet_open(&w->ours, &packet);
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

/* The kernel polls the device, whose frames its driver takes by itself, in our calls alone. */
static int setup_busy_poll(void **state)
{
	int rc;

	mode = XDP_MODE_NATIVE;
	busy_poll_us = BUSY_POLL_US;
	rc = setup_xdp(state);
	mode = XDP_MODE_AUTO;
	busy_poll_us = 0;
	return rc;
}

/* With an MTU of more than a chunk. */
static int setup_large(void **state, enum xdp_mode wanted)
{
	setup_packet(state); /* makes the namespace, where that is allowed */
	if (*state == NULL)
		return 0;
	teardown(state);
	for (int i = 0; i < 2; i++)
		set_mtu(i == 0 ? "va" : "vb", LARGE_MTU);
	mode = wanted;
	return setup_xdp(state);
}

static int setup_large_native(void **state)
{
	return setup_large(state, XDP_MODE_NATIVE);
}

static int setup_large_generic(void **state)
{
	return setup_large(state, XDP_MODE_GENERIC);
}

static int teardown_large(void **state)
{
	int rc = teardown(state);

	for (int i = 0; *state && i < 2; i++)
		set_mtu(i == 0 ? "va" : "vb", 1500);
	mode = XDP_MODE_AUTO;
	return rc;
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

#define PATIENCE_NS UINT64_C(30000000000)

/* The next frame on a link, which the caller drops; NULL: none within PATIENCE_NS. */
static struct buf *next(struct link *l)
{
	const uint64_t end_ns = clock_now_ns() + PATIENCE_NS;
	struct buf *b;

	do {
		if (l->ops->rx(l, &b, 1, 0) == 1)
			return b;
	} while (clock_now_ns() < end_ns);
	return NULL;
}

/* Until the kernel is done with what was sent from a buffer. No frame may come meanwhile. */
static void await_sole(struct link *l, const struct buf *sent)
{
	const uint64_t end_ns = clock_now_ns() + PATIENCE_NS;
	struct buf *b;

	while (!buf_sole(sent) && clock_now_ns() < end_ns)
		assert_int_equal(l->ops->rx(l, &b, 1, 0), 0);
	assert_true(buf_sole(sent));
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
	await_sole(w->ours, payload);
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

/* A link has room for as many as are expected, and says when that is nearly used up. */
static void a_link_says_when_it_is_nearly_full(void **state)
{
	enum { IP = 0x0800, TO = 30, MOST = 2 * PACKET_RX_FRAMES };
	struct world *w = allowed(state);
	struct link *l = w->ours;
	struct buf *b;
	int sent = 0;

	l->rx_expected = PACKET_RX_FRAMES;
	assert_int_equal(l->ops->rx(l, &b, 1, 0), 0);
	assert_false(l->ops->crowded(l));
	while (sent < MOST && !l->ops->crowded(l)) {
		send_frame(w, IP, TO, OURS, 60, 0);
		sent++;
	}
	assert_true(l->ops->crowded(l));
	assert_true(sent > PACKET_RX_FRAMES / 2);
	do {
		b = next(l);
		assert_non_null(b);
		buf_unref(b);
	} while (l->ops->crowded(l) && --sent > 0);
	assert_true(sent > 0);
}

/* The pattern of a large frame behind its Ethernet header, without what the filters look at. */
static uint8_t large_byte(uint32_t at)
{
	return (uint8_t)(at * 31 + at / 251);
}

static void large_frames_arrive_whole(void **state)
{
	enum { IP = 0x0800, TO = 30, LEN = LARGE_MTU + 14 };
	struct world *w = allowed(state);

	for (unsigned i = 0; i < 100; i++) {
		struct buf *b = pool_get(w->peer->info.rx_pool), *got;
		struct frame f = {.head = b, .len = LEN};

		for (uint32_t at = 0; at < LEN; at++)
			b->data[at] = large_byte(at + i);
		memcpy(b->data, w->ours->info.mac, 6);
		put_be16(b->data + 12, IP);
		put_be32(b->data + TO, OURS);
		b->len = LEN;
		assert_int_equal(w->peer->ops->tx(w->peer, &f, 1, 0), 1);
		got = next(w->ours);
		assert_non_null(got);
		assert_int_equal(got->len, LEN);
		for (uint32_t at = TO + 4; at < LEN; at++)
			assert_int_equal(got->data[at], large_byte(at + i));
		buf_unref(got);
	}
	assert_int_equal(w->ours->rx_dropped, 0);
	assert_int_equal(w->ours->rx_frames, 100);
}

/* From where it lies when that is the UMEM, else as a copy in several pieces. */
static void a_large_frame_leaves_whole(struct world *w, struct buf *payload, bool copied)
{
	const uint32_t len[2] = {4000, LARGE_MTU - 4000};
	struct frame f = {.head = pool_get(w->ours->info.rx_pool), .nfrags = 2};
	struct buf *got;
	uint32_t at = 0;

	for (uint32_t i = 0; i < LARGE_MTU; i++)
		payload->data[i] = large_byte(i);
	memset(f.head->data, 0, 14);
	put_be16(f.head->data + 12, 0x1234);
	f.head->len = f.len = 14;
	for (unsigned i = 0; i < 2; at += len[i++]) {
		f.frags[i] = (struct frame_frag){buf_ref(payload), payload->data + at, len[i]};
		f.len += len[i];
	}
	assert_int_equal(w->ours->ops->tx(w->ours, &f, 1, 0), 1);
	got = next(w->peer);
	assert_non_null(got);
	assert_int_equal(got->len, LARGE_MTU + 14);
	for (uint32_t i = 0; i < LARGE_MTU; i++)
		assert_int_equal(got->data[14 + i], large_byte(i));
	buf_unref(got);
	assert_int_equal(w->ours->tx_copied_bytes, copied ? LARGE_MTU + 14 : 0);
}

static void large_frames_leave_from_where_they_lie(void **state)
{
	struct world *w = allowed(state);
	struct buf *payload = heap_alloc(w->heap, 16384);

	a_large_frame_leaves_whole(w, payload, false);
	await_sole(w->ours, payload);
	buf_unref(payload);
}

static void large_frames_from_elsewhere_are_copied(void **state)
{
	struct world *w = allowed(state);
	const uint64_t end_ns = clock_now_ns() + PATIENCE_NS;
	uint32_t free_before;
	struct pool *elsewhere;
	struct buf *payload, *b;

	assert_int_equal(pool_create(&elsewhere, 2, 16384, BUF_HEADROOM_BYTES, NULL), 0);
	payload = pool_get(elsewhere);
	free_before = w->ours->info.rx_pool->free_count;
	a_large_frame_leaves_whole(w, payload, true);
	assert_true(buf_sole(payload));
	buf_unref(payload);
	pool_destroy(elsewhere);
	while (w->ours->info.rx_pool->free_count < free_before && clock_now_ns() < end_ns)
		assert_int_equal(w->ours->ops->rx(w->ours, &b, 1, 0), 0);
	assert_int_equal(w->ours->info.rx_pool->free_count, free_before);
}

static void set_tso(const char *interface, uint32_t on)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ethtool_value value = {.cmd = ETHTOOL_STSO, .data = on};
	struct ifreq req = {.ifr_data = (void *)&value};

	strcpy(req.ifr_name, interface);
	assert_int_equal(ioctl(fd, SIOCETHTOOL, &req), 0);
	close(fd);
}

/* Where the kernel cuts large frames, since the interface does not take them. */
static int setup_cutting(void **state, bool xdp)
{
	setup_packet(state); /* makes the namespace, where that is allowed */
	if (*state == NULL)
		return 0;
	teardown(state);
	set_tso("va", 0);
	return setup(state, xdp);
}

static int setup_cutting_packet(void **state)
{
	return setup_cutting(state, false);
}

static int setup_cutting_xdp(void **state)
{
	return setup_cutting(state, true);
}

static int teardown_cutting(void **state)
{
	int rc = teardown(state);

	if (*state)
		set_tso("va", 1);
	return rc;
}

enum { TCP_HEADERS = 14 + 20 + 20, LARGE_BYTES = 60000, MSS = 1448, ETH_MARK = 0x1234 };

/* Ethernet, IPv4 and TCP headers of a frame of LARGE_BYTES that asks to be cut. */
static void write_tcp_headers(uint8_t *at)
{
	memset(at, 0, TCP_HEADERS);
	put_be16(at + 12, 0x0800);
	at[14] = 0x45;
	put_be16(at + 16, TCP_HEADERS - 14 + LARGE_BYTES);
	at[22] = 64;
	at[23] = IPPROTO_TCP;
	put_be32(at + 26, OURS);
	put_be32(at + 30, ANOTHER);
	at[46] = 0x50;
	at[47] = 0x10; /* ACK */
	put_be16(at + 50,
		 csum_fold(csum_partial(
		     at + 26, 8, csum_add(csum_word(IPPROTO_TCP), csum_word(20 + LARGE_BYTES)))) ^
		     0xffff);
}

static struct frame marked_frame(struct world *w, uint8_t mark)
{
	struct frame f = {.head = pool_get(w->ours->info.rx_pool), .len = 60};

	memset(f.head->data, mark, 60);
	put_be16(f.head->data + 12, ETH_MARK);
	f.head->len = 60;
	return f;
}

static void expect_mark(struct world *w, uint8_t mark)
{
	struct buf *b = next(w->peer);

	assert_non_null(b);
	assert_int_equal(get_be16(b->data + 12), ETH_MARK);
	assert_int_equal(b->data[59], mark);
	buf_unref(b);
}

static void a_large_frame_is_cut_and_nothing_overtakes_it(void **state)
{
	struct world *w = allowed(state);
	struct buf *payload = heap_alloc(w->heap, LARGE_BYTES),
		   *head = pool_get(w->ours->info.rx_pool);
	struct frame f[3] = {marked_frame(w, 1), {.head = head}, marked_frame(w, 2)};
	uint32_t done = 0;

	assert_true(w->ours->info.offloads & OFFLOAD_TSO);
	assert_true(w->ours->info.tso_max_bytes >= LARGE_BYTES);
	for (uint32_t i = 0; i < LARGE_BYTES; i++)
		payload->data[i] = large_byte(i);
	write_tcp_headers(head->data);
	head->len = TCP_HEADERS;
	f[1].len = TCP_HEADERS + LARGE_BYTES;
	f[1].l3_offset = 14;
	f[1].l4_offset = 34;
	f[1].offload = OFFLOAD_TSO | OFFLOAD_L4_CSUM;
	f[1].tso_mss = MSS;
	f[1].nfrags = 1;
	f[1].frags[0] = (struct frame_frag){buf_ref(payload), payload->data, LARGE_BYTES};
	assert_int_equal(w->ours->ops->tx(w->ours, f, 3, 0), 3);
	expect_mark(w, 1);
	while (done < LARGE_BYTES) {
		struct buf *b = next(w->peer);
		uint32_t len = LARGE_BYTES - done < MSS ? LARGE_BYTES - done : MSS;

		assert_non_null(b);
		assert_int_equal(b->len, TCP_HEADERS + len);
		assert_int_equal(get_be16(b->data + 16), TCP_HEADERS - 14 + len);
		assert_int_equal(get_be32(b->data + 38), done);
		assert_memory_equal(b->data + TCP_HEADERS, payload->data + done, len);
		buf_unref(b);
		done += len;
	}
	expect_mark(w, 2);
	assert_int_equal(w->ours->tx_copied_bytes, w->ours->ops->name[0] == 'x' ? 0 : 60);
	await_sole(w->ours, payload);
	buf_unref(payload);
}

static void an_interface_that_takes_large_frames_gets_none(void **state)
{
	assert_int_equal(allowed(state)->ours->info.offloads, 0);
}

static void a_busy_queue_is_refused(void **state)
{
	struct world *w = allowed(state);
	const struct xdp_setup setup = {
	    .interface = "va", .addr = ip4(ANOTHER), .heap = w->heap, .claim_fd = -1};
	struct link *second;

	assert_int_equal(xdp_open(&second, &setup), -EBUSY);
}

static void the_kernel_is_asked_to_busy_poll(void **state)
{
	struct world *w = allowed(state);
	int us = 0, prefer = 0, fd = w->ours->ops->wake_fd(w->ours);
	socklen_t len = sizeof(int);

	assert_int_equal(getsockopt(fd, SOL_SOCKET, SO_BUSY_POLL, &us, &len), 0);
	assert_int_equal(us, BUSY_POLL_US);
	assert_int_equal(getsockopt(fd, SOL_SOCKET, SO_PREFER_BUSY_POLL, &prefer, &len), 0);
	assert_int_equal(prefer, 1);
}

static void an_address_is_claimed_once(void **state)
{
	struct ip_addr addr = ip4(OURS), other = ip4(ANOTHER);
	int fd, second;

	allowed(state);
	fd = claim_take("va", &addr);
	assert_true(fd >= 0);
	assert_int_equal(claim_take("va", &addr), -EBUSY);
	second = claim_take("va", &other);
	assert_true(second >= 0);
	close(second);
	second = claim_take("vb", &addr);
	assert_true(second >= 0);
	close(second);
	close(fd);
	fd = claim_take("va", &addr);
	assert_true(fd >= 0);
	close(fd);
	assert_int_equal(claim_take("nosuchif", &addr), -ENODEV);
}

#define over_xdp(test)       cmocka_unit_test_setup_teardown(test, setup_xdp, teardown)
#define over_busy_poll(test) cmocka_unit_test_setup_teardown(test, setup_busy_poll, teardown)
#define over_large(mode, test)                                                                     \
	cmocka_unit_test_setup_teardown(test, setup_large_##mode, teardown_large)
#define over_cutting(link, test)                                                                   \
	cmocka_unit_test_setup_teardown(test, setup_cutting_##link, teardown_cutting)
#define over_packet(test) cmocka_unit_test_setup_teardown(test, setup_packet, teardown)

/* What was taken is the link's, and what was not the caller's, also when nothing can be sent. */
static void frames_are_released_once_when_the_interface_has_gone(void **state)
{
	enum { FRAMES = 4 };
	struct world *w = allowed(state);
	struct frame frames[FRAMES];
	struct pool *elsewhere;
	int taken;

	assert_int_equal(pool_create(&elsewhere, FRAMES, 2048, BUF_HEADROOM_BYTES, NULL), 0);
	for (int i = 0; i < FRAMES; i++) {
		frames[i] = (struct frame){.head = pool_get(elsewhere), .len = 60};
		memset(frames[i].head->data, 0, 60);
		frames[i].head->len = 60;
	}
	assert_int_equal(system("ip link del va"), 0);
	taken = w->ours->ops->tx(w->ours, frames, FRAMES, 0);
	for (int i = taken < 0 ? 0 : taken; i < FRAMES; i++)
		frame_release(&frames[i]);
	assert_int_equal(elsewhere->free_count, FRAMES);
	pool_destroy(elsewhere);
	assert_int_equal(veth_create("va", "vb"), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    over_packet(only_what_is_for_our_address_arrives),
	    over_packet(fragments_are_copied_into_the_ring),
	    over_packet(a_long_burst_arrives_whole),
	    over_packet(a_link_says_when_it_is_nearly_full),
	    over_packet(an_address_is_claimed_once),
	    over_packet(an_interface_that_takes_large_frames_gets_none),
	    over_packet(frames_are_released_once_when_the_interface_has_gone),
	    over_cutting(packet, a_large_frame_is_cut_and_nothing_overtakes_it),
	    over_xdp(only_what_is_for_our_address_arrives),
	    over_xdp(fragments_leave_from_where_they_lie),
	    over_xdp(what_lies_outside_the_umem_is_copied),
	    over_xdp(a_long_burst_arrives_whole),
	    over_xdp(a_link_says_when_it_is_nearly_full),
	    over_xdp(a_busy_queue_is_refused),
	    over_xdp(an_interface_that_takes_large_frames_gets_none),
	    over_xdp(frames_are_released_once_when_the_interface_has_gone),
	    over_cutting(xdp, a_large_frame_is_cut_and_nothing_overtakes_it),
	    over_busy_poll(the_kernel_is_asked_to_busy_poll),
	    over_busy_poll(only_what_is_for_our_address_arrives),
	    over_busy_poll(a_long_burst_arrives_whole),
	    over_large(native, large_frames_arrive_whole),
	    over_large(native, large_frames_leave_from_where_they_lie),
	    over_large(native, large_frames_from_elsewhere_are_copied),
	    over_large(generic, large_frames_arrive_whole),
	    over_large(generic, large_frames_leave_from_where_they_lie),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
