/* icmp.h - ICMPv4 (RFC 792, RFC 1122 3.2.2): echo answered, errors sent and received.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef INET_ICMP_H
#define INET_ICMP_H

#include "inet/core.h"
#include "inet/ip.h"

enum {
	ICMP_ECHO_REPLY = 0,
	ICMP_UNREACHABLE = 3,
	ICMP_ECHO = 8,
	ICMP_TIME_EXCEEDED = 11,
	ICMP_PARAMETER_PROBLEM = 12,
};

/* Codes of ICMP_UNREACHABLE (RFC 792, RFC 1122 3.2.2.1). */
enum {
	ICMP_NET = 0,
	ICMP_HOST = 1,
	ICMP_PROTOCOL = 2,
	ICMP_PORT = 3,
	ICMP_FRAG_NEEDED = 4,
	ICMP_SOURCE_ROUTE_FAILED = 5,
	ICMP_NET_UNKNOWN = 6,
	ICMP_NET_PROHIBITED = 9,
	ICMP_NET_TOS = 11,
};

/* An error received about a packet of ours, parsed and in host order. Nothing in it is to be
 * believed before the transport has found a socket that could have sent that packet (RFC 5927). */
struct icmp_error {
	uint8_t type, code;
	int error; /* -ECONNREFUSED, -EHOSTUNREACH, -ENETUNREACH, -EMSGSIZE (frag needed), -EPROTO,
		      -ENOPROTOOPT */
	bool hard; /* protocol or port unreachable: RFC 1122 4.2.3.9 lets it end a connection in
		      SYN-SENT; in a synchronized state all are soft (RFC 5927 5) */
	uint16_t mtu;     /* frag needed: the next hop's MTU in bytes, from the message or a plateau
			     (RFC 1191 5, 7); else 0 */
	uint8_t protocol; /* of the quoted packet */
	struct endpoint local, peer; /* of the quoted packet: its source is local */
	uint32_t seq;                /* TCP: the quoted sequence number */
};

/* A message for us; takes pkt->buf. */
void icmp_input(struct stack *s, struct packet *pkt);

/* Sends destination unreachable with this code about pkt, unless the rules of RFC 1122 3.2.2 or the
 * rate limit forbid it. Borrows pkt. */
void icmp_unreachable(struct stack *s, const struct packet *pkt, uint8_t code);

/* Sends time exceeded about the beginning of a datagram whose other fragments did not come. */
void icmp_reassembly_expired(struct stack *s, const struct packet *pkt);

#endif
