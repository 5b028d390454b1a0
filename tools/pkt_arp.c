/* pkt_arp.c - ARP packets (RFC 826) of scripts with --show_arp: to bytes and back, and compared.
 *
 * SPDX-License-Identifier: MIT
 */
#include "base/bytes.h"
#include "pkt_packet.h"
#include <errno.h>
#include <string.h>

static const uint8_t kind[6] = {0, 1, 8, 0, 6, 4}; /* Ethernet, IPv4 and their lengths */

void pkt_mac(uint8_t mac[6], uint8_t number)
{
	memset(mac, number == PKT_MAC_ALL ? 0xff : 0, 6);
	if (number != PKT_MAC_ALL) {
		mac[0] = 0x02;
		mac[5] = number;
	}
}

uint8_t pkt_mac_number(const uint8_t mac[6])
{
	uint8_t all[6];

	pkt_mac(all, PKT_MAC_ALL);
	return memcmp(mac, all, sizeof(all)) == 0 ? PKT_MAC_ALL : mac[5];
}

void pkt_build_arp(const struct pkt_packet *p, const uint8_t local_mac[6],
		   uint8_t dst[PKT_ARP_BYTES])
{
	memset(dst, 0, PKT_ARP_BYTES);
	memcpy(dst, kind, sizeof(kind));
	put_be16(dst + 6, p->arp.op);
	pkt_mac(dst + 8, p->arp.at);
	put_be32(dst + 14, p->arp.sender);
	if (p->arp.op == PKT_ARP_REPLY)
		memcpy(dst + 18, local_mac, 6);
	put_be32(dst + 24, p->arp.target);
}

int pkt_read_arp(struct pkt_packet *p, const uint8_t *data, uint32_t len, const char **why)
{
	memset(p, 0, sizeof(*p));
	p->protocol = PKT_ARP;
	if (len < PKT_ARP_BYTES || memcmp(data, kind, sizeof(kind)) != 0) {
		*why = "ARP header";
		return -EINVAL;
	}
	p->arp.op = get_be16(data + 6);
	p->arp.at = data[13];
	p->arp.sender = get_be32(data + 14);
	p->arp.target = get_be32(data + 24);
	return 0;
}

const char *pkt_arp_mismatch(const struct pkt_packet *want, const struct pkt_packet *got)
{
	if (want->arp.op != got->arp.op)
		return "ARP operation";
	if (want->arp.target != got->arp.target)
		return "ARP target";
	return NULL;
}
