/* tcp_reply.c - see tcp_reply.h.
 *
 * SPDX-License-Identifier: MIT
 */
#include "inet/tcp_reply.h"
#include "base/checksum.h"
#include "inet/tcp_listen.h"
#include "inet/tcp_output.h"

/* One segment without payload. */
struct reply {
	struct endpoint local, peer;
	uint32_t seq, ack;
	uint8_t flags;
	uint16_t wnd;
	bool timestamps; /* alone, when not SYN */
	uint32_t tsval, tsecr;
	const struct tcp_syn_options *syn; /* NULL: no SYN */
	bool answer;
};

static void send_reply(struct stack *s, const struct reply *r)
{
	struct buf *b = pool_get(s->pool);
	uint32_t bytes = TCP_HEADER_BYTES, sum;
	uint8_t *p;

	if (b == NULL) {
		s->stats.lost_no_buffer++;
		return;
	}
	p = b->data;
	if (r->syn != NULL) {
		bytes += tcp_segment_write_syn_options(p + bytes, r->syn);
	} else if (r->timestamps) {
		tcp_segment_write_timestamps(p + bytes, r->tsval, r->tsecr, 0);
		bytes += TCP_TIMESTAMP_BYTES;
	}
	tcp_segment_write_header(p, tcp_segment_ports(r->local.port, r->peer.port), r->seq, r->ack,
				 tcp_segment_word(bytes, r->flags), r->wnd, 0);
	sum = ip_pseudo_sum(&r->local.ip, &r->peer.ip, IPPROTO_TCP, bytes);
	csum_store(p + 16, csum_partial(p, bytes, sum));
	b->len = bytes;
	ip_send(s, &(struct ip_send){.src = r->local.ip,
				     .dst = r->peer.ip,
				     .protocol = IPPROTO_TCP,
				     .answer = r->answer,
				     .head = b});
}

void tcp_reply_reset(struct stack *s, const struct packet *pkt, const struct tcp_segment *seg)
{
	struct reply r = {
	    .local = {pkt->dst, seg->dport},
	    .peer = {pkt->src, seg->sport},
	    .answer = true,
	};

	if (pkt->buf->flags & BUF_OVERHEARD)
		return;
	if (seg->flags & TCP_ACK) {
		r.seq = seg->ack;
		r.flags = TCP_RST;
	} else {
		r.ack = seg->seq + tcp_segment_length(seg);
		r.flags = TCP_RST | TCP_ACK;
	}
	s->stats.tcp_resets_sent++;
	send_reply(s, &r);
}

static void reset_at(struct tcp_cb *cb, uint32_t seq)
{
	struct stack *s = cb->sock.stack;

	s->stats.tcp_resets_sent++;
	send_reply(s, &(struct reply){.local = cb->sock.local,
				      .peer = cb->sock.peer,
				      .seq = seq,
				      .ack = cb->rcv_nxt,
				      .flags = TCP_RST | TCP_ACK,
				      .timestamps = cb->timestamps,
				      .tsval = tcp_clock(s) + cb->ts_offset,
				      .tsecr = cb->ts_recent});
}

void tcp_reply_abort(struct tcp_cb *cb)
{
	reset_at(cb, cb->snd_nxt);
}

void tcp_reply_last_abort(struct tcp_cb *cb)
{
	if (cb->snd_una != cb->snd_nxt)
		reset_at(cb, cb->snd_una);
	reset_at(cb, cb->snd_nxt);
}

void tcp_reply_before_change(struct tcp_cb *cb)
{
	struct stack *s = cb->sock.stack;

	send_reply(s,
		   &(struct reply){.local = cb->sock.local,
				   .peer = cb->sock.peer,
				   .seq = cb->snd_nxt,
				   .ack = cb->rcv_nxt,
				   .flags = TCP_ACK | (cb->ecn_echo ? TCP_ECE : 0),
				   .wnd = (uint16_t)((cb->rcv_adv - cb->rcv_nxt) >> cb->rcv_shift),
				   .timestamps = cb->timestamps,
				   .tsval = tcp_clock(s) + cb->ts_offset,
				   .tsecr = cb->ts_recent,
				   .answer = true});
	cb->last_ack_sent = cb->rcv_nxt;
	s->tcp_first =
	    true; /* had its turn: answers are next, and this goes before what tells more */
}

/* With a timestamp of that tick of our clock. */
static struct reply half_reply(const struct stack *s, const struct tcp_half *h, uint32_t tick)
{
	uint16_t local_port = (uint16_t)(h->local_port_peer_port >> 16);
	uint16_t peer_port = (uint16_t)h->local_port_peer_port;

	return (struct reply){
	    .local = {s->cfg.addr, local_port},
	    .peer = {h->peer_ip, peer_port},
	    .ack = h->irs + 1,
	    .wnd = tcp_half_window(h),
	    .tsval = tick + tcp_timestamp_offset(s, &h->peer_ip, peer_port, local_port),
	    .tsecr = h->ts_recent,
	    .answer = true,
	};
}

void tcp_reply_syn_ack(struct stack *s, const struct tcp_half *h, uint32_t tick)
{
	struct reply r = half_reply(s, h, tick);
	struct tcp_syn_options o = {
	    .mss = tcp_half_mss(h),
	    .window_scale = h->window_scale,
	    .window_shift = h->rcv_shift,
	    .sack_permitted = h->sack,
	    .timestamps = h->timestamps,
	    .tsval = r.tsval,
	    .tsecr = r.tsecr,
	};

	r.seq = h->iss;
	r.flags = TCP_SYN | TCP_ACK | (h->ecn ? TCP_ECE : 0);
	r.syn = &o;
	send_reply(s, &r);
}

void tcp_reply_ack(struct stack *s, const struct tcp_half *h)
{
	struct reply r = half_reply(s, h, tcp_clock(s));

	r.seq = h->iss + 1;
	r.flags = TCP_ACK;
	r.timestamps = h->timestamps;
	if (h->window_scale)
		r.wnd = (uint16_t)(r.wnd >> h->rcv_shift);
	send_reply(s, &r);
}
