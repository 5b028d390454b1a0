/* output.c - packets on their way out. Slots come from an array made with the stack.
 *
 * SPDX-License-Identifier: MIT
 */
#include "inet/output.h"
#include "inet/limits.h"
#include "inet/udp.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct fifo {
	struct out_packet *first, **last;
};

struct output_queue {
	struct fifo answers, datagrams;
	struct out_packet *free;
	uint32_t answer_count, datagram_count; /* under way: here or with a neighbour */
	struct out_packet slots[OUTPUT_ANSWERS + OUTPUT_DATAGRAMS];
};

static void fifo_init(struct fifo *f)
{
	f->first = NULL;
	f->last = &f->first;
}

static void fifo_add(struct fifo *f, struct out_packet *p)
{
	p->next = NULL;
	*f->last = p;
	f->last = &p->next;
}

static struct out_packet *fifo_take(struct fifo *f)
{
	struct out_packet *p = f->first;

	if (p == NULL)
		return NULL;
	f->first = p->next;
	if (f->first == NULL)
		f->last = &f->first;
	return p;
}

int output_create(struct stack *s)
{
	struct output_queue *q = calloc(1, sizeof(*q));

	if (q == NULL)
		return -ENOMEM;
	fifo_init(&q->answers);
	fifo_init(&q->datagrams);
	for (size_t i = 0; i < sizeof(q->slots) / sizeof(q->slots[0]); i++) {
		q->slots[i].next = q->free;
		q->free = &q->slots[i];
	}
	s->output = q;
	return 0;
}

static void drop_all(struct stack *s, struct fifo *f)
{
	struct out_packet *p;

	while ((p = fifo_take(f)) != NULL)
		output_drop(s, p);
}

void output_destroy(struct stack *s)
{
	if (s->output == NULL)
		return;
	drop_all(s, &s->output->answers);
	drop_all(s, &s->output->datagrams);
	free(s->output);
	s->output = NULL;
}

uint32_t output_room(const struct stack *s, bool answer)
{
	const struct output_queue *q = s->output;

	return answer ? OUTPUT_ANSWERS - q->answer_count : OUTPUT_DATAGRAMS - q->datagram_count;
}

struct out_packet *output_new(struct stack *s, bool answer, struct sock *owner)
{
	struct output_queue *q = s->output;
	uint32_t *count = answer ? &q->answer_count : &q->datagram_count;
	struct out_packet *p = q->free;

	if (output_room(s, answer) == 0)
		return NULL;
	++*count;
	q->free = p->next;
	memset(p, 0, sizeof(*p));
	p->answer = answer;
	p->owner = owner;
	if (owner != NULL)
		udp_packet_added(owner);
	return p;
}

void output_queue(struct stack *s, struct out_packet *p)
{
	fifo_add(p->answer ? &s->output->answers : &s->output->datagrams, p);
	s->queued++;
}

/* Frees the slot; the references have gone elsewhere. */
static void retire(struct stack *s, struct out_packet *p)
{
	struct output_queue *q = s->output;
	struct sock *owner = p->owner;

	--*(p->answer ? &q->answer_count : &q->datagram_count);
	p->next = q->free;
	q->free = p;
	if (owner != NULL)
		udp_packet_gone(owner);
}

void output_drop(struct stack *s, struct out_packet *p)
{
	if (p->head != NULL)
		buf_unref(p->head);
	if (p->payload != NULL)
		buf_unref(p->payload);
	retire(s, p);
}

static void fill(struct frame *f, const struct out_packet *p)
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

int output_fill(struct stack *s, struct frame frames[], int n)
{
	struct output_queue *q = s->output;
	struct out_packet *p;
	int k = 0;

	while (k < n && ((p = fifo_take(&q->answers)) || (p = fifo_take(&q->datagrams)))) {
		s->queued--;
		fill(&frames[k++], p);
		retire(s, p);
	}
	return k;
}

bool output_busy(const struct stack *s)
{
	return s->output->answer_count + s->output->datagram_count > 0;
}
