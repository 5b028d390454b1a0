/* Prints the table of configuration keys, one a line, tabs between: key, environment variable,
 * values, unit, default, who uses it. What documents say is compared with it.
 *
 * SPDX-License-Identifier: MIT
 */
#include "rt/config_keys.h"
#include <inttypes.h>
#include <stdio.h>

static void print_choices(const struct config_key *key)
{
	for (unsigned i = 0; key->choices[i]; i++)
		printf("%s%s", i ? ", " : "", key->choices[i]);
}

static void print_values(const struct config_key *key)
{
	static const char *const words[] = {
	    [CONFIG_BOOL] = "true, false",
	    [CONFIG_ADDRESS] = "IPv4 address, /N may follow",
	    [CONFIG_GATEWAY] = "IPv4 address",
	    [CONFIG_NETMASK] = "255.255.255.0, /24 or 24",
	    [CONFIG_MAC] = "MAC address",
	    [CONFIG_STRINGS] = "list of strings",
	    [CONFIG_NEIGHBOURS] = "map of MAC: IPv4 address",
	};

	if (key->type == CONFIG_CHOICE)
		print_choices(key);
	else if (key->type == CONFIG_NUMBER || key->type == CONFIG_TEXT)
		printf("%" PRIu64 " to %" PRIu64, key->min, key->max);
	else
		printf("%s", words[key->type]);
	if (key->quirk == CONFIG_POWER_OF_TWO)
		printf(", a power of two");
	if (key->quirk == CONFIG_ZERO_IS_DEFAULT)
		printf(", 0: the default");
	if (key->type == CONFIG_TEXT)
		printf(" characters");
}

static const char *users(const struct config_key *key)
{
	switch (key->users) {
	case CONFIG_KERNEL:
		return "catnap, catcollar";
	case CONFIG_PACKET:
		return "catpowder";
	case CONFIG_DPDK:
		return "catnip";
	case CONFIG_STACK:
		return "catpowder, catnip";
	default:
		return "all";
	}
}

int main(void)
{
	for (unsigned i = 0; i < config_keys_count; i++) {
		const struct config_key *key = &config_keys[i];

		printf("%s\t%s\t", key->path, key->variable ? key->variable : "");
		print_values(key);
		printf("\t%s\t%s\t%s\n", key->unit ? key->unit : "",
		       key->fallback ? key->fallback : "", users(key));
	}
	return 0;
}
