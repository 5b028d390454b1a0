/* veth.c - see veth.h. Source: rtnetlink(7), veth(4), user_namespaces(7).
 *
 * SPDX-License-Identifier: MIT
 */
#include "link/veth.h"
#include "link/netlink.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/if_link.h>
#include <linux/veth.h>
#include <net/if.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static int make_pair(int fd, const char *name, const char *peer)
{
	const struct ifinfomsg any = {.ifi_family = AF_UNSPEC};
	struct rtattr *info, *data, *other;
	struct netlink_message m;

	netlink_start(&m, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, &any, sizeof(any));
	netlink_put_string(&m, IFLA_IFNAME, name);
	info = netlink_begin(&m, IFLA_LINKINFO);
	netlink_put_string(&m, IFLA_INFO_KIND, "veth");
	data = netlink_begin(&m, IFLA_INFO_DATA);
	other = netlink_begin(&m, VETH_INFO_PEER);
	netlink_append(&m, &any, sizeof(any));
	netlink_put_string(&m, IFLA_IFNAME, peer);
	netlink_end(&m, other);
	netlink_end(&m, data);
	netlink_end(&m, info);
	return netlink_ask(fd, &m);
}

static int set_up(int fd, const char *name)
{
	const struct ifinfomsg up = {
	    .ifi_family = AF_UNSPEC,
	    .ifi_index = (int)if_nametoindex(name),
	    .ifi_flags = IFF_UP,
	    .ifi_change = IFF_UP,
	};
	struct netlink_message m;

	netlink_start(&m, RTM_NEWLINK, 0, &up, sizeof(up));
	return netlink_ask(fd, &m);
}

int veth_create(const char *name, const char *peer)
{
	int fd, rc;

	if (strlen(name) >= IFNAMSIZ || strlen(peer) >= IFNAMSIZ)
		return -EINVAL;
	fd = netlink_open(NETLINK_ROUTE);
	if (fd < 0)
		return fd;
	rc = make_pair(fd, name, peer);
	if (rc == 0)
		rc = set_up(fd, name);
	if (rc == 0)
		rc = set_up(fd, peer);
	close(fd);
	return rc;
}

static int write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return -errno;
	n = write(fd, text, strlen(text));
	close(fd);
	return n == (ssize_t)strlen(text) ? 0 : -EIO;
}

/* We are root inside, and nobody outside. */
static int become_root_inside(uid_t uid, gid_t gid)
{
	char map[64];
	int rc;

	snprintf(map, sizeof(map), "0 %u 1", (unsigned)uid);
	rc = write_file("/proc/self/uid_map", map);
	if (rc == 0)
		rc = write_file("/proc/self/setgroups", "deny");
	snprintf(map, sizeof(map), "0 %u 1", (unsigned)gid);
	return rc < 0 ? rc : write_file("/proc/self/gid_map", map);
}

/* The kernel would talk about its own addresses on interfaces to come. Fails where it has no IPv6.
 */
static void silence_kernel(void)
{
	write_file("/proc/sys/net/ipv6/conf/default/disable_ipv6", "1");
}

int veth_namespace(int *by_user)
{
	const uid_t uid = geteuid();
	const gid_t gid = getegid();
	bool in_user = false;

	if (unshare(CLONE_NEWNET) != 0) {
		if (unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0 || become_root_inside(uid, gid) != 0)
			return -EPERM;
		in_user = true;
	}
	if (by_user)
		*by_user = in_user;
	silence_kernel();
	return 0;
}
