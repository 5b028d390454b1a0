/* tcp_undo.c - see tcp_undo.h.
 *
 * SPDX-License-Identifier: MIT
 */
#include "inet/tcp_undo.h"
#include "inet/tcp_output.h"
#include "inet/tcp_recovery.h"

void tcp_undo_prepare(struct tcp_cb *cb)
{
	if (cb->recovery != TCP_OPEN) {
		tcp_undo_forget(cb);
		return;
	}
	cb->undo_cwnd = cb->cwnd;
	cb->undo_ssthresh = cb->ssthresh;
	cb->undo_una = cb->snd_una;
	cb->undo_left = 0;
	cb->undo_timed = false;
}

void tcp_undo_sent_again(struct tcp_cb *cb)
{
	if (cb->undo_cwnd == 0)
		return;
	if (cb->undo_left++ == 0) {
		cb->undo_tsval = tcp_clock(cb->sock.stack) + cb->ts_offset;
		cb->undo_timed = cb->timestamps;
	}
}

/* RFC 3522 3.2, steps 3 and 4. Only the first acknowledgement counts; where it tells of a duplicate
 * it was an acknowledgement that was lost, not time that was short. */
static bool echo_is_older(struct tcp_cb *cb, const struct tcp_segment *seg)
{
	if (!cb->undo_timed)
		return false;
	cb->undo_timed = false;
	return seg->has.timestamps && seq_lt(seg->tsecr, cb->undo_tsval) &&
	       !(cb->sack && tcp_tells_of_duplicate(seg));
}

/* RFC 2883: of what this recovery has sent again nothing was needed. */
static bool all_were_duplicates(struct tcp_cb *cb, const struct tcp_segment *seg)
{
	uint32_t bytes = seg->sack[0].end - seg->sack[0].start, segments;

	if (!tcp_tells_of_duplicate(seg) || seq_lt(seg->sack[0].start, cb->undo_una) ||
	    cb->undo_left == 0)
		return false;
	segments = bytes <= cb->mss ? 1 : (bytes + cb->mss - 1) / cb->mss;
	cb->undo_left -= segments < cb->undo_left ? segments : cb->undo_left;
	return cb->undo_left == 0;
}

bool tcp_undo_detect(struct tcp_cb *cb, const struct tcp_segment *seg, bool advances)
{
	if (cb->undo_cwnd == 0)
		return false;
	if (cb->ecn && (seg->flags & TCP_ECE)) { /* RFC 4015 3.4: congested all the same */
		tcp_undo_forget(cb);
		return false;
	}
	return (advances && echo_is_older(cb, seg)) || (cb->sack && all_were_duplicates(cb, seg));
}

/* RFC 4015 3.2, step 7. Not less than a connection begins with. */
static uint32_t window_without_burst(const struct tcp_cb *cb, uint32_t bytes)
{
	uint32_t initial = TCP_INITIAL_SEGMENTS * cb->mss;
	uint32_t cwnd = tcp_pipe(cb) + (bytes < initial ? bytes : initial);

	if (cwnd < initial)
		cwnd = initial;
	return cwnd < cb->undo_cwnd ? cwnd : cb->undo_cwnd;
}

void tcp_undo(struct tcp_cb *cb, uint32_t bytes)
{
	uint32_t cwnd;

	cb->recovery = TCP_OPEN;
	cb->rtx_due = false;
	cb->lost_bytes = 0;
	if (cb->sent != NULL)
		tcp_sent_find_all(cb);
	tcp_recovery_forget_dupacks(cb);
	cwnd = window_without_burst(cb, bytes);
	if (cb->cwnd < cwnd)
		cb->cwnd = cwnd;
	cb->ssthresh = cb->undo_ssthresh > cb->undo_cwnd ? cb->undo_ssthresh : cb->undo_cwnd;
	cb->cc->undo(cb);
	tcp_undo_forget(cb);
	cb->sock.stack->stats.tcp_undone++;
	tcp_output_request(cb);
}
