/* tcp_fast.c - the short way in: the segments that make up nearly all of a connection's life, data
 * in order, acknowledgements, or both. It does for them what the steps of tcp_input.c would do;
 * what is in any way special is left to those, untouched.
 *
 * SPDX-License-Identifier: MIT
 */
#include "base/checksum.h"
#include "inet/tcp_ack.h"
#include "inet/tcp_output.h"
#include "inet/tcp_receive.h"

/* The next segment in order of an established connection on which nothing out of the ordinary is
 * going on. */
static inline bool is_fast(const struct tcp_cb *cb, const struct tcp_segment *seg,
			   const uint8_t *l4)
{
	return cb->rare == 0 &&                                       /* see tcp_cb.h */
	       seg->data - l4 == cb->header_bytes &&                  /* timestamps as agreed */
	       seg->seq == cb->rcv_nxt &&                             /* in order */
	       seg->len <= cb->rcv_adv - cb->rcv_nxt &&               /* inside the window */
	       seg->ack - cb->snd_una <= cb->snd_nxt - cb->snd_una && /* of what was sent */
	       seq_geq(seg->tsval, cb->ts_recent) && /* PAWS; both 0 without timestamps */
	       cb->snd_wnd != 0 &&                   /* no window opens */
	       (seg->len > 0 ||                      /* no duplicate acknowledgement */
		seg->ack != cb->snd_una || cb->snd_nxt == cb->snd_una);
}

static inline bool checksum_is_good(const struct tcp_cb *cb, const struct buf *b, const uint8_t *l4,
				    uint32_t l4_len)
{
	uint32_t pseudo = csum_add(cb->path.pseudo_sum, csum_word((uint16_t)l4_len));

	return (b->flags & BUF_CSUM_OK) || csum_fold(csum_partial(l4, l4_len, pseudo)) == 0;
}

/* Fifth of 3.10.7.4, and RFC 7323 4.3. */
static inline void take_header(struct tcp_cb *cb, const struct tcp_segment *seg)
{
	if (seq_leq(seg->seq, cb->last_ack_sent))
		cb->ts_recent = seg->tsval;
	cb->heard_ns = cb->sock.stack->now_ns;
	cb->snd_wnd = (uint32_t)seg->wnd << cb->snd_shift;
	cb->snd_wl1 = seg->seq;
	cb->snd_wl2 = seg->ack;
	if (cb->snd_wnd > cb->max_snd_wnd)
		cb->max_snd_wnd = cb->snd_wnd;
	if (seg->ack != cb->snd_una)
		tcp_ack_advance_plain(cb, seg->ack);
}

bool tcp_input_fast(struct stack *s, struct buf *b, uint8_t *l4, uint32_t l4_len,
		    struct ip_addr src)
{
	struct tcp_segment seg;
	struct tcp_cb *cb;

	if (!tcp_segment_parse_plain(&seg, l4, l4_len))
		return false;
	cb = tcp_table_find(s->tcp, &src, seg.sport, seg.dport);
	if (cb == NULL || !is_fast(cb, &seg, l4) || !checksum_is_good(cb, b, l4, l4_len))
		return false;
	s->stats.rx_tcp++;
	take_header(cb, &seg);
	if (seg.len > 0 && tcp_receive_next(cb, &seg, b)) {
		event_raise(&cb->sock, STACK_EV_READ); /* it is accepted, and no orphan */
		return true;
	}
	buf_unref(b);
	if (cb->snd_nxt != cb->snd_end) /* the window may have held it back */
		tcp_output_request(cb);
	return true;
}
