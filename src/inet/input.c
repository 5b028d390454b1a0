/* input.c - stack_input(): frames on their way in. Nearly all are plain packets for us, and take a
 * short way of one function to their transport; whatever is in any way special goes to eth.c, which
 * decides about all there is, the plain ones included.
 *
 * SPDX-License-Identifier: MIT
 */
#include "base/checksum.h"
#include "base/usually.h"
#include "inet/eth.h"
#include "inet/ip4.h"
#include "inet/tcp_ahead.h"
#include "inet/tcp_fast.h"
#include "inet/udp_fast.h"

enum { PLAIN_BYTES = ETH_HEADER_BYTES + IP4_HEADER_BYTES };

/* Is the frame at f an untagged one for our MAC, with an IPv4 packet that has no options, is whole,
 * and is for our address? Words are compared as they lie in memory. */
static inline bool is_plain(const struct stack *s, const uint8_t *f, uint32_t bytes)
{
	const uint8_t *h = f + ETH_HEADER_BYTES;

	return bytes >= PLAIN_BYTES && s->vlan_id == 0 && eth_mac48(f) == s->mac48 &&
	       (get_raw32(f + 12) & 0x00ffffff) == 0x00450008 &&  /* IPv4, five words */
	       (get_raw32(h + IP4_FRAGMENT) & 0x0000ff3f) == 0 && /* neither offset nor MF */
	       get_raw32(h + IP4_DST) == s->addr4_wire &&
	       (uint32_t)get_be16(h + IP4_TOTAL_LENGTH) - IP4_HEADER_BYTES <= bytes - PLAIN_BYTES &&
	       csum_is_zero(csum_header20(h, 0));
}

/* What is_plain() has found to be so. */
static inline void describe_plain(struct packet *pkt, struct buf *b)
{
	uint8_t *h = b->data + ETH_HEADER_BYTES;

	pkt->buf = b;
	pkt->src = ip4_from_wire(get_raw32(h + IP4_SRC));
	pkt->dst = ip4_from_wire(get_raw32(h + IP4_DST));
	pkt->l3 = h;
	pkt->l4 = h + IP4_HEADER_BYTES;
	pkt->l4_len = (uint32_t)get_be16(h + IP4_TOTAL_LENGTH) - IP4_HEADER_BYTES;
	pkt->protocol = h[IP4_PROTOCOL];
	pkt->ecn = h[IP4_TOS] & 3;
	pkt->broadcast = false;
	pkt->csum_ok = (b->flags & BUF_CSUM_OK) != 0;
}

/* A plain packet that no transport takes the short way. Not in line: it would be in its way. */
static __attribute__((noinline)) void plain_input(struct stack *s, struct buf *b)
{
	struct packet pkt;

	if (!ip4_is_plain_source(s, get_raw32(b->data + ETH_HEADER_BYTES + IP4_SRC))) {
		eth_input(s, b);
		return;
	}
	describe_plain(&pkt, b);
	if (pkt.protocol == IPPROTO_TCP)
		tcp_input(s, &pkt);
	else
		ip_deliver(s, &pkt);
}

void stack_input(struct stack *s, struct buf *const bufs[], int n, uint64_t now_ns)
{
	const bool many = n > 1 && n <= TCP_AHEAD_FRAMES;

	stack_set_time(s, now_ns);
	s->stats.rx_frames += (uint64_t)n;
	if (many)
		tcp_ahead_look(s->tcp, bufs, n);
	for (int i = 0; i < n; i++) {
		struct buf *b = bufs[i];
		uint8_t *h = b->data + ETH_HEADER_BYTES;
		bool taken;

		if (many)
			tcp_ahead_guess(s->tcp, i);
		if (rarely(!is_plain(s, b->data, b->len))) {
			eth_input(s, b);
			continue;
		}
		if (h[IP4_PROTOCOL] == IPPROTO_UDP)
			taken = udp_fast_input(s, b, h);
		else
			taken = h[IP4_PROTOCOL] == IPPROTO_TCP && tcp_fast_input(s, b, h);
		if (rarely(!taken))
			plain_input(s, b);
	}
}
