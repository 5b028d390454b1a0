/* tcp_segment.c - see tcp_segment.h.
 *
 * SPDX-License-Identifier: MIT
 */
#include "inet/tcp_segment.h"

static void parse_timestamps(struct tcp_segment *seg, const uint8_t *p)
{
	seg->has.timestamps = true;
	seg->tsval = get_be32(p);
	seg->tsecr = get_be32(p + 4);
}

static void parse_sack(struct tcp_segment *seg, const uint8_t *p, uint32_t bytes)
{
	uint8_t count = (uint8_t)(bytes / 8);

	if (bytes % 8 != 0 || count > TCP_SACK_BLOCKS)
		return;
	seg->has.sack_count = count;
	for (uint8_t i = 0; i < count; i++, p += 8)
		seg->sack[i] = (struct tcp_range){get_be32(p), get_be32(p + 4)};
}

/* One option: kind, and `bytes` of value behind kind and length. A known kind with a wrong length
 * counts as unknown. Some options mean something on a SYN only. */
static void parse_option(struct tcp_segment *seg, uint8_t kind, const uint8_t *p, uint32_t bytes)
{
	bool syn = seg->flags & TCP_SYN;

	switch (kind) {
	case TCP_OPT_MSS:
		if (syn && bytes == 2)
			seg->has.mss = get_be16(p);
		break;
	case TCP_OPT_WINDOW_SCALE:
		if (syn && bytes == 1) {
			seg->has.window_scale = true;
			seg->has.window_shift =
			    *p < TCP_WINDOW_SHIFT_MAX ? *p : TCP_WINDOW_SHIFT_MAX;
		}
		break;
	case TCP_OPT_SACK_PERMITTED:
		if (syn && bytes == 0)
			seg->has.sack_permitted = true;
		break;
	case TCP_OPT_SACK:
		if (!syn)
			parse_sack(seg, p, bytes);
		break;
	case TCP_OPT_TIMESTAMPS:
		if (bytes == 8)
			parse_timestamps(seg, p);
		break;
	}
}

static void parse_options(struct tcp_segment *seg, const uint8_t *p, const uint8_t *end)
{
	while (p < end && *p != TCP_OPT_END) {
		if (*p == TCP_OPT_NOP) {
			p++;
			continue;
		}
		if (end - p < 2 || p[1] < 2 || p[1] > end - p)
			return;
		parse_option(seg, p[0], p + 2, p[1] - 2u);
		p += p[1];
	}
}

bool tcp_segment_parse(struct tcp_segment *seg, uint8_t *l4, uint32_t l4_len)
{
	uint32_t bytes;

	if (l4_len < TCP_HEADER_BYTES)
		return false;
	bytes = (uint32_t)(l4[12] >> 4) * 4;
	if (bytes < TCP_HEADER_BYTES || bytes > l4_len)
		return false;
	seg->sport = get_be16(l4);
	seg->dport = get_be16(l4 + 2);
	seg->seq = get_be32(l4 + 4);
	seg->ack = get_be32(l4 + 8);
	seg->flags = l4[13];
	seg->wnd = get_be16(l4 + 14);
	seg->data = l4 + bytes;
	seg->len = l4_len - bytes;
	seg->tsval = seg->tsecr = 0;
	seg->has = (struct tcp_options){0};
	parse_options(seg, l4 + TCP_HEADER_BYTES, l4 + bytes);
	return true;
}

uint32_t tcp_segment_write_syn_options(uint8_t *p, const struct tcp_syn_options *o)
{
	uint8_t *start = p;

	put_be32(p, TCP_OPT_MSS << 24 | 4 << 16 | o->mss);
	p += 4;
	if (o->timestamps) {
		uint32_t pad = o->sack_permitted ? TCP_OPT_SACK_PERMITTED << 24 | 2 << 16
						 : TCP_OPT_NOP << 24 | TCP_OPT_NOP << 16;

		put_be32(p, pad | TCP_OPT_TIMESTAMPS << 8 | 10);
		put_be32(p + 4, o->tsval);
		put_be32(p + 8, o->tsecr);
		p += 12;
	} else if (o->sack_permitted) {
		put_be32(p,
			 TCP_OPT_NOP << 24 | TCP_OPT_NOP << 16 | TCP_OPT_SACK_PERMITTED << 8 | 2);
		p += 4;
	}
	if (o->window_scale) {
		put_be32(p,
			 TCP_OPT_NOP << 24 | TCP_OPT_WINDOW_SCALE << 16 | 3 << 8 | o->window_shift);
		p += 4;
	}
	return (uint32_t)(p - start);
}
