/* tcp_listen.c - see tcp_listen.h.
 *
 * SPDX-License-Identifier: MIT
 */
#include "inet/tcp_listen.h"
#include "inet/tcp_cookie.h"
#include "inet/tcp_ecn.h"
#include "inet/tcp_input.h"
#include "inet/tcp_output.h"
#include "inet/tcp_reply.h"
#include "inet/tcp_timer.h"
#include "inet/tcp_tune.h"

uint16_t tcp_half_window(const struct tcp_half *h)
{
	return (uint16_t)(h->listener->recv_limit < 65535 ? h->listener->recv_limit : 65535);
}

uint16_t tcp_half_mss(const struct tcp_half *h)
{
	return tcp_own_mss(h->listener);
}

static bool accept_queue_is_full(const struct tcp_cb *listener)
{
	return listener->accept_count >= listener->backlog;
}

/* A place to keep one more, or NULL: all are taken, or all that one group of peers may have. */
static struct tcp_half *new_half(struct tcp_table *t, uint8_t group)
{
	uint32_t share = t->halves.count / TCP_PEER_SHARE_DIVISOR;

	if (t->group_count[group] > 0 && t->group_count[group] >= share)
		return NULL;
	return tcp_slab_get(&t->halves);
}

/* There is no place for it: a cookie. Its number may lie before those of a connection whose
 * TIME-WAIT it ends (RFC 6191); what is left of that one the peer tells by its timestamps. */
static void answer_by_cookie(struct stack *s, struct tcp_half *h)
{
	if (accept_queue_is_full(
		h->listener)) { /* the SYN will come again, a cookie's ACK may not */
		s->stats.tcp_backlog_full++;
		return;
	}
	tcp_cookie_make(s, h);
	tcp_reply_syn_ack(s, h, h->made_tick);
}

static void keep(struct stack *s, const struct tcp_half *syn, struct tcp_half *h,
		 uint32_t iss_floor)
{
	*h = *syn;
	h->iss = tcp_isn(s, &h->peer_ip, (uint16_t)h->local_port_peer_port,
			 (uint16_t)(h->local_port_peer_port >> 16));
	if (iss_floor != 0 && seq_leq(h->iss, iss_floor))
		h->iss = iss_floor + 1;
	wheel_entry_init(&h->timer);
	tcp_half_add(s->tcp, h);
	tcp_timer_arm_half(s->tcp, h, s->now_ns + TCP_RTO_INITIAL_NS);
	tcp_reply_syn_ack(s, h, tcp_clock(s));
}

/* RFC 9293 3.10.7.2, third: a SYN makes a half-open connection, and is answered. */
static void syn_arrives(struct tcp_cb *listener, const struct tcp_segment *seg,
			const struct packet *pkt, uint32_t iss_floor)
{
	struct stack *s = listener->sock.stack;
	uint8_t group = tcp_peer_group(s->tcp, &pkt->src);
	struct tcp_half *h = new_half(s->tcp, group);
	struct tcp_half syn = {
	    .listener = listener,
	    .peer_ip = pkt->src,
	    .local_port_peer_port = (uint32_t)seg->dport << 16 | seg->sport,
	    .irs = seg->seq,
	    .ts_recent = seg->tsval,
	    .made_tick = tcp_clock(s),
	    .peer_mss = seg->has.mss,
	    .peer_wnd = seg->wnd,
	    .snd_shift = seg->has.window_shift,
	    .rcv_shift = tcp_window_shift(tcp_tune_most(listener)),
	    .group = group,
	    .timestamps = seg->has.timestamps,
	    .sack = seg->has.sack_permitted,
	    .window_scale = seg->has.window_scale,
	    .ecn = tcp_ecn_is_setup_syn(seg->flags) && tcp_ecn_answers(s, listener->cc),
	};

	if (h != NULL) {
		keep(s, &syn, h, iss_floor);
	} else {
		syn.ecn = false; /* a cookie has no room for it */
		answer_by_cookie(s, &syn);
	}
}

/* RFC 9293 3.10.7.4, first, and PAWS (RFC 7323 5). What passes here makes a connection, which only
 * its fifth step establishes: so nothing that its own first step will not take. */
static bool acceptable(const struct tcp_half *h, const struct tcp_segment *seg)
{
	uint32_t rcv_nxt = h->irs + 1, wnd = tcp_half_window(h), len = tcp_segment_length(seg);

	if (h->timestamps && seg->has.timestamps && seq_lt(seg->tsval, h->ts_recent))
		return false;
	return seg->seq - rcv_nxt < wnd || (len > 0 && seg->seq + len - 1 - rcv_nxt < wnd);
}

/* Has this group of peers opened as many connections as it may? */
static bool peer_is_full(const struct stack *s, uint8_t group)
{
	uint32_t most = s->cfg.max_tcp_per_peer;

	if (most == 0)
		most = s->cfg.max_tcp - s->cfg.max_tcp / TCP_PEER_REST_DIVISOR;
	return s->tcp->group_opened[group] >= most;
}

/* One more connection of this listener and this group of peers; NULL, counted, where there is no
 * room for it. */
static struct tcp_cb *new_connection(struct stack *s, const struct tcp_half *h)
{
	struct tcp_cb *cb;

	if (accept_queue_is_full(h->listener)) {
		s->stats.tcp_backlog_full++;
		return NULL;
	}
	if (peer_is_full(s, h->group)) {
		s->stats.tcp_peer_full++;
		return NULL;
	}
	cb = tcp_cb_new(s, NULL);
	if (cb == NULL)
		s->stats.tcp_table_full++;
	return cb;
}

/* What was told in the SYN and the SYN-ACK. */
static void learn_handshake(struct tcp_cb *cb, const struct tcp_half *h)
{
	struct stack *s = cb->sock.stack;

	cb->iss = cb->snd_una = h->iss;
	cb->snd_nxt = cb->snd_end = h->iss + 1;
	cb->ts_offset =
	    tcp_timestamp_offset(s, &h->peer_ip, cb->sock.peer.port, cb->sock.local.port);
	cb->rcv_shift = h->rcv_shift;
	cb->ecn = h->ecn;
	tcp_set_state(cb, TCP_SYN_RECEIVED);
	tcp_learn_syn(cb, &(struct tcp_segment){
			      .seq = h->irs,
			      .wnd = h->peer_wnd,
			      .tsval = h->ts_recent,
			      .has = {.timestamps = h->timestamps,
				      .window_scale = h->window_scale,
				      .sack_permitted = h->sack,
				      .window_shift = h->snd_shift,
				      .mss = h->peer_mss},
			  });
	cb->rcv_adv = cb->rcv_nxt + tcp_half_window(h);
	if (h->retries == 0)
		cb->rtt_start_ns = s->now_ns - ((uint64_t)(tcp_clock(s) - h->made_tick) << 20);
	cb->rtt_seq = cb->snd_nxt;
	cb->rtx_count = h->retries;
}

/* The peer has shown that it received our SYN-ACK: a connection, in SYN-RECEIVED. */
static struct tcp_cb *promote(struct stack *s, struct tcp_half *h, const struct packet *pkt)
{
	struct tcp_cb *listener = h->listener, *cb = new_connection(s, h);

	if (cb == NULL)
		return NULL;
	cb->passive = cb->counted = true;
	s->tcp->group_opened[h->group]++;
	tcp_copy_options(&cb->sock, &listener->sock);
	cb->sock.local.ip = pkt->dst;
	tcp_port_take(cb, (uint16_t)(h->local_port_peer_port >> 16), listener->sock.reuse_port);
	cb->sock.peer = (struct endpoint){h->peer_ip, (uint16_t)h->local_port_peer_port};
	learn_handshake(cb, h);
	cb->progress_ns = s->now_ns;
	cb->listener = listener;
	cb->not_accepted = true;
	list_add_tail(&listener->accept_queue, &cb->link);
	listener->accept_count++;
	tcp_table_add(s->tcp, cb);
	return cb;
}

/* An acknowledgement of what we do not know: RFC 9293 3.10.7.2, second, or of a cookie. */
static struct tcp_cb *ack_arrives(struct tcp_cb *listener, const struct tcp_segment *seg,
				  const struct packet *pkt)
{
	struct stack *s = listener->sock.stack;
	struct tcp_half h;
	struct tcp_cb *cb;

	if ((seg->flags & TCP_SYN) || !tcp_cookie_check(s, listener, seg, pkt, &h)) {
		tcp_reply_reset(s, pkt, seg);
		return NULL;
	}
	cb = promote(s, &h, pkt);
	if (cb != NULL)
		cb->rtt_start_ns = 0; /* nobody knows when our SYN-ACK went */
	return cb;
}

struct tcp_cb *tcp_listen_segment(struct tcp_cb *listener, const struct tcp_segment *seg,
				  const struct packet *pkt, uint32_t iss_floor)
{
	if (seg->flags & TCP_RST) /* first */
		return NULL;
	if (seg->flags & TCP_ACK) /* second */
		return ack_arrives(listener, seg, pkt);
	if (seg->flags & TCP_SYN) /* third; anything else is dropped */
		syn_arrives(listener, seg, pkt, iss_floor);
	return NULL;
}

struct tcp_cb *tcp_half_segment(struct stack *s, struct tcp_half *h, const struct tcp_segment *seg,
				const struct packet *pkt)
{
	struct tcp_cb *cb;

	if (seg->flags & TCP_RST) { /* first and second, RFC 5961 3.2 */
		if (seg->seq == h->irs + 1)
			tcp_half_remove(s->tcp, h);
		else if (seg->seq - (h->irs + 1) < tcp_half_window(h) &&
			 tcp_challenge_allowed(s, &h->challenge_tick, &h->challenges))
			tcp_reply_ack(s, h);
		return NULL;
	}
	if ((seg->flags & (TCP_SYN | TCP_ACK)) == TCP_SYN && seg->seq == h->irs) {
		tcp_reply_syn_ack(s, h, tcp_clock(s)); /* the peer has not received the first */
		return NULL;
	}
	if (h->timestamps && !seg->has.timestamps) /* RFC 7323 3.2 */
		return NULL;
	if (seg->flags & TCP_SYN) { /* fourth, RFC 5961 4.2 */
		if (tcp_challenge_allowed(s, &h->challenge_tick, &h->challenges))
			tcp_reply_ack(s, h);
		return NULL;
	}
	if (!acceptable(h, seg)) {
		if (tcp_bare_answer_allowed(s, &h->challenge_tick, &h->challenges))
			tcp_reply_ack(s, h);
		return NULL;
	}
	if (!(seg->flags & TCP_ACK)) /* fifth */
		return NULL;
	if (seg->ack != h->iss + 1) {
		tcp_reply_reset(s, pkt, seg);
		return NULL;
	}
	cb = promote(s, h, pkt);
	if (cb != NULL)
		tcp_half_remove(s->tcp, h);
	return cb;
}

void tcp_half_timeout(struct stack *s, struct tcp_half *h)
{
	if (h->retries >= TCP_HALF_OPEN_RETRIES) {
		s->stats.tcp_half_open_expired++;
		tcp_half_remove(s->tcp, h);
		return;
	}
	if (h->retries >= TCP_R1_RETRANSMISSIONS)
		ip_doubt(s, &h->peer_ip);
	h->retries++;
	tcp_timer_arm_half(s->tcp, h, s->now_ns + (TCP_RTO_INITIAL_NS << h->retries));
	tcp_reply_syn_ack(s, h, tcp_clock(s));
}

void tcp_listen_close(struct tcp_cb *listener)
{
	struct tcp_table *t = listener->sock.stack->tcp;
	struct list *pos, *next;

	list_for_each_safe (pos, next, &t->half_open) {
		struct tcp_half *h = list_entry(pos, struct tcp_half, link);

		if (h->listener == listener)
			tcp_half_remove(t, h);
	}
	while (!list_empty(&listener->accept_queue)) {
		struct tcp_cb *cb = list_entry(listener->accept_queue.next, struct tcp_cb, link);

		tcp_reply_abort(cb);
		tcp_finish(cb);
	}
	t->listeners--;
	if (listener->has_port)
		ports_unlisten(listener->sock.stack->cfg.ports,
			       listener->sock.stack->cfg.ports_member, listener->sock.local.port);
}
