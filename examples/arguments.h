/* arguments.h - reads command lines made of positions: --server|--client, then addresses and
 * numbers.
 *
 *	struct arguments a = arguments_begin(argc, argv, help_text);
 *
 *	bool server = arguments_mode(&a);
 *	arguments_address(&a, "server", &address);
 *	arguments_number(&a, "SIZE", 1, 65536, &size);
 *	arguments_end(&a);
 *
 * The first thing that makes no sense is told on standard error, and the program exits with status
 * 2; --help anywhere prints the help text and exits with 0. So what comes back is right.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef EXAMPLES_ARGUMENTS_H
#define EXAMPLES_ARGUMENTS_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

enum {
	EXIT_USAGE = 2,              /* the exit status for a command line that makes no sense */
	MESSAGE_MAX_BYTES = 1 << 24, /* the largest message of the library: 16 MiB */
	DATAGRAM_MAX_BYTES = 65507,  /* what fits in an IPv4 datagram behind its headers */
};

struct arguments {
	char **next; /* NULL-terminated: what has not been read */
};

/* help is what --help prints. */
struct arguments arguments_begin(int argc, char **argv, const char *help);

/* Reads --server (true) or --client (false). */
bool arguments_mode(struct arguments *a);

/* Reads two arguments, an IPv4 address and a port. `whose` is for the complaint. */
void arguments_address(struct arguments *a, const char *whose, struct sockaddr_in *out);

/* Reads a number from min to max, or leaves *out alone at the end of the line. */
void arguments_number(struct arguments *a, const char *name, uint64_t min, uint64_t max,
		      uint64_t *out);

/* Nothing may be left. */
void arguments_end(struct arguments *a);

/* For option parsers: a number, IP:PORT; each returns whether `text` was one. */
bool parse_number(const char *text, uint64_t min, uint64_t max, uint64_t *out);
bool parse_endpoint(const char *text, struct sockaddr_in *out);

/* Complains about the command line and exits with EXIT_USAGE. */
_Noreturn void usage_error(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
