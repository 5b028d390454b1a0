/* Somebody else is where AF_XDP wants to be.
 *
 * SPDX-License-Identifier: MIT
 */
#include "link/claim.h"
#include "link/xdp_program.h"
#include "mem/map.h"
#include "patient.h"
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/if_link.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <xdp/xsk.h>

enum { OTHERS = 0x0a090007, UMEM_BYTES = 64 * 4096, RING = 16 };

static void a_program_is_attached(void)
{
	const int index = (int)if_nametoindex("va");
	struct xdp_program program;

	configure("  link: xdp\n");
	if (xdp_program_load(&program, OTHERS, false) < 0)
		leave_out("XDP programs may not be loaded here");
	check(bpf_xdp_attach(index, program.program_fd, XDP_FLAGS_SKB_MODE, NULL) == 0);
	expect_error("xdp-attached", EBUSY);
	repair("xdp-attached");
	expect_init(0, NULL);
	check(bpf_xdp_attach(index, program.program_fd, XDP_FLAGS_DRV_MODE, NULL) == 0);
	configure("");
	expect("xdp-attached", FINDING_WARNING);
	expect_init_warns("xdp-attached");
	repair("xdp-attached");
}

static void attach(void)
{
	struct xdp_program program;

	check(xdp_program_attach(&program, (int)if_nametoindex("va"), OTHERS, XDP_MODE_AUTO,
				 false) == 0);
}

static void another_process_has_attached_its_program(void)
{
	struct xdp_program program;

	configure("  link: xdp\n");
	if (xdp_program_load(&program, OTHERS, false) < 0)
		leave_out("XDP programs may not be loaded here");
	start(attach, 0);
	expect_error("xdp-attached", EBUSY);
	check(strncmp(expect("xdp-attached", FINDING_ERROR)->remedy, "sudo bpftool link detach id ",
		      28) == 0);
}

static void claim_and_attach(void)
{
	const struct ip_addr addr = ip4(OTHERS);

	check(claim_take("va", &addr) >= 0);
	attach();
}

/* One of ours, with an address of its own on the same interface. */
static void another_program_of_ours_has_attached_its_program(void)
{
	struct xdp_program program;
	char want[32];

	configure("  link: xdp\n");
	if (xdp_program_load(&program, OTHERS, false) < 0)
		leave_out("XDP programs may not be loaded here");
	snprintf(want, sizeof(want), "process %d (", (int)start(claim_and_attach, 0));
	expect_error("xdp-attached", EBUSY);
	check(strncmp(expect("xdp-attached", FINDING_ERROR)->what, want, strlen(want)) == 0);
	repair("xdp-attached");
	expect_init(0, NULL);
}

static void bind_queue(void)
{
	static struct xsk_ring_prod fill, send;
	static struct xsk_ring_cons completion, receive;
	const struct xsk_umem_config umem_cfg = {
	    .fill_size = RING, .comp_size = RING, .frame_size = 4096};
	const struct xsk_socket_config cfg = {
	    .rx_size = RING,
	    .tx_size = RING,
	    .libxdp_flags = XSK_LIBXDP_FLAGS__INHIBIT_PROG_LOAD,
	    .bind_flags = XDP_COPY,
	};
	struct xsk_socket *socket;
	struct xsk_umem *umem;
	size_t mapped;
	void *area = map_memory(UMEM_BYTES, &mapped);

	check(area != NULL);
	check(xsk_umem__create(&umem, area, UMEM_BYTES, &fill, &completion, &umem_cfg) == 0);
	check(xsk_socket__create(&socket, "va", 0, umem, &receive, &send, &cfg) == 0);
}

static void another_process_has_the_queue(void)
{
	struct xdp_program program;

	configure("  link: xdp\n");
	if (xdp_program_load(&program, OTHERS, false) < 0)
		leave_out("XDP programs may not be loaded here");
	start(bind_queue, 0);
	expect_error("xdp-queue-busy", EBUSY);
	configure("");
	expect("xdp-queue-busy", FINDING_WARNING);
	expect_init_warns("xdp-queue-busy");
}

int main(void)
{
	static const struct doctor_case cases[] = {
	    CASE(a_program_is_attached),
	    CASE(another_process_has_attached_its_program),
	    CASE(another_program_of_ours_has_attached_its_program),
	    CASE(another_process_has_the_queue),
	};

	return patient_run_all("xdp_taken", cases, sizeof(cases) / sizeof(cases[0]));
}
