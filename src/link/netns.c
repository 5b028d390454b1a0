/* netns.c - see netns.h. Source: setns(2), rtnetlink(7) (RTM_GETNSID), proc(5),
 * ip-netns(8).
 *
 * SPDX-License-Identifier: MIT
 */
#include "link/netns.h"
#include "link/netlink.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/net_namespace.h>
#include <pthread.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define NAMES_FOLDER "/run/netns"

/* The number of the network namespace of a process (NETNSA_PID) or descriptor (NETNSA_FD), -1 when
 * it has none, or -errno. */
static int number_of(int fd, uint16_t kind, uint32_t id)
{
	const struct rtgenmsg any = {.rtgen_family = AF_UNSPEC};
	struct netlink_message m;
	union netlink_answer answer;
	const int *nsid;
	int rc;

	netlink_start(&m, RTM_GETNSID, 0, &any, sizeof(any));
	netlink_put(&m, kind, &id, sizeof(id));
	rc = netlink_get(fd, &m, &answer);
	if (rc < 0)
		return rc;
	nsid = netlink_find(&answer, sizeof(any), NETNSA_NSID, sizeof(*nsid));
	return nsid ? *nsid : -EPROTO;
}

static pid_t find_process(int nsid, int fd)
{
	DIR *proc = opendir("/proc");
	struct dirent *entry;
	pid_t found = 0;

	while (proc && found == 0 && (entry = readdir(proc)) != NULL) {
		pid_t pid = (pid_t)atoi(entry->d_name);

		if (pid > 0 && number_of(fd, NETNSA_PID, (uint32_t)pid) == nsid)
			found = pid;
	}
	if (proc)
		closedir(proc);
	return found;
}

static bool is_named(const char *path, int nsid, int fd)
{
	int file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	bool is = file >= 0 && number_of(fd, NETNSA_FD, (uint32_t)file) == nsid;

	if (file >= 0)
		close(file);
	return is;
}

/* The name stays empty where there is none. */
static void find_name(char name[NETNS_NAME_BYTES], int nsid, int fd)
{
	DIR *names = opendir(NAMES_FOLDER);
	struct dirent *entry;
	char path[sizeof(NAMES_FOLDER) + 1 + NAME_MAX];

	while (names && !name[0] && (entry = readdir(names)) != NULL) {
		snprintf(path, sizeof(path), NAMES_FOLDER "/%s", entry->d_name);
		if (entry->d_name[0] != '.' && strlen(entry->d_name) < NETNS_NAME_BYTES &&
		    is_named(path, nsid, fd))
			strcpy(name, entry->d_name);
	}
	if (names)
		closedir(names);
}

static void find(struct netns *out, int nsid)
{
	int fd = netlink_open(NETLINK_ROUTE);

	memset(out, 0, sizeof(*out));
	if (fd < 0)
		return;
	out->inside = find_process(nsid, fd);
	find_name(out->name, nsid, fd);
	close(fd);
}

struct visit {
	const struct netns *to;
	int fd; /* what comes of it, or -errno */
};

/* A namespace is a thread's: one that ends takes nobody along. */
static void *enter(void *arg)
{
	struct visit *v = arg;
	char path[sizeof(NAMES_FOLDER) + 1 + NETNS_NAME_BYTES];
	int fd;

	if (v->to->inside > 0)
		snprintf(path, sizeof(path), "/proc/%d/ns/net", (int)v->to->inside);
	else
		snprintf(path, sizeof(path), NAMES_FOLDER "/%s", v->to->name);
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

int netns_socket(int nsid, struct netns *out)
{
	struct visit v = {.to = out, .fd = -EACCES};
	pthread_t thread;

	find(out, nsid);
	if ((out->inside == 0 && !out->name[0]) || pthread_create(&thread, NULL, enter, &v) != 0)
		return -EACCES;
	pthread_join(thread, NULL);
	return v.fd;
}
