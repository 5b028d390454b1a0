/* udp_send.c - datagrams on their way out.
 *
 * SPDX-License-Identifier: MIT
 */
#include "base/checksum.h"
#include "inet/limits.h"
#include "inet/udp_fast.h"
#include "mem/pool.h"
#include <errno.h>

/* -EAGAIN, and an event when there is room. */
static int block(struct udp_sock *k)
{
	if (list_empty(&k->blocked))
		list_add_tail(&k->sock.stack->udp->blocked, &k->blocked);
	return -EAGAIN;
}

static int check(struct udp_sock *k, uint32_t len, const struct endpoint *peer)
{
	int err = k->sock.error;

	if (err != 0) {
		k->sock.error = 0;
		return err;
	}
	if (k->shut_write)
		return -EPIPE;
	if (peer->port == 0)
		return -EDESTADDRREQ;
	if (len > UDP_MAX_PAYLOAD_BYTES)
		return -EMSGSIZE;
	if (k->packets >= UDP_SEND_DATAGRAMS)
		return block(k);
	return k->sock.local.port == 0 ? udp_take_port(k, 0, false) : 0;
}

/* A sum of 0 is sent as all ones, as 0 says that there is none (RFC 768). */
static void write_checksum(uint8_t *h, uint32_t sum)
{
	uint16_t csum = csum_fold(sum);

	if (csum == 0)
		csum = 0xffff;
	memcpy(h + UDP_CHECKSUM, &csum, sizeof(csum));
}

/* Puts the checksum into m's header, whose sum is `sum`, or asks the device for it, and copies the
 * payload where that is done here. A datagram that will be cut is summed here, as the device sees
 * pieces only. */
static void finish(struct stack *s, struct ip_send *m, uint32_t sum, bool whole)
{
	struct buf *head = m->head;
	uint32_t len = m->len;
	uint8_t *h = head->data;
	uint32_t pseudo = ip_pseudo_sum(&m->src, &m->dst, IPPROTO_UDP, len + UDP_HEADER_BYTES);
	bool copy = whole && m->payload == NULL && len <= buf_tailroom(head);

	if (whole)
		ip_path_tried(s, &m->dst, len + UDP_HEADER_BYTES + ip_header_bytes(&m->dst));
	if (copy) {
		m->len = 0;
		head->len += len;
		s->stats.tx_copied_bytes += len;
	}
	if (whole && (s->cfg.offloads & OFFLOAD_L4_CSUM)) {
		uint16_t folded = (uint16_t)~csum_fold(pseudo);

		m->offload = OFFLOAD_L4_CSUM;
		memcpy(h + UDP_CHECKSUM, &folded, sizeof(folded));
		if (copy)
			memcpy(h + UDP_HEADER_BYTES, m->data, len);
		return;
	}
	sum = csum_add(sum, pseudo);
	write_checksum(h, copy ? csum_copy(h + UDP_HEADER_BYTES, m->data, len, sum)
			       : csum_partial(m->data, len, sum));
}

/* The path of k's last destination, when it is this one too. */
static struct ip_path *path_to(struct udp_sock *k, const struct ip_addr *dst)
{
	if (!ip_eq(&k->path_dst, dst)) {
		ip_path_release(&k->path);
		k->path_dst = *dst;
	}
	return &k->path;
}

/* Any datagram: in pieces, by reference, to somebody new. Not in line: it would be in the way of
 * the others. */
static __attribute__((noinline)) int send_any(struct udp_sock *u, struct buf *b,
					      const uint8_t *data, uint32_t len,
					      const struct endpoint *to)
{
	struct sock *k = &u->sock;
	struct stack *s = k->stack;
	uint32_t bytes = len + UDP_HEADER_BYTES, sum;
	struct ip_send m;
	int err = check(u, len, to);

	if (err != 0)
		return err;
	m = (struct ip_send){
	    .src = s->cfg.addr,
	    .dst = to->ip,
	    .path = path_to(u, &to->ip),
	    .protocol = IPPROTO_UDP,
	    .owner = k,
	    .head = pool_get(s->pool),
	    .len = len,
	};
	if (m.head == NULL) {
		s->stats.lost_no_buffer++;
		return -ENOMEM;
	}
	m.data = len > 0 ? data : m.head->data;
	if (b != NULL && s->cfg.max_frags > 0 &&
	    (len >= s->cfg.zero_copy_bytes || bytes > s->copy_room_bytes))
		m.payload = b;
	sum = csum_fold64(udp_write_header(m.head->data, k->local.port, to->port, bytes));
	m.head->len = UDP_HEADER_BYTES;
	finish(s, &m, sum, bytes + ip_header_bytes(&m.dst) <= ip_path_mtu(s, &m.dst));
	err = ip_send(s, &m);
	return err == -EAGAIN ? block(u) : err;
}

int udp_sendto(struct sock *k, struct buf *b, const uint8_t *data, uint32_t len,
	       const struct endpoint *peer)
{
	const struct endpoint *to = peer ? peer : &k->peer;
	struct udp_sock *u = udp_of(k);

	if (!udp_fast_may_send(u, len, to))
		return send_any(u, b, data, len, to);
	udp_fast_send(u, data, len, to->port);
	return 0;
}
