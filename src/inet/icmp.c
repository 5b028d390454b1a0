/* icmp.c - ICMPv4: echo, and errors in both directions.
 *
 * SPDX-License-Identifier: MIT
 */
#include "inet/icmp.h"
#include "inet/ip4.h"
#include "inet/limits.h"
#include "inet/tcp.h"
#include "inet/udp.h"
#include "mem/pool.h"
#include <errno.h>

enum {
	ICMP_HEADER_BYTES = 8,
	ICMP_CHECKSUM = 2,   /* offsets in bytes */
	ICMP_MTU = 6,        /* RFC 1191 4 */
	ICMP_QUOTED_L4 = 8,  /* bytes that every error quotes behind the IP header (RFC 792) */
	ICMP_REASSEMBLY = 1, /* code of time exceeded */
};

/* The checksum of an echo whose type has become that of a reply: the sum has lost 8 in its upper
 * byte (RFC 1624). */
static void turn_echo(uint8_t *icmp)
{
	uint16_t old;
	uint32_t sum;

	memcpy(&old, icmp + ICMP_CHECKSUM, sizeof(old));
	icmp[0] = ICMP_ECHO_REPLY;
	sum = (uint16_t)~old + (uint32_t)(uint16_t)~csum_word(ICMP_ECHO << 8);
	csum_store(icmp + ICMP_CHECKSUM, sum);
}

/* Answers from the echo's own buffer. */
static void echo_in_place(struct stack *s, struct packet *pkt, struct ip_send *m)
{
	struct buf *b = pkt->buf;

	b->data = pkt->l4;
	b->len = pkt->l4_len;
	turn_echo(b->data);
	m->head = b;
	ip_send(s, m);
}

/* Answers with a copy, in fragments if need be. */
static void echo_copied(struct stack *s, struct packet *pkt, struct ip_send *m)
{
	struct buf *b = pool_get(s->pool);

	if (b == NULL) {
		stack_drop(pkt->buf, &s->stats.lost_no_buffer);
		return;
	}
	memcpy(b->data, pkt->l4, ICMP_HEADER_BYTES);
	b->len = ICMP_HEADER_BYTES;
	turn_echo(b->data);
	m->head = b;
	m->data = pkt->l4 + ICMP_HEADER_BYTES;
	m->len = pkt->l4_len - ICMP_HEADER_BYTES;
	ip_send(s, m);
	buf_unref(pkt->buf);
}

static void echo_input(struct stack *s, struct packet *pkt)
{
	struct ip_send m = {
	    .src = pkt->dst,
	    .dst = pkt->src,
	    .protocol = IPPROTO_ICMP,
	    .answer = true,
	};
	bool in_place = pkt->buf->pool == s->pool && buf_sole(pkt->buf) &&
			pkt->l4 - pkt->buf->base >= IP_HEADERS_ROOM &&
			pkt->l4_len + IP4_HEADER_BYTES <= ip_path_mtu(s, &pkt->src);

	if (pkt->broadcast) { /* RFC 1122 3.2.2.6 lets us be silent: no amplifier */
		stack_drop(pkt->buf, &s->stats.drop_icmp_broadcast);
		return;
	}
	if (!rate_take(&s->icmp_echoes, ICMP_ECHOES_PER_S, ICMP_ECHOES_BURST, s->now_ns)) {
		stack_drop(pkt->buf, &s->stats.drop_icmp_rate);
		return;
	}
	s->stats.rx_icmp++;
	if (in_place)
		echo_in_place(s, pkt, &m);
	else
		echo_copied(s, pkt, &m);
}

/* What an error means to a socket (RFC 1122 4.2.3.9, 4.1.3.3; RFC 1812 5.2.7.1). */
static void set_error(struct icmp_error *e)
{
	e->error = -EHOSTUNREACH;
	e->hard = false;
	if (e->type == ICMP_PARAMETER_PROBLEM)
		e->error = -EPROTO;
	if (e->type != ICMP_UNREACHABLE)
		return;
	switch (e->code) {
	case ICMP_NET:
	case ICMP_SOURCE_ROUTE_FAILED:
	case ICMP_NET_UNKNOWN:
	case ICMP_NET_PROHIBITED:
	case ICMP_NET_TOS:
		e->error = -ENETUNREACH;
		break;
	case ICMP_PROTOCOL:
		e->error = -ENOPROTOOPT;
		e->hard = true;
		break;
	case ICMP_PORT:
		e->error = -ECONNREFUSED;
		e->hard = true;
		break;
	case ICMP_FRAG_NEEDED:
		e->error = -EMSGSIZE;
		break;
	default:
		break;
	}
}

/* The MTU that a router names, or, where it is of before RFC 1191 and says 0, the next plateau
 * below the packet that was too big (RFC 1191 7). */
static uint16_t needed_mtu(uint16_t named, uint16_t quoted_bytes)
{
	static const uint16_t plateaus[] = {32000, 17914, 8166, 4352, 2002, 1492, 1006, 508, 296};

	if (named != 0)
		return named;
	for (unsigned i = 0; i < sizeof(plateaus) / sizeof(plateaus[0]); i++) {
		if (plateaus[i] < quoted_bytes)
			return plateaus[i];
	}
	return 68;
}

/* Reads an error and the packet of ours that it quotes. False: cut short, or not of ours. */
static bool parse_error(const struct stack *s, const struct packet *pkt, struct icmp_error *e)
{
	const uint8_t *q = pkt->l4 + ICMP_HEADER_BYTES, *l4;
	uint32_t bytes = pkt->l4_len - ICMP_HEADER_BYTES, header_bytes;

	if (bytes < IP4_HEADER_BYTES || q[0] >> 4 != 4)
		return false;
	header_bytes = (q[0] & 0xfu) * 4;
	if (header_bytes < IP4_HEADER_BYTES || bytes < header_bytes + ICMP_QUOTED_L4)
		return false;
	if (get_be32(q + IP4_SRC) != s->addr4 || (get_be16(q + IP4_FRAGMENT) & IP4_OFFSET_MASK))
		return false;
	l4 = q + header_bytes;
	e->type = pkt->l4[0];
	e->code = pkt->l4[1];
	set_error(e);
	e->mtu = 0;
	if (e->error == -EMSGSIZE)
		e->mtu = needed_mtu(get_be16(pkt->l4 + ICMP_MTU), get_be16(q + IP4_TOTAL_LENGTH));
	e->protocol = q[IP4_PROTOCOL];
	e->local = (struct endpoint){ip4(get_be32(q + IP4_SRC)), get_be16(l4)};
	e->peer = (struct endpoint){ip4(get_be32(q + IP4_DST)), get_be16(l4 + 2)};
	e->seq = get_be32(l4 + 4);
	return true;
}

static uint64_t *error_input(struct stack *s, const struct packet *pkt)
{
	struct icmp_error e;
	bool matched = false;

	if (pkt->broadcast || !parse_error(s, pkt, &e))
		return &s->stats.drop_icmp_unmatched;
	if (e.protocol == IPPROTO_TCP)
		matched = tcp_icmp_error(s, &e);
	else if (e.protocol == IPPROTO_UDP)
		matched = udp_icmp_error(s, &e);
	return matched ? &s->stats.rx_icmp : &s->stats.drop_icmp_unmatched;
}

void icmp_input(struct stack *s, struct packet *pkt)
{
	if (pkt->l4_len < ICMP_HEADER_BYTES || csum_fold(csum_partial(pkt->l4, pkt->l4_len, 0))) {
		stack_drop(pkt->buf, &s->stats.drop_icmp_malformed);
		return;
	}
	switch (pkt->l4[0]) {
	case ICMP_ECHO:
		echo_input(s, pkt);
		break;
	case ICMP_UNREACHABLE:
	case ICMP_TIME_EXCEEDED:
	case ICMP_PARAMETER_PROBLEM:
		stack_drop(pkt->buf, error_input(s, pkt));
		break;
	default: /* source quench: RFC 6633. Redirects: RFC 1122 3.2.2.2 is for who routes. */
		stack_drop(pkt->buf, &s->stats.drop_icmp_type);
		break;
	}
}

/* How much of pkt an error quotes: as much as there is room for (RFC 1812 4.3.2.3), and so much
 * that it need not be cut. */
static uint32_t quoted_bytes(struct stack *s, const struct packet *pkt)
{
	uint32_t bytes = (uint32_t)(pkt->l4 - pkt->l3) + pkt->l4_len;
	uint32_t most = ip_path_mtu(s, &pkt->src);

	most = most < ICMP_ERROR_MAX_BYTES ? most : ICMP_ERROR_MAX_BYTES;
	most -= IP4_HEADER_BYTES + ICMP_HEADER_BYTES;
	return bytes < most ? bytes : most;
}

/* Sends an error about pkt, if the rules and the rate limit let it. */
static void send_error(struct stack *s, const struct packet *pkt, uint8_t type, uint8_t code)
{
	uint32_t quoted = quoted_bytes(s, pkt);
	struct ip_send m = {
	    .src = pkt->dst,
	    .dst = pkt->src,
	    .protocol = IPPROTO_ICMP,
	    .answer = true,
	};
	uint8_t *p;

	if (pkt->broadcast || pkt->buf->flags & BUF_OVERHEARD)
		return;
	if (!rate_take(&s->icmp_errors, ICMP_ERRORS_PER_S, ICMP_ERRORS_BURST, s->now_ns)) {
		s->stats.lost_icmp_rate++;
		return;
	}
	m.head = pool_get(s->pool);
	if (m.head == NULL) {
		s->stats.lost_no_buffer++;
		return;
	}
	p = m.head->data;
	memset(p, 0, ICMP_HEADER_BYTES);
	p[0] = type;
	p[1] = code;
	memcpy(p + ICMP_HEADER_BYTES, pkt->l3, quoted);
	m.head->len = ICMP_HEADER_BYTES + quoted;
	csum_store(p + ICMP_CHECKSUM, csum_partial(p, m.head->len, 0));
	s->stats.tx_icmp_errors++;
	ip_send(s, &m);
}

void icmp_unreachable(struct stack *s, const struct packet *pkt, uint8_t code)
{
	send_error(s, pkt, ICMP_UNREACHABLE, code);
}

void icmp_reassembly_expired(struct stack *s, const struct packet *pkt)
{
	send_error(s, pkt, ICMP_TIME_EXCEEDED, ICMP_REASSEMBLY);
}
