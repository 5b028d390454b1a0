/* SPDX-License-Identifier: MIT */
#include "rt/config.h"
#include "rt/config_yaml.h"
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

/* Each test runs in an empty directory of its own, with none of our variables set. */

static char directory[64], before[4096];
static struct config config;
static struct config_problem problem;

static const char *const variables[] = {"LIBOS",
					"CONFIG_PATH",
					"XDG_CONFIG_HOME",
					"LOCAL_IPV4_ADDR",
					"LOCAL_LINK_ADDR",
					"LINGER",
					"NODELAY",
					"ARP_CACHE_TTL",
					"MTU",
					"ARP_REQUEST_TIMEOUT",
					"ARP_REQUEST_RETRIES",
					"LINUX_INTERFACE_NAME",
					"XDP_INTERFACE_INDEX"};

static int enter(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(variables) / sizeof(variables[0]); i++)
		unsetenv(variables[i]);
	strcpy(directory, "/tmp/demi-config-XXXXXX");
	if (!getcwd(before, sizeof(before)) || !mkdtemp(directory) || chdir(directory))
		return -1;
	return setenv("HOME", directory, 1);
}

static int leave(void **state)
{
	char command[128];

	(void)state;
	config_free(&config);
	snprintf(command, sizeof(command), "rm -rf %s", directory);
	return chdir(before) || system(command) ? -1 : 0;
}

static void write_file(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	assert_int_equal(fputs(text, f) < 0, 0);
	assert_int_equal(fclose(f), 0);
}

/* Reads `yaml` as the file config.yaml, for `libos`. */
static int read_yaml(const char *libos, const char *yaml)
{
	config_free(&config);
	write_file("config.yaml", yaml);
	setenv("CONFIG_PATH", "config.yaml", 1);
	return config_read(&config, libos, &problem);
}

static void assert_reads(const char *libos, const char *yaml)
{
	int rc = read_yaml(libos, yaml);

	assert_string_equal(problem.text, "");
	assert_int_equal(rc, 0);
}

static void assert_refused(const char *libos, const char *yaml, const char *line)
{
	struct config zero = {0};

	assert_int_equal(read_yaml(libos, yaml), -EINVAL);
	assert_string_equal(problem.text, line);
	assert_memory_equal(&config, &zero, sizeof(zero));
}

static void each_link_has_its_word(void **state)
{
	static const struct {
		const char *yaml;
		enum config_raw_link link;
	} all[] = {
	    {"raw_socket:\n  link: auto\n", RAW_LINK_AUTO},
	    {"raw_socket:\n  link: xdp\n", RAW_LINK_XDP},
	    {"raw_socket:\n  link: packet\n", RAW_LINK_PACKET},
	    {"raw_socket:\n  link: tap\n", RAW_LINK_TAP},
	};

	(void)state;
	for (unsigned i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		assert_reads("catpowder", all[i].yaml);
		assert_int_equal(config.raw_link, all[i].link);
	}
	assert_refused("catpowder", "raw_socket:\n  link: tape\n",
		       "config.yaml:2: raw_socket.link: expected auto or xdp or packet or tap, got "
		       "\"tape\"");
}

static void without_a_file_there_are_defaults(void **state)
{
	(void)state;
	assert_int_equal(config_read(&config, NULL, &problem), 0);
	assert_string_equal(config.libos, "catnap");
	assert_null(config.file);
	assert_false(config.has_addr);
	assert_false(config.has_mac);
	assert_int_equal(config.prefix_len, 0);
	assert_true(ip_is_any(&config.gateway));
	assert_false(config.profiling);
	assert_int_equal(config.idle, IDLE_ADAPTIVE);
	assert_int_equal(config.exit_linger_ms, 2000);
	assert_int_equal(config.max_queues, 65536);
	assert_int_equal(config.max_operations, 131072);
	assert_int_equal(config.max_unclaimed_closed, 4096);
	assert_int_equal(config.heap_bytes, 1 << 30);
	assert_true(config.nodelay);
	assert_false(config.keepalive);
	assert_int_equal(config.keepalive_time_ms, 7200000);
	assert_false(config.linger_given);
	assert_int_equal(config.time_wait_ms, 60000);
	assert_int_equal(config.mtu, 0);
	assert_int_equal(config.mss, 0);
	assert_int_equal(config.congestion_control, CONGESTION_CUBIC);
	assert_int_equal(config.ecn, CONFIG_ECN_PASSIVE);
	assert_int_equal(config.pacing_above_mbit_per_s, 20);
	assert_int_equal(config.arp_table_len, 0);
	assert_null(config.eal_init);
	assert_null(config.interface);
}

static void every_key_reaches_its_field(void **state)
{
	(void)state;
	assert_reads("catpowder", "demikernel:\n"
				  "  local_ipv4_addr: 10.1.2.3/16\n"
				  "  local_link_addr: \"02:00:00:00:00:01\"\n"
				  "  gateway: 10.1.0.1\n"
				  "  profiling: true\n"
				  "  idle: spin\n"
				  "  idle_after_us: 7\n"
				  "  idle_step_us: 8\n"
				  "  exit_linger_ms: 9\n"
				  "limits:\n"
				  "  max_queues: 10\n"
				  "  max_operations: 11\n"
				  "  max_unclaimed_closed: 12\n"
				  "  small_buffers: 16\n"
				  "  heap_bytes: 0x2000000\n"
				  "  memory_queue_messages: 14\n"
				  "tcp_socket_options:\n"
				  "  keepalive: {enabled: true, time_millis: 15, interval: 16}\n"
				  "  linger: {enabled: true, time_seconds: 17}\n"
				  "  nodelay: false\n"
				  "inetstack_config:\n"
				  "  mtu: 1400\n"
				  "  mss: 1000\n"
				  "  congestion_control: reno\n"
				  "  enable_jumbo_frames: true\n"
				  "  udp_checksum_offload: true\n"
				  "  tcp_checksum_offload: true\n"
				  "  arp_cache_ttl: 18\n"
				  "  arp_request_timeout: 19\n"
				  "  arp_request_retries: 20\n"
				  "raw_socket:\n"
				  "  linux_interface_name: \"eth0\"\n"
				  "  xdp_interface_index: 21\n");
	assert_int_equal(ip4_get(&config.addr), 0x0a010203);
	assert_int_equal(config.prefix_len, 16);
	assert_int_equal(config.mac[5], 1);
	assert_int_equal(ip4_get(&config.gateway), 0x0a010001);
	assert_true(config.profiling);
	assert_int_equal(config.idle, IDLE_SPIN);
	assert_int_equal(config.idle_after_us, 7);
	assert_int_equal(config.idle_step_us, 8);
	assert_int_equal(config.exit_linger_ms, 9);
	assert_int_equal(config.max_queues, 10);
	assert_int_equal(config.max_operations, 11);
	assert_int_equal(config.max_unclaimed_closed, 12);
	assert_int_equal(config.small_buffers, 16);
	assert_int_equal(config.heap_bytes, 0x2000000);
	assert_int_equal(config.memory_queue_messages, 14);
	assert_true(config.keepalive);
	assert_int_equal(config.keepalive_time_ms, 15);
	assert_int_equal(config.keepalive_interval_ms, 16);
	assert_true(config.linger_given);
	assert_int_equal(config.time_wait_ms, 17000);
	assert_false(config.nodelay);
	assert_int_equal(config.mtu, 1400);
	assert_int_equal(config.mss, 1000);
	assert_int_equal(config.congestion_control, CONGESTION_RENO);
	assert_true(config.udp_checksum_offload);
	assert_true(config.tcp_checksum_offload);
	assert_int_equal(config.arp_cache_ttl_s, 18);
	assert_int_equal(config.arp_request_timeout_s, 19);
	assert_int_equal(config.arp_request_retries, 20);
	assert_string_equal(config.interface, "eth0");
	assert_int_equal(config.xdp_interface_index, 21);
	assert_string_equal(config.file, "config.yaml");
}

static void eal_arguments_are_kept_as_written(void **state)
{
	(void)state;
	assert_reads("catnip", "dpdk:\n  eal_init: [\"\", -c, 0xff, \"-n\", 4]\n");
	assert_int_equal(config.eal_init_len, 5);
	assert_string_equal(config.eal_init[0], "");
	assert_string_equal(config.eal_init[2], "0xff");
	assert_string_equal(config.eal_init[4], "4");
	assert_null(config.eal_init[5]);
}

static void arp_tables_may_name_a_device_twice(void **state)
{
	(void)state;
	assert_reads("catnip", "inetstack_config:\n  arp_table:\n"
			       "    \"02:00:00:00:00:01\": \"10.0.0.1\"\n"
			       "    02:00:00:00:00:01: 10.0.0.2\n");
	assert_int_equal(config.arp_table_len, 2);
	assert_int_equal(ip4_get(&config.arp_table[0].ip), 0x0a000001);
	assert_int_equal(ip4_get(&config.arp_table[1].ip), 0x0a000002);
	assert_memory_equal(config.arp_table[0].mac, config.arp_table[1].mac, 6);
}

/* A file as it is handed out, with its placeholders, must do for kernel sockets. */
static void placeholders_that_nobody_uses_are_accepted(void **state)
{
	static const char template[] = "demikernel:\n"
				       "  local_ipv4_addr: XX.XX.XX.XX\n"
				       "  local_link_addr: \"PP:PP:PP:PP:PP:PP\"\n"
				       "raw_socket:\n"
				       "  linux_interface_name: \"abcdefghijklmnopqrstuvw\"\n"
				       "  xdp_interface_index: [0]\n"
				       "dpdk: later\n"
				       "tcp_socket_options:\n"
				       "  keepalive:\n"
				       "    enabled: false\n"
				       "    time_millis: 0\n"
				       "    interval: 0\n"
				       "  linger:\n"
				       "    enabled: true\n"
				       "    time_seconds: 0\n"
				       "  nodelay: true\n"
				       "inetstack_config:\n"
				       "  mtu: big\n"
				       "  arp_table:\n"
				       "    \"ff:ff:ff:ff:ff:ff\": \"XX.XX.XX.XX\"\n"
				       "    \"ff:ff:ff:ff:ff:ff\": \"YY.YY.YY.YY\"\n";

	(void)state;
	assert_reads("catnap", template);
	assert_int_equal(config.keepalive_time_ms, 7200000);
	assert_int_equal(config.keepalive_interval_ms, 75000);
	assert_int_equal(config.time_wait_ms, 0);
	assert_reads("catcollar", template);
	assert_refused("catpowder", template,
		       "config.yaml:2: demikernel.local_ipv4_addr: expected the IPv4 address of a "
		       "host, as 10.0.0.5 or 10.0.0.5/24, got \"XX.XX.XX.XX\"");
}

static void linger_counts_only_when_it_is_enabled(void **state)
{
	(void)state;
	assert_reads("catnip", "tcp_socket_options: {linger: {enabled: false, time_seconds: 3}}\n");
	assert_false(config.linger_given);
	assert_int_equal(config.time_wait_ms, 60000);
	setenv("LINGER", "0", 1);
	assert_reads("catnip", "tcp_socket_options: {linger: {enabled: false, time_seconds: 3}}\n");
	assert_true(config.linger_given);
	assert_int_equal(config.time_wait_ms, 0);
}

static void mss_is_clamped_to_what_the_mtu_carries(void **state)
{
	(void)state;
	assert_reads("catpowder", "inetstack_config: {mtu: 1500, mss: 1500}\n");
	assert_int_equal(config.mss, 1460);
	assert_reads("catpowder", "inetstack_config: {mtu: 1500, mss: 1460}\n");
	assert_int_equal(config.mss, 1460);
	assert_reads("catpowder", "inetstack_config: {mss: 9000}\n");
	assert_int_equal(config.mss, 9000);
}

static void sections_may_be_empty(void **state)
{
	(void)state;
	assert_reads("catnap",
		     "demikernel:\ntcp_socket_options:\n  keepalive:\n# nodelay: false\n");
	assert_reads("catnap", "");
}

static void wrong_values_are_told_with_what_is_right(void **state)
{
	static const struct {
		const char *yaml, *line;
	} cases[] = {
	    {"tcp_socket_options:\n  nodelay: maybe\n",
	     "config.yaml:2: tcp_socket_options.nodelay: expected true or false, got \"maybe\""},
	    {"tcp_socket_options:\n  nodelay: \"true\"\n",
	     "config.yaml:2: tcp_socket_options.nodelay: expected true or false, got \"true\" in "
	     "quotes: remove them"},
	    {"tcp_socket_options:\n  nodelay:\n",
	     "config.yaml:2: tcp_socket_options.nodelay: expected true or false, got nothing"},
	    {"tcp_socket_options:\n  nodelay: [true]\n",
	     "config.yaml:2: tcp_socket_options.nodelay: expected true or false, got a list"},
	    {"tcp_socket_options: fast\n",
	     "config.yaml:1: tcp_socket_options: expected its keys on indented lines below, got a "
	     "value"},
	    {"tcp_socket_options: [nodelay]\n",
	     "config.yaml:1: tcp_socket_options: expected its keys on indented lines below, got a "
	     "list"},
	    {"inetstack_config:\n  mtu: 100\n",
	     "config.yaml:2: inetstack_config.mtu: expected a number from 576 to 65535 (bytes), got "
	     "\"100\""},
	    {"inetstack_config:\n  mtu: 99999999999999999999\n",
	     "config.yaml:2: inetstack_config.mtu: expected a number from 576 to 65535 (bytes), got "
	     "\"99999999999999999999\""},
	    {"inetstack_config:\n  mtu: {}\n",
	     "config.yaml:2: inetstack_config.mtu: expected a number from 576 to 65535 (bytes), got "
	     "a map of keys"},
	    {"demikernel:\n  idle: nap\n",
	     "config.yaml:2: demikernel.idle: expected adaptive or spin, got \"nap\""},
	    {"limits:\n  heap_bytes: 16777217\n",
	     "config.yaml:2: limits.heap_bytes: expected a power of two from 16777216 to "
	     "1099511627776 (bytes), got \"16777217\""},
	    {"demikernel:\n  local_link_addr: ff:ff:ff:ff:ff:ff\n",
	     "config.yaml:2: demikernel.local_link_addr: expected the MAC address of a device, as "
	     "02:00:00:00:00:01, got \"ff:ff:ff:ff:ff:ff\""},
	    {"demikernel:\n  netmask: 255.0.255.0\n",
	     "config.yaml:2: demikernel.netmask: expected a netmask, as 255.255.255.0 or /24, got "
	     "\"255.0.255.0\""},
	    {"demikernel:\n  local_ipv4_addr: 10.0.0.1/24\n  netmask: 255.255.0.0\n",
	     "config.yaml:3: demikernel.netmask: /16 contradicts the /24 given before: keep one of "
	     "them"},
	    {"demikernel:\n  local_ipv4_addr: 10.0.0.1/24\n  gateway: 10.0.1.1\n",
	     "config.yaml:3: demikernel.gateway: not within the /24 of local_ipv4_addr, so it cannot "
	     "be reached"},
	    {"demikernel:\n  local_ipv4_addr: 10.0.0.1/24\n  gateway: 10.0.0.1\n",
	     "config.yaml:3: demikernel.gateway: is local_ipv4_addr itself"},
	    {"demikernel:\n  local_ipv4_addr: 10.0.0.1/24\n  gateway: 10.0.0.255\n",
	     "config.yaml:3: demikernel.gateway: is the address of the network, or of all its hosts"},
	    {"demikernel:\n  local_ipv4_addr: 224.0.0.1\n",
	     "config.yaml:2: demikernel.local_ipv4_addr: expected the IPv4 address of a host, as "
	     "10.0.0.5 or 10.0.0.5/24, got \"224.0.0.1\""},
	    {"inetstack_config:\n  arp_table: none\n",
	     "config.yaml:2: inetstack_config.arp_table: expected entries as \"02:00:00:00:00:01\": "
	     "\"10.0.0.5\", got \"none\""},
	    {"inetstack_config:\n  arp_table:\n    02:00:00:00:00:01: here\n",
	     "config.yaml:3: inetstack_config.arp_table: expected \"MAC\": \"IPv4\" of a host, as "
	     "\"02:00:00:00:00:01\": \"10.0.0.5\", got \"02:00:00:00:00:01\": \"here\""},
	    {"raw_socket:\n  linux_interface_name: \"\"\n",
	     "config.yaml:2: raw_socket.linux_interface_name: expected 1 to 15 characters, got "
	     "\"\""},
	    {"tcp_socket_options:\n  nodelay: "
	     "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n",
	     "config.yaml:2: tcp_socket_options.nodelay: expected true or false, got "
	     "\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\"..."},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_refused("catpowder", cases[i].yaml, cases[i].line);
}

static void wrong_eal_arguments_are_told(void **state)
{
	(void)state;
	assert_refused("catnip", "dpdk:\n  eal_init: -c\n",
		       "config.yaml:2: dpdk.eal_init: expected a list, as [\"-l\", \"0\"], got "
		       "\"-c\"");
	assert_refused("catnip", "dpdk:\n  eal_init:\n  - -l\n  - [0]\n",
		       "config.yaml:4: dpdk.eal_init: item 2: expected a string of at most 4096 "
		       "characters");
}

static void unknown_keys_are_told_with_the_nearest(void **state)
{
	static const struct {
		const char *yaml, *line;
	} cases[] = {
	    {"demikernl: {}\n", "config.yaml:1: demikernl: unknown key; did you mean demikernel?"},
	    {"tcp_socket_options:\n  nodeley: true\n",
	     "config.yaml:2: tcp_socket_options.nodeley: unknown key; did you mean nodelay?"},
	    {"tcp_socket_options:\n  keepalive:\n    enable: true\n",
	     "config.yaml:3: tcp_socket_options.keepalive.enable: unknown key; did you mean "
	     "enabled?"},
	    {"mtu: 1500\n", "config.yaml:1: mtu: not known here; it belongs in inetstack_config"},
	    {"demikernel:\n  eal_init: []\n",
	     "config.yaml:2: demikernel.eal_init: not known here; it belongs in dpdk"},
	    {"weather: fine\n", "config.yaml:1: weather: unknown key; demikernel.yaml(5) has those "
				"there are"},
	    {"dpdk:\n  weather: fine\n", "config.yaml:2: dpdk.weather: unknown key; "
					 "demikernel.yaml(5) has those there are"},
	    {"\"\": 1\n", "config.yaml:1: an empty key: give it a name, or take the line out"},
	    {"tcp_socket_options.nodelay: true\n",
	     "config.yaml:1: tcp_socket_options.nodelay: write nodelay on an indented line below "
	     "tcp_socket_options:"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_refused("catnap", cases[i].yaml, cases[i].line);
}

static void keys_that_are_there_twice_are_told(void **state)
{
	(void)state;
	assert_refused("catnap", "dpdk:\n  eal_init: []\n  eal_init: []\n",
		       "config.yaml:3: dpdk.eal_init: here twice, first on line 2");
	assert_refused("catnap", "dpdk:\nlimits:\ndpdk:\n",
		       "config.yaml:3: dpdk: here twice, first on line 1");
}

static void the_environment_wins_over_the_file(void **state)
{
	static const char yaml[] = "demikernel: {local_ipv4_addr: 10.0.0.1/24}\n"
				   "tcp_socket_options: {nodelay: true}\n"
				   "inetstack_config: {mtu: 1500, arp_request_retries: 9}\n"
				   "raw_socket: {linux_interface_name: eth0}\n";

	(void)state;
	setenv("LOCAL_IPV4_ADDR", "10.0.0.2/16", 1);
	setenv("LOCAL_LINK_ADDR", "02:00:00:00:00:09", 1);
	setenv("NODELAY", "false", 1);
	setenv("LINGER", "5", 1);
	setenv("MTU", "9000", 1);
	setenv("ARP_CACHE_TTL", "6", 1);
	setenv("ARP_REQUEST_TIMEOUT", "7", 1);
	setenv("ARP_REQUEST_RETRIES", "", 1);
	setenv("LINUX_INTERFACE_NAME", "veth1", 1);
	setenv("XDP_INTERFACE_INDEX", "3", 1);
	assert_reads("catpowder", yaml);
	assert_int_equal(ip4_get(&config.addr), 0x0a000002);
	assert_int_equal(config.prefix_len, 16);
	assert_int_equal(config.mac[5], 9);
	assert_false(config.nodelay);
	assert_int_equal(config.time_wait_ms, 5000);
	assert_int_equal(config.mtu, 9000);
	assert_int_equal(config.arp_cache_ttl_s, 6);
	assert_int_equal(config.arp_request_timeout_s, 7);
	assert_int_equal(config.arp_request_retries, 9);
	assert_string_equal(config.interface, "veth1");
	assert_int_equal(config.xdp_interface_index, 3);
}

static void wrong_variables_are_told_by_name(void **state)
{
	(void)state;
	setenv("MTU", "huge", 1);
	assert_int_equal(config_read(&config, "catpowder", &problem), -EINVAL);
	assert_string_equal(problem.text, "environment variable MTU: expected a number from 576 to "
					  "65535 (bytes), got \"huge\"");
	assert_int_equal(config_read(&config, "catnap", &problem), 0);
	config_free(&config);
	setenv("NODELAY", "yes", 1);
	assert_int_equal(config_read(&config, "catnap", &problem), -EINVAL);
	assert_string_equal(problem.text,
			    "environment variable NODELAY: expected true or false, got \"yes\"");
}

static void libos_ignores_case_and_empty_means_catnap(void **state)
{
	(void)state;
	setenv("LIBOS", "CatPowder", 1);
	assert_int_equal(config_read(&config, NULL, &problem), 0);
	assert_string_equal(config.libos, "catpowder");
	config_free(&config);
	assert_int_equal(config_read(&config, "CATNIP", &problem), 0);
	assert_string_equal(config.libos, "catnip");
	config_free(&config);
	setenv("LIBOS", "", 1);
	assert_int_equal(config_read(&config, NULL, &problem), 0);
	assert_string_equal(config.libos, "catnap");
}

static void a_home_directory_may_hold_the_file(void **state)
{
	char expected[128];

	(void)state;
	assert_int_equal(mkdir(".config", 0700) | mkdir(".config/demikernel", 0700), 0);
	write_file(".config/demikernel/config.yaml", "demikernel: {idle_after_us: 1}\n");
	assert_int_equal(config_read(&config, NULL, &problem), 0);
	assert_int_equal(config.idle_after_us, 1);
	snprintf(expected, sizeof(expected), "%s/.config/demikernel/config.yaml", directory);
	assert_string_equal(config.file, expected);

	/* XDG_CONFIG_HOME stands in for ~/.config, also when nothing is there; a relative one is
	 * ignored. */
	config_free(&config);
	setenv("XDG_CONFIG_HOME", "/nowhere", 1);
	assert_int_equal(config_read(&config, NULL, &problem), 0);
	assert_int_equal(config.idle_after_us, 100);
	config_free(&config);
	setenv("XDG_CONFIG_HOME", ".config", 1);
	assert_int_equal(config_read(&config, NULL, &problem), 0);
	assert_int_equal(config.idle_after_us, 1);

	config_free(&config);
	assert_int_equal(mkdir("xdg", 0700) | mkdir("xdg/demikernel", 0700), 0);
	write_file("xdg/demikernel/config.yaml", "demikernel: {idle_after_us: 2}\n");
	snprintf(expected, sizeof(expected), "%s/xdg", directory);
	setenv("XDG_CONFIG_HOME", expected, 1);
	assert_int_equal(config_read(&config, NULL, &problem), 0);
	assert_int_equal(config.idle_after_us, 2);

	config_free(&config);
	write_file("named.yaml", "demikernel: {idle_after_us: 3}\n");
	setenv("CONFIG_PATH", "named.yaml", 1);
	assert_int_equal(config_read(&config, NULL, &problem), 0);
	assert_int_equal(config.idle_after_us, 3);
}

static void assert_path_refused(const char *path, const char *line)
{
	setenv("CONFIG_PATH", path, 1);
	assert_int_equal(config_read(&config, NULL, &problem), -EINVAL);
	assert_string_equal(problem.text, line);
}

static void files_that_are_none_are_told(void **state)
{
	(void)state;
	assert_path_refused("absent.yaml",
			    "CONFIG_PATH=absent.yaml cannot be read: No such file or directory: "
			    "name a file that is there, or unset CONFIG_PATH");
	assert_path_refused(".", ".: not a regular file: name one by CONFIG_PATH, or unset it");
	assert_path_refused("/dev/zero",
			    "/dev/zero: not a regular file: name one by CONFIG_PATH, or unset it");
	assert_int_equal(mkfifo("fifo", 0600), 0);
	assert_path_refused("fifo",
			    "fifo: not a regular file: name one by CONFIG_PATH, or unset it");
	write_file("shut.yaml", "");
	assert_int_equal(chmod("shut.yaml", 0), 0);
	if (geteuid() != 0)
		assert_path_refused("shut.yaml",
				    "CONFIG_PATH=shut.yaml cannot be read: Permission denied: "
				    "name a file that is there, or unset CONFIG_PATH");
}

static void files_that_are_too_large_are_told(void **state)
{
	(void)state;
	write_file("large.yaml", "# nothing\n");
	assert_int_equal(truncate("large.yaml", CONFIG_FILE_BYTES + 1), 0);
	assert_path_refused("large.yaml", "large.yaml: larger than 256 KiB, not a configuration");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(without_a_file_there_are_defaults, enter, leave),
	    cmocka_unit_test_setup_teardown(each_link_has_its_word, enter, leave),
	    cmocka_unit_test_setup_teardown(every_key_reaches_its_field, enter, leave),
	    cmocka_unit_test_setup_teardown(eal_arguments_are_kept_as_written, enter, leave),
	    cmocka_unit_test_setup_teardown(arp_tables_may_name_a_device_twice, enter, leave),
	    cmocka_unit_test_setup_teardown(placeholders_that_nobody_uses_are_accepted, enter,
					    leave),
	    cmocka_unit_test_setup_teardown(linger_counts_only_when_it_is_enabled, enter, leave),
	    cmocka_unit_test_setup_teardown(mss_is_clamped_to_what_the_mtu_carries, enter, leave),
	    cmocka_unit_test_setup_teardown(sections_may_be_empty, enter, leave),
	    cmocka_unit_test_setup_teardown(wrong_values_are_told_with_what_is_right, enter, leave),
	    cmocka_unit_test_setup_teardown(wrong_eal_arguments_are_told, enter, leave),
	    cmocka_unit_test_setup_teardown(unknown_keys_are_told_with_the_nearest, enter, leave),
	    cmocka_unit_test_setup_teardown(keys_that_are_there_twice_are_told, enter, leave),
	    cmocka_unit_test_setup_teardown(the_environment_wins_over_the_file, enter, leave),
	    cmocka_unit_test_setup_teardown(wrong_variables_are_told_by_name, enter, leave),
	    cmocka_unit_test_setup_teardown(libos_ignores_case_and_empty_means_catnap, enter,
					    leave),
	    cmocka_unit_test_setup_teardown(a_home_directory_may_hold_the_file, enter, leave),
	    cmocka_unit_test_setup_teardown(files_that_are_none_are_told, enter, leave),
	    cmocka_unit_test_setup_teardown(files_that_are_too_large_are_told, enter, leave),
	};

	return cmocka_run_group_tests_name("config", tests, NULL, NULL);
}
