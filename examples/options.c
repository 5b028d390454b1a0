/* options.c - see options.h.
 *
 * SPDX-License-Identifier: MIT
 */
#include "options.h"

#include "arguments.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The option that `argument` names, and its value: behind '=', or the next argument. */
static const struct option_spec *find(const struct option_spec *specs, const char *argument,
				      const char **value)
{
	size_t len;

	if (strncmp(argument, "--", 2) != 0)
		return NULL;
	argument += 2;
	len = strcspn(argument, "=");
	*value = argument[len] == '=' ? argument + len + 1 : NULL;
	for (; specs->name; specs++) {
		if (strlen(specs->name) == len && memcmp(specs->name, argument, len) == 0)
			return specs;
	}
	return NULL;
}

static void read_word(const struct option_spec *spec, const char *value)
{
	char all[256] = "";

	for (int i = 0; spec->words[i]; i++) {
		size_t used = strlen(all);

		if (strcmp(spec->words[i], value) == 0) {
			*spec->word = i;
			return;
		}
		snprintf(all + used, sizeof(all) - used, "%s%s", i > 0 ? ", " : "", spec->words[i]);
	}
	usage_error("--%s is one of %s, not '%s'", spec->name, all, value);
}

static void read_value(const struct option_spec *spec, const char *value)
{
	if (spec->endpoint && !parse_endpoint(value, spec->endpoint))
		usage_error("--%s is an IPv4 address and a port, as in 127.0.0.1:12345, not '%s'",
			    spec->name, value);
	if (spec->number && !parse_number(value, spec->min, spec->max, spec->number))
		usage_error("--%s is a number of %" PRIu64 " to %" PRIu64 ", not '%s'", spec->name,
			    spec->min, spec->max, value);
	if (spec->words)
		read_word(spec, value);
}

void options_read(int argc, char **argv, const char *help, const struct option_spec *specs)
{
	const struct option_spec *spec;
	const char *value;

	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
			fputs(help, stdout);
			exit(EXIT_SUCCESS);
		}
	}
	for (int i = 1; i < argc; i++) {
		spec = find(specs, argv[i], &value);
		if (!spec)
			usage_error("'%s' is not an option", argv[i]);
		if (!value && i + 1 == argc)
			usage_error("--%s has no value", spec->name);
		read_value(spec, value ? value : argv[++i]);
	}
}

void options_require(const char *name, const struct sockaddr_in *endpoint)
{
	if (endpoint->sin_family != AF_INET)
		usage_error("--%s IP:PORT is missing", name);
}

void options_require_word(const char *name, int word)
{
	if (word < 0)
		usage_error("--%s is missing", name);
}
