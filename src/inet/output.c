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

static void fifo_init(struct output_fifo *f)
{
	f->first = NULL;
	f->last = &f->first;
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

static void drop_all(struct stack *s, struct output_fifo *f)
{
	struct out_packet *p;

	while ((p = output_fifo_take(f)) != NULL)
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

struct out_packet *output_new(struct stack *s, bool answer, struct sock *owner)
{
	struct out_packet *p;

	if (output_room(s, answer) == 0)
		return NULL;
	p = output_take_slot(s, answer);
	memset(p, 0, sizeof(*p));
	p->answer = answer;
	p->owner = owner;
	if (owner != NULL)
		udp_packet_added(owner);
	return p;
}

/* Frees the slot; the references have gone elsewhere. */
static void retire(struct stack *s, struct out_packet *p)
{
	struct sock *owner = p->owner;

	output_free_slot(s, p);
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

int output_fill(struct stack *s, struct frame frames[], int n)
{
	struct output_queue *q = s->output;
	struct out_packet *p;
	int k = 0;

	while (k < n &&
	       ((p = output_fifo_take(&q->answers)) || (p = output_fifo_take(&q->datagrams)))) {
		s->queued--;
		output_describe(&frames[k++], p);
		retire(s, p);
	}
	return k;
}

bool output_busy(const struct stack *s)
{
	return s->output->answer_count + s->output->datagram_count > 0;
}
