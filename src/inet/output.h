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

struct output_fifo {
	struct out_packet *first, **last;
};

struct output_queue {
	struct output_fifo answers, datagrams;
	struct out_packet *free;
	uint32_t answer_count, datagram_count; /* under way: here or with a neighbour */
	struct out_packet slots[OUTPUT_ANSWERS + OUTPUT_DATAGRAMS];
};

int output_create(struct stack *s); /* -ENOMEM */
void output_destroy(struct stack *s);

/* A packet with all fields zero but `answer` and `owner`, which is told by udp_packet_added();
 * NULL: so many are under way already. */
struct out_packet *output_new(struct stack *s, bool answer, struct sock *owner);

/* How many more output_new() would give. */
static inline uint32_t output_room(const struct stack *s, bool answer)
{
	const struct output_queue *q = s->output;

	return answer ? OUTPUT_ANSWERS - q->answer_count : OUTPUT_DATAGRAMS - q->datagram_count;
}

/* A slot, when there is output_room(). No field is set, and nobody was told. */
static inline struct out_packet *output_take_slot(struct stack *s, bool answer)
{
	struct output_queue *q = s->output;
	struct out_packet *p = q->free;

	++*(answer ? &q->answer_count : &q->datagram_count);
	q->free = p->next;
	return p;
}

/* Frees the slot, whose references have gone elsewhere. Nobody is told. */
static inline void output_free_slot(struct stack *s, struct out_packet *p)
{
	struct output_queue *q = s->output;

	--*(p->answer ? &q->answer_count : &q->datagram_count);
	p->next = q->free;
	q->free = p;
}

static inline void output_fifo_add(struct output_fifo *f, struct out_packet *p)
{
	p->next = NULL;
	*f->last = p;
	f->last = &p->next;
}

/* NULL: it is empty. */
static inline struct out_packet *output_fifo_take(struct output_fifo *f)
{
	struct out_packet *p = f->first;

	if (p == NULL)
		return NULL;
	f->first = p->next;
	if (f->first == NULL)
		f->last = &f->first;
	return p;
}

/* Takes p: to be sent. Its Ethernet header is complete. */
static inline void output_queue(struct stack *s, struct out_packet *p)
{
	output_fifo_add(p->answer ? &s->output->answers : &s->output->datagrams, p);
	s->queued++;
}

/* The frame that p is to be. */
static inline void output_describe(struct frame *f, const struct out_packet *p)
{
	f->head = p->head;
	f->len = p->head->len + p->len;
	f->l3_offset = p->l3_offset;
	f->l4_offset = p->l4_offset;
	f->offload = p->offload;
	f->tso_mss = 0;
	f->nfrags = p->payload != NULL;
	if (p->payload != NULL)
		f->frags[0] = (struct frame_frag){p->payload, p->data, p->len};
}

/* Takes p, complete or not: it will not be sent. */
void output_drop(struct stack *s, struct out_packet *p);

/* Fills up to n frames; says how many. */
int output_fill(struct stack *s, struct frame frames[], int n);

/* True while a packet waits, here or with a neighbour. */
bool output_busy(const struct stack *s);

#endif
