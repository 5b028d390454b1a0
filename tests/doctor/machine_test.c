/* What hinders all libOSes, catnap and catnip, and the tool itself.
 *
 * SPDX-License-Identifier: MIT
 */
#include "base/config.h"
#include "libos/catcollar.h"
#include "libos/catnip.h"
#include "libos/table.h"
#include "link/privilege.h"
#include "mounts.h"
#include "patient.h"
#include <errno.h>
#include <linux/capability.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/personality.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static void the_kernel_is_old(void)
{
	configure_all("catnap", "");
	check(personality(UNAME26) >= 0); /* uname(2) says 2.6 from now on */
	expect("kernel-old", FINDING_WARNING);
}

static const char *uring_error(void)
{
	static struct findings found;
	const struct config any = {0};
	const struct finding *first;

	catcollar_examine(&any, &found);
	first = findings_first(&found, FINDING_ERROR);
	return first ? first->id : NULL;
}

/* Leaves the case out where catcollar cannot start for a reason that is not the case's. */
static void need_catcollar(void)
{
	configure_all("catcollar", "");
	if (uring_error())
		leave_out("catcollar cannot start here");
}

static void catcollar_needs_liburing(void)
{
	const char *error = uring_error();

	configure_all("catcollar", "");
	if (!error || strcmp(error, "io-uring-not-built") != 0)
		leave_out("this build has liburing");
	expect_error("io-uring-not-built", ENOSYS);
}

static void io_uring_is_missing(void)
{
	need_catcollar();
	forbid(SYS_io_uring_setup, -1, ENOSYS);
	expect_error("io-uring-missing", ENOSYS);
}

/* As docker's profile has it. */
static void io_uring_is_forbidden_by_seccomp(void)
{
	need_catcollar();
	forbid(SYS_io_uring_setup, -1, EPERM);
	expect_error("io-uring-forbidden", EPERM);
	check(strstr(expect("io-uring-forbidden", FINDING_ERROR)->remedy, "seccomp") != NULL);
}

static void io_uring_is_forbidden_by_the_administrator(void)
{
	need_catcollar();
	mounts_own();
	command(
	    "d=$(mktemp) && echo 2 >$d && mount --bind $d /proc/sys/kernel/io_uring_disabled && "
	    "rm $d");
	forbid(SYS_io_uring_setup, -1, EPERM);
	expect_error("io-uring-forbidden", EPERM);
	check(strcmp(expect("io-uring-forbidden", FINDING_ERROR)->remedy,
		     "sudo sysctl kernel.io_uring_disabled=0") == 0);
}

/* The rings are there, and what is needed of them is not: as before Linux 6.0. */
static void io_uring_is_old(void)
{
	need_catcollar();
	forbid(SYS_io_uring_register, -1, EINVAL);
	expect_error("io-uring-old", ENOSYS);
}

static void few_files_may_be_open(void)
{
	const struct rlimit few = {.rlim_cur = 100, .rlim_max = 200};

	configure_all("catnap", "limits:\n  max_queues: 200\n");
	if (setrlimit(RLIMIT_NOFILE, &few) != 0 && getenv("DEMI_TEST_WRAPPER"))
		leave_out("valgrind keeps the hard limit as it is");
	expect("open-files", FINDING_NOTE);
	expect_tool("open-files", 0);
	expect_init(0, NULL);
	if (!privilege_has(CAP_SYS_RESOURCE))
		leave_out("a limit may not be raised here without CAP_SYS_RESOURCE");
	repair("open-files");
}

static void a_shell_may_raise_its_own_limit(void)
{
	struct rlimit few;

	configure_all("catnap", "limits:\n  max_queues: 200\n");
	check(getrlimit(RLIMIT_NOFILE, &few) == 0);
	if (few.rlim_max < 264)
		leave_out("the hard limit is low already");
	few.rlim_cur = 100;
	check(setrlimit(RLIMIT_NOFILE, &few) == 0);
	check(strncmp(expect("open-files", FINDING_NOTE)->remedy, "ulimit -n 264,", 14) == 0);
}

static void sockets_are_forbidden(void)
{
	configure_all("catnap", "");
	forbid(SYS_socket, AF_INET, EACCES);
	expect("no-socket", FINDING_ERROR);
	expect_tool("no-socket", 1);
}

static void no_file_can_be_opened(void)
{
	struct findings found = {0};
	const struct config config = {.max_queues = 1};
	struct rlimit before, none;

	check(getrlimit(RLIMIT_NOFILE, &before) == 0);
	none = before;
	none.rlim_cur = 0;
	check(setrlimit(RLIMIT_NOFILE, &none) == 0);
	libos_find("catnap")->examine(&config, &found);
	check(setrlimit(RLIMIT_NOFILE, &before) == 0);
	check(findings_find(&found, "no-descriptor") != NULL);
	check(findings_first(&found, FINDING_ERROR)->id ==
	      findings_find(&found, "no-descriptor")->id);
}

static int status_of(const char *arguments)
{
	FILE *out = doctor("%s 2>/dev/null", arguments);
	char dropped[512];

	while (fread(dropped, 1, sizeof(dropped), out) > 0)
		;
	return WEXITSTATUS(pclose(out));
}

static bool says(const char *arguments, const char *want)
{
	FILE *out = doctor("%s 2>&1", arguments);
	char text[1 << 14];
	size_t len;

	len = fread(text, 1, sizeof(text) - 1, out);
	text[len] = '\0';
	pclose(out);
	return strstr(text, want) != NULL;
}

static void the_configuration_is_wrong(void)
{
	configure_all("catnap", "tcp_socket_options:\n  nodelay: maybe\n");
	check(status_of("") == 1);
	check(says("", "nodelay: expected true or false, got \"maybe\""));
	check(says("--json", "{\"id\": \"configuration\", \"level\": \"error\""));
	check(says("--json", "got \\\"maybe\\\""));
}

static void the_command_line_is_wrong(void)
{
	unsetenv("LIBOS");
	check(status_of("") == 0);
	check(status_of("--libos catnap") == 0);
	check(status_of("--libos CatNap --json") == 0);
	check(status_of("--libos catpowder") == 1);
	check(status_of("--libos catfish") == 2);
	check(says("--libos catfish", "there is no libOS 'catfish'"));
	check(status_of("--frobnicate") == 2);
	check(status_of("catnap") == 2);
	check(status_of("--help") == 0);
	setenv("LIBOS", "catfish", 1);
	check(status_of("") == 1);
}

static void one_libos_is_shown_when_it_is_named(void)
{
	unsetenv("LIBOS");
	check(says("", "\ncatnap: ") && says("", "\ncatpowder: ") && says("", "\ncatnip: "));
	check(!says("--libos catnap", "catpowder"));
}

/* The status is that of the libOS that a program would get. */
static void the_status_is_that_of_the_libos_that_is_meant(void)
{
	configure_all("catnap", "");
	check(status_of("") == 0);
	setenv("LIBOS", "catpowder", 1);
	check(status_of("") == 1);
}

#define EAL(arguments)                                                                             \
	"demikernel:\n  local_ipv4_addr: 10.9.0.1/24\ndpdk:\n  eal_init: [" arguments "]\n"

/* A chroot into a folder that is no mount, with a /proc that is shared with others. */
static void enter_folder(void)
{
	mounts_own();
	check(mount("none", "/proc", "tmpfs", 0, "") == 0 && mkdir("/proc/root", 0755) == 0 &&
	      mkdir("/proc/root/proc", 0755) == 0 && mkdir("/proc/root/dev", 0755) == 0);
	check(mount("proc", "/proc/root/proc", "proc", 0, "") == 0);
	check(mount("", "/proc/root/proc", "", MS_SHARED, "") == 0);
	check(chroot("/proc/root") == 0 && chdir("/") == 0);
}

static bool a_mount_is_shared(void)
{
	char text[1 << 12];
	FILE *list = fopen("/proc/self/mountinfo", "re");
	size_t len;

	check(list != NULL);
	len = fread(text, 1, sizeof(text) - 1, list);
	text[len] = '\0';
	fclose(list);
	check(len > 0);
	return strstr(text, "shared:") != NULL;
}

static void mounts_are_ones_own_in_a_chroot_as_well(void)
{
	enter_folder();
	check(a_mount_is_shared());
	mounts_own();
	check(!a_mount_is_shared());
	mounts_hide("/proc/sys");
	check(access("/proc/sys/kernel", F_OK) != 0);
	check(mounts_may_hide("/proc") && !mounts_may_hide("/dev"));
}

static void no_huge_page_is_free(void)
{
	mounts_own();
	mounts_hide("/sys/kernel/mm/hugepages");
	configure_all("catnip", EAL("\"--in-memory\""));
	expect("huge-pages", FINDING_ERROR);
	expect_tool("huge-pages", 1);
	configure_all("catnip", EAL("\"--no-huge\""));
	expect_none("huge-pages");
	configure_all("catnip", "");
	expect("huge-pages", FINDING_NOTE);
	command("cd /sys/kernel/mm/hugepages && mkdir hugepages-2048kB && "
		"echo 16 >hugepages-2048kB/free_hugepages");
	configure_all("catnip", EAL("\"--in-memory\""));
	expect_none("huge-pages");
}

static void no_hugetlbfs_is_mounted(void)
{
	mounts_own();
	command("umount -a -t hugetlbfs; true");
	configure_all("catnip", EAL("\"--no-pci\""));
	expect("hugetlbfs", FINDING_ERROR);
	configure_all("catnip", EAL("\"--in-memory\""));
	expect_none("hugetlbfs");
	configure_all("catnip", EAL("\"--no-pci\""));
	mounts_hide_devices(); /* so that the remedy's folder does not stay behind */
	repair("hugetlbfs");
}

static void a_pci_device_needs_vfio(void)
{
	mounts_own();
	mounts_hide_devices();
	configure_all("catnip", EAL("\"-a\", \"0000:01:00.0\""));
	expect("vfio", FINDING_WARNING);
	configure_all("catnip", EAL("\"--allow=0000:01:00.0\""));
	expect("vfio", FINDING_WARNING);
	configure_all("catnip", EAL("\"--vdev=net_tap0\""));
	expect_none("vfio");
	configure_all("catnip", "");
	expect("vfio", FINDING_NOTE);
	command("mkdir /dev/vfio && touch /dev/vfio/vfio");
	expect_none("vfio");
}

static void a_pci_device_needs_the_iommu(void)
{
	mounts_own();
	mounts_hide("/sys/kernel/iommu_groups");
	configure_all("catnip", EAL("\"-a\", \"0000:01:00.0\""));
	expect("iommu", FINDING_WARNING);
	command("if [ -d /sys/kernel/iommu_groups ]; then mkdir /sys/kernel/iommu_groups/0; fi");
	if (access("/sys/kernel/iommu_groups/0", F_OK) == 0)
		expect_none("iommu");
}

static void a_pci_device_pins_memory(void)
{
	const struct rlimit small = {.rlim_cur = 1 << 20, .rlim_max = 1 << 20};

	configure_all("catnip", EAL("\"-a\", \"0000:01:00.0\""));
	check(setrlimit(RLIMIT_MEMLOCK, &small) == 0);
	drop((const int[]){CAP_IPC_LOCK, -1});
	expect("vfio-memlock", FINDING_WARNING);
}

static void catnip_needs_its_plug_in(void)
{
	char why[CATNIP_WHY_BYTES];

	if (catnip_plugin(why))
		leave_out("this build has DPDK");
	configure_all("catnip", EAL("\"--no-huge\", \"--vdev=net_tap0\""));
	expect_error("dpdk-plugin", ENOSYS);
}

static void catnip_needs_arguments_for_dpdk(void)
{
	configure_all("catnip", "");
	expect_error("dpdk-arguments", EINVAL);
}

static void catnip_needs_the_drivers_that_are_named(void)
{
	char why[CATNIP_WHY_BYTES];

	if (!catnip_plugin(why))
		leave_out("this build has no DPDK");
	configure_all("catnip", EAL("\"--no-huge\", \"--vdev=net_nosuchthing7,iface=x\""));
	check(strstr(expect("dpdk-driver", FINDING_ERROR)->what, "net_nosuchthing") != NULL);
	check(strstr(expect("dpdk-driver", FINDING_ERROR)->remedy, "apt-get") == NULL);
	configure_all("catnip", EAL("\"--no-huge\", \"--vdev\", \"net_virtio_user0,path=/x\""));
	expect_none("dpdk-driver");
	configure_all("catnip", EAL("\"--no-huge\", \"--vdev\", \"eth_af_packet1\""));
	expect_none("dpdk-driver");
}

int main(void)
{
	static const struct doctor_case cases[] = {
	    CASE(the_kernel_is_old),
	    CASE(catcollar_needs_liburing),
	    CASE(io_uring_is_missing),
	    CASE(io_uring_is_forbidden_by_seccomp),
	    CASE(io_uring_is_forbidden_by_the_administrator),
	    CASE(io_uring_is_old),
	    CASE(few_files_may_be_open),
	    CASE(a_shell_may_raise_its_own_limit),
	    CASE(sockets_are_forbidden),
	    CASE(no_file_can_be_opened),
	    CASE(the_configuration_is_wrong),
	    CASE(the_command_line_is_wrong),
	    CASE(one_libos_is_shown_when_it_is_named),
	    CASE(the_status_is_that_of_the_libos_that_is_meant),
	    CASE(mounts_are_ones_own_in_a_chroot_as_well),
	    CASE(no_huge_page_is_free),
	    CASE(no_hugetlbfs_is_mounted),
	    CASE(a_pci_device_needs_vfio),
	    CASE(a_pci_device_needs_the_iommu),
	    CASE(a_pci_device_pins_memory),
	    CASE(catnip_needs_its_plug_in),
	    CASE(catnip_needs_arguments_for_dpdk),
	    CASE(catnip_needs_the_drivers_that_are_named),
	};

	return patient_run_all("machine", cases, sizeof(cases) / sizeof(cases[0]));
}
