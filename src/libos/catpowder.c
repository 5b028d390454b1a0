/* catpowder.c - see catpowder.h.
 *
 * SPDX-License-Identifier: MIT
 */
#include "libos/catpowder.h"
#include "base/config.h"
#include "base/finding.h"
#include "base/log.h"
#include "libos/catpowder_share.h"
#include "libos/inet.h"
#include "link/claim.h"
#include "link/interface.h"
#include "link/interface_facts.h"
#include "link/packet.h"
#include <errno.h>
#include <string.h>
#include <unistd.h>

const char *catpowder_interface(const struct config *c, char name[IF_NAMESIZE])
{
	if (c->interface)
		return c->interface;
	return c->xdp_interface_index > 0 ? if_indextoname((unsigned)c->xdp_interface_index, name)
					  : NULL;
}

void catpowder_log_fallback(const struct config *c, const char *interface, int error)
{
	struct interface_facts facts;
	struct findings found = {0};
	const struct finding *f;

	if (interface_facts_read(&facts, interface) == 0)
		catpowder_examine_xdp(c, &facts, &found);
	f = findings_first(&found, FINDING_WARNING);
	if (f)
		log_warn("%s: %s; going on with AF_PACKET", f->what, f->remedy);
	else
		log_warn("AF_XDP on %s: %s; going on with AF_PACKET", interface, strerror(-error));
}

/* Not a TAP: AF_XDP where kernel, driver and privileges allow it, else AF_PACKET, or the one that
 * the configuration names. */
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
	const struct catpowder_xdp xdp = {
	    .interface = interface, .queue = c->xdp_queue, .heap = env->heap, .claim_fd = claim_fd};
	int rc, xdp_rc = -EOPNOTSUPP;

	if (c->raw_link != RAW_LINK_PACKET) {
		xdp_rc = catpowder_open_xdp(out, c, &xdp);
		if (xdp_rc == 0 || c->raw_link == RAW_LINK_XDP)
			return xdp_rc;
	}
	rc = packet_open(out, &packet);
	if (rc == 0 && c->raw_link == RAW_LINK_AUTO)
		catpowder_log_fallback(c, interface, xdp_rc);
	return rc;
}

/* What can be told before anything is opened. */
static int check_config(const struct config *c, const char *interface)
{
	struct interface itf;
	int rc;

	if (!interface || !c->has_addr)
		return -EINVAL;
	rc = interface_read(&itf, interface);
	if (rc == -ENODEV && c->raw_link == RAW_LINK_TAP) /* it will be made */
		return 0;
	if (rc < 0)
		return rc;
	return c->mtu > itf.mtu ? -EINVAL : 0;
}

/* It would answer for it, too. */
static bool kernel_has_address(const struct config *c, const char *interface)
{
	struct interface_address kernels;

	return interface_find_address(&kernels, &c->addr, interface) == 0 &&
	       strcmp(kernels.interface, interface) == 0;
}

/* For this instance alone: the claim keeps other processes from the address. */
static int open_claimed(struct link **out, const struct libos_env *env, const char *interface)
{
	int claim_fd = claim_take(interface, &env->config->addr), rc;

	if (claim_fd < 0)
		return claim_fd;
	rc = open_link(out, env, interface, claim_fd);
	if (rc < 0)
		close(claim_fd);
	return rc;
}

static int open_any(struct link **out, const struct libos_env *env, const char *interface)
{
	int rc = check_config(env->config, interface);

	if (rc < 0)
		return rc;
	if (kernel_has_address(env->config, interface))
		return -EADDRINUSE;
	if (catpowder_is_shared(env->config))
		return catpowder_share(out, env, interface);
	if (env->config->raw_link == RAW_LINK_TAP)
		return catpowder_open_tap(out, env->config, interface);
	return open_claimed(out, env, interface);
}

static int catpowder_create(struct libos **out, const struct libos_env *env)
{
	char name[IF_NAMESIZE];
	struct link *link;
	int rc = open_any(&link, env, catpowder_interface(env->config, name));

	if (rc == 0)
		rc = inet_create(out, &libos_catpowder, env, link);
	if (rc == 0 && env->config->raw_link != RAW_LINK_PACKET)
		inet_on_bad_checksums(*out, catpowder_log_checksums, env->config);
	return rc;
}

const struct libos_class libos_catpowder = {
    .name = "catpowder",
    .create = catpowder_create,
    .examine = catpowder_examine,
    .heap_bytes_max = CATPOWDER_HEAP_BYTES,
    .waits_unpolled_max = INET_WAITS,
    INET_CLASS,
};
