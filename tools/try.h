/* try.h - the parts of `demi try`: messages echoed between two processes, over each libOS.
 *
 *	try.c		the command line, and the libOSes one after the other
 *	try_run.c	the processes of one trial, and the watch over them
 *	try_peer.c	what the server and the client do
 *	try_result.c	what they note
 *	try_table.c	the results for people, try_json.c for machines, try_plot.c as a picture
 *	try_files.c	the files that it writes
 *
 * A trial has three processes below the tool's own: the stage prepares the way (interfaces,
 * namespaces) and starts the server and the client. They write what they find into one
 * struct try_result in shared memory. Each dies with its parent, so that killing the stage is
 * killing all of it.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef TOOLS_TRY_H
#define TOOLS_TRY_H

#include "histogram.h"
#include "libos/listing.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

enum {
	TRY_MAX_MESSAGES = 1000000000,
	TRY_MAX_BYTES = 65536, /* of a message: fits the buffers of every libOS */
	TRY_DEFAULT_BYTES = 64,
	TRY_DEFAULT_MESSAGES = 100000, /* or as many as fit in: */
	TRY_DEFAULT_SECONDS = 5,
	TRY_DEFAULT_SILENCE_MS = 30000,
	TRY_ROWS = 32, /* libOSes */
};

struct try_options {
	uint64_t messages; /* 0: TRY_DEFAULT_MESSAGES or TRY_DEFAULT_SECONDS, what is less */
	uint32_t size;     /* bytes of a message */
	int silence_ms;    /* a trial without progress for so long is given up */
};

enum try_side { TRY_STAGE, TRY_SERVER, TRY_CLIENT, TRY_SIDES };

struct try_result {
	_Atomic uint64_t echoed; /* messages, while it runs */
	uint64_t elapsed_ns;
	struct histogram latency;                  /* ns of each round trip */
	char error[TRY_SIDES][LISTING_TEXT_BYTES]; /* empty: none */
};

enum try_state { TRY_DONE, TRY_FAILED, TRY_LEFT_OUT };

struct try_row {
	const struct libos_listing *listing;
	enum try_state state;
	struct try_result *result; /* TRY_DONE, TRY_FAILED */
	struct libos_lack lack;    /* TRY_LEFT_OUT */
};

struct try_report {
	struct try_options options;
	struct try_row rows[TRY_ROWS];
	int count;
};

/* Told now and then how far a trial is. */
typedef void (*try_progress)(const struct libos_listing *listing, uint64_t echoed,
			     uint64_t expected);

/* Runs one trial, and returns 0 when each message came back right; else -errno, and result->error
 * says more. At most o->silence_ms pass without progress. */
int try_run(const struct libos_listing *listing, const struct try_options *o,
	    struct try_result *result, try_progress progress);

/* The server: binds to *address, writes the port to ready_fd, serves one client until it leaves.
 * The client: reads the port from ready_fd. Each returns 0 or -errno and sets its error. */
int try_serve(const struct sockaddr_in *address, int ready_fd, struct try_result *result);
int try_ask(struct sockaddr_in address, int ready_fd, const struct try_options *o,
	    struct try_result *result);

/* Notes what went wrong on a side, from a printf format, unless it has an error. */
void try_note(struct try_result *result, enum try_side side, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

const char *try_side_name(enum try_side side);

/* Messages a second. */
double try_rate(const struct try_result *result);

/* Each writes the whole report. `colour`: with terminal colours. */
void try_print_table(const struct try_report *report, FILE *out, bool colour);
void try_print_json(const struct try_report *report, FILE *out);

/* A picture of the latency percentiles of each libOS, as SVG. */
void try_print_plot(const struct try_report *report, FILE *out);

/* What is written beside the report. Opened before anything is tried, so that a path that is wrong
 * is told before the wait. */
struct try_files {
	const char *plot_path, *hdr_path; /* borrowed; NULL: none */
	FILE *plot;
};

/* Each returns 0 or -errno, and has told then. hdr is a folder, which is made if it is not there;
 * it gets one file for each libOS that was tried. */
int try_files_open(struct try_files *f, const char *plot, const char *hdr);
int try_files_write(struct try_files *f, const struct try_report *report);
void try_files_close(struct try_files *f);

/* A duration for people, with its unit and three digits: "8.13 µs". */
void try_format_ns(char *text, size_t size, double ns);

#endif
