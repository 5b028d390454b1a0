/* tcp_cc.h - congestion control as a small vtable. tcp_ack.c and tcp_recovery.c find out what
 * happened (bytes acknowledged, a loss, a timeout) and when; an algorithm answers by setting
 * cb->cwnd and cb->ssthresh, in bytes, and may keep what it likes in cb->cc_private. It sends
 * nothing. From loss() on cwnd is not its own until recovery is over: see tcp_recovery.h.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef INET_TCP_CC_H
#define INET_TCP_CC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct tcp_cb;

struct tcp_cc {
	const char *name;
	bool needs_ecn; /* it lives on marks: ECN is asked for, and each is echoed (RFC 8257) */
	/* The connection is established, its MSS known: sets cwnd and ssthresh. */
	void (*init)(struct tcp_cb *cb);
	/* `bytes` were acknowledged for the first time outside recovery, while cwnd was what held
	 * the sender back. */
	void (*acked)(struct tcp_cb *cb, uint32_t bytes);
	/* A loss was found, once for each window: ssthresh comes down, cwnd follows it while
	 * recovery lasts. `flight` is what was outstanding, in bytes. */
	void (*loss)(struct tcp_cb *cb, uint32_t flight);
	/* The peer has echoed a mark (RFC 3168), once for each window: ssthresh comes down, and
	 * cwnd to it. */
	void (*marked)(struct tcp_cb *cb, uint32_t flight);
	/* With ECN: so many bytes were acknowledged, with an echo or without. May be NULL. */
	void (*counted)(struct tcp_cb *cb, uint32_t bytes, bool echo);
	/* The retransmission timer fired; `first` of this series. */
	void (*timeout)(struct tcp_cb *cb, uint32_t flight, bool first);
	/* The last loss or time-out was none: cwnd and ssthresh are given back already. */
	void (*undo)(struct tcp_cb *cb);
	/* Nothing was sent for a retransmission timeout (RFC 5681 4.1). */
	void (*idle)(struct tcp_cb *cb);
};

/* NewReno: RFC 5681, 6582. CUBIC: RFC 9438. DCTCP: RFC 8257. None: no congestion control at all. */
extern const struct tcp_cc tcp_newreno, tcp_cubic, tcp_dctcp, tcp_none;

/* The algorithm of that name, of len bytes, which is the kernel's for it; NULL: there is none. */
const struct tcp_cc *tcp_cc_find(const char *name, size_t len);

/* Another algorithm for cb, from now on; its window stays. */
void tcp_cc_change(struct tcp_cb *cb, const struct tcp_cc *cc);

/* What they share. The initial window (RFC 6928), nothing private yet. */
void tcp_cc_begin(struct tcp_cb *cb);

/* RFC 5681 3.1, counting bytes (RFC 3465): for one acknowledgement cwnd grows by what it covers, at
 * most L segments; a receiver that takes in frames by the burst acknowledges many at once. After a
 * timeout that says less, for they may have arrived before it: L = 2. */
void tcp_cc_slow_start(struct tcp_cb *cb, uint32_t bytes);

/* RFC 5681 4.1: after a pause the window is no larger than at the beginning. */
void tcp_cc_restart(struct tcp_cb *cb);

#endif
