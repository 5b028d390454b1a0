/* SPDX-License-Identifier: MIT */
#include "router.h"
#include "base/checksum.h"
#include <string.h>

enum {
	ETHERNET_IP = 0x0800,
	ETHERNET_ARP = 0x0806,
	ETHERNET_BYTES = 14,
	IP_BYTES = 20,
	IP_DF = 0x4000,
	IP_MF = 0x2000,
	ICMP_BYTES = 8,
	QUOTED_BYTES = IP_BYTES + 8,
	TTL_OF_OURS = 64,
};

static void router_mac(unsigned port, uint8_t mac[6])
{
	memcpy(mac, (const uint8_t[6]){2, 0, 0, 0, 0xff, (uint8_t)(port % 2)}, 6);
}

static uint32_t router_addr(unsigned port)
{
	return 0x0a0000fe | (port % 2) << 8;
}

static bool is_arp_request(unsigned port, const struct buf *b)
{
	return b->len >= 42 && get_be16(b->data + 12) == ETHERNET_ARP &&
	       get_be16(b->data + 20) == 1 && get_be32(b->data + 38) == router_addr(port);
}

bool router_wants(unsigned port, const struct buf *b)
{
	uint8_t mac[6];

	router_mac(port, mac);
	return memcmp(b->data, mac, 6) == 0 || is_arp_request(port, b);
}

static int arp_reply(unsigned port, struct buf *b, struct router_packet *out)
{
	uint8_t *arp = b->data + ETHERNET_BYTES;

	memcpy(b->data, arp + 8, 6);
	router_mac(port, b->data + 6);
	put_be16(arp + 6, 2);
	memcpy(arp + 18, arp + 8, 10);
	router_mac(port, arp + 8);
	put_be32(arp + 14, router_addr(port));
	*out = (struct router_packet){port, b};
	return 1;
}

static void ip_checksum(uint8_t *ip)
{
	put_be16(ip + 10, 0);
	csum_store(ip + 10, csum_partial(ip, IP_BYTES, 0));
}

/* RFC 792, RFC 1191 4: an error about the packet at `ip`, back to where it came from. */
static int icmp_frag_needed(struct world *w, unsigned port, const uint8_t *quoted, uint16_t mtu,
			    struct router_packet *out)
{
	struct buf *b = pool_get(w->wire_pool);
	uint8_t *ip, *icmp;

	if (b == NULL)
		return 0;
	b->len = ETHERNET_BYTES + IP_BYTES + ICMP_BYTES + QUOTED_BYTES;
	memset(b->data, 0, b->len);
	memcpy(b->data, w->hosts[port].mac, 6);
	router_mac(port, b->data + 6);
	put_be16(b->data + 12, ETHERNET_IP);
	ip = b->data + ETHERNET_BYTES;
	ip[0] = 0x45;
	put_be16(ip + 2, (uint16_t)(b->len - ETHERNET_BYTES));
	ip[8] = TTL_OF_OURS;
	ip[9] = 1;
	put_be32(ip + 12, router_addr(port));
	memcpy(ip + 16, quoted + 12, 4);
	ip_checksum(ip);
	icmp = ip + IP_BYTES;
	icmp[0] = 3;
	icmp[1] = 4;
	put_be16(icmp + 6, mtu);
	memcpy(icmp + ICMP_BYTES, quoted, QUOTED_BYTES);
	csum_store(icmp + 2, csum_partial(icmp, ICMP_BYTES + QUOTED_BYTES, 0));
	*out = (struct router_packet){port, b};
	return 1;
}

/* One fragment of the packet at `ip`: payload bytes from..from + len (RFC 791 3.2). */
static struct buf *fragment(struct world *w, const uint8_t *frame, uint32_t from, uint32_t len,
			    bool last)
{
	struct buf *b = pool_get(w->wire_pool);
	const uint8_t *packet = frame + ETHERNET_BYTES;
	uint16_t place = get_be16(packet + 6);
	uint8_t *ip;

	if (b == NULL)
		return NULL;
	b->len = ETHERNET_BYTES + IP_BYTES + len;
	memcpy(b->data, frame, ETHERNET_BYTES + IP_BYTES);
	ip = b->data + ETHERNET_BYTES;
	memcpy(ip + IP_BYTES, packet + IP_BYTES + from, len);
	put_be16(ip + 2, (uint16_t)(IP_BYTES + len));
	put_be16(ip + 6,
		 (uint16_t)((place & IP_MF) | ((place & 0x1fff) + from / 8) | (last ? 0 : IP_MF)));
	ip_checksum(ip);
	return b;
}

static int fragments(struct world *w, unsigned to, const uint8_t *frame, uint32_t payload,
		     uint16_t mtu, struct router_packet out[])
{
	uint32_t step = (uint32_t)(mtu - IP_BYTES) / 8 * 8;
	int n = 0;

	for (uint32_t from = 0; from < payload && n < ROUTER_PACKETS; from += step) {
		uint32_t len = payload - from < step ? payload - from : step;

		out[n].port = to;
		out[n].buf = fragment(w, frame, from, len, from + len == payload);
		n += out[n].buf != NULL;
	}
	return n;
}

/* The host with this address; `hosts`: none. */
static unsigned host_of(const struct world *w, const uint8_t addr[4])
{
	unsigned i = 0;

	while (i < w->cfg.hosts && memcmp(addr, w->hosts[i].addr.bytes + 12, 4) != 0)
		i++;
	return i;
}

static int forward(struct world *w, unsigned port, struct buf *b, struct router_packet out[])
{
	uint8_t *ip = b->data + ETHERNET_BYTES;
	uint16_t total = get_be16(ip + 2);
	uint16_t mtu = w->cfg.router_mtu != 0 ? w->cfg.router_mtu : w->cfg.mtu;
	unsigned to = host_of(w, ip + 16);
	int n;

	if (to == w->cfg.hosts || ip[8] <= 1 || ip[0] != 0x45 || total < QUOTED_BYTES ||
	    total > b->len - ETHERNET_BYTES || csum_fold(csum_partial(ip, IP_BYTES, 0)) != 0)
		n = 0;
	else if (total > mtu && get_be16(ip + 6) & IP_DF)
		n = icmp_frag_needed(w, port, ip, mtu, out);
	else {
		ip[8]--;
		ip_checksum(ip);
		memcpy(b->data, w->hosts[to].mac, 6);
		router_mac(to, b->data + 6);
		if (total <= mtu) {
			*out = (struct router_packet){to, b};
			return 1;
		}
		n = fragments(w, to, b->data, total - IP_BYTES, mtu, out);
	}
	buf_unref(b);
	return n;
}

int router_take(struct world *w, unsigned port, struct buf *b,
		struct router_packet out[ROUTER_PACKETS])
{
	if (is_arp_request(port, b))
		return arp_reply(port, b, out);
	if (b->len >= ETHERNET_BYTES + IP_BYTES && get_be16(b->data + 12) == ETHERNET_IP)
		return forward(w, port, b, out);
	buf_unref(b);
	return 0;
}
