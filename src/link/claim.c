/* claim.c - see claim.h. A claim is an abstract name of a Unix socket, which belongs to the network
 * namespace and goes with the socket. Source: unix(7), proc(5).
 *
 * SPDX-License-Identifier: MIT
 */
#include "link/claim.h"
#include <dirent.h>
#include <errno.h>
#include <net/if.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

enum { NAME_BYTES = 48, PATH_BYTES = 600 };

static void name_of(char name[NAME_BYTES], int index, const struct ip_addr *addr)
{
	snprintf(name, NAME_BYTES, "demikernel/%d/%08x", index, ip4_get(addr));
}

static int bind_name(int fd, const char *name)
{
	struct sockaddr_un to = {.sun_family = AF_UNIX};
	socklen_t size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + strlen(name));

	memcpy(to.sun_path + 1, name, strlen(name));
	return bind(fd, (const struct sockaddr *)&to, size) < 0 ? -errno : 0;
}

int claim_take(const char *interface, const struct ip_addr *addr)
{
	const struct timespec pause = {.tv_nsec = 10000000};
	int index = (int)if_nametoindex(interface), fd, rc;
	char name[NAME_BYTES];

	if (index == 0)
		return -ENODEV;
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	name_of(name, index, addr);
	rc = bind_name(fd, name);
	for (unsigned i = 0; rc == -EADDRINUSE && i < CLAIM_TRIES; i++) {
		nanosleep(&pause, NULL);
		rc = bind_name(fd, name);
	}
	if (rc == 0)
		return fd;
	close(fd);
	return rc == -EADDRINUSE ? -EBUSY : rc;
}

/* The inode of the next socket in the table whose name begins so; 0: there is none. A line of
 * /proc/net/unix ends with the inode and, after a '@' for an abstract one, the name. */
static unsigned long next_inode(FILE *table, const char *beginning)
{
	char line[PATH_BYTES];

	while (fgets(line, sizeof(line), table)) {
		char *at = strchr(line, '@');

		if (!at || strncmp(at + 1, beginning, strlen(beginning)) != 0)
			continue;
		while (at > line && (*at == '@' || *at == ' '))
			*at-- = '\0';
		return strtoul(strrchr(line, ' ') ? strrchr(line, ' ') : line, NULL, 10);
	}
	return 0;
}

static bool has_socket(const char *pid, unsigned long inode)
{
	char path[PATH_BYTES], target[64], want[64];
	struct dirent *entry;
	bool found = false;
	DIR *fds;

	snprintf(want, sizeof(want), "socket:[%lu]", inode);
	snprintf(path, sizeof(path), "/proc/%s/fd", pid);
	fds = opendir(path);
	while (fds && !found && (entry = readdir(fds)) != NULL) {
		ssize_t n;

		snprintf(path, sizeof(path), "/proc/%s/fd/%s", pid, entry->d_name);
		n = readlink(path, target, sizeof(target) - 1);
		target[n > 0 ? n : 0] = '\0';
		found = strcmp(target, want) == 0;
	}
	if (fds)
		closedir(fds);
	return found;
}

static pid_t process_with(unsigned long inode)
{
	DIR *proc = opendir("/proc");
	struct dirent *entry;
	pid_t found = -1;

	while (proc && found < 0 && (entry = readdir(proc)) != NULL) {
		if (atoi(entry->d_name) > 0 && has_socket(entry->d_name, inode))
			found = (pid_t)atoi(entry->d_name);
	}
	if (proc)
		closedir(proc);
	return found;
}

static void read_command(pid_t pid, char command[CLAIM_COMMAND_BYTES])
{
	char path[PATH_BYTES];
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/comm", (int)pid);
	file = pid > 0 ? fopen(path, "re") : NULL;
	command[0] = '\0';
	if (file && fgets(command, CLAIM_COMMAND_BYTES, file))
		command[strcspn(command, "\n")] = '\0';
	if (file)
		fclose(file);
}

/* 0: nobody has a name that begins so; -1: somebody who cannot be seen. */
static pid_t holder_of(const char *beginning, pid_t except)
{
	FILE *table = fopen("/proc/net/unix", "re");
	unsigned long inode;
	pid_t pid = 0;

	while (table && pid <= 0 && (inode = next_inode(table, beginning)) != 0) {
		pid = process_with(inode);
		if (pid == except)
			pid = 0;
	}
	if (table)
		fclose(table);
	return pid;
}

pid_t claim_holder(const char *interface, const struct ip_addr *addr,
		   char command[CLAIM_COMMAND_BYTES])
{
	char name[NAME_BYTES];
	pid_t pid;

	name_of(name, (int)if_nametoindex(interface), addr);
	pid = holder_of(name, 0);
	read_command(pid, command);
	return pid;
}

pid_t claim_neighbour(const char *interface, char command[CLAIM_COMMAND_BYTES])
{
	char beginning[NAME_BYTES];
	pid_t pid;

	snprintf(beginning, sizeof(beginning), "demikernel/%u/", if_nametoindex(interface));
	pid = holder_of(beginning, getpid());
	read_command(pid, command);
	return pid > 0 ? pid : 0;
}
