/* raw_dpdk.c - the least that two processes that spin can do over a virtual port of DPDK's: frames
 * that hold nothing, sent back and forth, or one way as fast as they go.
 *
 *	raw_dpdk VDEV server			turns frames round until the last
 *	raw_dpdk VDEV client SIZE MESSAGES	prints messages=, p50_ns=, p99_ns= and rate=
 *	raw_dpdk VDEV sink			prints bytes= and rate=, bytes a second
 *	raw_dpdk VDEV source SIZE SECONDS
 *
 * VDEV is what DPDK's --vdev takes. The two ends say "port 0" when they are there; the server and
 * the sink start first.
 *
 * SPDX-License-Identifier: MIT
 */
#include "histogram.h"
#include "yardstick.h"

#include <rte_eal.h>
#include <rte_ethdev.h>
#include <rte_mbuf.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	BUFFERS = 8191,
	CACHED = 256,
	RING = 1024,
	BURST = 32,
	LAST = 60, /* this byte of a frame: not 0 in the last */
	MIN_BYTES = 61,
	HEADER_BYTES = RTE_ETHER_HDR_LEN + 2 * RTE_VLAN_HLEN,
	DRIVER_BYTES = 128, /* of a header of its own */
	JUMBO_MTU = 9000,
	PATIENCE_US = 10000000,
	STEP_US = 1000,
};

static struct rte_mempool *pool;

static bool is_up(void)
{
	struct rte_eth_link link;

	return rte_eth_link_get_nowait(0, &link) == 0 && link.link_status == RTE_ETH_LINK_UP;
}

static void await_link(bool up)
{
	for (int us = 0; is_up() != up; us += STEP_US) {
		if (us >= PATIENCE_US)
			die(up ? "the link does not come up" : "the other end does not leave");
		usleep(STEP_US);
	}
}

static uint32_t smaller(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

/* Of a buffer: a frame's, but not less than drivers expect. */
static uint16_t room(uint16_t mtu)
{
	uint32_t bytes = mtu + HEADER_BYTES + DRIVER_BYTES + RTE_PKTMBUF_HEADROOM;

	return (uint16_t)(bytes < RTE_MBUF_DEFAULT_BUF_SIZE ? RTE_MBUF_DEFAULT_BUF_SIZE : bytes);
}

static void start_port(void)
{
	struct rte_eth_conf conf = {0};
	struct rte_eth_dev_info info;
	uint16_t mtu;

	if (rte_eth_dev_info_get(0, &info) != 0)
		die("there is no port");
	mtu =
	    (uint16_t)smaller(JUMBO_MTU, smaller(info.max_mtu, info.max_rx_pktlen - HEADER_BYTES));
	conf.rxmode.mtu = mtu;
	conf.txmode.offloads = info.tx_offload_capa & RTE_ETH_TX_OFFLOAD_MULTI_SEGS;
	pool = rte_pktmbuf_pool_create("raw", BUFFERS, CACHED, 0, room(mtu), SOCKET_ID_ANY);
	if (!pool || rte_eth_dev_configure(0, 1, 1, &conf) != 0 ||
	    rte_eth_rx_queue_setup(0, 0, RING, SOCKET_ID_ANY, NULL, pool) != 0 ||
	    rte_eth_tx_queue_setup(0, 0, RING, SOCKET_ID_ANY, NULL) != 0)
		die("the port cannot be set up");
	for (int us = 0; rte_eth_dev_start(0) != 0; us += STEP_US) {
		if (us >= PATIENCE_US)
			die("the port does not start");
		usleep(STEP_US);
	}
}

static void open_port(const char *vdev)
{
	char words[][256] = {
	    "raw_dpdk",       "--no-huge",         "-m",     "256", "--no-pci", "--no-shconf",
	    "--no-telemetry", "--log-level=error", "--vdev", ""};
	char *argv[sizeof(words) / sizeof(words[0])];
	int argc = sizeof(words) / sizeof(words[0]);

	for (int i = 0; i < argc; i++)
		argv[i] = words[i];
	snprintf(words[argc - 1], sizeof(words[0]), "%s", vdev);
	if (rte_eal_init(argc, argv) < 0)
		die("DPDK does not start");
	start_port();
	puts("port 0");
	fflush(stdout);
	await_link(true);
}

static void send_all(struct rte_mbuf **m, uint16_t n)
{
	for (uint16_t sent = 0; sent < n;)
		sent += rte_eth_tx_burst(0, 0, m + sent, n - sent);
}

static uint16_t receive(struct rte_mbuf **m)
{
	uint16_t n;

	do
		n = rte_eth_rx_burst(0, 0, m, BURST);
	while (n == 0);
	return n;
}

static bool is_last(struct rte_mbuf *m)
{
	return rte_pktmbuf_mtod(m, char *)[LAST] != 0;
}

static void make(struct rte_mbuf **m, uint16_t n, size_t size)
{
	if (rte_pktmbuf_alloc_bulk(pool, m, n) != 0)
		die("no buffers");
	for (uint16_t i = 0; i < n; i++)
		rte_pktmbuf_append(m[i], (uint16_t)size)[LAST] = 0;
}

static void serve(void)
{
	struct rte_mbuf *m[BURST];
	bool last;

	do {
		uint16_t n = receive(m);

		last = is_last(m[n - 1]);
		send_all(m, n);
	} while (!last);
}

static void ask(size_t size, uint64_t messages)
{
	static struct histogram h;
	uint64_t all_start_ns = now_ns();
	struct rte_mbuf *m[BURST];

	histogram_clear(&h);
	for (uint64_t i = 0; i < messages; i++) {
		uint64_t start_ns = now_ns();

		make(m, 1, size);
		rte_pktmbuf_mtod(m[0], char *)[LAST] = i + 1 == messages;
		send_all(m, 1);
		rte_pktmbuf_free_bulk(m, receive(m));
		histogram_record(&h, now_ns() - start_ns);
	}
	print_result(&h, now_ns() - all_start_ns);
}

static void swallow(void)
{
	uint64_t start_ns = 0, bytes = 0;
	struct rte_mbuf *m[BURST];
	bool last;

	do {
		uint16_t n = receive(m);

		if (start_ns == 0)
			start_ns = now_ns();
		last = is_last(m[n - 1]);
		for (uint16_t i = 0; i < n; i++)
			bytes += m[i]->pkt_len;
		rte_pktmbuf_free_bulk(m, n);
	} while (!last);
	printf("bytes=%llu rate=%.0f\n", (unsigned long long)bytes,
	       (double)bytes * 1e9 / (double)(now_ns() - start_ns));
}

static void pour(size_t size, double seconds)
{
	uint64_t end_ns = now_ns() + (uint64_t)(seconds * 1e9);
	struct rte_mbuf *m[BURST];

	do {
		make(m, BURST, size);
		send_all(m, BURST);
	} while (now_ns() < end_ns);
	make(m, 1, size);
	rte_pktmbuf_mtod(m[0], char *)[LAST] = 1;
	send_all(m, 1);
}

int main(int argc, char **argv)
{
	const char *mode = argc > 2 ? argv[2] : "";
	size_t size = argc == 5 ? strtoul(argv[3], NULL, 10) : 0;

	if (argc == 5 && (size < MIN_BYTES || size > JUMBO_MTU + RTE_ETHER_HDR_LEN))
		die("SIZE is 61 to 9014");
	if (argc == 3 || argc == 5)
		open_port(argv[1]);
	if (argc == 3 && strcmp(mode, "server") == 0)
		serve();
	else if (argc == 3 && strcmp(mode, "sink") == 0)
		swallow();
	else if (argc == 5 && strcmp(mode, "client") == 0)
		ask(size, strtoull(argv[4], NULL, 10));
	else if (argc == 5 && strcmp(mode, "source") == 0)
		pour(size, strtod(argv[4], NULL));
	else
		die("usage: raw_dpdk VDEV server|sink|client SIZE MESSAGES|source SIZE SECONDS");
	/* Whoever has got the last frame leaves first; nobody polls any more when the other goes.
	 */
	if (strcmp(mode, "server") == 0 || strcmp(mode, "source") == 0)
		await_link(false);
	return 0;
}
