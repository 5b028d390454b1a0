/* tcp_peer_test.c - see tcp_peer_test.h.
 *
 * SPDX-License-Identifier: MIT
 */
#include "inet/tcp_peer_test.h"
#include <netinet/in.h>

struct sock *peer_listen(struct net *net, int backlog)
{
	struct endpoint local = at(OUR_IP, PEER_LISTEN_PORT);
	struct sock *listener;

	net->cfg.max_listeners = 1;
	net->cfg.prefix_len = 8; /* the peers need no gateway */
	net_restart_with_statics(net);
	assert_int_equal(stack_open(net->s, SOCK_STREAM, NULL, &listener), 0);
	assert_int_equal(stack_bind(listener, &local, false), 0);
	assert_int_equal(stack_listen(listener, backlog), 0);
	return listener;
}

void peer_give(struct net *net, uint32_t ip, uint16_t port, uint32_t seq, uint32_t ack,
	       uint8_t flags, uint32_t len)
{
	struct ip_addr src = ip4(ip), dst = ip4(OUR_IP);
	uint8_t tcp[TCP_HEADER_BYTES + PEER_SEGMENT_BYTES] = {0};
	uint32_t bytes = TCP_HEADER_BYTES + len;

	put_be16(tcp, port);
	put_be16(tcp + 2, PEER_LISTEN_PORT);
	put_be32(tcp + 4, seq);
	put_be32(tcp + 8, ack);
	tcp[12] = TCP_HEADER_BYTES / 4 << 4;
	tcp[13] = flags;
	put_be16(tcp + 14, 65535);
	csum_store(tcp + 16,
		   csum_partial(tcp, bytes, ip_pseudo_sum(&src, &dst, IPPROTO_TCP, bytes)));
	net_give_ip(net, &(struct test_ip){.src = ip, .protocol = IPPROTO_TCP}, tcp, bytes);
}

void peer_syn(struct net *net, uint32_t ip, uint16_t port)
{
	peer_give(net, ip, port, PEER_ISS, 0, TCP_SYN, 0);
	net_drain(net);
}

uint32_t peer_our_next(struct net *net, uint32_t ip, uint16_t port)
{
	struct ip_addr peer = ip4(ip);
	const struct tcp_half *h = tcp_half_find(net->s->tcp, &peer, port, PEER_LISTEN_PORT);

	assert_non_null(h);
	return h->iss + 1;
}

struct sock *peer_connect(struct net *net, struct sock *listener, uint32_t ip, uint16_t port)
{
	struct sock *k;

	peer_syn(net, ip, port);
	peer_give(net, ip, port, PEER_ISS + 1, peer_our_next(net, ip, port), TCP_ACK, 0);
	assert_int_equal(stack_accept(listener, NULL, &k), 0);
	return k;
}
