/* tcp_state.c - the states of a connection, and how it ends (tcp_cb.h).
 *
 * SPDX-License-Identifier: MIT
 */
#include "inet/tcp_ranges.h"
#include "inet/tcp_reassembly.h"
#include "inet/tcp_receive.h"
#include "inet/tcp_sendq.h"
#include "inet/tcp_sent.h"
#include "inet/tcp_table.h"
#include "inet/tcp_timer.h"

#define BIT(state) (1u << (state))

/* Which states may follow (RFC 9293 3.3.2, figure 5). Each but CLOSED may end in CLOSED: by a
 * reset, a timeout or the program's abort. */
static const uint16_t successors[] = {
    [TCP_CLOSED] = BIT(TCP_LISTEN) | BIT(TCP_SYN_SENT) | BIT(TCP_SYN_RECEIVED),
    [TCP_LISTEN] = BIT(TCP_CLOSED),
    [TCP_SYN_SENT] = BIT(TCP_SYN_RECEIVED) | BIT(TCP_ESTABLISHED) | BIT(TCP_CLOSED),
    [TCP_SYN_RECEIVED] = BIT(TCP_ESTABLISHED) | BIT(TCP_FIN_WAIT_1) | BIT(TCP_CLOSED),
    [TCP_ESTABLISHED] = BIT(TCP_FIN_WAIT_1) | BIT(TCP_CLOSE_WAIT) | BIT(TCP_CLOSED),
    [TCP_FIN_WAIT_1] =
	BIT(TCP_FIN_WAIT_2) | BIT(TCP_CLOSING) | BIT(TCP_TIME_WAIT) | BIT(TCP_CLOSED),
    [TCP_FIN_WAIT_2] = BIT(TCP_TIME_WAIT) | BIT(TCP_CLOSED),
    [TCP_CLOSE_WAIT] = BIT(TCP_LAST_ACK) | BIT(TCP_CLOSED),
    [TCP_CLOSING] = BIT(TCP_TIME_WAIT) | BIT(TCP_CLOSED),
    [TCP_LAST_ACK] = BIT(TCP_CLOSED),
    [TCP_TIME_WAIT] = BIT(TCP_CLOSED),
};

void tcp_set_state(struct tcp_cb *cb, enum tcp_state state)
{
	assert(successors[cb->state] & BIT(state));
	cb->state = (uint8_t)state;
	cb->not_established = state != TCP_ESTABLISHED;
}

/* It holds its peer's place no longer. */
static void uncount(struct tcp_cb *cb)
{
	struct tcp_table *t = cb->sock.stack->tcp;

	if (cb->counted)
		t->group_opened[tcp_peer_group(t, &cb->sock.peer.ip)]--;
	cb->counted = false;
}

/* Off every list of the table's. */
static void detach(struct tcp_cb *cb)
{
	struct tcp_table *t = cb->sock.stack->tcp;

	if (cb->state != TCP_LISTEN)
		tcp_table_remove(t, cb);
	uncount(cb);
	list_del(&cb->out_link);
	list_del(&cb->link);
	if (cb->not_accepted && cb->listener != NULL) {
		cb->listener->accept_count--;
		cb->listener = NULL;
	}
	wheel_disarm(&t->wheel, &cb->timer);
	cb->timer.deadline_ns = UINT64_MAX;
	ip_path_release(&cb->path);
}

void tcp_finish(struct tcp_cb *cb)
{
	if (cb->state != TCP_CLOSED) {
		detach(cb);
		tcp_set_state(cb, TCP_CLOSED);
		tcp_sendq_clear(cb);
		tcp_ranges_clear(cb);
		tcp_sent_clear(cb);
		tcp_reassembly_clear(cb);
	}
	if (!cb->owned)
		tcp_cb_free(cb);
}

void tcp_fail(struct tcp_cb *cb, int error)
{
	cb->sock.error = error;
	tcp_raise(cb, STACK_EV_FAILED | STACK_EV_READ);
	tcp_finish(cb);
}

void tcp_enter_time_wait(struct tcp_cb *cb)
{
	struct stack *s = cb->sock.stack;

	if (cb->state != TCP_TIME_WAIT) {
		tcp_set_state(cb, TCP_TIME_WAIT);
		uncount(cb); /* it gives way to others */
		cb->rtx_deadline_ns = UINT64_MAX;
		tcp_sendq_clear(cb);
		tcp_ranges_clear(cb);
		tcp_sent_clear(cb);
		tcp_reassembly_clear(cb);
	}
	list_del(&cb->link);
	if (!cb->owned)
		list_add_tail(&s->tcp->time_wait, &cb->link);
	cb->life_deadline_ns = s->now_ns + TCP_MS(s->cfg.time_wait_ms);
	tcp_timer_need(cb, cb->life_deadline_ns);
}
