/* endpoint.h - an Internet address of either family in one type, and an address with a port.
 *
 * An IPv4 address is held as its IPv4-mapped IPv6 address (RFC 4291 2.5.5.2, ::ffff:a.b.c.d), so
 * that tables and comparisons are written once. Bytes are in network order inside ip_addr; ports
 * are in host order.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef BASE_ENDPOINT_H
#define BASE_ENDPOINT_H

#include "base/bytes.h"
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

struct ip_addr {
	union {
		uint8_t bytes[16];
		uint64_t words[2];
	};
};

struct endpoint {
	struct ip_addr ip;
	uint16_t port; /* host order */
};

/* From the four bytes of an IPv4 address as they lie in a packet. */
static inline struct ip_addr ip4_from_wire(uint32_t wire_order)
{
	/* In memory: eight zeroes; two more, ff, ff, and the address. */
	return (struct ip_addr){.words = {0, (uint64_t)wire_order << 32 | 0xffff0000u}};
}

/* From an IPv4 address in host order: 0x7f000001 is 127.0.0.1. */
static inline struct ip_addr ip4(uint32_t host_order)
{
	return ip4_from_wire(__builtin_bswap32(host_order));
}

/* The IPv4 address in host order; only for an address that ip_is4(). */
static inline uint32_t ip4_get(const struct ip_addr *a)
{
	return get_be32(a->bytes + 12);
}

static inline bool ip_is4(const struct ip_addr *a)
{
	return a->words[0] == 0 && get_be32(a->bytes + 8) == 0xffff;
}

static inline bool ip_eq(const struct ip_addr *a, const struct ip_addr *b)
{
	return a->words[0] == b->words[0] && a->words[1] == b->words[1];
}

/* 0.0.0.0 or ::. */
static inline bool ip_is_any(const struct ip_addr *a)
{
	return a->words[0] == 0 && (a->words[1] == 0 || (get_be32(a->bytes + 8) == 0xffff &&
							 get_be32(a->bytes + 12) == 0));
}

static inline bool endpoint_eq(const struct endpoint *a, const struct endpoint *b)
{
	return ip_eq(&a->ip, &b->ip) && a->port == b->port;
}

static inline struct endpoint endpoint_from_sockaddr_in(const struct sockaddr_in *sin)
{
	return (struct endpoint){ip4(__builtin_bswap32(sin->sin_addr.s_addr)),
				 __builtin_bswap16(sin->sin_port)};
}

static inline struct sockaddr_in endpoint_to_sockaddr_in(const struct endpoint *e)
{
	struct sockaddr_in sin;

	memset(&sin, 0, sizeof(sin));
	sin.sin_family = AF_INET;
	sin.sin_port = __builtin_bswap16(e->port);
	memcpy(&sin.sin_addr, e->ip.bytes + 12, 4);
	return sin;
}

#endif
