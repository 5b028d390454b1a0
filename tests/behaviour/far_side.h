/* far_side.h - a kernel's stack at the other end of a wire, that joins what connects to it with a
 * listener here.
 *
 * A stack of ours does not talk with itself. So that one instance can have both ends of a
 * connection, a process of its own accepts at one port of the kernel's, connects back to where the
 * last connection was told to go, and carries bytes both ways.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef BEHAVIOUR_FAR_SIDE_H
#define BEHAVIOUR_FAR_SIDE_H

#include <netinet/in.h>
#include <stdbool.h>

/* Gives an interface the address (a prefix of 24 bits) and starts the process, which ends with
 * ours. False: it could not, and said why. */
bool far_side_start(const char *interface, struct sockaddr_in here);

/* What connects from an address is joined with another; of the latest ones alone. */
void far_side_join(struct sockaddr_in from, struct sockaddr_in to);

#endif
