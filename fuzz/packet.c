/* SPDX-License-Identifier: MIT */
#include "packet.h"
#include "base/bytes.h"
#include "base/checksum.h"
#include <netinet/in.h>

enum { TYPE_IP = 0x0800, TYPE_VLAN = 0x8100, TTL = 64, MORE_OR_OFFSET = 0x3fff };

void packet_eth(uint8_t *f, const uint8_t dst[6], const uint8_t src[6], uint16_t type)
{
	memcpy(f, dst, 6);
	memcpy(f + 6, src, 6);
	put_be16(f + 12, type);
}

void packet_ip(uint8_t *f, uint8_t protocol, uint32_t src, uint32_t dst, uint16_t bytes)
{
	uint8_t *ip = f + PACKET_ETH_BYTES;

	memset(ip, 0, PACKET_IP_BYTES);
	ip[0] = 0x45;
	put_be16(ip + 2, (uint16_t)(bytes + PACKET_IP_BYTES));
	ip[8] = TTL;
	ip[9] = protocol;
	put_be32(ip + 12, src);
	put_be32(ip + 16, dst);
	csum_store(ip + 10, csum_partial(ip, PACKET_IP_BYTES, 0));
}

size_t packet_tcp(uint8_t *f, const struct packet_tcp *t)
{
	uint32_t header = 20 + t->option_bytes;
	uint8_t *l4 = f + PACKET_L4;

	put_be16(l4, t->sport);
	put_be16(l4 + 2, t->dport);
	put_be32(l4 + 4, t->seq);
	put_be32(l4 + 8, t->ack);
	l4[12] = (uint8_t)(header / 4 << 4);
	l4[13] = t->flags;
	put_be16(l4 + 14, t->wnd);
	put_be32(l4 + 16, 0);
	if (t->option_bytes > 0)
		memcpy(l4 + 20, t->options, t->option_bytes);
	if (t->data != NULL)
		memcpy(l4 + header, t->data, t->len);
	else
		memset(l4 + header, 0, t->len);
	packet_ip(f, IPPROTO_TCP, t->src, t->dst, (uint16_t)(header + t->len));
	packet_fix(f, PACKET_L4 + header + t->len);
	return PACKET_L4 + header + t->len;
}

size_t packet_udp(uint8_t *f, uint32_t src, uint16_t sport, uint32_t dst, uint16_t dport,
		  uint16_t len)
{
	uint8_t *l4 = f + PACKET_L4;

	put_be16(l4, sport);
	put_be16(l4 + 2, dport);
	put_be16(l4 + 4, (uint16_t)(8 + len));
	put_be16(l4 + 6, 0);
	memset(l4 + 8, 0, len);
	packet_ip(f, IPPROTO_UDP, src, dst, (uint16_t)(8 + len));
	packet_fix(f, PACKET_L4 + 8u + len);
	return PACKET_L4 + 8u + len;
}

/* The L4 checksum, where the protocol has one. */
static void fix_l4(const uint8_t *ip, uint8_t *l4, uint32_t bytes)
{
	static const uint8_t places[256] = {
	    [IPPROTO_ICMP] = 2, [IPPROTO_TCP] = 16, [IPPROTO_UDP] = 6};
	uint8_t place = places[ip[9]];
	uint32_t sum = 0;

	if (place == 0 || bytes < place + 2u)
		return;
	if (ip[9] != IPPROTO_ICMP)
		sum = csum_add(csum_partial(ip + 12, 8, csum_word(ip[9])),
			       csum_word((uint16_t)bytes));
	put_be16(l4 + place, 0);
	csum_store(l4 + place, csum_partial(l4, bytes, sum));
}

void packet_fix(uint8_t *f, size_t len)
{
	size_t l3 = PACKET_ETH_BYTES;
	uint32_t header, total;
	uint8_t *ip;

	if (len >= 18 && get_be16(f + 12) == TYPE_VLAN)
		l3 += 4;
	if (len < l3 + PACKET_IP_BYTES || get_be16(f + l3 - 2) != TYPE_IP)
		return;
	ip = f + l3;
	header = (ip[0] & 15u) * 4;
	if (header < PACKET_IP_BYTES || l3 + header > len)
		return;
	put_be16(ip + 10, 0);
	csum_store(ip + 10, csum_partial(ip, header, 0));
	total = get_be16(ip + 2);
	if (total < header || l3 + total > len || (get_be16(ip + 6) & MORE_OR_OFFSET))
		return;
	fix_l4(ip, ip + header, total - header);
}

bool packet_read_tcp(struct packet_tcp *t, const uint8_t *f, size_t len)
{
	const uint8_t *ip = f + PACKET_ETH_BYTES, *l4 = f + PACKET_L4;
	uint32_t total, header;

	if (len < PACKET_L4 + 20 || get_be16(f + 12) != TYPE_IP || ip[0] != 0x45 ||
	    ip[9] != IPPROTO_TCP || (get_be16(ip + 6) & MORE_OR_OFFSET))
		return false;
	total = get_be16(ip + 2);
	header = (l4[12] >> 4) * 4u;
	if (header < 20 || total < PACKET_IP_BYTES + header || total + PACKET_ETH_BYTES > len)
		return false;
	*t = (struct packet_tcp){.src = get_be32(ip + 12),
				 .dst = get_be32(ip + 16),
				 .sport = get_be16(l4),
				 .dport = get_be16(l4 + 2),
				 .seq = get_be32(l4 + 4),
				 .ack = get_be32(l4 + 8),
				 .flags = l4[13],
				 .wnd = get_be16(l4 + 14),
				 .options = l4 + 20,
				 .option_bytes = header - 20,
				 .len = total - PACKET_IP_BYTES - header,
				 .data = l4 + header};
	return true;
}
