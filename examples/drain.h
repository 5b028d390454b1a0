/* drain.h - a TCP server that takes what its clients send until their streams end.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef EXAMPLES_DRAIN_H
#define EXAMPLES_DRAIN_H

#include "meter.h"
#include "token_set.h"

#include <stdbool.h>
#include <stdint.h>

struct drain {
	int listener;
	uint64_t clients_max; /* that are taken; 0: there is no end */
	bool closes_first;    /* closes each client as soon as it has come */
	bool tells;           /* prints "INFO: a client has left" for each */
	struct meter meter;
	/* What came of it: */
	uint64_t started, accepted, ended; /* ended: in order, or closed by us */
	uint64_t broken;                   /* by a failure */
	struct token_set operations;       /* owners: struct drain_client, NULL for the accept */
};

/* Serves until the last client has left, or the user interrupts. 0 or an errno, complained about.
 */
int drain_run(struct drain *d);

/* Whether an operation failed of the peer's having gone, or of our own close. */
bool is_closed_error(int64_t error);

#endif
