/* pkt_packet.c - packets to bytes and back, and their comparison. Printing is in pkt_print.c.
 *
 * SPDX-License-Identifier: MIT
 */
#include "pkt_packet.h"
#include "base/bytes.h"
#include "base/checksum.h"
#include <errno.h>
#include <netinet/in.h>
#include <string.h>

enum {
	IP_BYTES = 20,
	TCP_BYTES = 20,
	UDP_BYTES = 8,
	ICMP_BYTES = 8,
	DEFAULT_TTL = 64,
	DF = 0x4000
};

enum { ICMP_ECHO_REPLY = 0, ICMP_UNREACHABLE = 3, ICMP_ECHO = 8, ICMP_FRAG_NEEDED = 4 };

static uint32_t pseudo_sum(const struct pkt_addresses *a, uint8_t protocol, uint32_t bytes)
{
	uint8_t p[12];

	put_be32(p, a->src);
	put_be32(p + 4, a->dst);
	put_be16(p + 8, protocol);
	put_be16(p + 10, (uint16_t)bytes);
	return csum_partial(p, sizeof(p), 0);
}

static void write_ip(uint8_t *ip, const struct pkt_packet *p, const struct pkt_addresses *a,
		     uint8_t protocol, uint32_t total)
{
	memset(ip, 0, IP_BYTES);
	ip[0] = 0x45;
	ip[1] = p->tos_check == PKT_TOS_ANY ? 0 : p->tos;
	put_be16(ip + 2, (uint16_t)total);
	put_be16(ip + 6, DF);
	ip[8] = p->ttl != 0 ? p->ttl : DEFAULT_TTL;
	ip[9] = protocol;
	put_be32(ip + 12, a->src);
	put_be32(ip + 16, a->dst);
	csum_store(ip + 10, csum_partial(ip, IP_BYTES, 0));
}

static uint32_t write_tcp(uint8_t *tcp, const struct pkt_packet *p)
{
	put_be16(tcp, p->src_port);
	put_be16(tcp + 2, p->dst_port);
	put_be32(tcp + 4, p->seq);
	put_be32(tcp + 8, p->ack);
	tcp[12] = (uint8_t)((TCP_BYTES + p->options_len) / 4 << 4);
	tcp[13] = p->flags;
	put_be16(tcp + 14, p->win);
	put_be16(tcp + 16, 0);
	put_be16(tcp + 18, p->urg);
	memcpy(tcp + TCP_BYTES, p->options, p->options_len);
	return TCP_BYTES + p->options_len;
}

static uint32_t write_udp(uint8_t *udp, const struct pkt_packet *p)
{
	put_be16(udp, p->src_port);
	put_be16(udp + 2, p->dst_port);
	put_be16(udp + 4, (uint16_t)(UDP_BYTES + p->payload));
	put_be16(udp + 6, 0);
	return UDP_BYTES;
}

/* The header of the packet that an error quotes, which went the other way. */
static uint32_t write_quoted(uint8_t *dst, const struct pkt_packet *p,
			     const struct pkt_addresses *a)
{
	const struct pkt_addresses back = {a->dst, a->src};
	struct pkt_packet q = {.src_port = p->src_port,
			       .dst_port = p->dst_port,
			       .seq = p->quoted_seq,
			       .flags = PKT_ACK,
			       .payload = p->payload};
	bool udp = p->quoted_protocol == IPPROTO_UDP;
	uint32_t l4 = udp ? write_udp(dst + IP_BYTES, &q) : write_tcp(dst + IP_BYTES, &q);

	write_ip(dst, &q, &back, p->quoted_protocol, IP_BYTES + l4 + p->payload);
	return IP_BYTES + l4;
}

static uint32_t write_icmp(uint8_t *icmp, const struct pkt_packet *p, const struct pkt_addresses *a)
{
	memset(icmp, 0, ICMP_BYTES);
	icmp[0] = p->icmp_type;
	icmp[1] = p->icmp_code;
	if (p->icmp_type == ICMP_ECHO || p->icmp_type == ICMP_ECHO_REPLY)
		put_be16(icmp + 4, p->echo_id);
	else if (p->has_mtu)
		put_be16(icmp + 6, p->mtu);
	return ICMP_BYTES + (p->quoted_protocol != 0 ? write_quoted(icmp + ICMP_BYTES, p, a) : 0);
}

static void fill_checksum(uint8_t *l4, uint32_t bytes, const struct pkt_packet *p,
			  const struct pkt_addresses *a)
{
	uint16_t sum;

	if (p->protocol == IPPROTO_ICMP) {
		csum_store(l4 + 2, csum_partial(l4, bytes, 0));
		return;
	}
	sum = csum_fold(csum_partial(l4, bytes, pseudo_sum(a, p->protocol, bytes)));
	if (p->protocol == IPPROTO_UDP && sum == 0)
		sum = 0xffff;
	memcpy(l4 + (p->protocol == IPPROTO_UDP ? 6 : 16), &sum, sizeof(sum));
}

int pkt_build(const struct pkt_packet *p, const struct pkt_addresses *a, const uint8_t *payload,
	      uint8_t *dst)
{
	uint8_t *l4 = dst + IP_BYTES;
	uint32_t bytes, data = p->quoted_protocol != 0 ? 0 : p->payload;

	if (IP_BYTES + TCP_BYTES + PKT_OPTIONS_MAX + data > PKT_IP_MAX_BYTES)
		return -EMSGSIZE;
	if (p->protocol == IPPROTO_TCP)
		bytes = write_tcp(l4, p);
	else if (p->protocol == IPPROTO_UDP)
		bytes = write_udp(l4, p);
	else
		bytes = write_icmp(l4, p, a);
	if (data > 0)
		memcpy(l4 + bytes, payload, data);
	bytes += data;
	fill_checksum(l4, bytes, p, a);
	write_ip(dst, p, a, p->protocol, IP_BYTES + bytes);
	return (int)(IP_BYTES + bytes);
}

static int bad(const char **why, const char *what)
{
	*why = what;
	return -EINVAL;
}

static int read_tcp(struct pkt_packet *p, const uint8_t *tcp, uint32_t bytes, const char **why)
{
	uint32_t header;

	if (bytes < TCP_BYTES)
		return bad(why, "TCP header cut short");
	header = (uint32_t)(tcp[12] >> 4) * 4;
	if (header < TCP_BYTES || header > bytes)
		return bad(why, "TCP data offset");
	p->src_port = get_be16(tcp);
	p->dst_port = get_be16(tcp + 2);
	p->seq = get_be32(tcp + 4);
	p->ack = get_be32(tcp + 8);
	p->flags = tcp[13];
	p->has_win = true;
	p->win = get_be16(tcp + 14);
	p->urg = get_be16(tcp + 18);
	p->options_len = (uint8_t)(header - TCP_BYTES);
	memcpy(p->options, tcp + TCP_BYTES, p->options_len);
	p->payload = bytes - header;
	return (int)header;
}

static int read_udp(struct pkt_packet *p, const uint8_t *udp, uint32_t bytes, const char **why)
{
	if (bytes < UDP_BYTES || get_be16(udp + 4) != bytes)
		return bad(why, "UDP length");
	p->src_port = get_be16(udp);
	p->dst_port = get_be16(udp + 2);
	p->payload = bytes - UDP_BYTES;
	return UDP_BYTES;
}

/* What an error quotes may be cut short behind 8 bytes of its L4 header. */
static int read_quoted(struct pkt_packet *p, const uint8_t *ip, uint32_t bytes, const char **why)
{
	const uint8_t *l4 = ip + IP_BYTES;
	uint32_t total;

	if (bytes < IP_BYTES + 8 || ip[0] != 0x45)
		return bad(why, "quoted packet");
	total = get_be16(ip + 2);
	p->quoted_protocol = ip[9];
	p->src_port = get_be16(l4);
	p->dst_port = get_be16(l4 + 2);
	if (p->quoted_protocol == IPPROTO_UDP)
		p->payload = total - IP_BYTES - UDP_BYTES;
	if (p->quoted_protocol == IPPROTO_TCP) {
		p->quoted_seq = get_be32(l4 + 4);
		if (bytes >= IP_BYTES + TCP_BYTES)
			p->payload = total - IP_BYTES - (uint32_t)(l4[12] >> 4) * 4;
	}
	return ICMP_BYTES;
}

static int read_icmp(struct pkt_packet *p, const uint8_t *icmp, uint32_t bytes, const char **why)
{
	if (bytes < ICMP_BYTES)
		return bad(why, "ICMP header cut short");
	if (csum_fold(csum_partial(icmp, bytes, 0)) != 0)
		return bad(why, "ICMP checksum");
	p->icmp_type = icmp[0];
	p->icmp_code = icmp[1];
	p->payload = bytes - ICMP_BYTES;
	if (p->icmp_type == ICMP_ECHO || p->icmp_type == ICMP_ECHO_REPLY) {
		p->echo_id = get_be16(icmp + 4);
		return ICMP_BYTES;
	}
	p->has_mtu = p->icmp_type == ICMP_UNREACHABLE && p->icmp_code == ICMP_FRAG_NEEDED;
	p->mtu = get_be16(icmp + 6);
	return read_quoted(p, icmp + ICMP_BYTES, bytes - ICMP_BYTES, why);
}

static int read_ip(struct pkt_packet *p, struct pkt_addresses *a, const uint8_t *ip, uint32_t len,
		   const char **why)
{
	if (len < IP_BYTES || ip[0] != 0x45)
		return bad(why, "IP header");
	if (get_be16(ip + 2) != len)
		return bad(why, "IP length");
	if (csum_fold(csum_partial(ip, IP_BYTES, 0)) != 0)
		return bad(why, "IP checksum");
	if (get_be16(ip + 6) & 0x3fff)
		return bad(why, "an IP fragment");
	p->tos_check = PKT_TOS_ALL;
	p->tos = ip[1];
	p->ttl = ip[8];
	p->protocol = ip[9];
	a->src = get_be32(ip + 12);
	a->dst = get_be32(ip + 16);
	return 0;
}

int pkt_read(struct pkt_packet *p, struct pkt_addresses *a, const uint8_t **payload,
	     const uint8_t *data, uint32_t len, const char **why)
{
	const uint8_t *l4 = data + IP_BYTES;
	uint32_t bytes = len - IP_BYTES;
	int r;

	memset(p, 0, sizeof(*p));
	r = read_ip(p, a, data, len, why);
	if (r < 0)
		return r;
	if (p->protocol == IPPROTO_ICMP) {
		r = read_icmp(p, l4, bytes, why);
	} else if (p->protocol == IPPROTO_TCP || p->protocol == IPPROTO_UDP) {
		r = p->protocol == IPPROTO_TCP ? read_tcp(p, l4, bytes, why)
					       : read_udp(p, l4, bytes, why);
		if (r > 0 &&
		    csum_fold(csum_partial(l4, bytes, pseudo_sum(a, p->protocol, bytes))) != 0)
			return bad(why, "TCP or UDP checksum");
	} else {
		return bad(why, "neither TCP, UDP nor ICMP");
	}
	if (r < 0)
		return r;
	*payload = l4 + r;
	return 0;
}

bool pkt_next_option(const struct pkt_packet *p, uint8_t *at, struct pkt_option *o,
		     bool *bad_option)
{
	uint8_t i = *at;

	*bad_option = false;
	if (i >= p->options_len)
		return false;
	o->kind = p->options[i];
	o->len = 0;
	o->value_at = (uint8_t)(i + 1);
	if (o->kind > PKT_OPT_NOP) {
		if (i + 2 > p->options_len || p->options[i + 1] < 2 ||
		    i + p->options[i + 1] > p->options_len) {
			*bad_option = true;
			return false;
		}
		o->len = (uint8_t)(p->options[i + 1] - 2);
		o->value_at = (uint8_t)(i + 2);
	}
	*at = (uint8_t)(o->value_at + o->len);
	return true;
}

void pkt_shift_sack(struct pkt_packet *p, uint32_t delta)
{
	struct pkt_option o;
	uint8_t at = 0;
	bool bad_option;

	while (pkt_next_option(p, &at, &o, &bad_option)) {
		if (o.kind != PKT_OPT_SACK)
			continue;
		for (int i = 0; i + 4 <= o.len; i += 4) {
			uint8_t *edge = p->options + o.value_at + i;

			put_be32(edge, get_be32(edge) + delta);
		}
	}
}

int pkt_timestamp_at(const struct pkt_packet *p)
{
	struct pkt_option o;
	uint8_t at = 0;
	bool bad_option;

	while (pkt_next_option(p, &at, &o, &bad_option)) {
		if (o.kind == PKT_OPT_TS && o.len == 8)
			return o.value_at;
	}
	return -1;
}

static const char *tos_mismatch(const struct pkt_packet *want, const struct pkt_packet *got)
{
	switch (want->tos_check) {
	case PKT_TOS_ECN:
		return (got->tos & 3) == want->tos ? NULL : "ECN bits";
	case PKT_TOS_ECT01:
		return (got->tos & 3) == 1 || (got->tos & 3) == 2 ? NULL : "ECN bits";
	case PKT_TOS_ALL:
		return got->tos == want->tos ? NULL : "TOS";
	case PKT_TOS_ANY:
		break;
	}
	return NULL;
}

static const char *tcp_mismatch(const struct pkt_packet *want, const struct pkt_packet *got)
{
	if (want->flags != got->flags)
		return "flags";
	if (want->seq != got->seq)
		return "sequence number";
	if (want->payload != got->payload)
		return "length";
	if (want->flags & PKT_ACK && want->ack != got->ack)
		return "ack";
	if (want->has_win && want->win != got->win)
		return "win";
	if (want->urg != got->urg)
		return "urg";
	if (!want->any_options && (want->options_len != got->options_len ||
				   memcmp(want->options, got->options, want->options_len) != 0))
		return "options";
	return NULL;
}

static const char *icmp_mismatch(const struct pkt_packet *want, const struct pkt_packet *got)
{
	if (want->icmp_type != got->icmp_type || want->icmp_code != got->icmp_code)
		return "ICMP type or code";
	if (want->has_mtu && want->mtu != got->mtu)
		return "mtu";
	if (want->echo_id != 0 && want->echo_id != got->echo_id)
		return "id";
	if (want->quoted_protocol != 0 &&
	    (want->quoted_protocol != got->quoted_protocol || want->quoted_seq != got->quoted_seq))
		return "quoted packet";
	if ((want->quoted_protocol != 0 || want->payload != 0) && want->payload != got->payload)
		return "length";
	return NULL;
}

const char *pkt_mismatch(const struct pkt_packet *want, const struct pkt_packet *got)
{
	const char *tos = tos_mismatch(want, got);

	if (want->protocol != got->protocol)
		return "protocol";
	if (want->to != 0 && want->to != got->to)
		return "MAC";
	if (want->protocol == PKT_ARP)
		return pkt_arp_mismatch(want, got);
	if (tos != NULL)
		return tos;
	if (want->ttl != 0 && want->ttl != got->ttl)
		return "ttl";
	if (want->protocol == IPPROTO_TCP)
		return tcp_mismatch(want, got);
	if (want->protocol == IPPROTO_ICMP)
		return icmp_mismatch(want, got);
	return want->payload == got->payload ? NULL : "length";
}
