/* tcp_ahead.h - what the segments of a burst are going to touch, asked for before the first of them
 * is taken in. Where many connections have a message each on its way, a segment finds nothing of
 * its connection in the caches: its place in the table, the control block, what is outstanding, and
 * the program's side are a chain of loads, each of which waits for the one before. Here each link
 * of the chain is asked for on behalf of all segments, so that they wait together.
 *
 * It reads frames that nobody has looked at yet, and changes nothing: what it finds is a guess,
 * which tcp_fast_find() compares.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef INET_TCP_AHEAD_H
#define INET_TCP_AHEAD_H

#include "inet/tcp_table.h"

/* Fills t->ahead[] for n <= TCP_AHEAD_FRAMES received frames. */
void tcp_ahead_look(struct tcp_table *t, struct buf *const bufs[], int n);

/* Before frame i of them is taken in. */
static inline void tcp_ahead_guess(struct tcp_table *t, int i)
{
	if (t->ahead[i] != NULL)
		t->last = t->ahead[i];
}

#endif
