/* complain.c - see complain.h.
 *
 * SPDX-License-Identifier: MIT
 */
#include "complain.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const char *remedy(int error)
{
	switch (error) {
	case ECONNREFUSED:
		return "nothing listens there: start the server first, or check address and port";
	case EADDRINUSE:
		return "another program has this port: choose another one, or 0 for any";
	case EADDRNOTAVAIL:
		return "this machine does not have that address: `ip addr` lists those it has";
	case EACCES:
		return "ports below 1024 need privileges: choose a higher one";
	case EMFILE:
		return "too many descriptors are open: raise `ulimit -n`, or ask for less";
	case ENOMEM:
		return "memory ran out: ask for fewer or smaller messages";
	case ETIMEDOUT:
	case EHOSTUNREACH:
	case ENETUNREACH:
		return "check the address, the route to it and the firewalls on the way";
	case ECONNRESET:
		return "the peer gave the connection up: see what it has to say";
	case ENOTSUP:
		return "this libOS cannot do it: try another LIBOS";
	default:
		return NULL;
	}
}

int complain(int error, const char *format, ...)
{
	const char *what_to_do = remedy(error);
	va_list args;

	fprintf(stderr, "%s: ", program_invocation_short_name);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fprintf(stderr, ": %s", error == EINTR ? "interrupted" : strerror(error));
	if (what_to_do)
		fprintf(stderr, "; %s", what_to_do);
	fputc('\n', stderr);
	return error;
}
