/* catcollar_absent.c - catcollar in a build without liburing: it says so.
 *
 * SPDX-License-Identifier: MIT
 */
#include "base/finding.h"
#include "libos/catcollar.h"
#include <errno.h>

static int create(struct libos **out, const struct libos_env *env)
{
	(void)out;
	(void)env;
	return -ENOSYS;
}

void catcollar_examine(const struct config *c, struct findings *found)
{
	(void)c;
	findings_add(found, FINDING_ERROR, "io-uring-not-built",
		     "this build has no catcollar: liburing was not there");
	findings_remedy(found, "sudo apt-get install liburing-dev, and build again");
}

const struct libos_class catcollar_class = {
    .name = "catcollar", .create = create, .examine = catcollar_examine};
