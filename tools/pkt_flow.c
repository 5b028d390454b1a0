/* SPDX-License-Identifier: MIT */
#include "pkt_flow.h"
#include "base/bytes.h"
#include <netinet/in.h>
#include <stdlib.h>

uint8_t flow_remote_byte(uint64_t offset)
{
	return (uint8_t)(offset % 251);
}

uint8_t flow_local_byte(uint64_t offset)
{
	return (uint8_t)(255 - offset % 251);
}

/* The stack's TS value that the script calls `script`: that of the packet where it was expected, or
 * as far from the first as the script says. */
static bool ts_to_wire(const struct pkt_flow *f, uint32_t script, uint32_t *live)
{
	uint32_t kept = f->ts_count < FLOW_TS_PAIRS ? f->ts_count : FLOW_TS_PAIRS;

	for (uint32_t i = 0; i < kept; i++) {
		if (f->ts[i].script == script) {
			*live = f->ts[i].live;
			return true;
		}
	}
	if (kept == 0)
		return false;
	*live = f->ts[0].live + (script - f->ts[0].script);
	return true;
}

bool flow_to_wire(struct pkt_flow *f, struct pkt_packet *p)
{
	int ts = pkt_timestamp_at(p);

	if (p->protocol == IPPROTO_ICMP) { /* it quotes what the stack sent */
		p->src_port = f->local_port;
		p->dst_port = f->remote_port;
		if (p->quoted_protocol == IPPROTO_TCP)
			p->quoted_seq += f->local_delta;
		return true;
	}
	p->src_port = f->remote_port;
	p->dst_port = f->local_port;
	if (p->protocol != IPPROTO_TCP)
		return true;
	if (p->flags & PKT_SYN) {
		if (f->has_remote_isn && p->seq != f->remote_isn)
			f->may_restart = true;
		f->remote_isn = p->seq;
		f->has_remote_isn = true;
	}
	if (p->flags & PKT_RST)
		f->may_restart = true;
	p->seq += FLOW_REMOTE_DELTA;
	if (p->flags & PKT_ACK)
		p->ack += f->local_delta;
	pkt_shift_sack(p, f->local_delta);
	if (ts >= 0 && p->flags & PKT_ACK) {
		uint32_t live, ecr = get_be32(p->options + ts + 4);

		if (!ts_to_wire(f, ecr, &live))
			return ecr == 0;
		put_be32(p->options + ts + 4, live);
	}
	return true;
}

uint32_t flow_remote_offset(const struct pkt_flow *f, const struct pkt_packet *p)
{
	uint32_t first = p->seq + (p->flags & PKT_SYN ? 1 : 0);

	return p->protocol == IPPROTO_TCP ? first - f->remote_isn - 1 : 0;
}

static bool learns_isn(const struct pkt_flow *f, const struct pkt_packet *got)
{
	return got->flags & PKT_SYN && (!f->has_local_isn || f->may_restart);
}

static void ts_to_script(const struct pkt_flow *f, struct pkt_packet *p,
			 const struct pkt_packet *want, uint32_t tolerance_ticks)
{
	int at = pkt_timestamp_at(p), want_at = want == NULL ? -1 : pkt_timestamp_at(want);
	uint32_t val, want_val;
	int32_t off;

	if (at < 0 || want_at < 0)
		return;
	want_val = get_be32(want->options + want_at);
	val = get_be32(p->options + at);
	if (f->ts_count > 0)
		val = val - f->ts[0].live + f->ts[0].script;
	else
		val = want_val;
	off = (int32_t)(val - want_val);
	if (tolerance_ticks == UINT32_MAX || (uint32_t)abs(off) <= tolerance_ticks)
		val = want_val;
	put_be32(p->options + at, val);
}

void flow_to_script(const struct pkt_flow *f, struct pkt_packet *p, const struct pkt_packet *want,
		    uint32_t tolerance_ticks)
{
	uint32_t delta = f->local_delta;

	if (p->protocol == IPPROTO_ICMP && p->quoted_protocol == IPPROTO_TCP)
		p->quoted_seq -= FLOW_REMOTE_DELTA; /* it quotes what the script injected */
	if (p->protocol != IPPROTO_TCP)
		return;
	if (learns_isn(f, p))
		delta = p->seq - (want != NULL && want->flags & PKT_SYN ? want->seq : 0);
	p->seq -= delta;
	if (p->flags & PKT_ACK)
		p->ack -= FLOW_REMOTE_DELTA;
	pkt_shift_sack(p, 0 - FLOW_REMOTE_DELTA);
	ts_to_script(f, p, want, tolerance_ticks);
}

void flow_accept(struct pkt_flow *f, const struct pkt_packet *got, const struct pkt_packet *want)
{
	int at = pkt_timestamp_at(got), want_at = pkt_timestamp_at(want);

	if (got->protocol != IPPROTO_TCP)
		return;
	if (learns_isn(f, got)) {
		f->local_isn = want->seq;
		f->local_delta = got->seq - want->seq;
		f->has_local_isn = true;
		f->may_restart = false;
		f->ts_count = 0;
	}
	if (got->flags & PKT_RST)
		f->may_restart = true;
	if (at >= 0 && want_at >= 0) {
		uint32_t i = f->ts_count++;

		/* The first pair stays: the others are measured from it. */
		if (i >= FLOW_TS_PAIRS)
			i = 1 + (i - 1) % (FLOW_TS_PAIRS - 1);
		f->ts[i] = (struct flow_ts_pair){get_be32(want->options + want_at),
						 get_be32(got->options + at)};
	}
}

bool flow_local_offset(const struct pkt_flow *f, const struct pkt_packet *p, uint32_t *offset)
{
	if (p->protocol != IPPROTO_TCP) {
		*offset = 0;
		return true;
	}
	if (!f->has_local_isn)
		return false;
	*offset = p->seq + (p->flags & PKT_SYN ? 1 : 0) - f->local_isn - 1;
	return true;
}
