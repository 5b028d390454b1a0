/* What hinders catpowder: each finding provoked, and repaired.
 *
 * SPDX-License-Identifier: MIT
 */
#include "libos/catpowder.h"
#include "link/claim.h"
#include "base/config.h"
#include "link/interface_facts.h"
#include "patient.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { OURS = 0x0a090001 };

static void no_interface_is_named(void)
{
	configure_all("catpowder", "demikernel:\n  local_ipv4_addr: 10.9.0.1/24\n");
	expect_error("interface-missing", EINVAL);
	repair("interface-missing");
	expect_init(0, NULL);
}

static void nothing_is_named(void)
{
	configure_all("catpowder", "{}\n");
	expect_none("address-missing");
	expect_error("interface-missing", EINVAL);
	repair("interface-missing");
	expect_init(0, NULL);
}

static void the_interface_is_not_there(void)
{
	configure_all("catpowder", "demikernel:\n  local_ipv4_addr: 10.9.0.1/24\n"
				   "raw_socket:\n  linux_interface_name: nosuchif\n");
	expect_error("interface-unknown", ENODEV);
	repair("interface-unknown");
	expect_init(0, NULL);
}

static void the_interface_number_is_nobodys(void)
{
	configure_all("catpowder", "demikernel:\n  local_ipv4_addr: 10.9.0.1/24\n"
				   "raw_socket:\n  xdp_interface_index: 12345\n");
	expect_error("interface-unknown", EINVAL);
	repair("interface-unknown");
	expect_init(0, NULL);
}

static void the_interface_is_not_ethernet(void)
{
	configure_all("catpowder", "demikernel:\n  local_ipv4_addr: 10.9.0.1/24\n"
				   "raw_socket:\n  linux_interface_name: lo\n");
	expect_error("interface-not-ethernet", EINVAL);
	repair("interface-not-ethernet");
	expect_init(0, NULL);
}

static void the_interface_is_down(void)
{
	configure("");
	command("ip link set dev va down");
	expect_error("interface-down", ENETDOWN);
	repair("interface-down");
	expect_init(0, NULL);
}

static void the_other_end_is_down(void)
{
	configure("");
	command("ip link set dev vb down");
	expect("interface-no-carrier", FINDING_WARNING);
	expect_tool("interface-no-carrier", 0);
	repair("interface-no-carrier");
}

static void the_other_end_is_down_in_another_namespace(void)
{
	pid_t other = start(NULL, -1);

	configure("");
	command("ip link set dev vb netns %d", (int)other);
	expect("interface-no-carrier", FINDING_WARNING);
	expect_tool("interface-no-carrier", 0);
	repair("interface-no-carrier");
	expect("veth-offloads", FINDING_WARNING);
	repair("veth-offloads");
}

static void the_other_end_is_where_nobody_lives(void)
{
	pid_t other = start(NULL, -1);
	char path[64];

	configure("");
	command("ip link set dev vb netns %d", (int)other);
	snprintf(path, sizeof(path), "/proc/%d/ns/net", (int)other);
	check(open(path, O_RDONLY | O_CLOEXEC) >= 0); /* keeps it */
	check(kill(other, SIGKILL) == 0 && waitpid(other, NULL, 0) == other);
	check(strstr(expect("veth-peer-hidden", FINDING_NOTE)->remedy, "ethtool -K PEER tx off"));
	expect_tool("veth-peer-hidden", 0);
	expect_none("veth-offloads");
}

static void no_address_is_given(void)
{
	configure_all("catpowder", "raw_socket:\n  linux_interface_name: va\n");
	expect_error("address-missing", EINVAL);
	repair("address-missing");
	expect_init(0, NULL);
}

static void the_address_is_no_hosts(void)
{
	static const char *const addresses[] = {"127.0.0.1", "10.9.0.0/20", "10.9.15.255/20"};

	for (unsigned i = 0; i < sizeof(addresses) / sizeof(addresses[0]); i++) {
		char yaml[160];

		snprintf(yaml, sizeof(yaml),
			 "demikernel:\n  local_ipv4_addr: %s\n"
			 "raw_socket:\n  linux_interface_name: va\n",
			 addresses[i]);
		unsetenv("LOCAL_IPV4_ADDR"); /* of the repair before */
		configure_all("catpowder", yaml);
		expect_error("address-not-of-a-host", EINVAL);
		repair("address-not-of-a-host");
		expect_init(0, NULL);
	}
}

static void the_kernel_has_the_address(void)
{
	configure("");
	command("ip addr add 10.9.0.1/20 dev va");
	expect_error("address-of-kernel", EADDRINUSE);
	repair("address-of-kernel");
	expect_init(0, NULL);
}

static void the_kernel_has_the_address_elsewhere(void)
{
	configure("");
	command("ip addr add 10.9.0.1/32 dev lo");
	expect("address-of-kernel-elsewhere", FINDING_WARNING);
	expect_init(0, NULL);
	repair("address-of-kernel-elsewhere");
}

static void claim(void)
{
	const struct ip_addr addr = ip4(OURS);

	check(claim_take("va", &addr) >= 0);
}

static void another_process_has_the_address(void)
{
	const struct finding *f;
	char pid[32];

	configure("");
	snprintf(pid, sizeof(pid), "process %d ", (int)start(claim, 0));
	f = expect("address-taken", FINDING_ERROR);
	check(strncmp(f->what, pid, strlen(pid)) == 0);
	expect_error("address-taken", EBUSY);
	repair("address-taken");
	expect_init(0, NULL);
}

static void this_process_has_as_many_instances_as_it_may(void)
{
	configure("");
	claim();
	check(strstr(expect("address-taken", FINDING_ERROR)->what, "instances is 1"));
	check(strstr(expect("address-taken", FINDING_ERROR)->remedy, "raw_socket.instances"));
}

static void the_mtu_is_more_than_the_interfaces(void)
{
	configure("");
	setenv("MTU", "9000", 1);
	expect_error("mtu-too-large", EINVAL);
	repair("mtu-too-large");
	expect_init(0, NULL);
}

static void raw_sockets_are_not_allowed(void)
{
	configure("  link: packet\n");
	drop((const int[]){CAP_NET_RAW, -1});
	expect_error("packet-privilege", EPERM);
}

static void raw_sockets_are_not_there(void)
{
	configure("  link: packet\n");
	forbid(SYS_socket, AF_PACKET, EAFNOSUPPORT);
	expect_error("packet-kernel", EAFNOSUPPORT);
}

static void need_xdp(void)
{
	if (!catpowder_has_xdp)
		leave_out("this build has no AF_XDP");
}

static void xdp_is_not_in_the_build(void)
{
	if (catpowder_has_xdp)
		leave_out("this build has AF_XDP");
	configure("  link: xdp\n");
	expect_error("xdp-not-built", EOPNOTSUPP);
	configure("");
	expect("xdp-not-built", FINDING_WARNING);
	expect_init_warns("xdp-not-built");
}

static void xdp_lacks_privileges(void)
{
	need_xdp();
	drop((const int[]){CAP_NET_ADMIN, CAP_BPF, CAP_SYS_ADMIN, -1});
	configure("  link: xdp\n");
	check(strstr(expect("xdp-privilege", FINDING_ERROR)->what, "CAP_NET_ADMIN and CAP_BPF,"));
	expect_error("xdp-privilege", EPERM);
	configure("");
	expect("xdp-privilege", FINDING_WARNING);
	expect_init_warns("xdp-privilege");
	expect_tool("xdp-privilege", 0);
	configure("  link: packet\n");
	expect_none("xdp-privilege");
	expect_init(0, NULL);
}

static void write_file(const char *path, const char *text)
{
	FILE *file = fopen(path, "we");

	check(file != NULL && fputs(text, file) >= 0 && fclose(file) == 0);
}

static void xdp_is_not_for_user_namespaces(void)
{
	need_xdp();
	if (unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0)
		leave_out("no user namespace can be made here");
	write_file("/proc/self/uid_map", "0 0 1");
	command("ip link add va type veth peer name vb && ip link set va up && ip link set vb up");
	configure("  link: xdp\n");
	expect("xdp-user-namespace", FINDING_ERROR);
	expect_init(EPERM, "xdp-user-namespace");
	configure("");
	expect("xdp-user-namespace", FINDING_WARNING);
	expect_init_warns("xdp-user-namespace");
}

static void too_little_memory_may_be_locked(void)
{
	const struct rlimit small = {.rlim_cur = 1 << 20, .rlim_max = 1 << 20};

	need_xdp();
	configure("  link: xdp\n");
	check(setrlimit(RLIMIT_MEMLOCK, &small) == 0);
	drop((const int[]){CAP_IPC_LOCK, -1});
	expect_error("xdp-memlock", ENOBUFS);
	configure("");
	expect("xdp-memlock", FINDING_WARNING);
	expect_init_warns("xdp-memlock");
	configure("  link: packet\n");
	expect_none("xdp-memlock");
}

static void the_kernel_has_no_xdp(void)
{
	need_xdp();
	configure("  link: xdp\n");
	forbid(SYS_socket, AF_XDP, EAFNOSUPPORT);
	expect_error("xdp-kernel", EAFNOSUPPORT);
}

static void the_kernel_loads_no_program(void)
{
	need_xdp();
	configure("  link: xdp\n");
	forbid(SYS_bpf, -1, ENOSYS);
	expect_error("xdp-program-refused", ENOSYS);
}

static void there_is_no_such_queue(void)
{
	need_xdp();
	configure("  link: xdp\n  xdp_queue: 60\n");
	expect_error("xdp-queue-unknown", EINVAL);
}

static void the_card_has_many_queues(void)
{
	const struct interface_facts facts = {.name = "va",
					      .index = (int)if_nametoindex("va"),
					      .driver = "card",
					      .rx_queues = 8,
					      .mtu = 1500};
	const struct config config = {
	    .raw_link = RAW_LINK_XDP, .heap_bytes = 1 << 24, .xdp_queues = 1};
	struct findings found = {0};

	need_xdp();
	catpowder_examine_xdp(&config, &facts, &found);
	check(findings_find(&found, "xdp-queues") != NULL);
	check(strcmp(findings_find(&found, "xdp-queues")->remedy,
		     "sudo ethtool -L va combined 1, or set raw_socket.xdp_queues to 8") == 0);
}

static void the_driver_has_no_xdp(void)
{
	need_xdp();
	command("ip link add mv link va type macvlan && ip link set mv up");
	configure_all("catpowder", "demikernel:\n  local_ipv4_addr: 10.9.0.1/24\n"
				   "raw_socket:\n  linux_interface_name: mv\n");
	expect("xdp-generic", FINDING_NOTE);
	expect_init(0, NULL);
	configure_all("catpowder",
		      "demikernel:\n  local_ipv4_addr: 10.9.0.1/24\n"
		      "raw_socket:\n  linux_interface_name: mv\n  link: xdp\n  xdp_mode: native\n");
	expect_error("xdp-generic", EOPNOTSUPP);
}

static void the_driver_has_no_zero_copy(void)
{
	need_xdp();
	configure("");
	expect("xdp-copy", FINDING_NOTE);
}

static void the_other_end_leaves_checksums_to_nobody(void)
{
	configure("");
	expect("veth-offloads", FINDING_WARNING);
	expect_tool("veth-offloads", 0);
	repair("veth-offloads");
}

static void received_frames_are_merged(void)
{
	configure("  link: packet\n");
	command("ethtool -K va gro on");
	expect("packet-gro", FINDING_WARNING);
	repair("packet-gro");
	command("ethtool -K va gro on");
	configure("  link: xdp\n");
	expect_none("packet-gro");
}

static void a_healthy_interface_has_no_errors(void)
{
	configure("");
	command("ethtool -K vb tx off tso off gso off");
	for (int i = 0; i < 2; i++) {
		struct findings found = {0};
		struct config config = {.raw_link = i == 0 ? RAW_LINK_AUTO : RAW_LINK_PACKET,
					.interface = (char *)(uintptr_t) "va",
					.has_addr = true,
					.addr = ip4(OURS),
					.heap_bytes = 1 << 24};

		catpowder_examine(&config, &found);
		check(findings_first(&found, FINDING_WARNING) == NULL ||
		      strncmp(findings_first(&found, FINDING_WARNING)->id, "xdp-", 4) == 0);
	}
	expect_init(0, NULL);
}

int main(void)
{
	static const struct doctor_case cases[] = {
	    CASE(a_healthy_interface_has_no_errors),
	    CASE(no_interface_is_named),
	    CASE(nothing_is_named),
	    CASE(the_interface_is_not_there),
	    CASE(the_interface_number_is_nobodys),
	    CASE(the_interface_is_not_ethernet),
	    CASE(the_interface_is_down),
	    CASE(the_other_end_is_down),
	    CASE(the_other_end_is_down_in_another_namespace),
	    CASE(the_other_end_is_where_nobody_lives),
	    CASE(no_address_is_given),
	    CASE(the_address_is_no_hosts),
	    CASE(the_kernel_has_the_address),
	    CASE(the_kernel_has_the_address_elsewhere),
	    CASE(another_process_has_the_address),
	    CASE(this_process_has_as_many_instances_as_it_may),
	    CASE(the_mtu_is_more_than_the_interfaces),
	    CASE(raw_sockets_are_not_allowed),
	    CASE(raw_sockets_are_not_there),
	    CASE(xdp_is_not_in_the_build),
	    CASE(xdp_lacks_privileges),
	    CASE(xdp_is_not_for_user_namespaces),
	    CASE(too_little_memory_may_be_locked),
	    CASE(the_kernel_has_no_xdp),
	    CASE(the_kernel_loads_no_program),
	    CASE(there_is_no_such_queue),
	    CASE(the_card_has_many_queues),
	    CASE(the_driver_has_no_xdp),
	    CASE(the_driver_has_no_zero_copy),
	    CASE(the_other_end_leaves_checksums_to_nobody),
	    CASE(received_frames_are_merged),
	};

	return patient_run_all("catpowder", cases, sizeof(cases) / sizeof(cases[0]));
}
