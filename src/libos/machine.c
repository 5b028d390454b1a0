/* machine.c - see machine.h.
 *
 * SPDX-License-Identifier: MIT
 */
#include "libos/machine.h"
#include "base/finding.h"
#include <stdio.h>
#include <sys/utsname.h>

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

void machine_examine(struct findings *found)
{
	examine_kernel(found);
}
