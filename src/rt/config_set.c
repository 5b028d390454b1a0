/* SPDX-License-Identifier: MIT */
#include "rt/config_set.h"
#include "rt/config_value.h"
#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SHOWN_CHARACTERS = 48 }; /* of a wrong value, in the line about it */

int config_blame(struct config_reader *r, const struct config_key *key, uint32_t line,
		 const char *format, ...)
{
	char what[CONFIG_PROBLEM_BYTES];
	va_list args;

	va_start(args, format);
	vsnprintf(what, sizeof(what), format, args);
	va_end(args);
	if (!r->file)
		return config_refuse(r->problem, "environment variable %s: %s", key->variable,
				     what);
	return config_refuse(r->problem, "%s:%u: %s: %s", r->file, line, key->path, what);
}

static void describe_choices(char *to, size_t room, const struct config_key *key)
{
	size_t n = 0;

	for (unsigned i = 0; key->choices[i] && n < room; i++)
		n += (size_t)snprintf(to + n, room - n, "%s%s", i ? " or " : "", key->choices[i]);
}

static void describe_number(char *to, size_t room, const struct config_key *key)
{
	const char *power = key->quirk == CONFIG_POWER_OF_TWO ? "a power of two" : "a number";

	snprintf(to, room, "%s from %" PRIu64 " to %" PRIu64 "%s%s%s", power, key->min, key->max,
		 key->unit ? " (" : "", key->unit ? key->unit : "", key->unit ? ")" : "");
}

/* What would be right. */
static void describe(char *to, size_t room, const struct config_key *key)
{
	static const char *const types[] = {
	    [CONFIG_BOOL] = "true or false",
	    [CONFIG_ADDRESS] = "the IPv4 address of a host, as 10.0.0.5 or 10.0.0.5/24",
	    [CONFIG_GATEWAY] = "the IPv4 address of a host, as 10.0.0.1",
	    [CONFIG_NETMASK] = "a netmask, as 255.255.255.0 or /24",
	    [CONFIG_MAC] = "the MAC address of a device, as 02:00:00:00:00:01",
	    [CONFIG_STRINGS] = "a list, as [\"-l\", \"0\"]",
	    [CONFIG_NEIGHBOURS] = "entries as \"02:00:00:00:00:01\": \"10.0.0.5\"",
	};

	if (key->type == CONFIG_CHOICE)
		describe_choices(to, room, key);
	else if (key->type == CONFIG_NUMBER)
		describe_number(to, room, key);
	else if (key->type == CONFIG_TEXT)
		snprintf(to, room, "%" PRIu64 " to %" PRIu64 " characters", key->min, key->max);
	else
		snprintf(to, room, "%s", types[key->type]);
}

static bool wants_plain_word(enum config_type type)
{
	return type == CONFIG_BOOL || type == CONFIG_NUMBER;
}

static int wrong(struct config_reader *r, const struct config_key *key,
		 const struct config_node *value)
{
	char right[192];
	const char *hint = "";

	describe(right, sizeof(right), key);
	if (value->kind != CONFIG_SCALAR)
		return config_blame(r, key, value->line, "expected %s, got a %s", right,
				    value->kind == CONFIG_LIST ? "list" : "map of keys");
	if (value->text[0] == 0 && !value->quoted)
		return config_blame(r, key, value->line, "expected %s, got nothing", right);
	if (value->quoted && wants_plain_word(key->type))
		hint = " in quotes: remove them";
	return config_blame(r, key, value->line, "expected %s, got \"%.*s\"%s%s", right,
			    SHOWN_CHARACTERS, value->text,
			    strlen(value->text) > SHOWN_CHARACTERS ? "..." : "", hint);
}

static void *field(struct config_reader *r, const struct config_key *key)
{
	return (char *)r->config + key->offset;
}

static void store_number(void *to, size_t bytes, uint64_t value)
{
	if (bytes == 8)
		memcpy(to, &value, 8);
	else if (bytes == 4)
		memcpy(to, &(uint32_t){(uint32_t)value}, 4);
	else
		memcpy(to, &(uint16_t){(uint16_t)value}, 2);
}

static int set_number(struct config_reader *r, const struct config_key *key,
		      const struct config_node *value)
{
	uint64_t n;

	if (!config_word_number(value->text, &n))
		return wrong(r, key, value);
	if (n == 0 && key->quirk == CONFIG_ZERO_IS_DEFAULT)
		return config_set_word(r, key, key->fallback);
	if (n < key->min || n > key->max ||
	    (key->quirk == CONFIG_POWER_OF_TWO && (n & (n - 1)) != 0))
		return wrong(r, key, value);
	store_number(field(r, key), key->bytes, n * (key->scale ? key->scale : 1));
	return 0;
}

static int set_bool(struct config_reader *r, const struct config_key *key,
		    const struct config_node *value)
{
	bool on;

	if (!config_word_bool(value->text, &on))
		return wrong(r, key, value);
	memcpy(field(r, key), &on, key->bytes);
	return 0;
}

static int set_choice(struct config_reader *r, const struct config_key *key,
		      const struct config_node *value)
{
	for (unsigned i = 0; key->choices[i]; i++) {
		if (strcmp(value->text, key->choices[i]) == 0) {
			store_number(field(r, key), key->bytes, i);
			return 0;
		}
	}
	return wrong(r, key, value);
}

static int set_text(struct config_reader *r, const struct config_key *key,
		    const struct config_node *value)
{
	size_t n = strlen(value->text);
	char **to = field(r, key), *copy;

	if (n < key->min || n > key->max)
		return wrong(r, key, value);
	copy = strdup(value->text);
	if (!copy)
		return -ENOMEM;
	free(*to);
	*to = copy;
	return 0;
}

/* 0/8, 127/8 for others than ourselves, multicast, reserved and broadcast name no host. */
static bool names_host(uint32_t addr)
{
	return addr >> 24 != 0 && addr >> 28 < 0xe;
}

static int set_prefix_len(struct config_reader *r, const struct config_key *key,
			  const struct config_node *value, uint8_t prefix_len)
{
	struct config *c = r->config;

	if (r->file && c->prefix_len && c->prefix_len != prefix_len)
		return config_blame(r, key, value->line,
				    "/%u contradicts the /%u given before: keep one of them",
				    prefix_len, c->prefix_len);
	c->prefix_len = prefix_len;
	return 0;
}

static int set_address(struct config_reader *r, const struct config_key *key,
		       const struct config_node *value)
{
	uint8_t prefix_len;
	uint32_t addr;

	if (!config_word_ip4_prefix(value->text, &addr, &prefix_len) || !names_host(addr))
		return wrong(r, key, value);
	r->config->addr = ip4(addr);
	r->config->has_addr = true;
	return prefix_len ? set_prefix_len(r, key, value, prefix_len) : 0;
}

static int set_netmask(struct config_reader *r, const struct config_key *key,
		       const struct config_node *value)
{
	uint8_t prefix_len;

	if (!config_word_netmask(value->text, &prefix_len))
		return wrong(r, key, value);
	return set_prefix_len(r, key, value, prefix_len);
}

static int set_gateway(struct config_reader *r, const struct config_key *key,
		       const struct config_node *value)
{
	uint32_t addr;

	if (!config_word_ip4(value->text, &addr) || !names_host(addr) || addr >> 24 == 127)
		return wrong(r, key, value);
	r->config->gateway = ip4(addr);
	return 0;
}

/* A group address (IEEE 802, the lowest bit of the first byte) or all zeros names no device. */
static bool names_device(const uint8_t mac[6])
{
	static const uint8_t zero[6];

	return !(mac[0] & 1) && memcmp(mac, zero, 6) != 0;
}

static int set_mac(struct config_reader *r, const struct config_key *key,
		   const struct config_node *value)
{
	uint8_t mac[6];

	if (!config_word_mac(value->text, mac) || !names_device(mac))
		return wrong(r, key, value);
	memcpy(r->config->mac, mac, 6);
	r->config->has_mac = true;
	return 0;
}

static uint32_t children(const struct config_node *value)
{
	uint32_t n = 0;

	for (const struct config_node *c = value->child; c; c = c->next)
		n++;
	return n;
}

static void free_strings(char **strings)
{
	for (char **s = strings; s && *s; s++)
		free(*s);
	free(strings);
}

static int set_strings(struct config_reader *r, const struct config_key *key,
		       const struct config_node *value)
{
	uint32_t n = children(value), i = 0;
	char **strings;

	if (n > CONFIG_EAL_ARGUMENTS)
		return config_blame(r, key, value->line, "more than %d items",
				    CONFIG_EAL_ARGUMENTS);
	strings = calloc(n + 1, sizeof(*strings));
	if (!strings)
		return -ENOMEM;
	for (const struct config_node *c = value->child; c; c = c->next) {
		if (c->kind != CONFIG_SCALAR || strlen(c->text) > CONFIG_EAL_CHARACTERS) {
			free_strings(strings);
			return config_blame(r, key, c->line,
					    "item %u: expected a string of at most %d characters",
					    i + 1, CONFIG_EAL_CHARACTERS);
		}
		strings[i] = strdup(c->text);
		if (!strings[i++]) {
			free_strings(strings);
			return -ENOMEM;
		}
	}
	free_strings(r->config->eal_init);
	r->config->eal_init = strings;
	r->config->eal_init_len = n;
	return 0;
}

static bool read_neighbour(struct config_neighbour *to, const struct config_node *entry)
{
	uint32_t addr;

	if (entry->kind != CONFIG_SCALAR || !config_word_mac(entry->key, to->mac) ||
	    !names_device(to->mac) || !config_word_ip4(entry->text, &addr) || !names_host(addr))
		return false;
	to->ip = ip4(addr);
	return true;
}

/* A MAC address may be there twice: a device may have several addresses. */
static int set_neighbours(struct config_reader *r, const struct config_key *key,
			  const struct config_node *value)
{
	uint32_t n = children(value), i = 0;
	struct config_neighbour *table;

	if (n > CONFIG_NEIGHBOURS_MAX)
		return config_blame(r, key, value->line, "more than %d entries",
				    CONFIG_NEIGHBOURS_MAX);
	table = calloc(n + 1, sizeof(*table));
	if (!table)
		return -ENOMEM;
	for (const struct config_node *c = value->child; c; c = c->next) {
		if (!read_neighbour(&table[i++], c)) {
			free(table);
			return config_blame(r, key, c->line,
					    "expected \"MAC\": \"IPv4\" of a host, as "
					    "\"02:00:00:00:00:01\": \"10.0.0.5\", got \"%.*s\": "
					    "\"%.*s\"",
					    SHOWN_CHARACTERS, c->key, SHOWN_CHARACTERS,
					    c->text ? c->text : "...");
		}
	}
	free(r->config->arp_table);
	r->config->arp_table = table;
	r->config->arp_table_len = n;
	return 0;
}

int config_set(struct config_reader *r, const struct config_key *key,
	       const struct config_node *value)
{
	static const struct {
		enum config_node_kind kind;
		int (*set)(struct config_reader *, const struct config_key *,
			   const struct config_node *);
	} types[] = {
	    [CONFIG_BOOL] = {CONFIG_SCALAR, set_bool},
	    [CONFIG_NUMBER] = {CONFIG_SCALAR, set_number},
	    [CONFIG_CHOICE] = {CONFIG_SCALAR, set_choice},
	    [CONFIG_TEXT] = {CONFIG_SCALAR, set_text},
	    [CONFIG_ADDRESS] = {CONFIG_SCALAR, set_address},
	    [CONFIG_GATEWAY] = {CONFIG_SCALAR, set_gateway},
	    [CONFIG_NETMASK] = {CONFIG_SCALAR, set_netmask},
	    [CONFIG_MAC] = {CONFIG_SCALAR, set_mac},
	    [CONFIG_STRINGS] = {CONFIG_LIST, set_strings},
	    [CONFIG_NEIGHBOURS] = {CONFIG_MAP, set_neighbours},
	};

	if (value->kind != types[key->type].kind || (value->quoted && wants_plain_word(key->type)))
		return wrong(r, key, value);
	return types[key->type].set(r, key, value);
}

int config_set_word(struct config_reader *r, const struct config_key *key, const char *word)
{
	const struct config_node value = {.kind = CONFIG_SCALAR, .text = (char *)word};

	return config_set(r, key, &value);
}
