/* demi.c - the tool `demi`: finds the subcommand that the first argument names, and runs it.
 *
 * SPDX-License-Identifier: MIT
 */
#include "commands.h"

#include <stdio.h>
#include <string.h>

struct command {
	const char *name;
	const char *summary; /* one line of `demi --help` */
	int (*main)(int argc, char **argv);
};

/* Ends with a row of NULLs. */
static const struct command commands[] = {
    {"try", "echo messages over every libOS of this machine, and measure it", demi_try_main},
    {"doctor", "say what hinders each libOS on this machine, and how to repair it",
     demi_doctor_main},
    {"conformance", "say what the RFCs ask of a TCP, and which test shows it",
     demi_conformance_main},
    {"pkt", "run packetdrill scripts against the TCP/IP stack", demi_pkt_main},
    {NULL, NULL, NULL},
};

static const struct command *find(const char *name)
{
	for (const struct command *c = commands; c->name; c++) {
		if (strcmp(c->name, name) == 0)
			return c;
	}
	return NULL;
}

static void print_usage(FILE *out)
{
	fputs("Usage: demi COMMAND [ARGUMENTS]\n"
	      "       demi help COMMAND\n"
	      "       demi --help | --version\n"
	      "\n"
	      "Commands:\n",
	      out);
	for (const struct command *c = commands; c->name; c++)
		fprintf(out, "  %-11s  %s\n", c->name, c->summary);
	fputs("\n`demi COMMAND --help` tells the arguments of a command; demi(1) is the manual.\n",
	      out);
}

static int unknown(const char *name)
{
	fprintf(stderr, "demi: there is no command '%s'; `demi --help` lists those there are\n",
		name);
	return DEMI_EXIT_USAGE;
}

static int help(const char *name)
{
	const struct command *c;
	char option[] = "--help";

	if (!name) {
		print_usage(stdout);
		return DEMI_EXIT_OK;
	}
	c = find(name);
	if (!c)
		return unknown(name);
	return c->main(2, (char *[]){(char *)c->name, option, NULL});
}

int main(int argc, char **argv)
{
	static char name[32]; /* for what getopt says */
	const struct command *c;

	if (argc < 2) {
		print_usage(stderr);
		return DEMI_EXIT_USAGE;
	}
	if (strcmp(argv[1], "help") == 0)
		return help(argv[2]);
	if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)
		return help(NULL);
	if (strcmp(argv[1], "--version") == 0 || strcmp(argv[1], "-V") == 0) {
		puts("demi " DEMI_VERSION);
		return DEMI_EXIT_OK;
	}
	c = find(argv[1]);
	if (!c)
		return unknown(argv[1]);
	snprintf(name, sizeof(name), "demi %s", c->name);
	argv[1] = name;
	return c->main(argc - 1, argv + 1);
}
