/* tcp_isn.c - the numbers that a peer, or somebody who is not even the peer, must not guess:
 * initial sequence numbers, ports, timestamp offsets, and how many challenge ACKs are left; with
 * these, the other acknowledgements that anybody may provoke.
 *
 * SPDX-License-Identifier: MIT
 */
#include "base/siphash.h"
#include "inet/tcp_table.h"

/* What siphash24() hashes: no padding, or its bytes would be hashed. */
struct tuple {
	struct ip_addr peer_ip, local_ip;
	uint16_t peer_port, local_port;
};

_Static_assert(sizeof(struct tuple) == 40, "36 bytes of meaning, 4 of zeroed padding");

static uint64_t hash_tuple(const struct stack *s, const uint64_t key[2],
			   const struct ip_addr *peer_ip, uint16_t peer_port, uint16_t local_port)
{
	struct tuple tuple;

	memset(&tuple, 0, sizeof(tuple));
	tuple.peer_ip = *peer_ip;
	tuple.local_ip = s->cfg.addr;
	tuple.peer_port = peer_port;
	tuple.local_port = local_port;
	return siphash24(key, &tuple, sizeof(tuple));
}

/* ISN = M + F(tuple, key) with a clock M of about 4 us (RFC 6528 3): 4.096 us here. */
uint32_t tcp_isn(const struct stack *s, const struct ip_addr *peer_ip, uint16_t peer_port,
		 uint16_t local_port)
{
	uint64_t f = hash_tuple(s, s->tcp->isn_key, peer_ip, peer_port, local_port);

	return (uint32_t)(s->now_ns >> 12) + (uint32_t)f;
}

uint32_t tcp_timestamp_offset(const struct stack *s, const struct ip_addr *peer_ip,
			      uint16_t peer_port, uint16_t local_port)
{
	return (uint32_t)(hash_tuple(s, s->tcp->isn_key, peer_ip, peer_port, local_port) >> 32);
}

static bool port_is_free(struct tcp_table *t, const struct endpoint *peer, uint16_t port)
{
	struct endpoint any = {ip4(0), port};

	if (tcp_bound_conflict(t, &any, false))
		return false;
	return peer == NULL || tcp_table_find(t, &peer->ip, peer->port, port) == NULL;
}

/* Does the device give this thread what comes back to the port? Of so many that are free one mostly
 * is so. */
static bool port_is_near(const struct stack *s, const struct endpoint *peer, uint16_t port,
			 unsigned tries)
{
	const struct endpoint local = {s->cfg.addr, port};

	return peer == NULL || s->cfg.ports == NULL || tries >= TCP_PORT_NEAR_TRIES ||
	       ports_is_near(s->cfg.ports, s->cfg.ports_member, peer, &local);
}

/* RFC 6056 3.3.3, simple hash-based selection: a counter, and an offset that depends on the peer.
 */
uint16_t tcp_port_choose(struct tcp_cb *cb, const struct endpoint *peer, bool share)
{
	static const struct endpoint nobody;
	struct stack *s = cb->sock.stack;
	const struct endpoint *to = peer != NULL ? peer : &nobody;
	struct tcp_table *t = s->tcp;
	uint32_t offset = (uint32_t)hash_tuple(s, t->port_key, &to->ip, to->port, 0);

	for (unsigned tries = 0; tries < TCP_PORT_COUNT; tries++) {
		uint32_t n = (t->port_next++ + offset) & (TCP_PORT_COUNT - 1);
		uint16_t port = (uint16_t)(TCP_PORT_FIRST + n);

		if (port_is_near(s, peer, port, tries) && port_is_free(t, peer, port) &&
		    tcp_port_take(cb, port, share))
			return port;
	}
	return 0;
}

/* The number of all connections together is refilled to a random one each second: somebody who
 * makes us spend it cannot learn from what is left whether another connection has spent some. */
static bool take_global_challenge(struct stack *s)
{
	struct tcp_table *t = s->tcp;

	if (s->now_ns >= t->challenges_until_ns) {
		t->challenges_left = TCP_CHALLENGES_PER_S / 2 +
				     (uint32_t)rng_below(&s->rng, TCP_CHALLENGES_PER_S / 2 + 1);
		t->challenges_until_ns = s->now_ns + TCP_S(1);
	}
	if (t->challenges_left == 0)
		return false;
	t->challenges_left--;
	return true;
}

/* Has the connection some left in its window of time? */
static bool has_own_challenge(const struct stack *s, uint32_t *tick, uint8_t *count)
{
	uint32_t now = tcp_clock(s);

	if (now - *tick > tcp_ns_to_ticks(TCP_CHALLENGE_WINDOW_NS)) {
		*tick = now;
		*count = 0;
	}
	return *count < TCP_CHALLENGES_PER_CONNECTION;
}

bool tcp_challenge_allowed(struct stack *s, uint32_t *tick, uint8_t *count)
{
	if (!has_own_challenge(s, tick, count) || !take_global_challenge(s)) {
		s->stats.tcp_challenge_limited++;
		return false;
	}
	++*count;
	s->stats.tcp_challenge_acks++;
	return true;
}

bool tcp_bare_answer_allowed(struct stack *s, uint32_t *tick, uint8_t *count)
{
	if (!has_own_challenge(s, tick, count)) {
		s->stats.tcp_challenge_limited++;
		return false;
	}
	++*count;
	return true;
}
