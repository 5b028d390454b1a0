/* listing_catnip.c - see listing_catnip.h.
 *
 * SPDX-License-Identifier: MIT
 */
#include "libos/listing_catnip.h"
#include "base/config.h"
#include "base/finding.h"
#include "libos/catnip.h"
#include <errno.h>
#include <stdio.h>

static int lacks(struct libos_lack *lack, const char *why, const char *remedy)
{
	snprintf(lack->why, sizeof(lack->why), "%s", why);
	snprintf(lack->remedy, sizeof(lack->remedy), "%s", remedy);
	return -ENOSYS;
}

int catnip_probe(struct libos_lack *lack)
{
	const struct config any = {0};
	struct findings found = {0};
	const struct finding *plugin;

	catnip_examine(&any, &found);
	plugin = findings_find(&found, "dpdk-plugin");
	if (plugin)
		return lacks(lack, plugin->what, plugin->remedy);
	return lacks(lack, "in the making: it echoes over memif, and stalls in bulk transfers",
		     "LIBOS=catpowder has the same TCP/IP, over a network interface");
}
