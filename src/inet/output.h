/* output.h - packets of ip_send() and ARP on their way to stack_output(): two queues of bounded
 * length, answers before datagrams, and the packets that wait with their neighbour (neighbour.h).
 *
 * Inside src/inet only.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef INET_OUTPUT_H
#define INET_OUTPUT_H

#include "inet/core.h"
#include "mem/buf.h"
#include "mem/frame.h"

/* One frame to be. Whoever holds it owns its references; output_drop() gives them back. */
struct out_packet {
	struct out_packet *next; /* of the queue it is on */
	struct buf *head;        /* from the Ethernet header on */
	struct buf *payload;     /* NULL, or a reference: data, len follow head's bytes */
	uint8_t *data;
	uint32_t len;
	bool answer; /* of which queue */
	uint8_t l3_offset, l4_offset;
	uint16_t offload;   /* OFFLOAD_ */
	struct sock *owner; /* NULL, or the UDP socket to tell when it is gone */
};

int output_create(struct stack *s); /* -ENOMEM */
void output_destroy(struct stack *s);

/* A packet with all fields zero but `answer` and `owner`, which is told by udp_packet_added();
 * NULL: so many are under way already. */
struct out_packet *output_new(struct stack *s, bool answer, struct sock *owner);

/* How many more output_new() would give. */
uint32_t output_room(const struct stack *s, bool answer);

/* Takes p: to be sent. Its Ethernet header is complete. */
void output_queue(struct stack *s, struct out_packet *p);

/* Takes p, complete or not: it will not be sent. */
void output_drop(struct stack *s, struct out_packet *p);

/* Fills up to n frames; says how many. */
int output_fill(struct stack *s, struct frame frames[], int n);

/* True while a packet waits, here or with a neighbour. */
bool output_busy(const struct stack *s);

#endif
