/* arp.c - ARP packets in and out.
 *
 * SPDX-License-Identifier: MIT
 */
#include "inet/arp.h"
#include "base/bytes.h"
#include "inet/eth.h"
#include "inet/ip4.h"
#include "inet/limits.h"
#include "inet/neighbour.h"
#include "inet/output.h"
#include "mem/pool.h"

enum { ARP_REQUEST = 1, ARP_REPLY = 2 };
enum { ARP_PACKET_BYTES = 28 };
/* The first six bytes: hardware Ethernet, protocol IPv4, lengths 6 and 4. */
static const uint8_t arp_kind[6] = {0, 1, 8, 0, ETH_ADDR_BYTES, 4};

/* A packet, checked and in host order. */
struct arp {
	uint16_t op;
	uint8_t sender_mac[ETH_ADDR_BYTES];
	uint32_t sender_ip, target_ip;
	bool overheard; /* another stack of our address answers */
};

/* False: it makes no sense. A sender of 0.0.0.0 is a probe (RFC 5227 2.1.1). */
static bool arp_parse(struct arp *a, const uint8_t *p)
{
	if (memcmp(p, arp_kind, sizeof(arp_kind)) != 0)
		return false;
	a->op = get_be16(p + 6);
	memcpy(a->sender_mac, p + 8, ETH_ADDR_BYTES);
	a->sender_ip = get_be32(p + 14);
	a->target_ip = get_be32(p + 24);
	if (a->op != ARP_REQUEST && a->op != ARP_REPLY)
		return false;
	if ((a->sender_mac[0] & 1) || eth_mac48(a->sender_mac) == 0)
		return false;
	return a->sender_ip == 0 ? a->op == ARP_REQUEST : ip4_is_unicast(a->sender_ip);
}

static void arp_send(struct stack *s, uint16_t op, const uint8_t *eth_dst,
		     const uint8_t target_mac[ETH_ADDR_BYTES], uint32_t target_ip)
{
	static const uint8_t unknown[ETH_ADDR_BYTES];
	struct out_packet *out = output_new(s, true, NULL);
	uint8_t *p;

	if (out == NULL) {
		s->stats.lost_output_queue++;
		return;
	}
	out->head = pool_get(s->pool);
	if (out->head == NULL) {
		output_drop(s, out);
		s->stats.lost_no_buffer++;
		return;
	}
	p = out->head->data;
	eth_write(s, p, eth_dst, ETH_TYPE_ARP);
	out->l3_offset = out->l4_offset = (uint8_t)eth_header_bytes(s);
	p += out->l3_offset;
	memcpy(p, arp_kind, sizeof(arp_kind));
	put_be16(p + 6, op);
	memcpy(p + 8, s->cfg.mac, ETH_ADDR_BYTES);
	put_be32(p + 14, s->addr4);
	memcpy(p + 18, target_mac ? target_mac : unknown, ETH_ADDR_BYTES);
	put_be32(p + 24, target_ip);
	out->head->len = out->l3_offset + (uint32_t)ARP_PACKET_BYTES;
	output_queue(s, out);
}

void arp_request(struct stack *s, const struct ip_addr *ip, const uint8_t *mac)
{
	s->stats.tx_arp_requests++;
	arp_send(s, ARP_REQUEST, mac ? mac : eth_broadcast, NULL, ip4_get(ip));
}

/* Somebody else uses our address: say once that it is ours, and then not for a while, or two hosts
 * that both insist would talk of nothing else (RFC 5227 2.4 (c)). */
static void arp_defend(struct stack *s)
{
	if (s->now_ns < s->arp_defend_ns)
		return;
	s->arp_defend_ns = s->now_ns + ARP_DEFEND_INTERVAL_MS * UINT64_C(1000000);
	s->stats.tx_arp_defences++;
	arp_send(s, ARP_REQUEST, eth_broadcast, NULL, s->addr4);
}

/* Answers a request for our address; false: too many ask. */
static bool arp_answer(struct stack *s, const struct arp *a)
{
	if (!rate_take(&s->arp_replies, ARP_REPLIES_PER_S, ARP_REPLIES_PER_S, s->now_ns))
		return false;
	s->stats.tx_arp_replies++;
	arp_send(s, ARP_REPLY, a->sender_mac, a->sender_mac, a->sender_ip);
	return true;
}

/* The counter that the packet belongs to. */
static uint64_t *arp_take(struct stack *s, const struct arp *a)
{
	struct ip_addr sender = ip4(a->sender_ip);
	enum arp_news news = ARP_NEWS_UNASKED;

	if (eth_mac48(a->sender_mac) == s->mac48)
		return &s->stats.drop_not_for_us; /* our own, come back */
	if (a->sender_ip == s->addr4) {
		if (!a->overheard)
			arp_defend(s);
		return &s->stats.drop_arp_conflict;
	}
	if (a->target_ip == s->addr4 && a->op == ARP_REQUEST) {
		if (!a->overheard && !arp_answer(s, a))
			return &s->stats.drop_arp_rate;
		news = ARP_NEWS_ASKS_US;
	} else if (a->target_ip == s->addr4) {
		news = ARP_NEWS_REPLY;
	}
	if (a->sender_ip == 0 || !ip4_on_link(s, a->sender_ip) || ip4_is_broadcast(s, a->sender_ip))
		return &s->stats.rx_arp;
	if (!neighbour_heard(s, &sender, a->sender_mac, news))
		return &s->stats.drop_arp_contested;
	return &s->stats.rx_arp;
}

void arp_input(struct stack *s, struct buf *b, uint32_t offset)
{
	struct arp a = {.overheard = (b->flags & BUF_OVERHEARD) != 0};

	if (b->len < offset + ARP_PACKET_BYTES)
		stack_drop(b, &s->stats.drop_short);
	else if (!arp_parse(&a, b->data + offset))
		stack_drop(b, &s->stats.drop_arp_malformed);
	else
		stack_drop(b, arp_take(s, &a));
}
