/* bad_wire.c - linked in front of the library, makes the wire of our own stacks a bad one: what
 * either side receives is lost, comes late, twice, or with a bit flipped, now and then.
 *
 * inet_create() is wrapped by the linker (--wrap), so that nothing in the library knows.
 *
 * SPDX-License-Identifier: MIT
 */
#include "libos/inet.h"
#include "base/config.h"
#include "link/sim.h"

int __real_inet_create(struct libos **out, const struct libos_class *class,
		       const struct libos_env *env, struct link *link);
int __wrap_inet_create(struct libos **out, const struct libos_class *class,
		       const struct libos_env *env, struct link *link);

int __wrap_inet_create(struct libos **out, const struct libos_class *class,
		       const struct libos_env *env, struct link *link)
{
	const struct sim_config faults = {
	    .seed = link->info.mac[5], /* the two sides have different luck */
	    .max_frames = 4096,
	    .loss_ppm = 10000,
	    .reorder_ppm = 10000,
	    .reorder_ns = 200000,
	    .duplicate_ppm = 5000,
	    .corrupt_ppm = 2000,
	};
	struct link *bad;
	int rc = sim_wrap(&bad, link, &faults);

	if (rc < 0) {
		link->ops->destroy(link);
		return rc;
	}
	return __real_inet_create(out, class, env, bad);
}
