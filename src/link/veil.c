/* veil.c - see veil.h. Written in the instructions themselves, and without libbpf, which a build
 * for packet sockets need not have.
 *
 * Source: the kernel's Documentation/bpf/standardization/instruction-set.rst, include/uapi/linux/
 * bpf.h.
 *
 * SPDX-License-Identifier: MIT
 */
#include "link/veil.h"
#include <errno.h>
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <stddef.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Newer than the headers that the distribution installs. */
enum { TCX_INGRESS = 46, VERDICT_NEXT = -1, VERDICT_DROP = 2 };

enum { ETH_TYPE = 12, IP_DESTINATION = ETH_HLEN + 16 /* RFC 791 3.1 */ };

static int call(enum bpf_cmd command, union bpf_attr *attr)
{
	long rc = syscall(SYS_bpf, command, attr, sizeof(*attr));

	return rc < 0 ? -errno : (int)rc;
}

static int load(const struct ip_addr *addr)
{
	/* Loads by offset need the context in r6; a packet that is shorter passes. */
	const struct bpf_insn code[] = {
	    {.code = BPF_ALU64 | BPF_MOV | BPF_X, .dst_reg = BPF_REG_6, .src_reg = BPF_REG_1},
	    {.code = BPF_LDX | BPF_MEM | BPF_W,
	     .dst_reg = BPF_REG_2,
	     .src_reg = BPF_REG_6,
	     .off = offsetof(struct __sk_buff, vlan_present)},
	    {.code = BPF_JMP | BPF_JNE | BPF_K, .dst_reg = BPF_REG_2, .off = 6},
	    {.code = BPF_LD | BPF_ABS | BPF_H, .imm = ETH_TYPE},
	    {.code = BPF_JMP32 | BPF_JNE | BPF_K, .dst_reg = BPF_REG_0, .off = 4, .imm = ETH_P_IP},
	    {.code = BPF_LD | BPF_ABS | BPF_W, .imm = IP_DESTINATION},
	    {.code = BPF_JMP32 | BPF_JNE | BPF_K,
	     .dst_reg = BPF_REG_0,
	     .off = 2,
	     .imm = (int32_t)ip4_get(addr)},
	    {.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = VERDICT_DROP},
	    {.code = BPF_JMP | BPF_EXIT},
	    {.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = VERDICT_NEXT},
	    {.code = BPF_JMP | BPF_EXIT},
	};
	union bpf_attr attr;

	memset(&attr, 0, sizeof(attr));
	attr.prog_type = BPF_PROG_TYPE_SCHED_CLS;
	attr.insns = (uintptr_t)code;
	attr.insn_cnt = sizeof(code) / sizeof(code[0]);
	attr.license = (uintptr_t) "MIT";
	return call(BPF_PROG_LOAD, &attr);
}

int veil_drop(int interface_index, const struct ip_addr *addr)
{
	int program_fd = load(addr), link_fd;
	union bpf_attr attr;

	if (program_fd < 0)
		return program_fd;
	memset(&attr, 0, sizeof(attr));
	attr.link_create.prog_fd = (uint32_t)program_fd;
	attr.link_create.target_ifindex = (uint32_t)interface_index;
	attr.link_create.attach_type = TCX_INGRESS;
	link_fd = call(BPF_LINK_CREATE, &attr);
	close(program_fd); /* the link has its own reference */
	return link_fd;
}
