/* drain.h - a TCP server that takes what its clients send until their streams end.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef EXAMPLES_DRAIN_H
#define EXAMPLES_DRAIN_H

#include "meter.h"
#include "token_set.h"

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

struct drain {
	struct sockaddr_in local;
	uint64_t clients_max; /* that are taken; 0: there is no end */
	bool closes_first;    /* closes each client as soon as it has come */
	bool tells; /* prints "INFO: a client has left" for each, and what the meter says */
	/* What came of it: */
	struct meter meter;
	uint64_t started, accepted, ended; /* ended: in order, or closed by us */
	uint64_t broken;                   /* by a failure */
	/* Its own: */
	int listener;
	struct token_set operations; /* owners: struct drain_client, NULL for the accept */
};

/* Listens at `local`, and serves until the last client has left, or the user interrupts. 0 or an
 * errno, complained about. */
int drain_run(struct drain *d);

/* As drain_run(), and prints what became of the clients. EPROTO when not all clients_max ended in
 * order. */
int drain_run_to_the_end(struct drain *d);

/* Whether an operation failed of the peer's having gone, or of our own close. */
bool is_closed_error(int64_t error);

#endif
