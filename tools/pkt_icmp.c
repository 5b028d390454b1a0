/* pkt_icmp.c - names of ICMP types and codes as packetdrill has them (RFC 792, 1122 3.2.2.1, 1812
 * 5.2.7.1).
 *
 * SPDX-License-Identifier: MIT
 */
#include "pkt_packet.h"
#include <string.h>

struct named {
	const char *name;
	int type, code; /* code -1: the name of the type */
};

static const struct named names[] = {
    {"echo_reply", 0, -1},
    {"unreachable", 3, -1},
    {"net_unreachable", 3, 0},
    {"host_unreachable", 3, 1},
    {"protocol_unreachable", 3, 2},
    {"port_unreachable", 3, 3},
    {"frag_needed", 3, 4},
    {"source_route_failed", 3, 5},
    {"net_unknown", 3, 6},
    {"host_unknown", 3, 7},
    {"source_host_isolated", 3, 8},
    {"net_prohibited", 3, 9},
    {"host_prohibited", 3, 10},
    {"net_unreachable_for_tos", 3, 11},
    {"host_unreachable_for_tos", 3, 12},
    {"packet_filtered", 3, 13},
    {"precedence_violation", 3, 14},
    {"precedence_cutoff", 3, 15},
    {"source_quench", 4, -1},
    {"redirect", 5, -1},
    {"net_redirect", 5, 0},
    {"host_redirect", 5, 1},
    {"echo_request", 8, -1},
    {"time_exceeded", 11, -1},
    {"exceeded_ttl", 11, 0},
    {"exceeded_frag_reassembly", 11, 1},
    {"parameter_problem", 12, -1},
};

enum { NAMES = sizeof(names) / sizeof(names[0]) };

int pkt_icmp_type(const char *name)
{
	for (int i = 0; i < NAMES; i++) {
		if (names[i].code < 0 && strcmp(names[i].name, name) == 0)
			return names[i].type;
	}
	return -1;
}

int pkt_icmp_code(int type, const char *name)
{
	for (int i = 0; i < NAMES; i++) {
		if (names[i].type == type && names[i].code >= 0 && strcmp(names[i].name, name) == 0)
			return names[i].code;
	}
	return -1;
}

const char *pkt_icmp_code_name(int type, int code)
{
	for (int i = 0; i < NAMES; i++) {
		if (names[i].type == type && names[i].code == code)
			return names[i].name;
	}
	return NULL;
}

const char *pkt_icmp_type_name(int type)
{
	return pkt_icmp_code_name(type, -1);
}
