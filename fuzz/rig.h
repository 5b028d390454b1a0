/* rig.h - one stack on a bench, with sockets in many states, and a peer that can be made to say
 * anything: for the fuzzer of frames. Stacks live on from input to input, one of each variant,
 * since rig_finish() proves that each is at rest again; that makes thousands of inputs a second.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef FUZZ_RIG_H
#define FUZZ_RIG_H

#include "inet/stack.h"
#include "packet.h"

enum {
	RIG_OUR_IP = 0x0a000001,
	RIG_PEER_IP = 0x0a000002,
	RIG_GATEWAY_IP = 0x0a0000fe,
	RIG_FAR_IP = 0x08080808,
	RIG_TCP_PORT = 80,
	RIG_UDP_PORT = 7,
	RIG_VARIANTS = 16,
	RIG_STATES = 8,
	RIG_FLOWS = 10, /* of each state one, and two that have no connection yet */
	RIG_SOCKS = 16,
	RIG_BUFFERS = 512,
	RIG_FRAME_BYTES = 2048,
	/* Frames that one input, or one moment, may cause: a full send buffer in the smallest
	 * segments. More is an avalanche. */
	RIG_OUTPUT_FRAMES = 4096,
};

/* The peer's view of a connection: what it would say next. */
struct flow {
	uint16_t port; /* of the peer */
	uint16_t our_port;
	uint32_t seq, ack; /* SND.NXT and RCV.NXT of the peer */
	uint32_t tsval, tsecr;
};

struct rig {
	struct stack_config cfg;
	struct stack *s;
	struct pool *pool;
	uint64_t now_ns;
	struct sock *listener, *udp;
	struct sock *socks[RIG_SOCKS]; /* the program's; NULL: none */
	struct flow flows[RIG_FLOWS];
	uint8_t last[RIG_FRAME_BYTES]; /* the last frame that the stack sent */
	size_t last_bytes;
	int accept_at;    /* the first of socks that an accepted connection may take */
	uint32_t replies; /* ICMP echo replies seen */
};

/* A stack with a listener, a UDP socket, and connections in those of the RIG_STATES whose bit is
 * set.
 */
struct rig *rig_make(uint8_t variant, uint8_t states);

/* A frame from the peer, and all that follows from it at this moment. */
void rig_give(struct rig *r, const uint8_t *frame, size_t len);
/* Sends a segment of this flow; the peer's numbers are added to t's seq and ack. Options: t's, else
 * timestamps. */
void rig_give_tcp(struct rig *r, struct flow *f, struct packet_tcp t);

/* Runs timers, takes and drops what the stack sends, looks at its events. */
void rig_settle(struct rig *r);
/* Moves time, stopping at each deadline of the stack. */
void rig_pass(struct rig *r, uint64_t ns);

/* The stack still answers: ping, a datagram, a new connection. Then everything is closed, and
 * nothing may be left. */
void rig_finish(struct rig *r);

extern const uint8_t rig_our_mac[6], rig_peer_mac[6];

#endif
