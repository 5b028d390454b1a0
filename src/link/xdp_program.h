/* xdp_program.h - the XDP program that takes our address's frames out of an interface's traffic,
 * and leaves the rest to the kernel.
 *
 * It redirects ARP for our address, and IPv4 packets to it, into the AF_XDP socket of the queue on
 * which they arrived; everything else, and what arrives on a queue without a socket, passes. It is
 * attached by a bpf_link, which the kernel drops with the last descriptor of it: nothing stays
 * behind a process that was killed.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef LINK_XDP_PROGRAM_H
#define LINK_XDP_PROGRAM_H

#include <stdbool.h>
#include <stdint.h>

enum { XDP_PROGRAM_QUEUES = 64 }; /* queues of an interface that can have a socket */

struct xdp_program {
	int map_fd, program_fd, link_fd; /* -1: none */
	bool generic;                    /* attached behind the driver: any driver can */
};

enum xdp_mode { XDP_MODE_AUTO, XDP_MODE_NATIVE, XDP_MODE_GENERIC };

/* Loads the program for an IPv4 address (host order), attached to nothing yet; large: for frames
 * that are larger than a page, where the kernel has them. 0, -EPERM, or why not. */
int xdp_program_load(struct xdp_program *p, uint32_t addr, bool large);

/* Loads it and attaches it to the interface: in the driver, or, by `mode` or where the driver
 * cannot, behind it. 0; -EPERM, -EBUSY (another program is attached), or why not. */
int xdp_program_attach(struct xdp_program *p, int interface_index, uint32_t addr,
		       enum xdp_mode mode, bool large);

/* The number of the bpf_link by which the program with this number is attached; 0: there is none,
 * or this process may not look. */
uint32_t xdp_program_link(uint32_t program);

/* Lets frames of a queue go to an AF_XDP socket. 0 or -errno. */
int xdp_program_add(const struct xdp_program *p, uint32_t queue, int socket_fd);

/* Detaches. In the child of a fork only the descriptors go: the parent's keep it attached. */
void xdp_program_detach(struct xdp_program *p);

#endif
