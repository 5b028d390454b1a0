/* A kernel without frames of several chunks (before Linux 6.6): the linker puts it in the place of
 * this one.
 *
 * SPDX-License-Identifier: MIT
 */
#include "link/xdp.h"
#include "patient.h"
#include <errno.h>
#include <linux/if_xdp.h>
#include <stdio.h>
#include <sys/socket.h>
#include <xdp/xsk.h>

#ifndef XDP_USE_SG
#define XDP_USE_SG (1 << 4)
#endif

int __real_bind(int fd, const struct sockaddr *to, socklen_t bytes);
int __wrap_bind(int fd, const struct sockaddr *to, socklen_t bytes);
int __wrap_bind(int fd, const struct sockaddr *to, socklen_t bytes)
{
	const struct sockaddr_xdp *xdp = (const void *)to;

	if (to->sa_family == AF_XDP && xdp->sxdp_flags & XDP_USE_SG) {
		errno = EINVAL;
		return -1;
	}
	return __real_bind(fd, to, bytes);
}

int __real_xsk_socket__create(struct xsk_socket **xsk, const char *name, __u32 queue,
			      struct xsk_umem *umem, struct xsk_ring_cons *rx,
			      struct xsk_ring_prod *tx, const struct xsk_socket_config *config);
int __wrap_xsk_socket__create(struct xsk_socket **xsk, const char *name, __u32 queue,
			      struct xsk_umem *umem, struct xsk_ring_cons *rx,
			      struct xsk_ring_prod *tx, const struct xsk_socket_config *config);
int __wrap_xsk_socket__create(struct xsk_socket **xsk, const char *name, __u32 queue,
			      struct xsk_umem *umem, struct xsk_ring_cons *rx,
			      struct xsk_ring_prod *tx, const struct xsk_socket_config *config)
{
	if (config->bind_flags & XDP_USE_SG)
		return -EINVAL;
	return __real_xsk_socket__create(xsk, name, queue, umem, rx, tx, config);
}

static void the_mtu_is_more_than_a_chunk(void)
{
	struct xdp_program program;

	if (xdp_program_load(&program, 0, false) < 0)
		leave_out("XDP programs may not be loaded here");
	command("ip link set dev va mtu 9000");
	configure("  link: xdp\n");
	expect("xdp-mtu", FINDING_ERROR);
	expect_init(EMSGSIZE, "xdp-mtu");
	configure("");
	expect("xdp-mtu", FINDING_WARNING);
	expect_init_warns("xdp-mtu");
	configure("  link: xdp\n");
	repair("xdp-mtu");
	expect_init(0, NULL);
}

static void the_mtu_is_the_largest_that_fits_a_chunk(void)
{
	struct xdp_program program;

	if (xdp_program_load(&program, 0, false) < 0)
		leave_out("XDP programs may not be loaded here");
	configure("  link: xdp\n");
	command("ip link set dev va mtu %d", XDP_CHUNK_MTU + 1);
	expect_init(EMSGSIZE, "xdp-mtu");
	command("ip link set dev va mtu %d", XDP_CHUNK_MTU);
	expect_none("xdp-mtu");
	expect_init(0, NULL);
}

int main(void)
{
	static const struct doctor_case cases[] = {
	    CASE(the_mtu_is_more_than_a_chunk),
	    CASE(the_mtu_is_the_largest_that_fits_a_chunk),
	};

	return patient_run_all("old_kernel", cases, sizeof(cases) / sizeof(cases[0]));
}
