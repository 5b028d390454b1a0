/* ip.h - between IP and the transports. Inside src/inet only.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef INET_IP_H
#define INET_IP_H

#include "base/endpoint.h"
#include "mem/buf.h"
#include "mem/frame.h"
#include <stdbool.h>
#include <stdint.h>

struct stack;
struct neighbour;

/* One received datagram, checked and in host order. `buf` is the receiver's to keep or drop; its
 * data/len still cover the whole frame: transports set them to their payload. */
struct packet {
	struct buf *buf;
	struct ip_addr src, dst;
	uint8_t *l4;	  /* transport header, inside buf */
	uint32_t l4_len;  /* header and payload, Ethernet padding cut off */
	uint8_t protocol; /* IPPROTO_ */
	uint8_t ttl;
	uint8_t ecn;	/* the two ECN bits */
	bool broadcast; /* to a broadcast or multicast address, at either layer */
	bool csum_ok;	/* L4 checksum verified by the device */
};

/* Where packets to `dst` go next: the neighbour that is dst or its gateway. 0; -EAGAIN: being
 * resolved, its waiters are told through neighbour_resolved handlers (see neighbour.h);
 * -ENETUNREACH, -EHOSTUNREACH. */
int ip_route(struct stack *s, const struct ip_addr *dst, struct neighbour **out, uint64_t now_ns);

/* Bytes of Ethernet + IP header in front of an L4 header to `dst`: 34 for IPv4. */
uint32_t ip_header_bytes(const struct ip_addr *dst);

/* Writes Ethernet and IP headers into h[0..ip_header_bytes-1]; l4_bytes is the length of L4 header
 * and payload. DF is set; the IPv4 checksum is filled unless csum_offload. */
void ip_write_headers(struct stack *s, uint8_t *h, const struct neighbour *n,
		      const struct ip_addr *src, const struct ip_addr *dst, uint8_t protocol,
		      uint8_t ecn, uint32_t l4_bytes);

/* Ones' complement sum, not folded, of the pseudo-header (RFC 9293 3.1, RFC 768). */
uint32_t ip_pseudo_sum(const struct ip_addr *src, const struct ip_addr *dst, uint8_t protocol,
		       uint32_t l4_bytes);

#endif
