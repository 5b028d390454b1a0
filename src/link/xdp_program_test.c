/* The XDP program, run by the kernel on frames of the test's (BPF_PROG_TEST_RUN): what it takes,
 * and what it leaves to the kernel. Skipped where programs may not be loaded.
 *
 * SPDX-License-Identifier: MIT
 */
#include "base/bytes.h"
#include "link/xdp_program.h"
#include <bpf/bpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

enum {
	OURS = 0x0a090001,
	IP = 0x0800,
	ARP = 0x0806,
	IP_TO = 30, /* where the destination is */
	ARP_TO = 38,
	FRAME_BYTES = 64,
	OUT_BYTES = 16384,
};

struct world {
	struct xdp_program program;
	int socket; /* stands for the queue's; the test frames come on queue 0 */
};

static int setup(void **state)
{
	static struct world w;

	*state = NULL;
	if (xdp_program_load(&w.program, OURS, false) < 0)
		return 0;
	w.socket = socket(AF_XDP, SOCK_RAW | SOCK_CLOEXEC, 0);
	assert_true(w.socket >= 0);
	*state = &w;
	return 0;
}

static int teardown(void **state)
{
	struct world *w = *state;

	if (w) {
		xdp_program_detach(&w->program);
		close(w->socket);
	}
	return 0;
}

static struct world *loaded(void **state)
{
	if (*state == NULL)
		skip(); /* programs may not be loaded here */
	return *state;
}

static struct world *listening(void **state)
{
	struct world *w = loaded(state);

	assert_int_equal(xdp_program_add(&w->program, 0, w->socket), 0);
	return w;
}

/* What becomes of a frame, which stays as it is. */
static uint32_t verdict(const struct world *w, const uint8_t *frame, uint32_t len)
{
	static uint8_t out[OUT_BYTES];
	struct bpf_test_run_opts opts = {.sz = sizeof(opts),
					 .data_in = frame,
					 .data_size_in = len,
					 .data_out = out,
					 .data_size_out = sizeof(out)};

	assert_int_equal(bpf_prog_test_run_opts(w->program.program_fd, &opts), 0);
	assert_int_equal(opts.data_size_out, len);
	assert_memory_equal(out, frame, len);
	return opts.retval;
}

static void fill(uint8_t frame[FRAME_BYTES], uint16_t type, uint32_t at, uint32_t addr)
{
	for (unsigned i = 0; i < FRAME_BYTES; i++)
		frame[i] = (uint8_t)(i * 7);
	put_be16(frame + 12, type);
	put_be32(frame + at, addr);
}

static uint32_t verdict_on(const struct world *w, uint16_t type, uint32_t at, uint32_t addr)
{
	uint8_t frame[FRAME_BYTES];

	fill(frame, type, at, addr);
	return verdict(w, frame, sizeof(frame));
}

static void packets_to_our_address_are_taken(void **state)
{
	const struct world *w = listening(state);
	uint8_t frame[FRAME_BYTES];

	fill(frame, IP, IP_TO, OURS);
	for (unsigned protocol = 0; protocol < 256; protocol++) {
		frame[23] = (uint8_t)protocol; /* TCP, UDP, ICMP ... */
		assert_int_equal(verdict(w, frame, sizeof(frame)), XDP_REDIRECT);
	}
	put_be16(frame + 20, 0x2001); /* a fragment */
	assert_int_equal(verdict(w, frame, sizeof(frame)), XDP_REDIRECT);
}

static void packets_to_other_addresses_pass(void **state)
{
	const struct world *w = listening(state);

	for (unsigned bit = 0; bit < 32; bit++)
		assert_int_equal(verdict_on(w, IP, IP_TO, OURS ^ 1u << bit), XDP_PASS);
	assert_int_equal(verdict_on(w, IP, IP_TO, 0xffffffff), XDP_PASS);
	assert_int_equal(verdict_on(w, IP, IP_TO, 0xe0000001), XDP_PASS);
	assert_int_equal(verdict_on(w, IP, IP_TO - 4, OURS), XDP_PASS); /* from our address */
	assert_int_equal(verdict_on(w, IP, ARP_TO, OURS), XDP_PASS);
}

static void arp_for_our_address_is_taken(void **state)
{
	const struct world *w = listening(state);
	uint8_t frame[FRAME_BYTES];

	fill(frame, ARP, ARP_TO, OURS);
	for (uint16_t operation = 1; operation <= 2; operation++) { /* request, reply */
		put_be16(frame + 20, operation);
		assert_int_equal(verdict(w, frame, sizeof(frame)), XDP_REDIRECT);
	}
	memset(frame, 0xff, 6);
	assert_int_equal(verdict(w, frame, sizeof(frame)), XDP_REDIRECT);
}

static void arp_for_others_passes(void **state)
{
	const struct world *w = listening(state);

	for (unsigned bit = 0; bit < 32; bit++)
		assert_int_equal(verdict_on(w, ARP, ARP_TO, OURS ^ 1u << bit), XDP_PASS);
	assert_int_equal(verdict_on(w, ARP, IP_TO, OURS), XDP_PASS);
}

static void other_protocols_pass(void **state)
{
	static const uint16_t types[] = {0x86dd, 0x8100, 0x88a8, 0x88cc, 0x0600, 0x0008, 0};
	const struct world *w = listening(state);

	for (unsigned i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		assert_int_equal(verdict_on(w, types[i], IP_TO, OURS), XDP_PASS);
		assert_int_equal(verdict_on(w, types[i], ARP_TO, OURS), XDP_PASS);
	}
}

static void frames_that_end_before_the_address_pass(void **state)
{
	const struct world *w = listening(state);
	uint8_t frame[FRAME_BYTES];

	fill(frame, IP, IP_TO, OURS);
	for (uint32_t len = 14; len < FRAME_BYTES; len++)
		assert_int_equal(verdict(w, frame, len),
				 len >= IP_TO + 4 ? XDP_REDIRECT : XDP_PASS);
	fill(frame, ARP, ARP_TO, OURS);
	for (uint32_t len = 14; len < FRAME_BYTES; len++)
		assert_int_equal(verdict(w, frame, len),
				 len >= ARP_TO + 4 ? XDP_REDIRECT : XDP_PASS);
}

static void what_comes_on_a_queue_without_a_socket_passes(void **state)
{
	const struct world *w = loaded(state);

	assert_int_equal(verdict_on(w, IP, IP_TO, OURS), XDP_PASS);
	assert_int_equal(xdp_program_add(&w->program, 1, w->socket), 0);
	assert_int_equal(verdict_on(w, IP, IP_TO, OURS), XDP_PASS);
	assert_int_equal(xdp_program_add(&w->program, 0, w->socket), 0);
	assert_int_equal(verdict_on(w, IP, IP_TO, OURS), XDP_REDIRECT);
	assert_true(xdp_program_add(&w->program, XDP_PROGRAM_QUEUES, w->socket) < 0);
}

static void a_program_for_large_frames_takes_the_same(void **state)
{
	const struct world *w = loaded(state);
	struct world large = {.socket = w->socket};

	assert_int_equal(xdp_program_load(&large.program, OURS, true), 0);
	assert_int_equal(xdp_program_add(&large.program, 0, large.socket), 0);
	assert_int_equal(verdict_on(&large, IP, IP_TO, OURS), XDP_REDIRECT);
	assert_int_equal(verdict_on(&large, IP, IP_TO, OURS + 1), XDP_PASS);
	xdp_program_detach(&large.program);
}

#define with_program(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    with_program(packets_to_our_address_are_taken),
	    with_program(packets_to_other_addresses_pass),
	    with_program(arp_for_our_address_is_taken),
	    with_program(arp_for_others_passes),
	    with_program(other_protocols_pass),
	    with_program(frames_that_end_before_the_address_pass),
	    with_program(what_comes_on_a_queue_without_a_socket_passes),
	    with_program(a_program_for_large_frames_takes_the_same),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
