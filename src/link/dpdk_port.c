/* dpdk_port.c - see dpdk_port.h.
 *
 * SPDX-License-Identifier: MIT
 */
#include "link/dpdk_port.h"
#include "base/log.h"
#include "link/dpdk_calm.h"
#include "link/dpdk_devices.h"
#include "link/dpdk_quiet.h"
#include "link/dpdk_still.h"
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <net/if.h>
#include <pthread.h>
#include <rte_bus.h>
#include <rte_dev.h>
#include <rte_eal.h>
#include <rte_errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static pthread_mutex_t environment_lock = PTHREAD_MUTEX_INITIALIZER;
static bool environment_is_up;
static pid_t environment_pid;        /* a child of fork() has none of its threads */
static char **environment_arguments; /* it keeps pointers into them */
static bool port_is_open;
/* Of a port that was closed: to make it again. */
static char closed_arguments[1024];
/* What a driver said of a device that it gave up; mostly nothing. */
static char no_port_because[128];

#define SAY(why, ...) snprintf((why), DPDK_WHY_BYTES, __VA_ARGS__)

static bool complains(const char *line)
{
	static const char *const words[] = {" not ", "annot", "nvalid", "ailed", " No ", "nable"};

	for (unsigned i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (strstr(line, words[i]))
			return true;
	}
	return false;
}

static bool is_environments(const char *line)
{
	return strncmp(line, "EAL:", 4) == 0 && complains(line);
}

static bool is_getopts(const char *line)
{
	return strstr(line, " option '") || strstr(line, " option -- '") ||
	       strstr(line, "' requires an argument");
}

static bool has_word(const struct dpdk_setup *s, const char *word)
{
	for (int i = 0; i < s->eal_arguments_len; i++) {
		if (strcmp(s->eal_arguments[i], word) == 0)
			return true;
	}
	return false;
}

/* The first complaint among what the environment wrote: what comes behind mostly follows from it.
 * And what a driver said right before its device was given up. */
static void read_complaints(char *out, size_t bytes)
{
	char line[QUIET_LINE_BYTES], before[QUIET_LINE_BYTES] = "";

	out[0] = '\0';
	while (quiet_line(line)) {
		if (out[0] == '\0' && (is_environments(line) || is_getopts(line)))
			snprintf(out, bytes, "%.*s", (int)bytes - 1, line);
		if (strstr(line, "failed to initialize"))
			snprintf(no_port_because, sizeof(no_port_because), " (%.*s)",
				 (int)sizeof(no_port_because) - 4, before);
		memcpy(before, line, sizeof(before));
	}
}

/* The first complaint of a driver's own: libraries below it try one thing after the other. */
static void read_refusal(char *out, size_t bytes)
{
	char line[QUIET_LINE_BYTES];

	out[0] = '\0';
	while (quiet_line(line)) {
		if (out[0] == '\0' && strncmp(line, "lib", 3) != 0 && complains(line))
			snprintf(out, bytes, "%.*s", (int)bytes - 1, line);
	}
}

/* EAL permutes its arguments and keeps pointers into them: they are copied, into one block. */
static char **copy_arguments(const struct dpdk_setup *s)
{
	size_t bytes = ((size_t)s->eal_arguments_len + 1) * sizeof(char *);
	char **argv, *text;

	for (int i = 0; i < s->eal_arguments_len; i++)
		bytes += strlen(s->eal_arguments[i]) + 1;
	argv = calloc(1, bytes);
	if (!argv)
		return NULL;
	text = (char *)(argv + s->eal_arguments_len + 1);
	for (int i = 0; i < s->eal_arguments_len; i++) {
		argv[i] = strcpy(text, s->eal_arguments[i]);
		text += strlen(text) + 1;
	}
	return argv;
}

/* What the environment's own words mean, for who has to do something about it. */
static int explain_words(const struct dpdk_setup *s, const char *reason, char why[DPDK_WHY_BYTES])
{
	if (strstr(reason, "Cannot create lock")) {
		SAY(why, "another program has DPDK's files of this name: add --no-shconf to "
			 "dpdk.eal_init, or --file-prefix=NAME with a name of its own");
		return -EBUSY;
	}
	if (is_getopts(reason)) {
		SAY(why, "dpdk.eal_init, as DPDK reads it: %s", reason);
		return -EINVAL;
	}
	if (rte_errno == EACCES && !has_word(s, "--no-huge")) {
		SAY(why,
		    "DPDK gets no huge pages (%s): sudo sysctl vm.nr_hugepages=256, or add "
		    "--no-huge to dpdk.eal_init; demi doctor looks closer",
		    reason);
		return -ENOMEM;
	}
	return 0;
}

static int explain_environment(const struct dpdk_setup *s, const char *reason,
			       char why[DPDK_WHY_BYTES])
{
	const int error = rte_errno > 0 ? rte_errno : EINVAL;
	int rc = explain_words(s, reason, why);

	if (rc == 0)
		rc = dpdk_devices_explain(s, why);
	if (rc < 0)
		return rc;
	SAY(why, "DPDK's environment does not start: %s (%s); demi doctor looks closer",
	    rte_strerror(error), reason[0] ? reason : "DEMI_LOG=debug shows more");
	return -error;
}

static int start_environment(const struct dpdk_setup *s, char why[DPDK_WHY_BYTES])
{
	char **argv, reason[160];
	struct calm calm;
	int rc = dpdk_devices_clear(s, why);

	if (rc < 0)
		return rc;
	argv = copy_arguments(s);
	if (!argv || quiet_begin() < 0) {
		free(argv);
		SAY(why, "not enough memory or descriptors for DPDK's arguments");
		return -ENOMEM;
	}
	environment_arguments = argv;
	calm_begin(&calm);
	rc = rte_eal_init(s->eal_arguments_len, argv);
	calm_end(&calm);
	quiet_end();
	read_complaints(reason, sizeof(reason));
	return rc >= 0 ? 0 : explain_environment(s, reason, why);
}

void dpdk_register_thread(void)
{
	if (rte_lcore_id() == LCORE_ID_ANY)
		rte_thread_register();
}

int dpdk_environment(const struct dpdk_setup *s, char why[DPDK_WHY_BYTES])
{
	int rc = 0;

	pthread_mutex_lock(&environment_lock);
	if (!environment_is_up)
		rc = start_environment(s, why);
	if (rc == 0 && !environment_is_up) {
		environment_is_up = true;
		environment_pid = getpid();
	}
	pthread_mutex_unlock(&environment_lock);
	if (rc == 0)
		dpdk_register_thread();
	return rc;
}

/* What the environment leaves beside its memory's files, where cleaning up is not possible: it
 * waits for the interrupt thread. */
static void remove_socket(void)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/mp_socket", rte_eal_get_runtime_dir());
	unlink(path);
}

/* Huge-page files and sockets go with the process. Mostly the link's instance has ended before:
 * exit() runs its handlers first. While another thread polls the port nothing can be taken down. */
__attribute__((destructor)) static void end_environment(void)
{
	if (!environment_is_up || environment_pid != getpid() || port_is_open)
		return;
	if (dpdk_still_has_begun()) {
		remove_socket();
		return;
	}
	rte_eal_cleanup();
	free(environment_arguments);
	environment_arguments = NULL;
}

static bool is_tap(const struct dpdk_port *p)
{
	return strcmp(p->info.driver_name, "net_tap") == 0;
}

/* A TAP's driver cuts segments in software, and after some frames takes no more (DPDK 22.11): we
 * cut them ourselves. */
static uint64_t wanted_offloads(struct dpdk_port *p, const struct dpdk_setup *s)
{
	const uint64_t csum = RTE_ETH_TX_OFFLOAD_IPV4_CKSUM | RTE_ETH_TX_OFFLOAD_TCP_CKSUM |
			      RTE_ETH_TX_OFFLOAD_UDP_CKSUM;
	uint64_t tx = p->info.tx_offload_capa & RTE_ETH_TX_OFFLOAD_MULTI_SEGS;

	if (s->checksums && (p->info.tx_offload_capa & csum) == csum) {
		tx |= csum;
		p->offloads |= OFFLOAD_IP4_CSUM | OFFLOAD_L4_CSUM;
		if (tx & RTE_ETH_TX_OFFLOAD_MULTI_SEGS && !is_tap(p) &&
		    p->info.tx_offload_capa & RTE_ETH_TX_OFFLOAD_TCP_TSO) {
			tx |= RTE_ETH_TX_OFFLOAD_TCP_TSO;
			p->offloads |= OFFLOAD_TSO;
		}
	}
	return tx;
}

/* As many queues as there may be instances, and the driver has, whose hash spreads connections over
 * them. memif's thread is held still while the port is polled (dpdk_still.h): by one thread. */
static void choose_queues(struct dpdk_port *p, const struct dpdk_setup *s)
{
	const uint64_t wanted =
	    RTE_ETH_RSS_IPV4 | RTE_ETH_RSS_NONFRAG_IPV4_TCP | RTE_ETH_RSS_NONFRAG_IPV4_UDP;

	p->queues = p->memif ? 1 : s->instances;
	if (p->queues > p->info.max_rx_queues)
		p->queues = p->info.max_rx_queues;
	if (p->queues > p->info.max_tx_queues)
		p->queues = p->info.max_tx_queues;
	if (p->queues < 2 || !(p->info.flow_type_rss_offloads & wanted))
		return;
	p->conf.rxmode.mq_mode = RTE_ETH_MQ_RX_RSS;
	p->conf.rx_adv_conf.rss_conf.rss_hf = p->info.flow_type_rss_offloads & wanted;
}

static void choose(struct dpdk_port *p, const struct dpdk_setup *s)
{
	uint64_t rx = 0;

	choose_queues(p, s);

	if (s->checksums && p->info.rx_offload_capa & RTE_ETH_RX_OFFLOAD_CHECKSUM) {
		rx |= p->info.rx_offload_capa & RTE_ETH_RX_OFFLOAD_CHECKSUM;
		p->offloads |= OFFLOAD_RX_CSUM;
	}
	if (s->instances <= 1) /* chains are put together in an instance's heap */
		rx |= p->info.rx_offload_capa & RTE_ETH_RX_OFFLOAD_SCATTER;
	p->scatter = (rx & RTE_ETH_RX_OFFLOAD_SCATTER) != 0;
	p->conf.rxmode.offloads = rx;
	p->conf.txmode.offloads = wanted_offloads(p, s);
	p->multi_segment = (p->conf.txmode.offloads & RTE_ETH_TX_OFFLOAD_MULTI_SEGS) != 0;
	p->conf.rxmode.mtu = p->mtu;
	p->conf.intr_conf.rxq = 1;
}

static bool find_port(struct dpdk_port *p)
{
	uint16_t id;

	RTE_ETH_FOREACH_DEV(id)
	{
		if (rte_eth_dev_info_get(id, &p->info) == 0) {
			p->id = id;
			return true;
		}
	}
	return false;
}

/* A port that an instance before this one has closed. */
static bool reopen_port(struct dpdk_port *p)
{
	return closed_arguments[0] != '\0' && rte_dev_probe(closed_arguments) == 0 && find_port(p);
}

/* The driver's client takes its server for gone for ever once that has left, and does not start
 * before it is there. */
static void examine_memif(struct dpdk_port *p)
{
	const struct rte_devargs *devargs = rte_dev_devargs(p->info.device);
	const char *arguments = devargs && devargs->args ? devargs->args : "";
	const char *path = strstr(arguments, "socket=");

	p->memif = true;
	p->peer_reads = strstr(arguments, "zero-copy=yes") != NULL;
	p->reconnects = !strstr(arguments, "role=server") && !strstr(arguments, "role=master");
	if (path)
		path += strlen("socket=");
	else
		path = "/run/memif.sock";
	snprintf(p->path, sizeof(p->path), "%.*s", (int)strcspn(path, ","), path);
}

int dpdk_port_find(struct dpdk_port *p, const struct dpdk_setup *s, char why[DPDK_WHY_BYTES])
{
	memset(p, 0, sizeof(*p));
	if (!find_port(p) && !reopen_port(p)) {
		int rc = dpdk_devices_explain(s, why);

		if (rc < 0)
			return rc;
		SAY(why,
		    "DPDK has no port%s: bind a device with dpdk-devbind.py, or name a virtual one "
		    "in dpdk.eal_init, such as --vdev=net_tap0",
		    no_port_because);
		return -ENODEV;
	}
	p->is_virtual = strcmp(rte_bus_name(rte_dev_bus(p->info.device)), "vdev") == 0;
	p->peer_reads = strcmp(p->info.driver_name, "net_virtio_user") == 0;
	if (strcmp(p->info.driver_name, "net_memif") == 0)
		examine_memif(p);
	rte_eth_dev_get_mtu(p->id, &p->mtu);
	rte_eth_macaddr_get(p->id, &p->mac);
	if (s->mtu)
		p->mtu = s->mtu;
	choose(p, s);
	return 0;
}

uint16_t dpdk_port_room(const struct dpdk_port *p)
{
	uint32_t frame = p->mtu + (uint32_t)RTE_ETHER_HDR_LEN + 2 * RTE_VLAN_HLEN;

	if ((p->scatter && p->multi_segment) || frame < RTE_MBUF_DEFAULT_DATAROOM)
		frame = RTE_MBUF_DEFAULT_DATAROOM;
	frame = (frame + RTE_PKTMBUF_HEADROOM + 63) & ~63u;
	return frame > UINT16_MAX ? UINT16_MAX & ~63 : (uint16_t)frame;
}

/* Drivers without interrupts refuse a configuration that asks for them. */
static int configure(struct dpdk_port *p)
{
	int rc = rte_eth_dev_configure(p->id, p->queues, p->queues, &p->conf);

	if (rc < 0 && p->conf.intr_conf.rxq) {
		p->conf.intr_conf.rxq = 0;
		rc = rte_eth_dev_configure(p->id, p->queues, p->queues, &p->conf);
	}
	return rc;
}

static int set_up_queues(struct dpdk_port *p, struct rte_mempool *const mempools[])
{
	uint16_t rx = DPDK_RING_FRAMES, tx = DPDK_RING_FRAMES;
	unsigned socket = (unsigned)rte_eth_dev_socket_id(p->id);
	struct rte_eth_txconf txconf = p->info.default_txconf;
	int rc;

	/* Buffers come back one by one with their counts: no MBUF_FAST_FREE. */
	txconf.offloads = p->conf.txmode.offloads;
	rc = rte_eth_dev_adjust_nb_rx_tx_desc(p->id, &rx, &tx);
	for (uint16_t q = 0; rc == 0 && q < p->queues; q++) {
		rc = rte_eth_rx_queue_setup(p->id, q, rx, socket, NULL, mempools[q]);
		if (rc == 0)
			rc = rte_eth_tx_queue_setup(p->id, q, tx, socket, &txconf);
	}
	return rc;
}

/* The key and the table by which the port spreads what it receives. Without them it may do so all
 * the same: frames are handed on then. */
static void read_rss(struct dpdk_port *p)
{
	struct rte_eth_rss_reta_entry64 reta[TOEPLITZ_QUEUES / RTE_ETH_RETA_GROUP_SIZE];
	struct rte_eth_rss_conf conf = {.rss_key = p->rss.key,
					.rss_key_len = p->info.hash_key_size};
	const uint32_t size = p->info.reta_size;

	if (p->conf.rxmode.mq_mode != RTE_ETH_MQ_RX_RSS || size == 0 || size > TOEPLITZ_QUEUES ||
	    (size & (size - 1)) != 0 || p->info.hash_key_size < TOEPLITZ_KEY_MIN ||
	    p->info.hash_key_size > TOEPLITZ_KEY_BYTES)
		return;
	memset(reta, 0, sizeof(reta));
	for (uint32_t i = 0; i < size; i++)
		reta[i / RTE_ETH_RETA_GROUP_SIZE].mask |= UINT64_C(1)
							  << i % RTE_ETH_RETA_GROUP_SIZE;
	if (rte_eth_dev_rss_hash_conf_get(p->id, &conf) != 0 ||
	    !(conf.rss_hf & RTE_ETH_RSS_NONFRAG_IPV4_TCP) ||
	    rte_eth_dev_rss_reta_query(p->id, reta, (uint16_t)size) != 0)
		return;
	for (uint32_t i = 0; i < size; i++)
		p->rss.queues[i] =
		    reta[i / RTE_ETH_RETA_GROUP_SIZE].reta[i % RTE_ETH_RETA_GROUP_SIZE];
	p->rss.count = size;
}

/* Where the driver cannot change its address, it has to hear all. A TAP's is that of the kernel's
 * end, which hears nothing from a neighbour of the same address: ours is another, chosen or not. */
static void set_mac(struct dpdk_port *p, const uint8_t *mac)
{
	const bool tap = is_tap(p);

	if (mac)
		memcpy(&p->mac, mac, sizeof(p->mac));
	else if (tap)
		p->mac.addr_bytes[RTE_ETHER_ADDR_LEN - 1] ^= 1;
	else
		return;
	if (tap || rte_eth_dev_default_mac_addr_set(p->id, &p->mac) != 0)
		rte_eth_promiscuous_enable(p->id);
}

static int start(struct dpdk_port *p, struct rte_mempool *const mempools[])
{
	int rc = configure(p);

	if (rc == 0)
		rc = set_up_queues(p, mempools);
	if (rc == 0 && p->memif)
		rc = dpdk_still_begin();
	if (rc < 0)
		return rc;
	rc = rte_eth_dev_start(p->id);
	p->started = rc == 0;
	return p->reconnects ? 0 : rc; /* its peer may come later */
}

static int explain_start(const struct dpdk_port *p, const struct dpdk_setup *s, int error,
			 const char *reason, char why[DPDK_WHY_BYTES])
{
	const unsigned most = p->memif ? RTE_ETHER_MTU : p->info.max_mtu; /* memif's says more */
	int rc = dpdk_devices_explain(s, why);

	if (rc < 0)
		return rc;
	if (p->mtu > most) {
		SAY(why, "port %u (%s) takes an MTU of at most %u: inetstack_config.mtu is %u",
		    p->id, p->info.driver_name, most, p->mtu);
		return -EINVAL;
	}
	SAY(why,
	    "port %u (%s) does not start: %s (%s); another program may have it, or DEMI_LOG=debug "
	    "shows more",
	    p->id, p->info.driver_name, rte_strerror(-error),
	    reason[0] ? reason : "it does not say why");
	return error;
}

int dpdk_port_start(struct dpdk_port *p, const struct dpdk_setup *s,
		    struct rte_mempool *const mempools[], char why[DPDK_WHY_BYTES])
{
	char reason[96] = "";
	struct calm calm;
	int rc = quiet_begin();

	calm_begin(&calm);
	if (rc == 0) {
		rc = start(p, mempools);
		if (rc == 0)
			set_mac(p, s->mac);
		quiet_end();
		read_refusal(reason, sizeof(reason));
	}
	calm_end(&calm);
	if (rc < 0)
		return explain_start(p, s, rc, reason, why);
	port_is_open = true;
	read_rss(p);
	p->interrupts = p->conf.intr_conf.rxq && rte_eth_dev_rx_intr_ctl_q_get_fd(p->id, 0) >= 0;
	log_info("DPDK port %u: %s, MTU %u, queues %u%s%s%s", p->id, p->info.driver_name, p->mtu,
		 p->queues, p->rss.count > 0 ? " by hash" : "", p->multi_segment ? ", chains" : "",
		 p->interrupts ? ", interrupts" : "");
	return 0;
}

static bool is_up(const struct dpdk_port *p)
{
	struct rte_eth_link link;

	return rte_eth_link_get_nowait(p->id, &link) == 0 && link.link_status == RTE_ETH_LINK_UP;
}

static bool leads_to(int fd, const char *path)
{
	struct sockaddr_un peer = {0};
	socklen_t len = sizeof(peer);

	if (getpeername(fd, (struct sockaddr *)&peer, &len) != 0 || peer.sun_family != AF_UNIX)
		return false;
	/* An abstract name starts with a NUL. */
	return strncmp(peer.sun_path + (peer.sun_path[0] == '\0'), path, strlen(path)) == 0;
}

/* The driver does not tell a server that has turned it away from one that has not answered yet:
 * whether it has a control channel still shows among our descriptors. */
static bool has_channel(const struct dpdk_port *p)
{
	DIR *dir = opendir("/proc/self/fd");
	struct dirent *entry;
	bool found = false;

	while (dir && !found && (entry = readdir(dir)) != NULL)
		found = leads_to(atoi(entry->d_name), p->path);
	if (dir)
		closedir(dir);
	return found;
}

/* Not while there is a server that may answer: one that finds that a client came and went again
 * ends its process (DPDK 22.11). */
static void reconnect(struct dpdk_port *p)
{
	struct calm calm;

	if (++p->looks_down % DPDK_LOOKS_RECONNECT != 0 || (p->started && has_channel(p)))
		return;
	calm_begin(&calm);
	rte_eth_dev_stop(p->id);
	p->started = rte_eth_dev_start(p->id) == 0;
	calm_end(&calm);
}

uint64_t dpdk_port_look_after(struct dpdk_port *p)
{
	if (!p->memif)
		return p->info.if_index != 0 ? DPDK_LOOK_GONE_NS : UINT64_MAX;
	dpdk_still_breathe();
	if (p->started && is_up(p))
		return DPDK_LOOK_NS;
	if (p->reconnects)
		reconnect(p);
	return DPDK_LOOK_DOWN_NS;
}

bool dpdk_port_is_gone(const struct dpdk_port *p)
{
	char name[IF_NAMESIZE];

	return p->info.if_index != 0 && !if_indextoname(p->info.if_index, name) && errno == ENXIO;
}

/* What it takes to make the port again, for an instance to come. */
static void remember(const struct dpdk_port *p)
{
	const struct rte_devargs *devargs = rte_dev_devargs(p->info.device);
	const char *arguments = devargs && devargs->args ? devargs->args : "";

	snprintf(closed_arguments, sizeof(closed_arguments), "%s:%s%s%s",
		 rte_bus_name(rte_dev_bus(p->info.device)), rte_dev_name(p->info.device),
		 arguments[0] ? "," : "", arguments);
}

void dpdk_port_stop(struct dpdk_port *p)
{
	struct calm calm;

	remember(p);
	calm_begin(&calm);
	rte_eth_dev_stop(p->id);
	rte_eth_dev_close(p->id);
	rte_dev_remove(p->info.device);
	calm_end(&calm);
	port_is_open = false;
}
