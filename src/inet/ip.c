/* ip.c - ways out: the next hop of an address, and the headers of packets to it.
 *
 * SPDX-License-Identifier: MIT
 */
#include "inet/ip.h"
#include "inet/eth.h"
#include "inet/ip4.h"
#include "inet/path.h"
#include <assert.h>
#include <errno.h>

/* The address on this link that packets to dst go to. */
static int next_hop(const struct stack *s, const struct ip_addr *dst, struct ip_addr *hop)
{
	uint32_t a;

	if (!ip_is4(dst))
		return -ENETUNREACH;
	a = ip4_get(dst);
	if (!ip4_is_unicast(a) || ip4_is_broadcast(s, a))
		return -ENETUNREACH;
	if (a == s->addr4)
		return -EHOSTUNREACH;
	*hop = ip4_on_link(s, a) ? *dst : s->cfg.gateway;
	return ip_is_any(hop) ? -ENETUNREACH : 0;
}

int ip_check_route(const struct stack *s, const struct ip_addr *dst)
{
	struct ip_addr hop;

	return next_hop(s, dst, &hop);
}

/* Makes the headers of p; the MAC is nonsense while n has none. */
static void make_headers(const struct stack *s, struct ip_path *p, const struct neighbour *n,
			 const struct ip_addr *src, const struct ip_addr *dst)
{
	uint32_t eth_bytes = eth_header_bytes(s);
	uint8_t *l3 = p->headers + IP_HEADERS_ROOM - IP4_HEADER_BYTES;

	memset(p->headers, 0, sizeof(p->headers));
	eth_write(s, l3 - eth_bytes, n->mac, ETH_TYPE_IP4);
	l3[0] = IP4_VERSION_IHL;
	put_be16(l3 + IP4_FRAGMENT, IP4_DF);
	l3[IP4_TTL] = IP4_TTL_SENT;
	l3[IP4_PROTOCOL] = p->protocol;
	memcpy(l3 + IP4_SRC, src->bytes + 12, 4);
	memcpy(l3 + IP4_DST, dst->bytes + 12, 4);
	p->varying = 0;
	p->pseudo_sum = ip_pseudo_sum(src, dst, p->protocol, 0);
	p->header_bytes = (uint8_t)(eth_bytes + IP4_HEADER_BYTES);
	p->l3_offset = (uint8_t)eth_bytes;
}

void ip_path_vary(struct ip_path *p, uint8_t ecn, uint32_t l4_bytes)
{
	uint8_t *l3 = p->headers + IP_HEADERS_ROOM - IP4_HEADER_BYTES;

	l3[IP4_TOS] = ecn;
	put_be16(l3 + IP4_TOTAL_LENGTH, (uint16_t)(l4_bytes + IP4_HEADER_BYTES));
	put_be16(l3 + IP4_CHECKSUM, 0);
	csum_store(l3 + IP4_CHECKSUM, csum_header20(l3, 0));
	p->varying = ip_path_varying(ecn, l4_bytes);
}

void ip_path_init(struct ip_path *p, uint8_t protocol)
{
	memset(p, 0, sizeof(*p));
	p->protocol = protocol;
	list_init(&p->waiting);
}

void ip_path_release(struct ip_path *p)
{
	list_del(&p->waiting);
	p->neighbour = NULL;
}

int path_find(struct stack *s, struct ip_path *p, const struct ip_addr *src,
	      const struct ip_addr *dst, bool answer)
{
	struct neighbour *n;
	struct ip_addr hop;
	int err;

	ip_path_release(p);
	err = next_hop(s, dst, &hop);
	if (err == 0)
		err = neighbour_find(s, &hop, answer, &n);
	if (err != 0 && err != -EAGAIN)
		return err;
	make_headers(s, p, n, src, dst);
	p->neighbour = n;
	/* Not valid before the neighbour is resolved, which changes its generation. */
	p->generation = n->generation - (err == -EAGAIN);
	return err;
}

int ip_path_find(struct stack *s, struct ip_path *p, const struct ip_addr *src,
		 const struct ip_addr *dst)
{
	return path_find(s, p, src, dst, false);
}

void ip_path_doubt(struct stack *s, struct ip_path *p)
{
	if (ip_path_valid(p))
		neighbour_doubt(s, p->neighbour);
}

void ip_doubt(struct stack *s, const struct ip_addr *dst)
{
	struct neighbour *n;
	struct ip_addr hop;

	if (next_hop(s, dst, &hop) != 0)
		return;
	n = neighbour_known(s, &hop);
	if (n != NULL)
		neighbour_doubt(s, n);
}

void ip_path_wait(struct ip_path *p)
{
	assert(p->neighbour->state == NEIGHBOUR_INCOMPLETE && list_empty(&p->waiting));
	list_add_tail(&p->neighbour->paths, &p->waiting);
}
