/* udp_fast.h - the short way, in and out, of small datagrams: requests and replies. In: a datagram
 * that is whole, intact and finds room in its socket's queue. Out: one that goes where the socket's
 * last one went, in one frame whatever is known of the path, and copied.
 *
 * It does for them what udp_recv.c, udp_send.c and ip_send.c would do; whatever is in any way
 * special is left to those, untouched. The receiving half is in line in stack_input(), the other
 * one in udp_sendto() and stack_output().
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef INET_UDP_FAST_H
#define INET_UDP_FAST_H

#include "base/checksum_small.h"
#include "base/usually.h"
#include "inet/ip4.h"
#include "inet/output.h"
#include "inet/udp.h"
#include "inet/udp_sock.h"
#include "mem/pool.h"

/* The socket of a datagram at l4 in the packet at h: most often that of the one before. */
static inline struct udp_sock *udp_fast_find(struct stack *s, const uint8_t *h, const uint8_t *l4)
{
	struct udp_table *t = s->udp;

	if (usually(t->last != NULL && get_raw32(h + IP4_SRC) == t->last_src_wire &&
		    get_raw32(l4) == t->last_ports_wire))
		return t->last;
	return udp_find_plain(s, get_raw32(h + IP4_SRC), get_raw32(l4));
}

/* A checksum of 0 says that the sender made none (RFC 768). */
static inline bool udp_fast_is_intact(const struct buf *b, const uint8_t *h, const uint8_t *l4,
				      uint32_t l4_len)
{
	uint64_t pseudo = (uint64_t)get_raw32(h + IP4_SRC) + get_raw32(h + IP4_DST) +
			  csum_word(IPPROTO_UDP) + csum_word((uint16_t)l4_len);

	return (b->flags & BUF_CSUM_OK) || get_be16(l4 + UDP_CHECKSUM) == 0 ||
	       csum_is_zero(csum_partial_small(l4, l4_len, pseudo));
}

/* Does k keep b as it is? */
static inline bool udp_fast_takes(const struct udp_sock *k, const struct buf *b)
{
	return usually(!k->shut_read && !udp_is_full(k, b) && !udp_is_starving(k->sock.stack, b) &&
		       buf_sole(b));
}

/* The short way of a datagram in a whole IPv4 packet for us, whose plain header, checked, is at h
 * inside b. True: it was taken, with b. False: nothing was done, udp_input() is to have it. */
static inline bool udp_fast_input(struct stack *s, struct buf *b, uint8_t *h)
{
	uint8_t *l4 = h + IP4_HEADER_BYTES;
	uint32_t l4_len = (uint32_t)get_be16(h + IP4_TOTAL_LENGTH) - IP4_HEADER_BYTES;
	struct udp_sock *k;
	struct ip_addr src;
	bool usual;

	if (l4_len < UDP_HEADER_BYTES || get_be16(l4 + UDP_LENGTH) != l4_len)
		return false;
	k = udp_fast_find(s, h, l4);
	usual = k != NULL && udp_fast_takes(k, b) && udp_fast_is_intact(b, h, l4, l4_len);
	if (rarely(!usual))
		return false;
	s->stats.rx_udp++;
	src = ip4_from_wire(get_raw32(h + IP4_SRC));
	b->data = l4 + UDP_HEADER_BYTES;
	b->len = l4_len - UDP_HEADER_BYTES;
	udp_keep(k, b, &src, get_be16(l4));
	return true;
}

static inline bool udp_fast_may_send(const struct udp_sock *k, uint32_t len,
				     const struct endpoint *to)
{
	const struct stack *s = k->sock.stack;

	return usually(k->sock.error == 0 &&                /* nothing is to be told first */
		       k->sock.local.port != 0 &&           /* bound */
		       !k->shut_write &&                    /* open to this side */
		       ip_eq(&to->ip, &k->path_dst) &&      /* where the last one went */
		       to->port != 0 &&                     /* connected, or `to` was given */
		       ip_path_valid(&k->path) &&           /* the way there is the same */
		       len - 1 < s->udp->small_max_bytes && /* one frame, copied, not empty */
		       k->packets < UDP_SEND_DATAGRAMS &&   /* its share of the output queue */
		       output_room(s, false) > 0 && s->pool->free != NULL);
}

/* Copies len bytes behind the header at l4, and fills that's checksum or prepares it for the
 * device. `sum` is that of the header and the pseudo-header, `pseudo` of the latter alone. */
static inline void udp_fast_fill(uint8_t *l4, const uint8_t *data, uint32_t len, uint64_t sum,
				 uint64_t pseudo, bool by_device)
{
	uint16_t csum;

	if (rarely(by_device)) {
		memcpy(l4 + UDP_HEADER_BYTES, data, len);
		csum = (uint16_t)~csum_fold(csum_fold64(pseudo));
	} else {
		csum = csum_fold(csum_copy_small(l4 + UDP_HEADER_BYTES, data, len,
						 csum_fold64(csum_add64(sum, pseudo))));
		csum = csum == 0 ? 0xffff : csum; /* 0 would say that there is none (RFC 768) */
	}
	memcpy(l4 + UDP_CHECKSUM, &csum, sizeof(csum));
}

/* What udp_fast_may_send() has allowed: queues a frame for stack_output(). */
static inline void udp_fast_send(struct udp_sock *k, const uint8_t *data, uint32_t len,
				 uint16_t port)
{
	struct stack *s = k->sock.stack;
	struct out_packet *p = output_take_slot(s, false);
	struct buf *b = pool_take(s->pool);
	uint32_t bytes = len + UDP_HEADER_BYTES;
	uint64_t pseudo = (uint64_t)k->path.pseudo_sum + csum_word((uint16_t)bytes);
	uint8_t *l4 = b->data;

	udp_fast_fill(l4, data, len, udp_write_header(l4, k->sock.local.port, port, bytes), pseudo,
		      s->cfg.offloads & OFFLOAD_L4_CSUM);
	b->data = ip_path_write(s, &k->path, l4, 0, bytes);
	b->len = k->path.header_bytes + bytes;
	p->head = b;
	p->payload = NULL;
	p->len = 0;
	p->answer = false;
	p->l3_offset = k->path.l3_offset;
	p->l4_offset = k->path.header_bytes;
	p->offload = s->cfg.offloads & OFFLOAD_L4_CSUM;
	p->owner = &k->sock;
	k->packets++;
	output_queue(s, p);
	s->stats.tx_copied_bytes += len;
}

/* One of k's packets has become a frame. Nobody waits for that nearly always. */
static inline void udp_fast_gone(struct udp_sock *k)
{
	if (rarely(k->closing || !list_empty(&k->sock.stack->udp->blocked)))
		udp_packet_gone(&k->sock);
	else
		k->packets--;
}

/* Fills up to n frames with the datagrams that wait, if they are all that waits; says how many. */
static inline int udp_fast_output(struct stack *s, struct frame frames[], int n)
{
	struct output_queue *q = s->output;
	int k = 0;

	if (rarely(q->answers.first != NULL))
		return 0;
	while (usually(k < n) && q->datagrams.first != NULL) {
		struct out_packet *p = q->datagrams.first;

		if (rarely(p->owner == NULL))
			break;
		output_fifo_take(&q->datagrams);
		output_describe(&frames[k++], p);
		s->queued--;
		output_free_slot(s, p);
		udp_fast_gone(udp_of(p->owner));
	}
	return k;
}

#endif
