/* ip.h - between IP and the transports. Inside src/inet only.
 *
 * Two ways out. ip_send() is for single packets: answers, datagrams; it finds the neighbour, waits
 * for its address, cuts what is larger than the path takes. struct ip_path is for a connection: the
 * headers are made once and copied in front of each segment, no look-up a segment.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef INET_IP_H
#define INET_IP_H

#include "base/checksum.h"
#include "inet/core.h"
#include "inet/neighbour.h"
#include "mem/buf.h"
#include <string.h>

/* Fields of the IPv4 header (RFC 791 3.1), as offsets in bytes, and its plain size. */
enum {
	IP4_TOS = 1,
	IP4_TOTAL_LENGTH = 2,
	IP4_ID = 4,
	IP4_FRAGMENT = 6, /* flags and offset */
	IP4_TTL = 8,
	IP4_PROTOCOL = 9,
	IP4_CHECKSUM = 10,
	IP4_SRC = 12,
	IP4_DST = 16,
	IP4_HEADER_BYTES = 20,
};
enum { IP4_DF = 0x4000, IP4_MF = 0x2000, IP4_OFFSET_MASK = 0x1fff };

/* One received packet, checked and in host order. `buf` is the receiver's to keep or drop; its
 * data/len still cover the whole frame: transports set them to their payload. Only the sole holder
 * of buf may write into its bytes. */
struct packet {
	struct buf *buf;
	struct ip_addr src, dst;
	uint8_t *l3;      /* IP header, inside buf */
	uint8_t *l4;      /* transport header, inside buf */
	uint32_t l4_len;  /* header and payload, Ethernet padding cut off */
	uint8_t protocol; /* IPPROTO_ */
	uint8_t ecn;      /* the two ECN bits */
	bool broadcast;   /* to a broadcast or multicast address, at either layer: never answered */
	bool csum_ok;     /* L4 checksum verified by the device; never so when put together here */
};

/* Room for Ethernet, 802.1Q and IPv4 headers in front of an L4 header, rounded up for copying. */
enum { IP_HEADERS_ROOM = 40 };

/* A way to one peer: the next hop, and the headers of every packet on it, as the last one had them:
 * the next most often is as long. Belongs to a connection; 80 bytes. ip_path_init() it once,
 * ip_path_release() before its memory is freed. */
struct ip_path {
	struct neighbour *neighbour; /* of the stack's table, or NULL: not looked up */
	uint32_t generation;         /* neighbour->generation when the headers were made */
	uint32_t pseudo_sum;  /* pseudo-header without the length, not folded (csum_partial) */
	struct list waiting;  /* on the neighbour's list: ip_path_wait() */
	uint32_t varying;     /* ip_path_varying() of the headers; 0: they are not complete */
	uint8_t header_bytes; /* Ethernet, tag and IP */
	uint8_t l3_offset;
	uint8_t protocol;
	uint8_t headers[IP_HEADERS_ROOM]; /* right-aligned */
};

void ip_path_init(struct ip_path *p, uint8_t protocol);
void ip_path_release(struct ip_path *p);

/* Finds the next hop and makes the headers. 0; -EAGAIN: its address is being asked for, see
 * ip_path_wait(); -ENETUNREACH (off-link and no gateway), -EHOSTUNREACH (no answer lately, or our
 * own address), -ENOMEM (table full of live entries). */
int ip_path_find(struct stack *s, struct ip_path *p, const struct ip_addr *src,
		 const struct ip_addr *dst);

/* Is there a way to dst? 0, or the errors of ip_path_find() that need no asking. */
int ip_check_route(const struct stack *s, const struct ip_addr *dst);

/* Nothing has come back on this path for long (RFC 1122 4.2.3.5 (b), R1): asks the next hop whether
 * it is still there. Harmless on a path that is not valid. */
void ip_path_doubt(struct stack *s, struct ip_path *p);

/* The same of the way to dst, for those who keep no path. */
void ip_doubt(struct stack *s, const struct ip_addr *dst);

/* After -EAGAIN: tcp_path_resolved() will be called for p, once, unless it is released first. */
void ip_path_wait(struct ip_path *p);

/* Lets routers cut the packet with this IP header when the path to its destination is narrow: DF is
 * cleared, an ID put in. */
void ip_let_cut(struct stack *s, uint8_t *l3);

/* May ip_path_write() be used? Else ip_path_find(), again. */
static inline bool ip_path_valid(const struct ip_path *p)
{
	return p->neighbour != NULL && p->neighbour->generation == p->generation;
}

/* What differs between the headers of two packets on one path. */
static inline uint32_t ip_path_varying(uint8_t ecn, uint32_t l4_bytes)
{
	return (uint32_t)ecn << 24 | l4_bytes;
}

/* Puts these into the headers. */
void ip_path_vary(struct ip_path *p, uint8_t ecn, uint32_t l4_bytes);

/* Puts the headers in front of l4, where IP_HEADERS_ROOM bytes may be written, and returns where
 * the frame begins: l4 - p->header_bytes. l4_bytes is the length of L4 header and payload; for a
 * frame to be cut by the device, of the whole. DF is set but on a narrow path, the header checksum
 * filled. */
static inline uint8_t *ip_path_write(struct stack *s, struct ip_path *p, uint8_t *l4, uint8_t ecn,
				     uint32_t l4_bytes)
{
	if (__builtin_expect(p->varying != ip_path_varying(ecn, l4_bytes), 0))
		ip_path_vary(p, ecn, l4_bytes);
	p->neighbour->used_ns = s->now_ns;
	memcpy(l4 - IP_HEADERS_ROOM, p->headers, IP_HEADERS_ROOM);
	if (s->narrow_until_ns > s->now_ns)
		ip_let_cut(s, l4 - IP4_HEADER_BYTES);
	return l4 - p->header_bytes;
}

/* One packet to be sent by ip_send(). */
struct ip_send {
	struct ip_addr src, dst;
	struct ip_path *path; /* NULL, or one that the caller keeps for just these addresses and
				 protocol: found here when it is not valid */
	uint8_t protocol;
	uint8_t ecn;
	uint16_t offload; /* OFFLOAD_ wishes; a packet that may be cut has none */
	bool answer; /* to something received: such a packet never displaces a live neighbour, nor
			the program's own packets */
	struct sock *owner;  /* NULL, or the UDP socket whose queue limit it counts against */
	struct buf *head;    /* taken, always: data/len are L4 header and copied payload; sole */
	struct buf *payload; /* NULL, or a reference is taken to it: data, len follow head */
	const uint8_t *data;
	uint32_t len;
};

/* Queues one packet, of at most 65 535 bytes with its IP header, for stack_output(), or with its
 * neighbour until that is resolved. 0, or dropped and counted: -EAGAIN (queue full), -ENETUNREACH,
 * -EHOSTUNREACH, -ENOMEM. */
int ip_send(struct stack *s, const struct ip_send *m);

/* Bytes of a packet's headers below L4 on the wire, IP alone: 20 for IPv4. */
static inline uint32_t ip_header_bytes(const struct ip_addr *dst)
{
	(void)dst;
	return IP4_HEADER_BYTES;
}

/* What the path to dst takes in one packet, IP header included (bytes): the interface's MTU, what
 * an ICMP error has told in the last 10 minutes, or what was found by probing. */
uint32_t ip_path_mtu(struct stack *s, const struct ip_addr *dst);

/* The same without what was found by probing: a transport that probes may go up to there. */
uint32_t ip_path_mtu_told(struct stack *s, const struct ip_addr *dst);

/* Until when ip_path_mtu_told() says that of dst; UINT64_MAX: it is the interface's MTU. */
uint64_t ip_path_mtu_expires(struct stack *s, const struct ip_addr *dst);

/* To be called by a transport that has found an icmp_error with -EMSGSIZE to name a packet of its
 * own. Values below limits.h's floor are raised to it (RFC 5927 7.2), and the path is narrow; only
 * ever lowers. */
void ip_path_mtu_lower(struct stack *s, const struct ip_addr *dst, uint16_t mtu_bytes);

/* A transport has found by probing that the path to dst takes so much, and not much more, without
 * an error to tell (RFC 4821 5.2: others that go there begin with it). The interface's MTU: what
 * was found before does not hold any more. */
void ip_path_probed(struct stack *s, const struct ip_addr *dst, uint16_t mtu_bytes);

/* What was found; 0: nothing. *raise_ns is when more may be tried. */
uint16_t ip_path_mtu_probed(struct stack *s, const struct ip_addr *dst, uint64_t *raise_ns);

/* Has an error told of less than limits.h's floor? As that may be true, packets to dst go without
 * DF while ip_path_mtu() says the floor: else nothing of its size would ever arrive. */
bool ip_path_is_narrow(struct stack *s, const struct ip_addr *dst);

/* A datagram of so many bytes, IP header included, goes to dst in one packet that may not be cut.
 */
void ip_path_tried(struct stack *s, const struct ip_addr *dst, uint32_t bytes);

/* Could an error say of a datagram to dst that more than mtu_bytes are too much? Of a datagram an
 * error quotes nothing that only its receiver and the routers know, as a sequence number is: ports
 * and addresses can be guessed, by anybody (RFC 5927 4.1, RFC 8085 5.2). So one counts where it
 * could be true: something larger has gone there in the last PMTU_TRIED_S seconds. */
bool ip_path_was_tried(struct stack *s, const struct ip_addr *dst, uint32_t mtu_bytes);

/* Ones' complement sum, not folded, of the pseudo-header of IPv4 (RFC 9293 3.1, RFC 768). */
static inline uint32_t ip_pseudo_sum(const struct ip_addr *src, const struct ip_addr *dst,
				     uint8_t protocol, uint32_t l4_bytes)
{
	uint64_t sum = (src->words[1] >> 32) + (dst->words[1] >> 32) + csum_word(protocol) +
		       csum_word((uint16_t)l4_bytes);

	return csum_add((uint32_t)sum, (uint32_t)(sum >> 32));
}

/* True for an address that we answer from: our own. */
static inline bool ip_is_own(const struct stack *s, const struct ip_addr *a)
{
	return ip_eq(a, &s->cfg.addr);
}

#endif
