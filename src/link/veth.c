/* veth.c - see veth.h. Source: rtnetlink(7), veth(4), user_namespaces(7).
 *
 * SPDX-License-Identifier: MIT
 */
#include "link/veth.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <net/if.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { MESSAGE_BYTES = 512 };

/* A message with its attributes, nested ones too: each is begun, and ended when what it holds is
 * there. */
struct message {
	struct nlmsghdr head;
	uint8_t room[MESSAGE_BYTES];
};

static void *append(struct message *m, const void *data, size_t len)
{
	void *at = (uint8_t *)m + NLMSG_ALIGN(m->head.nlmsg_len);

	memset(at, 0, NLMSG_ALIGN(len));
	if (data)
		memcpy(at, data, len);
	m->head.nlmsg_len = (uint32_t)(NLMSG_ALIGN(m->head.nlmsg_len) + len);
	return at;
}

static struct rtattr *begin(struct message *m, uint16_t type)
{
	struct rtattr *attr = append(m, NULL, sizeof(*attr));

	attr->rta_type = type;
	return attr;
}

static void end(struct message *m, struct rtattr *attr)
{
	attr->rta_len = (uint16_t)((uint8_t *)m + m->head.nlmsg_len - (uint8_t *)attr);
}

static void put_string(struct message *m, uint16_t type, const char *text)
{
	struct rtattr *attr = begin(m, type);

	append(m, text, strlen(text) + 1);
	attr->rta_len = (uint16_t)(RTA_LENGTH(strlen(text) + 1));
}

/* Sends a request, and reads the kernel's answer to it: 0 or -errno. */
static int ask(int fd, struct message *m)
{
	struct {
		struct nlmsghdr head;
		struct nlmsgerr error;
		uint8_t rest[MESSAGE_BYTES];
	} answer;
	ssize_t n;

	m->head.nlmsg_flags |= NLM_F_REQUEST | NLM_F_ACK;
	if (send(fd, m, m->head.nlmsg_len, 0) < 0)
		return -errno;
	n = recv(fd, &answer, sizeof(answer), 0);
	if (n < 0)
		return -errno;
	if ((size_t)n < sizeof(answer.head) + sizeof(answer.error) ||
	    answer.head.nlmsg_type != NLMSG_ERROR)
		return -EPROTO;
	return answer.error.error;
}

static void start(struct message *m, const struct ifinfomsg *info, uint16_t flags)
{
	m->head = (struct nlmsghdr){
	    .nlmsg_len = NLMSG_HDRLEN, .nlmsg_type = RTM_NEWLINK, .nlmsg_flags = flags};
	append(m, info, sizeof(*info));
}

static int make_pair(int fd, const char *name, const char *peer)
{
	const struct ifinfomsg any = {.ifi_family = AF_UNSPEC};
	struct rtattr *info, *data, *other;
	struct message m;

	start(&m, &any, NLM_F_CREATE | NLM_F_EXCL);
	put_string(&m, IFLA_IFNAME, name);
	info = begin(&m, IFLA_LINKINFO);
	put_string(&m, IFLA_INFO_KIND, "veth");
	data = begin(&m, IFLA_INFO_DATA);
	other = begin(&m, VETH_INFO_PEER);
	append(&m, &any, sizeof(any));
	put_string(&m, IFLA_IFNAME, peer);
	end(&m, other);
	end(&m, data);
	end(&m, info);
	return ask(fd, &m);
}

static int set_up(int fd, const char *name)
{
	const struct ifinfomsg up = {
	    .ifi_family = AF_UNSPEC,
	    .ifi_index = (int)if_nametoindex(name),
	    .ifi_flags = IFF_UP,
	    .ifi_change = IFF_UP,
	};
	struct message m;

	start(&m, &up, 0);
	return ask(fd, &m);
}

int veth_create(const char *name, const char *peer)
{
	int fd, rc;

	if (strlen(name) >= IFNAMSIZ || strlen(peer) >= IFNAMSIZ)
		return -EINVAL;
	fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	if (fd < 0)
		return -errno;
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

int veth_namespace(int *by_user)
{
	const uid_t uid = geteuid();
	const gid_t gid = getegid();

	if (by_user)
		*by_user = 0;
	if (unshare(CLONE_NEWNET) == 0)
		return 0;
	if (unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0 || become_root_inside(uid, gid) != 0)
		return -EPERM;
	if (by_user)
		*by_user = 1;
	return 0;
}
