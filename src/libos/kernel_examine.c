/* kernel_examine.c - what hinders catnap: there is little that can.
 *
 * SPDX-License-Identifier: MIT
 */
#include "base/config.h"
#include "base/finding.h"
#include "libos/kernel.h"
#include <errno.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

/* Descriptors beside those of queues: standard ones, epoll sets, the program's own files. */
enum { OTHER_DESCRIPTORS = 64 };

static void examine_limit(const struct config *c, struct findings *found)
{
	const unsigned wanted = c->max_queues + OTHER_DESCRIPTORS;
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur == RLIM_INFINITY ||
	    limit.rlim_cur >= (rlim_t)wanted)
		return;
	findings_add(found, FINDING_NOTE, "open-files",
		     "each queue is an open file, of which a process may have %llu; "
		     "limits.max_queues is %u",
		     (unsigned long long)limit.rlim_cur, c->max_queues);
	findings_remedy(found,
			limit.rlim_max >= (rlim_t)wanted
			    ? "ulimit -n %u, in the shell that starts the program"
			    : "sudo prlimit --pid $$ --nofile=%u, and start the program from that "
			      "shell",
			wanted);
}

void kernel_examine(const struct config *c, struct findings *found)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 && (errno == EMFILE || errno == ENFILE)) {
		findings_add(found, FINDING_ERROR, "no-descriptor",
			     "no more files can be opened: %s", strerror(errno));
		findings_remedy(found, "close some, or raise the limit with ulimit -n");
	} else if (fd < 0) {
		findings_add(found, FINDING_ERROR, "no-socket", "the kernel gives no socket: %s",
			     strerror(errno));
		findings_remedy(found, "leave the sandbox, or allow it the socket system call");
	} else {
		close(fd);
	}
	examine_limit(c, found);
}
