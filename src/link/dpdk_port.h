/* dpdk_port.h - DPDK's environment, and a port set up as far as its driver can. Part of the
 * plug-in.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef LINK_DPDK_PORT_H
#define LINK_DPDK_PORT_H

#include "base/toeplitz.h"
#include "link/dpdk.h"
#include <rte_ethdev.h>

enum {
	DPDK_LOOK_NS = 20000000,       /* between two looks at a port from which nothing comes */
	DPDK_LOOK_DOWN_NS = 1000000,   /* while it is down */
	DPDK_PARTING_NS = 20000000,    /* that a peer has to read what was sent last */
	DPDK_LOOKS_RECONNECT = 10,     /* of the latter until a client tries again */
	DPDK_LOOK_GONE_NS = 100000000, /* at an interface of the kernel's, whether it is there */
};

struct dpdk_port {
	uint16_t id;
	struct rte_eth_dev_info info;
	struct rte_eth_conf conf;
	bool interrupts;    /* the driver wakes us through a descriptor */
	bool scatter;       /* received frames may be chains */
	bool multi_segment; /* sent frames may be chains */
	bool memif;
	bool is_virtual; /* its driver reads memory as we do */
	bool peer_reads; /* another process reads what is sent where it lies: in DPDK's memory */
	bool still;      /* dpdk_still.h holds the interrupt thread */
	bool reconnects; /* is to be started again when its peer is not there */
	bool started;    /* may be polled */
	bool was_up;     /* since it was started */
	char path[108];  /* of memif's control channel */
	unsigned looks_down;
	uint16_t queues;     /* each way */
	struct toeplitz rss; /* how the port spreads what it receives over them, if that is known */
	uint32_t offloads;   /* OFFLOAD_ that the port was set up for */
	uint16_t mtu;
	struct rte_ether_addr mac;
};

/* Sets up the environment, once in a process. 0; -errno with *why: what it said, or what to do. */
int dpdk_environment(const struct dpdk_setup *s, char why[DPDK_WHY_BYTES]);

/* Threads of the program's are no lcores of DPDK's until they are registered: only then do mempools
 * cache for them. */
void dpdk_register_thread(void);

/* Finds a free port and asks what it can do; nothing of it is changed yet. 0, -ENODEV. */
int dpdk_port_find(struct dpdk_port *p, const struct dpdk_setup *s, char why[DPDK_WHY_BYTES]);

/* Bytes of a buffer's room that one received frame, or a piece of it, wants; headroom included. */
uint16_t dpdk_port_room(const struct dpdk_port *p);

/* Configures the queues and starts the port, each queue with a mempool; or, where the other end has
 * to be there first, leaves that to dpdk_port_look_after(). */
int dpdk_port_start(struct dpdk_port *p, const struct dpdk_setup *s,
		    struct rte_mempool *const mempools[], char why[DPDK_WHY_BYTES]);

/* Not while one of the port's queues is polled: lets the driver do what it does beside. Returns
 * after how many nanoseconds it wants that again. */
uint64_t dpdk_port_look_after(struct dpdk_port *p);

/* Whether the interface of the kernel's that the port stands on, if it does, has gone: DPDK's
 * drivers for AF_PACKET and AF_XDP do not notice. */
bool dpdk_port_is_gone(const struct dpdk_port *p);

void dpdk_port_stop(struct dpdk_port *p);

#endif
