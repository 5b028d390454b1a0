/* tcp_rack.h - RACK-TLP (RFC 8985): what is lost is told by time. A segment is, when one that was
 * sent after it has arrived, and a reordering window has passed since it should have. So a lost
 * retransmission is found as any other loss is, and segments that overtake others are no loss; the
 * window grows where D-SACKs show that it was too small.
 *
 * And where nothing comes back because the end of a flight was lost, a tail loss probe asks before
 * the time-out does. A probe that would come no sooner than the time-out is left to that.
 *
 * All of it needs a log (tcp_sent.h); without one RFC 6675 is the rule (tcp_recovery.h), which also
 * does what follows from a loss, found either way.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef INET_TCP_RACK_H
#define INET_TCP_RACK_H

#include "inet/tcp_sent.h"

/* The peer reports something, for the first time since all was in order. */
void tcp_rack_begin(struct tcp_cb *cb);

/* `seg` acknowledges up to seg->ack, to which snd_una is about to move. */
void tcp_rack_acknowledged(struct tcp_cb *cb, const struct tcp_segment *seg);

/* It reports [start, end), which it did not before. */
void tcp_rack_reported(struct tcp_cb *cb, const struct tcp_segment *seg, uint32_t start,
		       uint32_t end);

/* It tells of a duplicate (RFC 2883). */
void tcp_rack_duplicate(struct tcp_cb *cb);

/* A recovery is over. */
void tcp_rack_recovered(struct tcp_cb *cb);

/* What tcp_rack_look() has found. */
struct tcp_rack_losses {
	bool any;   /* more than before is lost */
	bool again; /* of that, something that had been sent again */
	bool anew;  /* since the window was reduced last: that is a second indication of congestion
		       (RFC 5681 4.3) */
};

/* RFC 8985 6.2, step 5: marks what is lost by now, and starts the timer for the rest. */
struct tcp_rack_losses tcp_rack_look(struct tcp_cb *cb);

/* RFC 8985 6.3: the retransmission timer has fired. */
void tcp_rack_time_out(struct tcp_cb *cb);

/* Something was sent for the first time, or acknowledged, and more is outstanding: starts the timer
 * of the probe if there is to be one, and stops it if not (RFC 8985 7.2). */
void tcp_rack_schedule_probe(struct tcp_cb *cb);

/* rack_deadline_ns has come. */
void tcp_rack_fired(struct tcp_cb *cb);

/* The probe was sent; `again`: of what had been sent. */
void tcp_rack_probe_sent(struct tcp_cb *cb, bool again);

/* With a probe out, `seg` acknowledges what it asked about (RFC 8985 7.4). Before snd_una moves. */
void tcp_rack_probe_answered(struct tcp_cb *cb, const struct tcp_segment *seg);

#endif
