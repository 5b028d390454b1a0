/* forward.h - takes datagrams, and sends each on to whom a function says.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef EXAMPLES_FORWARD_H
#define EXAMPLES_FORWARD_H

#include "meter.h"

#include <netinet/in.h>
#include <stdbool.h>

struct forward {
	int qd; /* bound */
	/* Where a datagram of this sender goes: false: nowhere. */
	bool (*to)(void *context, const struct sockaddr_in *from, struct sockaddr_in *to);
	void *context;
	struct meter meter; /* of what came */
};

/* Until the user interrupts. 0 or an errno, complained about. */
int forward_run(struct forward *f);

#endif
