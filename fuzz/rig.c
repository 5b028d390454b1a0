/* SPDX-License-Identifier: MIT */
#include "rig.h"
#include "alloc.h"
#include "base/bytes.h"
#include "input.h"
#include "invariants.h"
#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>

#define MS UINT64_C(1000000)
#define S  UINT64_C(1000000000)

enum {
	TYPE_IP = 0x0800,
	HEADROOM = 128,
	/* Deadlines that may come one behind the other in the longest wait: retransmissions,
	 * probes, neighbours and fragments of every socket. */
	DEADLINES = 20000,
	FIRST_FLOW_PORT = 1000,
	LIVENESS_PORT = 5555,
	ECHO_REQUEST = 8,
	/* R2, 2 MSL, and how long a path MTU is believed: then all is as it was at first. */
	LONGEST_WAIT_S = 700,
};

const uint8_t rig_our_mac[6] = {2, 0, 0, 0, 0, 1}, rig_peer_mac[6] = {2, 0, 0, 0, 0, 2};

static struct flow *flow_of(struct rig *r, uint16_t port)
{
	for (int i = 0; i < RIG_FLOWS; i++) {
		if (r->flows[i].port == port)
			return &r->flows[i];
	}
	return NULL;
}

/* The peer takes note of what it is sent. */
static void peer_sees(struct rig *r, const uint8_t *frame, size_t len)
{
	struct packet_tcp t;
	struct flow *f;

	memcpy(r->last, frame, len);
	r->last_bytes = len;
	if (len > PACKET_L4 && frame[23] == IPPROTO_ICMP && frame[PACKET_L4] == 0)
		r->replies++;
	if (!packet_read_tcp(&t, frame, len))
		return;
	f = flow_of(r, t.dport);
	if (f == NULL || (t.flags & PACKET_RST))
		return;
	f->our_port = t.sport;
	f->ack = t.seq + t.len + ((t.flags & PACKET_SYN) != 0) + ((t.flags & PACKET_FIN) != 0);
	for (uint32_t i = 0; i + 10 <= t.option_bytes; i++) {
		if (t.options[i] == 8 && t.options[i + 1] == 10) {
			f->tsecr = get_be32(t.options + i + 2);
			break;
		}
	}
}

static void output(struct rig *r)
{
	struct frame frames[8];
	uint32_t total = 0;
	int n;

	while ((n = stack_output(r->s, frames, 8, r->now_ns)) > 0) {
		for (int i = 0; i < n; i++) {
			uint8_t copy[RIG_FRAME_BYTES];
			struct frame *f = &frames[i];
			size_t len = f->head->len;

			EXPECT(f->len <= sizeof(copy));
			memcpy(copy, f->head->data, len);
			for (unsigned j = 0; j < f->nfrags; j++) {
				memcpy(copy + len, f->frags[j].data, f->frags[j].len);
				len += f->frags[j].len;
			}
			EXPECT(len == f->len && len <= r->cfg.mtu + 14u);
			frame_release(f);
			peer_sees(r, copy, len);
		}
		total += (uint32_t)n;
		EXPECT(total <= RIG_OUTPUT_FRAMES);
	}
}

/* A connection that the stack accepted becomes the program's. */
static void accept_all(struct rig *r)
{
	for (int i = r->accept_at; i < RIG_SOCKS; i++) {
		if (r->socks[i] == NULL &&
		    stack_accept(r->listener, &r->socks[i], &r->socks[i]) < 0) {
			r->socks[i] = NULL;
			return;
		}
	}
}

void rig_settle(struct rig *r)
{
	struct stack_event ev;
	int events = 0;

	stack_tick(r->s, r->now_ns);
	output(r);
	while (stack_events(r->s, &ev, 1) == 1) {
		EXPECT(ev.bits != 0 && events++ < 1000);
		if (ev.bits & STACK_EV_ACCEPT)
			accept_all(r);
		if (ev.bits & STACK_EV_FAILED)
			EXPECT(stack_error(ev.sock) < 0);
	}
	output(r);
}

void rig_pass(struct rig *r, uint64_t ns)
{
	uint64_t until = r->now_ns + ns;

	for (int i = 0; r->now_ns < until; i++) {
		uint64_t next = stack_next_deadline(r->s);

		EXPECT(i < DEADLINES);
		if (next > r->now_ns)
			r->now_ns = next < until ? next : until;
		rig_settle(r);
	}
}

void rig_give(struct rig *r, const uint8_t *frame, size_t len)
{
	struct buf *b = pool_get(r->pool);

	if (b == NULL)
		return;
	EXPECT(len <= buf_tailroom(b));
	memcpy(b->data, frame, len);
	b->len = (uint32_t)len;
	stack_input(r->s, &b, 1, r->now_ns);
	EXPECT(stack_stats(r->s)->rx_frames + stack_stats(r->s)->rx_reassembled ==
	       invariant_frames_ended(stack_stats(r->s)));
	rig_settle(r);
}

void rig_give_tcp(struct rig *r, struct flow *f, struct packet_tcp t)
{
	uint8_t frame[RIG_FRAME_BYTES], options[12] = {1, 1, 8, 10};

	t.src = RIG_PEER_IP;
	t.dst = RIG_OUR_IP;
	t.sport = f->port;
	t.dport = f->our_port;
	t.seq += f->seq;
	t.ack += f->ack;
	if (t.options == NULL) {
		put_be32(options + 4, ++f->tsval);
		put_be32(options + 8, f->tsecr);
		t.options = options;
		t.option_bytes = sizeof(options);
	}
	packet_eth(frame, rig_our_mac, rig_peer_mac, TYPE_IP);
	rig_give(r, frame, packet_tcp(frame, &t));
}

/* The peer connects. Where: the state it leaves our side in: after the SYN, or established. */
static void peer_connects(struct rig *r, struct flow *f, bool finish)
{
	uint8_t options[20] = {2, 4, 5, 0xb4, 4, 2, 8, 10, 0, 0, 0, 1, 0, 0, 0, 0, 1, 3, 3, 7};

	f->tsval = 1;
	f->our_port = RIG_TCP_PORT;
	f->ack = 0;
	rig_give_tcp(r, f,
		     (struct packet_tcp){.flags = PACKET_SYN,
					 .wnd = 65535,
					 .options = options,
					 .option_bytes = sizeof(options)});
	f->seq++;
	if (finish)
		rig_give_tcp(r, f, (struct packet_tcp){.flags = PACKET_ACK, .wnd = 8192});
}

static void peer_says_fin(struct rig *r, struct flow *f)
{
	rig_give_tcp(r, f, (struct packet_tcp){.flags = PACKET_ACK | PACKET_FIN, .wnd = 8192});
	f->seq++;
}

static void peer_acks(struct rig *r, struct flow *f)
{
	rig_give_tcp(r, f, (struct packet_tcp){.flags = PACKET_ACK, .wnd = 8192});
}

static void send_some(struct rig *r, struct sock *k, uint32_t bytes)
{
	struct buf *b = pool_get(r->pool);
	bool zero_copy;

	if (b == NULL)
		return;
	memset(b->data, 'x', bytes);
	b->len = bytes;
	stack_send(k, b, b->data, bytes, &zero_copy, r->now_ns);
	buf_unref(b);
	rig_settle(r);
}

/* One function for each state, of the flow and the socket with the same number. */
static void make_syn_received(struct rig *r, int i)
{
	peer_connects(r, &r->flows[i], false);
}

static void make_established(struct rig *r, int i)
{
	peer_connects(r, &r->flows[i], true);
}

static void make_unacknowledged(struct rig *r, int i)
{
	peer_connects(r, &r->flows[i], true);
	send_some(r, r->socks[i], 1000);
}

static void make_close_wait(struct rig *r, int i)
{
	peer_connects(r, &r->flows[i], true);
	peer_says_fin(r, &r->flows[i]);
}

static void make_fin_wait_1(struct rig *r, int i)
{
	make_unacknowledged(r, i);
	stack_shutdown(r->socks[i], SHUT_WR, r->now_ns);
	rig_settle(r);
}

static void make_fin_wait_2(struct rig *r, int i)
{
	make_fin_wait_1(r, i);
	peer_acks(r, &r->flows[i]);
}

static void make_time_wait(struct rig *r, int i)
{
	make_fin_wait_2(r, i);
	peer_says_fin(r, &r->flows[i]);
}

static void make_syn_sent(struct rig *r, int i)
{
	/* Every second time the gateway has to be asked for first. */
	struct endpoint to = {ip4(r->now_ns & 1 ? RIG_FAR_IP : RIG_PEER_IP), r->flows[i].port};

	EXPECT(stack_open(r->s, SOCK_STREAM, &r->socks[i], &r->socks[i]) == 0);
	EXPECT(stack_connect(r->socks[i], &to, r->now_ns) == -EINPROGRESS);
	rig_settle(r);
}

static void make_states(struct rig *r, uint8_t which)
{
	static void (*const make[RIG_STATES])(struct rig *, int) = {
	    make_syn_received, make_established, make_unacknowledged, make_close_wait,
	    make_fin_wait_1,   make_fin_wait_2,  make_time_wait,      make_syn_sent};

	for (int i = 0; i < RIG_STATES; i++) {
		r->accept_at = i;
		if (which & 1 << i)
			make[i](r, i);
	}
	r->accept_at = 0;
}

static void configure(struct rig *r, uint8_t variant)
{
	struct stack_config *c = &r->cfg;

	stack_config_init(c);
	memcpy(c->mac, rig_our_mac, 6);
	c->addr = ip4(RIG_OUR_IP);
	c->prefix_len = 24;
	c->gateway = ip4(RIG_GATEWAY_IP);
	c->mtu = variant & 1 ? 1500 : 576;
	c->max_frags = variant & 2 ? FRAME_FRAGS : 0;
	c->zero_copy_bytes = 256;
	c->key[0] = variant;
	c->pool = r->pool;
	c->max_tcp = 64;
	c->max_half_open = 32;
	c->max_listeners = 4;
	c->max_udp = 4;
	c->max_neighbours = 16;
	c->arp_cache_ttl_s = 60;
	c->send_buffer_bytes = 65536;
	c->recv_buffer_bytes = 65536;
	c->nagle = variant & 4;
	c->keepalive = variant & 8;
	c->keepalive_idle_ms = 1000;
	c->keepalive_interval_ms = 1000;
	c->keepalive_probes = 3;
	c->time_wait_ms = 60000;
}

/* A stack of this variant, at rest. */
static struct rig *rig_at_rest(uint8_t variant)
{
	static struct rig rigs[RIG_VARIANTS];
	struct rig *r = &rigs[variant % RIG_VARIANTS];
	struct ip_addr peer = ip4(RIG_PEER_IP);

	if (r->s == NULL) {
		alloc_forbid(false);
		EXPECT(pool_create(&r->pool, RIG_BUFFERS, 2048 + HEADROOM, HEADROOM, NULL) == 0);
		configure(r, variant);
		r->now_ns = 1000 * S;
		EXPECT(stack_create(&r->s, &r->cfg, r->now_ns) == 0);
		EXPECT(stack_add_neighbour(r->s, &peer, rig_peer_mac) == 0);
		alloc_forbid(true);
	}
	return r;
}

struct rig *rig_make(uint8_t variant, uint8_t states)
{
	struct endpoint tcp = {ip4(RIG_OUR_IP), RIG_TCP_PORT},
			udp = {ip4(RIG_OUR_IP), RIG_UDP_PORT};
	struct rig *r = rig_at_rest(variant);

	EXPECT(stack_open(r->s, SOCK_STREAM, NULL, &r->listener) == 0);
	EXPECT(stack_bind(r->listener, &tcp, false) == 0);
	EXPECT(stack_listen(r->listener, 16) == 0);
	EXPECT(stack_open(r->s, SOCK_DGRAM, NULL, &r->udp) == 0);
	EXPECT(stack_bind(r->udp, &udp, false) == 0);
	r->last_bytes = 0;
	for (int i = 0; i < RIG_FLOWS; i++) {
		r->flows[i] = (struct flow){.port = (uint16_t)(FIRST_FLOW_PORT + i),
					    .our_port = RIG_TCP_PORT,
					    /* one of them wraps */
					    .seq = 0x10000000u * (unsigned)i - 1};
	}
	make_states(r, states);
	return r;
}

static void check_ping(struct rig *r)
{
	uint8_t f[PACKET_L4 + 64] = {0};
	uint32_t before = r->replies;

	packet_eth(f, rig_our_mac, rig_peer_mac, TYPE_IP);
	f[PACKET_L4] = ECHO_REQUEST;
	packet_ip(f, IPPROTO_ICMP, RIG_PEER_IP, RIG_OUR_IP, 64);
	packet_fix(f, sizeof(f));
	rig_give(r, f, sizeof(f));
	EXPECT(r->replies == before + 1);
}

static void drain_udp(struct rig *r)
{
	struct stack_received got;
	int n;

	while ((n = stack_recv(r->udp, 65535, &got, r->now_ns)) != -EAGAIN) {
		if (n == 1)
			buf_unref(got.buf);
	}
}

static void check_udp(struct rig *r)
{
	uint8_t f[RIG_FRAME_BYTES];
	struct stack_received got;

	drain_udp(r);
	packet_eth(f, rig_our_mac, rig_peer_mac, TYPE_IP);
	rig_give(r, f, packet_udp(f, RIG_PEER_IP, 99, RIG_OUR_IP, RIG_UDP_PORT, 32));
	EXPECT(stack_recv(r->udp, 100, &got, r->now_ns) == 1);
	EXPECT(got.len == 32 && got.from.port == 99);
	buf_unref(got.buf);
}

static void check_tcp(struct rig *r)
{
	struct flow *f = &r->flows[RIG_FLOWS - 1];
	struct stack_received got;

	EXPECT(r->socks[0] == NULL);
	f->port = LIVENESS_PORT;
	f->seq = 77;
	peer_connects(r, f, true);
	EXPECT(r->socks[0] != NULL && r->socks[1] == NULL);
	rig_give_tcp(
	    r, f, (struct packet_tcp){.flags = PACKET_ACK | PACKET_PSH, .wnd = 8192, .len = 100});
	EXPECT(stack_recv(r->socks[0], 200, &got, r->now_ns) == 1 && got.len == 100);
	buf_unref(got.buf);
	stack_abort(r->socks[0], r->now_ns);
	r->socks[0] = NULL;
	rig_settle(r);
}

static void abort_all(struct rig *r)
{
	/* Those that wait to be accepted take the places of those that go. */
	for (int round = 0; round < 4; round++) {
		for (int i = 0; i < RIG_SOCKS; i++) {
			if (r->socks[i] != NULL)
				stack_abort(r->socks[i], r->now_ns);
			r->socks[i] = NULL;
		}
		rig_settle(r);
		accept_all(r);
	}
}

void rig_finish(struct rig *r)
{
	abort_all(r);
	rig_pass(r, LONGEST_WAIT_S * S);
	abort_all(r);
	check_ping(r);
	check_udp(r);
	check_tcp(r);
	stack_close(r->listener, r->now_ns);
	stack_close(r->udp, r->now_ns);
	rig_pass(r, S);
	EXPECT(!stack_busy(r->s));
	EXPECT(r->pool->free_count == r->pool->count);
	EXPECT(invariant_rest(r->s, r->now_ns) == NULL);
}
