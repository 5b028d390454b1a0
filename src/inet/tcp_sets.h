/* tcp_sets.h - sets of ranges (tcp_ranges.h, tcp_reassembly.h), of which there are fewer than
 * connections: who may have one.
 *
 * Anybody may until half of all are in use; then a group of peers has no more than its share. When
 * all are, one that was made long ago gives way, for a peer may keep a hole open for as long as it
 * likes. Whoever has none goes on without: what comes out of order is dropped, what is reported is
 * not remembered.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef INET_TCP_SETS_H
#define INET_TCP_SETS_H

#include "base/list.h"
#include "inet/tcp_limits.h"
#include "inet/tcp_slab.h"

struct tcp_cb;

/* How many ranges a set of them takes: what most need, or what a window full of holes does. */
enum tcp_set_size { TCP_SET_SMALL, TCP_SET_LARGE, TCP_SET_SIZES };

/* Begins each set. */
struct tcp_set {
	struct list link; /* oldest first */
	struct tcp_cb *cb;
	uint32_t made_tick; /* tcp_clock() */
	uint16_t size;      /* enum tcp_set_size */
	uint16_t capacity;  /* ranges */
};

/* All of one kind and size. */
struct tcp_sets {
	struct tcp_slab slab;
	struct list in_use;
	uint32_t of_group[TCP_PEER_GROUPS];
};

/* `count` sets of `bytes` each; 0 or -ENOMEM. */
int tcp_sets_create(struct tcp_sets *sets, uint32_t count, uint32_t bytes);
void tcp_sets_destroy(struct tcp_sets *sets);

/* A set for cb, or NULL: there is none for its peers. Its size and capacity are the caller's to
 * say. */
struct tcp_set *tcp_sets_get(struct tcp_sets *sets, struct tcp_cb *cb);
void tcp_sets_put(struct tcp_sets *sets, struct tcp_set *set);

/* The connection that has to give its set back before cb can have one; NULL: none has, or none that
 * has had it for TCP_SET_TENURE_NS. */
struct tcp_cb *tcp_sets_who_gives_way(const struct tcp_sets *sets, const struct tcp_cb *cb);

#endif
