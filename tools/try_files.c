/* try_files.c - the files that `demi try` writes beside its report: the picture, and the
 * percentiles in the format of HdrHistogram.
 *
 * SPDX-License-Identifier: MIT
 */
#include "try.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	TICKS = 5,      /* rows of percentiles for each halving of what is left to 100 % */
	UNIT_NS = 1000, /* of the values: a microsecond */
};

static int cannot_write(const char *path)
{
	int error = errno;

	fprintf(stderr, "demi try: cannot write '%s': %s\n", path, strerror(error));
	return -error;
}

int try_files_open(struct try_files *f, const char *plot, const char *hdr)
{
	*f = (struct try_files){.plot_path = plot, .hdr_path = hdr};
	if (hdr && ((mkdir(hdr, 0777) && errno != EEXIST) || access(hdr, W_OK | X_OK)))
		return cannot_write(hdr);
	if (!plot)
		return 0;
	f->plot = fopen(plot, "we");
	return f->plot ? 0 : cannot_write(plot);
}

static int end_file(FILE *file, const char *path)
{
	bool written = fflush(file) == 0 && !ferror(file);

	if (!written)
		cannot_write(path);
	fclose(file);
	return written ? 0 : -EIO;
}

/* "catpowder-our-tcp-ip-over-af-xdp.hgrm": what the row says, in letters that fit everywhere. */
static void hdr_name(char path[PATH_MAX], const char *folder, const struct libos_listing *listing)
{
	int at = snprintf(path, PATH_MAX, "%s/%s-%s", folder, listing->name, listing->what);
	size_t from = strlen(folder) + 1;

	if (at >= PATH_MAX - 5)
		at = PATH_MAX - 6;
	for (int i = (int)from; i < at; i++)
		path[i] = isalnum((unsigned char)path[i]) ? (char)tolower(path[i]) : '-';
	memcpy(path + at, ".hgrm", 6);
}

static int write_hdr(const struct try_row *row, const char *folder)
{
	char path[PATH_MAX];
	FILE *out;

	hdr_name(path, folder, row->listing);
	out = fopen(path, "we");
	if (!out)
		return cannot_write(path);
	histogram_print(&row->result->latency, out, TICKS, UNIT_NS);
	return end_file(out, path);
}

int try_files_write(struct try_files *f, const struct try_report *report)
{
	int error = 0;

	for (int i = 0; f->hdr_path && i < report->count && !error; i++) {
		if (report->rows[i].state == TRY_DONE)
			error = write_hdr(&report->rows[i], f->hdr_path);
	}
	if (!f->plot || error)
		return error;
	try_print_plot(report, f->plot);
	error = end_file(f->plot, f->plot_path);
	f->plot = NULL;
	return error;
}

void try_files_close(struct try_files *f)
{
	if (f->plot)
		fclose(f->plot);
}
