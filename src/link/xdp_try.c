/* xdp_try.c - a socket that binds a queue and goes, to see whether it could be had. Copy mode, so
 * that the device sees nothing of it.
 *
 * Source: the kernel's Documentation/networking/af_xdp.rst.
 *
 * SPDX-License-Identifier: MIT
 */
#include "link/xdp.h"
#include <errno.h>
#include <linux/if_xdp.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

/* Newer than the headers that the distribution installs (linux/if_xdp.h of Linux 6.6). */
#ifndef XDP_USE_SG
#define XDP_USE_SG (1 << 4)
#endif

enum { TRY_RING = 2, TRY_BYTES = 2 * XDP_CHUNK_BYTES };

static int set(int fd, int option, const void *value, socklen_t bytes)
{
	return setsockopt(fd, SOL_XDP, option, value, bytes) < 0 ? -errno : 0;
}

/* What a socket needs before it can be bound: memory, and rings. */
static int equip(int fd, void *memory)
{
	const struct xdp_umem_reg umem = {
	    .addr = (uintptr_t)memory, .len = TRY_BYTES, .chunk_size = XDP_CHUNK_BYTES};
	static const int rings[] = {XDP_UMEM_FILL_RING, XDP_UMEM_COMPLETION_RING, XDP_RX_RING};
	const int slots = TRY_RING;
	int rc = set(fd, XDP_UMEM_REG, &umem, sizeof(umem));

	for (unsigned i = 0; rc == 0 && i < sizeof(rings) / sizeof(rings[0]); i++)
		rc = set(fd, rings[i], &slots, sizeof(slots));
	return rc;
}

static int try_once(int interface_index, uint32_t queue, bool large)
{
	const struct sockaddr_xdp to = {.sxdp_family = AF_XDP,
					.sxdp_ifindex = (uint32_t)interface_index,
					.sxdp_queue_id = queue,
					.sxdp_flags = large ? XDP_COPY | XDP_USE_SG : XDP_COPY};
	int fd = socket(AF_XDP, SOCK_RAW | SOCK_CLOEXEC, 0), rc;
	void *memory;

	if (fd < 0)
		return -errno;
	memory = mmap(NULL, TRY_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	rc = memory == MAP_FAILED ? -errno : equip(fd, memory);
	if (rc == 0 && bind(fd, (const struct sockaddr *)&to, sizeof(to)) < 0)
		rc = -errno;
	close(fd);
	if (memory != MAP_FAILED)
		munmap(memory, TRY_BYTES);
	return rc;
}

int xdp_try_queue(int interface_index, uint32_t queue, bool large)
{
	const struct timespec pause = {.tv_nsec = 10000000};
	int rc = try_once(interface_index, queue, large);

	for (unsigned i = 0; rc == -EBUSY && i < XDP_BIND_TRIES; i++) {
		nanosleep(&pause, NULL);
		rc = try_once(interface_index, queue, large);
	}
	return rc;
}
