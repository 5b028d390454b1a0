/* tcp_header.h - the headers of a segment, written and summed in line: they are most of what
 * sending a small message costs. The steps are begin, write, complete; see tcp_frame.c.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef INET_TCP_HEADER_H
#define INET_TCP_HEADER_H

#include "base/checksum.h"
#include "inet/tcp_receive.h"
#include "inet/tcp_table.h"

/* Writes a header of tcp_segment_word() `word`; what is behind its timestamps is there already. It
 * acknowledges all that was received. Returns the sum of the segment, of 64-bit words, where `sum`
 * is csum_partial() of what is behind that. */
static inline uint64_t tcp_header_write(struct tcp_cb *cb, uint8_t *l4, uint32_t seq, uint16_t word,
					uint64_t sum)
{
	uint32_t window = tcp_receive_window(cb) >> cb->rcv_shift, ack = cb->rcv_nxt;
	uint32_t ports = cb->wire_ports << 16 | cb->wire_ports >> 16; /* from us to the peer */

	cb->last_ack_sent = ack;
	cb->ack_need = TCP_ACK_NONE;
	cb->ack_deadline_ns = UINT64_MAX;
	if (cb->timestamps) {
		uint32_t tsval = tcp_clock(cb->sock.stack) + cb->ts_offset;

		sum =
		    tcp_segment_write_timestamps(l4 + TCP_HEADER_BYTES, tsval, cb->ts_recent, sum);
	}
	return tcp_segment_write_header(l4, ports, seq, ack, word, (uint16_t)window, sum);
}

/* Completes a frame whose TCP header lies at l4 inside head. Behind it, of the segment's l4_bytes,
 * there follow so many in head as to make head->len `inside`. `sum` is that of all but the
 * pseudo-header, of 64-bit words; `ecn` the packet's code point. */
static inline void tcp_header_complete(struct tcp_cb *cb, struct frame *f, struct buf *head,
				       uint8_t *l4, uint32_t l4_bytes, uint32_t inside,
				       uint64_t sum, uint8_t ecn)
{
	uint32_t lower = cb->path.header_bytes;
	uint64_t pseudo = (uint64_t)cb->path.pseudo_sum + csum_word((uint16_t)l4_bytes);
	uint16_t folded;

	if (f->offload)
		folded = (uint16_t)~csum_fold(csum_fold64(pseudo));
	else
		folded = csum_fold(csum_fold64(csum_add64(sum, pseudo)));
	memcpy(l4 + 16, &folded, sizeof(folded));
	head->data = ip_path_write(cb->sock.stack, &cb->path, l4, ecn, l4_bytes);
	head->len = lower + inside;
	f->head = head;
	f->len = lower + l4_bytes;
	f->l3_offset = cb->path.l3_offset;
	f->l4_offset = (uint16_t)lower;
}

static inline void tcp_header_begin(const struct tcp_cb *cb, struct frame *f)
{
	f->nfrags = 0;
	f->offload = cb->offload;
}

#endif
