/* flows.h - bulk connections that share a wire: host 0 sends to host 1 without end.
 *
 *     flows_create(); flows_connect(); world_run(); flows_measure(); flows_destroy()
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef SIM_FLOWS_H
#define SIM_FLOWS_H

#include "world.h"
#include <linux/tcp.h> /* struct tcp_info */

enum {
	FLOWS_MAX = 10,
	FLOWS_CHUNK_BYTES = 256 << 10, /* of one send */
};

struct flow {
	struct sock *client, *server;
	uint64_t received; /* bytes, since the last flows_measure() */
};

struct flows {
	struct world *world;
	struct pool *pool;
	struct buf *text;
	struct sock *listener;
	struct flow flow[FLOWS_MAX];
	unsigned connected, accepted;
};

/* A world of two hosts by c, the second of which listens. Both pointers are borrowed until
 * flows_destroy(), which ends the world as well. */
void flows_create(struct flows *f, struct world *w, const struct world_config *c,
		  const char *repeat);
void flows_destroy(struct flows *f);

/* Another connection, from now on. */
void flows_connect(struct flows *f);

struct flows_result {
	double mbit_s; /* of all */
	double jain;   /* Jain's index: 1 when all have the same, 1/n when one has all */
	double ratio;  /* of the least to the most */
};

/* What has arrived in `ns` more of virtual time. */
struct flows_result flows_measure(struct flows *f, uint64_t ns);

/* Of what n connections have received in `ns`. */
struct flows_result flows_evaluate(const uint64_t received[], unsigned n, uint64_t ns);

/* TCP_INFO of a connection's sender. */
struct tcp_info flows_info(struct flows *f, unsigned i);

#endif
