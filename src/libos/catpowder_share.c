/* catpowder_share.c - see catpowder_share.h. What is shared is in inet_share.c; here is what the
 * device is made of.
 *
 * SPDX-License-Identifier: MIT
 */
#include "libos/catpowder_share.h"
#include "libos/catpowder.h"
#include "libos/inet_share.h"
#include "link/claim.h"
#include "link/packet.h"
#include "link/tap.h"
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

enum { SMALL_BUFFERS = 64 }; /* of a heap that gives out none */

/* What is behind a device. */
struct owner {
	struct heap *heaps[SHARE_SOURCES]; /* of AF_XDP's queues */
	bool tap;
};

/* What opening it needs. */
struct request {
	const struct libos_env *env;
	const char *interface;
};

bool catpowder_is_shared(const struct config *c)
{
	const bool xdp = c->raw_link == RAW_LINK_XDP || c->raw_link == RAW_LINK_AUTO;

	return c->instances > 1 || (xdp && c->xdp_queues > 1);
}

static void close_device(struct share_device *device)
{
	struct owner *o = device->owner;

	/* The first has what the others use. */
	while (device->count > 0) {
		struct link *l = device->sources[--device->count];

		l->ops->destroy(l);
		heap_destroy(o->heaps[device->count]);
	}
	free(o);
}

static int open_queue(struct share_device *device, const struct request *r, int claim_fd)
{
	struct owner *o = device->owner;
	const unsigned i = device->count;
	struct catpowder_xdp xdp = {
	    .interface = r->interface,
	    .queue = r->env->config->xdp_queue + i,
	    .beside = i > 0 ? device->sources[0] : NULL,
	    .claim_fd = i > 0 ? -1 : claim_fd,
	};
	int rc = heap_create(&o->heaps[i], SMALL_BUFFERS, CATPOWDER_SHARE_HEAP_BYTES);

	if (rc < 0)
		return rc;
	xdp.heap = o->heaps[i];
	rc = catpowder_open_xdp(&device->sources[i], r->env->config, &xdp);
	if (rc < 0) {
		heap_destroy(o->heaps[i]);
		o->heaps[i] = NULL;
		return rc;
	}
	device->sources[i]->rx_expected = UINT32_MAX; /* nobody counts them all */
	device->count++;
	return 0;
}

/* All queues, or none. Whether the claim went along is seen by device->count. */
static int open_queues(struct share_device *device, const struct request *r, int claim_fd)
{
	int rc = 0;

	while (rc == 0 && device->count < r->env->config->xdp_queues)
		rc = open_queue(device, r, claim_fd);
	return rc;
}

static int open_packet(struct share_device *device, const struct request *r, int claim_fd)
{
	const struct config *c = r->env->config;
	const struct packet_options opt = {
	    .interface = r->interface,
	    .addr = c->addr,
	    .mac = c->has_mac ? c->mac : NULL,
	    .claim_fd = claim_fd,
	};
	int rc = packet_open(&device->sources[0], &opt);

	device->count = rc == 0;
	return rc;
}

static int open_claimed(struct share_device *device, const struct request *r, int claim_fd)
{
	const struct config *c = r->env->config;
	int rc = -EOPNOTSUPP, xdp_rc;

	if (c->raw_link != RAW_LINK_PACKET)
		rc = open_queues(device, r, claim_fd);
	xdp_rc = rc;
	if (rc < 0 && c->raw_link != RAW_LINK_XDP && device->count == 0) {
		rc = open_packet(device, r, claim_fd);
		if (rc == 0 && c->raw_link == RAW_LINK_AUTO)
			catpowder_log_fallback(c, r->interface, xdp_rc);
	}
	if (rc < 0 && device->count == 0)
		close(claim_fd);
	return rc;
}

static int open_device(struct share_device *device, void *arg)
{
	const struct request *r = arg;
	struct owner *o = calloc(1, sizeof(*o));
	int rc, claim_fd;

	if (!o)
		return -ENOMEM;
	device->owner = o;
	o->tap = r->env->config->raw_link == RAW_LINK_TAP;
	if (o->tap) {
		rc = catpowder_open_tap(&device->sources[0], r->env->config, r->interface);
		device->count = rc == 0;
	} else {
		claim_fd = claim_take(r->interface, &r->env->config->addr);
		rc = claim_fd < 0 ? claim_fd : open_claimed(device, r, claim_fd);
	}
	if (rc < 0)
		close_device(device);
	return rc;
}

static int open_sender(struct link **out, struct share_device *device, void *arg)
{
	const struct owner *o = device->owner;
	const struct request *r = arg;
	const struct config *c = r->env->config;
	const struct packet_options opt = {
	    .interface = r->interface,
	    .mac = c->has_mac ? c->mac : NULL,
	    .send_only = true,
	    .claim_fd = -1,
	};

	return o->tap ? tap_open_sender(out, device->sources[0]) : packet_open(out, &opt);
}

int catpowder_share(struct link **out, const struct libos_env *env, const char *interface)
{
	struct request r = {env, interface};
	const struct share_plan plan = {
	    .interface = interface,
	    .addr = env->config->addr,
	    .instances = env->config->instances,
	    .open = open_device,
	    .close = close_device,
	    .open_sender = open_sender,
	    .arg = &r,
	};

	return inet_share_join(out, &plan);
}
