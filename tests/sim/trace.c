/* SPDX-License-Identifier: MIT */
#include "trace.h"
#include "link/offload.h"
#include "link/pcapng.h"
#include "pattern.h"
#include <string.h>

uint64_t trace_bytes(uint64_t seed, const uint8_t *p, uint32_t len)
{
	uint64_t h = seed ^ len, w;

	for (; len >= 8; len -= 8, p += 8) {
		memcpy(&w, p, sizeof(w));
		h = (h ^ w) * 0x9e3779b97f4a7c15u;
		h ^= h >> 29;
	}
	w = 0;
	memcpy(&w, p, len);
	return pattern_mix(h ^ w);
}

uint64_t trace_frame_hash(uint64_t seed, const struct frame *f)
{
	uint64_t h = trace_bytes(seed, f->head->data, f->head->len);

	for (unsigned i = 0; i < f->nfrags; i++)
		h = trace_bytes(h, f->frags[i].data, f->frags[i].len);
	return h;
}

static uint64_t place(const struct trace *t, uint64_t now_ns, unsigned host, int direction)
{
	return pattern_mix(t->hash ^ pattern_mix(now_ns * 64 + host * 2 + (unsigned)direction));
}

static void capture(struct trace *t, uint64_t now_ns, const struct frame *f)
{
	static uint8_t wire[65536 + 64];

	for (uint32_t i = 0; i < offload_segments(f); i++) {
		uint32_t len = offload_segment_bytes(f, i);

		if (len > sizeof(wire))
			continue;
		offload_segment(f, i, wire);
		pcapng_frame(t->pcap, PCAPNG_OUTBOUND, now_ns, wire, len);
	}
}

void trace_sent(struct trace *t, uint64_t now_ns, unsigned host, const struct frame *f)
{
	t->hash = trace_frame_hash(place(t, now_ns, host, 0), f);
	t->frames++;
	t->bytes += f->len;
	if (t->pcap != NULL)
		capture(t, now_ns, f);
}

void trace_received(struct trace *t, uint64_t now_ns, unsigned host, const struct buf *b)
{
	t->hash = trace_bytes(place(t, now_ns, host, 1), b->data, b->len);
	if (t->pcap != NULL)
		pcapng_frame(t->pcap, PCAPNG_INBOUND, now_ns, b->data, b->len);
}
