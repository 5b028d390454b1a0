/* catpowder_no_xdp.c - catpowder in a build without libxdp.
 *
 * SPDX-License-Identifier: MIT
 */
#include "base/config.h"
#include "base/finding.h"
#include "libos/catpowder.h"
#include <errno.h>

const bool catpowder_has_xdp = false;

int catpowder_open_xdp(struct link **out, const struct config *c, const struct catpowder_xdp *x)
{
	(void)out;
	(void)c;
	(void)x;
	return -EOPNOTSUPP;
}

void catpowder_examine_xdp(const struct config *c, const struct interface_facts *facts,
			   struct findings *found)
{
	(void)facts;
	findings_add(found, c->raw_link == RAW_LINK_XDP ? FINDING_ERROR : FINDING_WARNING,
		     "xdp-not-built", "this build has no AF_XDP: libbpf or libxdp was not there");
	findings_remedy(found, "sudo apt-get install libbpf-dev libxdp-dev, and build again");
}
