/* raw_xdp.c - see raw_frames.h: AF_XDP in copy mode, behind the driver, which is what is fastest on
 * veth, with the library's own XDP program in front.
 *
 * SPDX-License-Identifier: MIT
 */
#include "raw_frames.h"

#include "link/xdp_program.h"
#include "yardstick.h"

#include <errno.h>
#include <net/if.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>
#include <xdp/xsk.h>

enum {
	CHUNK = 4096,
	BIND_TRIES = 500,
	BIND_PAUSE_US = 10000,
};

static struct xsk_ring_prod fill, out;
static struct xsk_ring_cons in, completion;
static struct xsk_socket *xsk;
static struct xdp_program program;
static uint8_t *area; /* chunks to send from, `slots` of them, then as many to receive into */
static unsigned slots, next_out;

static void give(uint64_t addr)
{
	uint32_t at;

	while (xsk_ring_prod__reserve(&fill, 1, &at) != 1)
		;
	*xsk_ring_prod__fill_addr(&fill, at) = addr;
	xsk_ring_prod__submit(&fill, 1);
}

static void make_socket(const char *interface)
{
	const struct xsk_umem_config umem_shape = {
	    .fill_size = slots, .comp_size = slots, .frame_size = CHUNK};
	const struct xsk_socket_config shape = {
	    .rx_size = slots,
	    .tx_size = slots,
	    .libxdp_flags = XSK_LIBXDP_FLAGS__INHIBIT_PROG_LOAD,
	    .bind_flags = XDP_COPY | XDP_USE_NEED_WAKEUP,
	};
	struct xsk_umem *umem;

	area = mmap(NULL, 2 * (size_t)slots * CHUNK, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	if (area == MAP_FAILED)
		die("no memory");
	errno = -xsk_umem__create(&umem, area, 2 * (size_t)slots * CHUNK, &fill, &completion,
				  &umem_shape);
	if (errno)
		die("cannot make a UMEM");
	/* A process that has just ended may still have the queue for a moment. */
	for (int i = 0; i < BIND_TRIES; i++) {
		errno = -xsk_socket__create(&xsk, interface, 0, umem, &in, &out, &shape);
		if (errno != EBUSY)
			break;
		usleep(BIND_PAUSE_US);
	}
	if (errno)
		die("cannot bind to queue 0");
}

void raw_open(const char *interface, uint32_t addr, unsigned wanted)
{
	slots = wanted;
	errno = -xdp_program_attach(&program, (int)if_nametoindex(interface), addr,
				    XDP_MODE_GENERIC, false);
	if (errno)
		die("cannot attach an XDP program");
	make_socket(interface);
	for (uint64_t i = 0; i < slots; i++)
		give((slots + i) * CHUNK);
	errno = -xdp_program_add(&program, 0, xsk_socket__fd(xsk));
	if (errno)
		die("cannot direct frames to the socket");
}

static void take_completions(void)
{
	uint32_t at, n = xsk_ring_cons__peek(&completion, slots, &at);

	xsk_ring_cons__release(&completion, n);
}

void raw_put(const void *frame, size_t len)
{
	uint64_t addr = (uint64_t)next_out * CHUNK;
	struct xdp_desc *d;
	uint32_t at;

	take_completions();
	while (xsk_ring_prod__reserve(&out, 1, &at) != 1)
		take_completions();
	memcpy(area + addr, frame, len);
	d = xsk_ring_prod__tx_desc(&out, at);
	*d = (struct xdp_desc){.addr = addr, .len = (uint32_t)len};
	xsk_ring_prod__submit(&out, 1);
	next_out = (next_out + 1) & (slots - 1);
}

/* EAGAIN: a call sends no more than a burst, and something is left. */
void raw_flush(void)
{
	while (sendto(xsk_socket__fd(xsk), NULL, 0, MSG_DONTWAIT, NULL, 0) < 0) {
		if (errno != EAGAIN)
			die("cannot send");
	}
}

size_t raw_try_receive(void *frame)
{
	const struct xdp_desc *d;
	uint32_t at;
	size_t len;

	if (xsk_ring_cons__peek(&in, 1, &at) == 0)
		return 0;
	d = xsk_ring_cons__rx_desc(&in, at);
	len = d->len < RAW_MAX_BYTES ? d->len : RAW_MAX_BYTES;
	memcpy(frame, area + d->addr, len);
	give(d->addr - d->addr % CHUNK);
	xsk_ring_cons__release(&in, 1);
	return len;
}
