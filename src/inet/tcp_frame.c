/* tcp_frame.c - see tcp_frame.h.
 *
 * SPDX-License-Identifier: MIT
 */
#include "inet/tcp_frame.h"
#include "base/checksum.h"
#include "inet/tcp_ecn.h"
#include "inet/tcp_header.h"
#include "inet/tcp_output.h"
#include "inet/tcp_reassembly.h"
#include "inet/tcp_receive.h"

enum { SACK_HEADER_BYTES = 4, SACK_BLOCK_BYTES = 8 };

/* SACK blocks that fit behind the timestamps, or without them (RFC 2018 3), and on a very narrow
 * link into its packets. */
static uint32_t sack_room(const struct tcp_cb *cb)
{
	const struct stack *s = cb->sock.stack;
	uint32_t headers =
	    ip_header_bytes(&cb->sock.peer.ip) + TCP_HEADER_BYTES + SACK_HEADER_BYTES;
	uint32_t most = TCP_SACK_BLOCKS, fit;

	if (cb->timestamps) {
		headers += TCP_TIMESTAMP_BYTES;
		most--;
	}
	fit = (s->ip_mtu - headers) / SACK_BLOCK_BYTES;
	return fit < most ? fit : most;
}

static uint32_t write_sack(struct tcp_cb *cb, uint8_t *p)
{
	struct tcp_range block[TCP_SACK_BLOCKS];
	uint32_t n = tcp_reassembly_sack(cb, block, sack_room(cb));

	cb->duplicate = false;
	if (n == 0)
		return 0;
	put_be32(p, TCP_OPT_NOP << 24 | TCP_OPT_NOP << 16 | TCP_OPT_SACK << 8 |
			(2 + SACK_BLOCK_BYTES * n));
	for (uint32_t i = 0; i < n; i++) {
		put_be32(p + 4 + 8 * i, block[i].start);
		put_be32(p + 8 + 8 * i, block[i].end);
	}
	return SACK_HEADER_BYTES + SACK_BLOCK_BYTES * n;
}

bool tcp_frame_control(struct tcp_cb *cb, struct frame *f, uint32_t seq, uint8_t flags)
{
	struct buf *head = pool_get(cb->sock.stack->pool);
	uint32_t bytes = cb->header_bytes;
	uint64_t sum = 0;
	uint8_t *l4;

	if (head == NULL)
		return false;
	tcp_header_begin(cb, f);
	l4 = head->data;
	if (cb->sack && (cb->out_of_order || cb->duplicate)) {
		bytes += write_sack(cb, l4 + bytes);
		sum = csum_partial(l4 + cb->header_bytes, bytes - cb->header_bytes, 0);
	}
	flags |= tcp_ecn_flags(cb, ECN_NOT_ECT);
	sum = tcp_header_write(cb, l4, seq, tcp_segment_word(bytes, flags), sum);
	tcp_header_complete(cb, f, head, l4, bytes, bytes, sum, ECN_NOT_ECT);
	return true;
}

bool tcp_frame_syn(struct tcp_cb *cb, struct frame *f)
{
	struct stack *s = cb->sock.stack;
	struct buf *head = pool_get(s->pool);
	bool answer = cb->state != TCP_SYN_SENT;
	uint32_t window = cb->recv_limit < 65535 ? cb->recv_limit : 65535, bytes;
	struct tcp_syn_options o = {
	    .mss = tcp_own_mss(cb),
	    .window_scale = !answer || cb->window_scale,
	    .window_shift = cb->rcv_shift,
	    .sack_permitted = !answer || cb->sack,
	    .timestamps = !answer || cb->timestamps,
	    .tsval = tcp_clock(s) + cb->ts_offset,
	    .tsecr = answer ? cb->ts_recent : 0,
	};
	uint8_t *l4, flags = answer ? TCP_SYN | TCP_ACK : TCP_SYN;

	if (head == NULL)
		return false;
	if (!answer && tcp_ecn_asks(cb))
		flags |= TCP_ECE | TCP_CWR;
	l4 = head->data;
	bytes = TCP_HEADER_BYTES + tcp_segment_write_syn_options(l4 + TCP_HEADER_BYTES, &o);
	tcp_segment_write_header(l4, tcp_segment_ports(cb->sock.local.port, cb->sock.peer.port),
				 cb->iss, answer ? cb->rcv_nxt : 0, tcp_segment_word(bytes, flags),
				 (uint16_t)window, 0);
	tcp_header_begin(cb, f);
	tcp_header_complete(cb, f, head, l4, bytes, bytes, csum_partial(l4, bytes, 0), ECN_NOT_ECT);
	cb->rcv_adv = cb->rcv_nxt + window;
	cb->last_ack_sent = cb->rcv_nxt;
	cb->ack_need = TCP_ACK_NONE;
	return true;
}

/* Bytes of chunk c from seq on, at most len. */
static uint32_t piece_of(const struct tcp_chunk *c, uint32_t seq, uint32_t len)
{
	uint32_t rest = c->seq + c->len - seq;

	return rest < len ? rest : len;
}

uint32_t tcp_frame_fit(const struct tcp_cb *cb, const struct tcp_chunk *c, uint32_t seq,
		       uint32_t len)
{
	const struct stack *s = cb->sock.stack;
	uint32_t room = s->copy_room_bytes, bytes = 0;

	if (len <= room)
		return len;
	for (unsigned i = 0; i < s->cfg.max_frags && c != NULL && bytes < len; i++, c = c->next)
		bytes += piece_of(c, seq + bytes, len - bytes);
	return bytes > room ? bytes : room;
}

/* One copied message that begins a segment, and of which no earlier copy is in flight: the headers
 * go right in front of it. */
static inline bool in_place(const struct tcp_chunk *c, uint32_t seq, uint32_t len)
{
	return c->copied && c->seq == seq && len <= c->len && buf_sole(c->buf);
}

/* Copies the payload behind the headers. */
static uint32_t copy_payload(struct tcp_cb *cb, struct buf *head, const struct tcp_chunk *c,
			     uint32_t seq, uint32_t len)
{
	uint32_t sum = 0, done = 0;

	while (done < len) {
		uint32_t n = piece_of(c, seq + done, len - done);
		const uint8_t *data = c->data + (seq + done - c->seq);
		uint32_t part = csum_copy(head->data + done, data, n, 0);

		sum = done & 1 ? csum_add_odd(sum, part) : csum_add(sum, part);
		done += n;
		c = c->next;
	}
	cb->sock.stack->stats.tx_copied_bytes += len;
	return sum;
}

/* References the payload. Returns its sum, when the device does not make it. */
static uint32_t reference_payload(struct frame *f, const struct tcp_chunk *c, uint32_t seq,
				  uint32_t len)
{
	uint32_t sum = 0, done = 0;

	while (done < len) {
		struct frame_frag *frag = &f->frags[f->nfrags++];

		frag->buf = buf_ref(c->buf);
		frag->data = c->data + (seq + done - c->seq);
		frag->len = piece_of(c, seq + done, len - done);
		if (!(f->offload & OFFLOAD_L4_CSUM)) {
			uint32_t part = csum_partial(frag->data, frag->len, 0);

			sum = done & 1 ? csum_add_odd(sum, part) : csum_add(sum, part);
		}
		done += frag->len;
		c = c->next;
	}
	return sum;
}

/* May len bytes from seq on be references? They must be few, and not small. */
static bool referable(const struct stack *s, const struct tcp_chunk *c, uint32_t seq, uint32_t len)
{
	uint32_t bytes = 0;

	if (len <= TCP_GATHER_COPY_BYTES)
		return false;
	for (unsigned i = 0; i < s->cfg.max_frags && bytes < len; i++, c = c->next)
		bytes += piece_of(c, seq + bytes, len - bytes);
	return bytes == len;
}

/* The rest of tcp_frame_data(): a head of its own, the payload behind it or referenced. */
static bool gathered(struct tcp_cb *cb, struct frame *f, struct tcp_chunk *c, uint32_t seq,
		     uint32_t len, uint8_t flags, uint8_t ecn)
{
	struct stack *s = cb->sock.stack;
	struct buf *head = pool_get(s->pool);
	uint32_t bytes = cb->header_bytes, inside = bytes;
	uint64_t sum;
	uint8_t *l4;

	if (head == NULL)
		return false;
	l4 = head->data - bytes;
	if (referable(s, c, seq, len)) {
		sum = reference_payload(f, c, seq, len);
	} else {
		sum = copy_payload(cb, head, c, seq, len);
		inside += len;
	}
	sum = tcp_header_write(cb, l4, seq, tcp_segment_word(bytes, flags), sum);
	tcp_header_complete(cb, f, head, l4, bytes + len, inside, sum, ecn);
	return true;
}

/* `cut`: the device cuts what is more than a segment. */
static inline bool frame_data(struct tcp_cb *cb, struct frame *f, struct tcp_chunk *c, uint32_t seq,
			      uint32_t len, uint8_t flags, bool cut)
{
	uint32_t bytes = cb->header_bytes;
	uint8_t *l4, ecn = tcp_ecn_codepoint(cb, seq);
	uint64_t sum;

	flags |= tcp_ecn_flags(cb, ecn);
	tcp_header_begin(cb, f);
	if (cut && len > cb->mss) {
		f->offload |= OFFLOAD_TSO | OFFLOAD_L4_CSUM; /* cut or not, one makes both */
		f->tso_mss = (uint16_t)cb->mss;
	}
	if (!in_place(c, seq, len))
		return gathered(cb, f, c, seq, len, flags, ecn);
	l4 = c->data - bytes;
	sum = len == c->len ? c->sum : csum_partial(c->data, len, 0);
	sum = tcp_header_write(cb, l4, seq, tcp_segment_word(bytes, flags), sum);
	tcp_header_complete(cb, f, buf_ref(c->buf), l4, bytes + len, bytes + len, sum, ecn);
	return true;
}

bool tcp_frame_data(struct tcp_cb *cb, struct frame *f, struct tcp_chunk *c, uint32_t seq,
		    uint32_t len, uint8_t flags)
{
	return frame_data(cb, f, c, seq, len, flags, true);
}

bool tcp_frame_whole(struct tcp_cb *cb, struct frame *f, struct tcp_chunk *c, uint32_t seq,
		     uint32_t len, uint8_t flags)
{
	return frame_data(cb, f, c, seq, len, flags, false);
}
