/* try.c - `demi try`: echoes messages over each libOS that this build and machine offer, one after
 * the other, and reports how it went.
 *
 * SPDX-License-Identifier: MIT
 */
#include "try.h"

#include "commands.h"
#include "libos/table.h"

#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/mman.h>
#include <unistd.h>

static const char help[] =
    "Usage: demi try [--libos NAME] [--messages N] [--size N] [--json] [--plot FILE.svg]\n"
    "                [--hdr FOLDER]\n"
    "\n"
    "Starts an echo server and a client, two processes, over each libOS that can be used\n"
    "here, checks every byte that comes back, and tells how long the messages took.\n"
    "Needs no configuration and no privileges. What could not be tried is listed with the\n"
    "command that changes it.\n"
    "\n"
    "  --libos NAME     only this one\n"
    "  --messages N     messages for each (100000, or as many as fit in 5 seconds)\n"
    "  --size N         bytes of a message (64)\n"
    "  --json           print the report as JSON, for programs\n"
    "  --plot FILE.svg  also draw the latency percentiles\n"
    "  --hdr FOLDER     also write all percentiles of each as a file that the plotters of\n"
    "                   HdrHistogram read, in microseconds: FOLDER/catnap-kernel-sockets.hgrm ...\n"
    "\n"
    "Exit status: 0 all that were tried are right, 1 one failed or none could be tried,\n"
    "2 a wrong command line.\n";

struct arguments {
	struct try_options options;
	const char *libos, *plot, *hdr; /* NULL: not given */
	bool json, help;
};

enum option_id {
	OPTION_LIBOS,
	OPTION_MESSAGES,
	OPTION_SIZE,
	OPTION_JSON,
	OPTION_PLOT,
	OPTION_HDR,
	OPTION_HELP,
};

static const struct option long_options[] = {
    {"libos", required_argument, NULL, OPTION_LIBOS},
    {"messages", required_argument, NULL, OPTION_MESSAGES},
    {"size", required_argument, NULL, OPTION_SIZE},
    {"json", no_argument, NULL, OPTION_JSON},
    {"plot", required_argument, NULL, OPTION_PLOT},
    {"hdr", required_argument, NULL, OPTION_HDR},
    {"help", no_argument, NULL, OPTION_HELP},
    {NULL, 0, NULL, 0},
};

static bool read_number(const char *option, uint64_t max, uint64_t *out)
{
	char *end;

	errno = 0;
	*out = strtoull(optarg, &end, 10);
	if (optarg[0] >= '0' && optarg[0] <= '9' && !errno && !*end && *out >= 1 && *out <= max)
		return true;
	fprintf(stderr, "demi try: --%s is a number of 1 to %llu, not '%s'\n", option,
		(unsigned long long)max, optarg);
	return false;
}

static const struct libos_listing *find(const char *name)
{
	const struct libos_listing *l;

	for (unsigned int i = 0; (l = libos_listing_at(i)); i++) {
		if (strcasecmp(l->name, name) == 0)
			return l;
	}
	return NULL;
}

static bool is_libos(const char *name)
{
	char names[LIBOS_NAMES_BYTES];

	if (find(name))
		return true;
	fprintf(stderr, "demi try: there is no libOS '%s'; this build has: %s\n", name,
		libos_names(names));
	return false;
}

static bool read_option(int id, struct arguments *a)
{
	uint64_t number;

	switch (id) {
	case OPTION_LIBOS:
		a->libos = optarg;
		return is_libos(optarg);
	case OPTION_MESSAGES:
		return read_number("messages", TRY_MAX_MESSAGES, &a->options.messages);
	case OPTION_SIZE:
		if (!read_number("size", TRY_MAX_BYTES, &number))
			return false;
		a->options.size = (uint32_t)number;
		return true;
	case OPTION_JSON:
		a->json = true;
		return true;
	case OPTION_PLOT:
		a->plot = optarg;
		return true;
	case OPTION_HDR:
		a->hdr = optarg;
		return true;
	case OPTION_HELP:
		a->help = true;
		return true;
	default: /* getopt has said what is wrong */
		return false;
	}
}

static bool read_arguments(int argc, char **argv, struct arguments *a)
{
	int id;

	optind = 1;
	while ((id = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
		if (!read_option(id, a))
			return false;
	}
	if (argv[optind])
		fprintf(stderr, "demi try: '%s' is not an option\n", argv[optind]);
	return !argv[optind];
}

/* A bar on one line of the terminal, drawn over and over. */
static void show_progress(const struct libos_listing *listing, uint64_t echoed, uint64_t expected)
{
	enum { CELLS = 30 };
	int full = (int)(echoed * CELLS / expected);

	fprintf(stderr, "\r%-10s ", listing->name);
	for (int i = 0; i < CELLS; i++)
		fputs(i < full ? "█" : "░", stderr);
	fprintf(stderr, " %3d %%", (int)(echoed * 100 / expected));
	fflush(stderr);
}

static void clear_progress(void)
{
	fputs("\r\033[K", stderr);
}

static void show_nothing(const struct libos_listing *listing, uint64_t echoed, uint64_t expected)
{
	(void)listing;
	(void)echoed;
	(void)expected;
}

/* Shared with the processes of the trial. NULL: no memory. */
static struct try_result *result_new(void)
{
	struct try_result *result =
	    mmap(NULL, sizeof(*result), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (result == MAP_FAILED)
		return NULL;
	histogram_clear(&result->latency);
	return result;
}

/* Returns 0 or -ENOMEM; how the trial went is in the row. */
static int try_one(struct try_row *row, const struct try_options *o)
{
	bool terminal = isatty(STDERR_FILENO);

	if (row->listing->probe(&row->lack)) {
		row->state = TRY_LEFT_OUT;
		return 0;
	}
	row->result = result_new();
	if (!row->result)
		return -ENOMEM;
	row->state = try_run(row->listing, o, row->result, terminal ? show_progress : show_nothing)
			 ? TRY_FAILED
			 : TRY_DONE;
	if (terminal)
		clear_progress();
	return 0;
}

static int try_all(const struct arguments *a, struct try_report *report)
{
	const struct libos_listing *l;
	int error = 0;

	for (unsigned int i = 0; (l = libos_listing_at(i)) && report->count < TRY_ROWS; i++) {
		if (a->libos && strcasecmp(l->name, a->libos) != 0)
			continue;
		report->rows[report->count].listing = l;
		error = try_one(&report->rows[report->count++], &a->options);
		if (error)
			break;
	}
	return error;
}

static bool wants_colour(void)
{
	const char *no_color = getenv("NO_COLOR");

	return isatty(STDOUT_FILENO) && !(no_color && no_color[0]);
}

static int write_report(const struct arguments *a, const struct try_report *report,
			struct try_files *files)
{
	if (a->json)
		try_print_json(report, stdout);
	else
		try_print_table(report, stdout, wants_colour());
	if (fflush(stdout) != 0 || ferror(stdout)) {
		fprintf(stderr, "demi try: cannot write the report: %s\n", strerror(errno));
		return -EIO;
	}
	return try_files_write(files, report);
}

/* At least one was tried, and all that were are right. */
static bool is_well(const struct try_report *report)
{
	int done = 0, failed = 0;

	for (int i = 0; i < report->count; i++) {
		done += report->rows[i].state == TRY_DONE;
		failed += report->rows[i].state == TRY_FAILED;
	}
	return done > 0 && failed == 0;
}

static void free_report(struct try_report *report)
{
	for (int i = 0; i < report->count; i++) {
		if (report->rows[i].result)
			munmap(report->rows[i].result, sizeof(*report->rows[i].result));
	}
}

int demi_try_main(int argc, char **argv)
{
	struct arguments a = {
	    .options = {.size = TRY_DEFAULT_BYTES, .silence_ms = TRY_DEFAULT_SILENCE_MS}};
	struct try_report report = {.count = 0};
	struct try_files files;
	int error;

	if (!read_arguments(argc, argv, &a)) {
		fputs("`demi try --help` tells the arguments\n", stderr);
		return DEMI_EXIT_USAGE;
	}
	if (a.help) {
		fputs(help, stdout);
		return DEMI_EXIT_OK;
	}
	if (try_files_open(&files, a.plot, a.hdr))
		return DEMI_EXIT_FAILURE;
	report.options = a.options;
	error = try_all(&a, &report);
	if (error)
		fprintf(stderr, "demi try: %s\n", strerror(-error));
	else
		error = write_report(&a, &report, &files);
	try_files_close(&files);
	free_report(&report);
	return !error && is_well(&report) ? DEMI_EXIT_OK : DEMI_EXIT_FAILURE;
}
