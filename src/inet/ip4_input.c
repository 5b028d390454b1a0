/* ip4_input.c - IPv4 packets on their way in (RFC 791, RFC 1122 3.2): what is wrong is dropped and
 * counted, what is ours goes to its transport.
 *
 * SPDX-License-Identifier: MIT
 */
#include "inet/icmp.h"
#include "inet/ip4.h"
#include "inet/reassembly.h"
#include "inet/tcp.h"
#include "inet/udp.h"

/* Options of RFC 791 3.1. */
enum { IP4_OPTION_END = 0, IP4_OPTION_NOP = 1, IP4_OPTION_LSRR = 131, IP4_OPTION_SSRR = 137 };

/* Walks the options of a header. NULL: they may be skipped; else the counter to drop under: a
 * packet that was told its way is not for end hosts (RFC 1122 3.2.1.8 (c), RFC 7126 4.3). */
static uint64_t *check_options(struct stack *s, const uint8_t *p, const uint8_t *end)
{
	while (p < end && *p != IP4_OPTION_END) {
		uint32_t bytes = 1;

		if (*p != IP4_OPTION_NOP) {
			if (end - p < 2 || p[1] < 2 || p[1] > end - p)
				return &s->stats.drop_ip_header;
			bytes = p[1];
		}
		if (*p == IP4_OPTION_LSRR || *p == IP4_OPTION_SSRR)
			return &s->stats.drop_ip_source_route;
		p += bytes;
	}
	s->stats.rx_ip_options++;
	return NULL;
}

/* The length of the header at h and, in *total, of the packet, both within `bytes`. 0: *drop is the
 * counter. */
static uint32_t check_header(struct stack *s, const uint8_t *h, uint32_t bytes, uint32_t *total,
			     uint64_t **drop)
{
	uint32_t header_bytes;

	if (bytes < IP4_HEADER_BYTES) {
		*drop = &s->stats.drop_short;
		return 0;
	}
	if (h[0] >> 4 != 4) {
		*drop = &s->stats.drop_ip_version;
		return 0;
	}
	header_bytes = (h[0] & 0xfu) * 4;
	*total = get_be16(h + IP4_TOTAL_LENGTH);
	if (header_bytes < IP4_HEADER_BYTES || *total < header_bytes) {
		*drop = &s->stats.drop_ip_header;
		return 0;
	}
	if (*total > bytes) {
		*drop = &s->stats.drop_short;
		return 0;
	}
	if (csum_fold(csum_partial(h, header_bytes, 0)) != 0) {
		*drop = &s->stats.drop_ip_checksum;
		return 0;
	}
	if (header_bytes > IP4_HEADER_BYTES) {
		*drop = check_options(s, h + IP4_HEADER_BYTES, h + header_bytes);
		if (*drop != NULL)
			return 0;
	}
	return header_bytes;
}

/* May a packet from src to dst be taken? `*broadcast` becomes true for a broadcast dst. NULL, or
 * the counter. */
static uint64_t *check_addresses(struct stack *s, uint32_t src, uint32_t dst, bool *broadcast)
{
	if (dst != s->addr4) {
		if (!ip4_is_broadcast(s, dst))
			return &s->stats.drop_not_for_us;
		*broadcast = true;
	}
	if (!ip4_is_unicast(src) || src == s->addr4 || ip4_is_broadcast(s, src))
		return &s->stats.drop_ip_martian;
	return NULL;
}

void ip_deliver(struct stack *s, struct packet *pkt)
{
	switch (pkt->protocol) {
	case IPPROTO_TCP:
		tcp_input(s, pkt);
		break;
	case IPPROTO_UDP:
		udp_input(s, pkt);
		break;
	case IPPROTO_ICMP:
		icmp_input(s, pkt);
		break;
	default:
		icmp_unreachable(s, pkt, ICMP_PROTOCOL);
		stack_drop(pkt->buf, &s->stats.drop_ip_protocol);
		break;
	}
}

void ip4_input(struct stack *s, struct buf *b, uint32_t offset, bool broadcast)
{
	const uint8_t *h = b->data + offset;
	uint32_t header_bytes, total = 0, src, dst;
	uint64_t *drop = NULL;
	struct packet pkt;

	header_bytes = check_header(s, h, b->len - offset, &total, &drop);
	if (header_bytes == 0) {
		stack_drop(b, drop);
		return;
	}
	src = get_be32(h + IP4_SRC);
	dst = get_be32(h + IP4_DST);
	drop = check_addresses(s, src, dst, &broadcast);
	if (drop != NULL) {
		stack_drop(b, drop);
		return;
	}
	pkt.buf = b;
	pkt.src = ip4(src);
	pkt.dst = ip4(dst);
	pkt.l3 = b->data + offset;
	pkt.l4 = pkt.l3 + header_bytes;
	pkt.l4_len = total - header_bytes;
	pkt.protocol = h[IP4_PROTOCOL];
	pkt.ecn = h[IP4_TOS] & 3;
	pkt.broadcast = broadcast;
	pkt.csum_ok = (b->flags & BUF_CSUM_OK) != 0;
	if ((get_be16(h + IP4_FRAGMENT) & (IP4_MF | IP4_OFFSET_MASK)) != 0)
		reassembly_input(s, &pkt);

	else
		ip_deliver(s, &pkt);
}
