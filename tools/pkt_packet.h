/* pkt_packet.h - one packet in the terms of a script: what the parser reads, what is built into
 * bytes, what bytes are read back into, what is compared and what is printed.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef TOOLS_PKT_PACKET_H
#define TOOLS_PKT_PACKET_H

#include "base/endpoint.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	PKT_OPTIONS_MAX = 40, /* bytes of TCP options */
	PKT_TEXT_BYTES = 512, /* of a printed packet, its NUL included */
	PKT_IP_MAX_BYTES = 65535,
	PKT_ARP_BYTES = 28,
	PKT_ARP = 255,     /* in the place of an IP protocol */
	PKT_MAC_ALL = 255, /* the broadcast address, among the numbers of MACs: see pkt_mac() */
};

enum { PKT_ARP_REQUEST = 1, PKT_ARP_REPLY = 2 };

enum pkt_flag {
	PKT_FIN = 0x01,
	PKT_SYN = 0x02,
	PKT_RST = 0x04,
	PKT_PSH = 0x08,
	PKT_ACK = 0x10,
	PKT_URG = 0x20,
	PKT_ECE = 0x40,
	PKT_CWR = 0x80,
};

/* How much of the byte of TOS is compared. */
enum pkt_tos { PKT_TOS_ANY, PKT_TOS_ECN, PKT_TOS_ECT01, PKT_TOS_ALL };

enum pkt_option_kind {
	PKT_OPT_EOL = 0,
	PKT_OPT_NOP = 1,
	PKT_OPT_MSS = 2,
	PKT_OPT_WSCALE = 3,
	PKT_OPT_SACKOK = 4,
	PKT_OPT_SACK = 5,
	PKT_OPT_TS = 8,
	PKT_OPT_MD5 = 19,
	PKT_OPT_FAST_OPEN = 34,
	PKT_OPT_EXPERIMENT = 254,
};

struct pkt_packet {
	uint8_t protocol; /* IPPROTO_TCP, _UDP, _ICMP, PKT_ARP */
	uint8_t to;       /* the MAC that it goes to; 0: not compared */
	enum pkt_tos tos_check;
	uint8_t tos;
	uint8_t ttl; /* 0: the default, or not compared */
	bool has_ports;
	uint16_t src_port, dst_port; /* with has_ports, or of a packet that was read */
	uint32_t payload;            /* bytes; of ICMP: those quoted or echoed */
	/* TCP */
	uint8_t flags;
	uint32_t seq, ack;
	bool has_win;
	uint16_t win, urg;
	bool any_options; /* <...> */
	uint8_t options[PKT_OPTIONS_MAX];
	uint8_t options_len;
	/* ICMP */
	uint8_t icmp_type, icmp_code;
	bool has_mtu;
	uint16_t mtu;            /* next hop's, of frag_needed */
	uint16_t echo_id;        /* and sequence number 0 */
	uint8_t quoted_protocol; /* 0: nothing is quoted */
	uint32_t quoted_seq;
	struct {
		uint16_t op;
		uint8_t at; /* the sender's MAC */
		uint32_t sender, target;
	} arp;
};

struct pkt_addresses {
	uint32_t src, dst; /* IPv4, host order */
};

/* Writes an IPv4 packet, ports and sequence numbers as they stand in p, checksums right; `payload`
 * is p->payload bytes. dst has PKT_IP_MAX_BYTES of room. Returns its length; -EMSGSIZE: it would
 * not fit. */
int pkt_build(const struct pkt_packet *p, const struct pkt_addresses *a, const uint8_t *payload,
	      uint8_t *dst);

/* Reads an IPv4 packet: fills p and a; *payload points into data. 0, or -EINVAL with a word in
 * *why: lengths or checksums that are wrong. has_win and tos are filled, any_options is not. */
int pkt_read(struct pkt_packet *p, struct pkt_addresses *a, const uint8_t **payload,
	     const uint8_t *data, uint32_t len, const char **why);

/* The MAC 02:00:00:00:00:NUMBER, or the broadcast address; and back. */
void pkt_mac(uint8_t mac[6], uint8_t number);
uint8_t pkt_mac_number(const uint8_t mac[6]);

/* The same for ARP, without Ethernet. */
void pkt_build_arp(const struct pkt_packet *p, const uint8_t local_mac[6],
		   uint8_t dst[PKT_ARP_BYTES]);
int pkt_read_arp(struct pkt_packet *p, const uint8_t *data, uint32_t len, const char **why);
const char *pkt_arp_mismatch(const struct pkt_packet *want, const struct pkt_packet *got);

/* The first field in which `got` is not what `want` asks for; NULL: none. TS values are the
 * caller's affair: it has put them in the terms of the script before, or made them equal. */
const char *pkt_mismatch(const struct pkt_packet *want, const struct pkt_packet *got);

/* As a line of a script: "S. 0:0(0) ack 1 win 65535 <mss 1460>". */
void pkt_print(char text[PKT_TEXT_BYTES], const struct pkt_packet *p);

/* Walks options. *at starts at 0; false at the end, or with *bad set where the bytes make no
 * sense. */
struct pkt_option {
	uint8_t kind;
	uint8_t len;      /* of value */
	uint8_t value_at; /* its place in p->options */
};
bool pkt_next_option(const struct pkt_packet *p, uint8_t *at, struct pkt_option *o, bool *bad);

/* Adds delta to the edges of all SACK blocks. */
void pkt_shift_sack(struct pkt_packet *p, uint32_t delta);

/* Where the TS value is in p->options (the echo reply 4 behind it); -1: there is none. */
int pkt_timestamp_at(const struct pkt_packet *p);

/* Names of ICMP types and codes, both ways. -1 / NULL: there is none. */
int pkt_icmp_type(const char *name);
int pkt_icmp_code(int type, const char *name);
const char *pkt_icmp_type_name(int type);
const char *pkt_icmp_code_name(int type, int code);

#endif
