/* interface.c - see interface.h. Source: netdevice(7), getifaddrs(3).
 *
 * SPDX-License-Identifier: MIT
 */
#include "link/interface.h"
#include <errno.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

static int ask(int fd, unsigned long request, struct ifreq *req)
{
	return ioctl(fd, request, req) < 0 ? -errno : 0;
}

static int read_all(int fd, struct ifreq *req, struct interface *out)
{
	int rc = ask(fd, SIOCGIFINDEX, req);

	if (rc < 0)
		return rc;
	out->index = req->ifr_ifindex;
	rc = ask(fd, SIOCGIFFLAGS, req);
	if (rc == 0 && !(req->ifr_flags & IFF_UP))
		rc = -ENETDOWN;
	if (rc == 0)
		rc = ask(fd, SIOCGIFMTU, req);
	if (rc < 0)
		return rc;
	out->mtu = req->ifr_mtu > UINT16_MAX ? UINT16_MAX : (uint16_t)req->ifr_mtu;
	rc = ask(fd, SIOCGIFHWADDR, req);
	if (rc == 0 && req->ifr_hwaddr.sa_family != ARPHRD_ETHER)
		rc = -EINVAL;
	if (rc == 0)
		memcpy(out->mac, req->ifr_hwaddr.sa_data, sizeof(out->mac));
	return rc;
}

int interface_read(struct interface *out, const char *name)
{
	struct ifreq req = {0};
	int fd, rc;

	if (strlen(name) >= sizeof(req.ifr_name))
		return -ENODEV;
	strcpy(req.ifr_name, name);
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	rc = read_all(fd, &req, out);
	close(fd);
	return rc;
}

bool interface_exists(int index)
{
	char name[IF_NAMESIZE];

	return if_indextoname((unsigned)index, name) != NULL;
}

static bool is_address(const struct ifaddrs *a, const struct ip_addr *addr)
{
	struct sockaddr_in sin;
	struct endpoint e;

	if (!a->ifa_addr || a->ifa_addr->sa_family != AF_INET || !a->ifa_netmask)
		return false;
	memcpy(&sin, a->ifa_addr, sizeof(sin));
	e = endpoint_from_sockaddr_in(&sin);
	return ip_eq(&e.ip, addr);
}

static uint8_t prefix_of(const struct ifaddrs *a)
{
	struct sockaddr_in mask;

	memcpy(&mask, a->ifa_netmask, sizeof(mask));
	return (uint8_t)__builtin_popcount(mask.sin_addr.s_addr);
}

int interface_find_address(struct interface_address *out, const struct ip_addr *addr,
			   const char *wanted)
{
	struct ifaddrs *all, *a;
	int rc = -ENOENT;

	if (getifaddrs(&all) < 0)
		return -errno;
	for (a = all; a; a = a->ifa_next) {
		if (!is_address(a, addr) || (rc == 0 && strcmp(a->ifa_name, wanted) != 0))
			continue;
		snprintf(out->interface, sizeof(out->interface), "%s", a->ifa_name);
		out->prefix_len = prefix_of(a);
		rc = 0;
	}
	freeifaddrs(all);
	return rc;
}
