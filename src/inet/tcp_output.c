/* tcp_output.c - see tcp_output.h.
 *
 * When an acknowledgement goes out on its own (RFC 9293 3.8.6.3):
 *
 * TCP_ACK_NOW: with this call. A second full segment, something out of order, a FIN, a window that
 * has opened, a challenge.
 *
 * TCP_ACK_PUSHED: the peer has set PSH, and may send nothing more until it hears from us. The
 * program gets one turn of the driver to answer, so that the answer carries the acknowledgement:
 * the call after the segment leaves it, the next one sends it. Where the program has answered
 * before (cb->replies) it gets TCP_DELAYED_ACK_NS. So a single push, of any size, waits for no
 * timer at its end, and an echo costs no frame for acknowledgements.
 *
 * TCP_ACK_DELAYED: after TCP_DELAYED_ACK_NS.
 *
 * SPDX-License-Identifier: MIT
 */
#include "inet/tcp_output.h"
#include "inet/tcp_fast.h"
#include "inet/tcp_frame.h"
#include "inet/tcp_mtu.h"
#include "inet/tcp_pace.h"
#include "inet/tcp_rack.h"
#include "inet/tcp_reassembly.h"
#include "inet/tcp_recovery.h"
#include "inet/tcp_timer.h"
#include <errno.h>

/* How long a failed attempt (no buffer) waits for the next. */
#define RETRY_NS TCP_MS(1)

uint16_t tcp_own_mss(const struct tcp_cb *cb)
{
	const struct stack *s = cb->sock.stack;
	uint32_t mss = s->ip_mtu - ip_header_bytes(&cb->sock.peer.ip) - TCP_HEADER_BYTES;

	if (s->cfg.mss != 0 && s->cfg.mss < mss)
		mss = s->cfg.mss;
	if (cb->user_mss != 0 && cb->user_mss < mss)
		mss = cb->user_mss;
	return (uint16_t)mss;
}

static uint32_t smaller(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

uint32_t tcp_largest_mss(const struct tcp_cb *cb)
{
	uint32_t headers = ip_header_bytes(&cb->sock.peer.ip) + TCP_HEADER_BYTES;
	uint32_t path = ip_path_mtu_told(cb->sock.stack, &cb->sock.peer.ip) - headers;
	uint32_t mss = cb->peer_mss != 0 ? cb->peer_mss : TCP_MSS_DEFAULT;

	if (mss < TCP_MSS_FLOOR)
		mss = TCP_MSS_FLOOR;
	return smaller(smaller(mss, path), tcp_own_mss(cb));
}

/* RFC 9293 3.7.1: Eff.snd.MSS. */
void tcp_update_mss(struct tcp_cb *cb)
{
	uint32_t headers = ip_header_bytes(&cb->sock.peer.ip) + TCP_HEADER_BYTES;
	uint32_t mss = tcp_largest_mss(cb), options = cb->timestamps ? TCP_TIMESTAMP_BYTES : 0;

	if (cb->mtu_limited)
		tcp_mtu_allowed(cb, headers + mss);
	if (cb->mtu_limited)
		mss = cb->search_low - headers;
	cb->header_bytes = (uint8_t)(TCP_HEADER_BYTES + options);
	cb->plain_word = tcp_segment_word(cb->header_bytes, TCP_ACK);
	cb->mss = mss > options + TCP_MSS_MIN ? mss - options : TCP_MSS_MIN;
	if (cb->largest_acked > cb->mss)
		cb->largest_acked = (uint16_t)cb->mss;
	tcp_update_message_max(cb);
	if (!cb->mtu_limited) /* else the search has its own */
		cb->mss_deadline_ns = ip_path_mtu_expires(cb->sock.stack, &cb->sock.peer.ip);
	tcp_timer_need(cb, cb->mss_deadline_ns);
}

void tcp_update_message_max(struct tcp_cb *cb)
{
	const struct stack *s = cb->sock.stack;
	uint32_t most = smaller(smaller(cb->mss, s->copy_room_bytes), cb->send_limit);

	if (s->cfg.max_frags > 0 && most >= s->cfg.zero_copy_bytes)
		most = s->cfg.zero_copy_bytes > 0 ? s->cfg.zero_copy_bytes - 1 : 0;
	cb->message_max = most;
}

uint8_t tcp_window_shift(uint32_t bytes)
{
	uint8_t shift = 0;

	while (shift < TCP_WINDOW_SHIFT_MAX && bytes >> shift > 65535)
		shift++;
	return shift;
}

/* Off the queue, until something happens or the timer fires. */
static void leave_queue(struct tcp_cb *cb)
{
	list_del(&cb->out_link);
}

/* No buffer for a frame. */
static void retry_later(struct tcp_cb *cb)
{
	cb->ack_deadline_ns = cb->sock.stack->now_ns + RETRY_NS;
	tcp_timer_need(cb, cb->ack_deadline_ns);
	leave_queue(cb);
}

/* True: the path may be used. Otherwise the connection waits for it, or is gone: an established one
 * goes on trying until it times out (RFC 9293 3.9.2.2, soft errors). */
static bool find_path(struct tcp_cb *cb)
{
	struct stack *s = cb->sock.stack;
	int r = ip_path_find(s, &cb->path, &cb->sock.local.ip, &cb->sock.peer.ip);

	if (r == 0) {
		cb->no_path = false;
		return true;
	}
	leave_queue(cb);
	if (r != -EAGAIN && cb->state == TCP_SYN_SENT) {
		tcp_fail(cb, r);
		return false;
	}
	if (r == -EAGAIN) {
		cb->no_route = true;
		ip_path_wait(&cb->path);
	}
	if (cb->rtx_deadline_ns == UINT64_MAX) {
		cb->progress_ns = s->now_ns;
		tcp_timer_start_rtx(cb);
	}
	return false;
}

void tcp_path_resolved(struct stack *s, struct ip_path *p, int error)
{
	struct tcp_cb *cb = container_of(p, struct tcp_cb, path);

	(void)s;
	cb->no_route = false;
	if (error != 0 && cb->state == TCP_SYN_SENT)
		tcp_fail(cb, error);
	else
		tcp_output_request(cb); /* or find_path() starts the timer for another attempt */
}

/* SYN or SYN-ACK, the first or again. */
static int output_syn(struct tcp_cb *cb, struct frame *f)
{
	struct stack *s = cb->sock.stack;
	bool first = cb->snd_nxt == cb->iss;

	leave_queue(cb);
	if (!tcp_frame_syn(cb, f)) {
		retry_later(cb);
		return 0;
	}
	cb->rtx_due = false;
	cb->rtt_start_ns = 0;
	if (first) {
		cb->snd_nxt = cb->iss + 1;
		cb->progress_ns = cb->rtt_start_ns = s->now_ns;
		cb->rtt_seq = cb->snd_nxt;
	}
	if (cb->rtx_deadline_ns == UINT64_MAX)
		tcp_timer_start_rtx(cb);
	return 1;
}

/* Bytes that one frame may carry: a segment, or what the device cuts into segments. Where routers
 * may cut each of these again, each needs an ID that is ours to give. */
static uint32_t frame_bytes(const struct tcp_cb *cb)
{
	const struct stack_config *cfg = &cb->sock.stack->cfg;

	if (!(cfg->offloads & OFFLOAD_TSO) || cfg->tso_max_bytes < 2 * cb->mss ||
	    ip_path_is_narrow(cb->sock.stack, &cb->sock.peer.ip))
		return cb->mss;
	return tcp_pace_frame_bytes(cb, cfg->tso_max_bytes <
						65535 - IP_HEADERS_ROOM - TCP_HEADER_MAX_BYTES
					    ? cfg->tso_max_bytes
					    : 65535 - IP_HEADERS_ROOM - TCP_HEADER_MAX_BYTES);
}

/* Less than a segment is sent only for a reason: RFC 9293 3.8.6.2.1, and 3.7.4 (Nagle). */
static bool small_is_right(const struct tcp_cb *cb, uint32_t len, uint32_t unsent)
{
	if (len == unsent)
		return !cb->nagle || cb->snd_nxt == cb->snd_una || cb->fin_queued;
	return len >= cb->max_snd_wnd / 2 || cb->small_due;
}

/* How many new bytes the next frame carries; 0: none now. */
static uint32_t allowed(struct tcp_cb *cb, uint32_t unsent)
{
	uint32_t edge = cb->snd_una + cb->snd_wnd, len, pipe, most;

	if (seq_leq(edge, cb->snd_nxt))
		return 0;
	len = edge - cb->snd_nxt;
	if (len > unsent)
		len = unsent;
	most = cb->tlp_due || cb->ecn_cwr ? cb->mss : frame_bytes(cb);
	if (len > most)
		len = most;
	pipe = tcp_pipe(cb);
	if (pipe + len > cb->cwnd && pipe > 0 && !cb->tlp_due) {
		cb->cwnd_limited = true;
		len = cb->cwnd > pipe ? cb->cwnd - pipe : 0;
		if (len < cb->mss)
			return 0;
	}
	if (len > cb->mss && len < unsent)
		len -= len % cb->mss;
	if (len < cb->mss && !small_is_right(cb, len, unsent))
		return 0;
	return len;
}

/* What follows the first send of len bytes at snd_nxt, FIN included. */
static inline void sent_new(struct tcp_cb *cb, uint32_t len, bool fin)
{
	struct stack *s = cb->sock.stack;
	struct tcp_chunk *c = cb->send_next;
	uint32_t before = cb->snd_nxt;

	if (before == cb->snd_una)
		cb->progress_ns = s->now_ns;
	cb->snd_nxt += len + fin;
	if (cb->sent != NULL || (cb->sack && tcp_flight(cb) > cb->mss))
		tcp_sent_first(cb, before);
	cb->message = TCP_MESSAGE_NONE;
	if (cb->rtt_start_ns == 0 && cb->recovery == TCP_OPEN) {
		cb->rtt_start_ns = s->now_ns;
		cb->rtt_seq = cb->snd_nxt;
	}
	while (c != NULL && seq_leq(c->seq + c->len, cb->snd_nxt))
		c = c->next;
	cb->send_next = c;
	if (cb->rtx_deadline_ns == UINT64_MAX)
		tcp_timer_start_rtx(cb);
}

/* One frame of new data that probes the path's MTU, of len bytes. 1, -1: no buffer. */
static int output_mtu_probe(struct tcp_cb *cb, struct frame *f, uint32_t len)
{
	uint8_t flags = cb->snd_nxt + len == cb->snd_end ? TCP_ACK | TCP_PSH : TCP_ACK;

	if (!tcp_frame_whole(cb, f, cb->send_next, cb->snd_nxt, len, flags))
		return -1;
	sent_new(cb, len, false);
	tcp_mtu_probe_sent(cb, len);
	tcp_pace_sent(cb, len);
	return 1;
}

/* With something to be sent for the first time: is it a probe of the path's MTU? As
 * output_mtu_probe(), 0: nothing may be sent; 2: it is none. */
static int try_mtu_probe(struct tcp_cb *cb, struct frame *f, uint32_t unsent)
{
	uint32_t len = tcp_mtu_choose(cb, unsent);

	if (len == TCP_MTU_WAIT) {
		cb->cwnd_limited = true;
		return 0;
	}
	if (len == TCP_MTU_NO_PROBE || tcp_frame_fit(cb, cb->send_next, cb->snd_nxt, len) != len)
		return 2;
	return output_mtu_probe(cb, f, len);
}

/* One frame of new data, with FIN when it reaches the end. 1, 0: nothing may be sent, -1: no
 * buffer.
 */
static int output_new(struct tcp_cb *cb, struct frame *f)
{
	uint32_t unsent = cb->snd_end - cb->snd_nxt, len;
	uint8_t flags = TCP_ACK;
	bool fin;
	int r;

	if (tcp_fin_sent(cb))
		return 0;
	len = unsent > 0 ? allowed(cb, unsent) : 0;
	if (rarely(cb->mtu_search) && len > 0) {
		r = try_mtu_probe(cb, f, unsent);
		if (r < 2)
			return r;
	}
	if (len > 0)
		len = tcp_frame_fit(cb, cb->send_next, cb->snd_nxt, len);
	fin = cb->fin_queued && len == unsent;
	if (len == 0 && !fin)
		return 0;
	if (len == unsent)
		flags |= len > 0 ? TCP_PSH : 0;
	if (fin)
		flags |= TCP_FIN;
	cb->replies |= cb->ack_need == TCP_ACK_PUSHED || cb->ack_need == TCP_ACK_DELAYED;
	if (len > 0 ? !tcp_frame_data(cb, f, cb->send_next, cb->snd_nxt, len, flags)
		    : !tcp_frame_control(cb, f, cb->snd_nxt, flags))
		return -1;
	sent_new(cb, len, fin);
	tcp_pace_sent(cb, len);
	if (cb->recovery != TCP_OPEN)
		tcp_recovery_sent_new(cb, len);
	return 1;
}

/* One frame of what was sent, [seq, *end), of which it may hold the beginning: then *end is the end
 * of that. False: no buffer. */
static bool frame_again(struct tcp_cb *cb, struct frame *f, uint32_t seq, uint32_t *end)
{
	uint32_t len = *end - seq, data;
	uint8_t flags = TCP_ACK;
	bool fin;

	fin = tcp_fin_sent(cb) && seq + len == cb->snd_nxt;
	data = len - fin;
	if (data > 0) {
		struct tcp_chunk *c = tcp_sendq_find(cb, seq);
		uint32_t fit = tcp_frame_fit(cb, c, seq, data);

		fin = fin && fit == data;
		data = fit;
		if (seq + data == cb->snd_end)
			flags |= TCP_PSH;
		flags |= fin ? TCP_FIN : 0;
		*end = seq + data + fin;
		return tcp_frame_data(cb, f, c, seq, data, flags);
	}
	return tcp_frame_control(cb, f, seq, flags | TCP_FIN);
}

/* One frame of what goes again. As output_new(). */
static int output_again(struct tcp_cb *cb, struct frame *f, enum tcp_rtx_rule rule)
{
	uint32_t seq, len = tcp_recovery_next(cb, rule, &seq), end;

	if (len == 0)
		return 0;
	end = seq + len;
	if (!frame_again(cb, f, seq, &end))
		return -1;
	tcp_recovery_sent_again(cb, rule, seq, end);
	tcp_pace_sent(cb, end - seq);
	return 1;
}

/* RFC 8985 7.3: a segment that was not sent yet, whatever cwnd says, or the last one again. */
static int output_tail_probe(struct tcp_cb *cb, struct frame *f)
{
	uint32_t flight = tcp_flight(cb), seq, end = cb->snd_nxt;
	int r = 0;

	if (cb->recovery == TCP_OPEN && flight > 0 && cb->sent != NULL)
		r = output_new(cb, f);
	cb->tlp_due = false;
	if (r != 0 || cb->recovery != TCP_OPEN || flight == 0 || cb->sent == NULL) {
		if (r > 0)
			tcp_rack_probe_sent(cb, false);
		return r;
	}
	seq = end - (flight < cb->mss ? flight : cb->mss);
	if (seq_gt(end, cb->snd_una + cb->snd_wnd))
		return 0;
	if (!frame_again(cb, f, seq, &end))
		return -1;
	tcp_recovery_probed(cb, seq, end);
	tcp_rack_probe_sent(cb, true);
	return 1;
}

/* All that is outstanding is lost and less than a segment, as the byte is that has probed a closed
 * window: it goes again as part of what was not sent yet. */
static void rejoin(struct tcp_cb *cb)
{
	uint32_t flight = tcp_flight(cb);

	if ((cb->sent == NULL && cb->rtx_next != cb->snd_una) || cb->lost_bytes != flight ||
	    flight >= cb->mss || cb->snd_end == cb->snd_nxt || tcp_fin_sent(cb) ||
	    cb->snd_wnd <= flight)
		return;
	tcp_recovery_sent_again(cb, TCP_RTX_LOST, cb->snd_una, cb->snd_nxt);
	cb->snd_nxt = cb->rtx_next = cb->lost_end = cb->snd_una;
	cb->send_next = cb->send_head;
	cb->message = TCP_MESSAGE_NONE;
	cb->lost_bytes = 0;
	tcp_sent_clear(cb);
}

/* RFC 9293 3.8.6.1: one byte against a closed window, or the FIN. */
static int output_probe(struct tcp_cb *cb, struct frame *f)
{
	cb->probe_due = false;
	if (cb->snd_wnd != 0)
		return 0;
	if (cb->send_head == NULL) {
		if (!tcp_fin_sent(cb) || tcp_fin_acked(cb))
			return 0;
		return tcp_frame_control(cb, f, cb->snd_una, TCP_ACK | TCP_FIN) ? 1 : -1;
	}
	if (!tcp_frame_data(cb, f, cb->send_head, cb->snd_una, 1, TCP_ACK))
		return -1;
	cb->rtt_start_ns = 0;
	if (cb->snd_nxt == cb->snd_una) {
		cb->message = TCP_MESSAGE_NONE;
		cb->snd_nxt++;
		if (seq_leq(cb->send_next->seq + cb->send_next->len, cb->snd_nxt))
			cb->send_next = cb->send_next->next;
	}
	return 1;
}

/* RFC 9293 3.8.4: a segment in front of the window, which the peer must answer. */
static int output_keepalive(struct tcp_cb *cb, struct frame *f)
{
	cb->keepalive_due = false;
	return tcp_frame_control(cb, f, cb->snd_una - 1, TCP_ACK) ? 1 : -1;
}

/* The number of a segment without text: the next one, but not beyond the peer's window, where a
 * probe or a window that shrank has left it. The peer would not look at what is in there. Where it
 * has taken the probe it would not look at what is in front of that; and if both have probed, and
 * taken what came, neither would ever learn that from the other (cb->probe_taken). */
static uint32_t acceptable_seq(struct tcp_cb *cb)
{
	uint32_t edge = cb->snd_una + cb->snd_wnd;
	bool taken = cb->probe_taken;

	cb->probe_taken = false;
	return seq_lt(edge, cb->snd_nxt) && !taken ? edge : cb->snd_nxt;
}

/* Segments that came out of order in one burst: each is to bring a duplicate ACK to a peer that
 * counts them (RFC 5681 4.2), and each must be told to one that reads SACK, as many as one
 * acknowledgement has room for. */
static void acknowledge_rest(struct tcp_cb *cb)
{
	if (cb->dupacks_due > 0)
		cb->dupacks_due--;
	if (cb->sack ? tcp_reassembly_untold(cb) : cb->dupacks_due > 0)
		cb->ack_need = TCP_ACK_NOW;
}

/* An acknowledgement of its own, if it is time. */
static int output_ack(struct tcp_cb *cb, struct frame *f)
{
	if (cb->ack_need != TCP_ACK_NOW &&
	    (cb->ack_need != TCP_ACK_PUSHED || cb->ack_fresh || cb->replies))
		return 0;
	if (!tcp_frame_control(cb, f, acceptable_seq(cb), TCP_ACK))
		return -1;
	if (cb->out_of_order)
		acknowledge_rest(cb);
	return 1;
}

/* What is lost, what is new, what may be lost. As output_new(). */
static int output_data(struct tcp_cb *cb, struct frame *f)
{
	int r = cb->recovery != TCP_OPEN ? output_again(cb, f, TCP_RTX_LOST) : 0;

	if (r == 0)
		r = output_new(cb, f);
	if (r == 0 && cb->recovery != TCP_OPEN)
		r = output_again(cb, f, TCP_RTX_DOUBTED);
	return r;
}

/* The next frame of a connection: 1, 0: nothing more, -1: no buffer. What was received out of order
 * is reported before data is sent, which has no room for it. */
static int next_frame(struct tcp_cb *cb, struct frame *f)
{
	int r = 0;

	if (cb->ack_need == TCP_ACK_NOW && (cb->out_of_order || cb->duplicate))
		return output_ack(cb, f);
	if (cb->probe_due)
		r = output_probe(cb, f);
	if (cb->tlp_due && r == 0)
		r = output_tail_probe(cb, f);
	if (cb->recovery == TCP_LOSS_RECOVERY)
		rejoin(cb);
	if (r == 0 && (cb->pace_next_ns == 0 || !tcp_pace_holds(cb)))
		r = output_data(cb, f);
	if (r == 0 && cb->keepalive_due)
		r = output_keepalive(cb, f);
	if (r == 0)
		r = output_ack(cb, f);
	return r;
}

/* Nothing more to send: how the rest waits. */
static void settle(struct tcp_cb *cb)
{
	struct stack *s = cb->sock.stack;
	bool waiting = cb->snd_nxt != cb->snd_end && !tcp_fin_sent(cb);

	if (waiting && cb->snd_nxt == cb->snd_una && cb->rtx_deadline_ns == UINT64_MAX &&
	    cb->pace_next_ns <= s->now_ns) {
		cb->progress_ns = s->now_ns; /* the window holds it back: persist */
		tcp_timer_start_rtx(cb);
	}
	if (cb->ack_need == TCP_ACK_PUSHED && cb->ack_fresh) {
		cb->ack_fresh = false;
		return; /* stays on the queue: the program's turn is next */
	}
	if (cb->ack_need != TCP_ACK_NONE && cb->ack_deadline_ns == UINT64_MAX) {
		cb->ack_deadline_ns = s->now_ns + TCP_DELAYED_ACK_NS;
		tcp_timer_need(cb, cb->ack_deadline_ns);
	}
	if (cb->sent != NULL && cb->recovery == TCP_OPEN && cb->sacked_bytes == 0)
		tcp_rack_schedule_probe(cb);
	leave_queue(cb);
}

/* Makes a connection ready to send. 1: it is; 0: it waits, or is gone; 2: *f is its SYN. */
static int prepare(struct tcp_cb *cb, struct frame *f)
{
	if (cb->no_route) {
		leave_queue(cb);
		return 0;
	}
	if (!ip_path_valid(&cb->path) && !find_path(cb))
		return 0;
	if (cb->syn_unacked && (cb->snd_nxt == cb->iss || cb->rtx_due))
		return output_syn(cb, f) ? 2 : 0;
	return 1;
}

/* Fills up to n frames with what one connection has. It leaves the queue when it has no more. Not
 * in line: its many variables would be in the way of a message's. */
static __attribute__((noinline)) int output_connection(struct tcp_cb *cb, struct frame frames[],
						       int n)
{
	int sent = 0, r = prepare(cb, frames);

	if (r != 1)
		return r / 2;
	cb->cwnd_limited = false;
	while (sent < n && (r = next_frame(cb, &frames[sent])) > 0)
		sent++;
	cb->small_due = false;
	if (sent < n && r < 0)
		retry_later(cb);
	else if (sent < n)
		settle(cb);
	return sent;
}

/* Whether there is nothing to do for a connection but to leave the program its turn: what
 * output_connection() would come to, after many questions. It has just received a message, nearly
 * always. */
static inline bool leaves_turn(const struct tcp_cb *cb)
{
	return cb->rare == 0 && cb->ack_need == TCP_ACK_PUSHED && cb->ack_fresh &&
	       cb->snd_nxt == cb->snd_end;
}

int tcp_output(struct stack *s, struct frame frames[], int n)
{
	struct list *output = &s->tcp->output, *pos = output->next;
	struct frame *f = frames, *end = frames + n;

	while (pos != output && f < end) {
		struct tcp_cb *cb = list_entry(pos, struct tcp_cb, out_link);

		pos = pos->next;
		if (tcp_fast_is_message(cb)) {
			tcp_fast_send(cb, f++);
			continue;
		}
		if (leaves_turn(cb)) {
			cb->cwnd_limited = cb->ack_fresh = false;
			continue;
		}
		f += output_connection(cb, f, (int)(end - f));
		if (f == end && !list_empty(&cb->out_link)) {
			list_del(&cb->out_link); /* the others' turn */
			list_add_tail(output, &cb->out_link);
			break;
		}
	}
	return (int)(f - frames);
}
