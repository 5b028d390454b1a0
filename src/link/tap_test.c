/* A TAP, of which we are one end and AF_PACKET stands for the kernel's, in a network namespace of
 * the test's own. Skipped where none can be made, or there is no /dev/net/tun.
 *
 * SPDX-License-Identifier: MIT
 */
#include "base/bytes.h"
#include "base/checksum.h"
#include "base/clock.h"
#include "link/packet.h"
#include "link/tap.h"
#include "link/veth.h"
#include <errno.h>
#include <net/if.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

enum { OURS = 0x0a090001, KERNELS = 0x0a090002, MSS = 1000 };

struct world {
	struct link *ours, *kernel;
};

static int open_tap(struct link **out)
{
	const struct tap_options opt = {.interface = "tap0", .addr = ip4(OURS)};

	return tap_open(out, &opt);
}

static int setup(void **state)
{
	static int made = 1;
	const struct packet_options all = {.interface = "tap0", .claim_fd = -1};
	struct world *w;

	*state = NULL;
	if (made > 0)
		made = veth_namespace(NULL);
	if (made < 0 || access("/dev/net/tun", R_OK | W_OK) < 0)
		return 0;
	w = calloc(1, sizeof(*w));
	assert_int_equal(open_tap(&w->ours), 0);
	assert_int_equal(packet_open(&w->kernel, &all), 0);
	*state = w;
	return 0;
}

static int teardown(void **state)
{
	struct world *w = *state;

	if (w == NULL)
		return 0;
	if (w->ours)
		w->ours->ops->destroy(w->ours);
	w->kernel->ops->destroy(w->kernel);
	free(w);
	return 0;
}

static struct world *allowed(void **state)
{
	if (*state == NULL)
		skip(); /* no network namespace, or no /dev/net/tun */
	return *state;
}

/* The next frame on a link whose type is 0x88b5 (IEEE's for experiments) or IPv4, which the caller
 * drops; the kernel talks on it as well. NULL: none within 5 s. */
static struct buf *next(struct link *l)
{
	const uint64_t end_ns = clock_now_ns() + UINT64_C(5000000000);
	struct buf *b;

	do {
		if (l->ops->rx(l, &b, 1, 0) < 1)
			continue;
		if (get_be16(b->data + 12) == 0x88b5 || get_be16(b->data + 12) == 0x0800)
			return b;
		buf_unref(b);
	} while (clock_now_ns() < end_ns);
	return NULL;
}

static struct frame make(struct link *l, uint32_t len, uint8_t mark)
{
	struct frame f = {.head = pool_get(l->info.rx_pool), .len = len};

	assert_non_null(f.head);
	memset(f.head->data, 0, len);
	memset(f.head->data, 0xff, 6);
	put_be16(f.head->data + 12, 0x88b5);
	f.head->data[len - 1] = mark;
	f.head->len = len;
	return f;
}

static void expect(struct link *l, uint32_t len, uint8_t mark)
{
	struct buf *b = next(l);

	assert_non_null(b);
	assert_int_equal(b->len, len);
	assert_int_equal(b->data[len - 1], mark);
	buf_unref(b);
}

static void frames_go_both_ways(void **state)
{
	struct world *w = allowed(state);
	uint32_t free_before = w->ours->info.rx_pool->free_count;

	for (uint8_t mark = 1; mark < 200; mark++) {
		const uint32_t len = 14 + mark * 7u;
		struct frame out = make(w->ours, len, mark), in = make(w->kernel, len, mark);

		assert_int_equal(w->ours->ops->tx(w->ours, &out, 1, 0), 1);
		expect(w->kernel, len, mark);
		assert_int_equal(w->kernel->ops->tx(w->kernel, &in, 1, 0), 1);
		expect(w->ours, len, mark);
	}
	assert_int_equal(w->ours->info.rx_pool->free_count, free_before);
	assert_true(w->ours->rx_frames >= 199);
	assert_int_equal(w->ours->tx_frames, 199);
}

static void a_burst_arrives_in_order(void **state)
{
	struct world *w = allowed(state);
	struct frame frames[LINK_BURST];

	for (unsigned i = 0; i < LINK_BURST; i++)
		frames[i] = make(w->ours, 100, (uint8_t)i);
	assert_int_equal(w->ours->ops->tx(w->ours, frames, LINK_BURST, 0), LINK_BURST);
	for (unsigned i = 0; i < LINK_BURST; i++)
		expect(w->kernel, 100, (uint8_t)i);
}

static void fragments_leave_as_one_frame(void **state)
{
	struct world *w = allowed(state);
	struct buf *payload = pool_get(w->ours->info.rx_pool), *b;
	struct frame f = make(w->ours, 20, 1);

	for (unsigned i = 0; i < 600; i++)
		payload->data[i] = (uint8_t)(i * 3);
	for (unsigned i = 0; i < 3; i++)
		f.frags[i] = (struct frame_frag){buf_ref(payload), payload->data + i * 200, 200};
	f.nfrags = 3;
	f.len = 620;
	assert_int_equal(w->ours->ops->tx(w->ours, &f, 1, 0), 1);
	assert_true(buf_sole(payload)); /* the kernel has its copy */
	b = next(w->kernel);
	assert_non_null(b);
	assert_int_equal(b->len, 620);
	assert_memory_equal(b->data + 20, payload->data, 600);
	buf_unref(b);
	buf_unref(payload);
}

/* A TCP segment over IPv4 with `payload` bytes, whose checksum is the pseudo-header's sum. */
static struct frame make_tcp(struct link *l, uint32_t payload)
{
	struct frame f = make(l, 54 + payload, 0);
	uint8_t *ip = f.head->data + 14, *tcp = ip + 20;
	uint32_t sum;

	put_be16(f.head->data + 12, 0x0800);
	ip[0] = 0x45;
	put_be16(ip + 2, (uint16_t)(40 + payload));
	ip[8] = 64;
	ip[9] = 6;
	put_be32(ip + 12, OURS);
	put_be32(ip + 16, KERNELS);
	csum_store(ip + 10, csum_partial(ip, 20, 0));
	tcp[12] = 5 << 4;
	tcp[13] = 0x10;
	for (uint32_t i = 0; i < payload; i++)
		tcp[20 + i] = (uint8_t)(i * 11);
	sum = csum_add(csum_word((uint16_t)(20 + payload)), csum_word(6));
	sum = csum_partial(ip + 12, 8, sum);
	sum = csum_fold(sum);
	put_be16(tcp + 16, 0);
	memcpy(tcp + 16, &(uint16_t){(uint16_t)~sum}, 2);
	f.l3_offset = 14;
	f.l4_offset = 34;
	f.offload = OFFLOAD_L4_CSUM;
	return f;
}

/* The kernel takes it for good: it asks for no more than that the sum be there when it leaves. */
static void checksums_may_be_left_to_the_kernel(void **state)
{
	struct world *w = allowed(state);
	struct frame f;
	struct buf *b;

	assert_true(w->ours->info.offloads & OFFLOAD_L4_CSUM);
	assert_true(w->ours->info.offloads & OFFLOAD_RX_CSUM);
	f = make_tcp(w->ours, MSS);
	assert_int_equal(w->ours->ops->tx(w->ours, &f, 1, 0), 1);
	b = next(w->kernel);
	assert_non_null(b);
	assert_int_equal(b->len, 54 + MSS);
	assert_true(b->flags & BUF_CSUM_OK);
	buf_unref(b);
}

static void segmentation_may_be_left_to_the_kernel(void **state)
{
	struct world *w = allowed(state);
	struct frame f;
	struct buf *b;

	assert_true(w->ours->info.offloads & OFFLOAD_TSO);
	assert_true(w->ours->info.tso_max_bytes > 2 * MSS);
	f = make_tcp(w->ours, MSS + MSS / 2);
	f.offload |= OFFLOAD_TSO;
	f.tso_mss = MSS;
	assert_int_equal(w->ours->ops->tx(w->ours, &f, 1, 0), 1);
	/* It comes as one, longer than the MTU: not cut before it has to be. */
	b = next(w->kernel);
	assert_non_null(b);
	assert_int_equal(b->len, 54 + MSS + MSS / 2);
	buf_unref(b);
}

static void the_descriptor_wakes_when_a_frame_comes(void **state)
{
	struct world *w = allowed(state);
	struct pollfd wake = {.fd = w->ours->ops->wake_fd(w->ours), .events = POLLIN};
	struct frame f = make(w->kernel, 60, 9);
	struct buf *b;

	while (w->ours->ops->rx(w->ours, &b, 1, 0) == 1)
		buf_unref(b);
	assert_int_equal(w->kernel->ops->tx(w->kernel, &f, 1, 0), 1);
	assert_int_equal(poll(&wake, 1, 5000), 1);
	assert_int_equal(w->ours->ops->arm(w->ours), 1);
	expect(w->ours, 60, 9);
}

static int shape(const char *name, int set, int clear)
{
	struct ifreq req = {0};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), rc;

	strcpy(req.ifr_name, name);
	rc = ioctl(fd, SIOCGIFFLAGS, &req);
	req.ifr_flags = (short)((req.ifr_flags | set) & ~clear);
	if (rc == 0)
		rc = ioctl(fd, SIOCSIFFLAGS, &req);
	close(fd);
	return rc;
}

static void an_interface_that_is_down_loses_frames(void **state)
{
	struct world *w = allowed(state);
	struct frame f = make(w->ours, 60, 1);

	assert_int_equal(shape("tap0", 0, IFF_UP), 0);
	assert_int_equal(w->ours->ops->tx(w->ours, &f, 1, 0), 1);
	assert_true(w->ours->ops->arm(w->ours) >= 0);
	assert_int_equal(shape("tap0", IFF_UP, 0), 0);
	f = make(w->ours, 60, 2);
	assert_int_equal(w->ours->ops->tx(w->ours, &f, 1, 0), 1);
	expect(w->kernel, 60, 2);
}

/* What `ip link del` does: the descriptor stays, and is good for nothing. */
static void an_interface_that_is_gone_is_noticed(void **state)
{
	struct world *w = allowed(state);
	struct frame f = make(w->ours, 60, 1);
	struct buf *b;

	assert_int_equal(system("ip link del tap0"), 0);
	assert_int_equal(w->ours->ops->arm(w->ours), -ENODEV);
	assert_int_equal(w->ours->ops->rx(w->ours, &b, 1, 0), -ENODEV);
	assert_int_equal(w->ours->ops->tx(w->ours, &f, 1, 0), -ENODEV);
	frame_release(&f);
}

static void a_tap_has_one_end(void **state)
{
	struct world *w = allowed(state);
	struct link *second;

	assert_int_equal(open_tap(&second), -EBUSY);
	w->ours->ops->destroy(w->ours);
	w->ours = NULL;
	assert_int_equal(if_nametoindex("tap0"), 0); /* it went with its maker */
	assert_int_equal(open_tap(&w->ours), 0);
}

static void what_is_no_tap_is_refused(void **state)
{
	const struct tap_options lo = {.interface = "lo", .addr = ip4(OURS)};
	const struct tap_options long_name = {.interface = "a-name-of-16-char", .addr = ip4(OURS)};
	struct link *none;

	allowed(state);
	assert_int_equal(tap_open(&none, &lo), -EINVAL);
	assert_int_equal(tap_open(&none, &long_name), -ENODEV);
}

static void the_mac_is_made_of_the_address_or_given(void **state)
{
	static const uint8_t made[6] = {0x02, 0xde, 10, 9, 0, 1}, given[6] = {2, 0, 0, 0, 0, 7};
	const struct tap_options opt = {.interface = "tap1", .addr = ip4(OURS), .mac = given};
	struct world *w = allowed(state);
	struct link *second;

	assert_memory_equal(w->ours->info.mac, made, 6);
	assert_int_equal(w->ours->info.mtu, 1500);
	assert_int_equal(tap_open(&second, &opt), 0);
	assert_memory_equal(second->info.mac, given, 6);
	second->ops->destroy(second);
}

/* Made beforehand, as for a user without privileges; with one queue, or as many as one likes. */
static void one_that_was_made_before_stays(void **state)
{
	const struct tap_options one = {.interface = "tap2", .addr = ip4(OURS)};
	const struct tap_options many = {.interface = "tap3", .addr = ip4(OURS)};
	struct link *l;

	allowed(state);
	assert_int_equal(system("ip tuntap add dev tap2 mode tap"), 0);
	assert_int_equal(system("ip tuntap add dev tap3 mode tap multi_queue"), 0);
	assert_int_equal(tap_open(&l, &one), -ENETDOWN);
	for (unsigned i = 0; i < 2; i++) {
		assert_int_equal(shape(i ? "tap3" : "tap2", IFF_UP, 0), 0);
		assert_int_equal(tap_open(&l, i ? &many : &one), 0);
		l->ops->destroy(l);
		assert_true(if_nametoindex(i ? "tap3" : "tap2") > 0);
	}
	assert_int_equal(system("ip link del tap2 && ip link del tap3"), 0);
}

#define over_tap(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    over_tap(frames_go_both_ways),
	    over_tap(a_burst_arrives_in_order),
	    over_tap(fragments_leave_as_one_frame),
	    over_tap(checksums_may_be_left_to_the_kernel),
	    over_tap(segmentation_may_be_left_to_the_kernel),
	    over_tap(the_descriptor_wakes_when_a_frame_comes),
	    over_tap(an_interface_that_is_down_loses_frames),
	    over_tap(a_tap_has_one_end),
	    over_tap(what_is_no_tap_is_refused),
	    over_tap(the_mac_is_made_of_the_address_or_given),
	    over_tap(one_that_was_made_before_stays),
	    over_tap(an_interface_that_is_gone_is_noticed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
