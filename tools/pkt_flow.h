/* pkt_flow.h - one connection (or pair of UDP ports) as a script and as the wire have it.
 *
 * A script's sequence numbers are relative, its ports are the runner's choice. A flow maps both
 * ways: what the script injects to what the stack must see, and what the stack sent to the script's
 * terms. The remote side's numbers start just below the wrap, so that each script crosses it.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef TOOLS_PKT_FLOW_H
#define TOOLS_PKT_FLOW_H

#include "pkt_packet.h"
#include <stdbool.h>
#include <stdint.h>

enum { FLOW_TS_PAIRS = 64 }; /* TS values of the stack that a script may echo */

#define FLOW_REMOTE_DELTA 0xffffff38u /* wire minus script, of the remote side */

struct flow_ts_pair {
	uint32_t script, live;
};

struct pkt_flow {
	struct pkt_flow *next;
	uint8_t protocol;
	uint16_t local_port, remote_port;
	bool named;           /* the script gave the ports: its packets are matched by them */
	bool own_data;        /* the script wrote bytes of its own: payload is not verified */
	bool has_local_isn;   /* the stack's SYN was seen */
	bool may_restart;     /* its next SYN may be a new connection's */
	uint32_t local_isn;   /* in the script's terms */
	uint32_t local_delta; /* wire minus script, of the stack's side; 0 until its SYN */
	bool has_remote_isn;
	uint32_t remote_isn; /* in the script's terms */
	struct flow_ts_pair ts[FLOW_TS_PAIRS];
	uint32_t ts_count; /* pairs ever noted; the last FLOW_TS_PAIRS are kept */
};

/* The bytes of streams and datagrams that the runner makes and checks: each side's differ, and so
 * do those at any two places less than 251 apart. */
uint8_t flow_remote_byte(uint64_t offset);
uint8_t flow_local_byte(uint64_t offset);

/* From the script's terms to the wire's; also fills the ports. False: an echoed TS that nothing
 * allows to map. */
bool flow_to_wire(struct pkt_flow *f, struct pkt_packet *p);

/* The offset in the remote stream of the first payload byte of a script's packet; of a datagram
 * 0. */
uint32_t flow_remote_offset(const struct pkt_flow *f, const struct pkt_packet *p);

/* From the wire's terms to the script's. `want` is the packet that is expected there (of the same
 * protocol), or NULL: a SYN tells the ISN, and a TS value is made equal when it is as far from the
 * first as the script says, within tolerance_ticks (UINT32_MAX: whatever it is). The flow learns
 * nothing by this. */
void flow_to_script(const struct pkt_flow *f, struct pkt_packet *p, const struct pkt_packet *want,
		    uint32_t tolerance_ticks);

/* The packet `got`, in the wire's terms, was the one that was expected: from it the flow learns the
 * ISN, and which TS value the script's stands for. */
void flow_accept(struct pkt_flow *f, const struct pkt_packet *got, const struct pkt_packet *want);

/* The offset in the stack's stream of a packet in the script's terms, false: not known. */
bool flow_local_offset(const struct pkt_flow *f, const struct pkt_packet *p, uint32_t *offset);

#endif
