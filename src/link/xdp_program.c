/* xdp_program.c - see xdp_program.h. Written in the instructions themselves: thirty of them are not
 * worth a compiler at build time.
 *
 * Source: the kernel's Documentation/bpf/standardization/instruction-set.rst,
 * Documentation/networking/af_xdp.rst.
 *
 * SPDX-License-Identifier: MIT
 */
#include "link/xdp_program.h"
#include <bpf/bpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/if_link.h>
#include <stddef.h>
#include <unistd.h>

#define LOAD(size, to, from, at)                                                                   \
	{                                                                                          \
		.code = BPF_LDX | BPF_MEM | (size), .dst_reg = (to), .src_reg = (from),            \
		.off = (at)                                                                        \
	}
#define MOVE(to, from)                                                                             \
	{                                                                                          \
		.code = BPF_ALU64 | BPF_MOV | BPF_X, .dst_reg = (to), .src_reg = (from)            \
	}
#define MOVE_CONST(to, value)                                                                      \
	{                                                                                          \
		.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = (to), .imm = (int32_t)(value)      \
	}
#define ADD_CONST(to, value)                                                                       \
	{                                                                                          \
		.code = BPF_ALU64 | BPF_ADD | BPF_K, .dst_reg = (to), .imm = (value)               \
	}
#define JUMP_GREATER(a, b, to)                                                                     \
	{                                                                                          \
		.code = BPF_JMP | BPF_JGT | BPF_X, .dst_reg = (a), .src_reg = (b), .off = (to)     \
	}
#define JUMP_NOT_EQUAL(a, value, to)                                                               \
	{                                                                                          \
		.code = BPF_JMP32 | BPF_JNE | BPF_K, .dst_reg = (a), .off = (to),                  \
		.imm = (int32_t)(value)                                                            \
	}
#define LOAD_MAP(to, fd)                                                                           \
	{.code = BPF_LD | BPF_DW | BPF_IMM,                                                        \
	 .dst_reg = (to),                                                                          \
	 .src_reg = BPF_PSEUDO_MAP_FD,                                                             \
	 .imm = (fd)},                                                                             \
	{                                                                                          \
		.code = 0                                                                          \
	}
#define CALL(function)                                                                             \
	{                                                                                          \
		.code = BPF_JMP | BPF_CALL, .imm = (function)                                      \
	}
#define EXIT()                                                                                     \
	{                                                                                          \
		.code = BPF_JMP | BPF_EXIT                                                         \
	}

enum {
	ARP_TARGET = ETH_HLEN + 24,     /* RFC 826: the target protocol address */
	IP_DESTINATION = ETH_HLEN + 16, /* RFC 791 3.1 */
};

static int load(int map_fd, uint32_t addr, uint32_t flags)
{
	const uint32_t wire_addr = __builtin_bswap32(addr);
	const struct bpf_insn code[] = {
	    /* r2 = first byte, r3 = end; each load is proved to lie between them. */
	    LOAD(BPF_W, BPF_REG_2, BPF_REG_1, offsetof(struct xdp_md, data)),
	    LOAD(BPF_W, BPF_REG_3, BPF_REG_1, offsetof(struct xdp_md, data_end)),
	    MOVE(BPF_REG_4, BPF_REG_2),
	    ADD_CONST(BPF_REG_4, IP_DESTINATION + 4),
	    JUMP_GREATER(BPF_REG_4, BPF_REG_3, 16), /* shorter than IPv4 in Ethernet: pass */
	    LOAD(BPF_H, BPF_REG_5, BPF_REG_2, 12),
	    JUMP_NOT_EQUAL(BPF_REG_5, __builtin_bswap16(ETH_P_IP), 2),
	    LOAD(BPF_W, BPF_REG_5, BPF_REG_2, IP_DESTINATION),
	    {.code = BPF_JMP | BPF_JA, .off = 5}, /* to the comparison */
	    JUMP_NOT_EQUAL(BPF_REG_5, __builtin_bswap16(ETH_P_ARP), 11),
	    MOVE(BPF_REG_4, BPF_REG_2),
	    ADD_CONST(BPF_REG_4, ARP_TARGET + 4),
	    JUMP_GREATER(BPF_REG_4, BPF_REG_3, 8),
	    LOAD(BPF_W, BPF_REG_5, BPF_REG_2, ARP_TARGET),
	    JUMP_NOT_EQUAL(BPF_REG_5, wire_addr, 6),
	    LOAD(BPF_W, BPF_REG_2, BPF_REG_1, offsetof(struct xdp_md, rx_queue_index)),
	    LOAD_MAP(BPF_REG_1, map_fd),
	    MOVE_CONST(BPF_REG_3, XDP_PASS), /* a queue without a socket */
	    CALL(BPF_FUNC_redirect_map),
	    EXIT(),
	    MOVE_CONST(BPF_REG_0, XDP_PASS),
	    EXIT(),
	};
	struct bpf_prog_load_opts opts = {.sz = sizeof(opts), .prog_flags = flags};
	int fd = bpf_prog_load(BPF_PROG_TYPE_XDP, "demikernel", "GPL", code,
			       sizeof(code) / sizeof(code[0]), &opts);

	return fd < 0 ? -errno : fd;
}

static int attach(struct xdp_program *p, int interface_index, uint32_t flags)
{
	struct bpf_link_create_opts opts = {.sz = sizeof(opts), .flags = flags};

	p->link_fd = bpf_link_create(p->program_fd, interface_index, BPF_XDP, &opts);
	if (p->link_fd < 0)
		return errno == EEXIST ? -EBUSY : -errno; /* one in the other mode is in the way */
	p->generic = flags == XDP_FLAGS_SKB_MODE;
	return 0;
}

int xdp_program_load(struct xdp_program *p, uint32_t addr, bool large)
{
	int rc;

	*p = (struct xdp_program){-1, -1, -1, false};
	p->map_fd = bpf_map_create(BPF_MAP_TYPE_XSKMAP, "demikernel_xsk", sizeof(uint32_t),
				   sizeof(int), XDP_PROGRAM_QUEUES, NULL);
	if (p->map_fd < 0)
		return -errno;
	rc = load(p->map_fd, addr, large ? BPF_F_XDP_HAS_FRAGS : 0);
	if (rc == -EINVAL && large) /* older than Linux 5.18 */
		rc = load(p->map_fd, addr, 0);
	if (rc < 0) {
		xdp_program_detach(p);
		return rc;
	}
	p->program_fd = rc;
	return 0;
}

int xdp_program_attach(struct xdp_program *p, int interface_index, uint32_t addr,
		       enum xdp_mode mode, bool large)
{
	int rc = xdp_program_load(p, addr, large);

	if (rc < 0)
		return rc;
	rc =
	    mode == XDP_MODE_GENERIC ? -EOPNOTSUPP : attach(p, interface_index, XDP_FLAGS_DRV_MODE);
	if (rc < 0 && rc != -EBUSY && rc != -EPERM && mode != XDP_MODE_NATIVE)
		rc = attach(p, interface_index, XDP_FLAGS_SKB_MODE);
	if (rc < 0)
		xdp_program_detach(p);
	return rc;
}

static bool attaches(uint32_t link, uint32_t program)
{
	struct bpf_link_info info = {0};
	uint32_t bytes = sizeof(info);
	int fd = bpf_link_get_fd_by_id(link);
	bool found;

	if (fd < 0)
		return false;
	found = bpf_obj_get_info_by_fd(fd, &info, &bytes) == 0 && info.prog_id == program;
	close(fd);
	return found;
}

uint32_t xdp_program_link(uint32_t program)
{
	uint32_t link = 0;

	while (bpf_link_get_next_id(link, &link) == 0) {
		if (attaches(link, program))
			return link;
	}
	return 0;
}

int xdp_program_add(const struct xdp_program *p, uint32_t queue, int socket_fd)
{
	return bpf_map_update_elem(p->map_fd, &queue, &socket_fd, BPF_ANY) < 0 ? -errno : 0;
}

void xdp_program_detach(struct xdp_program *p)
{
	if (p->link_fd >= 0)
		close(p->link_fd);
	if (p->program_fd >= 0)
		close(p->program_fd);
	if (p->map_fd >= 0)
		close(p->map_fd);
	*p = (struct xdp_program){-1, -1, -1, false};
}
