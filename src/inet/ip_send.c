/* ip_send.c - single packets on their way out, in one piece or cut into fragments (RFC 791 3.2).
 *
 * SPDX-License-Identifier: MIT
 */
#include "base/siphash.h"
#include "inet/eth.h"
#include "inet/ip4.h"
#include "inet/output.h"
#include "inet/path.h"
#include "mem/pool.h"
#include <assert.h>
#include <errno.h>

/* Where one packet or fragment takes its bytes from. */
struct piece {
	struct buf *head;    /* taken; some of the bytes may be in it */
	const uint8_t *data; /* the others */
	uint32_t len;
};

static int lost(uint64_t *counter, struct buf *head, int err)
{
	++*counter;
	buf_unref(head);
	return err;
}

/* Makes p of a piece, but for its headers. */
static void fill(struct stack *s, struct out_packet *p, const struct ip_send *m,
		 const struct piece *piece)
{
	p->head = piece->head;
	if (piece->len == 0)
		return;
	if (m->payload != NULL) {
		p->payload = buf_ref(m->payload);
		p->data = (uint8_t *)(uintptr_t)piece->data;
		p->len = piece->len;
		return;
	}
	assert(buf_tailroom(p->head) >= piece->len);
	memcpy(p->head->data + p->head->len, piece->data, piece->len);
	p->head->len += piece->len;
	s->stats.tx_copied_bytes += piece->len;
}

static void write_headers(struct stack *s, struct out_packet *p, const struct ip_send *m)
{
	struct buf *b = p->head;

	assert(buf_headroom(b) >= IP_HEADERS_ROOM);
	b->data = ip_path_write(s, m->path, b->data, m->ecn, b->len + p->len);
	b->len += m->path->header_bytes;
	p->l3_offset = m->path->l3_offset;
	p->l4_offset = m->path->header_bytes;
	p->offload = m->offload;
}

/* Sends p, or has it wait; wait: the neighbour has no MAC yet. */
static void go(struct stack *s, struct out_packet *p, const struct ip_send *m, bool wait)
{
	if (wait)
		neighbour_wait(s, m->path->neighbour, p);
	else
		output_queue(s, p);
}

/* An ID that no other datagram with these addresses and protocol has for long. */
static uint16_t next_id(struct stack *s, const struct ip_addr *dst, uint8_t protocol)
{
	uint64_t h = siphash13_3(s->hash_key, dst->words[0], dst->words[1], protocol);

	return (uint16_t)(s->ip_ids[h % IP_ID_COUNTERS]++ + (h >> 48));
}

/* Turns the header of a whole packet into that of a fragment, or of what may become some. */
static void make_fragment(uint8_t *h, uint16_t id, uint32_t offset, bool more)
{
	put_be16(h + IP4_ID, id);
	put_be16(h + IP4_FRAGMENT, (uint16_t)(offset / FRAGMENT_UNIT_BYTES | (more ? IP4_MF : 0)));
	put_be16(h + IP4_CHECKSUM, 0);
	csum_store(h + IP4_CHECKSUM, csum_header20(h, 0));
}

void ip_let_cut(struct stack *s, uint8_t *l3)
{
	struct ip_addr dst = ip4(get_be32(l3 + IP4_DST));

	if (ip_path_is_narrow(s, &dst))
		make_fragment(l3, next_id(s, &dst, l3[IP4_PROTOCOL]), 0, false);
}

/* Bytes of a fragment but the last. */
static uint32_t fragment_limit(uint32_t mtu)
{
	return (mtu - IP4_HEADER_BYTES) / FRAGMENT_UNIT_BYTES * FRAGMENT_UNIT_BYTES;
}

/* Chains n buffers, the first of them `head`. False: there are not so many, and head is all. */
static bool chain_buffers(struct stack *s, struct buf *head, uint32_t n)
{
	struct buf *b;

	head->next = NULL;
	while (--n > 0) {
		b = pool_get(s->pool);
		if (b == NULL)
			break;
		b->next = head->next;
		head->next = b;
	}
	if (n == 0)
		return true;
	while ((b = head->next) != NULL) {
		head->next = b->next;
		buf_unref(b);
	}
	return false;
}

/* All or nothing: there is room for every fragment before the first is made. */
static int send_fragments(struct stack *s, const struct ip_send *m, uint32_t mtu, bool wait)
{
	uint32_t total = m->head->len + m->len, offset = 0;
	uint32_t most = fragment_limit(mtu), n = (total + most - 1) / most;
	struct piece piece = {m->head, m->data, most - m->head->len};
	uint16_t id = next_id(s, &m->dst, m->protocol);

	assert(m->head->len <= most && m->offload == 0);
	if (output_room(s, m->answer) < n)
		return lost(&s->stats.lost_output_queue, m->head, -EAGAIN);
	if (!chain_buffers(s, m->head, n))
		return lost(&s->stats.lost_no_buffer, m->head, -ENOMEM);
	while (offset < total) {
		struct out_packet *p = output_new(s, m->answer, m->owner);
		struct buf *next = piece.head->next;
		uint32_t bytes = piece.head->len + piece.len;

		piece.head->next = NULL;
		fill(s, p, m, &piece);
		write_headers(s, p, m);
		make_fragment(p->head->data + p->l3_offset, id, offset, offset + bytes < total);
		s->stats.tx_fragments++;
		go(s, p, m, wait);
		offset += bytes;
		piece.head = next;
		piece.data += piece.len;
		piece.len = total - offset < most ? total - offset : most;
	}
	return 0;
}

/* A head that is larger than a fragment has its bytes copied. Only answers are so, on links of the
 * smallest MTUs, and they are all head. */
static int send_cut_head(struct stack *s, const struct ip_send *m, uint32_t mtu, bool wait)
{
	struct ip_send cut = *m;
	int err;

	assert(m->len == 0);
	cut.head = pool_get(s->pool);
	if (cut.head == NULL)
		return lost(&s->stats.lost_no_buffer, m->head, -ENOMEM);
	cut.head->len = FRAGMENT_UNIT_BYTES;
	memcpy(cut.head->data, m->head->data, FRAGMENT_UNIT_BYTES);
	cut.data = m->head->data + FRAGMENT_UNIT_BYTES;
	cut.len = m->head->len - FRAGMENT_UNIT_BYTES;
	err = send_fragments(s, &cut, mtu, wait);
	buf_unref(m->head);
	return err;
}

static int send_whole(struct stack *s, const struct ip_send *m, bool wait)
{
	struct out_packet *p = output_new(s, m->answer, m->owner);
	struct piece piece = {m->head, m->data, m->len};

	if (p == NULL)
		return lost(&s->stats.lost_output_queue, m->head, -EAGAIN);
	fill(s, p, m, &piece);
	write_headers(s, p, m);
	go(s, p, m, wait);
	return 0;
}

/* The largest packet of m, in bytes: what its path takes, and, copied, what a buffer takes. */
static uint32_t packet_limit(struct stack *s, const struct ip_send *m)
{
	uint32_t mtu = ip_path_mtu(s, &m->dst);

	if (m->payload == NULL && m->len > 0 && mtu > s->copy_room_bytes)
		return s->copy_room_bytes;
	return mtu;
}

/* ip_send() of a message that has a path. */
static int send_on_path(struct stack *s, const struct ip_send *m)
{
	uint32_t total = m->head->len + m->len + IP4_HEADER_BYTES, limit;
	int err = 0;

	assert(total <= IP4_MAX_BYTES);
	if (!ip_path_valid(m->path))
		err = path_find(s, m->path, &m->src, &m->dst, m->answer);
	if (err != 0 && err != -EAGAIN)
		return lost(&s->stats.lost_no_route, m->head, err);
	limit = packet_limit(s, m);
	if (total <= limit)
		return send_whole(s, m, err == -EAGAIN);
	if (m->head->len > fragment_limit(limit))
		return send_cut_head(s, m, limit, err == -EAGAIN);
	return send_fragments(s, m, limit, err == -EAGAIN);
}

int ip_send(struct stack *s, const struct ip_send *m)
{
	struct ip_send once;
	struct ip_path path;

	if (m->path != NULL)
		return send_on_path(s, m);
	ip_path_init(&path, m->protocol);
	once = *m;
	once.path = &path;
	return send_on_path(s, &once);
}
