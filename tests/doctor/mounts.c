/* mounts.c - see mounts.h.
 *
 * SPDX-License-Identifier: MIT
 */
#include "mounts.h"
#include "patient.h"
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

enum { PATH_BYTES = 512 };

/* In a chroot "/" need not be a mount. Then only the mounts below it can be named, and the one that
 * the folder of the chroot lies on may be shared with others. */
static bool root_is_others;

/* One that is mounted over cannot be named, and matters to nobody. */
static void make_those_below_private(void)
{
	FILE *list = fopen("/proc/self/mountinfo", "re");
	char path[PATH_BYTES];

	if (!list)
		leave_out("the mounts of this chroot are not known without /proc");
	while (fscanf(list, "%*s %*s %*s %*s %511s%*[^\n]", path) == 1)
		mount("", path, "", MS_REC | MS_PRIVATE, "");
	fclose(list);
}

void mounts_own(void)
{
	if (unshare(CLONE_NEWNS) != 0)
		leave_out("mounting needs CAP_SYS_ADMIN (run as root)");
	if (mount("", "/", "", MS_REC | MS_PRIVATE, "") == 0)
		return;
	check(errno == EINVAL);
	root_is_others = true;
	make_those_below_private();
}

bool mounts_may_hide(const char *folder)
{
	struct stat root, it;

	check(stat("/", &root) == 0 && stat(folder, &it) == 0);
	return !root_is_others || root.st_dev != it.st_dev;
}

void mounts_hide(const char *folder)
{
	if (access(folder, F_OK) != 0)
		return;
	if (!mounts_may_hide(folder))
		leave_out("what has to be hidden is no mount of this chroot: others might see it");
	check(mount("none", folder, "tmpfs", 0, "") == 0);
}

void mounts_hide_devices(void)
{
	mounts_hide("/dev");
	if (mknod("/dev/null", S_IFCHR | 0666, makedev(1, 3)) != 0)
		check(close(open("/dev/null", O_CREAT | O_RDWR | O_CLOEXEC, 0666)) == 0);
}
