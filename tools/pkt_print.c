/* pkt_print.c - a packet as a line of a script.
 *
 * SPDX-License-Identifier: MIT
 */
#include "base/bytes.h"
#include "pkt_packet.h"
#include <netinet/in.h>
#include <stdarg.h>
#include <stdio.h>

struct text {
	char *at, *end;
};

static void add(struct text *t, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void add(struct text *t, const char *format, ...)
{
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(t->at, (size_t)(t->end - t->at), format, args);
	va_end(args);
	if (n > 0)
		t->at += n < t->end - t->at ? n : t->end - t->at - 1;
}

static void add_hex(struct text *t, const uint8_t *p, uint8_t n)
{
	if (n > 0)
		add(t, " 0x");
	while (n-- > 0)
		add(t, "%02x", *p++);
}

static void add_option(struct text *t, const struct pkt_option *o, const uint8_t *v)
{
	if (o->kind == PKT_OPT_EOL)
		add(t, "eol");
	else if (o->kind == PKT_OPT_NOP)
		add(t, "nop");
	else if (o->kind == PKT_OPT_MSS && o->len == 2)
		add(t, "mss %u", get_be16(v));
	else if (o->kind == PKT_OPT_WSCALE && o->len == 1)
		add(t, "wscale %u", v[0]);
	else if (o->kind == PKT_OPT_SACKOK && o->len == 0)
		add(t, "sackOK");
	else if (o->kind == PKT_OPT_TS && o->len == 8)
		add(t, "TS val %u ecr %u", get_be32(v), get_be32(v + 4));
	else if (o->kind == PKT_OPT_SACK && o->len > 0 && o->len % 8 == 0) {
		add(t, "sack");
		for (int i = 0; i < o->len; i += 8)
			add(t, " %u:%u", get_be32(v + i), get_be32(v + i + 4));
	} else {
		add(t, "kind %u", o->kind);
		add_hex(t, v, o->len);
	}
}

static void add_options(struct text *t, const struct pkt_packet *p)
{
	struct pkt_option o;
	uint8_t at = 0;
	bool bad = false;
	const char *comma = "";

	if (p->any_options)
		add(t, " <...>");
	if (p->any_options || p->options_len == 0)
		return;
	add(t, " <");
	while (pkt_next_option(p, &at, &o, &bad)) {
		add(t, "%s", comma);
		add_option(t, &o, p->options + o.value_at);
		comma = ",";
	}
	if (bad) {
		add(t, "%sraw", comma);
		add_hex(t, p->options + at, (uint8_t)(p->options_len - at));
	}
	add(t, ">");
}

static void add_tcp(struct text *t, const struct pkt_packet *p)
{
	static const char letters[] = "FSRP.UEW";
	char flags[sizeof(letters)];
	int n = 0;

	for (int i = 0; i < 8; i++) { /* the '.' goes last, as in scripts */
		if (p->flags & 1 << i && letters[i] != '.')
			flags[n++] = letters[i];
	}
	if (p->flags & PKT_ACK)
		flags[n++] = '.';
	flags[n] = '\0';
	add(t, "%s %u:%u(%u)", n > 0 ? flags : "-", p->seq, p->seq + p->payload, p->payload);
	if (p->flags & PKT_ACK || p->ack != 0)
		add(t, " ack %u", p->ack);
	if (p->has_win)
		add(t, " win %u", p->win);
	if (p->urg != 0)
		add(t, " urg %u", p->urg);
	add_options(t, p);
}

static void add_icmp(struct text *t, const struct pkt_packet *p)
{
	const char *type = pkt_icmp_type_name(p->icmp_type);
	const char *code = pkt_icmp_code_name(p->icmp_type, p->icmp_code);

	if (type != NULL)
		add(t, "icmp %s", type);
	else
		add(t, "icmp %u", p->icmp_type);
	if (code != NULL)
		add(t, " %s", code);
	else if (p->icmp_code != 0)
		add(t, " %u", p->icmp_code);
	if (p->has_mtu)
		add(t, " mtu %u", p->mtu);
	if (p->echo_id != 0)
		add(t, " id %u", p->echo_id);
	if (p->quoted_protocol == IPPROTO_UDP)
		add(t, " [udp (%u)]", p->payload);
	else if (p->quoted_protocol == IPPROTO_TCP)
		add(t, " [%u:%u(%u)]", p->quoted_seq, p->quoted_seq + p->payload, p->payload);
	else if (p->payload != 0)
		add(t, " (%u)", p->payload);
}

static void add_address(struct text *t, const char *word, uint32_t ip)
{
	add(t, " %s\"%u.%u.%u.%u\"", word, ip >> 24, ip >> 16 & 255, ip >> 8 & 255, ip & 255);
}

static void add_arp(struct text *t, const struct pkt_packet *p)
{
	add(t, p->arp.op == PKT_ARP_REPLY ? "arp reply" : "arp request");
	add_address(t, "", p->arp.target);
	if (p->arp.sender != 0)
		add_address(t, "from ", p->arp.sender);
	if (p->arp.at != 0)
		add(t, " at %u", p->arp.at);
}

static void add_to(struct text *t, const struct pkt_packet *p)
{
	if (p->to == PKT_MAC_ALL)
		add(t, "(to all) ");
	else if (p->to != 0)
		add(t, "(to %u) ", p->to);
}

static void add_tos(struct text *t, const struct pkt_packet *p)
{
	static const char *const ecn[] = {"noecn", "ect1", "ect0", "ce"};

	if (p->tos_check == PKT_TOS_ECT01)
		add(t, "[ect01] ");
	else if (p->tos_check == PKT_TOS_ECN ||
		 (p->tos_check == PKT_TOS_ALL && p->tos != 0 && p->tos < 4))
		add(t, "[%s] ", ecn[p->tos & 3]);
	else if (p->tos_check == PKT_TOS_ALL && p->tos != 0)
		add(t, "[tos 0x%x] ", p->tos);
}

void pkt_print(char text[PKT_TEXT_BYTES], const struct pkt_packet *p)
{
	struct text t = {text, text + PKT_TEXT_BYTES};

	text[0] = '\0';
	add_to(&t, p);
	add_tos(&t, p);
	if (p->has_ports && p->protocol != IPPROTO_ICMP)
		add(&t, "%u > %u ", p->src_port, p->dst_port);
	if (p->protocol == IPPROTO_TCP)
		add_tcp(&t, p);
	else if (p->protocol == IPPROTO_ICMP)
		add_icmp(&t, p);
	else if (p->protocol == PKT_ARP)
		add_arp(&t, p);
	else
		add(&t, "udp (%u)", p->payload);
}
