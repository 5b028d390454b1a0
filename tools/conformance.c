/* conformance.c - `demi conformance`: what the RFCs ask of a TCP, and what has shown that ours does
 * it. The rows are those of tests/conformance/requirements.txt, which the tests of this version
 * have run.
 *
 * SPDX-License-Identifier: MIT
 */
#include "commands.h"
#include "json.h"

#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

struct row {
	const char *id, *section, *asked;
	const char *evidence; /* scripts and tests; "" where there is a reason */
	const char *status;   /* "pass", "differs", "none" */
	const char *reason;
};

static const struct row rows[] = {
#include "conformance_rows.h"
};

enum { ROWS = sizeof(rows) / sizeof(rows[0]) };

static void print_usage(FILE *out)
{
	fputs("Usage: demi conformance [--json]\n"
	      "\n"
	      "Prints each requirement of RFC 9293 and of the RFCs beside it, and the scripts and\n"
	      "tests that show it, or why we do something else.\n"
	      "\n"
	      "  --json    for programs\n",
	      out);
}

static unsigned count(const char *status)
{
	unsigned n = 0;

	for (unsigned i = 0; i < ROWS; i++)
		n += strcmp(rows[i].status, status) == 0;
	return n;
}

static void print_text(void)
{
	for (unsigned i = 0; i < ROWS; i++) {
		const struct row *r = &rows[i];

		printf("%-8s %-14s %-18s %s\n", r->status, r->id, r->section, r->asked);
		printf("%42s %s\n", "", r->reason[0] ? r->reason : r->evidence);
	}
	printf("%u pass, %u differ, %u ask nothing of us\n", count("pass"), count("differs"),
	       count("none"));
}

static void print_member(const char *name, const char *text, const char *end)
{
	printf("\"%s\": ", name);
	json_string(stdout, text);
	fputs(end, stdout);
}

static void print_json(void)
{
	fputs("{\"requirements\": [", stdout);
	for (unsigned i = 0; i < ROWS; i++) {
		const struct row *r = &rows[i];

		fputs(i > 0 ? ",\n  {" : "\n  {", stdout);
		print_member("id", r->id, ", ");
		print_member("section", r->section, ", ");
		print_member("asked", r->asked, ", ");
		print_member("evidence", r->evidence, ", ");
		print_member("status", r->status, ", ");
		print_member("reason", r->reason, "}");
	}
	printf("\n], \"pass\": %u, \"differs\": %u, \"none\": %u}\n", count("pass"),
	       count("differs"), count("none"));
}

int demi_conformance_main(int argc, char **argv)
{
	static const struct option options[] = {
	    {"json", no_argument, NULL, 'j'}, {"help", no_argument, NULL, 'h'}, {NULL, 0, NULL, 0}};
	bool json = false;
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == 'h') {
			print_usage(stdout);
			return DEMI_EXIT_OK;
		}
		if (option != 'j') {
			print_usage(stderr);
			return DEMI_EXIT_USAGE;
		}
		json = true;
	}
	if (optind < argc) {
		print_usage(stderr);
		return DEMI_EXIT_USAGE;
	}
	if (json)
		print_json();
	else
		print_text();
	return ferror(stdout) || fflush(stdout) != 0 ? DEMI_EXIT_FAILURE : DEMI_EXIT_OK;
}
