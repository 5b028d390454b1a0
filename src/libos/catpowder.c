/* catpowder.c - see catpowder.h.
 *
 * SPDX-License-Identifier: MIT
 */
#include "libos/catpowder.h"
#include "base/config.h"
#include "base/log.h"
#include "libos/inet.h"
#include "link/packet.h"
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

static int catpowder_create(struct libos **out, const struct libos_env *env)
{
	const struct config *c = env->config;
	struct packet_options opt = {.addr = c->addr, .mac = c->has_mac ? c->mac : NULL};
	char name[IF_NAMESIZE];
	struct link *link;
	int rc = interface_name(c, name, &opt.interface);

	if (rc == 0)
		rc = packet_open(&link, &opt);
	if (rc < 0)
		return rc;
	return inet_create(out, &libos_catpowder, env, link);
}

const struct libos_class libos_catpowder = {
    .name = "catpowder",
    .create = catpowder_create,
    INET_CLASS,
};
