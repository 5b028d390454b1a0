/* pkt_parse_packet.c - packets of a script, behind their < or >:
 *
 *	packet:  [info] [PORT > PORT] (tcp | udp | icmp | arp)
 *	info:    ( one ) or [ one ]: noecn ect0 ect1 ect01 ce, tos 0xN, ttl N, to N, to all
 *	tcp:     FLAGS N:N(N) [ack N] [win N] [urg N] [< options >]
 *	udp:     udp (N)
 *	icmp:    icmp TYPE [CODE] [mtu N] [id N] [ [ N:N(N) ] | [ udp (N) ] | (N) ]
 *	arp:     arp (request | reply) "IP" [from "IP"] [at N]: whom it asks, or tells, who does
 *	         that, and its MAC; with --show_arp (ours, as `to` is: N is 02:00:00:00:00:N)
 *	options: ... or a list of mss N, wscale N, sackOK, sack N:N ..., TS val N ecr N, nop, eol,
 *	         md5 HEX, FO [HEX], FOEXP [HEX]; kind N [0xHEX] is any option with its length right,
 *	         raw 0xHEX any bytes at all (these two are ours)
 *
 * SPDX-License-Identifier: MIT
 */
#include "pkt_parse.h"
#include <ctype.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>

static int parse_tos(struct parser *p, struct pkt_packet *k)
{
	static const char *const ecn[] = {"noecn", "ect1", "ect0", "ce"}; /* RFC 3168 5 */
	int64_t n;
	int r;

	for (uint8_t i = 0; i < 4; i++) {
		if (parse_take_word(p, ecn[i])) {
			k->tos_check = PKT_TOS_ECN;
			k->tos = i;
			return 0;
		}
	}
	if (parse_take_word(p, "ect01")) {
		k->tos_check = PKT_TOS_ECT01;
		return 0;
	}
	if (!parse_take_word(p, "tos"))
		return parse_expected(p, "noecn, ect0, ect1, ect01, ce, tos, ttl or to");
	r = parse_number(p, "tos", UINT8_MAX, &n);
	k->tos_check = PKT_TOS_ALL;
	k->tos = (uint8_t)n;
	return r;
}

static int parse_mac(struct parser *p, uint8_t *mac)
{
	int64_t n = PKT_MAC_ALL;
	int r = parse_take_word(p, "all") ? 0 : parse_number(p, "a MAC", PKT_MAC_ALL - 1, &n);

	*mac = (uint8_t)n;
	return r;
}

static int parse_info(struct parser *p, struct pkt_packet *k)
{
	char close = parse_is_mark(p, '(') ? ')' : ']';

	if (!parse_is_mark(p, '(') && !parse_is_mark(p, '['))
		return 0;
	parse_next(p);
	do {
		int64_t n = 0;
		int r;

		if (parse_take_word(p, "to")) {
			r = parse_mac(p, &k->to);
		} else if (parse_take_word(p, "ttl")) {
			r = parse_number(p, "ttl", UINT8_MAX, &n);
			k->ttl = (uint8_t)n;
		} else {
			r = parse_tos(p, k);
		}
		if (r < 0)
			return r;
	} while (parse_take_mark(p, ','));
	return parse_mark(p, close);
}

static int parse_ports(struct parser *p, struct pkt_packet *k)
{
	int64_t src = 0, dst = 0;
	int r;

	if (p->token.kind != TOKEN_NUMBER)
		return 0;
	r = parse_number(p, "a port", UINT16_MAX, &src);
	if (r == 0)
		r = parse_mark(p, '>');
	if (r == 0)
		r = parse_number(p, "a port", UINT16_MAX, &dst);
	k->has_ports = true;
	k->src_port = (uint16_t)src;
	k->dst_port = (uint16_t)dst;
	return r;
}

static int flag_of(char c)
{
	static const char letters[] = "FSRP.UEW"; /* in the order of their bits, RFC 9293 3.1 */
	const char *at = c == '\0' ? NULL : strchr(letters, c);

	return at == NULL ? -1 : 1 << (at - letters);
}

static int parse_flags(struct parser *p, struct pkt_packet *k)
{
	bool any = false;

	if (parse_take_mark(p, '-'))
		return 0; /* none set */
	while (p->token.kind == TOKEN_WORD || parse_is_mark(p, '.')) {
		for (uint32_t i = 0; i < p->token.len; i++) {
			int flag = flag_of(p->token.text[i]);

			if (flag < 0)
				return parse_expected(p, "flags out of F S R P . U E W, or -,");
			k->flags |= (uint8_t)flag;
		}
		any = true;
		parse_next(p);
	}
	return any ? 0 : parse_expected(p, "flags out of F S R P . U E W, udp or icmp");
}

/* N:N(N). The end may wrap past the largest sequence number. */
static int parse_seq(struct parser *p, uint32_t *seq, uint32_t *payload)
{
	int line = p->token.line;
	int64_t start, end, len;
	int r = parse_number(p, "a sequence number", UINT32_MAX, &start);

	if (r < 0 || (r = parse_mark(p, ':')) < 0 ||
	    (r = parse_number(p, "a sequence number", UINT32_MAX, &end)) < 0 ||
	    (r = parse_mark(p, '(')) < 0 ||
	    (r = parse_number(p, "a length", UINT16_MAX, &len)) < 0 || (r = parse_mark(p, ')')) < 0)
		return r;
	if ((uint32_t)end != (uint32_t)(start + len))
		return parse_fail(p, line, "%lld:%lld is not %lld bytes", (long long)start,
				  (long long)end, (long long)len);
	*seq = (uint32_t)start;
	*payload = (uint32_t)len;
	return 0;
}

static int add_bytes(struct parser *p, struct pkt_packet *k, const uint8_t *bytes, size_t n)
{
	if (k->options_len + n > PKT_OPTIONS_MAX)
		return parse_fail(p, p->token.line, "TCP has room for %d bytes of options",
				  PKT_OPTIONS_MAX);
	memcpy(k->options + k->options_len, bytes, n);
	k->options_len = (uint8_t)(k->options_len + n);
	return 0;
}

static int add_option(struct parser *p, struct pkt_packet *k, uint8_t kind, const uint8_t *value,
		      size_t n)
{
	const uint8_t head[2] = {kind, (uint8_t)(n + 2)};
	int r = add_bytes(p, k, head, sizeof(head));

	return r == 0 && n > 0 ? add_bytes(p, k, value, n) : r;
}

static int hex_digit(char c)
{
	return c <= '9' ? c - '0' : tolower((unsigned char)c) - 'a' + 10;
}

/* Bytes in hexadecimal, with or without 0x; none at all when the token is something else. */
static int parse_hex(struct parser *p, uint8_t bytes[PKT_OPTIONS_MAX], size_t *n)
{
	const char *s = p->token.text;
	uint32_t len = p->token.len;

	*n = 0;
	if (p->token.kind != TOKEN_NUMBER && p->token.kind != TOKEN_WORD)
		return 0;
	if (len > 2 && s[0] == '0' && s[1] == 'x') {
		s += 2;
		len -= 2;
	}
	if (len % 2 != 0 || len / 2 > PKT_OPTIONS_MAX)
		return parse_expected(p, "pairs of hexadecimal digits for at most 40 bytes");
	for (; *n < len / 2; ++*n) {
		char hi = s[2 * *n], lo = s[2 * *n + 1];

		if (!isxdigit((unsigned char)hi) || !isxdigit((unsigned char)lo))
			return parse_expected(p, "pairs of hexadecimal digits");
		bytes[*n] = (uint8_t)(hex_digit(hi) << 4 | hex_digit(lo));
	}
	parse_next(p);
	return 0;
}

static int parse_sack(struct parser *p, struct pkt_packet *k)
{
	uint8_t value[PKT_OPTIONS_MAX];
	size_t n = 0;

	do {
		int64_t left, right;
		int r = parse_number(p, "a SACK edge", UINT32_MAX, &left);

		if (r < 0 || (r = parse_mark(p, ':')) < 0 ||
		    (r = parse_number(p, "a SACK edge", UINT32_MAX, &right)) < 0)
			return r;
		if (n + 8 > sizeof(value) - 2)
			return parse_fail(p, p->token.line, "TCP has room for 4 SACK blocks");
		put_be32(value + n, (uint32_t)left);
		put_be32(value + n + 4, (uint32_t)right);
		n += 8;
	} while (p->token.kind == TOKEN_NUMBER);
	return add_option(p, k, PKT_OPT_SACK, value, n);
}

static int parse_timestamp(struct parser *p, struct pkt_packet *k)
{
	uint8_t value[8];
	int64_t val, ecr;
	int r;

	if (!parse_take_word(p, "val"))
		return parse_expected(p, "val");
	if ((r = parse_number(p, "val", UINT32_MAX, &val)) < 0)
		return r;
	if (!parse_take_word(p, "ecr"))
		return parse_expected(p, "ecr");
	if ((r = parse_number(p, "ecr", UINT32_MAX, &ecr)) < 0)
		return r;
	put_be32(value, (uint32_t)val);
	put_be32(value + 4, (uint32_t)ecr);
	return add_option(p, k, PKT_OPT_TS, value, sizeof(value));
}

/* An option whose value is `magic` and then bytes in hexadecimal, if there are any. */
static int parse_hex_option(struct parser *p, struct pkt_packet *k, uint8_t kind, const char *magic)
{
	uint8_t value[2 + PKT_OPTIONS_MAX];
	size_t n, m = strlen(magic);
	int r = parse_hex(p, value + m, &n);

	memcpy(value, magic, m);
	return r < 0 ? r : add_option(p, k, kind, value, m + n);
}

static int parse_any_option(struct parser *p, struct pkt_packet *k)
{
	int64_t kind = 0;
	int r = parse_number(p, "a kind", UINT8_MAX, &kind);

	return r < 0 ? r : parse_hex_option(p, k, (uint8_t)kind, "");
}

static int parse_raw_option(struct parser *p, struct pkt_packet *k)
{
	uint8_t bytes[PKT_OPTIONS_MAX];
	size_t n;
	int r = parse_hex(p, bytes, &n);

	return r < 0 ? r : add_bytes(p, k, bytes, n);
}

static int parse_option(struct parser *p, struct pkt_packet *k)
{
	uint8_t value[2] = {PKT_OPT_NOP, 0};
	int64_t n = 0;
	int r;

	if (parse_take_word(p, "nop"))
		return add_bytes(p, k, value, 1);
	if (parse_take_word(p, "eol"))
		return add_bytes(p, k, value + 1, 1);
	if (parse_take_word(p, "sackOK"))
		return add_option(p, k, PKT_OPT_SACKOK, NULL, 0);
	if (parse_take_word(p, "sack"))
		return parse_sack(p, k);
	if (parse_take_word(p, "TS"))
		return parse_timestamp(p, k);
	if (parse_take_word(p, "mss")) {
		r = parse_number(p, "mss", UINT16_MAX, &n);
		put_be16(value, (uint16_t)n);
		return r < 0 ? r : add_option(p, k, PKT_OPT_MSS, value, 2);
	}
	if (parse_take_word(p, "wscale")) {
		r = parse_number(p, "wscale", UINT8_MAX, &n);
		value[0] = (uint8_t)n;
		return r < 0 ? r : add_option(p, k, PKT_OPT_WSCALE, value, 1);
	}
	if (parse_take_word(p, "md5"))
		return parse_hex_option(p, k, PKT_OPT_MD5, "");
	if (parse_take_word(p, "FO"))
		return parse_hex_option(p, k, PKT_OPT_FAST_OPEN, "");
	if (parse_take_word(p, "FOEXP"))
		return parse_hex_option(p, k, PKT_OPT_EXPERIMENT, "\xf9\x89"); /* RFC 7413 A */
	if (parse_take_word(p, "kind"))
		return parse_any_option(p, k);
	if (parse_take_word(p, "raw"))
		return parse_raw_option(p, k);
	return parse_expected(p, "a TCP option");
}

static int parse_options(struct parser *p, bool inbound, struct pkt_packet *k)
{
	int line = p->token.line, r;

	if (!parse_take_mark(p, '<'))
		return 0;
	if (p->token.kind == TOKEN_ELLIPSIS) {
		if (inbound)
			return parse_fail(p, line, "<...> is for outbound packets");
		k->any_options = true;
		parse_next(p);
		return parse_mark(p, '>');
	}
	do {
		r = parse_option(p, k);
		if (r < 0)
			return r;
	} while (parse_take_mark(p, ','));
	if (k->options_len % 4 != 0)
		return parse_fail(p, line,
				  "%d bytes of TCP options: make them a multiple of 4 with "
				  "nop or eol",
				  k->options_len);
	return parse_mark(p, '>');
}

static int parse_tcp(struct parser *p, bool inbound, struct pkt_packet *k)
{
	int64_t n = 0;
	int r = parse_flags(p, k);

	k->protocol = IPPROTO_TCP;
	if (r < 0 || (r = parse_seq(p, &k->seq, &k->payload)) < 0)
		return r;
	if (parse_take_word(p, "ack")) {
		if ((r = parse_number(p, "ack", UINT32_MAX, &n)) < 0)
			return r;
		k->ack = (uint32_t)n;
	}
	if (parse_take_word(p, "win")) {
		if ((r = parse_number(p, "win", UINT16_MAX, &n)) < 0)
			return r;
		k->has_win = true;
		k->win = (uint16_t)n;
	}
	if (parse_take_word(p, "urg")) {
		if ((r = parse_number(p, "urg", UINT16_MAX, &n)) < 0)
			return r;
		k->urg = (uint16_t)n;
	}
	return parse_options(p, inbound, k);
}

static int parse_length(struct parser *p, uint32_t *len)
{
	int64_t n = 0;
	int r = parse_mark(p, '(');

	if (r == 0)
		r = parse_number(p, "a length", UINT16_MAX, &n);
	*len = (uint32_t)n;
	return r < 0 ? r : parse_mark(p, ')');
}

/* The packet that an ICMP error quotes, or the length of an echo. */
static int parse_quoted(struct parser *p, struct pkt_packet *k)
{
	int r;

	if (parse_is_mark(p, '('))
		return parse_length(p, &k->payload);
	if (!parse_take_mark(p, '['))
		return 0;
	if (parse_take_word(p, "udp")) {
		k->quoted_protocol = IPPROTO_UDP;
		r = parse_length(p, &k->payload);
	} else {
		k->quoted_protocol = IPPROTO_TCP;
		r = parse_seq(p, &k->quoted_seq, &k->payload);
	}
	return r < 0 ? r : parse_mark(p, ']');
}

static int parse_icmp_name(struct parser *p, const char *what, int type, uint8_t *out)
{
	const char *name;
	int64_t n = 0;
	int v, r;

	if (p->token.kind == TOKEN_NUMBER) {
		r = parse_number(p, what, UINT8_MAX, &n);
		*out = (uint8_t)n;
		return r;
	}
	name = parse_text(p, &p->token);
	if (name == NULL)
		return -ENOMEM;
	v = p->token.kind != TOKEN_WORD ? -1
	    : type < 0                  ? pkt_icmp_type(name)
					: pkt_icmp_code(type, name);
	if (v < 0)
		return parse_expected(p, what);
	*out = (uint8_t)v;
	parse_next(p);
	return 0;
}

static int parse_icmp(struct parser *p, struct pkt_packet *k)
{
	int64_t n = 0;
	int r = parse_icmp_name(p, "an ICMP type", -1, &k->icmp_type);

	k->protocol = IPPROTO_ICMP;
	if (r < 0)
		return r;
	if (p->token.kind == TOKEN_WORD && !parse_is_word(p, "mtu") && !parse_is_word(p, "id") &&
	    (r = parse_icmp_name(p, "an ICMP code", k->icmp_type, &k->icmp_code)) < 0)
		return r;
	if (parse_take_word(p, "mtu")) {
		if ((r = parse_number(p, "mtu", UINT16_MAX, &n)) < 0)
			return r;
		k->has_mtu = true;
		k->mtu = (uint16_t)n;
	}
	if (parse_take_word(p, "id")) {
		if ((r = parse_number(p, "id", UINT16_MAX, &n)) < 0)
			return r;
		k->echo_id = (uint16_t)n;
	}
	return parse_quoted(p, k);
}

static int parse_arp(struct parser *p, struct pkt_packet *k)
{
	int r;

	k->protocol = PKT_ARP;
	if (!p->script->options.show_arp)
		return parse_fail(p, p->token.line, "ARP is shown with --show_arp only");
	if (parse_take_word(p, "request"))
		k->arp.op = PKT_ARP_REQUEST;
	else if (parse_take_word(p, "reply"))
		k->arp.op = PKT_ARP_REPLY;
	else
		return parse_expected(p, "request or reply");
	r = parse_address(p, "whom it asks or tells", &k->arp.target);
	if (r == 0 && parse_take_word(p, "from"))
		r = parse_address(p, "who sends it", &k->arp.sender);
	if (r == 0 && parse_take_word(p, "at"))
		r = parse_mac(p, &k->arp.at);
	return r;
}

int parse_packet(struct parser *p, bool inbound, struct pkt_packet *k)
{
	int line = p->token.line, r = parse_info(p, k);

	if (r < 0)
		return r;
	if (inbound && k->tos_check == PKT_TOS_ECT01)
		return parse_fail(p, line, "ect01 is for outbound packets");
	if (parse_take_word(p, "icmp"))
		return parse_icmp(p, k);
	if (parse_take_word(p, "arp"))
		return parse_arp(p, k);
	if (parse_take_word(p, "udp")) {
		k->protocol = IPPROTO_UDP;
		r = parse_ports(p, k);
		return r < 0 ? r : parse_length(p, &k->payload);
	}
	r = parse_ports(p, k);
	if (r == 0 && parse_take_word(p, "udp")) {
		k->protocol = IPPROTO_UDP;
		return parse_length(p, &k->payload);
	}
	return r < 0 ? r : parse_tcp(p, inbound, k);
}
