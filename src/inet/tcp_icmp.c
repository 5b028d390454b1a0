/* tcp_icmp.c - ICMP errors that quote a segment of ours (RFC 5927, RFC 9293 3.9.2.2).
 *
 * Anybody can make such an error up. It counts only when the quoted sequence number is one that is
 * outstanding (RFC 5927 4.1); and even then it ends nothing but a connection that is being opened
 * (RFC 5927 5.2): on an established one retransmission decides. If nothing comes through until that
 * gives up, the error is the reason that the program is told (RFC 1122 4.2.3.9).
 *
 * A path that is said to be narrower than what has come through is not believed before a time-out
 * confirms it (RFC 5927 7.2, MAXSEGRTO 1): an error that is made up costs nothing then, a true one
 * a time-out, on a path that has changed under a connection.
 *
 * SPDX-License-Identifier: MIT
 */
#include "inet/tcp_icmp.h"
#include "inet/tcp_mtu.h"
#include "inet/tcp_output.h"
#include "inet/tcp_recovery.h"
#include "inet/tcp_timer.h"
#include "inet/tcp_undo.h"
#include <errno.h>

/* Have larger segments come through than an MTU of so many bytes lets, and do they still? */
static bool is_doubtful(const struct tcp_cb *cb, uint32_t mtu)
{
	return cb->rtx_count == 0 && !cb->syn_unacked &&
	       mtu < tcp_mtu_headers_bytes(cb) + cb->largest_acked;
}

/* Nothing that is outstanding is larger than that (RFC 5927 7.2: maxsizesent). */
static bool is_impossible(const struct tcp_cb *cb, uint32_t mtu)
{
	return mtu >= tcp_mtu_headers_bytes(cb) + tcp_flight(cb);
}

void tcp_icmp_time_out(struct tcp_cb *cb)
{
	uint16_t mtu = cb->claimed_mtu;

	cb->claimed_mtu = 0;
	if (seq_lt(cb->claimed_seq, cb->snd_una))
		return; /* that has come through */
	ip_path_mtu_lower(cb->sock.stack, &cb->sock.peer.ip, mtu);
	tcp_update_mss(cb);
}

/* RFC 5927 7.2, RFC 1191 6.4: smaller segments from now on; what was too large is sent again. */
static void path_mtu_changed(struct tcp_cb *cb, const struct icmp_error *e)
{
	uint32_t before = cb->mss;

	if (is_doubtful(cb, e->mtu)) {
		cb->claimed_mtu = e->mtu;
		cb->claimed_seq = e->seq;
		return;
	}
	ip_path_mtu_lower(cb->sock.stack, &e->peer.ip, e->mtu);
	if (cb->syn_unacked)
		return;
	tcp_update_mss(cb);
	if (cb->mss >= before)
		return;
	cb->cwnd = cb->cwnd / before * cb->mss; /* as many packets as before: RFC 4821 4 */
	if (cb->recovery != TCP_OPEN)
		return;
	tcp_recovery_lose_all(cb);
	tcp_undo_forget(cb);
	tcp_output_request(cb);
}

bool tcp_icmp_error(struct stack *s, const struct icmp_error *e)
{
	struct tcp_cb *cb = tcp_table_find(s->tcp, &e->peer.ip, e->peer.port, e->local.port);

	if (cb == NULL || seq_lt(e->seq, cb->snd_una) || seq_geq(e->seq, cb->snd_nxt) ||
	    (e->error == -EMSGSIZE && is_impossible(cb, e->mtu)))
		return false;
	if (e->error == -EMSGSIZE)
		path_mtu_changed(cb, e);
	else if (e->hard && cb->state == TCP_SYN_SENT)
		tcp_fail(cb, e->error);
	else
		cb->soft_error = (uint16_t)-e->error;
	return true;
}
