/* catpowder_no_xdp.c - catpowder in a build without libxdp.
 *
 * SPDX-License-Identifier: MIT
 */
#include "base/config.h"
#include "base/log.h"
#include "libos/catpowder.h"
#include <errno.h>

const bool catpowder_has_xdp = false;

int catpowder_open_xdp(struct link **out, const struct libos_env *env, const char *interface,
		       int claim_fd)
{
	(void)out;
	(void)interface;
	(void)claim_fd;
	if (env->config->raw_link == RAW_LINK_XDP)
		log_error(
		    "raw_socket.link: this build has no AF_XDP; install libxdp-dev and libbpf-dev and build "
		    "again, or set it to packet");
	return -EOPNOTSUPP;
}
