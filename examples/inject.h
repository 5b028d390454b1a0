/* inject.h - pushes messages at a rate.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef EXAMPLES_INJECT_H
#define EXAMPLES_INJECT_H

#include <netinet/in.h>
#include <stdint.h>

struct injection {
	uint64_t bytes;       /* of a message */
	uint64_t interval_us; /* between two; 0: as fast as it goes */
};

#define INJECTION_DEFAULT ((struct injection){.bytes = 64, .interval_us = 100})

enum { INJECTION_INTERVAL_MAX_US = 60000000 };

/* Pushes to `to` (NULL: qd is connected) until the user interrupts, and prints what went out every
 * 5 seconds. 0, or an errno, complained about; ECONNRESET, and the like, when the peer has left. */
int inject_run(int qd, const struct sockaddr_in *to, const struct injection *injection);

#endif
