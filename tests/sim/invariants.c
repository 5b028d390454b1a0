/* SPDX-License-Identifier: MIT */
#include "invariants.h"
#include "inet/core.h"
#include "inet/tcp_table.h"
#include <string.h>
#include <sys/socket.h>

static const char *const counter_names[] = {
#define X(name, text) #name,
    STACK_COUNTERS(X)
#undef X
};

enum {
	UDP_SOCKETS_MAX = 64, /* that these stacks are made with, at most */
	COUNTERS = sizeof(counter_names) / sizeof(counter_names[0])
};

static bool says_where_a_frame_ended(const char *name)
{
	static const char *const taken[] = {"rx_arp", "rx_icmp", "rx_udp", "rx_tcp",
					    "rx_fragments"};

	for (size_t i = 0; i < sizeof(taken) / sizeof(taken[0]); i++) {
		if (strcmp(name, taken[i]) == 0)
			return true;
	}
	return strncmp(name, "drop_", 5) == 0;
}

uint64_t invariant_frames_ended(const struct stack_stats *s)
{
	static int8_t ended[COUNTERS]; /* 0: not looked at yet, 1: yes, -1: no */
	uint64_t values[COUNTERS], sum = 0;

	memcpy(values, s, sizeof(values));
	for (unsigned i = 0; i < COUNTERS; i++) {
		if (ended[i] == 0)
			ended[i] = says_where_a_frame_ended(counter_names[i]) ? 1 : -1;
		if (ended[i] > 0)
			sum += values[i];
	}
	return sum;
}

/* Can all UDP sockets be opened, and no more? */
static bool udp_is_empty(struct stack *s, uint64_t now_ns)
{
	struct sock *socks[UDP_SOCKETS_MAX + 1];
	uint32_t n = 0, all = s->cfg.max_udp;

	while (n <= UDP_SOCKETS_MAX && stack_open(s, SOCK_DGRAM, NULL, &socks[n]) == 0)
		n++;
	for (uint32_t i = 0; i < n; i++)
		stack_close(socks[i], now_ns);
	return n == all;
}

const char *invariant_rest(struct stack *s, uint64_t now_ns)
{
	const struct tcp_table *t = s->tcp;

	if (t->cbs.used != 0)
		return "a TCP control block is left";
	if (t->halves.used != 0)
		return "a half-open connection is left";
	if (t->chunks.used != 0)
		return "a piece of a send queue is left";
	for (int i = 0; i < TCP_SET_SIZES; i++) {
		if (t->reassemblies[i].slab.used != 0 || t->ranges[i].slab.used != 0 ||
		    t->sent[i].slab.used != 0)
			return "a set of TCP ranges is left";
	}
	return udp_is_empty(s, now_ns) ? NULL : "the table of UDP sockets is not empty";
}
