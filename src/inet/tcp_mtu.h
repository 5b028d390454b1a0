/* tcp_mtu.h - the largest segments that a path takes, found without a word from its routers:
 * packetization layer path MTU discovery, RFC 4821. Errors that tell of a path (RFC 1191) are in
 * tcp_icmp.h.
 *
 * Where STACK_MTU_BLACK_HOLE is configured, as by default, segments are as large as interface, peer
 * and errors let them until a full-stop time-out (7.7: R1 is reached with large segments, and no
 * error has said why) suggests a router that drops them in silence. From then on, or from the
 * beginning where STACK_MTU_ALWAYS is, segments fit eff_pmtu, and a larger size is searched:
 *
 *     search_low                                search_high
 *        |  comes through: eff_pmtu   |  unknown   |  does not, or is not wanted
 *
 * A probe is a segment of new text, larger than the others, in one packet that may not be cut. When
 * it is acknowledged search_low is its size. When it is lost, and nothing but it, that is no sign
 * of congestion (7.6.2): the window stays, and the next one waits for longer than losses are apart.
 * It takes TCP_MTU_TRIES to lower search_high. A probe that is lost with others says nothing, nor
 * does one that only a time-out tells of, unless it was alone. Losses must be told by time
 * (tcp_sent.h): with a peer that has no SACK nothing is probed.
 *
 * What was found is kept for other connections of the path (ip_path_probed()), and is searched anew
 * every ten minutes.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef INET_TCP_MTU_H
#define INET_TCP_MTU_H

#include "inet/tcp_cb.h"

/* The connection is established: what is known of its path, or that it is to be searched. */
void tcp_mtu_begin(struct tcp_cb *cb);

/* cb->mtu_limited, and packets of so many bytes are what interface, peer and errors allow now. */
void tcp_mtu_allowed(struct tcp_cb *cb, uint32_t mtu_bytes);

/* Bytes of a segment's packet that are not text. */
uint32_t tcp_mtu_headers_bytes(const struct tcp_cb *cb);

/* What tcp_mtu_choose() gives besides a size. */
#define TCP_MTU_NO_PROBE UINT32_C(0)
#define TCP_MTU_WAIT     UINT32_MAX

/* With cb->mtu_search and `unsent` bytes to be sent for the first time: so many of them as a probe,
 * now; TCP_MTU_NO_PROBE; or TCP_MTU_WAIT: what is on its way leaves no room for one yet, and
 * nothing else is to take it. */
uint32_t tcp_mtu_choose(const struct tcp_cb *cb, uint32_t unsent);

/* The `bytes` before snd_nxt are in a probe. */
void tcp_mtu_probe_sent(struct tcp_cb *cb, uint32_t bytes);

/* cb->mtu_probe_bytes, and snd_una is behind it. */
void tcp_mtu_probe_arrived(struct tcp_cb *cb);

/* cb->mtu_probe_bytes: is all that is lost the probe? */
bool tcp_mtu_only_probe_is_lost(const struct tcp_cb *cb);

/* It was. */
void tcp_mtu_probe_lost(struct tcp_cb *cb);

/* cb->mtu_probe_bytes, and losses are mended from now on, or its end was sent again: nothing more
 * will be known of it. */
void tcp_mtu_probe_forget(struct tcp_cb *cb);

/* The retransmission timer has fired. True: segments are smaller from now on. */
bool tcp_mtu_time_out(struct tcp_cb *cb);

/* mss_deadline_ns has come. */
void tcp_mtu_deadline(struct tcp_cb *cb);

#endif
