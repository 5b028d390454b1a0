/* tcp_frame.c - see tcp_frame.h.
 *
 * SPDX-License-Identifier: MIT
 */
#include "inet/tcp_frame.h"
#include "base/checksum.h"
#include "inet/tcp_output.h"
#include "inet/tcp_reassembly.h"
#include "inet/tcp_receive.h"

/* Bytes in front of a payload that is sent where it lies. */
enum { HEADERS_ROOM = IP_HEADERS_ROOM + TCP_HEADER_MAX_BYTES };

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

static uint32_t write_sack(const struct tcp_cb *cb, uint8_t *p)
{
	struct tcp_range block[TCP_SACK_BLOCKS];
	uint32_t n = tcp_reassembly_sack(cb, block, sack_room(cb));

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

static bool has_sack(const struct tcp_cb *cb)
{
	return cb->ooo != NULL || cb->dsack.start != cb->dsack.end;
}

/* Writes the options of a segment without SYN to p; returns how many bytes. Payload leaves no room
 * for SACK blocks: they go out on acknowledgements of their own. */
static uint32_t write_options(struct tcp_cb *cb, uint8_t *p, bool payload)
{
	uint32_t bytes = 0;

	if (cb->timestamps) {
		tcp_segment_write_timestamps(p, tcp_clock(cb->sock.stack) + cb->ts_offset,
					     cb->ts_recent);
		bytes = TCP_TIMESTAMP_BYTES;
	}
	if (!payload && cb->sack && has_sack(cb)) {
		bytes += write_sack(cb, p + bytes);
		cb->dsack.end = cb->dsack.start;
	}
	return bytes;
}

/* csum_partial() of a header, in line for the two common lengths. */
static uint32_t sum_header(const uint8_t *p, uint32_t bytes, uint32_t sum)
{
	uint64_t s;
	uint32_t w[3];

	if (bytes != TCP_HEADER_BYTES + TCP_TIMESTAMP_BYTES)
		return csum_partial(p, bytes, sum);
	memcpy(w, p + TCP_HEADER_BYTES, sizeof(w));
	s = (uint64_t)w[0] + w[1] + w[2] + csum_header20(p, sum);
	s += s << 32 | s >> 32;
	return (uint32_t)(s >> 32);
}

/* Completes a frame whose TCP header lies at l4 inside head, and whose payload of `len` bytes has
 * the sum payload_sum. What was written acknowledges all that was received. */
static void complete(struct tcp_cb *cb, struct frame *f, struct buf *head, uint8_t *l4,
		     uint32_t header_bytes, uint32_t len, uint32_t payload_sum)
{
	struct stack *s = cb->sock.stack;
	uint32_t l4_bytes = header_bytes + len, pseudo;
	uint8_t *start = ip_path_write(s, &cb->path, l4, 0, l4_bytes);

	pseudo = csum_add(cb->path.pseudo_sum, csum_word((uint16_t)l4_bytes));
	if (f->offload & OFFLOAD_L4_CSUM) {
		uint16_t folded = (uint16_t)~csum_fold(pseudo);

		memcpy(l4 + 16, &folded, sizeof(folded));
	} else {
		csum_store(l4 + 16, sum_header(l4, header_bytes, csum_add(pseudo, payload_sum)));
	}
	f->head = head;
	f->len = cb->path.header_bytes + l4_bytes;
	f->l3_offset = cb->path.l3_offset;
	f->l4_offset = cb->path.header_bytes;
	head->data = start;
}

/* The header of everything but a SYN. Returns its length; l4 ends up so far in front of `behind`.
 */
static uint32_t write_header(struct tcp_cb *cb, uint8_t **l4, uint8_t *behind, uint32_t seq,
			     uint8_t flags, bool payload)
{
	uint8_t options[TCP_HEADER_MAX_BYTES - TCP_HEADER_BYTES];
	uint32_t bytes, window = tcp_receive_window(cb) >> cb->rcv_shift;

	if (!cb->sack || payload || !has_sack(cb)) {
		bytes = cb->timestamps ? TCP_TIMESTAMP_BYTES : 0;
		*l4 = behind - TCP_HEADER_BYTES - bytes;
		write_options(cb, *l4 + TCP_HEADER_BYTES, true);
	} else {
		bytes = write_options(cb, options, false);
		*l4 = behind - TCP_HEADER_BYTES - bytes;
		memcpy(*l4 + TCP_HEADER_BYTES, options, bytes);
	}
	tcp_segment_write_header(*l4, cb->sock.local.port, cb->sock.peer.port, seq, cb->rcv_nxt,
				 flags, (uint16_t)(window < 65535 ? window : 65535),
				 TCP_HEADER_BYTES + bytes);
	cb->last_ack_sent = cb->rcv_nxt;
	cb->ack_need = TCP_ACK_NONE;
	cb->ack_deadline_ns = UINT64_MAX;
	return TCP_HEADER_BYTES + bytes;
}

static uint16_t offload_of(const struct stack *s)
{
	return (uint16_t)(s->cfg.offloads & OFFLOAD_L4_CSUM);
}

bool tcp_frame_control(struct tcp_cb *cb, struct frame *f, uint32_t seq, uint8_t flags)
{
	struct stack *s = cb->sock.stack;
	struct buf *head = pool_get(s->pool);
	uint32_t header_bytes;
	uint8_t *l4;

	if (head == NULL)
		return false;
	f->nfrags = 0;
	f->tso_mss = 0;
	f->offload = offload_of(s);
	header_bytes = write_header(cb, &l4, head->data, seq, flags, false);
	head->len = cb->path.header_bytes + header_bytes;
	complete(cb, f, head, l4, header_bytes, 0, 0);
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
	    .window_shift = tcp_window_shift(cb->recv_limit),
	    .sack_permitted = !answer || cb->sack,
	    .timestamps = !answer || cb->timestamps,
	    .tsval = tcp_clock(s) + cb->ts_offset,
	    .tsecr = answer ? cb->ts_recent : 0,
	};
	uint8_t *l4;

	if (head == NULL)
		return false;
	l4 = head->data;
	bytes = TCP_HEADER_BYTES + tcp_segment_write_syn_options(l4 + TCP_HEADER_BYTES, &o);
	tcp_segment_write_header(l4, cb->sock.local.port, cb->sock.peer.port, cb->iss,
				 answer ? cb->rcv_nxt : 0, TCP_SYN | (answer ? TCP_ACK : 0),
				 (uint16_t)window, bytes);
	f->nfrags = 0;
	f->tso_mss = 0;
	f->offload = offload_of(s);
	head->len = cb->path.header_bytes + bytes;
	complete(cb, f, head, l4, bytes, 0, 0);
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

/* One copied message that is a segment, and of which no earlier copy is in flight: the headers go
 * right in front of it. */
static bool in_place(const struct tcp_chunk *c, uint32_t seq, uint32_t len)
{
	return c->copied && c->seq == seq && len <= c->len && buf_sole(c->buf) &&
	       c->data - c->buf->base >= HEADERS_ROOM;
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
	head->len = len;
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

static uint32_t whole_or_part_sum(const struct tcp_chunk *c, uint32_t len)
{
	return len == c->len ? c->sum : csum_partial(c->data, len, 0);
}

bool tcp_frame_data(struct tcp_cb *cb, struct frame *f, struct tcp_chunk *c, uint32_t seq,
		    uint32_t len, uint8_t flags)
{
	struct stack *s = cb->sock.stack;
	uint32_t header_bytes, sum;
	struct buf *head;
	uint8_t *l4;

	f->nfrags = 0;
	f->offload = offload_of(s);
	f->tso_mss = 0;
	if (len > cb->mss) {
		f->offload |= OFFLOAD_TSO;
		f->tso_mss = (uint16_t)cb->mss;
	}
	if (in_place(c, seq, len)) {
		head = buf_ref(c->buf);
		header_bytes = write_header(cb, &l4, c->data, seq, flags, true);
		head->len = cb->path.header_bytes + header_bytes + len;
		complete(cb, f, head, l4, header_bytes, len, whole_or_part_sum(c, len));
		return true;
	}
	head = pool_get(s->pool);
	if (head == NULL)
		return false;
	if (referable(s, c, seq, len))
		sum = reference_payload(f, c, seq, len);
	else
		sum = copy_payload(cb, head, c, seq, len);
	header_bytes = write_header(cb, &l4, head->data, seq, flags, true);
	head->len += cb->path.header_bytes + header_bytes;
	complete(cb, f, head, l4, header_bytes, len, sum);
	return true;
}
