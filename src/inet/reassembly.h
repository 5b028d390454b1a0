/* reassembly.h - datagrams put together from fragments (RFC 791 3.2, RFC 815).
 *
 * Fragments are copied into a room of the largest size and given back at once, so that what a peer
 * can make us hold is a number of rooms (limits.h), and not the frames of the link. A whole
 * datagram goes on in a buffer of the stack's pool if it fits one, else in its room. When two
 * fragments say different things about one byte, the whole datagram is dropped with all that still
 * comes of it (RFC 5722, RFC 1858); an exact copy is only a copy.
 *
 * Inside src/inet only.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef INET_REASSEMBLY_H
#define INET_REASSEMBLY_H

#include "inet/core.h"
#include "inet/ip.h"

int reassembly_create(struct stack *s); /* -ENOMEM */
void reassembly_destroy(struct stack *s);

/* A packet whose header says that it is a part of one. Takes pkt->buf. */
void reassembly_input(struct stack *s, struct packet *pkt);

void reassembly_tick(struct stack *s);
uint64_t reassembly_next_deadline(const struct stack *s);

#endif
