/* tcp_run.c - what the program at one end of a connection does once it is open.
 *
 * SPDX-License-Identifier: MIT
 */
#include "pattern.h"
#include "programs.h"
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/socket.h>

enum {
	STEPS = 64, /* sends or receives in a row, then the others have their turn */
	REST_NS = 1000,
};

static struct rng *rng(struct end *e)
{
	return &e->programs->rng;
}

static uint64_t now(const struct end *e)
{
	return e->programs->world->now_ns;
}

static void progress(struct end *e)
{
	if (e->conn != NULL)
		e->conn->progress_ns = now(e);
}

static uint64_t pause_of(struct end *e, uint64_t most_ns)
{
	if (most_ns == 0 || e->pauses_left == 0 || chance(rng(e), 50))
		return 0;
	e->pauses_left--;
	return rng_size(rng(e), 1000, most_ns);
}

/* The memory is the program's again: it writes something else there. */
static void scribble(struct piece *s)
{
	memset(s->data, 0xdb, s->len);
}

static void sent_drop_first(struct end *e)
{
	struct piece *s = &e->sent[e->sent_first++ % PIECES];

	e->sent_count--;
	if (s->until <= e->tx_acked && e->programs->world->cfg.late_ns == 0)
		scribble(s);
	buf_unref(s->buf);
}

static void sent_reap(struct end *e)
{
	uint64_t acked = stack_acked(e->sock);

	if (acked < e->tx_acked || acked > e->tx_done)
		end_fault(e, "%" PRIu64 " bytes are acknowledged, %" PRIu64 " were before", acked,
			  e->tx_acked);
	if (acked > e->tx_acked)
		progress(e);
	e->tx_acked = acked;
	while (e->sent_count > 0 && e->sent[e->sent_first % PIECES].until <= acked)
		sent_drop_first(e);
}

static bool chunk_make(struct end *e)
{
	struct programs *p = e->programs;
	uint64_t left = e->tx_total - e->tx_done;
	uint32_t len = (uint32_t)rng_size(rng(e), 1, e->tx_chunk_max), skew;
	struct buf *b;

	if (e->tx_done == 0 && len < sizeof(e->header))
		len = sizeof(e->header);
	len = len < left ? len : (uint32_t)left;
	b = pool_get(len + 64 <= p->small->bufs[0].room ? p->small : p->big);
	if (b == NULL)
		return false;
	skew = (uint32_t)rng_below(rng(e), 64);
	e->chunk = b;
	e->chunk_data = b->data + skew;
	e->chunk_left = len;
	b->len = skew + len;
	pattern_fill(e->chunk_data, e->tx_key, e->tx_done, len);
	if (!e->server && e->tx_done < sizeof(e->header)) {
		uint32_t n = (uint32_t)(sizeof(e->header) - e->tx_done);

		memcpy(e->chunk_data, e->header + e->tx_done, n < len ? n : len);
	}
	return true;
}

static void chunk_drop(struct end *e)
{
	if (e->chunk != NULL)
		buf_unref(e->chunk);
	e->chunk = NULL;
	e->chunk_left = 0;
}

/* The stack has accepted n bytes of the chunk. */
static void chunk_advance(struct end *e, uint32_t n, bool zero_copy)
{
	struct piece s = {e->chunk, e->chunk_data, n, e->tx_done, e->tx_done + n};

	e->tx_done += n;
	e->chunk_data += n;
	e->chunk_left -= n;
	if (zero_copy) {
		buf_ref(s.buf);
		e->sent[(e->sent_first + e->sent_count++) % PIECES] = s;
	} else {
		scribble(&s);
	}
	if (e->chunk_left == 0) {
		chunk_drop(e);
		e->tx_at_ns = now(e) + pause_of(e, e->tx_pause_ns);
	}
}

/* Is there something to be sent, once it is time and the stack has room? */
static bool may_send(const struct end *e)
{
	return e->tx_ready && !e->fin && e->conn != NULL && e->tx_done < e->tx_total &&
	       (e->ending != END_AFTER_PEER || e->rx_eof) && e->sent_count < PIECES;
}

/* One send; false: not now. */
static bool send_step(struct end *e)
{
	bool zero_copy = false;
	int64_t n;

	if (!may_send(e) || e->tx_at_ns > now(e))
		return false;
	if (e->chunk == NULL && !chunk_make(e)) {
		e->tx_at_ns = now(e) + WORLD_MS;
		return false;
	}
	n = stack_send(e->sock, e->chunk, e->chunk_data, e->chunk_left, &zero_copy, now(e));
	if (n == -EAGAIN) {
		e->tx_ready = false;
		return false;
	}
	if (n < 0) {
		end_failed(e, (int)n);
		return false;
	}
	if (n == 0 || n > e->chunk_left)
		end_fault(e, "a send of %u bytes accepted %" PRId64, e->chunk_left, n);
	chunk_advance(e, (uint32_t)n, zero_copy);
	if (stack_accepted(e->sock) != e->tx_done)
		end_fault(e, "stack_accepted() is not what was accepted");
	progress(e);
	return true;
}

/* Bytes of the stream at rx_done, which may begin with the header. */
static void check_bytes(struct end *e, const uint8_t *p, uint32_t len)
{
	uint64_t at = e->rx_done;
	int64_t bad;

	e->programs->counts.bytes += len;
	while (e->server && !e->simultaneous && at < sizeof(e->header) && len > 0) {
		e->header[at++] = *p++;
		len--;
		if (at == sizeof(e->header))
			end_attach(e);
	}
	if (e->simultaneous && e->server && at < sizeof(e->header)) {
		uint32_t n = (uint32_t)(sizeof(e->header) - at);

		n = n < len ? n : len;
		p += n;
		len -= n;
		at += n;
	}
	bad = pattern_check(p, e->rx_key, at, len);
	if (bad >= 0)
		end_fault(e, "received byte %" PRIu64 " is wrong", at + (uint64_t)bad);
}

static void hoard_drop_first(struct end *e)
{
	struct piece *h = &e->hoard[e->hoard_first++ % HOARD];

	e->hoard_count--;
	if (h->offset >= sizeof(e->header) &&
	    pattern_check(h->data, e->rx_key, h->offset, h->len) >= 0)
		end_fault(e, "a received buffer changed in the program's hands");
	buf_unref(h->buf);
}

static void hoard_keep(struct end *e, const struct stack_received *r)
{
	struct piece *h;

	if (e->hoard_max == 0) {
		buf_unref(r->buf);
		return;
	}
	while (e->hoard_count >= e->hoard_max)
		hoard_drop_first(e);
	h = &e->hoard[(e->hoard_first + e->hoard_count++) % HOARD];
	*h = (struct piece){r->buf, r->data, r->len, e->rx_done, 0};
}

static void got_eof(struct end *e)
{
	uint64_t all;

	e->rx_eof = true;
	progress(e);
	if (e->conn == NULL)
		end_fault(e, "a client's stream ended before its header");
	all = e->conn->fin_at[!e->server];
	if (all != e->rx_done)
		end_fault(e, "the stream ended at byte %" PRIu64 ", not %" PRIu64, e->rx_done, all);
}

/* Looking must show what taking then gives. */
static void check_peek(struct end *e)
{
	uint8_t bytes[64];
	int64_t n = stack_peek(e->sock, bytes, sizeof(bytes));

	if (n < 0 || (e->server && e->rx_done < sizeof(e->header)))
		return;
	if (pattern_check(bytes, e->rx_key, e->rx_done, (uint32_t)n) >= 0)
		end_fault(e, "stack_peek() shows wrong bytes");
}

/* One receive; false: not now. */
static bool recv_step(struct end *e)
{
	struct stack_received r;
	uint32_t max;
	int n;

	if (!e->rx_ready || e->rx_eof || e->rx_at_ns > now(e))
		return false;
	if (chance(rng(e), 1))
		check_peek(e);
	max = (uint32_t)rng_size(rng(e), 1, e->rx_max);
	n = stack_recv(e->sock, max, &r, now(e));
	if (n == -EAGAIN) {
		e->rx_ready = false;
		return false;
	}
	if (n < 0) {
		end_failed(e, n);
		return false;
	}
	if (n == 0) {
		got_eof(e);
		return true;
	}
	if (r.len == 0 || r.len > max)
		end_fault(e, "a receive of at most %u bytes gave %u", max, r.len);
	check_bytes(e, r.data, r.len);
	hoard_keep(e, &r);
	e->rx_done += r.len;
	e->rx_at_ns = now(e) + pause_of(e, e->rx_pause_ns);
	progress(e);
	return true;
}

static bool may_be_abrupt(const struct end *e)
{
	/* A server that has not read the header could not say whose end it was. */
	return (e->ending == END_LINGER_0 || e->ending == END_ABORT) && e->conn != NULL;
}

static bool abrupt_now(const struct end *e)
{
	return may_be_abrupt(e) &&
	       (e->tx_done + e->rx_done >= e->abrupt_at || now(e) >= e->abrupt_ns);
}

static void end_abruptly(struct end *e)
{
	const struct linger at_once = {1, 0};

	e->conn->unclean = true;
	if (e->ending == END_ABORT) {
		stack_abort(e->sock, now(e));
	} else {
		if (stack_setsockopt(e->sock, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once)) < 0)
			end_fault(e, "SO_LINGER is refused");
		stack_close(e->sock, now(e));
	}
	end_finish(e);
}

static void end_close(struct end *e)
{
	if (!e->fin)
		e->conn->fin_at[e->server] = e->tx_done;
	stack_close(e->sock, now(e));
	if (e->rx_eof)
		e->programs->counts.clean++;
	end_finish(e);
}

static void say_fin(struct end *e)
{
	int r = stack_shutdown(e->sock, SHUT_WR, now(e));

	e->conn->fin_at[e->server] = e->tx_done;
	e->fin = true;
	if (r < 0)
		end_failed(e, r);
}

/* Ends the connection when it is time; may free e. */
static void end_conclude(struct end *e)
{
	if (abrupt_now(e)) {
		end_abruptly(e);
		return;
	}
	if (e->tx_done < e->tx_total || e->conn == NULL)
		return;
	if (e->ending == END_EARLY) {
		e->conn->unclean |= !e->rx_eof;
		end_close(e);
	} else if (e->ending == END_AFTER_PEER) {
		if (e->rx_eof)
			end_close(e);
	} else if (!e->fin) {
		say_fin(e);
	} else if (e->rx_eof && (e->fin_acked || !e->wait_fin_acked)) {
		end_close(e);
	}
}

void end_run(struct end *e)
{
	int i;

	if (!e->connected) {
		if (abrupt_now(e))
			end_abruptly(e);
		return;
	}
	for (i = 0; i < STEPS && e->sock != NULL && recv_step(e); i++)
		;
	if (i == STEPS)
		e->rx_at_ns = now(e) + REST_NS;
	for (i = 0; i < STEPS && e->sock != NULL && send_step(e); i++)
		;
	if (i == STEPS)
		e->tx_at_ns = now(e) + REST_NS;
	if (e->sock != NULL)
		end_conclude(e);
	if (e->sock != NULL)
		world_touch(e->host);
}

void end_event(struct end *e, uint32_t bits)
{
	if (bits & STACK_EV_FAILED) {
		end_failed(e, stack_error(e->sock));
		return;
	}
	if (bits & STACK_EV_CONNECTED) {
		if (e->connected)
			end_fault(e, "connected twice");
		e->connected = true;
		progress(e);
	}
	sent_reap(e);
	if (bits & STACK_EV_READ)
		e->rx_ready = true;
	if (bits & STACK_EV_WRITE)
		e->tx_ready = true;
	if (bits & STACK_EV_CLOSED) {
		if (!e->fin || e->tx_acked != e->tx_done)
			end_fault(e, "a FIN is acknowledged that was not sent, or before the data");
		e->fin_acked = true;
	}
	end_run(e);
}

void end_release(struct end *e)
{
	chunk_drop(e);
	while (e->sent_count > 0)
		sent_drop_first(e);
	while (e->hoard_count > 0)
		hoard_drop_first(e);
}

uint64_t end_wake_ns(const struct end *e)
{
	uint64_t wake = UINT64_MAX;

	if (may_be_abrupt(e))
		wake = e->abrupt_ns;
	if (!e->connected)
		return wake;
	if (e->rx_ready && !e->rx_eof && e->rx_at_ns < wake)
		wake = e->rx_at_ns;
	if (may_send(e) && e->tx_at_ns < wake)
		wake = e->tx_at_ns;
	return wake;
}
