/* Frames from an enemy on the same network, who has connections in every state and computes his
 * checksums right. The input is a list of steps: frames of all kinds, calls of the program, and
 * time that passes. Whatever happens, work and memory stay bounded, every frame is counted once,
 * nothing is allocated, and in the end the stack answers as before and holds nothing.
 *
 * SPDX-License-Identifier: MIT
 */
#include "base/bytes.h"
#include "input.h"
#include "rig.h"
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

enum {
	STEPS = 64,
	TYPE_IP = 0x0800,
	TYPE_ARP = 0x0806,
	ARP_BYTES = 42,
	USER_TIMEOUT_MAX_MS = 300000,
};

static void step_tcp(struct rig *r, struct input *in)
{
	uint8_t mode = take8(in), options[40];
	struct flow *f = &r->flows[mode % RIG_FLOWS];
	struct packet_tcp t = {.flags = take8(in), .wnd = 8192};

	if (mode & 0x10)
		t.seq = (uint32_t)(int16_t)take16(in);
	if (mode & 0x20)
		t.ack = (uint32_t)(int16_t)take16(in);
	if (mode & 0x40) {
		uint8_t shape = take8(in);

		t.wnd = take16(in);
		t.len = (uint32_t)(shape & 15) * 90;
		t.option_bytes = (shape >> 4) % 11 * 4u;
		memset(options, 0, sizeof(options));
		take_bytes(in, options, t.option_bytes);
		t.options = options;
	}
	if (mode & 0x80 && t.seq == 0) { /* the peer means it: its next numbers follow */
		uint32_t length =
		    t.len + ((t.flags & PACKET_FIN) != 0) + ((t.flags & PACKET_SYN) != 0);

		rig_give_tcp(r, f, t);
		f->seq += length;
		return;
	}
	rig_give_tcp(r, f, t);
}

/* Anything in an Ethernet frame; fix: its checksums are right. */
static void step_raw(struct rig *r, struct input *in, bool fix)
{
	uint8_t f[RIG_FRAME_BYTES];
	size_t len = take16(in) % (sizeof(f) - 14);

	len = take_bytes(in, f, len);
	if (fix)
		packet_fix(f, len);
	rig_give(r, f, len);
}

/* An IP packet to us, whatever it carries. */
static void step_ip(struct rig *r, struct input *in)
{
	uint8_t f[RIG_FRAME_BYTES] = {0}, protocol = take8(in), shape = take8(in);
	uint16_t fragment = shape & 1 ? take16(in) : 0, id = shape & 1 ? take8(in) : 0;
	uint16_t len = shape & 2 ? take16(in) % 1400 : take8(in);
	uint32_t src = shape & 4 ? take32(in) : (uint32_t)RIG_PEER_IP;

	take_bytes(in, f + PACKET_L4, shape & 8 ? len : 16);
	packet_eth(f, rig_our_mac, rig_peer_mac, TYPE_IP);
	packet_ip(f, protocol, src, shape & 16 ? take32(in) : (uint32_t)RIG_OUR_IP, len);
	put_be16(f + 18, id);
	put_be16(f + 20, fragment);
	packet_fix(f, PACKET_L4 + (size_t)len);
	rig_give(r, f, PACKET_L4 + (size_t)len);
}

static void step_udp(struct rig *r, struct input *in)
{
	uint8_t f[RIG_FRAME_BYTES], where = take8(in);

	packet_eth(f, rig_our_mac, rig_peer_mac, TYPE_IP);
	rig_give(r, f,
		 packet_udp(f, RIG_PEER_IP, (uint16_t)(1 + where), RIG_OUR_IP,
			    where & 1 ? RIG_UDP_PORT : where, (uint16_t)(take8(in) * 5)));
}

/* An error about the last frame that the stack sent. */
static void step_icmp_error(struct rig *r, struct input *in)
{
	uint8_t f[RIG_FRAME_BYTES] = {0}, mode = take8(in);
	static const uint8_t types[] = {3, 11, 12, 4, 5, 8};
	size_t quoted = r->last_bytes > 14 ? r->last_bytes - 14 : 0;

	quoted = quoted < 100 ? quoted : 100;
	packet_eth(f, rig_our_mac, rig_peer_mac, TYPE_IP);
	f[PACKET_L4] = types[(mode & 15) % 6];
	f[PACKET_L4 + 1] = mode >> 4;
	put_be16(f + PACKET_L4 + 6, take16(in));
	memcpy(f + PACKET_L4 + 8, r->last + 14, quoted);
	f[PACKET_L4 + 8 + take8(in)] ^= take8(in);
	packet_ip(f, IPPROTO_ICMP, RIG_PEER_IP, RIG_OUR_IP, (uint16_t)(8 + quoted));
	packet_fix(f, PACKET_L4 + 8 + quoted);
	rig_give(r, f, PACKET_L4 + 8 + quoted);
}

static void step_arp(struct rig *r, struct input *in)
{
	uint8_t f[ARP_BYTES] = {0}, who = take8(in);
	static const uint8_t everybody[6] = {255, 255, 255, 255, 255, 255};

	packet_eth(f, who & 0x80 ? everybody : rig_our_mac, rig_peer_mac, TYPE_ARP);
	put_be32(f + 14, 0x00010800);
	put_be16(f + 18, 0x0604);
	put_be16(f + 20, who & 0x40 ? 1 : 2);
	memcpy(f + 22, rig_peer_mac, 6);
	f[27] = take8(in);
	put_be32(f + 28, who & 0x20 ? (uint32_t)RIG_GATEWAY_IP : 0x0a000000u + take8(in));
	put_be32(f + 38, who & 0x10 ? 0x0a000000u + take8(in) : (uint32_t)RIG_OUR_IP);
	rig_give(r, f, sizeof(f));
}

static void receive(struct rig *r, struct sock *k, uint32_t max)
{
	struct stack_received got;

	if (stack_recv(k, max, &got, r->now_ns) == 1) {
		EXPECT(got.len <= max);
		buf_unref(got.buf);
	}
}

static void give_bytes(struct rig *r, struct sock *k, uint32_t len)
{
	struct buf *b = pool_get(r->pool);
	bool zero_copy;
	int64_t n;

	if (b == NULL)
		return;
	memset(b->data, 'y', len);
	b->len = len;
	n = stack_send(k, b, b->data, len, &zero_copy, r->now_ns);
	EXPECT(n <= (int64_t)len && n != 0);
	buf_unref(b);
}

static void set_option(struct sock *k, struct input *in)
{
	static const int options[][2] = {{SOL_SOCKET, SO_KEEPALIVE},     {SOL_SOCKET, SO_RCVBUF},
					 {SOL_SOCKET, SO_SNDBUF},        {IPPROTO_TCP, TCP_NODELAY},
					 {IPPROTO_TCP, TCP_MAXSEG},      {IPPROTO_TCP, TCP_CORK},
					 {IPPROTO_TCP, TCP_USER_TIMEOUT}};
	const int *o = options[take8(in) % 7];
	int value = (int)take32(in);
	struct linger linger = {value & 1, 0};

	/* A program may have its patience last for weeks; the rig's ends before. */
	if (o[1] == TCP_USER_TIMEOUT && o[0] == IPPROTO_TCP)
		value %= USER_TIMEOUT_MAX_MS;
	if (value & 0x10000)
		stack_setsockopt(k, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
	else
		stack_setsockopt(k, o[0], o[1], &value, sizeof(value));
}

static void step_verb(struct rig *r, struct input *in)
{
	uint8_t what = take8(in);
	struct sock **place = &r->socks[what % RIG_SOCKS], *k = *place;

	if (k == NULL)
		return;
	switch (what >> 4) {
	case 0:
		stack_close(k, r->now_ns);
		*place = NULL;
		break;
	case 1:
		stack_abort(k, r->now_ns);
		*place = NULL;
		break;
	case 2:
		stack_shutdown(k, take8(in) % 3, r->now_ns);
		break;
	case 3:
	case 4:
	case 5:
	case 6:
		receive(r, k, 1u + take8(in) * 16u);
		break;
	case 7:
		set_option(k, in);
		break;
	default:
		give_bytes(r, k, 1u + take8(in) * 8u);
		break;
	}
	rig_settle(r);
}

static void step_datagram_out(struct rig *r, struct input *in)
{
	uint8_t how = take8(in);
	struct endpoint to = {ip4(how & 1 ? (uint32_t)RIG_PEER_IP : (uint32_t)RIG_FAR_IP), 99};
	uint32_t len = how * 8u;
	struct buf *b = pool_get(r->pool);

	if (b != NULL) {
		memset(b->data, 'z', len);
		b->len = len;
		stack_sendto(r->udp, b, b->data, len, &to, r->now_ns);
		buf_unref(b);
	}
	if (how & 2) {
		struct stack_received got;

		if (stack_recv(r->udp, 1u + how, &got, r->now_ns) == 1)
			buf_unref(got.buf);
	}
	rig_settle(r);
}

static void step(struct rig *r, struct input *in)
{
	uint8_t op = take8(in);

	switch (op & 15) {
	case 0:
		step_raw(r, in, op & 16);
		break;
	case 1:
	case 2:
		step_ip(r, in);
		break;
	case 3:
		step_udp(r, in);
		break;
	case 4:
		step_icmp_error(r, in);
		break;
	case 5:
		step_arp(r, in);
		break;
	case 6:
	case 7:
		rig_pass(r, take_ns(in));
		break;
	case 8:
	case 9:
		step_verb(r, in);
		break;
	case 10:
		step_datagram_out(r, in);
		break;
	default:
		step_tcp(r, in);
		break;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
	struct input in = {data, bytes};
	uint8_t variant = take8(&in);
	struct rig *r = rig_make(variant, take8(&in));

	for (int i = 0; i < STEPS && in.left > 0; i++)
		step(r, &in);
	rig_finish(r);
	return 0;
}
