/* dpdk_quiet.c - see dpdk_quiet.h.
 *
 * The file is never closed: a thread of DPDK's may be writing to it.
 *
 * SPDX-License-Identifier: MIT
 */
#include "link/dpdk_quiet.h"
#include "base/log.h"
#include <errno.h>
#include <fcntl.h>
#include <rte_log.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static FILE *said;
static int out, err; /* -1: the program has none */

/* Beyond the standard ones, which a program may have closed. -1 with errno. */
static int duplicate(int fd)
{
	return fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
}

static bool open_file(void)
{
	FILE *f = tmpfile();
	int fd = f ? duplicate(fileno(f)) : -1;

	if (f)
		fclose(f);
	if (fd >= 0)
		said = fdopen(fd, "w+");
	if (fd >= 0 && !said)
		close(fd);
	return said != NULL;
}

static void restore(int from, int to)
{
	if (from < 0) {
		close(to);
		return;
	}
	dup2(from, to);
	close(from);
}

int quiet_begin(void)
{
	if (!said && !open_file())
		return errno == EMFILE ? -EMFILE : -ENOMEM;
	rewind(said);
	if (ftruncate(fileno(said), 0) != 0)
		return -ENOMEM;
	fflush(stdout);
	out = duplicate(STDOUT_FILENO);
	err = duplicate(STDERR_FILENO);
	dup2(fileno(said), STDOUT_FILENO);
	dup2(fileno(said), STDERR_FILENO);
	rte_openlog_stream(said);
	rte_log_set_global_level(RTE_LOG_DEBUG);
	return 0;
}

void quiet_end(void)
{
	rte_log_set_global_level(RTE_LOG_EMERG);
	fflush(stdout);
	restore(out, STDOUT_FILENO);
	restore(err, STDERR_FILENO);
	rewind(said);
}

bool quiet_line(char line[QUIET_LINE_BYTES])
{
	if (!fgets(line, QUIET_LINE_BYTES, said))
		return false;
	line[strcspn(line, "\n")] = '\0';
	log_debug("DPDK: %s", line);
	return true;
}
