/* Two stacks and a wire between them that the fuzzer holds: which call comes next, which packet is
 * delivered, lost, doubled, overtaken or changed (with checksums that are right), and how much time
 * passes. While no packet is changed the bytes must be right and, in the end, all there. Always: in
 * the end both stacks still talk to each other and hold nothing.
 * That is why they may live on from input to input.
 *
 * SPDX-License-Identifier: MIT
 */
#include "alloc.h"
#include "base/bytes.h"
#include "inet/stack.h"
#include "input.h"
#include "invariants.h"
#include "packet.h"
#include "pattern.h"
#include <errno.h>
#include <sys/socket.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

#define S UINT64_C(1000000000)

enum {
	STEPS = 256,
	WIRE = 64,   /* packets on their way one way; more are lost */
	FRAME = 640, /* bytes of one, at most */
	MTU = 576,
	CONNS = 4,
	VARIANTS = 16,
	MAY_CHANGE = 16, /* the bit of the first byte, besides the variant */
	PORT = 80,
	BUFFERS = 512,
	HEADROOM = 128,
	ROUNDS = 20000, /* of work that one moment may make */
	DEADLINES = 20000,
	RELIABLE_S = 200,
	/* What the wire takes for one: longer than a step of the clock of initial sequence numbers
	 * (RFC 6528), or old copies of a SYN and its ACK could make the connection once more. */
	PACKET_NS = 5000,
	LONGEST_WAIT_S = 700, /* path MTUs are believed for 600 */
};

struct wire_packet {
	uint32_t len;
	uint8_t bytes[FRAME];
};

struct side {
	struct stack_config cfg;
	struct stack *s;
	struct pool *pool;
	struct sock *listener;
	struct wire_packet in[WIRE]; /* on its way to this side: a ring */
	uint32_t first, count;
};

/* One end of a connection. */
struct end {
	struct sock *sock; /* NULL: not there, or gone */
	uint64_t accepted, received;
	bool fin, eof, failed;
	bool gone; /* closed or aborted by its program */
};

static struct net {
	struct side side[2];
	struct end ends[2][CONNS]; /* [0] connect, [1] accept */
	uint16_t ports[CONNS];     /* of [0] */
	uint64_t now_ns;
	bool changed; /* a packet was: bytes prove nothing any more */
	bool reliable;
} * net; /* of this input */

static uint64_t key_of(int side, int conn)
{
	return pattern_mix((unsigned)(side * CONNS + conn));
}

static struct wire_packet *packet_at(struct side *s, uint32_t i)
{
	return &s->in[(s->first + i) % WIRE];
}

static void wire_put(struct side *to, const struct frame *f)
{
	struct wire_packet *p = packet_at(to, to->count);

	EXPECT(f->len <= MTU + 14);
	if (to->count == WIRE)
		return;
	to->count++;
	p->len = f->head->len;
	memcpy(p->bytes, f->head->data, p->len);
	for (unsigned i = 0; i < f->nfrags; i++) {
		memcpy(p->bytes + p->len, f->frags[i].data, f->frags[i].len);
		p->len += f->frags[i].len;
	}
	EXPECT(p->len == f->len);
}

static bool output(int side)
{
	struct frame frames[8];
	bool moved = false;
	int n;

	while ((n = stack_output(net->side[side].s, frames, 8, net->now_ns)) > 0) {
		for (int i = 0; i < n; i++) {
			wire_put(&net->side[!side], &frames[i]);
			frame_release(&frames[i]);
		}
		moved = true;
		if (net->side[!side].count == WIRE && net->reliable)
			break; /* the rest when there is room */
	}
	return moved;
}

static void accept_all(void)
{
	struct sock *k;

	while (stack_accept(net->side[1].listener, NULL, &k) == 0) {
		struct endpoint peer = stack_peer(k);
		int i = 0;

		while (i < CONNS && net->ports[i] != peer.port)
			i++;
		if (i == CONNS || net->ends[1][i].sock != NULL || net->ends[1][i].gone) {
			EXPECT(net->changed);
			stack_abort(k, net->now_ns);
			continue;
		}
		net->ends[1][i].sock = k;
		stack_set_user(k, &net->ends[1][i]);
	}
}

static void end_failed(struct end *e)
{
	e->failed = true;
	stack_close(e->sock, net->now_ns);
	e->sock = NULL;
}

static void events(int side)
{
	struct stack_event ev;

	while (stack_events(net->side[side].s, &ev, 1) == 1) {
		struct end *e = ev.user;

		if (ev.bits & STACK_EV_ACCEPT)
			accept_all();
		if (ev.bits & STACK_EV_FAILED) {
			EXPECT(stack_error(ev.sock) < 0 && e->sock == ev.sock);
			end_failed(e);
		}
	}
}

static void deliver(int side)
{
	struct side *s = &net->side[side];
	struct wire_packet *p = packet_at(s, 0);
	struct buf *b = pool_get(s->pool);

	if (s->count == 0 || b == NULL) {
		if (b != NULL)
			buf_unref(b);
		return;
	}
	memcpy(b->data, p->bytes, p->len);
	b->len = p->len;
	s->first++;
	s->count--;
	net->now_ns += PACKET_NS;
	stack_input(s->s, &b, 1, net->now_ns);
	EXPECT(stack_stats(s->s)->rx_frames + stack_stats(s->s)->rx_reassembled ==
	       invariant_frames_ended(stack_stats(s->s)));
}

static void settle(void)
{
	for (int side = 0; side < 2; side++) {
		stack_tick(net->side[side].s, net->now_ns);
		events(side);
		output(side);
		events(side);
	}
}

/* Delivers all until the wire is empty. */
static void flush(void)
{
	int rounds = 0;

	settle();
	while (net->side[0].count + net->side[1].count > 0) {
		EXPECT(rounds++ < ROUNDS);
		deliver(0);
		deliver(1);
		settle();
	}
}

static void check_bytes(struct end *e, int side, int conn, const struct stack_received *r)
{
	if (!net->changed) {
		EXPECT(pattern_check(r->data, key_of(!side, conn), e->received, r->len) < 0);
		EXPECT(e->received + r->len <= net->ends[!side][conn].accepted);
	}
	e->received += r->len;
	buf_unref(r->buf);
}

/* Takes up to `times` receives; false: nothing came. */
static bool receive(int side, int conn, uint32_t max, int times)
{
	struct end *e = &net->ends[side][conn];
	bool any = false;

	while (times-- > 0 && e->sock != NULL && !e->eof) {
		struct stack_received r;
		int n = stack_recv(e->sock, max, &r, net->now_ns);

		if (n == 1) {
			EXPECT(r.len > 0 && r.len <= max);
			check_bytes(e, side, conn, &r);
			any = true;
		} else if (n == 0) {
			e->eof = true;
			EXPECT(net->changed || (net->ends[!side][conn].fin &&
						e->received == net->ends[!side][conn].accepted));
		} else {
			return any; /* the event says the rest */
		}
	}
	return any;
}

static void give_bytes(int side, int conn, uint32_t len)
{
	struct end *e = &net->ends[side][conn];
	struct buf *b;
	bool zero_copy;
	int64_t n;

	if (e->sock == NULL)
		return;
	b = pool_get(net->side[side].pool);
	if (b == NULL)
		return;
	pattern_fill(b->data, key_of(side, conn), e->accepted, len);
	b->len = len;
	n = stack_send(e->sock, b, b->data, len, &zero_copy, net->now_ns);
	EXPECT(n <= (int64_t)len && n != 0);
	if (n > 0) {
		EXPECT(!e->fin);
		e->accepted += (uint64_t)n;
	}
	buf_unref(b);
}

static void connect_one(int conn)
{
	struct end *e = &net->ends[0][conn];
	struct endpoint to = {net->side[1].cfg.addr, PORT};
	int r;

	if (e->sock != NULL || e->gone || e->failed)
		return;
	EXPECT(stack_open(net->side[0].s, SOCK_STREAM, e, &e->sock) == 0);
	r = stack_connect(e->sock, &to, net->now_ns);
	if (r != -EINPROGRESS) {
		EXPECT(r == -EHOSTUNREACH);
		end_failed(e);
		return;
	}
	net->ports[conn] = stack_local(e->sock).port;
}

static void end_call(int side, int conn, int what)
{
	struct end *e = &net->ends[side][conn];

	if (e->sock == NULL)
		return;
	if (what == 0) {
		if (stack_shutdown(e->sock, SHUT_WR, net->now_ns) == 0)
			e->fin = true;
		return;
	}
	if (what == 1)
		stack_close(e->sock, net->now_ns);
	else
		stack_abort(e->sock, net->now_ns);
	e->fin |= what == 1;
	e->gone = true;
	e->sock = NULL;
}

static void step_call(struct input *in, uint8_t op)
{
	int side = op >> 4 & 1, conn = op >> 5 & (CONNS - 1);
	uint8_t what = take8(in);

	if (side == 0 && net->ends[0][conn].sock == NULL)
		connect_one(conn);
	else if (what < 96)
		give_bytes(side, conn, 1 + what * 20u);
	else if (what < 224)
		receive(side, conn, 1 + (what - 96u) * 16, 1 + (what & 7));
	else if (what < 240)
		end_call(side, conn, 0);
	else
		end_call(side, conn, what < 248 ? 1 : 2);
	settle();
}

static void step_change(struct input *in, struct side *s)
{
	struct wire_packet *p = packet_at(s, 0);
	uint32_t at = take8(in);
	uint16_t value = take16(in);

	if (s->count == 0 || p->len < PACKET_L4 + 2)
		return;
	net->changed = true;
	at = PACKET_ETH_BYTES + at % (p->len - PACKET_ETH_BYTES - 1);
	put_be16(p->bytes + at, (uint16_t)(get_be16(p->bytes + at) + value));
	packet_fix(p->bytes, p->len);
}

static void step_wire(struct input *in, uint8_t op, bool may_change)
{
	struct side *s = &net->side[op >> 4 & 1];
	uint8_t n = op >> 5;

	switch (op & 15) {
	case 0:
	case 1:
	case 2:
		for (int i = 0; i <= n; i++)
			deliver(op >> 4 & 1);
		break;
	case 3: /* lost */
		if (s->count > 0) {
			s->first++;
			s->count--;
		}
		break;
	case 4: /* twice */
		if (s->count > 0 && s->count < WIRE) {
			*packet_at(s, s->count) = *packet_at(s, n % s->count);
			s->count++;
		}
		break;
	case 5: /* overtaken */
		if (s->count > 1) {
			struct wire_packet p = *packet_at(s, 0);

			*packet_at(s, 0) = *packet_at(s, (1u + n) % s->count);
			*packet_at(s, (1u + n) % s->count) = p;
		}
		break;
	default:
		if (may_change)
			step_change(in, s);
		break;
	}
	settle();
}

static void pass(uint64_t ns, bool and_deliver)
{
	uint64_t until = net->now_ns + ns;

	for (int i = 0; net->now_ns < until; i++) {
		uint64_t a = stack_next_deadline(net->side[0].s);
		uint64_t b = stack_next_deadline(net->side[1].s);
		uint64_t next = a < b ? a : b;

		EXPECT(i < DEADLINES);
		if (next > net->now_ns)
			net->now_ns = next < until ? next : until;
		if (and_deliver)
			flush();
		else
			settle();
	}
}

static void step(struct input *in, bool may_change)
{
	uint8_t op = take8(in);

	switch (op & 15) {
	case 7:
		pass(take_ns(in), false);
		break;
	case 8:
		flush();
		break;
	case 9:
	case 10:
	case 11:
	case 12:
	case 13:
	case 14:
	case 15:
		step_call(in, op);
		break;
	default:
		step_wire(in, op, may_change);
		break;
	}
}

static void configure(struct side *s, int i, uint8_t variant)
{
	struct stack_config *c = &s->cfg;

	stack_config_init(c);
	memcpy(c->mac, (uint8_t[6]){2, 0, 0, 0, 0, (uint8_t)(i + 1)}, 6);
	c->addr = ip4(0x0a000001 + (unsigned)i);
	c->prefix_len = 24;
	c->mtu = MTU;
	c->max_frags = variant & 1 ? FRAME_FRAGS : 0;
	c->zero_copy_bytes = 500;
	c->key[0] = variant;
	c->key[1] = (unsigned)i;
	c->pool = s->pool;
	c->max_tcp = 32;
	c->max_half_open = 16;
	c->max_listeners = 2;
	c->max_udp = 2;
	c->max_neighbours = 8;
	c->arp_cache_ttl_s = 60;
	c->send_buffer_bytes = variant & 2 ? 4096 : 65536;
	c->recv_buffer_bytes = variant & 4 ? 4096 : 65536;
	c->nagle = variant & 8;
	c->time_wait_ms = 60000;
}

/* Two stacks of this variant, at rest. */
static struct net *net_at_rest(uint8_t variant)
{
	static struct net nets[VARIANTS];
	struct net *n = &nets[variant];

	if (n->side[0].s != NULL)
		return n;
	alloc_forbid(false);
	n->now_ns = 1000 * S;
	for (int i = 0; i < 2; i++) {
		struct side *s = &n->side[i];

		EXPECT(pool_create(&s->pool, BUFFERS, 2048 + HEADROOM, HEADROOM, NULL) == 0);
		configure(s, i, variant);
		EXPECT(stack_create(&s->s, &s->cfg, n->now_ns) == 0);
	}
	alloc_forbid(true);
	return n;
}

static void make(uint8_t variant)
{
	struct endpoint at;

	net = net_at_rest(variant);
	memset(net->ends, 0, sizeof(net->ends));
	memset(net->ports, 0, sizeof(net->ports));
	net->changed = net->reliable = false;
	at = (struct endpoint){net->side[1].cfg.addr, PORT};
	EXPECT(stack_open(net->side[1].s, SOCK_STREAM, NULL, &net->side[1].listener) == 0);
	EXPECT(stack_bind(net->side[1].listener, &at, false) == 0);
	EXPECT(stack_listen(net->side[1].listener, 8) == 0);
	connect_one(0);
	flush();
}

/* Is there an end that has not got all of what its peer has sent? */
static bool transfers_are_open(void)
{
	for (int i = 0; i < 2 * CONNS; i++) {
		struct end *e = &net->ends[i & 1][i >> 1], *other = &net->ends[!(i & 1)][i >> 1];

		if (e->sock != NULL && other->sock != NULL &&
		    (e->received != other->accepted || e->eof != other->fin))
			return true;
	}
	return false;
}

/* With a wire that works and programs that read, all that was accepted arrives. */
static void finish_transfers(void)
{
	uint64_t until = net->now_ns + RELIABLE_S * S;

	net->reliable = true;
	for (;;) {
		bool any = false;

		flush();
		for (int i = 0; i < 2 * CONNS; i++)
			any |= receive(i & 1, i >> 1, 4096, 1000);
		if (any)
			continue;
		if (!transfers_are_open())
			return;
		EXPECT(net->now_ns < until);
		pass(S / 4, true);
	}
}

static void abort_all(void)
{
	for (int i = 0; i < 2 * CONNS; i++)
		end_call(i & 1, i >> 1, 2);
	flush();
}

static void check_liveness(void)
{
	struct end *a = &net->ends[0][0], *b = &net->ends[1][0];

	memset(net->ends, 0, sizeof(net->ends));
	net->changed = false;
	connect_one(0);
	flush();
	EXPECT(a->sock != NULL && b->sock != NULL);
	give_bytes(0, 0, 100);
	give_bytes(1, 0, 200);
	flush();
	EXPECT(receive(0, 0, 1000, 2) && receive(1, 0, 1000, 2));
	EXPECT(a->received == 200 && b->received == 100);
	abort_all();
}

static void check_nothing_left(void)
{
	stack_close(net->side[1].listener, net->now_ns);
	pass(S, true);
	for (int i = 0; i < 2; i++) {
		struct side *s = &net->side[i];

		EXPECT(!stack_busy(s->s));
		EXPECT(s->pool->free_count == s->pool->count);
		EXPECT(invariant_rest(s->s, net->now_ns) == NULL);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
	struct input in = {data, bytes};
	uint8_t variant = take8(&in);

	make(variant % VARIANTS);
	for (int i = 0; i < STEPS && in.left > 0; i++)
		step(&in, variant & MAY_CHANGE);
	if (!net->changed)
		finish_transfers();
	abort_all();
	pass(LONGEST_WAIT_S * S, true);
	abort_all(); /* those that came to be accepted meanwhile */
	check_liveness();
	check_nothing_left();
	return 0;
}
