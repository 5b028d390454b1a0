/* interface.c - see interface.h. Source: netdevice(7), getifaddrs(3).
 *
 * SPDX-License-Identifier: MIT
 */
#include "link/interface.h"
#include <errno.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
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

static bool is_address(const struct ifaddrs *a, const char *name, const struct ip_addr *addr)
{
	struct sockaddr_in sin;
	struct endpoint e;

	if (!a->ifa_addr || a->ifa_addr->sa_family != AF_INET || strcmp(a->ifa_name, name) != 0)
		return false;
	memcpy(&sin, a->ifa_addr, sizeof(sin));
	e = endpoint_from_sockaddr_in(&sin);
	return ip_eq(&e.ip, addr);
}

bool interface_has_address(const char *name, const struct ip_addr *addr)
{
	struct ifaddrs *all, *a;
	bool found = false;

	if (getifaddrs(&all) < 0)
		return false;
	for (a = all; a && !found; a = a->ifa_next)
		found = is_address(a, name, addr);
	freeifaddrs(all);
	return found;
}

/* An abstract name of a socket is the network namespace's, and goes with the socket. */
static int bind_claim(int fd, int index, const struct ip_addr *addr)
{
	struct sockaddr_un name = {.sun_family = AF_UNIX};
	int len = snprintf(name.sun_path + 1, sizeof(name.sun_path) - 1, "demikernel/%d/%08x",
			   index, ip4_get(addr));
	socklen_t size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)len);

	return bind(fd, (const struct sockaddr *)&name, size) < 0 ? -errno : 0;
}

int interface_claim(const char *name, const struct ip_addr *addr)
{
	const struct timespec pause = {.tv_nsec = 10000000};
	int index = (int)if_nametoindex(name), fd, rc;

	if (index == 0)
		return -ENODEV;
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	rc = bind_claim(fd, index, addr);
	for (unsigned i = 0; rc == -EADDRINUSE && i < INTERFACE_CLAIM_TRIES; i++) {
		nanosleep(&pause, NULL);
		rc = bind_claim(fd, index, addr);
	}
	if (rc == 0)
		return fd;
	close(fd);
	return rc == -EADDRINUSE ? -EBUSY : rc;
}
