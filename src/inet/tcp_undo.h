/* tcp_undo.h - was anything lost at all? A time-out may come before an acknowledgement that took
 * its time, and duplicate ACKs may tell of segments that have overtaken others. Then the window
 * should not have come down, and what is not sent again yet must not be.
 *
 * Two things tell. With timestamps, the first acknowledgement after something was sent again: its
 * echo is that of the first sending (Eifel, RFC 3522). With SACK, that all which was sent again was
 * reported as a duplicate (RFC 2883, 3708). The answer is that of RFC 4015: the window opens to
 * where it was, by slow start, so that no burst comes of it.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef INET_TCP_UNDO_H
#define INET_TCP_UNDO_H

#include "inet/tcp_cb.h"

/* A recovery is about to begin, cwnd and ssthresh are still as they were. A loss within a recovery
 * is taken to be one. */
void tcp_undo_prepare(struct tcp_cb *cb);

/* What is outstanding goes again for another reason than a loss. */
static inline void tcp_undo_forget(struct tcp_cb *cb)
{
	cb->undo_cwnd = 0;
}

/* A segment was sent again. */
void tcp_undo_sent_again(struct tcp_cb *cb);

/* Whether this acknowledgement, which is about to be taken in, tells that nothing was lost.
 * `advances`: it moves snd_una. */
bool tcp_undo_detect(struct tcp_cb *cb, const struct tcp_segment *seg, bool advances);

/* Nothing was lost: ends the recovery, if it lasts, and gives the window back. `bytes` were
 * acknowledged just now. */
void tcp_undo(struct tcp_cb *cb, uint32_t bytes);

#endif
