/* packet.h - frames for the fuzzers: written byte by byte, with checksums that are right, so that
 * what is wrong in them is what the fuzzer chose.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef FUZZ_PACKET_H
#define FUZZ_PACKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	PACKET_ETH_BYTES = 14,
	PACKET_IP_BYTES = 20,
	PACKET_L4 = PACKET_ETH_BYTES + PACKET_IP_BYTES, /* where a plain packet's L4 header is */
	PACKET_FIN = 1,
	PACKET_SYN = 2,
	PACKET_RST = 4,
	PACKET_PSH = 8,
	PACKET_ACK = 16,
	PACKET_URG = 32,
};

/* A TCP header: written, or read from a frame of the stack's. */
struct packet_tcp {
	uint32_t src, dst; /* IP, host order */
	uint16_t sport, dport;
	uint32_t seq, ack;
	uint8_t flags;
	uint16_t wnd;
	const uint8_t *options;
	uint32_t option_bytes; /* a multiple of 4 */
	uint32_t len;          /* bytes of payload */
	const uint8_t *data;   /* NULL: zeros */
};

void packet_eth(uint8_t *f, const uint8_t dst[6], const uint8_t src[6], uint16_t type);
/* A header without options in front of `bytes` of payload that are there already; its checksum. */
void packet_ip(uint8_t *f, uint8_t protocol, uint32_t src, uint32_t dst, uint16_t bytes);
/* Everything behind the Ethernet header; returns the frame's length. */
size_t packet_tcp(uint8_t *f, const struct packet_tcp *t);
size_t packet_udp(uint8_t *f, uint32_t src, uint16_t sport, uint32_t dst, uint16_t dport,
		  uint16_t len);

/* Makes the checksums of a frame right as far as its headers make sense: IP, and TCP, UDP or ICMP
 * of a packet that is not a fragment. */
void packet_fix(uint8_t *f, size_t len);

/* Reads a TCP frame; false: it is none. */
bool packet_read_tcp(struct packet_tcp *t, const uint8_t *f, size_t len);

#endif
