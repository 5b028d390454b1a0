/* catpowder_xdp.c - catpowder's choice of AF_XDP, in a build that has libxdp.
 *
 * SPDX-License-Identifier: MIT
 */
#include "base/config.h"
#include "base/log.h"
#include "libos/catpowder.h"
#include "link/xdp.h"
#include <errno.h>
#include <string.h>

const bool catpowder_has_xdp = true;

static enum xdp_mode mode_of(enum config_xdp_mode mode)
{
	switch (mode) {
	case CONFIG_XDP_NATIVE:
		return XDP_MODE_NATIVE;
	case CONFIG_XDP_GENERIC:
		return XDP_MODE_GENERIC;
	default:
		return XDP_MODE_AUTO;
	}
}

int catpowder_open_xdp(struct link **out, const struct libos_env *env, const char *interface,
		       int claim_fd)
{
	const struct config *c = env->config;
	const struct xdp_setup opt = {
	    .interface = interface,
	    .addr = c->addr,
	    .mac = c->has_mac ? c->mac : NULL,
	    .queue = c->xdp_queue,
	    .mode = mode_of(c->xdp_mode),
	    .busy_poll_us = c->xdp_busy_poll_us,
	    .heap = env->heap,
	    .claim_fd = claim_fd,
	};
	const char *why;
	int rc;

	if (c->raw_link == RAW_LINK_PACKET)
		return -EOPNOTSUPP;
	rc = xdp_open(out, &opt, &why);
	if (rc < 0 && c->raw_link == RAW_LINK_XDP)
		log_error("AF_XDP on %s: %s (%s)", interface, why, strerror(-rc));
	else if (rc < 0)
		log_warn(
		    "AF_XDP on %s: %s (%s): going on with AF_PACKET; raw_socket.link: packet chooses it",
		    interface, why, strerror(-rc));
	return rc;
}
