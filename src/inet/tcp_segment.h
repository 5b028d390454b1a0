/* tcp_segment.h - the TCP header: parsed once, into host order, and written once. Wire order does
 * not leave this file, tcp_segment.c and tcp_fast.h.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef INET_TCP_SEGMENT_H
#define INET_TCP_SEGMENT_H

#include "base/bytes.h"
#include "base/checksum.h"
#include "base/seq.h"
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

/* RFC 2883: did something arrive twice? sack[0] is what. */
static inline bool tcp_tells_of_duplicate(const struct tcp_segment *seg)
{
	return seg->has.sack_count > 0 && seq_leq(seg->sack[0].end, seg->ack);
}

/* Fills seg from the l4_len bytes of header and payload at l4, which it borrows. False: the header
 * is cut short or its length is impossible. Unknown options are skipped; one whose length is
 * impossible ends the list (RFC 9293 3.1, MUST-6, MUST-7). */
bool tcp_segment_parse(struct tcp_segment *seg, uint8_t *l4, uint32_t l4_len);

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

/* The 16 bits behind the acknowledgement number: data offset and flags (RFC 9293 3.1). */
static inline uint16_t tcp_segment_word(uint32_t header_bytes, uint8_t flags)
{
	return (uint16_t)(header_bytes / 4 << 12 | flags);
}

/* The first 32 bits of a header, as they lie in it. */
static inline uint32_t tcp_segment_ports(uint16_t sport, uint16_t dport)
{
	return __builtin_bswap32((uint32_t)sport << 16 | dport);
}

/* The first TCP_HEADER_BYTES of a header, checksum 0; `ports` is tcp_segment_ports(), `word`
 * tcp_segment_word() of its length with options. Returns `sum` plus what was written. */
static inline uint64_t tcp_segment_write_header(uint8_t *p, uint32_t ports, uint32_t seq,
						uint32_t ack, uint16_t word, uint16_t wnd,
						uint64_t sum)
{
	uint64_t first = (uint64_t)__builtin_bswap32(seq) << 32 | ports, second;

	memcpy(p, &first, sizeof(first));
	second = put_be64(p + 8, (uint64_t)ack << 32 | (uint32_t)word << 16 | wnd);
	put_be32(p + 16, 0);
	return csum_add64(csum_add64(sum, first), second);
}

/* The timestamps option and its padding. Returns `sum`, which has room for one 32-bit word more,
 * plus what was written. */
static inline uint64_t tcp_segment_write_timestamps(uint8_t *p, uint32_t tsval, uint32_t tsecr,
						    uint64_t sum)
{
	sum += put_be32(p, TCP_TIMESTAMP_LAYOUT);
	return csum_add64(sum, put_be64(p + 4, (uint64_t)tsval << 32 | tsecr));
}

#endif
