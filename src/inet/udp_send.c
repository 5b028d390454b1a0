/* udp_send.c - datagrams on their way out.
 *
 * SPDX-License-Identifier: MIT
 */
#include "base/checksum.h"
#include "inet/limits.h"
#include "inet/udp.h"
#include "inet/udp_sock.h"
#include "mem/pool.h"
#include <errno.h>

enum { UDP_HEADER_BYTES = 8, UDP_CHECKSUM = 6 };

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

/* The header, but for its checksum. */
static void write_header(uint8_t *h, uint16_t src, uint16_t dst, uint32_t bytes)
{
	put_be16(h, src);
	put_be16(h + 2, dst);
	put_be16(h + 4, (uint16_t)bytes);
	put_be16(h + UDP_CHECKSUM, 0);
}

/* A sum of 0 is sent as all ones, as 0 says that there is none (RFC 768). */
static void write_checksum(uint8_t *h, uint32_t sum)
{
	uint16_t csum = csum_fold(sum);

	if (csum == 0)
		csum = 0xffff;
	memcpy(h + UDP_CHECKSUM, &csum, sizeof(csum));
}

/* Puts the checksum into m's header, or asks the device for it, and copies the payload where that
 * is done here. A datagram that will be cut is summed here, as the device sees pieces only. */
static void finish(struct stack *s, struct ip_send *m, uint32_t len, bool whole)
{
	struct buf *head = m->head;
	uint8_t *h = head->data;
	uint32_t sum = ip_pseudo_sum(&m->src, &m->dst, IPPROTO_UDP, len + UDP_HEADER_BYTES);
	bool offload = whole && (s->cfg.offloads & OFFLOAD_L4_CSUM);
	bool copy = whole && m->payload == NULL && len <= buf_tailroom(head);

	if (copy) {
		m->len = 0;
		head->len += len;
		s->stats.tx_copied_bytes += len;
	}
	if (offload) {
		uint16_t pseudo = (uint16_t)~csum_fold(sum);

		m->offload = OFFLOAD_L4_CSUM;
		memcpy(h + UDP_CHECKSUM, &pseudo, sizeof(pseudo));
		if (copy)
			memcpy(h + UDP_HEADER_BYTES, m->data, len);
		return;
	}
	sum = csum_partial(h, UDP_HEADER_BYTES, sum);
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

int udp_sendto(struct sock *k, struct buf *b, const uint8_t *data, uint32_t len,
	       const struct endpoint *peer)
{
	struct stack *s = k->stack;
	struct udp_sock *u = udp_of(k);
	const struct endpoint *to = peer ? peer : &k->peer;
	struct ip_send m;
	bool whole;
	int err = check(u, len, to);

	if (err != 0)
		return err;
	memset(&m, 0, sizeof(m));
	m.head = pool_get(s->pool);
	if (m.head == NULL) {
		s->stats.lost_no_buffer++;
		return -ENOMEM;
	}
	m.src = s->cfg.addr;
	m.dst = to->ip;
	m.path = path_to(u, &to->ip);
	m.protocol = IPPROTO_UDP;
	m.owner = k;
	m.data = len > 0 ? data : m.head->data;
	m.len = len;
	if (b != NULL && s->cfg.max_frags > 0 &&
	    (len >= s->cfg.zero_copy_bytes || len + UDP_HEADER_BYTES > s->copy_room_bytes))
		m.payload = b;
	whole = len + UDP_HEADER_BYTES + ip_header_bytes(&m.dst) <= ip_path_mtu(s, &m.dst);
	write_header(m.head->data, k->local.port, to->port, len + UDP_HEADER_BYTES);
	m.head->len = UDP_HEADER_BYTES;
	finish(s, &m, len, whole);
	err = ip_send(s, &m);
	return err == -EAGAIN ? block(u) : err;
}
