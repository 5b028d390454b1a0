/* arp.h - ARP for IPv4 over Ethernet (RFC 826), with the defence of our own address (RFC 5227 2.4).
 * What is learnt goes to neighbour.h, which asks through here. Inside src/inet only.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef INET_ARP_H
#define INET_ARP_H

#include "inet/core.h"
#include "inet/rate.h"
#include "mem/buf.h"

/* The packet begins `offset` bytes into b. Takes b. */
void arp_input(struct stack *s, struct buf *b, uint32_t offset);

/* Asks who has ip: of everybody, or of `mac` alone. */
void arp_request(struct stack *s, const struct ip_addr *ip, const uint8_t *mac);

#endif
