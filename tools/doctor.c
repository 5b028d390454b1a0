/* doctor.c - `demi doctor`: examines the machine for each libOS with the configuration that a
 * program would get, and prints what hinders it, with the command that repairs it. Changes nothing.
 *
 * The examinations are the libOSes' own (libos/libos.h): a demi_init() that fails says the same.
 *
 * SPDX-License-Identifier: MIT
 */
#include "base/finding.h"
#include "commands.h"
#include "json.h"
#include "libos/machine.h"
#include "libos/table.h"
#include "rt/config.h"
#include "rt/shortage.h"

#include <errno.h>
#include <getopt.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/utsname.h>
#include <unistd.h>

static const char help[] =
    "Usage: demi doctor [--libos NAME] [--json]\n"
    "\n"
    "Examines this machine for each libOS, with the configuration and the privileges that\n"
    "a program started here would have, and prints what hinders it and the command that\n"
    "repairs it. Changes nothing. To look at an interface that is not configured yet:\n"
    "LINUX_INTERFACE_NAME=eth0 LOCAL_IPV4_ADDR=10.0.0.2/24 demi doctor --libos catpowder\n"
    "\n"
    "  --libos NAME     only this one\n"
    "  --json           print the report as JSON, for programs\n"
    "\n"
    "Exit status: 0 the libOS that was named, or that LIBOS names, or catnap, can start;\n"
    "1 it cannot; 2 a wrong command line.\n";

enum { ROWS_MAX = 16 };

/* A libOS, and what was found. */
struct row {
	const char *name;
	struct findings found;
};

struct report {
	struct utsname machine;
	char *file;        /* the configuration's, NULL: none */
	const char *meant; /* the libOS that decides the exit status */
	struct findings general;
	struct row rows[ROWS_MAX];
	int count;
};

static const char *const level_names[] = {
    [FINDING_NOTE] = "note", [FINDING_WARNING] = "warning", [FINDING_ERROR] = "error"};

static bool can_start(const struct row *row)
{
	return findings_first(&row->found, FINDING_ERROR) == NULL;
}

/* What a program would be told that is started with this libOS. */
static void examine(struct report *r, const struct libos_class *class)
{
	struct row *row = &r->rows[r->count++];
	struct config_problem problem;
	struct config config;

	row->name = class->name;
	if (config_read(&config, class->name, &problem) != 0) {
		findings_add(&row->found, FINDING_ERROR, "configuration", "%.200s", problem.text);
		findings_remedy(&row->found, "correct it; man 5 demikernel.yaml has all keys");
		return;
	}
	if (!r->file && config.file)
		r->file = strdup(config.file);
	shortage_examine(&config, &row->found);
	class->examine(&config, &row->found);
	config_free(&config);
}

static void examine_all(struct report *r, const char *only)
{
	const struct libos_class *class;

	uname(&r->machine);
	machine_examine(&r->general);
	for (unsigned i = 0; (class = libos_at(i)) != NULL && r->count < ROWS_MAX; i++) {
		if (!only || strcasecmp(only, class->name) == 0)
			examine(r, class);
	}
}

static bool meant_can_start(const struct report *r)
{
	for (int i = 0; i < r->count; i++) {
		if (strcasecmp(r->rows[i].name, r->meant) == 0)
			return can_start(&r->rows[i]);
	}
	return false;
}

static void print_findings(const struct findings *found, bool colour)
{
	static const char *const colours[] = {
	    [FINDING_NOTE] = "", [FINDING_WARNING] = "\033[33m", [FINDING_ERROR] = "\033[31m"};

	for (unsigned i = 0; i < found->count; i++) {
		const struct finding *f = &found->items[i];

		printf("  %s%-7s%s  %s\n", colour ? colours[f->level] : "", level_names[f->level],
		       colour ? "\033[0m" : "", f->what);
		if (f->remedy[0])
			printf("  %7s  -> %s\n", "", f->remedy);
	}
}

static void print_text(const struct report *r, bool colour)
{
	printf("%s %s, %s; configuration: %s\n", r->machine.sysname, r->machine.release,
	       r->machine.machine, r->file ? r->file : "none, the defaults");
	print_findings(&r->general, colour);
	for (int i = 0; i < r->count; i++) {
		const struct row *row = &r->rows[i];

		printf("\n%s%s%s: %s\n", colour ? "\033[1m" : "", row->name,
		       colour ? "\033[0m" : "", can_start(row) ? "can start" : "cannot start");
		print_findings(&row->found, colour);
	}
}

static void print_json_findings(const struct findings *found)
{
	printf("[");
	for (unsigned i = 0; i < found->count; i++) {
		const struct finding *f = &found->items[i];

		printf("%s{\"id\": \"%s\", \"level\": \"%s\", \"what\": ", i > 0 ? ", " : "", f->id,
		       level_names[f->level]);
		json_string(stdout, f->what);
		printf(", \"remedy\": ");
		json_string(stdout, f->remedy);
		printf("}");
	}
	printf("]");
}

static void print_json(const struct report *r)
{
	printf("{\"version\": \"%s\", \"kernel\": ", DEMI_VERSION);
	json_string(stdout, r->machine.release);
	printf(", \"configuration\": ");
	if (r->file)
		json_string(stdout, r->file);
	else
		printf("null");
	printf(", \"machine\": {\"findings\": ");
	print_json_findings(&r->general);
	printf("}, \"liboses\": [");
	for (int i = 0; i < r->count; i++) {
		printf("%s{\"libos\": \"%s\", \"can_start\": %s, \"findings\": ", i > 0 ? ", " : "",
		       r->rows[i].name, can_start(&r->rows[i]) ? "true" : "false");
		print_json_findings(&r->rows[i].found);
		printf("}");
	}
	printf("]}\n");
}

static bool wants_colour(void)
{
	const char *no_color = getenv("NO_COLOR");

	return isatty(STDOUT_FILENO) && !(no_color && no_color[0]);
}

/* The libOS that LIBOS names; catnap when it is not set. */
static const char *default_libos(void)
{
	const char *name = getenv("LIBOS");

	return name && name[0] ? name : "catnap";
}

static int report(const char *only, bool json)
{
	static struct report r;
	char names[LIBOS_NAMES_BYTES];

	r.meant = only ? only : default_libos();
	if (!libos_find(r.meant)) {
		fprintf(stderr, "demi doctor: there is no libOS '%s'; this build has: %s\n",
			r.meant, libos_names(names));
		return only ? DEMI_EXIT_USAGE : DEMI_EXIT_FAILURE;
	}
	examine_all(&r, only);
	if (json)
		print_json(&r);
	else
		print_text(&r, wants_colour());
	free(r.file);
	if (fflush(stdout) != 0 || ferror(stdout)) {
		fprintf(stderr, "demi doctor: cannot write the report: %s\n", strerror(errno));
		return DEMI_EXIT_FAILURE;
	}
	return meant_can_start(&r) ? DEMI_EXIT_OK : DEMI_EXIT_FAILURE;
}

int demi_doctor_main(int argc, char **argv)
{
	static const struct option options[] = {{"libos", required_argument, NULL, 'l'},
						{"json", no_argument, NULL, 'j'},
						{"help", no_argument, NULL, 'h'},
						{NULL, 0, NULL, 0}};
	const char *only = NULL;
	bool json = false;
	int id;

	optind = 1;
	while ((id = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (id == 'h') {
			fputs(help, stdout);
			return DEMI_EXIT_OK;
		}
		if (id == '?')
			return DEMI_EXIT_USAGE;
		only = id == 'l' ? optarg : only;
		json |= id == 'j';
	}
	if (argv[optind]) {
		fprintf(stderr, "demi doctor: '%s' is not an option\n", argv[optind]);
		return DEMI_EXIT_USAGE;
	}
	return report(only, json);
}
