/* tcp_input.c - a segment arrives: RFC 9293 3.10.7, its steps in its order, one function each.
 * 3.10.7.1 (CLOSED) and 3.10.7.4 (the other states) are here, 3.10.7.2 (LISTEN) is in tcp_listen.c,
 * 3.10.7.3 in syn_sent(). Nearly all segments of a connection do not come here: tcp_fast.h does for
 * them what the steps would have done.
 *
 * SPDX-License-Identifier: MIT
 */
#include "inet/tcp_input.h"
#include "base/checksum.h"
#include "inet/tcp_ack.h"
#include "inet/tcp_ecn.h"
#include "inet/tcp_listen.h"
#include "inet/tcp_output.h"
#include "inet/tcp_reassembly.h"
#include "inet/tcp_mtu.h"
#include "inet/tcp_receive.h"
#include "inet/tcp_reply.h"
#include "inet/tcp_timer.h"
#include <errno.h>

/* RFC 7323 5.5: a ts_recent older than this says nothing. */
#define TS_RECENT_MAX_NS TCP_S(24 * 24 * 3600)

void tcp_learn_syn(struct tcp_cb *cb, const struct tcp_segment *seg)
{
	cb->irs = seg->seq;
	cb->rcv_nxt = cb->last_ack_sent = cb->rcv_adv = seg->seq + 1;
	cb->window_scale = seg->has.window_scale;
	cb->snd_shift = seg->has.window_scale ? seg->has.window_shift : 0;
	if (!seg->has.window_scale)
		cb->rcv_shift = 0; /* else as offered: RFC 7323 2.2 knows no other one later */
	cb->timestamps = seg->has.timestamps;
	cb->sack = seg->has.sack_permitted;
	cb->peer_mss = seg->has.mss;
	if (seg->has.timestamps)
		cb->ts_recent = seg->tsval;
	cb->snd_wnd = cb->max_snd_wnd = seg->wnd; /* of a SYN, never scaled: RFC 7323 2.2 */
	cb->snd_wl1 = seg->seq;
	cb->snd_wl2 = cb->snd_una;
	cb->rcv_mss = TCP_MSS_DEFAULT;
	tcp_update_mss(cb);
}

/* Our SYN is acknowledged. The time-out starts anew at 3 s when it had to be repeated (RFC
 * 6298 5.7), and the initial window is one segment then (RFC 5681 3.1). */
static void begin(struct tcp_cb *cb)
{
	bool repeated = cb->rtx_count > 0;

	cb->recover = cb->iss;
	tcp_mtu_begin(cb); /* from now on there is no iss */
	tcp_receive_begin(cb);
	cb->cc->init(cb);
	if (repeated) {
		cb->rto_ns = TCP_RTO_SYN_REPEATED_NS;
		cb->cwnd = cb->mss;
	}
	cb->heard_ns = cb->sock.stack->now_ns;
	tcp_timer_start_life(cb);
}

/* ESTABLISHED, by whichever way. */
static void establish(struct tcp_cb *cb)
{
	tcp_set_state(cb, TCP_ESTABLISHED);
	begin(cb);
}

/* Tells the program, or the listener's, that the connection is there. */
static void announce(struct tcp_cb *cb)
{
	if (cb->not_accepted)
		tcp_raise(cb->listener, STACK_EV_ACCEPT);
	else
		tcp_raise(cb, STACK_EV_CONNECTED | STACK_EV_WRITE);
}

/* 3.10.7.3, first: false when seg acknowledges what was not sent. */
static bool syn_sent_ack_is_good(struct tcp_cb *cb, const struct tcp_segment *seg,
				 const struct packet *pkt)
{
	if (!(seg->flags & TCP_ACK))
		return true;
	if (seq_gt(seg->ack, cb->iss) && seq_leq(seg->ack, cb->snd_nxt))
		return true;
	if (!(seg->flags & TCP_RST))
		tcp_reply_reset(cb->sock.stack, pkt, seg);
	return false;
}

/* 3.10.7.3, fourth. True: the connection is established, seg's text and FIN are to be looked at. */
static bool syn_sent_syn(struct tcp_cb *cb, const struct tcp_segment *seg)
{
	uint32_t window = cb->recv_limit < 65535 ? cb->recv_limit : 65535;

	cb->ecn =
	    (seg->flags & TCP_ACK) && tcp_ecn_is_setup_syn_ack(seg->flags) && tcp_ecn_asks(cb);
	tcp_learn_syn(cb, seg);
	cb->rcv_adv = cb->rcv_nxt + window;
	if (!(seg->flags & TCP_ACK)) { /* both sides open at once: 3.5, figure 7 */
		tcp_set_state(cb, TCP_SYN_RECEIVED);
		cb->rtx_due = true;
		tcp_output_request(cb);
		return false;
	}
	establish(cb);
	tcp_ack_advance(cb, seg->ack);
	cb->snd_wl2 = seg->ack;
	tcp_ack_now(cb);
	announce(cb);
	return true;
}

static void text_and_fin(struct tcp_cb *cb, const struct tcp_segment *seg, struct packet *pkt);

/* 3.10.7.3. */
static void syn_sent(struct tcp_cb *cb, const struct tcp_segment *seg, struct packet *pkt)
{
	if (!syn_sent_ack_is_good(cb, seg, pkt)) /* first */
		return;
	if (seg->flags & TCP_RST) { /* second */
		if (seg->flags & TCP_ACK)
			tcp_fail(cb, -ECONNREFUSED);
		return;
	}
	if (!(seg->flags & TCP_SYN)) /* fifth */
		return;
	if (syn_sent_syn(cb, seg)) {
		struct tcp_segment rest = *seg;

		rest.seq++;
		text_and_fin(cb, &rest, pkt);
	}
}

/* RFC 7323 5.5: after so long a silence ts_recent compares with nothing. */
static bool ts_recent_is_stale(const struct tcp_cb *cb)
{
	return cb->sock.stack->now_ns - cb->heard_ns >= TS_RECENT_MAX_NS;
}

/* RFC 7323 5.3, R1. A reset is not subject to it. */
static bool paws_rejects(const struct tcp_cb *cb, const struct tcp_segment *seg)
{
	if (!cb->timestamps || !seg->has.timestamps || (seg->flags & TCP_RST))
		return false;
	return !seq_geq(seg->tsval, cb->ts_recent) && !ts_recent_is_stale(cb);
}

/* RFC 9293 3.4, table 6. With a closed window what begins at its edge still brings an
 * acknowledgement or a reset; its text is cut off later. */
static bool in_window(const struct tcp_cb *cb, const struct tcp_segment *seg)
{
	uint32_t wnd = cb->rcv_adv - cb->rcv_nxt, len = tcp_segment_length(seg);

	if (seg->seq == cb->rcv_nxt)
		return true;
	return seg->seq - cb->rcv_nxt < wnd || (len > 0 && seg->seq + len - 1 - cb->rcv_nxt < wnd);
}

/* What is not acceptable is acknowledged, so that both sides agree again. One without text, that
 * could have been made to set two peers at each other, only so often on one connection. */
static void acknowledge_unacceptable(struct tcp_cb *cb, const struct tcp_segment *seg,
				     struct packet *pkt)
{
	if (seg->flags & TCP_RST)
		return;
	if (seg->flags & TCP_SYN) {
		tcp_challenge(cb);
	} else if (seg->len == 0) {
		cb->probe_taken = seg->ack == cb->snd_nxt; /* or so it says: it counts for this */
		tcp_answer_bare(cb);
	} else {
		if (seq_leq(seg->seq + seg->len, cb->rcv_nxt))
			tcp_reassembly_add(cb, seg->seq, seg->seq + seg->len, seg->data, pkt);
		tcp_ack_now(cb);
	}
	if (cb->state == TCP_TIME_WAIT && (seg->flags & TCP_FIN))
		tcp_enter_time_wait(cb); /* the peer's FIN again: 2 MSL start anew */
}

/* RFC 7323 4.3: what the peer's next echo is. Only once the acknowledgement is known to be good,
 * and never from a reset (5.2): who forges one could put it far ahead, and PAWS would drop all that
 * the peer sends. */
static inline void update_ts_recent(struct tcp_cb *cb, const struct tcp_segment *seg, bool stale)
{
	if (cb->timestamps && seg->has.timestamps && seq_leq(seg->seq, cb->last_ack_sent) &&
	    (seq_geq(seg->tsval, cb->ts_recent) || stale)) {
		cb->ts_recent = seg->tsval;
	}
}

static bool step_ack(struct tcp_cb *cb, const struct tcp_segment *seg, const struct packet *pkt);

/* The peer's FIN has overtaken an acknowledgement that it sent just before: of our FIN, often. It
 * would have to be asked for again by a time-out, so it is taken, as by FreeBSD. */
static bool is_overtaken_by_fin(const struct tcp_cb *cb, const struct tcp_segment *seg)
{
	return cb->fin_received && seg->seq + 1 == cb->rcv_nxt && seg->len == 0 &&
	       (seg->flags & (TCP_ACK | TCP_SYN | TCP_RST | TCP_FIN)) == TCP_ACK &&
	       seq_gt(seg->ack, cb->snd_una) && seq_leq(seg->ack, cb->snd_nxt);
}

/* It may be a keepalive, long after what it acknowledges: nothing is measured by it. */
static void take_overtaken_ack(struct tcp_cb *cb, const struct tcp_segment *seg,
			       const struct packet *pkt)
{
	struct tcp_segment untimed = *seg;

	untimed.has.timestamps = false;
	cb->rtt_start_ns = 0;
	step_ack(cb, &untimed, pkt);
}

/* 3.10.7.4, first. */
static bool step_sequence(struct tcp_cb *cb, const struct tcp_segment *seg, struct packet *pkt)
{
	if (cb->timestamps && !seg->has.timestamps && !(seg->flags & TCP_RST))
		return false; /* RFC 7323 3.2 */
	if (paws_rejects(cb, seg)) {
		cb->sock.stack->stats.tcp_paws_rejected++;
		acknowledge_unacceptable(cb, seg, pkt);
		return false;
	}
	if (!in_window(cb, seg)) {
		if (is_overtaken_by_fin(cb, seg))
			take_overtaken_ack(cb, seg, pkt);
		else
			acknowledge_unacceptable(cb, seg, pkt);
		return false;
	}
	return true;
}

/* In CLOSING and TIME-WAIT a reset is but the end of the connection. Bytes of ours that the peer
 * has not acknowledged are lost with it all the same, and the program is told. (In LAST-ACK it
 * always is, as other stacks do it: doc/conformance.md.) */
static void reset_at_the_end(struct tcp_cb *cb)
{
	if (tcp_queued(cb) > 0) {
		tcp_fail(cb, -ECONNRESET);
		return;
	}
	tcp_raise(cb, STACK_EV_CLOSED);
	tcp_finish(cb);
}

/* 3.10.7.4, second, with RFC 5961 3.2: only the very next number resets, others in the window are
 * challenged. One in front of it is dropped, though its text may reach in. */
static bool step_reset(struct tcp_cb *cb, const struct tcp_segment *seg)
{
	if (!(seg->flags & TCP_RST))
		return true;
	if (seg->seq != cb->rcv_nxt) {
		if (seg->seq - cb->rcv_nxt < cb->rcv_adv - cb->rcv_nxt)
			tcp_challenge(cb);
	} else {
		cb->sock.stack->stats.tcp_resets_received++;
		if (cb->state == TCP_SYN_RECEIVED)
			tcp_fail(cb, -ECONNREFUSED);
		else if (cb->state == TCP_TIME_WAIT || cb->state == TCP_CLOSING)
			reset_at_the_end(cb);
		else
			tcp_fail(cb, -ECONNRESET);
	}
	return false;
}

/* 3.10.7.4, fourth, with RFC 5961 4.2. */
static bool step_syn(struct tcp_cb *cb, const struct tcp_segment *seg)
{
	if (!(seg->flags & TCP_SYN))
		return true;
	tcp_challenge(cb);
	return false;
}

/* 3.10.7.4, fifth, SYN-RECEIVED: our SYN is acknowledged. */
static bool ack_in_syn_received(struct tcp_cb *cb, const struct tcp_segment *seg,
				const struct packet *pkt)
{
	if (!seq_gt(seg->ack, cb->snd_una) || seq_gt(seg->ack, cb->snd_nxt)) {
		tcp_reply_reset(cb->sock.stack, pkt, seg);
		return false;
	}
	update_ts_recent(cb, seg, false);
	establish(cb);
	cb->snd_wnd = (uint32_t)seg->wnd << cb->snd_shift;
	cb->snd_wl1 = seg->seq;
	cb->snd_wl2 = seg->ack;
	if (cb->snd_wnd > cb->max_snd_wnd)
		cb->max_snd_wnd = cb->snd_wnd;
	tcp_ack_advance(cb, seg->ack);
	announce(cb);
	return true;
}

/* What an acknowledgement of our FIN changes. False: the connection is gone, or waits. */
static bool fin_acknowledged(struct tcp_cb *cb)
{
	tcp_raise(cb, STACK_EV_CLOSED);
	switch (cb->state) {
	case TCP_FIN_WAIT_1:
		tcp_set_state(cb, TCP_FIN_WAIT_2);
		tcp_timer_start_life(cb);
		return true;
	case TCP_CLOSING:
		tcp_enter_time_wait(cb);
		return false;
	case TCP_LAST_ACK:
		tcp_finish(cb);
		return false;
	default:
		return true;
	}
}

/* 3.10.7.4, fifth. */
static bool step_ack(struct tcp_cb *cb, const struct tcp_segment *seg, const struct packet *pkt)
{
	bool had_fin_acked, had_syn_acked, stale = ts_recent_is_stale(cb);

	if (!(seg->flags & TCP_ACK))
		return false;
	cb->heard_ns = cb->sock.stack->now_ns;
	if (cb->state == TCP_SYN_RECEIVED)
		return ack_in_syn_received(cb, seg, pkt);
	had_fin_acked = tcp_fin_acked(cb);
	had_syn_acked = !cb->syn_unacked;
	if (!tcp_ack_segment(cb, seg))
		return false;
	update_ts_recent(cb, seg, stale);
	if (!had_syn_acked && !cb->syn_unacked)
		begin(cb); /* closed in SYN-RECEIVED: it still receives */
	return had_fin_acked || !tcp_fin_acked(cb) || fin_acknowledged(cb);
}

/* RFC 1122 4.2.2.13: text that nobody will read any more is answered by a reset. False: it was. */
static bool somebody_reads(struct tcp_cb *cb, const struct tcp_segment *seg)
{
	if (!cb->orphan || seq_leq(seg->seq + seg->len, cb->rcv_nxt))
		return true;
	tcp_reply_abort(cb);
	tcp_finish(cb);
	return false;
}

/* 3.10.7.4, eighth: the FIN at rcv_nxt. */
static void fin_in_order(struct tcp_cb *cb)
{
	cb->fin_seen = false;
	cb->fin_received = true;
	cb->rcv_nxt++;
	if (seq_lt(cb->rcv_adv, cb->rcv_nxt))
		cb->rcv_adv = cb->rcv_nxt;
	tcp_raise(cb, STACK_EV_READ);
	tcp_ack_now(cb);
	switch (cb->state) {
	case TCP_ESTABLISHED:
		tcp_set_state(cb, TCP_CLOSE_WAIT);
		break;
	case TCP_FIN_WAIT_1:
		tcp_set_state(cb, TCP_CLOSING); /* its FIN is not acknowledged: see step_ack() */
		break;
	case TCP_FIN_WAIT_2:
		tcp_enter_time_wait(cb);
		break;
	default:
		break;
	}
}

/* Of a FIN that came before its turn the number is kept. One beyond the window is cut off, as text
 * there is. One right at its edge is taken: it needs no room, and a peer that has filled the window
 * need not send it again. One in order is the end, and nothing lies beyond it. Of others what came
 * first counts, of text and of FINs: one in front of text that is there already, or elsewhere than
 * the one before, makes no sense. */
static void note_fin(struct tcp_cb *cb, const struct tcp_segment *seg)
{
	uint32_t fin_seq = seg->seq + seg->len, end = tcp_reassembly_end(cb);
	bool in_order = !seq_gt(seg->seq, cb->rcv_nxt) && !seq_lt(fin_seq, cb->rcv_nxt);

	if (seq_gt(fin_seq, cb->rcv_adv))
		return;
	if (!in_order && (cb->fin_seen || seq_lt(fin_seq, end))) {
		tcp_ack_now(cb);
		return;
	}
	if (seq_lt(fin_seq, end))
		tcp_reassembly_clear(cb);
	cb->fin_seen = true;
	cb->fin_seq = fin_seq;
}

/* 3.10.7.4, seventh and eighth. Urgent data (sixth) is taken in line: RFC 9293 3.8.5 asks for no
 * more than to deliver it. */
static void text_and_fin(struct tcp_cb *cb, const struct tcp_segment *seg, struct packet *pkt)
{
	if (!tcp_can_receive(cb)) {
		if (cb->state == TCP_TIME_WAIT && (seg->flags & TCP_FIN)) {
			tcp_ack_now(cb);
			tcp_enter_time_wait(cb);
		}
		return;
	}
	if (seg->flags & TCP_FIN)
		note_fin(cb, seg);
	if (seg->len > 0) {
		if (!somebody_reads(cb, seg))
			return;
		tcp_receive_text(cb, seg, pkt);
	}
	/* Of a FIN out of order only what takes up room tells: two peers that each answered the
	 * other's bare acknowledgements would not stop. */
	if (cb->fin_seen && cb->fin_seq == cb->rcv_nxt)
		fin_in_order(cb);
	else if (cb->fin_seen && tcp_segment_length(seg) > 0)
		tcp_ack_now(cb);
}

/* Both sides have opened at once: the peer's SYN-ACK repeats the SYN that came before (3.5, figure
 * 7, line 6), and is its acknowledgement behind that. */
static bool repeats_crossed_syn(const struct tcp_cb *cb, const struct tcp_segment *seg)
{
	return cb->state == TCP_SYN_RECEIVED &&
	       (seg->flags & (TCP_SYN | TCP_ACK | TCP_RST | TCP_FIN)) == (TCP_SYN | TCP_ACK) &&
	       seg->seq == cb->irs && seg->ack == cb->snd_nxt;
}

/* 3.10.7.4. The third step, security, is not in use. */
static void other_states(struct tcp_cb *cb, const struct tcp_segment *seg, struct packet *pkt)
{
	struct tcp_segment rest;

	if (repeats_crossed_syn(cb, seg)) {
		rest = *seg;
		rest.flags &= (uint8_t)~TCP_SYN;
		rest.seq++;
		seg = &rest;
	}
	if (step_sequence(cb, seg, pkt) && step_reset(cb, seg) && step_syn(cb, seg) &&
	    step_ack(cb, seg, pkt)) {
		if (cb->ecn)
			tcp_ecn_received(cb, seg, pkt->ecn);
		text_and_fin(cb, seg, pkt);
	}
}

/* RFC 6191 2: a SYN may take the place of a connection in TIME-WAIT, when its timestamp or its
 * sequence number shows that it is younger. One with timestamps, where the old connection had none,
 * may always: PAWS will tell the old one's segments by their lack of a timestamp. */
static bool replaces_time_wait(const struct tcp_cb *cb, const struct tcp_segment *seg)
{
	if (cb->state != TCP_TIME_WAIT ||
	    (seg->flags & (TCP_SYN | TCP_ACK | TCP_RST | TCP_FIN)) != TCP_SYN)
		return false;
	if (seg->has.timestamps && !cb->timestamps)
		return true;
	if (seg->has.timestamps && seg->tsval != cb->ts_recent)
		return seq_gt(seg->tsval, cb->ts_recent);
	return seq_gt(seg->seq, cb->rcv_nxt);
}

/* No connection: a half-open one, a listener, or 3.10.7.1. */
static void without_connection(struct stack *s, const struct tcp_segment *seg, struct packet *pkt,
			       uint32_t iss_floor)
{
	struct tcp_half *h = tcp_half_find(s->tcp, &pkt->src, seg->sport, seg->dport);
	struct tcp_cb *cb;

	if (h != NULL) {
		cb = tcp_half_segment(s, h, seg, pkt);
	} else {
		cb = tcp_listener_find(s->tcp, &pkt->dst, seg->dport);
		if (cb != NULL)
			cb = tcp_listen_segment(cb, seg, pkt, iss_floor);
		else if (!(seg->flags & TCP_RST))
			tcp_reply_reset(s, pkt, seg);
	}
	if (cb != NULL)
		other_states(cb, seg, pkt); /* the fifth step establishes it */
}

static void segment_arrives(struct stack *s, const struct tcp_segment *seg, struct packet *pkt)
{
	struct tcp_cb *cb = tcp_table_find(s->tcp, &pkt->src, seg->sport, seg->dport);
	uint32_t iss_floor = 0;

	if (cb != NULL && replaces_time_wait(cb, seg) &&
	    tcp_listener_find(s->tcp, &pkt->dst, seg->dport) != NULL) {
		iss_floor = cb->snd_nxt;
		tcp_finish(cb);
		cb = NULL;
	}
	if (cb == NULL)
		without_connection(s, seg, pkt, iss_floor);
	else if (cb->state == TCP_SYN_SENT)
		syn_sent(cb, seg, pkt);
	else
		other_states(cb, seg, pkt);
}

static bool checksum_is_good(const struct packet *pkt)
{
	return pkt->csum_ok ||
	       csum_fold(csum_partial(
		   pkt->l4, pkt->l4_len,
		   ip_pseudo_sum(&pkt->src, &pkt->dst, IPPROTO_TCP, pkt->l4_len))) == 0;
}

void tcp_input(struct stack *s, struct packet *pkt)
{
	struct tcp_segment seg;

	if (pkt->broadcast) {
		s->stats.drop_tcp_broadcast++;
	} else if (!tcp_segment_parse(&seg, pkt->l4, pkt->l4_len) || seg.sport == 0 ||
		   seg.dport == 0) {
		s->stats.drop_tcp_malformed++;
	} else if (!checksum_is_good(pkt)) {
		s->stats.drop_tcp_checksum++;
	} else {
		s->stats.rx_tcp++;
		segment_arrives(s, &seg, pkt);
	}
	if (pkt->buf != NULL)
		buf_unref(pkt->buf);
}
