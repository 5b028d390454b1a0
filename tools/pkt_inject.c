/* pkt_inject.c - packets that the script injects.
 *
 * A packet without ports belongs to the connection at hand; when there is none (a socket has just
 * been bound or made to listen) it is the first of a new one, from a port of its own.
 *
 * SPDX-License-Identifier: MIT
 */
#include "pkt_run_state.h"
#include <netinet/in.h>
#include <string.h>

/* A peer's path may be a little wider than ours: what a received frame's room takes beyond the MTU.
 */
enum { ROOM_BEYOND_MTU = 64 };

static uint8_t flow_protocol(const struct pkt_packet *p)
{
	if (p->protocol != IPPROTO_ICMP)
		return p->protocol;
	return p->quoted_protocol; /* 0: it belongs to no flow */
}

static struct pkt_flow *inbound_flow(struct run *r, const struct pkt_packet *p)
{
	uint8_t protocol = flow_protocol(p);
	struct pkt_flow *f;

	if (p->has_ports) {
		f = run_flow_find(r, protocol, p->dst_port, p->src_port);
		if (f == NULL)
			f = run_flow_new(r, protocol, p->dst_port, p->src_port, true);
		return f;
	}
	if (r->current != NULL && r->current->protocol == protocol)
		return r->current;
	f = run_flow_new(r, protocol, r->local_port, r->next_remote_port++, false);
	r->current = f;
	return f;
}

static void fill_payload(struct run *r, const struct pkt_flow *f, const struct pkt_packet *p)
{
	uint32_t offset = f == NULL ? 0 : flow_remote_offset(f, p);

	for (uint32_t i = 0; i < p->payload; i++)
		r->bytes[i] = flow_remote_byte(offset + i);
}

static void inject_arp(struct run *r, const struct pkt_packet *p)
{
	uint8_t arp[PKT_ARP_BYTES], mac[6];

	pkt_build_arp(p, host_own_mac, arp);
	pkt_mac(mac, p->arp.at);
	if (host_inject_arp(r->host, arp, sizeof(arp), mac) < 0)
		run_fail(r, "the stack keeps all packet buffers");
	run_call_try(r);
}

void run_inject(struct run *r, const struct pkt_event *e)
{
	struct pkt_addresses a = {ip4_get(&r->script->options.remote),
				  ip4_get(&r->script->options.local)};
	struct pkt_packet p = e->packet;
	struct pkt_flow *f = NULL;
	char text[PKT_TEXT_BYTES + 64];
	uint8_t *wire = r->bytes + PKT_IP_MAX_BYTES; /* behind the payload */
	bool mapped = true;
	int len;

	run_packet_text(text, run_now_us(r), '<', &p);
	run_tell(r, "%s", text);
	if (p.protocol == PKT_ARP) {
		inject_arp(r, &p);
		return;
	}
	if (p.protocol != IPPROTO_ICMP || p.quoted_protocol != 0) {
		f = inbound_flow(r, &p);
		if (f == NULL)
			return;
		mapped = flow_to_wire(f, &p);
	}
	if (!mapped) {
		run_fail(r, "the ecr echoes a TS val that the stack has never sent");
		return;
	}
	fill_payload(r, f, &e->packet);
	len = pkt_build(&p, &a, r->bytes, wire);
	if (len < 0 || len > r->script->options.mtu + ROOM_BEYOND_MTU)
		run_fail(r, "the packet is too large for the MTU");
	else if (host_inject(r->host, wire, (uint32_t)len) < 0)
		run_fail(r, "the stack keeps all packet buffers");
	run_call_try(r);
}
