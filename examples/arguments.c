/* arguments.c - see arguments.h.
 *
 * SPDX-License-Identifier: MIT
 */
#include "arguments.h"

#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void usage_error(const char *format, ...)
{
	va_list args;

	fprintf(stderr, "%s: ", program_invocation_short_name);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fprintf(stderr, "; `%s --help` tells more\n", program_invocation_short_name);
	exit(EXIT_USAGE);
}

bool parse_number(const char *text, uint64_t min, uint64_t max, uint64_t *out)
{
	unsigned long long value;
	char *end;

	/* strtoull() would take blanks and signs. */
	if (text[0] < '0' || text[0] > '9')
		return false;
	errno = 0;
	value = strtoull(text, &end, 10);
	if (errno || *end || value < min || value > max)
		return false;
	*out = value;
	return true;
}

static bool parse_address(const char *ip, const char *port, struct sockaddr_in *out)
{
	uint64_t number;

	memset(out, 0, sizeof(*out));
	out->sin_family = AF_INET;
	if (inet_pton(AF_INET, ip, &out->sin_addr) != 1 ||
	    !parse_number(port, 0, UINT16_MAX, &number))
		return false;
	out->sin_port = htons((uint16_t)number);
	return true;
}

bool parse_endpoint(const char *text, struct sockaddr_in *out)
{
	const char *colon = strchr(text, ':');
	char ip[INET_ADDRSTRLEN];

	if (!colon || (size_t)(colon - text) >= sizeof(ip))
		return false;
	memcpy(ip, text, (size_t)(colon - text));
	ip[colon - text] = '\0';
	return parse_address(ip, colon + 1, out);
}

struct arguments arguments_begin(int argc, char **argv, const char *help)
{
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
			fputs(help, stdout);
			exit(EXIT_SUCCESS);
		}
	}
	return (struct arguments){argc > 0 ? argv + 1 : argv};
}

bool arguments_mode(struct arguments *a)
{
	const char *mode = *a->next;

	if (!mode)
		usage_error("--server or --client is missing");
	a->next++;
	if (strcmp(mode, "--server") == 0)
		return true;
	if (strcmp(mode, "--client") != 0)
		usage_error("the first argument is --server or --client, not '%s'", mode);
	return false;
}

void arguments_address(struct arguments *a, const char *whose, struct sockaddr_in *out)
{
	if (!a->next[0] || !a->next[1])
		usage_error("the %s address or port is missing", whose);
	if (!parse_address(a->next[0], a->next[1], out))
		usage_error("the %s address is an IPv4 address and a port of 0 to 65535, "
			    "as in 127.0.0.1 12345, not '%s %s'",
			    whose, a->next[0], a->next[1]);
	a->next += 2;
}

void arguments_number(struct arguments *a, const char *name, uint64_t min, uint64_t max,
		      uint64_t *out)
{
	if (!*a->next)
		return;
	if (!parse_number(*a->next, min, max, out))
		usage_error("%s is a number of %" PRIu64 " to %" PRIu64 ", not '%s'", name, min,
			    max, *a->next);
	a->next++;
}

void arguments_end(struct arguments *a)
{
	if (*a->next)
		usage_error("'%s' is one argument too many", *a->next);
}
