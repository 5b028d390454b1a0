/* router.h - the gateway between the two networks of WORLD_ROUTER: TTL, fragments, and the errors
 * that path MTU discovery lives on (RFC 1812). It knows the hosts' MACs, and answers ARP for
 * itself.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef SIM_ROUTER_H
#define SIM_ROUTER_H

#include "world.h"

enum { ROUTER_PACKETS = 64 }; /* that one packet can become */

struct router_packet {
	unsigned port;
	struct buf *buf; /* the receiver's */
};

/* Is this frame from `port` the router's business? */
bool router_wants(unsigned port, const struct buf *b);

/* Takes b; fills `out` with what is to be sent and returns how many. */
int router_take(struct world *w, unsigned port, struct buf *b,
		struct router_packet out[ROUTER_PACKETS]);

#endif
