/* machine.c - see machine.h. Source: io_uring_setup(2), the kernel's
 * Documentation/admin-guide/sysctl/kernel.rst (io_uring_disabled).
 *
 * SPDX-License-Identifier: MIT
 */
#include "libos/machine.h"
#include "base/finding.h"
#include <errno.h>
#include <linux/io_uring.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

/* The oldest kernel with all that AF_XDP is used with: need_wakeup, bpf_link, busy polling. */
enum { KERNEL_MAJOR = 5, KERNEL_MINOR = 11 };

static void examine_kernel(struct findings *found)
{
	struct utsname name;
	unsigned major, minor;

	if (uname(&name) < 0 || sscanf(name.release, "%u.%u", &major, &minor) != 2 ||
	    major > KERNEL_MAJOR || (major == KERNEL_MAJOR && minor >= KERNEL_MINOR))
		return;
	findings_add(found, FINDING_WARNING, "kernel-old",
		     "Linux %s is older than %d.%d, before which AF_XDP lacks what is used here",
		     name.release, KERNEL_MAJOR, KERNEL_MINOR);
	findings_remedy(found, "sudo apt-get install linux-image-amd64, and boot it");
}

/* io_uring is what catcollar will be made of. */
static void examine_io_uring(struct findings *found)
{
	struct io_uring_params params = {0};
	long fd = syscall(SYS_io_uring_setup, 1, &params);

	if (fd >= 0) {
		close((int)fd);
		return;
	}
	if (errno == ENOSYS) {
		findings_add(found, FINDING_NOTE, "io-uring-missing",
			     "this kernel has no io_uring");
		findings_remedy(found, "boot a kernel with CONFIG_IO_URING");
	} else if (errno == EPERM || errno == EACCES) {
		findings_add(found, FINDING_NOTE, "io-uring-forbidden",
			     "io_uring is not allowed here");
		findings_remedy(found,
				"sudo sysctl kernel.io_uring_disabled=0; in a container, allow it "
				"the io_uring_setup system call");
	}
}

void machine_examine(struct findings *found)
{
	examine_kernel(found);
	examine_io_uring(found);
}
