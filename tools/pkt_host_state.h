/* pkt_host_state.h - what pkt_host.c and pkt_socket.c share, and nobody else.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef TOOLS_PKT_HOST_STATE_H
#define TOOLS_PKT_HOST_STATE_H

#include "inet/stack.h"
#include "mem/heap.h"
#include "pkt_host.h"

struct host {
	struct stack *stack;
	struct pool *pool; /* of the stack and the wire */
	struct heap *heap; /* of what sockets send */
	uint64_t now_ns;
	uint32_t spins; /* timers since time last moved */
	const char *stuck;
	struct ip_addr local;
	bool show_arp;
	FILE *capture;
	uint8_t *scratch; /* one frame, contiguous */
	uint32_t scratch_bytes;
	struct host_packet *head, **tail;
	uint32_t packets;
};

/* Lets the stack send what it wants to send now, and reads its events. After every verb. */
void host_pump(struct host *h);

/* STACK_EV_ bits of a socket. */
void host_sock_event(struct host_sock *s, uint32_t bits);

#endif
