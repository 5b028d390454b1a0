/* tcp_recovery.h - what of that which was sent is lost, and what of it goes again when: RFC 6675
 * with SACK, RFC 6582 without, RFC 6298 5 after a timeout; and how much may be sent meanwhile:
 * proportional rate reduction, RFC 6937 and 9937. (What is lost is told by time where there is a
 * log of what was sent, RFC 8985; tcp_rack.h. Then the marks are in there, and rtx_next and
 * lost_end below say nothing.) None of it depends on the congestion control, which only says how
 * far the window comes down (ssthresh; tcp_cc.h).
 *
 * What is outstanding, snd_una .. snd_nxt, is one of three things: arrived (reported by SACK, see
 * tcp_ranges.h; or guessed from duplicate ACKs where there is no SACK), lost, or on its way. The
 * last is the pipe of RFC 6675, which cwnd bounds, in recovery and out of it. So limited transmit
 * (RFC 3042) and the inflation of the window in RFC 6582 need no code of their own.
 *
 *     snd_una       rtx_next         lost_end      snd_nxt
 *        |  sent again  |  lost, to go   |  on its way |      each but for what was reported
 *
 * lost_bytes counts the middle part. It is kept up to date by whoever moves one of its ends or
 * reports bytes inside it, so that nobody has to walk the scoreboard for a segment.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef INET_TCP_RECOVERY_H
#define INET_TCP_RECOVERY_H

#include "inet/tcp_sent.h"

/* Is what the peer reports remembered? Otherwise duplicate ACKs are counted (RFC 6582). */
static inline bool tcp_has_scoreboard(const struct tcp_cb *cb)
{
	return cb->sack && !cb->no_scoreboard;
}

/* Duplicate ACKs are counted from 0 on, and a scoreboard is tried anew. */
static inline void tcp_recovery_forget_dupacks(struct tcp_cb *cb)
{
	cb->dupacks = 0;
	cb->no_scoreboard = false;
}

/* Bytes that are known to have arrived out of order: reported, or one segment for each duplicate
 * ACK. */
uint32_t tcp_arrived(const struct tcp_cb *cb);

/* Bytes on their way (RFC 6675 4, SetPipe). */
uint32_t tcp_pipe(const struct tcp_cb *cb);

/* The part of [start, end) that counts as lost and has not been sent again, reported or not. */
static inline uint32_t tcp_recovery_unsent(const struct tcp_cb *cb, uint32_t start, uint32_t end)
{
	if (cb->sent != NULL)
		return tcp_sent_lost_in(cb, start, end);
	if (cb->recovery == TCP_OPEN)
		return 0;
	if (seq_lt(start, cb->rtx_next))
		start = cb->rtx_next;
	if (seq_gt(end, cb->lost_end))
		end = cb->lost_end;
	return seq_lt(start, end) ? end - start : 0;
}

/* All that is outstanding counts as lost and is sent again, as cwnd lets it: after a timeout
 * (RFC 6298 5.4 to 5.7), when a closed window opens, when the path has become narrower. What was
 * reported is not, unless the peer seems to have dropped it. */
void tcp_recovery_lose_all(struct tcp_cb *cb);

/* The retransmission timer has fired: the first segment is lost, and where there is a log all that
 * has been on its way for too long (RFC 8985 6.3), otherwise all. */
void tcp_recovery_time_out(struct tcp_cb *cb);

/* The reordering timer has fired: looks what is lost by now. */
void tcp_recovery_timed_losses(struct tcp_cb *cb);

/* In recovery, snd_una has moved over `bytes` of the program's. */
void tcp_recovery_advance(struct tcp_cb *cb, uint32_t bytes);

/* What an acknowledgement has brought, for tcp_recovery_ack(). */
struct tcp_ack_news {
	uint32_t advanced; /* numbers by which snd_una has moved */
	uint32_t arrived;  /* tcp_arrived() before it */
	bool duplicate;    /* RFC 5681 2, RFC 6675 2 */
};

/* To be called with each acknowledgement once snd_una and the scoreboard are up to date: notices a
 * loss, and in recovery decides how much may go now. */
void tcp_recovery_ack(struct tcp_cb *cb, const struct tcp_ack_news *news);

/* How eagerly something is sent again (RFC 6675 4, NextSeg). */
enum tcp_rtx_rule {
	TCP_RTX_LOST,    /* rule 1: what is lost */
	TCP_RTX_DOUBTED, /* rules 3 and 4, when nothing new can be sent: holes that may be lost,
			    and the end */
};

/* What is sent again next: [*seq, *seq + result), at most one segment and within the peer's window;
 * 0: nothing may be, now. FIN counts as a number. */
uint32_t tcp_recovery_next(const struct tcp_cb *cb, enum tcp_rtx_rule rule, uint32_t *seq);

/* [seq, end) was sent again, with that rule. */
void tcp_recovery_sent_again(struct tcp_cb *cb, enum tcp_rtx_rule rule, uint32_t seq, uint32_t end);

/* [seq, end), the end of what is outstanding, was sent again to ask for an acknowledgement. */
void tcp_recovery_probed(struct tcp_cb *cb, uint32_t seq, uint32_t end);

/* In recovery, so many bytes were sent for the first time. */
static inline void tcp_recovery_sent_new(struct tcp_cb *cb, uint32_t bytes)
{
	cb->prr_out += bytes;
}

#endif
