/* tcp_fast.h - the short way, in and out, of the segments that make up nearly all of a connection's
 * life. In: the next data in order, an acknowledgement, or both. Out: a message, which is a send
 * that found the queue empty and goes as one segment: a request, a reply.
 *
 * It does for them what the steps of tcp_input.c and tcp_output.c would do; whatever is in any way
 * special is left to those, untouched. It is in line in stack_input() and stack_output(), and the
 * compiler is told which way is the usual one.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef INET_TCP_FAST_H
#define INET_TCP_FAST_H

#include "base/checksum_small.h"
#include "base/usually.h"
#include "inet/tcp_ack.h"
#include "inet/tcp_header.h"
#include "inet/tcp_output.h"
#include "inet/tcp_receive.h"

/* The connection of a segment at l4 in the packet at h: most often that of the one before. */
static inline struct tcp_cb *tcp_fast_find(struct tcp_table *t, const uint8_t *h, const uint8_t *l4)
{
	struct tcp_cb *cb = t->last;

	if (usually(cb != NULL && get_raw32(h + IP4_SRC) == cb->wire_peer &&
		    get_raw32(l4) == cb->wire_ports))
		return cb;
	return tcp_table_find_wire(t, get_raw32(h + IP4_SRC), get_raw32(l4));
}

static inline bool tcp_fast_checksum_is_good(const struct tcp_cb *cb, const struct buf *b,
					     const uint8_t *l4, uint32_t l4_len)
{
	uint64_t pseudo = (uint64_t)cb->path.pseudo_sum + csum_word((uint16_t)l4_len);

	return (b->flags & BUF_CSUM_OK) || csum_is_zero(csum_partial_small(l4, l4_len, pseudo));
}

/* The header, if it is what the connection's segments have: no flag but ACK and PSH, timestamps as
 * agreed, in the one layout of RFC 7323 appendix A, no other option. */
static inline bool tcp_fast_parse(const struct tcp_cb *cb, uint8_t *l4, uint32_t l4_len,
				  struct tcp_segment *seg)
{
	uint32_t bytes = cb->header_bytes;

	if (l4_len < bytes || (get_be16(l4 + 12) & ~TCP_PSH) != cb->plain_word)
		return false;
	if (rarely(!cb->timestamps))
		seg->tsval = 0;
	else if (get_be32(l4 + TCP_HEADER_BYTES) == TCP_TIMESTAMP_LAYOUT)
		seg->tsval = get_be32(l4 + TCP_HEADER_BYTES + 4);
	else
		return false;
	seg->seq = get_be32(l4 + 4);
	seg->ack = get_be32(l4 + 8);
	seg->flags = l4[13];
	seg->wnd = get_be16(l4 + 14);
	seg->data = l4 + bytes;
	seg->len = l4_len - bytes;
	return true;
}

/* The next in order, inside the window, and not older than the one before (PAWS; without timestamps
 * all are 0). It acknowledges what was sent, opens no closed window, and is no
 * older than what told of the window last (SND.WL1). */
static inline bool tcp_fast_is_next(const struct tcp_cb *cb, const struct tcp_segment *seg)
{
	return seg->seq == cb->rcv_nxt && seg->len <= cb->rcv_adv - cb->rcv_nxt &&
	       seq_geq(seg->tsval, cb->ts_recent) && seq_geq(seg->seq, cb->snd_wl1) &&
	       seg->ack - cb->snd_una <= cb->snd_nxt - cb->snd_una && cb->snd_wnd != 0;
}

/* RFC 5681 2, but for the unchanged window. */
static inline bool tcp_fast_is_duplicate_ack(const struct tcp_cb *cb, const struct tcp_segment *seg)
{
	return seg->len == 0 && seg->ack == cb->snd_una && cb->snd_nxt != cb->snd_una;
}

/* Fifth of 3.10.7.4, and RFC 7323 4.3. */
static inline void tcp_fast_take_header(struct tcp_cb *cb, const struct tcp_segment *seg)
{
	if (seq_leq(seg->seq, cb->last_ack_sent))
		cb->ts_recent = seg->tsval;
	cb->heard_ns = cb->sock.stack->now_ns;
	cb->snd_wnd = (uint32_t)seg->wnd << cb->snd_shift;
	cb->snd_wl1 = seg->seq;
	cb->snd_wl2 = seg->ack;
	if (cb->snd_wnd > cb->max_snd_wnd)
		cb->max_snd_wnd = cb->snd_wnd;
	if (usually(seg->ack != cb->snd_una))
		tcp_ack_advance_plain(cb, seg->ack);
}

/* The short way of a segment in a whole IPv4 packet for us, whose plain header, checked, is at h
 * inside b. True: it was taken, with b. False: nothing was done, tcp_input() is to have it. */
static inline bool tcp_fast_input(struct stack *s, struct buf *b, uint8_t *h)
{
	uint8_t *l4 = h + IP4_HEADER_BYTES;
	uint32_t l4_len = (uint32_t)get_be16(h + IP4_TOTAL_LENGTH) - IP4_HEADER_BYTES;
	struct tcp_segment seg;
	struct tcp_cb *cb;
	bool usual;

	if (l4_len < TCP_HEADER_BYTES)
		return false;
	cb = tcp_fast_find(s->tcp, h, l4);
	usual = cb != NULL && cb->rare == 0 && tcp_fast_checksum_is_good(cb, b, l4, l4_len);
	if (rarely(!usual))
		return false;
	usual = tcp_fast_parse(cb, l4, l4_len, &seg) && tcp_fast_is_next(cb, &seg) &&
		!tcp_fast_is_duplicate_ack(cb, &seg);
	if (rarely(!usual)) {
		b->flags |= BUF_CSUM_OK; /* nobody need sum it again */
		return false;
	}
	s->stats.rx_tcp++;
	tcp_fast_take_header(cb, &seg);
	if (usually(seg.len > 0 && tcp_receive_next(cb, &seg, b))) {
		event_raise(&cb->sock, STACK_EV_READ); /* it is accepted, and no orphan */
		return true;
	}
	buf_unref(b);
	if (cb->snd_nxt != cb->snd_end) /* the window may have held it back */
		tcp_output_request(cb);
	return true;
}

/* What a request or a reply looks like: all that is queued is one segment, which goes now. Nothing
 * is outstanding then, and the congestion window takes a segment. */
static inline bool tcp_fast_is_message(const struct tcp_cb *cb)
{
	uint32_t len = cb->snd_end - cb->snd_una;

	return cb->message == TCP_MESSAGE_UNSENT && /* see tcp_cb.h */
	       cb->rare == 0 &&                     /* see tcp_cb.h */
	       len <= cb->message_max &&            /* one frame */
	       len <= cb->snd_wnd &&                /* inside the window */
	       cb->ack_need != TCP_ACK_NOW &&       /* SACK blocks have no room in it */
	       ip_path_valid(&cb->path);
}

/* Sends it, with the headers in front of it where it lies; the connection has nothing more then. */
static inline void tcp_fast_send(struct tcp_cb *cb, struct frame *f)
{
	struct tcp_chunk *c = cb->send_head;
	uint32_t bytes = cb->header_bytes, l4_bytes = bytes + c->len;
	uint64_t now_ns = cb->sock.stack->now_ns, sum;
	uint8_t *l4 = c->data - bytes;

	cb->replies |= cb->ack_need != TCP_ACK_NONE;
	tcp_header_begin(cb, f);
	sum = tcp_header_write(cb, l4, c->seq, cb->plain_word | TCP_PSH, c->sum);
	tcp_header_complete(cb, f, buf_ref(c->buf), l4, l4_bytes, l4_bytes, sum, 0);
	cb->message = TCP_MESSAGE_SENT;
	cb->snd_nxt = cb->rtt_seq = cb->snd_end;
	cb->send_next = NULL;
	cb->progress_ns = cb->rtt_start_ns = now_ns;
	cb->rtx_deadline_ns = now_ns + cb->rto_ns;
	tcp_timer_need(cb, cb->rtx_deadline_ns);
	list_del(&cb->out_link);
}

/* Fills up to n frames with the messages that are first on the output queue; says how many. */
static inline int tcp_fast_output(struct stack *s, struct frame frames[], int n)
{
	struct list *output = &s->tcp->output;
	int k = 0;

	while (k < n && output->next != output) {
		struct tcp_cb *cb = list_entry(output->next, struct tcp_cb, out_link);

		if (rarely(!tcp_fast_is_message(cb)))
			break;
		tcp_fast_send(cb, &frames[k++]);
	}
	return k;
}

#endif
