/* tcp_limits.h - what TCP holds, waits for and repeats, at most, each with its unit and why. What a
 * program or its configuration chooses is in struct stack_config instead.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef INET_TCP_LIMITS_H
#define INET_TCP_LIMITS_H

#include <stdint.h>

#define TCP_MS(n) ((uint64_t)(n)*1000000)
#define TCP_S(n)  ((uint64_t)(n)*1000000000)

/* Segments */
enum {
	TCP_MSS_DEFAULT = 536, /* bytes, when the peer's SYN names none (RFC 9293 3.7.1, MUST-15) */
	/* A peer that asks for less gets this: tiny segments are an attack on the sender. The
	 * path's MTU is obeyed all the same. */
	TCP_MSS_FLOOR = 64,
	TCP_MSS_MIN = 8,           /* bytes of payload, however small the path */
	TCP_WINDOW_SHIFT_MAX = 14, /* RFC 7323 2.3 */
	TCP_INITIAL_SEGMENTS = 10, /* RFC 6928 */
	/* By so many the window grows for one acknowledgement in slow start (RFC 9406 4.2: L). */
	TCP_SLOW_START_SEGMENTS = 8,
	/* A congestion window that is told more than this has stopped to mean anything. */
	TCP_CWND_MAX_BYTES = 1 << 30,
	/* Payload pieces of several sends that fit one segment are copied together below this many
	 * bytes; above it they are referenced. */
	TCP_GATHER_COPY_BYTES = 512,
};

/* Acknowledgements */
enum {
	TCP_ACK_EVERY_SEGMENTS = 2, /* full-sized ones (RFC 9293 3.8.6.3, SHLD-18) */
	TCP_SACK_BLOCKS = 4,        /* in one segment, 3 with timestamps (RFC 2018 3) */
	/* Challenge ACKs (RFC 5961 7): of one connection in a window of time, in which answers to
	 * bare segments that are not acceptable count as well, and of all in a second. The second
	 * number is drawn anew each second from its upper half, or a peer could count what others
	 * have used of it (CVE-2016-5696). */
	TCP_CHALLENGES_PER_CONNECTION = 10,
	TCP_CHALLENGES_PER_S = 1000,
};
#define TCP_CHALLENGE_WINDOW_NS TCP_S(5)

/* How long an acknowledgement may wait (RFC 9293 3.8.6.3: under 500 ms) for a reply to travel with
 * or for a second segment. A millisecond is long beside the round trips this stack is made for, and
 * short beside the time a peer with Nagle's algorithm would otherwise stand still. */
#define TCP_DELAYED_ACK_NS TCP_MS(1)

/* Retransmission (RFC 6298). The lower bound is below the RFC's recommendation of 1 s, as in every
 * current stack; it stays above the delayed acknowledgements of other stacks. */
#define TCP_RTO_INITIAL_NS TCP_S(1)
#define TCP_RTO_MIN_NS     TCP_MS(200)
#define TCP_RTO_MAX_NS     TCP_S(60)
#define TCP_RTO_GRANULE_NS TCP_MS(1)
/* Until the first measurement, when the SYN had to be repeated (RFC 6298 5.7). */
#define TCP_RTO_SYN_REPEATED_NS TCP_S(3)
enum {
	TCP_R1_RETRANSMISSIONS = 3, /* then the route is doubted (RFC 9293 3.8.3, MUST-20) */
	TCP_DUPACKS = 3,            /* RFC 5681 3.2 */
};
/* R2 (RFC 9293 3.8.3): at least 100 s for data, at least 3 minutes for a SYN. */
#define TCP_R2_NS     TCP_S(300)
#define TCP_R2_SYN_NS TCP_S(180)

/* Path MTU discovery by probing (RFC 4821; tcp_mtu.h). */
enum {
	TCP_MTU_BASE_BYTES = 1024, /* of a packet, that any path is likely to take (7.2) */
	TCP_MTU_TRIES = 2, /* probes of one size that are lost before it counts as too large */
};
#define TCP_MTU_RAISE_NS     TCP_S(600) /* what was found is doubted after that (7.3) */
#define TCP_MTU_PAUSE_MAX_NS TCP_S(60)

/* Tail loss probes (RFC 8985 7.2). How long an acknowledgement may be delayed by the peer when less
 * than two segments are outstanding, and how late a prompt one may be. */
#define TCP_TLP_MAX_ACK_DELAY_NS TCP_MS(200)
#define TCP_TLP_SLACK_NS         TCP_MS(2)
enum { TCP_REO_WND_PERSIST = 16 }; /* recoveries (RFC 8985 6.2, step 4) */

#define TCP_PERSIST_MAX_NS TCP_S(60)
/* Closed by the program, and the peer neither sends its FIN nor anything else. */
#define TCP_FIN_WAIT_2_NS TCP_S(60)

/* A SYN cookie (tcp_cookie.h) is good for so long at least, and for twice that at most: the peer's
 * acknowledgement may be lost, and its first text come some repetitions later. */
#define TCP_COOKIE_PERIOD_NS TCP_S(32)

/* Shut down both ways and without progress for so long, a connection is given up when the table of
 * connections is nearly full: as many as TCP_SPARE_CONNECTIONS are left. */
#define TCP_DESERTED_NS TCP_S(1)

/* What peers can make us hold */
enum {
	TCP_SPARE_CONNECTIONS = 8, /* see above */
	TCP_DESERTED_LOOKS = 16,   /* closing connections that one new one looks at */
	/* SYN-ACKs after the first: 1, 2, 4, 8 and 16 s apart, gone after 63 s. */
	TCP_HALF_OPEN_RETRIES = 5,
	/* Of max_half_open, and of sets of ranges when half of them are in use, what peers whose
	 * addresses fall into one of TCP_PEER_GROUPS keyed groups may have: a quarter. */
	TCP_PEER_GROUPS = 256,
	TCP_PEER_SHARE_DIVISOR = 4,
	/* Of max_tcp, what the connections that one such group has opened leave to others, where
	 * the configuration does not say how many they may be: a quarter. */
	TCP_PEER_REST_DIVISOR = 4,
	/* Ranges out of order that one connection keeps, and ranges that its peer has reported. */
	TCP_OUT_OF_ORDER_RANGES = 32,
	TCP_SACKED_RANGES = 32,
	/* Connections that may have either at one time: an eighth of max_tcp, at least so many. */
	TCP_RANGE_SETS_DIVISOR = 8,
	TCP_RANGE_SETS_MIN = 64,
	/* The same for those few whose windows are full of holes: every second segment of 1448
	 * bytes lost in a window of 4 MiB is 1448 ranges. A set takes 16 and 82 KiB, touched as far
	 * as it is used; a 64th of max_tcp may have one, within bounds. */
	TCP_OUT_OF_ORDER_RANGES_LARGE = 2048,
	TCP_SACKED_RANGES_LARGE = 2048,
	/* Of logs of what was sent (tcp_sent.h): 0.8 and 24 KiB. */
	TCP_SENT_RUNS = 64,
	TCP_SENT_RUNS_LARGE = 2048,
	TCP_LARGE_SETS_DIVISOR = 64,
	TCP_LARGE_SETS_MIN = 8,
	TCP_LARGE_SETS_MAX = 256,
};

/* When all sets of ranges are in use, one that a connection has had for so long gives way. As long
 * as a datagram in fragments may take: whoever fills a hole does it sooner. */
#define TCP_SET_TENURE_NS TCP_S(60)

/* Memory */
enum {
	/* Memory that a connection's received bytes may pin, as a multiple of its largest window:
	 * frames are larger than what they carry. The window shrinks as it fills up. */
	TCP_RECV_MEMORY_FACTOR = 2,
	/* This part of what is free in the pool, as a divisor, is promised to nobody by the window
	 * of one connection: a quarter. */
	TCP_POOL_UNPROMISED_DIVISOR = 4,
	/* A received payload up to this many bytes joins the one before it, where that has room. */
	TCP_COALESCE_BYTES = 512,
	/* Below this part of a pool, as a divisor, received frames are packed densely and windows
	 * stop growing: a quarter. */
	TCP_POOL_LOW_DIVISOR = 4,
	/* The last part of the stack's pool is not for copies of what programs send, as a divisor:
	 * acknowledgements and headers must find room, or nothing is ever given back. An empty
	 * queue may have one buffer all the same, as far as tcp_pressure.h lets it. */
	TCP_POOL_SEND_DIVISOR = 8,
	/* Below this part of a pool not even an empty queue may have one, received or sent, whose
	 * group of peers holds TCP_PEER_SHARE_DIVISOR of the pool already. */
	TCP_POOL_SCARCE_DIVISOR = 16,
	/* The very last of a pool is for nobody's queue: what arrives must find room. */
	TCP_POOL_RESERVE_DIVISOR = 32,
	/* Pieces of copied data that may lie in a connection's send queue one message each; later
	 * ones are packed. */
	TCP_LOOSE_CHUNKS = 16,
	/* References to programs' memory in all send queues: so many for each connection, at least
	 * the second number. */
	TCP_CHUNKS_PER_CONNECTION = 4,
	TCP_CHUNKS_MIN = 8192,
	TCP_BACKLOG_MAX = 65535,
	TCP_BUFFER_MIN_BYTES = 4096, /* what SO_SNDBUF and SO_RCVBUF cannot go below */
	TCP_BUFFER_MAX_BYTES = 64 << 20,
};

/* Ports that connect() chooses from (RFC 6056 3.2), a power of two of them. */
enum { TCP_PORT_FIRST = 32768, TCP_PORT_COUNT = 32768 };

/* Of them, so many are looked at for one whose segments come by the thread's own queue; then any is
 * good. With 64 queues one in 55 finds none. */
enum { TCP_PORT_NEAR_TRIES = 256 };

/* What an established, idle connection and a half-open one cost in this stack, bytes, hash slots
 * and timer included. */
enum { TCP_CONNECTION_BYTES_MAX = 768, TCP_HALF_OPEN_BYTES_MAX = 128 };

#endif
