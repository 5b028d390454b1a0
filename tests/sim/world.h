/* world.h - stacks, faulty links and a switch in one process, in virtual time.
 *
 * Nothing here reads a clock or a random number of the outside: the same configuration gives the
 * same run, frame by frame. Time jumps to the next moment at which anything has something to do. At
 * each moment everything runs until nothing moves any more.
 *
 * Programs are called back: with each event of a socket, and when the time that they asked for has
 * come. They call the verbs of stack.h on the stack of their host, and world_touch() after it.
 *
 * What a driver of a stack must do is in host.c, and is meant to be read as an example of it.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef SIM_WORLD_H
#define SIM_WORLD_H

#include "base/rng.h"
#include "inet/stack.h"
#include "link/link.h"
#include "link/sim.h"
#include "trace.h"
#include <stdbool.h>
#include <stdint.h>

enum {
	WORLD_HOSTS = 8, /* at most */
	WORLD_BURST = 32,
	WORLD_LATE = 256, /* frames of one host that its device still reads */
};

#define WORLD_MS UINT64_C(1000000)
#define WORLD_S  UINT64_C(1000000000)

enum world_topology {
	WORLD_WIRE,   /* two hosts back to back: offloads reach from one to the other */
	WORLD_SWITCH, /* one network */
	WORLD_ROUTER, /* two networks, hosts of even and of odd numbers, and their gateway */
};

struct world_config {
	uint64_t seed;
	enum world_topology topology;
	unsigned hosts;
	uint16_t mtu;                   /* of the links */
	uint16_t host_mtu[WORLD_HOSTS]; /* of the stacks; 0: that of the links */
	uint16_t router_mtu;            /* of what the router passes on; 0: that of the links */
	uint32_t offloads;              /* OFFLOAD_ */
	uint16_t max_frags;
	uint32_t tso_max_bytes;
	uint32_t ring_frames;      /* of each device, a power of two */
	uint32_t host_buffers;     /* of each host's pool */
	uint32_t wire_buffers;     /* for frames on their way */
	uint64_t late_ns;          /* a device reads a frame up to so long after it took it */
	struct sim_config down;    /* faults on the way to a host; seed is chosen here */
	struct sim_config up;      /* faults on the way to the switch */
	struct stack_config stack; /* of every host; addresses, key, pool, MTU and offloads are
				      filled in here */
};

/* What runs on the hosts. `ctx` is given to each call. */
struct world_programs {
	void *ctx;
	void (*event)(void *ctx, const struct stack_event *ev);
	void (*due)(void *ctx);               /* the time of next_ns has come */
	uint64_t (*next_ns)(const void *ctx); /* when to call due(); UINT64_MAX: never */
};

struct late_frame {
	struct frame frame;
	uint64_t hash, due_ns;
};

struct host {
	struct world *world;
	unsigned number;
	uint8_t mac[6];
	struct ip_addr addr;
	struct stack *stack; /* NULL: the host is down */
	struct pool *pool;
	struct link *link;
	uint64_t deadline_ns;              /* of the stack */
	bool touched;                      /* a verb was called */
	struct frame waiting[WORLD_BURST]; /* not yet taken by the link */
	int waiting_count;
	struct late_frame late[WORLD_LATE]; /* a ring, in order of due_ns */
	uint32_t late_first, late_count;
	uint64_t dropped_no_buffer; /* received, with the pool empty */
};

struct world {
	struct world_config cfg;
	struct world_programs programs;
	uint64_t start_ns, now_ns;
	struct rng rng;
	struct pool *wire_pool;
	struct host hosts[WORLD_HOSTS];
	struct link *ports[WORLD_HOSTS]; /* the switch's ends; none on a wire */
	struct trace trace;
	const char *repeat; /* the command that repeats this run; borrowed */
};

/* Sensible values: two hosts on a wire without faults or offloads. */
void world_config_init(struct world_config *cfg);

/* Makes links and stacks; programs are set by the caller afterwards. Ends the process on failure.
 */
void world_create(struct world *w, const struct world_config *cfg, const char *repeat);

/* Destroys all and checks that every buffer is back. */
void world_destroy(struct world *w);

/* Runs until virtual time `until_ns`, which is then the time. */
void world_run(struct world *w, uint64_t until_ns);

/* A verb was called on this host: it has events or frames to look after. */
static inline void world_touch(struct host *h)
{
	h->touched = true;
}

/* The host's stack vanishes without a word. Its programs must have forgotten their sockets and
 * given back their buffers. The device stays. */
void world_host_vanish(struct host *h);
/* ... and a new one takes its place. */
void world_host_return(struct host *h);

/* Changes the faults of every link; seeds and max_frames stay. */
void world_faults(struct world *w, const struct sim_config *down, const struct sim_config *up);

struct endpoint world_endpoint(const struct host *h, uint16_t port);

/* A host that is at rest holds no buffer, and its counters add up; ends the process otherwise. */
void world_check_rest(struct host *h);
void world_check_counters(const struct host *h);

/* The test has failed: says so, with the seed, the time and how to repeat it, and ends the process.
 */
_Noreturn void world_fail(const struct world *w, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* One host's turn at the present time; true: something moved. host.c */
bool host_run(struct host *h);
uint64_t host_next_ns(const struct host *h);
void host_start(struct host *h);
void host_stop(struct host *h);

/* The switch's turn for one of its ports. switch.c */
bool switch_run(struct world *w, unsigned port);

/* True when the probability of `percent` in a hundred came to pass. */
static inline bool chance(struct rng *r, unsigned percent)
{
	return rng_below(r, 100) < percent;
}

/* Between lo and hi, each size as likely as each other order of magnitude; 0 < lo <= hi. */
uint64_t rng_size(struct rng *r, uint64_t lo, uint64_t hi);

#endif
