/* stack.c - the stack object and its doors.
 *
 * SPDX-License-Identifier: MIT
 */
#include "base/usually.h"
#include "inet/core.h"
#include "inet/eth.h"
#include "inet/ip4.h"
#include "inet/neighbour.h"
#include "inet/output.h"
#include "inet/pmtu.h"
#include "inet/reassembly.h"
#include "inet/tcp_fast.h"
#include "inet/udp_fast.h"
#include <errno.h>
#include <stdlib.h>

/* What a buffer of the pool has to take besides its headroom: an ICMP error with what it quotes. */
enum { COPY_ROOM_MIN_BYTES = ICMP_ERROR_MAX_BYTES };

void stack_config_init(struct stack_config *cfg)
{
	*cfg = (struct stack_config){
	    .prefix_len = 24,
	    .mtu = 1500,
	    .max_tcp = 8192,
	    .max_half_open = 4096,
	    .max_listeners = 64,
	    .max_udp = 1024,
	    .max_neighbours = 1024,
	    .send_buffer_bytes = 1 << 20,
	    .recv_buffer_bytes = 1 << 20,
	    .arp_cache_ttl_s = 60, /* RFC 1122 2.3.2.1: on the order of a minute */
	    .arp_request_timeout_ms = 1000,
	    .arp_request_retries = 4,
	    .congestion = "cubic",
	    .ecn = STACK_ECN_PASSIVE,
	    .mtu_probing = STACK_MTU_BLACK_HOLE,
	    .pace_above_bytes_per_s = 2500000,
	    .time_wait_ms = 60000,
	    .keepalive_idle_ms = 7200 * 1000, /* RFC 1122 4.2.3.6 */
	    .keepalive_interval_ms = 75 * 1000,
	    .keepalive_probes = 9,
	    .zero_copy_bytes = 4096,
	};
}

static bool config_is_possible(const struct stack_config *cfg)
{
	return !(cfg->mac[0] & 1) && eth_mac48(cfg->mac) != 0 && ip_is4(&cfg->addr) &&
	       cfg->prefix_len <= 32 && (ip_is_any(&cfg->gateway) || ip_is4(&cfg->gateway)) &&
	       cfg->mtu >= IP4_MTU_MIN && cfg->vlan_id <= 4094 && cfg->pool != NULL &&
	       cfg->pool->headroom >= IP_HEADERS_ROOM + TCP_HEADERS_ROOM &&
	       cfg->max_frags <= FRAME_FRAGS && cfg->max_neighbours > 0 &&
	       cfg->arp_cache_ttl_s > 0 && cfg->arp_request_timeout_ms > 0 &&
	       cfg->arp_request_retries < UINT8_MAX &&
	       tcp_cc_find(cfg->congestion, strlen(cfg->congestion)) != NULL;
}

static bool addresses_are_possible(const struct stack *s)
{
	uint32_t gateway = ip4_get(&s->cfg.gateway);

	if (!ip4_is_unicast(s->addr4) || ip4_is_broadcast(s, s->addr4))
		return false;
	return ip_is_any(&s->cfg.gateway) || (ip4_is_unicast(gateway) && ip4_on_link(s, gateway) &&
					      !ip4_is_broadcast(s, gateway) && gateway != s->addr4);
}

/* What a buffer of the pool takes; 0 when it is too small to be of use, or there is none. */
static uint32_t copy_room(struct pool *pool)
{
	struct buf *b = pool_get(pool);
	uint32_t bytes;

	if (b == NULL)
		return 0;
	bytes = buf_tailroom(b);
	buf_unref(b);
	return bytes < COPY_ROOM_MIN_BYTES ? 0 : bytes;
}

static int init(struct stack *s, uint64_t now_ns)
{
	const struct stack_config *cfg = &s->cfg;

	s->now_ns = now_ns;
	s->mac48 = eth_mac48(cfg->mac);
	s->addr4 = ip4_get(&cfg->addr);
	s->mask4 = cfg->prefix_len == 0 ? 0 : UINT32_MAX << (32 - cfg->prefix_len);
	s->network4 = s->broadcast4 = UINT32_MAX;
	if (cfg->prefix_len > 0 && cfg->prefix_len < 31) {
		s->network4 = s->addr4 & s->mask4;
		s->broadcast4 = s->addr4 | ~s->mask4;
	}
	s->addr4_wire = __builtin_bswap32(s->addr4);
	s->network4_wire = __builtin_bswap32(s->network4);
	s->broadcast4_wire = __builtin_bswap32(s->broadcast4);
	s->ip_mtu = cfg->mtu;
	s->vlan_id = cfg->vlan_id;
	s->pool = cfg->pool;
	s->ip_deadline_ns = UINT64_MAX;
	list_init(&s->events);
	if (!addresses_are_possible(s))
		return -EINVAL;
	s->copy_room_bytes = copy_room(s->pool);
	if (s->copy_room_bytes == 0)
		return -EINVAL;
	rng_init(&s->rng, cfg->key);
	s->hash_key[0] = rng_u64(&s->rng);
	s->hash_key[1] = rng_u64(&s->rng);
	for (unsigned i = 0; i < IP_ID_COUNTERS; i++)
		s->ip_ids[i] = (uint16_t)rng_u64(&s->rng);
	return 0;
}

int stack_create(struct stack **out, const struct stack_config *cfg, uint64_t now_ns)
{
	static int (*const parts[])(struct stack *) = {
	    output_create, neighbour_create, reassembly_create, pmtu_create, udp_create, tcp_create,
	};
	struct stack *s;
	int err;

	if (!config_is_possible(cfg))
		return -EINVAL;
	s = calloc(1, sizeof(*s));
	if (s == NULL)
		return -ENOMEM;
	s->cfg = *cfg;
	err = init(s, now_ns);
	for (unsigned i = 0; err == 0 && i < sizeof(parts) / sizeof(parts[0]); i++)
		err = parts[i](s);
	if (err != 0) {
		stack_destroy(s);
		return err;
	}
	*out = s;
	return 0;
}

/* Each part tolerates that it, or those made after it, were never made. Packets that wait are
 * dropped before the sockets that own them go. */
void stack_destroy(struct stack *s)
{
	if (s == NULL)
		return;
	tcp_destroy(s);
	neighbour_destroy(s);
	output_destroy(s);
	udp_destroy(s);
	pmtu_destroy(s);
	reassembly_destroy(s);
	free(s);
}

/* TCP and the rest take turns at being first, so that neither keeps the other from the wire. */
static __attribute__((noinline)) int output_in_turns(struct stack *s, struct frame frames[], int n)
{
	int k = 0;

	if (s->queued > 0 && !list_empty(&s->tcp->output))
		s->tcp_first = !s->tcp_first;
	if (s->queued > 0 && !s->tcp_first)
		k = output_fill(s, frames, n);
	if (!list_empty(&s->tcp->output))
		k += tcp_output(s, frames + k, n - k);
	if (s->queued > 0) /* its turn, or TCP has asked for a MAC */
		k += output_fill(s, frames + k, n - k);
	return k;
}

int stack_output(struct stack *s, struct frame frames[], int n, uint64_t now_ns)
{
	int k = 0;

	stack_set_time(s, now_ns);
	if (usually(s->queued == 0))
		k = tcp_fast_output(s, frames, n);
	else if (usually(list_empty(&s->tcp->output)))
		k = udp_fast_output(s, frames, n);
	if (rarely(s->queued > 0 || !list_empty(&s->tcp->output)))
		k += output_in_turns(s, frames + k, n - k);
	s->stats.tx_frames += (uint64_t)k;
	return k;
}

static uint64_t min_u64(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

void stack_tick(struct stack *s, uint64_t now_ns)
{
	stack_set_time(s, now_ns);
	if (s->ip_deadline_ns <= s->now_ns) {
		neighbour_tick(s);
		reassembly_tick(s);
		s->ip_deadline_ns =
		    min_u64(neighbour_next_deadline(s), reassembly_next_deadline(s));
	}
	tcp_tick(s);
}

uint64_t stack_next_deadline(const struct stack *s)
{
	return min_u64(s->ip_deadline_ns, tcp_next_deadline(s));
}

bool stack_idle(struct stack *s, uint64_t now_ns)
{
	stack_set_time(s, now_ns);
	return s->queued == 0 && list_empty(&s->events) && list_empty(&s->tcp->output) &&
	       s->now_ns < stack_next_deadline(s);
}

int stack_events(struct stack *s, struct stack_event ev[], int n)
{
	struct list *pos = s->events.next;
	int k = 0;

	for (; k < n && pos != &s->events; pos = pos->next) {
		struct sock *sock = list_entry(pos, struct sock, event_link);

		ev[k++] = (struct stack_event){sock, sock->user, sock->event_bits};
		sock->event_bits = 0;
	}
	s->events.next = pos; /* those before it are off, all at once */
	pos->prev = &s->events;
	return k;
}

int stack_add_neighbour(struct stack *s, const struct ip_addr *ip, const uint8_t mac[6])
{
	if ((mac[0] & 1) || !ip_is4(ip) || !ip4_is_unicast(ip4_get(ip)))
		return -EINVAL;
	return neighbour_add_static(s, ip, mac);
}

bool stack_busy(const struct stack *s)
{
	return output_busy(s) || tcp_busy(s);
}

int stack_reset_orphans(struct stack *s, int n, uint64_t now_ns)
{
	stack_set_time(s, now_ns);
	return tcp_reset_orphans(s, n);
}

const struct stack_stats *stack_stats(const struct stack *s)
{
	return &s->stats;
}
