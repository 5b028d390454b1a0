/* tcp_tune.c - see tcp_tune.h.
 *
 * SPDX-License-Identifier: MIT
 */
#include "inet/tcp_tune.h"
#include "inet/tcp_output.h"
#include "inet/tcp_receive.h"

/* As much of `more` bytes as there is for all. */
static uint32_t take(struct tcp_cb *cb, uint64_t more)
{
	struct stack *s = cb->sock.stack;
	uint64_t left = s->cfg.buffer_total_bytes - s->tcp->tuned_bytes;

	if (more > left)
		more = left;
	s->tcp->tuned_bytes += more;
	cb->tuned_bytes += (uint32_t)more;
	return (uint32_t)more;
}

/* A window larger than the pool that frames arrive in is of no use. How much of that is promised to
 * one connection at a time tcp_receive.c decides, by what is free. */
static uint32_t most_to_receive(const struct tcp_cb *cb)
{
	const struct stack *s = cb->sock.stack;
	uint64_t all = (uint64_t)s->pool->count * s->copy_room_bytes;

	return all < s->cfg.buffer_max_bytes ? (uint32_t)all : s->cfg.buffer_max_bytes;
}

static uint32_t growth(uint32_t now, uint64_t wanted, uint32_t most)
{
	if (wanted > most)
		wanted = most;
	return wanted > now ? (uint32_t)wanted - now : 0;
}

void tcp_tune_begin(struct tcp_cb *cb)
{
	cb->tune_seq = cb->rcv_nxt;
	cb->tune_tick = tcp_fine_clock(cb->sock.stack);
}

void tcp_tune_receive(struct tcp_cb *cb)
{
	uint32_t now = tcp_fine_clock(cb->sock.stack), srtt = tcp_ns_to_fine(cb->srtt_ns);
	uint32_t delivered = cb->rcv_nxt - cb->tune_seq, more;

	if (cb->srtt_ns == 0 || now - cb->tune_tick < srtt)
		return;
	more = growth(cb->recv_limit, 2 * (uint64_t)cb->recv_limit, most_to_receive(cb));
	if (now - cb->tune_tick < 2 * srtt && delivered >= cb->recv_limit / 2 &&
	    cb->recv_memory < cb->recv_limit / 2 && more > 0)
		tcp_receive_limit(cb, cb->recv_limit + take(cb, more));
	cb->tune_seq = cb->rcv_nxt;
	cb->tune_tick = now;
}

void tcp_tune_send(struct tcp_cb *cb)
{
	uint32_t more =
	    growth(cb->send_limit, 2 * (uint64_t)cb->cwnd, cb->sock.stack->cfg.buffer_max_bytes);

	if (!cb->send_grows)
		return;
	if (more > 0 && cb->snd_wnd > cb->send_limit / 2) {
		cb->send_limit += take(cb, more);
		tcp_update_message_max(cb);
	}
}

void tcp_tune_end(struct tcp_cb *cb)
{
	cb->sock.stack->tcp->tuned_bytes -= cb->tuned_bytes;
	cb->tuned_bytes = 0;
}
