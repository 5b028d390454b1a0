/* tcp_mtu.c - see tcp_mtu.h.
 *
 * SPDX-License-Identifier: MIT
 */
#include "inet/tcp_mtu.h"
#include "inet/tcp_output.h"
#include "inet/tcp_ranges.h"
#include "inet/tcp_recovery.h"
#include "inet/tcp_timer.h"

/* MTUs that paths have (RFC 4821 7.3, RFC 1191 7.1): Ethernet and its jumbo frames, with what
 * tunnels and PPPoE take of them. Others are searched for by halves. */
static const uint16_t likely[] = {1280, 1380, 1400, 1420, 1440, 1460, 1472, 1480,  1492, 1500,
				  2002, 4000, 4352, 8166, 8950, 8980, 9000, 16114, 65535};

/* RFC 4821 7.3: the search is over where the rest would gain less than this part of eff_pmtu. */
enum { WORTH_DIVISOR = 64 };

uint32_t tcp_mtu_headers_bytes(const struct tcp_cb *cb)
{
	return ip_header_bytes(&cb->sock.peer.ip) + cb->header_bytes;
}

/* Bytes of the largest packet that nothing but the path forbids. */
static uint32_t allowed_bytes(const struct tcp_cb *cb)
{
	return ip_header_bytes(&cb->sock.peer.ip) + TCP_HEADER_BYTES + tcp_largest_mss(cb);
}

static bool has_room(uint32_t low, uint32_t high)
{
	return high > low && high - low >= low / WORTH_DIVISOR;
}

/* The search goes on at `deadline_ns`; 0: at once. */
static void search_at(struct tcp_cb *cb, uint64_t deadline_ns)
{
	cb->mtu_search = deadline_ns <= cb->sock.stack->now_ns;
	cb->mss_deadline_ns = cb->mtu_search ? UINT64_MAX : deadline_ns;
	tcp_timer_need(cb, cb->mss_deadline_ns);
}

/* search_low or search_high has changed: is there something left to search? */
static void look(struct tcp_cb *cb)
{
	struct stack *s = cb->sock.stack;
	uint32_t most = allowed_bytes(cb);

	cb->mtu_fails = 0;
	if (cb->search_low >= most) {
		cb->mtu_limited = cb->mtu_search = false;
		if (cb->search_low >= ip_path_mtu_told(s, &cb->sock.peer.ip))
			ip_path_probed(s, &cb->sock.peer.ip, s->ip_mtu);
	} else if (has_room(cb->search_low, cb->search_high)) {
		search_at(cb, 0);
	} else {
		ip_path_probed(s, &cb->sock.peer.ip, cb->search_low);
		search_at(cb, s->now_ns + TCP_MTU_RAISE_NS);
	}
	tcp_update_mss(cb);
}

static void limit_to(struct tcp_cb *cb, uint32_t low, uint32_t high)
{
	cb->mtu_limited = true;
	cb->search_low = (uint16_t)low;
	cb->search_high = (uint16_t)high;
	cb->mtu_probe_bytes = 0;
}

void tcp_mtu_begin(struct tcp_cb *cb)
{
	struct stack *s = cb->sock.stack;
	uint32_t most = allowed_bytes(cb), found;
	uint64_t raise_ns = 0;

	cb->search_low = cb->search_high = 0;
	if (s->cfg.mtu_probing == STACK_MTU_OFF)
		return;
	found = ip_path_mtu_probed(s, &cb->sock.peer.ip, &raise_ns);
	if (found == 0 && s->cfg.mtu_probing == STACK_MTU_ALWAYS)
		found = TCP_MTU_BASE_BYTES;
	if (found == 0 || found >= most)
		return;
	limit_to(cb, found, most);
	search_at(cb, raise_ns);
	tcp_update_mss(cb);
}

void tcp_mtu_allowed(struct tcp_cb *cb, uint32_t mtu_bytes)
{
	if (cb->search_high > mtu_bytes)
		cb->search_high = (uint16_t)mtu_bytes;
	if (cb->search_low >= mtu_bytes)
		cb->mtu_limited = cb->mtu_search = false;
}

/* The size of the next probe. The largest comes first: mostly it was no black hole, but a way that
 * was gone for a while (RFC 4821 7.3 lets a probe be of any size in the range). */
static uint32_t next_size(const struct tcp_cb *cb)
{
	uint32_t low = cb->search_low, high = cb->search_high, first = 0, behind;

	if (high == allowed_bytes(cb))
		return high;
	while (first < sizeof(likely) / sizeof(likely[0]) && likely[first] <= low)
		first++;
	behind = first;
	while (behind < sizeof(likely) / sizeof(likely[0]) && likely[behind] <= high)
		behind++;
	if (first < behind)
		return likely[first + (behind - first) / 2];
	return low + (high - low + 1) / 2;
}

/* RFC 4821 7.4: nothing is lost or in doubt, and what follows a probe will show whether it is. */
static bool is_calm(const struct tcp_cb *cb)
{
	return cb->recovery == TCP_OPEN && cb->mtu_probe_bytes == 0 && cb->sacked_bytes == 0 &&
	       cb->dupacks == 0 && !cb->tlp_due && !cb->tlp_out && tcp_has_scoreboard(cb) &&
	       !cb->fin_queued;
}

/* A message of more than a segment: little or nothing follows, and where it is lost a tail loss
 * probe asks for it. Or a connection that has no more at a time would be slow for ever. */
static uint32_t choose_message(const struct tcp_cb *cb, uint32_t unsent, uint32_t most)
{
	uint32_t bytes = unsent < most ? unsent : most;

	if (tcp_flight(cb) > 0 || bytes > cb->cwnd || bytes > cb->snd_wnd ||
	    !has_room(cb->mss, bytes))
		return TCP_MTU_NO_PROBE;
	return bytes;
}

uint32_t tcp_mtu_choose(const struct tcp_cb *cb, uint32_t unsent)
{
	uint32_t bytes = next_size(cb) - tcp_mtu_headers_bytes(cb), flight = tcp_flight(cb);
	uint32_t needed = bytes + TCP_DUPACKS * cb->mss;

	if (!is_calm(cb) || bytes <= cb->mss ||
	    ip_path_is_narrow(cb->sock.stack, &cb->sock.peer.ip))
		return TCP_MTU_NO_PROBE;
	if (unsent < needed)
		return choose_message(cb, unsent, bytes);
	if (cb->snd_wnd < flight + needed || cb->cwnd < needed)
		return TCP_MTU_NO_PROBE;
	return cb->cwnd < flight + bytes ? TCP_MTU_WAIT : bytes;
}

void tcp_mtu_probe_sent(struct tcp_cb *cb, uint32_t bytes)
{
	cb->mtu_probe_bytes = (uint16_t)bytes;
	cb->mtu_probe_end = cb->snd_nxt;
	cb->sock.stack->stats.tcp_mtu_probes++;
}

/* Bytes of its packet; it is not on its way any more. */
static uint16_t take_probe(struct tcp_cb *cb)
{
	uint32_t bytes = tcp_mtu_headers_bytes(cb) + cb->mtu_probe_bytes;

	cb->mtu_probe_bytes = 0;
	return (uint16_t)bytes;
}

void tcp_mtu_probe_arrived(struct tcp_cb *cb)
{
	uint16_t bytes = take_probe(cb);

	cb->sock.stack->stats.tcp_mtu_raised++;
	if (!cb->mtu_limited || bytes <= cb->search_low)
		return; /* an error has told of the path meanwhile */
	cb->search_low = bytes;
	look(cb);
}

bool tcp_mtu_only_probe_is_lost(const struct tcp_cb *cb)
{
	uint32_t seq;

	return cb->sent != NULL && cb->lost_bytes == cb->mtu_probe_bytes &&
	       tcp_sent_next_lost(cb, &seq) == cb->mtu_probe_bytes &&
	       seq == cb->mtu_probe_end - cb->mtu_probe_bytes;
}

/* RFC 4821 4 and 7.6.2: losses that cost no window are rarer than those that do. These are at most
 * as many round trips apart as the window has segments (RFC 5681 3.1), or the time that CUBIC takes
 * from one to the next (RFC 9438 4.2), which is below a minute for each window there can be. */
static uint64_t pause_ns(const struct tcp_cb *cb)
{
	uint64_t apart_ns = (cb->cwnd / cb->mss + UINT64_C(1)) * cb->srtt_ns;

	return apart_ns < TCP_MTU_PAUSE_MAX_NS ? apart_ns : TCP_MTU_PAUSE_MAX_NS;
}

/* Of `bytes`, as a packet. Once may be chance. */
static void failed(struct tcp_cb *cb, uint16_t bytes)
{
	cb->sock.stack->stats.tcp_mtu_probes_lost++;
	if (!cb->mtu_limited || bytes <= cb->search_low)
		return;
	if (++cb->mtu_fails >= TCP_MTU_TRIES) {
		if (bytes <= cb->search_high)
			cb->search_high = bytes - 1;
		look(cb);
	}
	if (cb->mtu_search)
		search_at(cb, cb->sock.stack->now_ns + pause_ns(cb));
}

void tcp_mtu_probe_lost(struct tcp_cb *cb)
{
	failed(cb, take_probe(cb));
}

void tcp_mtu_probe_forget(struct tcp_cb *cb)
{
	uint32_t end = cb->mtu_probe_end, bytes = cb->mtu_probe_bytes;

	if (tcp_ranges_overlap(cb, end - bytes, end) == bytes)
		tcp_mtu_probe_arrived(cb);
	else if (cb->snd_una == end - bytes && cb->snd_nxt == end)
		tcp_mtu_probe_lost(cb); /* nothing but it was on its way */
	else
		cb->mtu_probe_bytes = 0;
}

/* The first segment of what is outstanding fits such a packet. */
static bool is_small(const struct tcp_cb *cb, uint32_t mtu_bytes)
{
	uint32_t hole, flight = tcp_flight(cb);

	if (tcp_ranges_hole(cb, cb->snd_una, &hole) != cb->snd_una)
		return true;
	return (hole < flight ? hole : flight) + tcp_mtu_headers_bytes(cb) <= mtu_bytes;
}

/* RFC 4821 7.7: first what is likely to work anywhere, with a further time-out half of it, and so
 * on, whatever of it was sent as yet; but as for an error that makes such a claim, no less than the
 * floor. */
static uint32_t smaller_mtu(const struct tcp_cb *cb)
{
	uint32_t mtu = tcp_mtu_headers_bytes(cb) + cb->mss;

	if (mtu > TCP_MTU_BASE_BYTES) {
		if (cb->rtx_count == TCP_R1_RETRANSMISSIONS || !is_small(cb, TCP_MTU_BASE_BYTES))
			return TCP_MTU_BASE_BYTES;
		mtu = TCP_MTU_BASE_BYTES;
	}
	return mtu / 2 > PMTU_FLOOR_BYTES ? mtu / 2 : PMTU_FLOOR_BYTES;
}

bool tcp_mtu_time_out(struct tcp_cb *cb)
{
	struct stack *s = cb->sock.stack;
	uint32_t mtu = smaller_mtu(cb);

	if (s->cfg.mtu_probing == STACK_MTU_OFF || cb->rtx_count < TCP_R1_RETRANSMISSIONS ||
	    cb->soft_error != 0 || cb->no_route || is_small(cb, mtu) ||
	    mtu >= tcp_mtu_headers_bytes(cb) + cb->mss)
		return false;
	limit_to(cb, mtu, allowed_bytes(cb));
	s->stats.tcp_mtu_black_holes++;
	look(cb);
	return true;
}

void tcp_mtu_deadline(struct tcp_cb *cb)
{
	if (!cb->mtu_limited) {
		tcp_update_mss(cb);
		return;
	}
	if (!has_room(cb->search_low, cb->search_high))
		cb->search_high = (uint16_t)allowed_bytes(cb);
	search_at(cb, 0);
}
