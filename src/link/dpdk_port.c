/* dpdk_port.c - see dpdk_port.h.
 *
 * SPDX-License-Identifier: MIT
 */
#include "link/dpdk_port.h"
#include "base/log.h"
#include <errno.h>
#include <pthread.h>
#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_log.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static pthread_mutex_t environment_lock = PTHREAD_MUTEX_INITIALIZER;
static bool environment_is_up;

#define SAY(why, ...) snprintf((why), DPDK_WHY_BYTES, __VA_ARGS__)

static bool is_complaint(const char *line)
{
	static const char *const words[] = {" not ", "annot", "nvalid", "ailed", " No ", "nable"};

	if (strncmp(line, "EAL:", 4) != 0)
		return false;
	for (unsigned i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (strstr(line, words[i]))
			return true;
	}
	return false;
}

/* The first complaint among what the environment wrote: what comes behind mostly follows from it.
 */
static void first_complaint(FILE *said, char *out, size_t bytes)
{
	char line[DPDK_WHY_BYTES];

	out[0] = '\0';
	rewind(said);
	while (fgets(line, sizeof(line), said)) {
		line[strcspn(line, "\n")] = '\0';
		log_debug("DPDK: %s", line);
		if (out[0] == '\0' && is_complaint(line))
			snprintf(out, bytes, "%.*s", (int)bytes - 1, line);
	}
}

/* EAL permutes its arguments and keeps pointers into them: they are copied, and stay. */
static char **copy_arguments(const struct dpdk_setup *s)
{
	char **argv = calloc((size_t)s->eal_arguments_len + 1, sizeof(*argv));

	for (int i = 0; argv && i < s->eal_arguments_len; i++) {
		argv[i] = strdup(s->eal_arguments[i]);
		if (!argv[i])
			return NULL;
	}
	return argv;
}

/* EAL writes to standard output and error before its log can be told where to go: for that moment
 * both are `said`. */
static int init_quietly(FILE *said, int argc, char **argv)
{
	int out = dup(STDOUT_FILENO), err = dup(STDERR_FILENO), rc;

	fflush(stdout);
	dup2(fileno(said), STDOUT_FILENO);
	dup2(fileno(said), STDERR_FILENO);
	rte_openlog_stream(said);
	rc = rte_eal_init(argc, argv);
	rte_openlog_stream(NULL);
	fflush(stdout);
	if (out >= 0)
		dup2(out, STDOUT_FILENO);
	if (err >= 0)
		dup2(err, STDERR_FILENO);
	close(out);
	close(err);
	return rc;
}

static int start_environment(const struct dpdk_setup *s, char why[DPDK_WHY_BYTES])
{
	char **argv = copy_arguments(s), reason[160];
	FILE *said = tmpfile();
	int rc;

	if (!argv || !said) {
		if (said)
			fclose(said);
		SAY(why, "not enough memory for DPDK's arguments");
		return -ENOMEM;
	}
	rc = init_quietly(said, s->eal_arguments_len, argv);
	first_complaint(said, reason, sizeof(reason));
	rte_log_set_global_level(RTE_LOG_EMERG); /* its words are not the program's */
	fclose(said);
	if (rc >= 0)
		return 0;
	SAY(why,
	    "DPDK's environment does not start: %s (%s); without huge pages add --no-huge to dpdk.eal_init, or make "
	    "some: echo 512 > /proc/sys/vm/nr_hugepages",
	    rte_strerror(rte_errno), reason[0] ? reason : "DEMI_LOG=debug shows more");
	return rte_errno > 0 ? -rte_errno : -EINVAL;
}

int dpdk_environment(const struct dpdk_setup *s, char why[DPDK_WHY_BYTES])
{
	int rc = 0;

	pthread_mutex_lock(&environment_lock);
	if (!environment_is_up)
		rc = start_environment(s, why);
	environment_is_up |= rc == 0;
	pthread_mutex_unlock(&environment_lock);
	/* Threads of the program's are no lcores of DPDK's until they are registered: only then do
	 * mempools cache for them. */
	if (rc == 0 && rte_lcore_id() == LCORE_ID_ANY)
		rte_thread_register();
	return rc;
}

/* Huge-page files and sockets go with the process. The link's instance has ended before: exit()
 * runs its handlers first. */
__attribute__((destructor)) static void end_environment(void)
{
	if (environment_is_up)
		rte_eal_cleanup();
}

static uint64_t wanted_offloads(struct dpdk_port *p, const struct dpdk_setup *s)
{
	const uint64_t csum = RTE_ETH_TX_OFFLOAD_IPV4_CKSUM | RTE_ETH_TX_OFFLOAD_TCP_CKSUM |
			      RTE_ETH_TX_OFFLOAD_UDP_CKSUM;
	uint64_t tx = p->info.tx_offload_capa & RTE_ETH_TX_OFFLOAD_MULTI_SEGS;

	if (s->checksums && (p->info.tx_offload_capa & csum) == csum) {
		tx |= csum;
		p->offloads |= OFFLOAD_IP4_CSUM | OFFLOAD_L4_CSUM;
		if (tx & RTE_ETH_TX_OFFLOAD_MULTI_SEGS &&
		    p->info.tx_offload_capa & RTE_ETH_TX_OFFLOAD_TCP_TSO) {
			tx |= RTE_ETH_TX_OFFLOAD_TCP_TSO;
			p->offloads |= OFFLOAD_TSO;
		}
	}
	return tx;
}

static void choose(struct dpdk_port *p, const struct dpdk_setup *s)
{
	uint64_t rx = 0;

	if (s->checksums && p->info.rx_offload_capa & RTE_ETH_RX_OFFLOAD_CHECKSUM) {
		rx |= p->info.rx_offload_capa & RTE_ETH_RX_OFFLOAD_CHECKSUM;
		p->offloads |= OFFLOAD_RX_CSUM;
	}
	rx |= p->info.rx_offload_capa & RTE_ETH_RX_OFFLOAD_SCATTER;
	p->scatter = (rx & RTE_ETH_RX_OFFLOAD_SCATTER) != 0;
	p->conf.rxmode.offloads = rx;
	p->conf.txmode.offloads = wanted_offloads(p, s);
	p->multi_segment = (p->conf.txmode.offloads & RTE_ETH_TX_OFFLOAD_MULTI_SEGS) != 0;
	p->conf.rxmode.mtu = p->mtu;
	p->conf.intr_conf.rxq = 1;
}

int dpdk_port_find(struct dpdk_port *p, const struct dpdk_setup *s, char why[DPDK_WHY_BYTES])
{
	uint16_t id;

	memset(p, 0, sizeof(*p));
	RTE_ETH_FOREACH_DEV(id)
	{
		if (rte_eth_dev_info_get(id, &p->info) == 0) {
			p->id = id;
			rte_eth_dev_get_mtu(id, &p->mtu);
			rte_eth_macaddr_get(id, &p->mac);
			if (s->mtu)
				p->mtu = s->mtu;
			choose(p, s);
			return 0;
		}
	}
	SAY(why,
	    "DPDK has no port: bind a device with dpdk-devbind.py, or name a virtual one in dpdk.eal_init, such as "
	    "--vdev=net_tap0");
	return -ENODEV;
}

uint16_t dpdk_port_room(const struct dpdk_port *p)
{
	uint32_t frame = p->mtu + (uint32_t)RTE_ETHER_HDR_LEN + 2 * RTE_VLAN_HLEN;

	if (p->scatter || frame < RTE_MBUF_DEFAULT_DATAROOM)
		frame = RTE_MBUF_DEFAULT_DATAROOM;
	frame = (frame + RTE_PKTMBUF_HEADROOM + 63) & ~63u;
	return frame > UINT16_MAX ? UINT16_MAX & ~63 : (uint16_t)frame;
}

/* Drivers without interrupts refuse a configuration that asks for them. */
static int configure(struct dpdk_port *p)
{
	int rc = rte_eth_dev_configure(p->id, 1, 1, &p->conf);

	if (rc < 0 && p->conf.intr_conf.rxq) {
		p->conf.intr_conf.rxq = 0;
		rc = rte_eth_dev_configure(p->id, 1, 1, &p->conf);
	}
	return rc;
}

static int set_up_queues(struct dpdk_port *p, struct rte_mempool *mempool)
{
	uint16_t rx = DPDK_RING_FRAMES, tx = DPDK_RING_FRAMES;
	int socket = rte_eth_dev_socket_id(p->id), rc;
	struct rte_eth_txconf txconf = p->info.default_txconf;

	/* Buffers come back one by one with their counts: no MBUF_FAST_FREE. */
	txconf.offloads = p->conf.txmode.offloads;
	rc = rte_eth_dev_adjust_nb_rx_tx_desc(p->id, &rx, &tx);
	if (rc == 0)
		rc = rte_eth_rx_queue_setup(p->id, 0, rx, (unsigned)socket, NULL, mempool);
	if (rc == 0)
		rc = rte_eth_tx_queue_setup(p->id, 0, tx, (unsigned)socket, &txconf);
	return rc;
}

int dpdk_port_start(struct dpdk_port *p, const struct dpdk_setup *s, struct rte_mempool *mempool,
		    char why[DPDK_WHY_BYTES])
{
	int rc = configure(p);

	if (rc == 0)
		rc = set_up_queues(p, mempool);
	if (rc == 0)
		rc = rte_eth_dev_start(p->id);
	if (rc < 0) {
		SAY(why, "port %u (%s) does not start: %s", p->id, p->info.driver_name,
		    rte_strerror(-rc));
		return rc;
	}
	if (s->mac) { /* where the driver cannot change its address, it has to hear all */
		memcpy(&p->mac, s->mac, sizeof(p->mac));
		if (rte_eth_dev_default_mac_addr_set(p->id, &p->mac) != 0)
			rte_eth_promiscuous_enable(p->id);
	}
	p->interrupts = p->conf.intr_conf.rxq && rte_eth_dev_rx_intr_ctl_q_get_fd(p->id, 0) >= 0;
	log_info("DPDK port %u: %s, MTU %u%s%s", p->id, p->info.driver_name, p->mtu,
		 p->multi_segment ? ", chains" : "", p->interrupts ? ", interrupts" : "");
	return 0;
}

void dpdk_port_stop(struct dpdk_port *p)
{
	rte_eth_dev_stop(p->id);
	rte_eth_dev_close(p->id);
}
