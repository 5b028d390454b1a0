/* tcp_segment.h - the TCP header: parsed once, into host order, and written once. Wire order does
 * not leave tcp_segment.c and tcp_output.c.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef INET_TCP_SEGMENT_H
#define INET_TCP_SEGMENT_H

#include "base/bytes.h"
#include "inet/tcp_limits.h"
#include <stdbool.h>
#include <stdint.h>

enum tcp_flag {
	TCP_FIN = 1 << 0,
	TCP_SYN = 1 << 1,
	TCP_RST = 1 << 2,
	TCP_PSH = 1 << 3,
	TCP_ACK = 1 << 4,
	TCP_URG = 1 << 5,
	TCP_ECE = 1 << 6,
	TCP_CWR = 1 << 7,
};

enum {
	TCP_HEADER_BYTES = 20,
	TCP_HEADER_MAX_BYTES = 60,
	TCP_TIMESTAMP_BYTES = 12, /* the option with its padding (RFC 7323 appendix A) */
};

enum tcp_option {
	TCP_OPT_END = 0,
	TCP_OPT_NOP = 1,
	TCP_OPT_MSS = 2,
	TCP_OPT_WINDOW_SCALE = 3,
	TCP_OPT_SACK_PERMITTED = 4,
	TCP_OPT_SACK = 5,
	TCP_OPT_TIMESTAMPS = 8,
};

/* NOP, NOP, kind and length of the timestamps option. */
enum {
	TCP_TIMESTAMP_LAYOUT = TCP_OPT_NOP << 24 | TCP_OPT_NOP << 16 | TCP_OPT_TIMESTAMPS << 8 | 10
};

struct tcp_range {
	uint32_t start, end; /* end is the first number behind it */
};

/* A received segment. Names are those of RFC 9293: SEG.SEQ is seq, and so on. */
struct tcp_segment {
	uint32_t seq, ack;
	uint32_t len; /* bytes of payload */
	uint16_t wnd; /* as it came, not scaled */
	uint16_t sport, dport;
	uint8_t flags; /* TCP_ */
	uint8_t *data; /* the payload, len bytes */
	uint32_t tsval, tsecr;
	struct tcp_options {
		bool timestamps;
		bool window_scale;
		bool sack_permitted;
		uint8_t window_shift; /* at most TCP_WINDOW_SHIFT_MAX */
		uint8_t sack_count;
		uint16_t mss; /* 0: not given */
	} has;
	struct tcp_range sack[TCP_SACK_BLOCKS];
};

/* SEG.LEN: SYN and FIN take a number each (RFC 9293 3.4). */
static inline uint32_t tcp_segment_length(const struct tcp_segment *seg)
{
	return seg->len + ((seg->flags & TCP_SYN) != 0) + ((seg->flags & TCP_FIN) != 0);
}

/* Fills seg from the l4_len bytes of header and payload at l4, which it borrows. False: the header
 * is cut short or its length is impossible. Unknown options are skipped; one whose length is
 * impossible ends the list (RFC 9293 3.1, MUST-6, MUST-7). */
bool tcp_segment_parse(struct tcp_segment *seg, uint8_t *l4, uint32_t l4_len);

/* The same in line for nearly every segment of a connection: no flag but ACK and PSH, no option but
 * timestamps in the one layout of RFC 7323 appendix A. False: it is not such a segment. */
static inline bool tcp_segment_parse_plain(struct tcp_segment *seg, uint8_t *l4, uint32_t l4_len)
{
	uint32_t bytes = TCP_HEADER_BYTES + TCP_TIMESTAMP_BYTES;

	if (l4_len >= bytes && (get_be16(l4 + 12) & ~TCP_PSH) == (bytes / 4 << 12 | TCP_ACK) &&
	    get_be32(l4 + TCP_HEADER_BYTES) == TCP_TIMESTAMP_LAYOUT) {
		seg->tsval = get_be32(l4 + TCP_HEADER_BYTES + 4);
		seg->tsecr = get_be32(l4 + TCP_HEADER_BYTES + 8);
		seg->has = (struct tcp_options){.timestamps = true};
	} else if (l4_len >= TCP_HEADER_BYTES &&
		   (get_be16(l4 + 12) & ~TCP_PSH) == (TCP_HEADER_BYTES / 4 << 12 | TCP_ACK)) {
		bytes = TCP_HEADER_BYTES;
		seg->tsval = seg->tsecr = 0;
		seg->has = (struct tcp_options){0};
	} else {
		return false;
	}
	seg->sport = get_be16(l4);
	seg->dport = get_be16(l4 + 2);
	seg->seq = get_be32(l4 + 4);
	seg->ack = get_be32(l4 + 8);
	seg->flags = l4[13];
	seg->wnd = get_be16(l4 + 14);
	seg->data = l4 + bytes;
	seg->len = l4_len - bytes;
	return true;
}

/* What the options of a SYN of ours say. */
struct tcp_syn_options {
	uint16_t mss;
	bool window_scale;
	uint8_t window_shift;
	bool sack_permitted;
	bool timestamps;
	uint32_t tsval, tsecr;
};

/* Writes the options of a SYN or SYN-ACK to p, which has room for 40 bytes; returns how many, a
 * multiple of 4. */
uint32_t tcp_segment_write_syn_options(uint8_t *p, const struct tcp_syn_options *o);

/* A 32-bit field at p. Returns it as it lies there, for a checksum: what was just written is not
 * read back. */
static inline uint64_t tcp_segment_put(uint8_t *p, uint32_t v)
{
	v = __builtin_bswap32(v);
	memcpy(p, &v, sizeof(v));
	return v;
}

/* The first TCP_HEADER_BYTES of a header, checksum 0; header_bytes is the length with options.
 * Returns the sum of what was written, in 32-bit words, not folded. */
static inline uint64_t tcp_segment_write_header(uint8_t *p, uint16_t sport, uint16_t dport,
						uint32_t seq, uint32_t ack, uint8_t flags,
						uint16_t wnd, uint32_t header_bytes)
{
	put_be32(p + 16, 0);
	return tcp_segment_put(p, (uint32_t)sport << 16 | dport) + tcp_segment_put(p + 4, seq) +
	       tcp_segment_put(p + 8, ack) +
	       tcp_segment_put(p + 12, header_bytes / 4 << 28 | (uint32_t)flags << 16 | wnd);
}

/* The timestamps option and its padding. As tcp_segment_write_header(). */
static inline uint64_t tcp_segment_write_timestamps(uint8_t *p, uint32_t tsval, uint32_t tsecr)
{
	return tcp_segment_put(p, TCP_TIMESTAMP_LAYOUT) + tcp_segment_put(p + 4, tsval) +
	       tcp_segment_put(p + 8, tsecr);
}

#endif
