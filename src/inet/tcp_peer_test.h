/* tcp_peer_test.h - peers of one stack that say what a test wants said: segments without options,
 * for the tests of what TCP holds on behalf of others.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef INET_TCP_PEER_TEST_H
#define INET_TCP_PEER_TEST_H

#include "inet/inet_test.h"
#include "inet/tcp_table.h"

enum {
	PEER_LISTEN_PORT = 80,     /* ours */
	PEER_ISS = 1000,           /* every peer's */
	PEER_SEGMENT_BYTES = 1000, /* at most; too large to be packed behind another */
};

/* The stack listens; all peers are on its link. */
struct sock *peer_listen(struct net *net, int backlog);

/* A segment of a peer; len bytes of payload. */
void peer_give(struct net *net, uint32_t ip, uint16_t port, uint32_t seq, uint32_t ack,
	       uint8_t flags, uint32_t len);

/* A SYN; what the stack answers is dropped. */
void peer_syn(struct net *net, uint32_t ip, uint16_t port);

/* The sequence number behind our SYN-ACK, from the half-open connection itself. */
uint32_t peer_our_next(struct net *net, uint32_t ip, uint16_t port);

/* A whole handshake; the accepted socket. */
struct sock *peer_connect(struct net *net, struct sock *listener, uint32_t ip, uint16_t port);

#endif
