/* limits.h - what the stack below TCP holds and does, at most, each with its unit and why. What a
 * program or its configuration chooses is in struct stack_config instead.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef INET_LIMITS_H
#define INET_LIMITS_H

/* Neighbours */
enum {
	/* Of the table's entries, the part that peers can fill by making us answer them, as a
	 * divisor: half. The rest, statics and live ones, is out of a flood's reach. */
	NEIGHBOUR_PASSIVE_DIVISOR = 2,
	/* Packets that wait for one neighbour's MAC (RFC 1122 2.3.2.2 asks for at least one; here a
	 * datagram of the largest size in Ethernet's fragments) and for all of them together, where
	 * the oldest make room: half of what one socket may have under way, so that silent hosts
	 * cannot take all of it. */
	NEIGHBOUR_WAITING_PACKETS = 64,
	NEIGHBOUR_WAITING_TOTAL_PACKETS = 256,
	/* After nobody answered: so long no new request is made for it, in ms (RFC 1122 2.3.2.1: at
	 * most one a second). */
	NEIGHBOUR_FAILED_MS = 1000,
	/* Broadcast requests, a second, so that no flood becomes our flood: all, and those for
	 * answers to addresses not known. A request over the limit is made when the next is due. */
	ARP_REQUESTS_PER_S = 1000,
	ARP_ANSWER_REQUESTS_PER_S = 100,
	/* Replies to requests for our address, a second. */
	ARP_REPLIES_PER_S = 1000,
	/* Time between two defences of our own address, in ms (RFC 5227 2.4: DEFEND_INTERVAL). */
	ARP_DEFEND_INTERVAL_MS = 10000,
};

/* Reassembly (RFC 791, RFC 815). Each datagram in the works holds one room of the largest size,
 * made with the stack: memory is the number of them. */
enum {
	REASSEMBLY_DATAGRAMS = 16,         /* in the works, from all peers */
	REASSEMBLY_DATAGRAMS_PER_PEER = 4, /* from one source address */
	/* Rooms, in use here or handed on to sockets and programs: 30 of 65 536 and a headroom are
	 * just under one huge page. */
	REASSEMBLY_ROOMS = 30,
	REASSEMBLY_ROOMS_PER_PEER = REASSEMBLY_ROOMS / 2, /* with one source address */
	/* From the first fragment on, in s. RFC 1122 3.3.2: 60 to 120, and fixed. The lower end:
	 * the shorter, the less a stale fragment meets a newcomer of its ID (RFC 4963). */
	REASSEMBLY_TIMEOUT_S = 60,
	/* A fragment other than the last has at least so many bytes: what the smallest MTU of RFC
	 * 791, 68 bytes, leaves behind a plain header. Any transport header fits, so that none is
	 * split to get by a check (RFC 1858). */
	FRAGMENT_MIN_BYTES = 48,
};

/* Output queues */
enum {
	OUTPUT_ANSWERS = 512,    /* packets: ARP, ICMP, RST, SYN-ACK */
	OUTPUT_DATAGRAMS = 2048, /* packets: UDP's, fragments counted singly */
};

/* Fragments that we send */
enum {
	/* Counters that packets' IDs come from, chosen by a keyed hash of destination and protocol:
	 * unique for 65 536 datagrams of one counter (RFC 6864 4.3), and a peer sees no other's. */
	IP_ID_COUNTERS = 256,
};

/* Path MTU (RFC 1191) */
enum {
	/* Destinations whose path is narrower than the interface: sets, and entries in each, of
	 * which the oldest gives way. */
	PMTU_SETS = 64,
	PMTU_WAYS = 4,
	PMTU_EXPIRY_S = 600,  /* RFC 1191 6.3: 10 minutes, then the larger one is tried again */
	PMTU_PROBED_S = 3600, /* what was found by probing: then it is forgotten */
	/* Packets get no smaller than this (RFC 5927 7.2): anybody could make us send tiny ones. A
	 * path that is said to take less gets these, and its routers may cut them. */
	PMTU_FLOOR_BYTES = 552,
	/* Destinations that large datagrams were sent to lately, as sets and ways, and how long an
	 * ICMP error may take to come back from there. */
	PMTU_TRIED_SETS = 256,
	PMTU_TRIED_WAYS = 4,
	PMTU_TRIED_S = 10,
};

/* ICMP */
enum {
	ICMP_ERRORS_PER_S = 1000, /* RFC 1812 4.3.2.8: errors sent are rate-limited */
	ICMP_ERRORS_BURST = 50,
	ICMP_ECHOES_PER_S = 10000, /* answers to ping */
	ICMP_ECHOES_BURST = 1000,
	/* Of the packet that an error quotes: IP header and so many bytes (RFC 1812 4.3.2.3: as
	 * much as fits in 576 bytes). */
	ICMP_ERROR_MAX_BYTES = 576,
};

/* Ports that we choose: RFC 6056 3.2 wants as many as possible; below are those of services. */
enum { PORT_EPHEMERAL_FIRST = 32768, PORT_EPHEMERAL_LAST = 65535 };

/* UDP */
enum {
	/* A socket's receive queue, bytes of memory held (not of payload), unless SO_RCVBUF says
	 * otherwise, and what that may say at most. */
	UDP_RECV_BYTES = 1 << 20,
	UDP_RECV_MAX_BYTES = 16 << 20,
	/* The last part of the stack's pool is not for received datagrams, as a divisor: what
	 * programs and sockets hold must leave room for ARP, ACKs and the link. */
	UDP_POOL_LOW_DIVISOR = 8,
	/* One socket's datagrams in the output queue. */
	UDP_SEND_DATAGRAMS = 512,
	UDP_MAX_PAYLOAD_BYTES = 65507, /* 65535 - 20 - 8 */
};

#endif
