/* tcp_user.c - the program's side: RFC 9293 3.10.1 to 3.10.6, as the verbs of stack.h.
 *
 * SPDX-License-Identifier: MIT
 */
#include "base/usually.h"
#include "inet/tcp_listen.h"
#include "inet/tcp_output.h"
#include "inet/tcp_receive.h"
#include "inet/tcp_reply.h"
#include "inet/tcp_sendq.h"
#include "inet/tcp_timer.h"
#include "inet/tcp_tune.h"
#include <errno.h>
#include <sys/socket.h>

int tcp_open(struct stack *s, void *user, struct sock **out)
{
	struct tcp_cb *cb = tcp_cb_new(s, user);

	if (cb == NULL)
		return -ENOMEM;
	cb->owned = true;
	*out = &cb->sock;
	return 0;
}

int tcp_bind(struct sock *k, const struct endpoint *local, bool reuse_port)
{
	struct tcp_cb *cb = tcp_cb_of(k);
	struct endpoint at = *local;

	if (k->peer.port != 0)
		return -EISCONN;
	if (cb->bound || cb->state != TCP_CLOSED)
		return -EINVAL;
	if (!ip_is_any(&at.ip) && !ip_is_own(k->stack, &at.ip))
		return -EADDRNOTAVAIL;
	if (at.port == 0)
		at.port = tcp_port_choose(cb, NULL, reuse_port);
	else if (tcp_bound_conflict(k->stack->tcp, &at, reuse_port) ||
		 !tcp_port_take(cb, at.port, reuse_port))
		return -EADDRINUSE;
	if (at.port == 0)
		return -EADDRINUSE;
	k->local = at;
	k->reuse_port = reuse_port;
	tcp_bound_add(k->stack->tcp, cb);
	return 0;
}

int tcp_listen(struct sock *k, int backlog)
{
	struct tcp_cb *cb = tcp_cb_of(k);
	struct tcp_table *t = k->stack->tcp;

	if (cb->state == TCP_LISTEN || cb->state == TCP_SYN_SENT || cb->state == TCP_SYN_RECEIVED)
		return -EADDRINUSE;
	if (k->peer.port != 0)
		return -EISCONN;
	if (!cb->bound)
		return -EDESTADDRREQ;
	if (backlog < 1)
		return -EINVAL;
	if (t->listeners == k->stack->cfg.max_listeners)
		return -ENOMEM;
	t->listeners++;
	if (cb->has_port)
		ports_listen(k->stack->cfg.ports, k->stack->cfg.ports_member, k->local.port);
	list_init(&cb->accept_queue);
	cb->accept_count = cb->half_count = 0;
	cb->backlog = backlog < TCP_BACKLOG_MAX ? (uint32_t)backlog : TCP_BACKLOG_MAX;
	tcp_set_state(cb, TCP_LISTEN);
	return 0;
}

bool stack_has_connection(struct stack *s, const struct endpoint *peer, uint16_t local_port)
{
	return tcp_table_find(s->tcp, &peer->ip, peer->port, local_port) != NULL ||
	       tcp_half_find(s->tcp, &peer->ip, peer->port, local_port) != NULL;
}

int tcp_accept(struct sock *k, void *user, struct sock **out)
{
	struct tcp_cb *listener = tcp_cb_of(k), *cb;
	struct list *first;

	if (listener->state != TCP_LISTEN)
		return -EINVAL;
	first = list_pop(&listener->accept_queue);
	if (first == NULL)
		return -EAGAIN;
	cb = list_entry(first, struct tcp_cb, link);
	cb->listener = NULL;
	cb->not_accepted = false;
	listener->accept_count--;
	cb->owned = true;
	cb->sock.user = user;
	*out = &cb->sock;
	return 0;
}

/* A bound port may meet an old connection of the same endpoints: one in TIME-WAIT gives way if
 * timestamps tell the two apart (RFC 6191). */
static int displace(struct tcp_table *t, const struct endpoint *peer, uint16_t port,
		    uint32_t *iss_floor)
{
	struct tcp_cb *old = tcp_table_find(t, &peer->ip, peer->port, port);

	if (old == NULL)
		return 0;
	if (old->state != TCP_TIME_WAIT || !old->timestamps)
		return -EADDRINUSE;
	*iss_floor = old->snd_nxt;
	tcp_finish(old);
	return 0;
}

/* The local end of a connection to peer. */
static int choose_local(struct sock *k, const struct endpoint *peer, uint32_t *iss_floor)
{
	if (tcp_cb_of(k)->bound) {
		int r = displace(k->stack->tcp, peer, k->local.port, iss_floor);

		if (r != 0)
			return r;
	} else {
		if (tcp_port_choose(tcp_cb_of(k), peer, false) == 0)
			return -EADDRNOTAVAIL;
	}
	k->local.ip = k->stack->cfg.addr;
	return 0;
}

/* Why a socket in this state cannot be connected; 0: it can. */
static int cannot_connect(const struct tcp_cb *cb)
{
	switch (cb->state) {
	case TCP_CLOSED:
		return cb->sock.peer.port == 0 ? 0 : -EISCONN;
	case TCP_LISTEN:
		return -EOPNOTSUPP;
	case TCP_SYN_SENT:
	case TCP_SYN_RECEIVED:
		return -EINPROGRESS;
	default:
		return -EISCONN;
	}
}

int tcp_connect(struct sock *k, const struct endpoint *peer)
{
	struct tcp_cb *cb = tcp_cb_of(k);
	struct stack *s = k->stack;
	uint32_t iss_floor = 0;
	int r = cannot_connect(cb);

	if (r != 0)
		return r;
	if (peer->port == 0 || ip_is_any(&peer->ip))
		return -EADDRNOTAVAIL;
	r = ip_check_route(s, &peer->ip);
	if (r == 0)
		r = choose_local(k, peer, &iss_floor);
	if (r != 0)
		return r;
	k->peer = *peer;
	cb->iss = tcp_isn(s, &peer->ip, peer->port, k->local.port);
	if (iss_floor != 0 && seq_leq(cb->iss, iss_floor))
		cb->iss = iss_floor + 1;
	cb->snd_una = cb->snd_nxt = cb->iss;
	cb->snd_end = cb->iss + 1;
	cb->ts_offset = tcp_timestamp_offset(s, &peer->ip, peer->port, k->local.port);
	cb->rcv_shift = tcp_window_shift(tcp_tune_most(cb));
	tcp_set_state(cb, TCP_SYN_SENT);
	tcp_table_add(s->tcp, cb);
	tcp_output_request(cb);
	return -EINPROGRESS;
}

/* Why nothing can be sent; 0: it can. */
static int cannot_send(const struct tcp_cb *cb)
{
	if (cb->sock.error != 0)
		return cb->sock.error;
	if (cb->fin_queued)
		return -EPIPE;
	if (cb->state == TCP_ESTABLISHED || cb->state == TCP_CLOSE_WAIT)
		return 0;
	return -ENOTCONN;
}

/* The part of a send that fits the room there is: full segments, and what is left is no less than
 * what is sent from where it lies. When the room is less than a quarter of the buffer, waiting
 * gives larger pieces. */
static uint32_t accept_part(const struct tcp_cb *cb, uint32_t len, uint32_t room)
{
	uint32_t least = cb->sock.stack->cfg.zero_copy_bytes, part = room;

	if (room < cb->send_limit / 4)
		return 0;
	if (len - room < least && len > least)
		part = len - least;
	return part > cb->mss ? part - part % cb->mss : room;
}

/* How many bytes may be accepted of a send of len. */
static uint32_t accept_bytes(const struct tcp_cb *cb, uint32_t len)
{
	uint32_t queued = tcp_queued(cb);
	uint32_t room = cb->send_limit > queued ? cb->send_limit - queued : 0;

	return len <= room ? len : accept_part(cb, len, room);
}

/* tcp_send() of anything but a message. Not in line: it would be in its way. */
static __attribute__((noinline)) int64_t
send_stream(struct tcp_cb *cb, struct buf *b, const uint8_t *data, uint32_t len, bool *zero_copy)
{
	const struct stack_config *cfg = &cb->sock.stack->cfg;
	int r = cannot_send(cb);
	uint32_t n;

	if (r != 0 || len == 0)
		return r;
	n = accept_bytes(cb, len);
	if (n >= cfg->zero_copy_bytes && cfg->max_frags > 0 &&
	    tcp_sendq_reference(cb, b, data, n)) {
		*zero_copy = true;
	} else if (n > 0) {
		n = tcp_sendq_copy(cb, data, n);
		if (n == 0 && cb->send_head == NULL)
			return -ENOMEM; /* nothing of our own will free any */
	}
	if (n == 0) {
		cb->want_write = true;
		return -EAGAIN;
	}
	tcp_output_request(cb);
	return n;
}

/* A message that is not small, or for which there is no buffer at hand. Neither in line. */
static __attribute__((noinline)) int64_t
send_message(struct tcp_cb *cb, struct buf *b, const uint8_t *data, uint32_t len, bool *zero_copy)
{
	struct tcp_chunk *c = tcp_sendq_make(cb->sock.stack, data, len);

	if (c == NULL)
		return send_stream(cb, b, data, len, zero_copy);
	tcp_sendq_message(cb, c, len);
	tcp_output_request(cb);
	return len;
}

/* A send that finds the queue empty and goes as one segment. It calls nothing, so that it need not
 * save registers. */
int64_t tcp_send(struct sock *k, struct buf *b, const uint8_t *data, uint32_t len, bool *zero_copy)
{
	struct tcp_cb *cb = tcp_cb_of(k);
	struct stack *s = k->stack;
	struct tcp_chunk *c;

	*zero_copy = false;
	if (rarely(cb->rare != 0 || cb->send_tail != NULL ||
		   len - 1 >= cb->message_max || /* or 0 */
		   tcp_pool_scarce(s->pool)))
		return send_stream(cb, b, data, len, zero_copy);
	if (rarely(!csum_is_small(len) || s->pool->free == NULL))
		return send_message(cb, b, data, len, zero_copy);
	c = tcp_chunk_in(pool_take(s->pool), len);
	c->sum = csum_small(true, c->data, data, len, 0);
	s->stats.tx_copied_bytes += len;
	tcp_sendq_message(cb, c, len);
	tcp_output_request(cb);
	return len;
}

uint64_t tcp_acked(const struct sock *k)
{
	return tcp_cb_of(k)->acked_bytes;
}

uint64_t tcp_accepted(const struct sock *k)
{
	const struct tcp_cb *cb = tcp_cb_of(k);

	return cb->acked_bytes + (cb->send_head != NULL ? tcp_queued(cb) : 0);
}

/* What there is to say when no bytes are left. */
static int end_of_receive(const struct tcp_cb *cb)
{
	if (cb->fin_received || cb->read_closed)
		return 0;
	if (cb->sock.error != 0)
		return cb->sock.error;
	return tcp_synchronized(cb) ? -EAGAIN : -ENOTCONN;
}

int tcp_recv(struct sock *k, uint32_t max, struct stack_received *out)
{
	struct tcp_cb *cb = tcp_cb_of(k);

	if (rarely(cb->recv_head == NULL))
		return end_of_receive(cb);
	return tcp_receive_pop(cb, max, out);
}

int64_t tcp_peek(const struct sock *k, uint8_t *dst, uint32_t max)
{
	const struct tcp_cb *cb = tcp_cb_of(k);
	const struct buf *b = cb->recv_head;
	uint32_t done = 0;

	if (b == NULL)
		return end_of_receive(cb);
	for (; b != NULL && done < max; b = b->next) {
		uint32_t n = b->len < max - done ? b->len : max - done;

		memcpy(dst + done, b->data, n);
		done += n;
	}
	return done;
}

/* The program sends no more: FIN goes behind what is queued (RFC 9293 3.10.4). */
static void close_sending(struct tcp_cb *cb)
{
	if (cb->fin_queued)
		return;
	cb->fin_queued = true;
	tcp_set_state(cb, cb->state == TCP_CLOSE_WAIT ? TCP_LAST_ACK : TCP_FIN_WAIT_1);
	tcp_output_request(cb);
}

static bool can_close_sending(const struct tcp_cb *cb)
{
	return cb->state == TCP_SYN_RECEIVED || cb->state == TCP_ESTABLISHED ||
	       cb->state == TCP_CLOSE_WAIT;
}

/* Shut down both ways, a connection may have to give way: tcp_cb_new(). */
static void note_closing(struct tcp_cb *cb)
{
	if (!cb->fin_queued || cb->state == TCP_TIME_WAIT || cb->state == TCP_CLOSED)
		return;
	list_del(&cb->link);
	list_add_tail(&cb->sock.stack->tcp->closing, &cb->link);
}

int tcp_shutdown(struct sock *k, int how)
{
	struct tcp_cb *cb = tcp_cb_of(k);

	if (how != SHUT_RD && how != SHUT_WR && how != SHUT_RDWR)
		return -EINVAL;
	if (cb->state < TCP_SYN_RECEIVED)
		return cb->sock.error != 0 ? cb->sock.error : -ENOTCONN;
	if (how != SHUT_WR) {
		cb->read_closed = true;
		tcp_receive_clear(cb);
		tcp_raise(cb, STACK_EV_READ);
	}
	if (how != SHUT_RD && can_close_sending(cb))
		close_sending(cb);
	if (cb->read_closed)
		note_closing(cb);
	return 0;
}

/* The program has no more to do with it. */
static void give_back(struct tcp_cb *cb)
{
	cb->owned = false;
	cb->orphan = true;
	sock_gone(&cb->sock);
}

void tcp_abort(struct sock *k)
{
	struct tcp_cb *cb = tcp_cb_of(k);

	give_back(cb);
	if (cb->state == TCP_LISTEN)
		tcp_listen_close(cb);
	else if (cb->state >= TCP_SYN_RECEIVED && cb->state != TCP_TIME_WAIT)
		tcp_reply_abort(cb);
	tcp_finish(cb);
}

/* RFC 9293 3.6.1: nobody will read what has come; or SO_LINGER with no time. */
static bool closes_by_reset(const struct tcp_cb *cb)
{
	return (cb->linger && cb->linger_s == 0) || cb->recv_head != NULL || cb->out_of_order;
}

void tcp_close(struct sock *k)
{
	struct tcp_cb *cb = tcp_cb_of(k);

	if (cb->state < TCP_SYN_RECEIVED || closes_by_reset(cb)) {
		tcp_abort(k);
		return;
	}
	give_back(cb);
	if (can_close_sending(cb))
		close_sending(cb);
	if (cb->state == TCP_TIME_WAIT)
		list_add_tail(&cb->sock.stack->tcp->time_wait, &cb->link);
	else
		note_closing(cb);
	tcp_timer_start_life(cb);
}

bool tcp_ended(const struct sock *k)
{
	const struct tcp_cb *cb = tcp_cb_of(k);

	return cb->state == TCP_CLOSED || cb->state == TCP_TIME_WAIT;
}

bool tcp_busy(const struct stack *s)
{
	const struct tcp_table *t = s->tcp;

	if (!list_empty(&t->output))
		return true;
	for (uint32_t i = 0; i < t->cbs.touched; i++) {
		const struct tcp_cb *cb = tcp_cb_at(t, i);

		if (tcp_synchronized(cb) && cb->state != TCP_TIME_WAIT &&
		    (tcp_queued(cb) > 0 || (cb->fin_queued && !tcp_fin_acked(cb))))
			return true;
	}
	return false;
}

int tcp_reset_orphans(struct stack *s, int n)
{
	const struct tcp_table *t = s->tcp;
	int k = 0;

	for (uint32_t i = 0; i < t->cbs.touched && k < n; i++) {
		struct tcp_cb *cb = tcp_cb_at(t, i);

		if (!cb->orphan || !tcp_synchronized(cb) || cb->state == TCP_TIME_WAIT)
			continue;
		tcp_reply_last_abort(cb);
		tcp_finish(cb);
		k++;
	}
	return k;
}
