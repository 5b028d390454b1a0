/* pkt_expect.c - packets that the script expects of the stack.
 *
 * SPDX-License-Identifier: MIT
 */
#include "pkt_run_state.h"
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

/* A packet of the stack, as it was read. */
struct sent {
	struct pkt_packet wire;   /* in the wire's terms */
	struct pkt_packet script; /* in the script's */
	const uint8_t *payload;
	struct pkt_flow *flow; /* NULL: ICMP that quotes nothing */
	int64_t us;
	const char *unreadable; /* why, or NULL */
};

static struct pkt_flow *outbound_flow(struct run *r, const struct pkt_packet *p)
{
	uint8_t protocol = p->protocol;
	uint16_t local = p->src_port, remote = p->dst_port;
	struct pkt_flow *f;

	if (protocol == IPPROTO_ICMP) { /* it quotes what came in */
		protocol = p->quoted_protocol;
		local = p->dst_port;
		remote = p->src_port;
	}
	if (protocol == 0)
		return NULL;
	f = run_flow_find(r, protocol, local, remote);
	if (f == NULL && p->protocol != IPPROTO_ICMP) {
		f = run_flow_new(r, protocol, local, remote, false);
		r->current = f;
	}
	return f;
}

static void read_sent(struct run *r, const struct host_packet *packet, struct sent *s)
{
	struct pkt_addresses a;

	memset(s, 0, sizeof(*s));
	s->us = (int64_t)(packet->time_ns / 1000);
	if (packet->arp) {
		pkt_read_arp(&s->wire, packet->data, packet->len, &s->unreadable);
		s->wire.to = pkt_mac_number(packet->to);
		return;
	}
	if (pkt_read(&s->wire, &a, &s->payload, packet->data, packet->len, &s->unreadable) < 0)
		return;
	s->wire.to = pkt_mac_number(packet->to);
	if (a.src != ip4_get(&r->script->options.local))
		s->unreadable = "source address";
	else if (a.dst != ip4_get(&r->script->options.remote))
		s->unreadable = "destination address";
	else
		s->flow = outbound_flow(r, &s->wire);
}

static void to_script(struct run *r, struct sent *s, const struct pkt_packet *want)
{
	const struct pkt_options *o = &r->script->options;
	uint32_t ticks = UINT32_MAX;

	if (o->ts_tick_us > 0)
		ticks = (uint32_t)(o->tolerance_us / o->ts_tick_us);
	s->script = s->wire;
	if (s->flow != NULL)
		flow_to_script(s->flow, &s->script, want, ticks);
	s->script.has_ports = s->flow != NULL && s->flow->named;
	if (s->wire.protocol != PKT_ARP && (want == NULL || want->to == 0))
		s->script.to = 0; /* of no interest */
}

/* Bytes of ours must go out as they were written. */
static bool payload_is_right(const struct sent *s)
{
	uint32_t offset;

	if (s->flow == NULL || s->flow->own_data || s->wire.protocol == IPPROTO_ICMP ||
	    !flow_local_offset(s->flow, &s->script, &offset))
		return true;
	for (uint32_t i = 0; i < s->script.payload; i++) {
		if (s->payload[i] != flow_local_byte(offset + i))
			return false;
	}
	return true;
}

static const char *ports_mismatch(const struct run *r, const struct pkt_packet *want,
				  const struct sent *s)
{
	if (want->has_ports)
		return want->src_port == s->wire.src_port && want->dst_port == s->wire.dst_port
			   ? NULL
			   : "ports";
	if (want->protocol == IPPROTO_ICMP || s->flow == NULL || s->flow == r->current)
		return NULL;
	return "connection";
}

/* What is wrong with the packet, NULL: nothing. */
static const char *mismatch(struct run *r, const struct pkt_packet *want, struct sent *s,
			    int64_t start_us, int64_t end_us)
{
	const char *why = s->unreadable;

	if (why == NULL)
		why = ports_mismatch(r, want, s);
	if (why == NULL) {
		to_script(r, s, want);
		why = pkt_mismatch(want, &s->script);
	}
	if (why == NULL && s->us < start_us)
		why = "time (it came too early)";
	if (why == NULL && s->us > end_us)
		why = "time (it came too late)";
	if (why == NULL && s->flow != NULL) {
		/* With a SYN the ISN becomes known, and with it where payload belongs. */
		struct pkt_flow before = *s->flow;

		flow_accept(s->flow, &s->wire, want);
		if (!payload_is_right(s)) {
			*s->flow = before;
			why = "payload";
		}
	}
	return why;
}

static bool is_pure_ack(const struct sent *s)
{
	return s->unreadable == NULL && s->wire.protocol == IPPROTO_TCP &&
	       s->wire.flags == PKT_ACK && s->wire.payload == 0;
}

/* Packets that do not count: of connections that the script has left behind, and ACKs that may be
 * skipped. */
static bool may_skip(struct run *r, const struct sent *s)
{
	if (s->flow != NULL && s->flow != r->current && !s->flow->named)
		return true;
	if (!r->o->skip_acks || !is_pure_ack(s) || r->skipped_acks == PKT_SKIPPED_ACKS_MAX)
		return false;
	r->skipped_acks++;
	return true;
}

static void tell_sent(struct run *r, struct sent *s, const char *what)
{
	char text[PKT_TEXT_BYTES + 64];

	if (!r->o->verbose)
		return;
	run_packet_text(text, s->us, '>', &s->script);
	run_tell(r, "%s%s", text, what);
}

static void print_sent(struct run *r, struct sent *s, const struct pkt_packet *want)
{
	char text[PKT_TEXT_BYTES + 64];

	if (s->unreadable != NULL) {
		run_note(r, "got:      a packet at %lld us that is wrong in itself: %s",
			 (long long)s->us, s->unreadable);
		return;
	}
	to_script(r, s, want);
	s->script.has_ports |= want == NULL || want->has_ports;
	run_packet_text(text, s->us, '>', &s->script);
	run_note(r, "got:      %s", text);
}

static void print_expected(struct run *r, const struct pkt_event *e, int64_t start_us,
			   int64_t end_us)
{
	char text[PKT_TEXT_BYTES + 64];
	int64_t tolerance = r->script->options.tolerance_us;

	if (e->time == PKT_ANY_TIME) {
		pkt_print(text, &e->packet);
		run_note(r, "expected: at any time > %s", text);
		return;
	}
	run_packet_text(text, start_us + tolerance, '>', &e->packet);
	run_note(r, "expected: %s", text);
	if (e->start_us != e->end_us)
		run_note(r, "          or up to %.6f s later",
			 (double)(end_us - start_us - 2 * tolerance) / 1e6);
}

/* The next packet that counts, NULL: none has been sent yet. The caller frees it. */
static struct host_packet *next_sent(struct run *r, struct sent *s)
{
	struct host_packet *packet;

	while ((packet = host_packet_next(r->host)) != NULL) {
		read_sent(r, packet, s);
		if (s->flow == NULL || s->flow == r->current || s->flow->named)
			break;
		to_script(r, s, NULL);
		tell_sent(r, s, "   (of an earlier connection)");
		free(packet);
	}
	return packet;
}

/* Moves time until a packet is there, at most to end_us. */
static struct host_packet *await_sent(struct run *r, struct sent *s, int64_t end_us)
{
	struct host_packet *packet = next_sent(r, s);

	for (bool more = true; packet == NULL && more && !r->failed; packet = next_sent(r, s))
		more = run_step(r, end_us);
	return packet;
}

void run_expect(struct run *r, const struct pkt_event *e, int64_t start_us, int64_t end_us)
{
	struct host_packet *packet;
	struct sent s;
	const char *why;

	for (;;) {
		packet = await_sent(r, &s, end_us);
		if (r->failed || packet == NULL)
			break;
		why = mismatch(r, &e->packet, &s, start_us, end_us);
		if (why == NULL) {
			tell_sent(r, &s, "");
			free(packet);
			return;
		}
		if (!may_skip(r, &s)) {
			run_fail(r, "the stack sent something else: %s", why);
			print_expected(r, e, start_us, end_us);
			print_sent(r, &s, &e->packet);
			free(packet);
			return;
		}
		to_script(r, &s, NULL);
		tell_sent(r, &s, "   (skipped)");
		free(packet);
	}
	free(packet);
	if (r->failed)
		return;
	run_fail(r, "the stack sent nothing");
	print_expected(r, e, start_us, end_us);
}

void run_expect_nothing(struct run *r)
{
	struct host_packet *packet;
	struct sent s;

	while (!r->failed && (packet = next_sent(r, &s)) != NULL) {
		if (!may_skip(r, &s)) {
			run_fail(r, "the script is over, but the stack has sent more");
			print_sent(r, &s, NULL);
		}
		free(packet);
	}
}
