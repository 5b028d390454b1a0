/* forward.h - takes datagrams, counts them, and sends each on to whom a function says.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef EXAMPLES_FORWARD_H
#define EXAMPLES_FORWARD_H

#include "meter.h"

#include <netinet/in.h>
#include <stdbool.h>

struct forward {
	struct sockaddr_in local;
	/* Where a datagram of this sender goes: false: nowhere. */
	bool (*to)(void *context, const struct sockaddr_in *from, struct sockaddr_in *to);
	void *context;
	/* Its own: */
	int qd;
	struct meter meter; /* of what came */
};

/* Starts the library, binds to `local`, and forwards until the user interrupts. 0 or an errno,
 * complained about. */
int forward_run(struct forward *f);

#endif
