/* interface_facts.c - see interface_facts.h. Source: also netdevice(7), linux/ethtool.h.
 *
 * SPDX-License-Identifier: MIT
 */
#include "link/interface_facts.h"
#include "link/netlink.h"
#include "link/netns.h"
#include <errno.h>
#include <linux/ethtool.h>
#include <linux/genetlink.h>
#include <linux/if_arp.h>
#include <linux/if_link.h>
#include <linux/if_tun.h>
#include <linux/net_namespace.h>
#include <linux/sockios.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

/* The generic netlink family "netdev" (Linux 6.3), newer than the installed headers:
 * Documentation/netlink/specs/netdev.yaml. */
enum { NETDEV_GET = 1, NETDEV_IFINDEX = 1, NETDEV_XDP_FEATURES = 3 };

static int ethtool(int fd, const char *name, void *command)
{
	struct ifreq req = {.ifr_data = command};

	strcpy(req.ifr_name, name);
	return ioctl(fd, SIOCETHTOOL, &req) < 0 ? -errno : 0;
}

static bool is_on(int fd, const char *name, uint32_t command)
{
	struct ethtool_value value = {.cmd = command};

	return ethtool(fd, name, &value) == 0 && value.data != 0;
}

static void read_offloads(struct interface_offloads *out, int fd, const char *name)
{
	struct ethtool_value flags = {.cmd = ETHTOOL_GFLAGS};

	out->tx_checksum = is_on(fd, name, ETHTOOL_GTXCSUM);
	out->tso = is_on(fd, name, ETHTOOL_GTSO);
	out->gso = is_on(fd, name, ETHTOOL_GGSO);
	out->gro = is_on(fd, name, ETHTOOL_GGRO);
	out->lro = ethtool(fd, name, &flags) == 0 && flags.data & ETH_FLAG_LRO;
}

static void read_driver(struct interface_facts *out, int fd)
{
	struct ethtool_drvinfo info = {.cmd = ETHTOOL_GDRVINFO};
	struct ethtool_channels channels = {.cmd = ETHTOOL_GCHANNELS};

	if (ethtool(fd, out->name, &info) == 0)
		snprintf(out->driver, sizeof(out->driver), "%.31s", info.driver);
	if (ethtool(fd, out->name, &channels) == 0)
		out->rx_queues = channels.rx_count + channels.combined_count;
	read_offloads(&out->offloads, fd, out->name);
}

static void read_xdp(struct interface_facts *out, const union netlink_answer *answer)
{
	const struct rtattr *xdp = netlink_find_nest(answer, sizeof(struct ifinfomsg), IFLA_XDP);
	const uint8_t *attached = netlink_find_in(xdp, IFLA_XDP_ATTACHED, 1);
	const uint32_t *id = netlink_find_in(xdp, IFLA_XDP_PROG_ID, sizeof(*id));

	if (!attached || *attached == XDP_ATTACHED_NONE || !id)
		return;
	out->xdp_program = *id;
	out->xdp_generic = *attached == XDP_ATTACHED_SKB;
}

static void read_tap(struct interface_facts *out, const union netlink_answer *answer)
{
	const struct rtattr *info =
	    netlink_find_nest(answer, sizeof(struct ifinfomsg), IFLA_LINKINFO);
	const char *kind = netlink_find_in(info, IFLA_INFO_KIND, sizeof("tun"));
	const struct rtattr *data = netlink_find_nest_in(info, IFLA_INFO_DATA);
	const uint8_t *type = netlink_find_in(data, IFLA_TUN_TYPE, 1);
	const uint32_t *owner = netlink_find_in(data, IFLA_TUN_OWNER, sizeof(*owner));

	out->tap = kind && memcmp(kind, "tun", sizeof("tun")) == 0 && type && *type == IFF_TAP;
	out->tap_owner = owner ? (int64_t)*owner : -1;
}

static void read_answer(struct interface_facts *out, const union netlink_answer *answer)
{
	const struct ifinfomsg *info = NLMSG_DATA(&answer->head);
	const uint32_t *mtu = netlink_find(answer, sizeof(*info), IFLA_MTU, sizeof(*mtu));
	const int *peer = netlink_find(answer, sizeof(*info), IFLA_LINK, sizeof(*peer));
	const int *where = netlink_find(answer, sizeof(*info), IFLA_LINK_NETNSID, sizeof(*where));

	out->index = info->ifi_index;
	out->ethernet = info->ifi_type == ARPHRD_ETHER;
	out->up = info->ifi_flags & IFF_UP;
	out->carrier = info->ifi_flags & IFF_RUNNING;
	out->mtu = mtu ? *mtu : 0;
	out->peer_index = peer ? *peer : 0;
	out->peer_netns = where ? *where : -1;
	read_xdp(out, answer);
	read_tap(out, answer);
}

static int read_link(struct interface_facts *out)
{
	const struct ifinfomsg any = {.ifi_family = AF_UNSPEC};
	struct netlink_message m;
	union netlink_answer answer;
	int fd = netlink_open(NETLINK_ROUTE), rc;

	if (fd < 0)
		return fd;
	netlink_start(&m, RTM_GETLINK, 0, &any, sizeof(any));
	netlink_put_string(&m, IFLA_IFNAME, out->name);
	rc = netlink_get(fd, &m, &answer);
	close(fd);
	if (rc == 0 && answer.head.nlmsg_len < NLMSG_SPACE(sizeof(any)))
		rc = -EPROTO;
	if (rc == 0)
		read_answer(out, &answer);
	return rc;
}

/* The number of the family "netdev", or -errno. */
static int netdev_family(int fd)
{
	const struct genlmsghdr head = {.cmd = CTRL_CMD_GETFAMILY, .version = 1};
	struct netlink_message m;
	union netlink_answer answer;
	const uint16_t *id;
	int rc;

	netlink_start(&m, GENL_ID_CTRL, 0, &head, sizeof(head));
	netlink_put_string(&m, CTRL_ATTR_FAMILY_NAME, "netdev");
	rc = netlink_get(fd, &m, &answer);
	if (rc < 0)
		return rc;
	id = netlink_find(&answer, sizeof(head), CTRL_ATTR_FAMILY_ID, sizeof(*id));
	return id ? *id : -EPROTO;
}

static void read_xdp_features(struct interface_facts *out)
{
	const struct genlmsghdr head = {.cmd = NETDEV_GET, .version = 1};
	const uint32_t index = (uint32_t)out->index;
	struct netlink_message m;
	union netlink_answer answer;
	const void *features = NULL;
	uint64_t bits;
	int fd = netlink_open(NETLINK_GENERIC), family;

	if (fd < 0)
		return;
	family = netdev_family(fd);
	if (family > 0) {
		netlink_start(&m, (uint16_t)family, 0, &head, sizeof(head));
		netlink_put(&m, NETDEV_IFINDEX, &index, sizeof(index));
		if (netlink_get(fd, &m, &answer) == 0)
			features =
			    netlink_find(&answer, sizeof(head), NETDEV_XDP_FEATURES, sizeof(bits));
	}
	close(fd);
	if (!features)
		return;
	memcpy(&bits, features, sizeof(bits));
	out->xdp_known = true;
	out->xdp_can = (uint32_t)bits;
}

int interface_facts_read(struct interface_facts *out, const char *name)
{
	int fd, rc;

	memset(out, 0, sizeof(*out));
	if (strlen(name) >= sizeof(out->name))
		return -ENODEV;
	strcpy(out->name, name);
	rc = read_link(out);
	if (rc < 0)
		return rc;
	read_xdp_features(out);
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	read_driver(out, fd);
	close(fd);
	if (strcmp(out->driver, "veth") != 0)
		out->peer_index = 0; /* what a VLAN, a bridge ... stands on is something else */
	return 0;
}

/* Reads through a socket that is in the peer's network namespace. */
static int read_peer(struct interface_peer *out, int fd, int index)
{
	struct ifreq req = {.ifr_ifindex = index};

	if (ioctl(fd, SIOCGIFNAME, &req) < 0)
		return -errno;
	snprintf(out->name, sizeof(out->name), "%.15s", req.ifr_name);
	out->up = ioctl(fd, SIOCGIFFLAGS, &req) == 0 && req.ifr_flags & IFF_UP;
	read_offloads(&out->offloads, fd, out->name);
	return 0;
}

int interface_peer_read(struct interface_peer *out, const struct interface_facts *of)
{
	int fd, rc;

	memset(out, 0, sizeof(*out));
	if (of->peer_index == 0)
		return -ENODEV;
	if (of->peer_netns >= 0) {
		fd = netns_socket(of->peer_netns, &out->netns);
	} else {
		fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
		if (fd < 0)
			fd = -errno;
	}
	if (fd < 0)
		return fd;
	rc = read_peer(out, fd, of->peer_index);
	close(fd);
	return rc;
}

bool interface_suggest(char name[IFNAMSIZ])
{
	struct if_nameindex *all = if_nameindex();
	struct interface_facts facts;
	bool found = false, up = false;

	for (const struct if_nameindex *i = all; i && i->if_index != 0 && !up; i++) {
		if (interface_facts_read(&facts, i->if_name) < 0 || !facts.ethernet ||
		    (found && !facts.up))
			continue;
		snprintf(name, IFNAMSIZ, "%s", i->if_name);
		found = true;
		up = facts.up;
	}
	if (all)
		if_freenameindex(all);
	return found;
}
