/* ports.h - which ports are in use, by which of several stacks that have one address.
 *
 * Each stack is a member, with a number, and belongs to a thread. It takes a port for each socket
 * and connection that has it, and drops it as often; whoever receives a packet looks up whose port
 * it is for. Looking up and taking a port once more cost a load; the first take and the last drop
 * are under a lock that is held for a few instructions.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef BASE_PORTS_H
#define BASE_PORTS_H

#include "base/endpoint.h"
#include <stdbool.h>
#include <stdint.h>

enum { PORTS_MEMBERS = 64 }; /* a member's number is less */

enum ports_protocol { PORTS_TCP, PORTS_UDP, PORTS_PROTOCOLS };

struct ports;

/* NULL: no memory. */
struct ports *ports_create(void);
void ports_destroy(struct ports *p);

/* Makes room for a member's counts, before it uses the others. 0, -ENOMEM. */
int ports_join(struct ports *p, unsigned member);

/* Drops all that a member has. */
void ports_leave(struct ports *p, unsigned member);

/* Takes a port for a member, once more if it has it. share: with other members whose takes say so
 * as well (SO_REUSEPORT). False: another member has it. */
bool ports_take(struct ports *p, unsigned member, enum ports_protocol protocol, uint16_t port,
		bool share);
void ports_drop(struct ports *p, unsigned member, enum ports_protocol protocol, uint16_t port);

/* A member begins, or ends, to listen on a TCP port that it has. */
void ports_listen(struct ports *p, unsigned member, uint16_t port);
void ports_unlisten(struct ports *p, unsigned member, uint16_t port);

/* What a connection's segments come by, where the device spreads them: whether that is what the
 * member itself receives from, so that nobody has to hand them over. To be told before the first
 * member has joined; without it all are. `arg` is borrowed. */
void ports_steer(struct ports *p,
		 bool (*is_near)(void *arg, unsigned member, const struct endpoint *peer,
				 const struct endpoint *local),
		 void *arg);
bool ports_is_near(const struct ports *p, unsigned member, const struct endpoint *peer,
		   const struct endpoint *local);

/* The members that have a port; that listen on it: a bit for each. In any thread. */
uint64_t ports_holders(const struct ports *p, enum ports_protocol protocol, uint16_t port);
uint64_t ports_listeners(const struct ports *p, uint16_t port);

#endif
