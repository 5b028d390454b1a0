/* netns.c - see netns.h. Source: setns(2), rtnetlink(7) (RTM_GETNSID), proc(5).
 *
 * SPDX-License-Identifier: MIT
 */
#include "link/netns.h"
#include "link/netlink.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/net_namespace.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

/* The number of a process's network namespace, -1 when it has none, or -errno. */
static int number_of(int fd, pid_t pid)
{
	const struct rtgenmsg any = {.rtgen_family = AF_UNSPEC};
	const uint32_t id = (uint32_t)pid;
	struct netlink_message m;
	union netlink_answer answer;
	const int *nsid;
	int rc;

	netlink_start(&m, RTM_GETNSID, 0, &any, sizeof(any));
	netlink_put(&m, NETNSA_PID, &id, sizeof(id));
	rc = netlink_get(fd, &m, &answer);
	if (rc < 0)
		return rc;
	nsid = netlink_find(&answer, sizeof(any), NETNSA_NSID, sizeof(*nsid));
	return nsid ? *nsid : -EPROTO;
}

static pid_t find_process(int nsid)
{
	DIR *proc = opendir("/proc");
	int fd = netlink_open(NETLINK_ROUTE);
	struct dirent *entry;
	pid_t found = 0;

	while (proc && fd >= 0 && found == 0 && (entry = readdir(proc)) != NULL) {
		pid_t pid = (pid_t)atoi(entry->d_name);

		if (pid > 0 && number_of(fd, pid) == nsid)
			found = pid;
	}
	if (fd >= 0)
		close(fd);
	if (proc)
		closedir(proc);
	return found;
}

struct visit {
	pid_t to;
	int fd; /* what comes of it, or -errno */
};

/* A namespace is a thread's: one that ends takes nobody along. */
static void *enter(void *arg)
{
	struct visit *v = arg;
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/ns/net", (int)v->to);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	v->fd = -EACCES;
	if (fd < 0)
		return NULL;
	if (setns(fd, CLONE_NEWNET) == 0) {
		v->fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
		if (v->fd < 0)
			v->fd = -errno;
	}
	close(fd);
	return NULL;
}

int netns_socket(int nsid, pid_t *inside)
{
	struct visit v = {.to = find_process(nsid), .fd = -EACCES};
	pthread_t thread;

	if (v.to == 0 || pthread_create(&thread, NULL, enter, &v) != 0)
		return -EACCES;
	pthread_join(thread, NULL);
	*inside = v.to;
	return v.fd;
}
