/* tcp_sent.h - when what is outstanding was sent: the log that RACK looks at (tcp_rack.h).
 *
 * A log covers snd_una .. snd_nxt with runs, which lie one behind the other; each was sent at about
 * one time, is lost or is not, and has been sent once or more often. What is sent for the first
 * time extends the last run for a small part of a round trip, so that a window without losses is a
 * few dozen runs, however large it is. A run that was extended counts as sent at its latest time,
 * which makes nothing look lost too soon; the order inside it is that of its numbers.
 *
 * Only a connection with SACK and with more than a segment outstanding has a log, for as long as
 * that lasts: a request and its reply cost nothing here. There are as many logs as sets of ranges
 * (tcp_sets.h), in two sizes. Whoever gets none recovers by counting what was reported (RFC 6675),
 * and so does one whose log has overflowed or had to be given back.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef INET_TCP_SENT_H
#define INET_TCP_SENT_H

#include "inet/tcp_cb.h"
#include "inet/tcp_sets.h"

struct tcp_run {
	uint32_t end;  /* it begins where the one before ends, the first one at or before snd_una */
	uint32_t sent; /* tcp_fine_clock() of its last sending */
	bool again;    /* not for the first time */
	bool lost;     /* and not sent again since */
};

struct tcp_sent {
	struct tcp_set set; /* first: tcp_sets.h */
	uint16_t first;     /* index of the lowest run: those in front of it were acknowledged */
	uint16_t count;
	uint32_t begun;     /* tcp_fine_clock() when the last run was */
	bool closed;        /* it is not extended: something was sent again since */
	uint32_t lost_from; /* nothing before this is lost */

	/* RACK (RFC 8985 5.3). Of all that was delivered since something was reported: when what
	 * was sent last was sent, its end, and how long it took. */
	bool rack_valid;
	uint32_t rack_sent, rack_end, rack_rtt;
	uint32_t fack;   /* behind the highest number that was delivered */
	uint32_t oldest; /* nothing that is on its way was sent before this: a bound */
	/* tcp_fine_clock() when a loss reduced the window last, or the log began: what went again
	 * before that and is lost is of the same congestion. */
	uint32_t reduced;
	struct tcp_run run[];
};

/* Bytes of a log. */
uint32_t tcp_sent_bytes(enum tcp_set_size size);

/* `before` .. snd_nxt was sent for the first time, just now. Makes a log if cb may have one. */
void tcp_sent_first(struct tcp_cb *cb, uint32_t before);

/* [seq, end) was sent again, just now, and is on its way. False: there is no log any more. */
bool tcp_sent_again(struct tcp_cb *cb, uint32_t seq, uint32_t end);

/* [start, end), which lies in one run, is lost. As tcp_sent_again(). */
bool tcp_sent_lose(struct tcp_cb *cb, uint32_t start, uint32_t end);

/* All that was not reported is lost. */
void tcp_sent_lose_all(struct tcp_cb *cb);

/* lost_bytes anew, after marks were set. */
void tcp_sent_count_lost(struct tcp_cb *cb);

/* Nothing is lost, as it turned out. */
void tcp_sent_find_all(struct tcp_cb *cb);

/* Index of the run that holds seq; behind the last, when seq is snd_nxt or beyond. */
uint32_t tcp_sent_find(const struct tcp_sent *t, uint32_t seq);

/* Where the run of that index begins, but not before snd_una. */
static inline uint32_t tcp_sent_start(const struct tcp_cb *cb, const struct tcp_sent *t, uint32_t i)
{
	return i > t->first && seq_gt(t->run[i - 1].end, cb->snd_una) ? t->run[i - 1].end
								      : cb->snd_una;
}

static inline uint32_t tcp_sent_last(const struct tcp_sent *t)
{
	return (uint32_t)t->first + t->count;
}

/* The part of [start, end) that is lost, reported or not. */
uint32_t tcp_sent_lost_in(const struct tcp_cb *cb, uint32_t start, uint32_t end);

/* The first hole that is lost: [*seq, *seq + result), 0: there is none. */
uint32_t tcp_sent_next_lost(const struct tcp_cb *cb, uint32_t *seq);

/* How long ago the segment in front of `seq`, at or before snd_una, was sent, in ns; 0: unknown, or
 * it was sent more than once. */
uint64_t tcp_sent_age_ns(struct tcp_cb *cb, uint32_t seq);

/* Gives the log back: nothing is outstanding, or it does not matter any more. */
void tcp_sent_clear(struct tcp_cb *cb);

/* Gives the log back, while it is needed: recovery goes on without, as RFC 6675 has it. What lies
 * between two things that were lost counts as lost then. */
void tcp_sent_give_up(struct tcp_cb *cb);

#endif
