/* inet_share_sort.c - see inet_share_sort.h. Source: RFC 826, RFC 791 3.1, RFC 792, RFC 9293 3.1,
 * RFC 768.
 *
 * SPDX-License-Identifier: MIT
 */
#include "libos/inet_share_sort.h"
#include "base/bytes.h"
#include "base/siphash.h"

enum {
	ETH_BYTES = 14,
	ETH_TYPE = 12,
	TYPE_IP4 = 0x0800,
	TYPE_ARP = 0x0806,
	IP4_BYTES = 20,
	IP4_FRAGMENT = 6,
	IP4_FRAGMENT_BITS = 0x3fff, /* MF, and the offset */
	IP4_PROTOCOL = 9,
	IP4_SOURCE = 12,
	ICMP_TYPE_ECHO = 8,
	TCP_FLAGS = 13,
	TCP_SYN = 0x02,
	TCP_ACK = 0x10,
};

static struct share_sorted sort_port(const uint8_t *ip, const uint8_t *l4, uint32_t bytes)
{
	const bool tcp = ip[IP4_PROTOCOL] == IPPROTO_TCP;
	struct share_sorted s = {.kind = SHARE_PORT};

	if (bytes < (tcp ? TCP_FLAGS + 1u : 4u))
		return (struct share_sorted){.kind = SHARE_ONE};
	s.protocol = tcp ? PORTS_TCP : PORTS_UDP;
	s.port = get_be16(l4 + 2);
	s.peer = (struct endpoint){ip4(get_be32(ip + IP4_SOURCE)), get_be16(l4)};
	s.opens = tcp && (l4[TCP_FLAGS] & (TCP_SYN | TCP_ACK)) == TCP_SYN;
	return s;
}

static struct share_sorted sort_ip4(const uint8_t *ip, uint32_t bytes)
{
	const struct share_sorted one = {.kind = SHARE_ONE}, all = {.kind = SHARE_ALL};
	uint32_t header_bytes = (ip[0] & 0xfu) * 4;
	uint8_t protocol = ip[IP4_PROTOCOL];
	bool ported = protocol == IPPROTO_TCP || protocol == IPPROTO_UDP;

	if (ip[0] >> 4 != 4 || header_bytes < IP4_BYTES || header_bytes >= bytes)
		return one;
	if (get_be16(ip + IP4_FRAGMENT) & IP4_FRAGMENT_BITS)
		return ported ? (struct share_sorted){.kind = SHARE_PIECES} : one;
	if (protocol == IPPROTO_ICMP)
		return ip[header_bytes] == ICMP_TYPE_ECHO ? one : all;
	return ported ? sort_port(ip, ip + header_bytes, bytes - header_bytes) : one;
}

struct share_sorted share_sort(const uint8_t *frame, uint32_t len)
{
	if (len >= ETH_BYTES && get_be16(frame + ETH_TYPE) == TYPE_ARP)
		return (struct share_sorted){.kind = SHARE_ALL};
	if (len > ETH_BYTES + IP4_BYTES && get_be16(frame + ETH_TYPE) == TYPE_IP4)
		return sort_ip4(frame + ETH_BYTES, len - ETH_BYTES);
	return (struct share_sorted){.kind = SHARE_ONE};
}

unsigned share_pick(uint64_t members, const struct share_sorted *s, const uint64_t key[2])
{
	unsigned count = (unsigned)__builtin_popcountll(members), nth;

	if (count > 1) {
		uint64_t hash = siphash13_3(key, s->peer.ip.words[0], s->peer.ip.words[1],
					    (uint64_t)s->peer.port << 16 | s->port);

		for (nth = (unsigned)((hash >> 32) % count); nth > 0; nth--)
			members &= members - 1;
	}
	return (unsigned)__builtin_ctzll(members);
}
