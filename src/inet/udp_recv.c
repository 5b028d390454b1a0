/* udp_recv.c - datagrams on their way in: checked, queued, handed out without a copy.
 *
 * A queued datagram's sender is written over the headers in front of its payload, which nobody
 * needs any more: no memory but the frame's own is held.
 *
 * SPDX-License-Identifier: MIT
 */
#include "base/checksum.h"
#include "inet/limits.h"
#include "inet/udp.h"
#include "inet/udp_sock.h"
#include "mem/pool.h"
#include <errno.h>

/* NULL: whole and intact; else the counter. Afterwards l4_len is the datagram's own length. */
static uint64_t *check(struct stack *s, struct packet *pkt)
{
	uint32_t bytes;
	uint16_t csum;

	if (pkt->l4_len < UDP_HEADER_BYTES)
		return &s->stats.drop_udp_malformed;
	bytes = get_be16(pkt->l4 + UDP_LENGTH);
	if (bytes < UDP_HEADER_BYTES || bytes > pkt->l4_len)
		return &s->stats.drop_udp_malformed;
	pkt->l4_len = bytes;
	memcpy(&csum, pkt->l4 + UDP_CHECKSUM, sizeof(csum));
	if (csum == 0 || pkt->csum_ok) /* 0: the sender made none (RFC 768) */
		return NULL;
	if (csum_fold(csum_partial(pkt->l4, bytes,
				   ip_pseudo_sum(&pkt->src, &pkt->dst, IPPROTO_UDP, bytes))) != 0)
		return &s->stats.drop_udp_checksum;
	return NULL;
}

/* A buffer of our own with the payload at data: the frame's, or a copy when others read that too.
 */
static struct buf *payload_of(struct stack *s, struct packet *pkt)
{
	uint32_t bytes = pkt->l4_len - UDP_HEADER_BYTES;
	struct buf *b = pkt->buf;

	if (buf_sole(b)) {
		b->data = pkt->l4 + UDP_HEADER_BYTES;
		b->len = bytes;
		return b;
	}
	b = bytes <= s->copy_room_bytes ? pool_get(s->pool) : NULL;
	if (b == NULL)
		return NULL;
	memcpy(b->data, pkt->l4 + UDP_HEADER_BYTES, bytes);
	b->len = bytes;
	s->stats.rx_copied_bytes += bytes;
	buf_unref(pkt->buf);
	return b;
}

void udp_input(struct stack *s, struct packet *pkt)
{
	uint64_t *drop = check(s, pkt);
	struct endpoint from, to;
	struct udp_sock *k;
	struct buf *b;

	if (drop != NULL) {
		stack_drop(pkt->buf, drop);
		return;
	}
	from = (struct endpoint){pkt->src, get_be16(pkt->l4)};
	to = (struct endpoint){pkt->dst, get_be16(pkt->l4 + 2)};
	k = to.port == 0 ? NULL : udp_find(s, &to, &from);
	if (k == NULL) {
		icmp_unreachable(s, pkt, ICMP_PORT);
		stack_drop(pkt->buf, &s->stats.drop_udp_no_socket);
		return;
	}
	if (k->shut_read || udp_is_full(k, pkt->buf)) {
		stack_drop(pkt->buf, &s->stats.drop_udp_queue_full);
		return;
	}
	b = udp_is_starving(s, pkt->buf) ? NULL : payload_of(s, pkt);
	if (b == NULL) {
		stack_drop(pkt->buf, &s->stats.drop_no_buffer);
		return;
	}
	s->stats.rx_udp++;
	udp_keep(k, b, &from.ip, from.port);
}

/* Takes the first datagram off the queue: its reference is the caller's. */
static struct buf *take_first(struct udp_sock *k)
{
	struct buf *b = k->first;

	k->first = b->next;
	if (k->first == NULL)
		k->last = NULL;
	k->held_bytes -= udp_memory_of(b);
	k->sock.stack->udp->held_bytes -= udp_memory_of(b);
	b->next = NULL;
	return b;
}

void udp_drop_queue(struct udp_sock *k)
{
	while (k->first != NULL)
		buf_unref(take_first(k));
}

static int take_error(struct sock *k)
{
	int err = k->error;

	k->error = 0;
	return err;
}

int udp_recv(struct sock *k, uint32_t max, struct stack_received *out)
{
	struct udp_sock *u = udp_of(k);
	struct buf *b = u->first;
	uint32_t left;

	if (max == 0)
		return -EINVAL;
	if (k->error != 0)
		return take_error(k);
	if (b == NULL)
		return u->shut_read ? 0 : -EAGAIN;
	left = b->len - b->mark;
	if (left > max && buf_crowded(b))
		return -ENOMEM;
	out->buf = b;
	out->data = b->data + b->mark;
	out->len = left < max ? left : max;
	memcpy(&out->from, b->data - sizeof(out->from), sizeof(out->from));
	if (left <= max) {
		take_first(u);
	} else {
		b->mark += max;
		buf_ref(b);
	}
	return 1;
}

int64_t udp_peek(const struct sock *k, uint8_t *dst, uint32_t max)
{
	const struct udp_sock *u = udp_of(k);
	const struct buf *b = u->first;
	uint32_t left;

	if (k->error != 0)
		return k->error;
	if (b == NULL)
		return u->shut_read ? 0 : -EAGAIN;
	left = b->len - b->mark;
	if (left > max)
		left = max;
	memcpy(dst, b->data + b->mark, left);
	return left;
}
