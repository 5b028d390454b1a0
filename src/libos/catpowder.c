/* catpowder.c - see catpowder.h.
 *
 * SPDX-License-Identifier: MIT
 */
#include "libos/catpowder.h"
#include "base/config.h"
#include "base/log.h"
#include "libos/inet.h"
#include "link/interface.h"
#include "link/packet.h"
#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <string.h>
#include <unistd.h>

/* raw_socket.linux_interface_name, or the name of xdp_interface_index. */
static int interface_name(const struct config *c, char name[IF_NAMESIZE], const char **out)
{
	if (c->interface) {
		*out = c->interface;
		return 0;
	}
	if (c->xdp_interface_index > 0 && if_indextoname((unsigned)c->xdp_interface_index, name)) {
		*out = name;
		return 0;
	}
	log_error(
	    "catpowder needs a network interface: set raw_socket.linux_interface_name in the "
	    "configuration file, or LINUX_INTERFACE_NAME, for example LINUX_INTERFACE_NAME=eth0");
	return -EINVAL;
}

/* AF_XDP where kernel, driver and privileges allow it, else AF_PACKET, or the one that the
 * configuration names. */
static int open_link(struct link **out, const struct libos_env *env, const char *interface,
		     int claim_fd)
{
	const struct config *c = env->config;
	const struct packet_options packet = {
	    .interface = interface,
	    .addr = c->addr,
	    .mac = c->has_mac ? c->mac : NULL,
	    .claim_fd = claim_fd,
	};
	int rc = catpowder_open_xdp(out, env, interface, claim_fd);

	if (rc == 0 || c->raw_link == RAW_LINK_XDP)
		return rc;
	return packet_open(out, &packet);
}

static int refuse_kernels_address(const char *interface, const char *addr)
{
	log_error("the kernel has %s on %s and would answer for it too: choose another "
		  "local_ipv4_addr, or take it from the kernel with: ip addr del %s/PREFIX dev %s",
		  addr, interface, addr, interface);
	return -EADDRINUSE;
}

/* Makes sure that nobody else answers for our address. A descriptor, or -errno. */
static int claim(const struct config *c, const char *interface)
{
	char addr[INET_ADDRSTRLEN];
	int fd;

	inet_ntop(AF_INET, c->addr.bytes + 12, addr, sizeof(addr));
	if (interface_has_address(interface, &c->addr))
		return refuse_kernels_address(interface, addr);
	fd = interface_claim(interface, &c->addr);
	if (fd == -EBUSY)
		log_error("another process or thread has %s on %s: end it, or give each an address "
			  "of its own by local_ipv4_addr or LOCAL_IPV4_ADDR",
			  addr, interface);
	else if (fd == -ENODEV)
		log_error("there is no interface %s: ip link shows those that there are; set "
			  "raw_socket.linux_interface_name or LINUX_INTERFACE_NAME",
			  interface);
	else if (fd < 0)
		log_error("%s on %s cannot be claimed: %s", addr, interface, strerror(-fd));
	return fd;
}

static int catpowder_create(struct libos **out, const struct libos_env *env)
{
	char name[IF_NAMESIZE];
	const char *interface = NULL;
	struct link *link;
	int rc = inet_check_address(env->config), claim_fd;

	if (rc == 0)
		rc = interface_name(env->config, name, &interface);
	if (rc < 0)
		return rc;
	claim_fd = claim(env->config, interface);
	if (claim_fd < 0)
		return claim_fd;
	rc = open_link(&link, env, interface, claim_fd);
	if (rc < 0)
		close(claim_fd);
	return rc < 0 ? rc : inet_create(out, &libos_catpowder, env, link);
}

const struct libos_class libos_catpowder = {
    .name = "catpowder",
    .create = catpowder_create,
    .heap_bytes_max = CATPOWDER_HEAP_BYTES,
    INET_CLASS,
};
