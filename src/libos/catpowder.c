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

/* raw_socket.linux_interface_name, or the name of xdp_interface_index. */
static int interface_name(const struct config *c, char name[IF_NAMESIZE], const char **out)
{
	if (c->interface) {
		*out = c->interface;
		return 0;
	}
	if (c->xdp_interface_index >= 0 && if_indextoname((unsigned)c->xdp_interface_index, name)) {
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
static int open_link(struct link **out, const struct libos_env *env, const char *interface)
{
	const struct config *c = env->config;
	const uint8_t *mac = c->has_mac ? c->mac : NULL;
	const struct packet_options packet = {.interface = interface, .addr = c->addr, .mac = mac};
	int rc = catpowder_open_xdp(out, env, interface);

	if (rc == 0 || c->raw_link == RAW_LINK_XDP)
		return rc;
	return packet_open(out, &packet);
}

static int catpowder_create(struct libos **out, const struct libos_env *env)
{
	char name[IF_NAMESIZE];
	const char *interface;
	struct link *link;
	int rc = interface_name(env->config, name, &interface);

	if (rc < 0)
		return rc;
	if (interface_has_address(interface, &env->config->addr)) {
		char text[INET_ADDRSTRLEN];

		inet_ntop(AF_INET, env->config->addr.bytes + 12, text, sizeof(text));
		log_error(
		    "the kernel has %s on %s and would answer for it too: choose another local_ipv4_addr, or "
		    "take it from the kernel with: ip addr del %s/PREFIX dev %s",
		    text, interface, text, interface);
		return -EADDRINUSE;
	}
	rc = open_link(&link, env, interface);
	return rc < 0 ? rc : inet_create(out, &libos_catpowder, env, link);
}

const struct libos_class libos_catpowder = {
    .name = "catpowder",
    .create = catpowder_create,
    .heap_bytes_max = CATPOWDER_HEAP_BYTES,
    INET_CLASS,
};
