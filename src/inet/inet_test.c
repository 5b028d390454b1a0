/* inet_test.c - the wire's other end.
 *
 * SPDX-License-Identifier: MIT
 */
#include "inet/inet_test.h"
#include "base/bytes.h"
#include "base/checksum.h"
#include <stdlib.h>

const uint8_t our_mac[6] = {2, 0, 0, 0, 0, 1}, peer_mac[6] = {2, 0, 0, 0, 0, 2};
const uint8_t third_mac[6] = {2, 0, 0, 0, 0, 3}, gateway_mac[6] = {2, 0, 0, 0, 0, 0xfe};
const uint8_t broadcast_mac[6] = {255, 255, 255, 255, 255, 255};

enum { ETH = 14, IP = 20 };

int net_setup(void **state)
{
	struct net *net = calloc(1, sizeof(*net));

	assert_non_null(net);
	stack_config_init(&net->cfg);
	memcpy(net->cfg.mac, our_mac, 6);
	net->cfg.addr = ip4(OUR_IP);
	net->cfg.gateway = ip4(GATEWAY_IP);

	net->cfg.key[0] = 1;
	net->cfg.key[1] = 2;
	net->cfg.max_tcp = 64;
	net->now_ns = UINT64_C(1000000000);
	net_restart_with_pool(net, TEST_POOL_BUFFERS);
	*state = net;
	return 0;
}

int net_teardown(void **state)
{
	struct net *net = *state;

	stack_destroy(net->s);
	assert_int_equal(net->pool->free_count, net->pool->count);
	pool_destroy(net->pool);
	free(net);
	return 0;
}

void net_restart(struct net *net)
{
	stack_destroy(net->s);
	net->s = NULL;
	assert_int_equal(stack_create(&net->s, &net->cfg, net->now_ns), 0);
}

void net_restart_with_pool(struct net *net, uint32_t buffers)
{
	stack_destroy(net->s);
	net->s = NULL;
	pool_destroy(net->pool);
	assert_int_equal(pool_create(&net->pool, buffers, TEST_POOL_ROOM, BUF_HEADROOM_BYTES, NULL),
			 0);
	net->cfg.pool = net->pool;
	net_restart(net);
}

void net_restart_with_statics(struct net *net)
{
	struct ip_addr peer = ip4(PEER_IP), third = ip4(THIRD_IP), gateway = ip4(GATEWAY_IP);

	net_restart(net);
	assert_int_equal(stack_add_neighbour(net->s, &peer, peer_mac), 0);
	assert_int_equal(stack_add_neighbour(net->s, &third, third_mac), 0);
	assert_int_equal(stack_add_neighbour(net->s, &gateway, gateway_mac), 0);
}

void net_give(struct net *net, const uint8_t *frame, size_t len)
{
	struct buf *b = pool_get(net->pool);

	assert_non_null(b);
	assert_true(len <= buf_tailroom(b));
	memcpy(b->data, frame, len);
	b->len = (uint32_t)len;
	if (net->gathering) {
		assert_true(net->burst_len < TEST_BURST);
		net->burst[net->burst_len++] = b;
	} else {
		stack_input(net->s, &b, 1, net->now_ns);
	}
}

void net_gather(struct net *net)
{
	net->gathering = true;
	net->burst_len = 0;
}

void net_give_burst(struct net *net)
{
	net->gathering = false;
	stack_input(net->s, net->burst, net->burst_len, net->now_ns);
}

size_t net_take(struct net *net)
{
	struct frame *f = &net->frame;

	net->out_len = 0;
	if (stack_output(net->s, f, 1, net->now_ns) == 0)
		return 0;
	memcpy(net->out, f->head->data, f->head->len);
	net->out_len = f->head->len;
	for (unsigned i = 0; i < f->nfrags; i++) {
		memcpy(net->out + net->out_len, f->frags[i].data, f->frags[i].len);
		net->out_len += f->frags[i].len;
	}
	assert_int_equal(net->out_len, f->len);
	frame_release(f);
	return net->out_len;
}

unsigned net_drain(struct net *net)
{
	unsigned n = 0;

	while (net_take(net) > 0)
		n++;
	return n;
}

void net_pass_ms(struct net *net, uint64_t ms)
{
	uint64_t end_ns = net->now_ns + ms * 1000000;

	while (stack_next_deadline(net->s) <= end_ns) {
		uint64_t next_ns = stack_next_deadline(net->s);

		if (next_ns > net->now_ns)
			net->now_ns = next_ns;
		stack_tick(net->s, net->now_ns);
		assert_true(stack_next_deadline(net->s) > net->now_ns);
	}
	net->now_ns = end_ns;
	stack_tick(net->s, net->now_ns);
}

size_t build_eth(uint8_t *f, const uint8_t dst[6], const uint8_t src[6], uint16_t type)
{
	memcpy(f, dst, 6);
	memcpy(f + 6, src, 6);
	put_be16(f + 12, type);
	return ETH;
}

static uint32_t src_of(const struct test_ip *h)
{
	return h->src ? h->src : PEER_IP;
}

static uint32_t dst_of(const struct test_ip *h)
{
	return h->dst ? h->dst : OUR_IP;
}

size_t build_ip(uint8_t *f, const struct test_ip *h, const void *payload, size_t len)
{
	uint8_t *p = f + build_eth(f, h->dst_mac ? h->dst_mac : our_mac, peer_mac, 0x0800);
	size_t header = IP + h->options_len;

	memset(p, 0, IP);
	p[0] = (uint8_t)(0x40 | header / 4);
	p[1] = h->tos;
	put_be16(p + 2, (uint16_t)(header + len));
	put_be16(p + 4, h->id);
	put_be16(p + 6, h->fragment);
	p[8] = 64;
	p[9] = h->protocol;
	put_be32(p + 12, src_of(h));
	put_be32(p + 16, dst_of(h));
	if (h->options_len > 0)
		memcpy(p + IP, h->options, h->options_len);
	csum_store(p + 10, csum_partial(p, header, 0));
	memcpy(p + header, payload, len);
	return ETH + header + len;
}

static uint32_t pseudo(uint32_t src, uint32_t dst, uint8_t protocol, size_t len)
{
	uint8_t p[12];

	put_be32(p, src);
	put_be32(p + 4, dst);
	put_be16(p + 8, protocol);
	put_be16(p + 10, (uint16_t)len);
	return csum_partial(p, sizeof(p), 0);
}

size_t build_udp(uint8_t *l4, const struct test_ip *h, uint16_t sport, uint16_t dport,
		 const void *payload, size_t len)
{
	uint16_t csum;

	put_be16(l4, sport);
	put_be16(l4 + 2, dport);
	put_be16(l4 + 4, (uint16_t)(8 + len));
	put_be16(l4 + 6, 0);
	if (len > 0)
		memcpy(l4 + 8, payload, len);
	csum = csum_fold(
	    csum_partial(l4, 8 + len, pseudo(src_of(h), dst_of(h), IPPROTO_UDP, 8 + len)));
	if (csum == 0)
		csum = 0xffff;
	memcpy(l4 + 6, &csum, 2);
	return 8 + len;
}

size_t build_icmp(uint8_t *l4, uint8_t type, uint8_t code, uint32_t rest, const void *payload,
		  size_t len)
{
	l4[0] = type;
	l4[1] = code;
	put_be16(l4 + 2, 0);
	put_be32(l4 + 4, rest);
	if (len > 0)
		memcpy(l4 + 8, payload, len);
	csum_store(l4 + 2, csum_partial(l4, 8 + len, 0));
	return 8 + len;
}

size_t build_arp(uint8_t *f, const uint8_t *dst_mac, uint16_t op, const uint8_t sender_mac[6],
		 uint32_t sender_ip, uint32_t target_ip)
{
	uint8_t *p = f + build_eth(f, dst_mac, sender_mac, 0x0806);

	memcpy(p, "\0\1\10\0\6\4", 6);
	put_be16(p + 6, op);
	memcpy(p + 8, sender_mac, 6);
	put_be32(p + 14, sender_ip);
	memset(p + 18, 0, 6);
	put_be32(p + 24, target_ip);
	return ETH + 28;
}

void net_give_ip(struct net *net, const struct test_ip *h, const void *payload, size_t len)
{
	uint8_t f[2048];

	net_give(net, f, build_ip(f, h, payload, len));
}

void net_give_icmp_about_out(struct net *net, uint8_t type, uint8_t code, uint32_t rest)
{
	struct test_ip h = {.protocol = IPPROTO_ICMP};
	uint8_t l4[64];

	net_give_ip(net, &h, l4, build_icmp(l4, type, code, rest, net->out + ETH, IP + 8));
}

void net_give_udp(struct net *net, uint32_t src, uint16_t sport, uint16_t dport,
		  const void *payload, size_t len)
{
	struct test_ip h = {.src = src, .protocol = IPPROTO_UDP};
	uint8_t l4[2048];

	net_give_ip(net, &h, l4, build_udp(l4, &h, sport, dport, payload, len));
}

void net_give_arp_reply(struct net *net, uint32_t ip, const uint8_t mac[6])
{
	uint8_t f[64];

	net_give(net, f, build_arp(f, our_mac, 2, mac, ip, OUR_IP));
}

uint32_t out_dst_ip(const struct net *net)
{
	return get_be32(net->out + ETH + 16);
}

uint8_t out_protocol(const struct net *net)
{
	return net->out[ETH + 9];
}

bool out_is_arp(const struct net *net, uint16_t op, uint32_t target_ip)
{
	const uint8_t *p = net->out + ETH;

	return net->out_len == ETH + 28 && get_be16(net->out + 12) == 0x0806 &&
	       memcmp(p, "\0\1\10\0\6\4", 6) == 0 && get_be16(p + 6) == op &&
	       memcmp(p + 8, our_mac, 6) == 0 && get_be32(p + 14) == OUR_IP &&
	       get_be32(p + 24) == target_ip;
}

const uint8_t *out_l4(const struct net *net)
{
	return net->out + ETH + IP;
}

size_t out_l4_len(const struct net *net)
{
	return get_be16(net->out + ETH + 2) - (size_t)IP;
}

bool out_checksums_ok(const struct net *net)
{
	const uint8_t *p = net->out + ETH;
	size_t len = out_l4_len(net);
	uint32_t sum = 0;

	if (get_be16(net->out + 12) != 0x0800 || p[0] != 0x45 || net->out_len != ETH + IP + len ||
	    csum_fold(csum_partial(p, IP, 0)) != 0)
		return false;
	if (get_be16(p + 6) & 0x3fff)
		return true;
	if (p[9] == IPPROTO_UDP || p[9] == IPPROTO_TCP)
		sum = pseudo(get_be32(p + 12), get_be32(p + 16), p[9], len);
	return csum_fold(csum_partial(out_l4(net), len, sum)) == 0;
}

struct endpoint at(uint32_t ip, uint16_t port)
{
	return (struct endpoint){ip4(ip), port};
}

struct sock *net_udp(struct net *net, uint16_t port)
{
	struct endpoint local = at(0, port);
	struct sock *k;

	assert_int_equal(stack_open(net->s, SOCK_DGRAM, NULL, &k), 0);
	assert_int_equal(stack_bind(k, &local, false), 0);
	return k;
}

int net_send(struct net *net, struct sock *k, const void *data, uint32_t len, uint32_t ip,
	     uint16_t port)
{
	struct endpoint to = at(ip, port);

	return stack_sendto(k, NULL, data, len, ip ? &to : NULL, net->now_ns);
}

uint32_t net_events(struct net *net)
{
	struct stack_event ev[8];
	uint32_t bits = 0;
	int n;

	while ((n = stack_events(net->s, ev, 8)) > 0) {
		for (int i = 0; i < n; i++)
			bits |= ev[i].bits;
	}
	return bits;
}
