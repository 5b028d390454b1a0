/* catcollar_examine.c - what hinders catcollar: a kernel without io_uring, or one that may not be
 * used here.
 *
 * Source: io_uring_setup(2), io_uring_register(2), the kernel's
 * Documentation/admin-guide/sysctl/kernel.rst (io_uring_disabled).
 *
 * SPDX-License-Identifier: MIT
 */
#include "base/finding.h"
#include "libos/catcollar.h"
#include "libos/kernel.h"
#include <errno.h>
#include <liburing.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { PROBED_OPS = 256 };

/* The value of kernel.io_uring_disabled; 0 where there is no such thing. */
static int disabled_by_sysctl(void)
{
	FILE *file = fopen("/proc/sys/kernel/io_uring_disabled", "re");
	int value = 0;

	if (file == NULL)
		return 0;
	if (fscanf(file, "%d", &value) != 1)
		value = 0;
	fclose(file);
	return value;
}

static void add_forbidden(struct findings *found)
{
	int disabled = disabled_by_sysctl();

	if (disabled != 0) {
		findings_add(found, FINDING_ERROR, "io-uring-forbidden",
			     "io_uring is forbidden here: kernel.io_uring_disabled is %d%s",
			     disabled, disabled == 1 ? ", which leaves it to root" : "");
		findings_remedy(found, "sudo sysctl kernel.io_uring_disabled=0");
		return;
	}
	findings_add(found, FINDING_ERROR, "io-uring-forbidden",
		     "io_uring is forbidden here, by a seccomp filter: that of a container, say");
	findings_remedy(found, "docker run --security-opt seccomp=unconfined, or a profile that "
			       "allows io_uring_setup, io_uring_enter and io_uring_register");
}

static void add_refused(struct findings *found, int err)
{
	switch (err) {
	case ENOSYS:
		findings_add(found, FINDING_ERROR, "io-uring-missing",
			     "this kernel has no io_uring, or a seccomp filter hides it");
		findings_remedy(found, "boot Linux 6.1 or later with CONFIG_IO_URING; in a "
				       "container, allow the io_uring system calls");
		break;
	case EPERM:
	case EACCES:
		add_forbidden(found);
		break;
	case ENOMEM:
		findings_add(found, FINDING_ERROR, "io-uring-memory",
			     "no memory may be locked for io_uring");
		findings_remedy(found, "ulimit -l unlimited, in the shell that starts the program");
		break;
	default:
		findings_add(found, FINDING_ERROR, "io-uring-refused",
			     "the kernel gives no io_uring: %s", strerror(err));
	}
}

/* Zero-copy sends came with the receive that goes on and on, in Linux 6.0. */
static bool is_new_enough(int fd)
{
	uint64_t
	    room[(sizeof(struct io_uring_probe) + PROBED_OPS * sizeof(struct io_uring_probe_op)) /
		 sizeof(uint64_t)] = {0};
	struct io_uring_probe *probe = (struct io_uring_probe *)room;

	return syscall(SYS_io_uring_register, fd, IORING_REGISTER_PROBE, probe, PROBED_OPS) == 0 &&
	       probe->last_op >= IORING_OP_SEND_ZC;
}

static void examine_ring(int fd, struct findings *found)
{
	if (is_new_enough(fd))
		return;
	findings_add(
	    found, FINDING_ERROR, "io-uring-old",
	    "this kernel's io_uring is older than that of Linux 6.0, and cannot receive as "
	    "is done here");
	findings_remedy(found, "sudo apt-get install linux-image-amd64, and boot it");
}

/* Since Linux 6.1 the kernel leaves the work on a completion to whoever waits for it. */
static void examine_speed(struct findings *found)
{
	struct io_uring_params params = {.flags = IORING_SETUP_SINGLE_ISSUER |
						  IORING_SETUP_DEFER_TASKRUN};
	long fd = syscall(SYS_io_uring_setup, 1, &params);

	if (fd >= 0) {
		close((int)fd);
		return;
	}
	findings_add(found, FINDING_WARNING, "io-uring-interrupts",
		     "this kernel interrupts the program for each completion, as before Linux 6.1");
	findings_remedy(found, "sudo apt-get install linux-image-amd64, and boot it");
}

void catcollar_examine(const struct config *c, struct findings *found)
{
	struct io_uring_params params = {0};
	long fd = syscall(SYS_io_uring_setup, 1, &params);

	kernel_examine(c, found);
	if (fd < 0) {
		add_refused(found, errno);
		return;
	}
	examine_ring((int)fd, found);
	close((int)fd);
	if (findings_first(found, FINDING_ERROR) == NULL)
		examine_speed(found);
}
