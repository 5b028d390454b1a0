/* options.h - reads command lines made of named options: --name VALUE or --name=VALUE,
 * in any order.
 *
 *	const struct option_spec specs[] = {
 *	    OPTION_ENDPOINT("local", &local),
 *	    OPTION_NUMBER("bufsize", 1, 65507, &bytes),
 *	    OPTION_WORD("peer", peers, &peer),
 *	    {0}};
 *	options_read(argc, argv, help_text, specs);
 *
 * The first thing that makes no sense is told on standard error, and the program exits with status
 * 2; --help prints the help text and exits with 0. What is not named keeps its value.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef EXAMPLES_OPTIONS_H
#define EXAMPLES_OPTIONS_H

#include <netinet/in.h>
#include <stdint.h>

struct option_spec {
	const char *name;             /* NULL ends the list */
	struct sockaddr_in *endpoint; /* IP:PORT, or NULL */
	uint64_t *number;             /* min to max, or NULL */
	uint64_t min, max;
	const char *const *words; /* one of these (the list ends with NULL), or NULL */
	int *word;                /* which one */
};

#define OPTION_ENDPOINT(option, out)                                                               \
	{                                                                                          \
		.name = (option), .endpoint = (out)                                                \
	}
#define OPTION_NUMBER(option, low, high, out)                                                      \
	{                                                                                          \
		.name = (option), .number = (out), .min = (low), .max = (high)                     \
	}
#define OPTION_WORD(option, list, out)                                                             \
	{                                                                                          \
		.name = (option), .words = (list), .word = (out)                                   \
	}

/* Where those listen, or are bound, that are told nothing else: 127.0.0.1:12345. */
#define OPTION_LOCAL_DEFAULT                                                                       \
	((struct sockaddr_in){.sin_family = AF_INET,                                               \
			      .sin_port = htons(12345),                                            \
			      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)})

void options_read(int argc, char **argv, const char *help, const struct option_spec *specs);

/* Complain unless the endpoint, the word (it was -1) was given. */
void options_require(const char *name, const struct sockaddr_in *endpoint);
void options_require_word(const char *name, int word);

#endif
