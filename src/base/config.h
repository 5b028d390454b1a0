/* config.h - what an instance was told, as plain values: rt/config.c fills it from the environment
 * and the YAML file, every layer below may read it. Strings are owned by the struct, NULL when not
 * given.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef BASE_CONFIG_H
#define BASE_CONFIG_H

#include "base/endpoint.h"
#include <stdbool.h>
#include <stdint.h>

struct config_neighbour {
	uint8_t mac[6];
	struct ip_addr ip;
};

enum config_raw_link { RAW_LINK_AUTO, RAW_LINK_XDP, RAW_LINK_PACKET, RAW_LINK_TAP };
enum config_xdp_mode { CONFIG_XDP_AUTO, CONFIG_XDP_NATIVE, CONFIG_XDP_GENERIC };
enum config_congestion { CONGESTION_CUBIC, CONGESTION_RENO, CONGESTION_DCTCP, CONGESTION_NONE };
enum config_ecn { CONFIG_ECN_OFF, CONFIG_ECN_PASSIVE, CONFIG_ECN_ON };
enum config_mtu_probing { CONFIG_MTU_OFF, CONFIG_MTU_BLACK_HOLE, CONFIG_MTU_ALWAYS };
enum config_idle { IDLE_ADAPTIVE, IDLE_SPIN };

struct config {
	char *libos; /* lower case: "catnap" ... */
	char *file;  /* path of the file that was read, NULL: none */

	/* demikernel */
	bool has_addr, has_mac;
	struct ip_addr addr;     /* local_ipv4_addr */
	uint8_t prefix_len;      /* local_ipv4_addr's /N or netmask; 0: not given */
	struct ip_addr gateway;  /* ip_is_any(): none */
	uint8_t mac[6];          /* local_link_addr */
	bool profiling;          /* profiling */
	enum config_idle idle;   /* idle: spin | adaptive */
	uint32_t idle_after_us;  /* idle_after_us: spin so long without an event, then sleep; 100 */
	uint32_t idle_step_us;   /* idle_step_us: longest sleep when a device cannot wake us; 100 */
	uint32_t exit_linger_ms; /* exit_linger_ms: how long an exit may wait for delivery; 2000 */

	/* limits */
	uint32_t max_queues;           /* descriptors; 65536 */
	uint32_t max_operations;       /* pending and unclaimed; 131072 */
	uint32_t max_unclaimed_closed; /* unclaimed results of closed descriptors; 4096 */
	uint32_t small_buffers;        /* messages of up to a frame; 16384 */
	uint64_t heap_bytes; /* address space for larger messages, a power of two; 1 GiB */
	uint32_t memory_queue_messages; /* messages in one demi_queue(); 4096 */

	/* tcp_socket_options */
	bool keepalive;
	uint32_t keepalive_time_ms, keepalive_interval_ms;
	bool linger_given;     /* linger.enabled, or LINGER is set */
	uint32_t time_wait_ms; /* TIME-WAIT of our own stacks: linger.time_seconds, LINGER; 60000
				  unless linger_given */
	bool nodelay;          /* default true */

	/* inetstack_config */
	uint16_t mtu, mss;                         /* 0: not given; mss <= mtu - 40 when both are */
	enum config_congestion congestion_control; /* cubic | reno | dctcp | none */
	uint32_t pacing_above_mbit_per_s;          /* 0: never */
	uint32_t buffer_max_bytes, buffer_total_mib;
	enum config_ecn ecn;                 /* off | passive | on */
	enum config_mtu_probing mtu_probing; /* off | black_hole | always */
	bool udp_checksum_offload, tcp_checksum_offload;
	struct config_neighbour *arp_table;
	uint32_t arp_table_len;
	uint32_t arp_cache_ttl_s, arp_request_timeout_s, arp_request_retries;

	/* dpdk */
	char **eal_init; /* NULL-terminated list of eal_init_len strings */
	uint32_t eal_init_len;
	uint32_t dpdk_instances; /* instances: that may share the port */

	/* raw_socket */
	char *interface;               /* linux_interface_name */
	int xdp_interface_index;       /* 0: not given */
	enum config_raw_link raw_link; /* link: auto | xdp | packet | tap */
	enum config_xdp_mode xdp_mode; /* xdp_mode: auto | native | generic */
	uint32_t instances;            /* instances: that may share the interface */
	uint32_t xdp_queue;            /* xdp_queue: of the interface, the first */
	uint32_t xdp_queues;           /* xdp_queues: from there on */
	uint32_t xdp_busy_poll_us;     /* xdp_busy_poll_us: 0: off */
};

#endif
