/* SPDX-License-Identifier: MIT */
#include "rt/config_keys.h"
#include "rt/config_set.h"
#include "rt/config_value.h"
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Where a key's value goes, as the initialisers of `offset` and `bytes`. */
#define FIELD(member)                                                                              \
	.offset = offsetof(struct config, member), .bytes = sizeof(((struct config *)0)->member)

enum { PATH_CHARACTERS = 127 }; /* of a key with its sections */

const struct config_key config_keys[] = {
    {"demikernel.local_ipv4_addr", "LOCAL_IPV4_ADDR", CONFIG_ADDRESS, CONFIG_STACK, FIELD(addr)},
    {"demikernel.local_link_addr", "LOCAL_LINK_ADDR", CONFIG_MAC, CONFIG_STACK, FIELD(mac)},
    {"demikernel.netmask", NULL, CONFIG_NETMASK, CONFIG_STACK, FIELD(prefix_len)},
    {"demikernel.gateway", NULL, CONFIG_GATEWAY, CONFIG_STACK, FIELD(gateway)},
    {"demikernel.profiling", NULL, CONFIG_BOOL, CONFIG_ANY, FIELD(profiling), .fallback = "false"},
    {"demikernel.idle", NULL, CONFIG_CHOICE, CONFIG_ANY, FIELD(idle), .fallback = "adaptive",
     .choices = {[IDLE_ADAPTIVE] = "adaptive", [IDLE_SPIN] = "spin"}},
    {"demikernel.idle_after_us", NULL, CONFIG_NUMBER, CONFIG_ANY, FIELD(idle_after_us), .min = 0,
     .max = 10000000, .unit = "us", .fallback = "100"},
    {"demikernel.idle_step_us", NULL, CONFIG_NUMBER, CONFIG_ANY, FIELD(idle_step_us), .min = 1,
     .max = 1000000, .unit = "us", .fallback = "100"},
    {"demikernel.exit_linger_ms", NULL, CONFIG_NUMBER, CONFIG_ANY, FIELD(exit_linger_ms), .min = 0,
     .max = 600000, .unit = "ms", .fallback = "2000"},

    {"limits.max_queues", NULL, CONFIG_NUMBER, CONFIG_ANY, FIELD(max_queues), .min = 1,
     .max = 1 << 20, .fallback = "65536"},
    {"limits.max_operations", NULL, CONFIG_NUMBER, CONFIG_ANY, FIELD(max_operations), .min = 1,
     .max = 1 << 22, .fallback = "131072"},
    {"limits.max_unclaimed_closed", NULL, CONFIG_NUMBER, CONFIG_ANY, FIELD(max_unclaimed_closed),
     .min = 1, .max = 1 << 20, .fallback = "4096"},
    {"limits.small_buffers", NULL, CONFIG_NUMBER, CONFIG_ANY, FIELD(small_buffers), .min = 16,
     .max = 1 << 22, .fallback = "16384"},
    {"limits.heap_bytes", NULL, CONFIG_NUMBER, CONFIG_ANY, FIELD(heap_bytes), .min = 16 << 20,
     .max = (uint64_t)1 << 40, .unit = "bytes", .fallback = "1073741824",
     .quirk = CONFIG_POWER_OF_TWO},
    {"limits.memory_queue_messages", NULL, CONFIG_NUMBER, CONFIG_ANY, FIELD(memory_queue_messages),
     .min = 1, .max = 1 << 20, .fallback = "4096"},

    {"tcp_socket_options.keepalive.enabled", NULL, CONFIG_BOOL, CONFIG_KERNEL | CONFIG_STACK,
     FIELD(keepalive), .fallback = "false"},
    {"tcp_socket_options.keepalive.time_millis", NULL, CONFIG_NUMBER, CONFIG_KERNEL | CONFIG_STACK,
     FIELD(keepalive_time_ms), .min = 1, .max = 32767000, .unit = "ms", .fallback = "7200000",
     .quirk = CONFIG_ZERO_IS_DEFAULT},
    {"tcp_socket_options.keepalive.interval", NULL, CONFIG_NUMBER, CONFIG_KERNEL | CONFIG_STACK,
     FIELD(keepalive_interval_ms), .min = 1, .max = 32767000, .unit = "ms", .fallback = "75000",
     .quirk = CONFIG_ZERO_IS_DEFAULT},
    {"tcp_socket_options.linger.enabled", NULL, CONFIG_BOOL, CONFIG_KERNEL | CONFIG_STACK,
     FIELD(linger_given), .fallback = "false"},
    {"tcp_socket_options.linger.time_seconds", "LINGER", CONFIG_NUMBER,
     CONFIG_KERNEL | CONFIG_STACK, FIELD(time_wait_ms), .min = 0, .max = 3600, .scale = 1000,
     .unit = "s", .fallback = "60", .quirk = CONFIG_SETS_LINGER},
    {"tcp_socket_options.nodelay", "NODELAY", CONFIG_BOOL, CONFIG_KERNEL | CONFIG_STACK,
     FIELD(nodelay), .fallback = "true"},

    {"inetstack_config.mtu", "MTU", CONFIG_NUMBER, CONFIG_STACK, FIELD(mtu), .min = 576,
     .max = 65535, .unit = "bytes"},
    {"inetstack_config.mss", NULL, CONFIG_NUMBER, CONFIG_STACK, FIELD(mss), .min = 64, .max = 65535,
     .unit = "bytes"},
    {"inetstack_config.congestion_control", NULL, CONFIG_CHOICE, CONFIG_STACK,
     FIELD(congestion_control), .fallback = "cubic",
     .choices = {[CONGESTION_CUBIC] = "cubic",
		 [CONGESTION_RENO] = "reno",
		 [CONGESTION_DCTCP] = "dctcp",
		 [CONGESTION_NONE] = "none"}},
    {"inetstack_config.pacing_above", NULL, CONFIG_NUMBER, CONFIG_STACK,
     FIELD(pacing_above_mbit_per_s), .min = 0, .max = 1000000, .unit = "Mbit/s", .fallback = "20"},
    {"inetstack_config.buffer_max", NULL, CONFIG_NUMBER, CONFIG_STACK, FIELD(buffer_max_bytes),
     .min = 0, .max = 64 << 20, .unit = "bytes", .fallback = "16777216"},
    {"inetstack_config.buffer_total", NULL, CONFIG_NUMBER, CONFIG_STACK, FIELD(buffer_total_mib),
     .min = 0, .max = 1 << 20, .unit = "MiB", .fallback = "256"},
    {"inetstack_config.ecn", NULL, CONFIG_CHOICE, CONFIG_STACK, FIELD(ecn), .fallback = "passive",
     .choices =
	 {[CONFIG_ECN_OFF] = "off", [CONFIG_ECN_PASSIVE] = "passive", [CONFIG_ECN_ON] = "on"}},
    {"inetstack_config.mtu_probing", NULL, CONFIG_CHOICE, CONFIG_STACK, FIELD(mtu_probing),
     .fallback = "black_hole",
     .choices = {[CONFIG_MTU_OFF] = "off",
		 [CONFIG_MTU_BLACK_HOLE] = "black_hole",
		 [CONFIG_MTU_ALWAYS] = "always"}},
    {"inetstack_config.enable_jumbo_frames", NULL, CONFIG_BOOL, CONFIG_STACK, .fallback = "false"},
    {"inetstack_config.udp_checksum_offload", NULL, CONFIG_BOOL, CONFIG_STACK,
     FIELD(udp_checksum_offload), .fallback = "false"},
    {"inetstack_config.tcp_checksum_offload", NULL, CONFIG_BOOL, CONFIG_STACK,
     FIELD(tcp_checksum_offload), .fallback = "false"},
    {"inetstack_config.arp_table", NULL, CONFIG_NEIGHBOURS, CONFIG_STACK, FIELD(arp_table)},
    {"inetstack_config.arp_cache_ttl", "ARP_CACHE_TTL", CONFIG_NUMBER, CONFIG_STACK,
     FIELD(arp_cache_ttl_s), .min = 1, .max = 86400, .unit = "s", .fallback = "60"},
    {"inetstack_config.arp_request_timeout", "ARP_REQUEST_TIMEOUT", CONFIG_NUMBER, CONFIG_STACK,
     FIELD(arp_request_timeout_s), .min = 1, .max = 3600, .unit = "s", .fallback = "1"},
    {"inetstack_config.arp_request_retries", "ARP_REQUEST_RETRIES", CONFIG_NUMBER, CONFIG_STACK,
     FIELD(arp_request_retries), .min = 0, .max = 100, .fallback = "5"},

    {"dpdk.eal_init", NULL, CONFIG_STRINGS, CONFIG_DPDK, FIELD(eal_init)},
    {"dpdk.instances", NULL, CONFIG_NUMBER, CONFIG_DPDK, FIELD(dpdk_instances), .min = 1, .max = 64,
     .fallback = "1"},

    {"raw_socket.linux_interface_name", "LINUX_INTERFACE_NAME", CONFIG_TEXT, CONFIG_PACKET,
     FIELD(interface), .min = 1, .max = 15},
    {"raw_socket.xdp_interface_index", "XDP_INTERFACE_INDEX", CONFIG_NUMBER, CONFIG_PACKET,
     FIELD(xdp_interface_index), .min = 0, .max = INT32_MAX, .fallback = "0"},
    {"raw_socket.link", NULL, CONFIG_CHOICE, CONFIG_PACKET, FIELD(raw_link), .fallback = "auto",
     .choices = {[RAW_LINK_AUTO] = "auto",
		 [RAW_LINK_XDP] = "xdp",
		 [RAW_LINK_PACKET] = "packet",
		 [RAW_LINK_TAP] = "tap"}},
    {"raw_socket.instances", NULL, CONFIG_NUMBER, CONFIG_PACKET, FIELD(instances), .min = 1,
     .max = 64, .fallback = "1"},
    {"raw_socket.xdp_mode", NULL, CONFIG_CHOICE, CONFIG_PACKET, FIELD(xdp_mode), .fallback = "auto",
     .choices = {[CONFIG_XDP_AUTO] = "auto",
		 [CONFIG_XDP_NATIVE] = "native",
		 [CONFIG_XDP_GENERIC] = "generic"}},
    {"raw_socket.xdp_queue", NULL, CONFIG_NUMBER, CONFIG_PACKET, FIELD(xdp_queue), .min = 0,
     .max = 63, .fallback = "0"},
    {"raw_socket.xdp_queues", NULL, CONFIG_NUMBER, CONFIG_PACKET, FIELD(xdp_queues), .min = 1,
     .max = 64, .fallback = "1"},
    {"raw_socket.xdp_busy_poll_us", NULL, CONFIG_NUMBER, CONFIG_PACKET, FIELD(xdp_busy_poll_us),
     .min = 0, .max = 1000000, .unit = "us", .fallback = "0"},
};

const unsigned config_keys_count = sizeof(config_keys) / sizeof(config_keys[0]);

_Static_assert(sizeof(config_keys) / sizeof(config_keys[0]) <= CONFIG_KEYS_MAX, "lines[]");

int config_users(const char *libos)
{
	static const struct {
		const char *libos;
		int users;
	} all[] = {{"catnap", CONFIG_KERNEL},
		   {"catcollar", CONFIG_KERNEL},
		   {"catpowder", CONFIG_PACKET},
		   {"catnip", CONFIG_DPDK}};

	for (unsigned i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		if (strcmp(libos, all[i].libos) == 0)
			return all[i].users;
	return 0;
}

static bool used(const struct config_reader *r, const struct config_key *key)
{
	return key->users == CONFIG_ANY || (key->users & r->users);
}

static const struct config_key *find(const char *path)
{
	for (unsigned i = 0; i < config_keys_count; i++)
		if (strcmp(config_keys[i].path, path) == 0)
			return &config_keys[i];
	return NULL;
}

/* What stands behind `section` and its dot in a key's path; NULL when the key is elsewhere. The
 * section "" is the top of the file. */
static const char *inside(const struct config_key *key, const char *section)
{
	size_t n = strlen(section);

	if (n == 0)
		return key->path;
	if (strncmp(key->path, section, n) != 0 || key->path[n] != '.')
		return NULL;
	return key->path + n + 1;
}

static bool is_section(const char *path)
{
	for (unsigned i = 0; i < config_keys_count; i++)
		if (inside(&config_keys[i], path))
			return true;
	return false;
}

static bool section_used(const struct config_reader *r, const char *path)
{
	for (unsigned i = 0; i < config_keys_count; i++)
		if (inside(&config_keys[i], path) && used(r, &config_keys[i]))
			return true;
	return false;
}

/* The known name in `section` that is nearest to `name` and near enough to be meant. */
static bool nearest(char *best, size_t room, const char *section, const char *name)
{
	unsigned least = 1 + (unsigned)strlen(name) / 3;
	bool found = false;

	for (unsigned i = 0; i < config_keys_count; i++) {
		const char *rest = inside(&config_keys[i], section);
		char word[PATH_CHARACTERS + 1];
		unsigned distance;

		if (!rest)
			continue;
		snprintf(word, sizeof(word), "%.*s", (int)strcspn(rest, "."), rest);
		distance = config_word_distance(name, word);
		if (distance <= least && !(found && distance == least)) {
			least = distance;
			found = true;
			snprintf(best, room, "%s", word);
		}
	}
	return found;
}

/* The section in which a key of this name is known, as "a.b". */
static bool home_of(char *section, size_t room, const char *name)
{
	for (unsigned i = 0; i < config_keys_count; i++) {
		const char *dot = strrchr(config_keys[i].path, '.');

		if (strcmp(dot + 1, name) == 0) {
			snprintf(section, room, "%.*s", (int)(dot - config_keys[i].path),
				 config_keys[i].path);
			return true;
		}
	}
	return false;
}

static int unknown(struct config_reader *r, const char *section, const struct config_node *entry)
{
	char word[PATH_CHARACTERS + 1];
	const char *dot = section[0] ? "." : "";

	if (nearest(word, sizeof(word), section, entry->key))
		return config_refuse(r->problem, "%s:%u: %s%s%.64s: unknown key; did you mean %s?",
				     r->file, entry->line, section, dot, entry->key, word);
	if (home_of(word, sizeof(word), entry->key))
		return config_refuse(r->problem, "%s:%u: %s%s%s: not known here; it belongs in %s",
				     r->file, entry->line, section, dot, entry->key, word);
	return config_refuse(
	    r->problem, "%s:%u: %s%s%.64s: unknown key; demikernel.yaml(5) has those there are",
	    r->file, entry->line, section, dot, entry->key);
}

/* "a.b: 1" is how we write about keys, and not how YAML writes them. */
static int dotted(struct config_reader *r, const char *section, const char *path,
		  const struct config_node *entry)
{
	const char *dot = strrchr(path, '.');

	if (!find(path))
		return unknown(r, section, entry);
	return config_refuse(r->problem,
			     "%s:%u: %s: write %s on an indented line below %.*s:", r->file,
			     entry->line, path, dot + 1, (int)(dot - path), path);
}

static int read_section(struct config_reader *r, const struct config_node *map,
			const char *section);

static int read_subsection(struct config_reader *r, const struct config_node *entry,
			   const char *path)
{
	if (entry->kind == CONFIG_MAP)
		return read_section(r, entry, path);
	if (entry->kind == CONFIG_SCALAR && entry->text[0] == 0 && !entry->quoted)
		return 0; /* all that was in it is commented out */
	if (!section_used(r, path))
		return 0;
	return config_refuse(
	    r->problem, "%s:%u: %s: expected its keys on indented lines below, got a %s", r->file,
	    entry->line, path, entry->kind == CONFIG_LIST ? "list" : "value");
}

static const struct config_node *twin_before(const struct config_node *map,
					     const struct config_node *entry)
{
	for (const struct config_node *e = map->child; e != entry; e = e->next)
		if (strcmp(e->key, entry->key) == 0)
			return e;
	return NULL;
}

static int read_entry(struct config_reader *r, const struct config_node *entry, const char *section)
{
	char path[PATH_CHARACTERS + 1];
	const struct config_key *key;
	int n = snprintf(path, sizeof(path), "%s%s%s", section, section[0] ? "." : "", entry->key);

	if (n > PATH_CHARACTERS || !entry->key[0])
		return unknown(r, section, entry);
	if (strchr(entry->key, '.'))
		return dotted(r, section, path, entry);
	if (is_section(path))
		return read_subsection(r, entry, path);
	key = find(path);
	if (!key)
		return unknown(r, section, entry);
	r->lines[key - config_keys] = entry->line;
	return used(r, key) ? config_set(r, key, entry) : 0;
}

/* Recursion as deep as the table has sections in sections: two. A long run of twins cannot happen,
 * the first one is refused, and so is the first unknown key: the search is short. */
static int read_section(struct config_reader *r, const struct config_node *map, const char *section)
{
	for (const struct config_node *entry = map->child; entry; entry = entry->next) {
		const struct config_node *twin = twin_before(map, entry);
		int rc;

		if (twin)
			return config_refuse(
			    r->problem, "%s:%u: %s%s%s: here twice, first on line %u", r->file,
			    entry->line, section, section[0] ? "." : "", entry->key, twin->line);
		rc = read_entry(r, entry, section);
		if (rc)
			return rc;
	}
	return 0;
}

int config_keys_file(struct config_reader *r, const struct config_node *root)
{
	return root ? read_section(r, root, "") : 0;
}

int config_keys_defaults(struct config_reader *r)
{
	for (unsigned i = 0; i < config_keys_count; i++) {
		const struct config_key *key = &config_keys[i];
		int rc = key->fallback ? config_set_word(r, key, key->fallback) : 0;

		assert(rc != -EINVAL);
		if (rc)
			return rc;
	}
	return 0;
}

int config_keys_environment(struct config_reader *r)
{
	for (unsigned i = 0; i < config_keys_count; i++) {
		const struct config_key *key = &config_keys[i];
		const char *word = key->variable ? getenv(key->variable) : NULL;
		int rc;

		if (!word || !*word || !used(r, key))
			continue;
		rc = config_set_word(r, key, word);
		if (rc)
			return rc;
		if (key->quirk == CONFIG_SETS_LINGER)
			r->config->linger_given = true;
	}
	return 0;
}

static int check_gateway(struct config_reader *r)
{
	struct config *c = r->config;
	const struct config_key *key = find("demikernel.gateway");
	uint32_t line = r->lines[key - config_keys], addr, gateway, hosts;

	if (!line || ip_is_any(&c->gateway) || !c->has_addr || !c->prefix_len)
		return 0;
	addr = ip4_get(&c->addr);
	gateway = ip4_get(&c->gateway);
	hosts = (uint32_t)(UINT64_C(0xffffffff) >> c->prefix_len);
	if ((addr & ~hosts) != (gateway & ~hosts))
		return config_blame(
		    r, key, line, "not within the /%u of local_ipv4_addr, so it cannot be reached",
		    c->prefix_len);
	if (addr == gateway)
		return config_blame(r, key, line, "is local_ipv4_addr itself");
	if (hosts > 1 && ((gateway & hosts) == 0 || (gateway & hosts) == hosts))
		return config_blame(r, key, line,
				    "is the address of the network, or of all its hosts");
	return 0;
}

int config_keys_finish(struct config_reader *r)
{
	struct config *c = r->config;
	const struct config_key *time_wait = find("tcp_socket_options.linger.time_seconds");

	enum { IP4_AND_TCP_BYTES = 40 }; /* headers without options */

	if (c->mtu && c->mss > c->mtu - IP4_AND_TCP_BYTES)
		c->mss = (uint16_t)(c->mtu - IP4_AND_TCP_BYTES);
	if (!c->linger_given && config_set_word(r, time_wait, time_wait->fallback))
		return -EINVAL;
	return check_gateway(r);
}
