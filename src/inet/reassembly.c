/* reassembly.c - a slot for each datagram in the works, with a bit for each eight bytes that have
 * come.
 *
 * SPDX-License-Identifier: MIT
 */
#include "inet/reassembly.h"
#include "inet/icmp.h"
#include "inet/ip4.h"
#include "inet/limits.h"
#include "mem/pool.h"
#include <errno.h>
#include <stdlib.h>

enum {
	PAYLOAD_MAX_BYTES = IP4_MAX_BYTES - IP4_HEADER_BYTES,
	UNITS = (PAYLOAD_MAX_BYTES + FRAGMENT_UNIT_BYTES - 1) / FRAGMENT_UNIT_BYTES,
	UNIT_WORDS = (UNITS + 63) / 64,

	ROOM_BYTES = BUF_HEADROOM_BYTES + IP4_MAX_BYTES + 1,
};

struct datagram {
	struct list link; /* of `active` in order of age, or of `idle` */
	uint64_t deadline_ns;
	struct ip_addr src, dst;
	uint16_t id;
	uint8_t protocol;
	uint8_t ecn_seen; /* a bit for each code point that fragments had (RFC 3168 5.3) */
	bool broadcast;
	bool has_first;
	struct buf *buf;      /* IP header and payload; NULL: given up, what comes is dropped */
	uint32_t total_bytes; /* of payload; 0: the last fragment has not come */
	uint32_t end_bytes;   /* the highest end of a fragment so far */
	uint32_t have_bytes;
	uint64_t have[UNIT_WORDS]; /* a bit for each unit */
};

struct reassembly {
	struct pool *rooms;
	struct list active, idle;
	struct datagram datagrams[REASSEMBLY_DATAGRAMS];
	struct ip_addr holders[REASSEMBLY_ROOMS]; /* whose datagram each room has, or had */
};

/* A fragment, checked: payload bytes [offset, end). */
struct fragment {
	const uint8_t *bytes;
	uint32_t offset, end;
	uint16_t id;
	bool more;
};

int reassembly_create(struct stack *s)
{
	struct reassembly *r = calloc(1, sizeof(*r));

	if (r == NULL)
		return -ENOMEM;
	s->reassembly = r;
	list_init(&r->active);
	list_init(&r->idle);
	for (unsigned i = 0; i < REASSEMBLY_DATAGRAMS; i++)
		list_add_tail(&r->idle, &r->datagrams[i].link);
	return pool_create(&r->rooms, REASSEMBLY_ROOMS, ROOM_BYTES, BUF_HEADROOM_BYTES, NULL);
}

static void release_room(struct datagram *d)
{
	if (d->buf != NULL)
		buf_unref(d->buf);
	d->buf = NULL;
}

static void finish(struct reassembly *r, struct datagram *d)
{
	release_room(d);
	list_del(&d->link);
	list_add_tail(&r->idle, &d->link);
}

void reassembly_destroy(struct stack *s)
{
	struct reassembly *r = s->reassembly;

	if (r == NULL)
		return;
	for (unsigned i = 0; i < REASSEMBLY_DATAGRAMS; i++)
		release_room(&r->datagrams[i]);
	pool_destroy(r->rooms);
	free(r);
	s->reassembly = NULL;
}

static bool parse(struct fragment *f, const struct packet *pkt)
{
	uint16_t field = get_be16(pkt->l3 + IP4_FRAGMENT);

	f->bytes = pkt->l4;
	f->id = get_be16(pkt->l3 + IP4_ID);
	f->more = (field & IP4_MF) != 0;
	f->offset = (field & IP4_OFFSET_MASK) * (uint32_t)FRAGMENT_UNIT_BYTES;
	f->end = f->offset + pkt->l4_len;
	if (pkt->l4_len == 0 || f->end > PAYLOAD_MAX_BYTES)
		return false;
	return !f->more ||
	       (pkt->l4_len % FRAGMENT_UNIT_BYTES == 0 && pkt->l4_len >= FRAGMENT_MIN_BYTES);
}

static struct datagram *find(struct reassembly *r, const struct packet *pkt, uint16_t id)
{
	struct list *item;

	list_for_each (item, &r->active) {
		struct datagram *d = list_entry(item, struct datagram, link);

		if (d->id == id && d->protocol == pkt->protocol && ip_eq(&d->src, &pkt->src) &&
		    ip_eq(&d->dst, &pkt->dst))
			return d;
	}
	return NULL;
}

static void give_up(struct stack *s, struct datagram *d)
{
	s->stats.lost_reassembly += d->buf != NULL;
	finish(s->reassembly, d);
}

/* Which one gives way to a new datagram of src: the oldest, of this peer when it has its share;
 * NULL: a slot is idle. */
static struct datagram *who_gives_way(struct reassembly *r, const struct ip_addr *src)
{
	struct datagram *oldest = NULL;
	struct list *item;
	uint32_t count = 0;

	list_for_each (item, &r->active) {
		struct datagram *d = list_entry(item, struct datagram, link);

		if (!ip_eq(&d->src, src))
			continue;
		if (count++ == 0)
			oldest = d;
	}
	if (count >= REASSEMBLY_DATAGRAMS_PER_PEER)
		return oldest;
	return list_empty(&r->idle) ? list_entry(r->active.next, struct datagram, link) : NULL;
}

/* Will there be a room for a datagram of src, when `leaving` is gone? Not when datagrams of that
 * peer, in the works or with programs, have their share of them. */
static bool has_room(struct reassembly *r, const struct ip_addr *src,
		     const struct datagram *leaving)
{
	uint32_t held = 0, free;

	pool_collect(r->rooms); /* what programs have given back in other threads */
	free = r->rooms->free_count;
	for (uint32_t i = 0; i < REASSEMBLY_ROOMS; i++)
		held += *r->rooms->bufs[i].refs > 0 && ip_eq(&r->holders[i], src);
	if (leaving != NULL && leaving->buf != NULL) {
		free++;
		held -= ip_eq(&leaving->src, src);
	}
	return free > 0 && held < REASSEMBLY_ROOMS_PER_PEER;
}

/* NULL: no room, and nobody had to give way for that. */
static struct datagram *begin(struct stack *s, const struct packet *pkt, uint16_t id)
{
	struct reassembly *r = s->reassembly;
	struct datagram *leaving = who_gives_way(r, &pkt->src), *d;
	struct buf *room;

	if (!has_room(r, &pkt->src, leaving))
		return NULL;
	if (leaving != NULL)
		give_up(s, leaving);
	room = pool_get(r->rooms);
	r->holders[room - r->rooms->bufs] = pkt->src;
	d = list_entry(r->idle.next, struct datagram, link);
	list_del(&d->link);
	memset(d, 0, sizeof(*d));
	list_init(&d->link);
	list_add_tail(&r->active, &d->link);
	d->deadline_ns = s->now_ns + REASSEMBLY_TIMEOUT_S * UINT64_C(1000000000);
	if (d->deadline_ns < s->ip_deadline_ns)
		s->ip_deadline_ns = d->deadline_ns;
	d->src = pkt->src;
	d->dst = pkt->dst;
	d->id = id;
	d->protocol = pkt->protocol;
	d->buf = room;
	return d;
}

/* Of the units that f covers: how many there are already; sets them all. */
static uint32_t mark_units(struct datagram *d, const struct fragment *f, uint32_t *units)
{
	uint32_t first = f->offset / FRAGMENT_UNIT_BYTES;
	uint32_t last = (f->end - 1) / FRAGMENT_UNIT_BYTES, seen = 0;

	*units = last - first + 1;
	for (uint32_t w = first / 64; w <= last / 64; w++) {
		uint64_t mask = UINT64_MAX;

		if (w == first / 64)
			mask &= UINT64_MAX << first % 64;
		if (w == last / 64)
			mask &= UINT64_MAX >> (63 - last % 64);
		seen += (uint32_t)__builtin_popcountll(d->have[w] & mask);
		d->have[w] |= mask;
	}
	return seen;
}

static uint8_t *payload_of(const struct datagram *d)
{
	return d->buf->data + IP4_HEADER_BYTES;
}

/* Does f fit what is known about the datagram's end? */
static bool fits(const struct datagram *d, const struct fragment *f)
{
	if (!f->more)
		return d->total_bytes ? d->total_bytes == f->end : d->end_bytes <= f->end;
	return d->total_bytes == 0 || f->end < d->total_bytes;
}

/* The header of the first fragment is the datagram's, as whole and without its options. */
static void take_header(struct datagram *d, const struct packet *pkt)
{
	uint8_t *h = d->buf->data;

	d->has_first = true;
	memcpy(h, pkt->l3, IP4_HEADER_BYTES);
	h[0] = IP4_VERSION_IHL;
	put_be16(h + IP4_FRAGMENT, 0);
}

enum verdict { FRAGMENT_NEW, FRAGMENT_DUPLICATE, FRAGMENT_OVERLAP };

static enum verdict add(struct datagram *d, const struct fragment *f)
{
	uint32_t bytes = f->end - f->offset, units, seen;

	if (!fits(d, f))
		return FRAGMENT_OVERLAP;
	seen = mark_units(d, f, &units);
	if (seen != 0) {
		bool same = seen == units && (f->more || d->total_bytes != 0) &&
			    memcmp(payload_of(d) + f->offset, f->bytes, bytes) == 0;
		return same ? FRAGMENT_DUPLICATE : FRAGMENT_OVERLAP;
	}
	memcpy(payload_of(d) + f->offset, f->bytes, bytes);
	d->have_bytes += bytes;
	if (f->end > d->end_bytes)
		d->end_bytes = f->end;
	if (!f->more)
		d->total_bytes = f->end;
	return FRAGMENT_NEW;
}

static void set_total(struct datagram *d, uint32_t payload_bytes)
{
	uint8_t *h = d->buf->data;

	d->buf->len = IP4_HEADER_BYTES + payload_bytes;
	put_be16(h + IP4_TOTAL_LENGTH, (uint16_t)d->buf->len);
	put_be16(h + IP4_CHECKSUM, 0);
	csum_store(h + IP4_CHECKSUM, csum_header20(h, 0));
}

/* RFC 3168 5.3: the congestion that any fragment has met is the packet's. Not where another could
 * not say so: such a packet is dropped (loses_congestion()). */
enum { NOT_ECT, ECT_1, ECT_0, CE };

static uint8_t ecn_of(const struct datagram *d)
{
	if (d->ecn_seen & 1 << CE)
		return CE;
	if (d->ecn_seen & 1 << NOT_ECT)
		return NOT_ECT;
	return d->ecn_seen & 1 << ECT_0 ? ECT_0 : ECT_1;
}

static bool loses_congestion(const struct datagram *d)
{
	return (d->ecn_seen & 1 << NOT_ECT) && (d->ecn_seen & 1 << CE);
}

/* The packet that d has become, or as much of it as there is. Borrows d's room. */
static struct packet packet_of(struct datagram *d, uint32_t payload_bytes)
{
	set_total(d, payload_bytes);
	return (struct packet){
	    .buf = d->buf,
	    .src = d->src,
	    .dst = d->dst,
	    .l3 = d->buf->data,
	    .l4 = payload_of(d),
	    .l4_len = payload_bytes,
	    .protocol = d->protocol,
	    .ecn = ecn_of(d),
	    .broadcast = d->broadcast,
	};
}

/* What fits a buffer of the pool goes on in one: as long as a datagram waits for its program it
 * holds what it is in, and there are few rooms. Without a buffer it keeps its room. */
static void leave_room(struct stack *s, struct datagram *d)
{
	uint32_t bytes = IP4_HEADER_BYTES + d->total_bytes;
	struct buf *b = bytes <= s->copy_room_bytes ? pool_get(s->pool) : NULL;

	if (b == NULL)
		return;
	memcpy(b->data, d->buf->data, bytes);
	b->flags |= d->buf->flags & BUF_OVERHEARD;
	s->stats.rx_copied_bytes += bytes;
	release_room(d);
	d->buf = b;
}

static void complete(struct stack *s, struct datagram *d)
{
	struct packet pkt;

	if (loses_congestion(d)) {
		give_up(s, d);
		return;
	}
	leave_room(s, d);
	pkt = packet_of(d, d->total_bytes);
	s->stats.rx_reassembled++;
	d->buf = NULL; /* goes with pkt */
	finish(s->reassembly, d);
	ip_deliver(s, &pkt);
}

static uint64_t *take(struct stack *s, const struct packet *pkt, struct datagram **done)
{
	struct fragment f;
	struct datagram *d;

	if (!parse(&f, pkt))
		return &s->stats.drop_fragment_malformed;
	d = find(s->reassembly, pkt, f.id);
	if (d == NULL)
		d = begin(s, pkt, f.id);
	if (d == NULL)
		return &s->stats.drop_fragment_no_room;
	if (d->buf == NULL)
		return &s->stats.drop_fragment_overlap;
	switch (add(d, &f)) {
	case FRAGMENT_OVERLAP:
		/* The slot stays, so that the rest of the datagram does not begin a new one. */
		s->stats.lost_reassembly++;
		release_room(d);
		return &s->stats.drop_fragment_overlap;
	case FRAGMENT_DUPLICATE:
		return &s->stats.drop_fragment_duplicate;
	case FRAGMENT_NEW:
		break;
	}
	if (f.offset == 0)
		take_header(d, pkt);
	d->buf->flags |= pkt->buf->flags & BUF_OVERHEARD;
	d->ecn_seen |= (uint8_t)(1 << pkt->ecn);
	d->broadcast |= pkt->broadcast;
	s->stats.rx_copied_bytes += pkt->l4_len;
	if (d->have_bytes == d->total_bytes)
		*done = d;
	return &s->stats.rx_fragments;
}

void reassembly_input(struct stack *s, struct packet *pkt)
{
	struct datagram *done = NULL;

	stack_drop(pkt->buf, take(s, pkt, &done));
	if (done != NULL)
		complete(s, done);
}

/* Too late. The sender hears of it when its first fragment, with the ports, is here (RFC 1122
 * 3.3.2). */
static void expire(struct stack *s, struct datagram *d)
{
	if (d->buf != NULL && d->has_first) {
		uint32_t bytes = 0;

		while (bytes < UNITS && (d->have[bytes / 64] >> bytes % 64 & 1))
			bytes++;
		struct packet pkt = packet_of(d, bytes * FRAGMENT_UNIT_BYTES);

		icmp_reassembly_expired(s, &pkt);
	}
	give_up(s, d);
}

void reassembly_tick(struct stack *s)
{
	struct reassembly *r = s->reassembly;

	while (!list_empty(&r->active)) {
		struct datagram *d = list_entry(r->active.next, struct datagram, link);

		if (d->deadline_ns > s->now_ns)
			break;
		expire(s, d);
	}
}

uint64_t reassembly_next_deadline(const struct stack *s)
{
	struct reassembly *r = s->reassembly;

	if (list_empty(&r->active))
		return UINT64_MAX;
	return list_entry(r->active.next, struct datagram, link)->deadline_ns;
}
