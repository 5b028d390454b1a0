/* tcp_ahead.c - see tcp_ahead.h. Each loop follows the chain by one link.
 *
 * SPDX-License-Identifier: MIT
 */
#include "inet/tcp_ahead.h"
#include "inet/eth.h"
#include "inet/ip4.h"
#include "inet/tcp_sendq.h"

enum {
	CACHE_LINE = 64,
	/* Of a control block, what a segment on the short way touches. */
	NEAR_BYTES = offsetof(struct tcp_cb, received_bytes),
	PEER_AT = ETH_HEADER_BYTES + IP4_SRC,
	PORTS_AT = ETH_HEADER_BYTES + IP4_HEADER_BYTES,
	PORTS_END = PORTS_AT + 4,
};

static void fetch(const void *from, size_t bytes)
{
	for (size_t at = 0; at < bytes; at += CACHE_LINE)
		__builtin_prefetch((const uint8_t *)from + at);
}

static bool is_segment(const struct buf *b)
{
	return b->len >= PORTS_END && (get_raw32(b->data + 12) & 0x00ffffff) == 0x00450008 &&
	       b->data[ETH_HEADER_BYTES + IP4_PROTOCOL] == IPPROTO_TCP;
}

/* Is it a segment of cb, which may be NULL? */
static bool belongs(const struct tcp_cb *cb, const struct buf *b)
{
	return cb != NULL && cb->wire_peer == get_raw32(b->data + PEER_AT) &&
	       cb->wire_ports == get_raw32(b->data + PORTS_AT);
}

static struct tcp_cb **slot_of(const struct tcp_table *t, const struct buf *b)
{
	struct ip_addr peer = ip4_from_wire(get_raw32(b->data + PEER_AT));
	const uint8_t *ports = b->data + PORTS_AT;

	return &t->slots[tcp_table_hash(t, &peer, get_be16(ports), get_be16(ports + 2)) &
			 t->slot_mask];
}

/* The connections that were heard of lately. */
static void guess(struct tcp_table *t, struct buf *const bufs[], int n)
{
	for (int i = 0; i < n; i++) {
		const struct buf *b = bufs[i];

		t->ahead[i] = NULL;
		if (is_segment(b))
			t->ahead[i] = *tcp_table_recent(t, get_raw32(b->data + PEER_AT),
							get_raw32(b->data + PORTS_AT));
		if (t->ahead[i] != NULL && (i == 0 || t->ahead[i] != t->ahead[i - 1]))
			fetch(t->ahead[i], NEAR_BYTES);
	}
}

/* Those that were not. */
static void look_up(struct tcp_table *t, struct buf *const bufs[], int n)
{
	struct tcp_cb **slots[TCP_AHEAD_FRAMES];

	for (int i = 0; i < n; i++) {
		slots[i] = NULL;
		if (!belongs(t->ahead[i], bufs[i]) && is_segment(bufs[i]))
			slots[i] = slot_of(t, bufs[i]);
		__builtin_prefetch(slots[i]);
	}
	for (int i = 0; i < n; i++) {
		if (slots[i] == NULL)
			continue;
		t->ahead[i] = *slots[i];
		if (t->ahead[i] != NULL)
			fetch(t->ahead[i], NEAR_BYTES);
	}
}

void tcp_ahead_look(struct tcp_table *t, struct buf *const bufs[], int n)
{
	const struct tcp_cb *before = NULL;

	guess(t, bufs, n);
	look_up(t, bufs, n);
	for (int i = 0; i < n; before = t->ahead[i++]) {
		if (t->ahead[i] == before || t->ahead[i] == NULL)
			continue;
		__builtin_prefetch(t->ahead[i]->send_head);
		if (t->ahead[i]->sock.user != NULL)
			fetch(t->ahead[i]->sock.user, 2 * CACHE_LINE);
	}
	before = NULL;
	for (int i = 0; i < n; before = t->ahead[i++]) {
		const struct tcp_chunk *c = t->ahead[i] ? t->ahead[i]->send_head : NULL;

		if (t->ahead[i] != before && c != NULL) {
			__builtin_prefetch(c->buf, 1);
			fetch(c->data - CACHE_LINE, 2 * CACHE_LINE);
		}
	}
}
