/* pkt.c - `demi pkt`: runs packetdrill scripts against the stack, in virtual time.
 *
 * SPDX-License-Identifier: MIT
 */
#include "commands.h"
#include "link/pcapng.h"
#include "pkt_run.h"
#include "pkt_script.h"
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

enum { SNAP_BYTES = 65535 + 18 };

static const char usage[] =
    "Usage: demi pkt [--skip-acks] [--pcap FILE] [--verbose] SCRIPT...\n"
    "\n"
    "Runs scripts in packetdrill's language against the TCP/IP stack, in virtual time.\n"
    "\n"
    "  --skip-acks   forgive a script up to 8 pure ACKs that it does not expect\n"
    "  --pcap FILE   write all frames, of all scripts in turn, as pcapng\n"
    "  --verbose     print packets and system calls as they happen\n"
    "\n"
    "A failure is printed as SCRIPT:LINE with what was expected and what came; the last line is\n"
    "'N passed, N failed'. The exit status is 0 when all have passed, else 1 (2: usage).\n";

/* The whole file; the caller frees it. NULL: errno says why. */
static char *read_file(const char *path, size_t *len)
{
	FILE *f = fopen(path, "r");
	char *text;

	if (f == NULL)
		return NULL;
	text = malloc(PKT_SCRIPT_MAX_BYTES + 1);
	if (text != NULL) {
		*len = fread(text, 1, PKT_SCRIPT_MAX_BYTES + 1, f);
		if (ferror(f)) {
			free(text);
			text = NULL;
		}
	}
	fclose(f);
	return text;
}

static bool run_file(const char *path, const struct pkt_run_options *o)
{
	char error[PKT_ERROR_BYTES];
	struct pkt_script *script;
	size_t len;
	char *text = read_file(path, &len);
	bool passed;

	if (text == NULL) {
		fprintf(o->out, "%s: %s\n", path, strerror(errno));
		return false;
	}
	if (pkt_script_parse(&script, path, text, len, error) < 0) {
		fprintf(o->out, "%s\n", error);
		free(text);
		return false;
	}
	if (o->verbose)
		fprintf(o->out, "%s\n", path);
	passed = pkt_run(script, path, o);
	pkt_script_free(script);
	free(text);
	return passed;
}

static int run_files(char *const paths[], int n, const struct pkt_run_options *o)
{
	int passed = 0;

	for (int i = 0; i < n; i++)
		passed += run_file(paths[i], o);
	fprintf(o->out, "%d passed, %d failed\n", passed, n - passed);
	return passed == n ? DEMI_EXIT_OK : DEMI_EXIT_FAILURE;
}

static FILE *open_capture(const char *path)
{
	FILE *f = fopen(path, "w");

	if (f == NULL || pcapng_start(f, "pkt", SNAP_BYTES) < 0) {
		fprintf(stderr, "demi pkt: %s: %s\n", path, strerror(errno));
		if (f != NULL)
			fclose(f);
		return NULL;
	}
	return f;
}

static int close_capture(FILE *f, const char *path, int status)
{
	if (f != NULL && (ferror(f) | fclose(f)) != 0) {
		fprintf(stderr, "demi pkt: %s: the capture is not complete\n", path);
		return DEMI_EXIT_FAILURE;
	}
	return status;
}

int demi_pkt_main(int argc, char **argv)
{
	static const struct option options[] = {{"skip-acks", no_argument, NULL, 's'},
						{"pcap", required_argument, NULL, 'p'},
						{"verbose", no_argument, NULL, 'v'},
						{"help", no_argument, NULL, 'h'},
						{NULL, 0, NULL, 0}};
	struct pkt_run_options o = {.out = stdout};
	const char *pcap = NULL;
	int c;

	optind = 1;
	while ((c = getopt_long(argc, argv, "vh", options, NULL)) != -1) {
		if (c == 's') {
			o.skip_acks = true;
		} else if (c == 'p') {
			pcap = optarg;
		} else if (c == 'v') {
			o.verbose = true;
		} else {
			fputs(usage, c == 'h' ? stdout : stderr);
			return c == 'h' ? DEMI_EXIT_OK : DEMI_EXIT_USAGE;
		}
	}
	if (optind == argc) {
		fputs(usage, stderr);
		return DEMI_EXIT_USAGE;
	}
	if (pcap != NULL && (o.capture = open_capture(pcap)) == NULL)
		return DEMI_EXIT_FAILURE;
	return close_capture(o.capture, pcap, run_files(argv + optind, argc - optind, &o));
}
