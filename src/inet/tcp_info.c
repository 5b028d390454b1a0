/* tcp_info.c - see tcp_info.h.
 *
 * SPDX-License-Identifier: MIT
 */
#include "inet/tcp_info.h"
#include "inet/tcp_output.h"
#include "inet/tcp_pace.h"
#include "inet/tcp_receive.h"
#include "inet/tcp_recovery.h"
#include <linux/tcp.h> /* netinet/tcp.h names states as we do */

enum { NS_PER_US = 1000, NS_PER_MS = 1000000 };
enum { SSTHRESH_NONE = 0x7fffffff }; /* as the kernel says it */

/* The kernel's numbers of states. */
static const uint8_t states[] = {
    [TCP_ESTABLISHED] = 1, [TCP_SYN_SENT] = 2,  [TCP_SYN_RECEIVED] = 3, [TCP_FIN_WAIT_1] = 4,
    [TCP_FIN_WAIT_2] = 5,  [TCP_TIME_WAIT] = 6, [TCP_CLOSED] = 7,       [TCP_CLOSE_WAIT] = 8,
    [TCP_LAST_ACK] = 9,    [TCP_LISTEN] = 10,   [TCP_CLOSING] = 11,
};

static uint8_t ca_state(const struct tcp_cb *cb)
{
	switch (cb->recovery) {
	case TCP_FAST_RECOVERY:
		return TCP_CA_Recovery;
	case TCP_LOSS_RECOVERY:
		return TCP_CA_Loss;
	default:
		return tcp_arrived(cb) > 0 ? TCP_CA_Disorder : TCP_CA_Open;
	}
}

static uint32_t segments(const struct tcp_cb *cb, uint32_t bytes)
{
	return cb->mss == 0 ? 0 : (bytes + cb->mss - 1) / cb->mss;
}

/* As the kernel says it: all bits set where none was measured. */
static uint32_t min_rtt_us(const struct tcp_cb *cb)
{
	if (cb->min_rtt == 0)
		return UINT32_MAX;
	return (uint32_t)(((uint64_t)cb->min_rtt << TCP_FINE_SHIFT) / NS_PER_US);
}

static void fill_path(const struct tcp_cb *cb, struct tcp_info *info)
{
	info->tcpi_rto = (uint32_t)(cb->rto_ns / NS_PER_US);
	info->tcpi_ato = (uint32_t)(TCP_DELAYED_ACK_NS / NS_PER_US);
	info->tcpi_rtt = (uint32_t)(cb->srtt_ns / NS_PER_US);
	info->tcpi_min_rtt = min_rtt_us(cb);
	info->tcpi_rttvar = (uint32_t)(cb->rttvar_ns / NS_PER_US);
	info->tcpi_snd_mss = cb->mss;
	info->tcpi_rcv_mss = cb->rcv_mss;
	info->tcpi_advmss = tcp_own_mss(cb);
	info->tcpi_pmtu =
	    cb->mtu_limited ? cb->search_low : ip_path_mtu_told(cb->sock.stack, &cb->sock.peer.ip);
	info->tcpi_last_ack_recv = (uint32_t)((cb->sock.stack->now_ns - cb->heard_ns) / NS_PER_MS);
}

static void fill_sending(const struct tcp_cb *cb, struct tcp_info *info)
{
	info->tcpi_ca_state = ca_state(cb);
	info->tcpi_retransmits = info->tcpi_backoff = cb->rtx_count;
	info->tcpi_probes = cb->keepalive_sent;
	info->tcpi_unacked = segments(cb, tcp_flight(cb));
	info->tcpi_sacked = segments(cb, tcp_arrived(cb));
	info->tcpi_lost = cb->recovery == TCP_OPEN ? 0 : segments(cb, cb->lost_bytes);
	info->tcpi_total_retrans = cb->retransmitted;
	info->tcpi_reordering = TCP_DUPACKS;
	info->tcpi_snd_cwnd = segments(cb, cb->cwnd);
	info->tcpi_snd_ssthresh =
	    cb->ssthresh == UINT32_MAX ? SSTHRESH_NONE : segments(cb, cb->ssthresh);
	info->tcpi_snd_wnd = cb->snd_wnd;
	info->tcpi_pacing_rate = tcp_pace_rate(cb);
	info->tcpi_max_pacing_rate = cb->max_pacing_rate;
	info->tcpi_bytes_acked = cb->acked_bytes;
	info->tcpi_notsent_bytes = tcp_fin_sent(cb) ? 0 : cb->snd_end - cb->snd_nxt;
}

void tcp_info_fill(const struct tcp_cb *cb, struct tcp_info *info)
{
	memset(info, 0, sizeof(*info));
	info->tcpi_state = states[cb->state];
	if (cb->state == TCP_LISTEN) { /* as the kernel tells of its queue */
		info->tcpi_unacked = cb->accept_count;
		info->tcpi_sacked = cb->backlog;
		return;
	}
	if (cb->timestamps)
		info->tcpi_options |= TCPI_OPT_TIMESTAMPS;
	if (cb->sack)
		info->tcpi_options |= TCPI_OPT_SACK;
	if (cb->window_scale)
		info->tcpi_options |= TCPI_OPT_WSCALE;
	if (cb->ecn)
		info->tcpi_options |= TCPI_OPT_ECN;
	info->tcpi_snd_wscale = cb->snd_shift & 15;
	info->tcpi_rcv_wscale = cb->rcv_shift & 15;
	if (!tcp_synchronized(cb))
		return;
	info->tcpi_rcv_ssthresh = cb->recv_limit;
	info->tcpi_bytes_received = tcp_received_bytes(cb);
	fill_path(cb, info);
	fill_sending(cb, info);
}
