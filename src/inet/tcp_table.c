/* tcp_table.c - see tcp_table.h.
 *
 * SPDX-License-Identifier: MIT
 */
#include "inet/tcp_table.h"
#include "base/siphash.h"
#include "base/usually.h"
#include "inet/tcp_ranges.h"
#include "inet/tcp_reassembly.h"
#include "inet/tcp_receive.h"
#include "inet/tcp_reply.h"
#include "inet/tcp_sendq.h"
#include "inet/tcp_sent.h"
#include "inet/tcp_timer.h"
#include "inet/tcp_tune.h"
#include <errno.h>
#include <stdlib.h>

/* The smallest power of two that is at least n. */
static uint32_t power_of_two(uint32_t n)
{
	uint32_t p = 1;

	while (p < n)
		p *= 2;
	return p;
}

static uint32_t at_least(uint32_t n, uint32_t least)
{
	return n > least ? n : least;
}

/* Sets of ranges, of both sizes. */
static int create_sets(struct tcp_table *t, uint32_t max_tcp)
{
	uint32_t large = at_least(max_tcp / TCP_LARGE_SETS_DIVISOR, TCP_LARGE_SETS_MIN);
	const uint32_t counts[TCP_SET_SIZES] = {
	    [TCP_SET_SMALL] = at_least(max_tcp / TCP_RANGE_SETS_DIVISOR, TCP_RANGE_SETS_MIN),
	    [TCP_SET_LARGE] = large < TCP_LARGE_SETS_MAX ? large : TCP_LARGE_SETS_MAX,
	};

	for (int i = 0; i < TCP_SET_SIZES; i++)
		if (tcp_sets_create(&t->reassemblies[i], counts[i], tcp_reassembly_bytes(i)) != 0 ||
		    tcp_sets_create(&t->ranges[i], counts[i], tcp_ranges_bytes(i)) != 0 ||
		    tcp_sets_create(&t->sent[i], counts[i], tcp_sent_bytes(i)) != 0)
			return -ENOMEM;
	return 0;
}

static int create_slabs(struct tcp_table *t, const struct stack_config *cfg)
{
	uint32_t cbs = cfg->max_tcp + cfg->max_listeners;
	uint32_t chunks = at_least(cfg->max_tcp * TCP_CHUNKS_PER_CONNECTION, TCP_CHUNKS_MIN);

	if (tcp_slab_create(&t->cbs, cbs, sizeof(struct tcp_cb)) != 0 ||
	    tcp_slab_create(&t->halves, cfg->max_half_open, sizeof(struct tcp_half)) != 0 ||
	    tcp_slab_create(&t->chunks, chunks, sizeof(struct tcp_chunk)) != 0 ||
	    create_sets(t, cfg->max_tcp) != 0)
		return -ENOMEM;
	t->slot_mask = power_of_two(cbs) - 1;
	t->slots = calloc(t->slot_mask + 1, sizeof(struct tcp_cb *));
	t->half_mask = power_of_two(at_least(cfg->max_half_open, 1)) - 1;
	t->half_slots = calloc(t->half_mask + 1, sizeof(struct tcp_half *));
	return t->slots != NULL && t->half_slots != NULL ? 0 : -ENOMEM;
}

int tcp_create(struct stack *s)
{
	struct tcp_table *t = calloc(1, sizeof(*t));

	if (t == NULL)
		return -ENOMEM;
	s->tcp = t;
	list_init(&t->output);
	list_init(&t->half_open);
	list_init(&t->time_wait);
	list_init(&t->closing);
	wheel_init(&t->wheel, s->now_ns);
	wheel_init(&t->half_wheel, s->now_ns);
	t->next_ns = UINT64_MAX;
	t->cc = tcp_cc_find(s->cfg.congestion, strlen(s->cfg.congestion));
	for (unsigned i = 0; i < 2; i++) {
		t->hash_key[i] = rng_u64(&s->rng);
		t->isn_key[i] = rng_u64(&s->rng);
		t->port_key[i] = rng_u64(&s->rng);
	}
	t->port_next = (uint32_t)rng_u64(&s->rng);
	if (create_slabs(t, &s->cfg) == 0)
		return 0;
	tcp_destroy(s);
	return -ENOMEM;
}

uint8_t tcp_peer_group(const struct tcp_table *t, const struct ip_addr *ip)
{
	return (uint8_t)siphash13_2(t->hash_key, ip->words[0], ip->words[1]);
}

/* Gives back the buffers of one control block that may have any. */
static void drop_buffers(struct tcp_cb *cb)
{
	tcp_sendq_clear(cb);
	tcp_receive_clear(cb);
}

void tcp_destroy(struct stack *s)
{
	struct tcp_table *t = s->tcp;

	if (t == NULL)
		return;
	for (uint32_t i = 0; i < t->cbs.touched; i++)
		drop_buffers(tcp_cb_at(t, i));
	tcp_slab_destroy(&t->cbs);
	tcp_slab_destroy(&t->halves);
	tcp_slab_destroy(&t->chunks);
	for (int i = 0; i < TCP_SET_SIZES; i++) {
		tcp_sets_destroy(&t->reassemblies[i]);
		tcp_sets_destroy(&t->ranges[i]);
		tcp_sets_destroy(&t->sent[i]);
	}
	free(t->slots);
	free(t->half_slots);
	free(t);
	s->tcp = NULL;
}

uint32_t tcp_table_hash(const struct tcp_table *t, const struct ip_addr *peer_ip,
			uint16_t peer_port, uint16_t local_port)
{
	uint64_t ports = (uint64_t)peer_port << 16 | local_port;

	if (peer_ip->words[0] == 0) /* IPv4: the rest of the address is constant */
		return (uint32_t)siphash13_1(t->hash_key, peer_ip->words[1] >> 32 << 32 | ports);
	return (uint32_t)siphash13_3(t->hash_key, peer_ip->words[0], peer_ip->words[1], ports);
}

static bool matches(const struct tcp_cb *cb, const struct ip_addr *peer_ip, uint16_t peer_port,
		    uint16_t local_port)
{
	return cb->sock.peer.port == peer_port && cb->sock.local.port == local_port &&
	       ip_eq(&cb->sock.peer.ip, peer_ip);
}

struct tcp_cb *tcp_table_find(struct tcp_table *t, const struct ip_addr *peer_ip,
			      uint16_t peer_port, uint16_t local_port)
{
	struct tcp_cb *cb =
	    t->slots[tcp_table_hash(t, peer_ip, peer_port, local_port) & t->slot_mask];

	while (cb != NULL && !matches(cb, peer_ip, peer_port, local_port))
		cb = cb->hash_next;
	if (cb != NULL)
		t->last = cb;
	return cb;
}

struct tcp_cb *tcp_table_find_wire(struct tcp_table *t, uint32_t peer, uint32_t ports)
{
	struct tcp_cb **slot = tcp_table_recent(t, peer, ports), *cb = *slot;
	const uint8_t *wire = (const uint8_t *)&ports;
	struct ip_addr ip;

	if (usually(cb != NULL && cb->wire_peer == peer && cb->wire_ports == ports)) {
		t->last = cb;
		return cb;
	}
	ip = ip4_from_wire(peer);
	cb = tcp_table_find(t, &ip, get_be16(wire), get_be16(wire + 2));
	if (cb != NULL)
		*slot = cb;
	return cb;
}

void tcp_table_add(struct tcp_table *t, struct tcp_cb *cb)
{
	struct tcp_cb **slot = &t->slots[tcp_table_hash(t, &cb->sock.peer.ip, cb->sock.peer.port,
							cb->sock.local.port) &
					 t->slot_mask];

	cb->hash_next = *slot;
	*slot = cb;
	cb->wire_peer = get_raw32(cb->sock.peer.ip.bytes + 12);
	put_be16(&cb->wire_ports, cb->sock.peer.port);
	put_be16((uint8_t *)&cb->wire_ports + 2, cb->sock.local.port);
}

void tcp_table_remove(struct tcp_table *t, struct tcp_cb *cb)
{
	struct tcp_cb **slot = &t->slots[tcp_table_hash(t, &cb->sock.peer.ip, cb->sock.peer.port,
							cb->sock.local.port) &
					 t->slot_mask];

	while (*slot != NULL && *slot != cb)
		slot = &(*slot)->hash_next;
	if (*slot == cb)
		*slot = cb->hash_next;
	if (t->last == cb)
		t->last = NULL;
	slot = tcp_table_recent(t, cb->wire_peer, cb->wire_ports);
	if (*slot == cb)
		*slot = NULL;
	memset(t->ahead, 0, sizeof(t->ahead));
}

static void set_defaults(struct tcp_cb *cb, const struct stack_config *cfg)
{
	cb->keepalive = cfg->keepalive;
	cb->keepalive_idle_ms = cfg->keepalive_idle_ms;
	cb->keepalive_interval_ms = cfg->keepalive_interval_ms;
	cb->keepalive_probes = (uint8_t)cfg->keepalive_probes;
	cb->user_timeout_ms = cfg->user_timeout_ms;
	cb->send_limit = cfg->send_buffer_bytes;
	cb->recv_limit = cfg->recv_buffer_bytes;
	cb->send_grows = cb->recv_grows = cfg->buffer_max_bytes > 0;
	cb->rto_ns = TCP_RTO_INITIAL_NS;
	cb->rtx_deadline_ns = cb->ack_deadline_ns = cb->life_deadline_ns = UINT64_MAX;
	cb->mss_deadline_ns = cb->rack_deadline_ns = UINT64_MAX;
	cb->max_pacing_rate = UINT64_MAX;
	cb->offload = cfg->offloads & OFFLOAD_L4_CSUM;
	cb->nagle = cfg->nagle;
	cb->not_established = true;
	cb->syn_unacked = true;
	cb->no_path = true;
}

/* All that is left is the peer's part, and that may never come. */
static bool is_deserted(const struct tcp_cb *cb)
{
	return tcp_fin_acked(cb) || cb->sock.stack->now_ns - cb->progress_ns >= TCP_DESERTED_NS;
}

/* Ends one of the connections that are shut down both ways. Those that are still at work go to the
 * end of the list, so that each is looked at in its turn. */
static void end_deserted(struct tcp_table *t)
{
	for (int i = 0; i < TCP_DESERTED_LOOKS && !list_empty(&t->closing); i++) {
		struct tcp_cb *cb = list_entry(t->closing.next, struct tcp_cb, link);

		if (is_deserted(cb)) {
			cb->sock.stack->stats.tcp_deserted++;
			tcp_reply_abort(cb);
			tcp_fail(cb, -ETIMEDOUT);
			return;
		}
		list_del(&cb->link);
		list_add_tail(&t->closing, &cb->link);
	}
}

/* Room for one more. Who has a closing one learns of its end first, so there are some to spare. */
static void make_room(struct tcp_table *t)
{
	if (t->cbs.used + TCP_SPARE_CONNECTIONS < t->cbs.count)
		return;
	if (list_empty(&t->time_wait)) {
		end_deserted(t);
	} else if (t->cbs.used == t->cbs.count) {
		struct tcp_cb *cb = list_entry(t->time_wait.next, struct tcp_cb, link);

		cb->sock.stack->stats.tcp_time_wait_recycled++;
		tcp_finish(cb);
	}
}

struct tcp_cb *tcp_cb_new(struct stack *s, void *user)
{
	struct tcp_table *t = s->tcp;
	struct tcp_cb *cb;

	make_room(t);
	cb = tcp_slab_get(&t->cbs);
	if (cb == NULL)
		return NULL;
	memset(cb, 0, sizeof(*cb));
	sock_init(&cb->sock, s, SOCK_TCP, user);
	list_init(&cb->out_link);
	list_init(&cb->link);
	wheel_entry_init(&cb->timer);
	cb->timer.deadline_ns = UINT64_MAX;
	ip_path_init(&cb->path, IPPROTO_TCP);
	set_defaults(cb, &s->cfg);
	cb->cc = t->cc;
	return cb;
}

static void drop_port(struct tcp_cb *cb)
{
	const struct stack_config *cfg = &cb->sock.stack->cfg;

	if (cb->has_port)
		ports_drop(cfg->ports, cfg->ports_member, PORTS_TCP, cb->sock.local.port);
	cb->has_port = false;
}

/* The port is in local.port from now on. */
bool tcp_port_take(struct tcp_cb *cb, uint16_t port, bool share)
{
	const struct stack_config *cfg = &cb->sock.stack->cfg;

	if (cfg->ports != NULL) {
		drop_port(cb);
		if (!ports_take(cfg->ports, cfg->ports_member, PORTS_TCP, port, share))
			return false;
		cb->has_port = true;
	}
	cb->sock.local.port = port;
	return true;
}

void tcp_cb_free(struct tcp_cb *cb)
{
	struct stack *s = cb->sock.stack;

	assert(cb->state == TCP_CLOSED);
	drop_buffers(cb);
	tcp_bound_remove(s->tcp, cb);
	drop_port(cb);
	sock_gone(&cb->sock);
	tcp_tune_end(cb);
	tcp_slab_put(&s->tcp->cbs, cb);
}

void tcp_bound_add(struct tcp_table *t, struct tcp_cb *cb)
{
	struct tcp_cb **slot = &t->bound[cb->sock.local.port % TCP_BOUND_SLOTS];

	cb->bound_next = *slot;
	*slot = cb;
	cb->bound = true;
}

void tcp_bound_remove(struct tcp_table *t, struct tcp_cb *cb)
{
	struct tcp_cb **slot = &t->bound[cb->sock.local.port % TCP_BOUND_SLOTS];

	if (!cb->bound)
		return;
	while (*slot != cb)
		slot = &(*slot)->bound_next;
	*slot = cb->bound_next;
	cb->bound = false;
}

bool tcp_bound_conflict(const struct tcp_table *t, const struct endpoint *local, bool reuse_port)
{
	const struct tcp_cb *cb = t->bound[local->port % TCP_BOUND_SLOTS];

	for (; cb != NULL; cb = cb->bound_next)
		if (cb->sock.local.port == local->port && !(reuse_port && cb->sock.reuse_port) &&
		    (ip_is_any(&cb->sock.local.ip) || ip_is_any(&local->ip) ||
		     ip_eq(&cb->sock.local.ip, &local->ip)))
			return true;
	return false;
}

struct tcp_cb *tcp_listener_find(const struct tcp_table *t, const struct ip_addr *local_ip,
				 uint16_t local_port)
{
	struct tcp_cb *cb = t->bound[local_port % TCP_BOUND_SLOTS];

	for (; cb != NULL; cb = cb->bound_next)
		if (cb->state == TCP_LISTEN && cb->sock.local.port == local_port &&
		    (ip_is_any(&cb->sock.local.ip) || ip_eq(&cb->sock.local.ip, local_ip)))
			return cb;
	return NULL;
}
