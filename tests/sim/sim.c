/* sim.c - runs simulations from seeds. Exits with 0 when all held, with a message and abort() at
 * the first that does not.
 *
 *     sim --seed N [--loss PERCENT] [--stacks N] [--pcap FILE]    one
 *     sim --seed N --count N                                      N, N + 1, ...
 *     sim --seed N --hours H                                      as many as H virtual hours take
 *     sim --seed N --minutes M                                    as many as M minutes take
 *     ... --twice                  each twice, and both must give the same frames
 *
 * DEMI_TEST_SLOWDOWN in the environment divides --count: under valgrind that many take as long.
 *
 * Without --seed, --minutes begins at a random one and says which.
 *
 * SPDX-License-Identifier: MIT
 */
#include "scenario.h"
#include <getopt.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

struct options {
	uint64_t seed, count;
	double hours, minutes;
	struct scenario_wish wish;
	bool twice, quiet, seeded;
	const char *pcap;
};

struct total {
	uint64_t runs, frames, virtual_ns;
	struct program_counts counts;
};

static void usage(void)
{
	fprintf(stderr, "usage: sim [--seed N] [--count N | --hours H | --minutes N] [--twice]\n"
			"           [--loss PERCENT] [--stacks N] [--pcap FILE] [--quiet]\n");
	exit(2);
}

static void parse(struct options *o, int argc, char **argv)
{
	static const struct option names[] = {{"seed", 1, NULL, 's'},  {"count", 1, NULL, 'c'},
					      {"hours", 1, NULL, 'h'}, {"minutes", 1, NULL, 'm'},
					      {"loss", 1, NULL, 'l'},  {"stacks", 1, NULL, 'n'},
					      {"pcap", 1, NULL, 'p'},  {"twice", 0, NULL, 't'},
					      {"quiet", 0, NULL, 'q'}, {NULL, 0, NULL, 0}};
	int c;

	*o = (struct options){.seed = 1, .count = 1, .wish = {-1, -1}};
	while ((c = getopt_long(argc, argv, "", names, NULL)) != -1) {
		switch (c) {
		case 's':
			o->seed = strtoull(optarg, NULL, 0);
			o->seeded = true;
			break;
		case 'c':
			o->count = strtoull(optarg, NULL, 0);
			break;
		case 'h':
			o->hours = atof(optarg);
			break;
		case 'm':
			o->minutes = atof(optarg);
			break;
		case 'l':
			o->wish.loss_percent = atof(optarg);
			break;
		case 'n':
			o->wish.hosts = atoi(optarg);
			break;
		case 'p':
			o->pcap = optarg;
			break;
		case 't':
			o->twice = true;
			break;
		case 'q':
			o->quiet = true;
			break;
		default:
			usage();
		}
	}
	if (getenv("DEMI_TEST_SLOWDOWN") != NULL)
		o->count /= strtoull(getenv("DEMI_TEST_SLOWDOWN"), NULL, 10);
	if (o->count == 0)
		o->count = 1;
	if (optind != argc || o->wish.hosts > WORLD_HOSTS || o->wish.hosts == 0 ||
	    o->wish.hosts == 1 || o->wish.loss_percent > 100)
		usage();
}

static double seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void add(struct total *t, const struct scenario_result *r)
{
	t->runs++;
	t->frames += r->frames;
	t->virtual_ns += r->virtual_ns;
	t->counts.opened += r->counts.opened;
	t->counts.clean += r->counts.clean;
	t->counts.excused += r->counts.excused;
	t->counts.timed_out += r->counts.timed_out;
	t->counts.bytes += r->counts.bytes;
	t->counts.datagrams_received += r->counts.datagrams_received;
}

static void print_counts(double virtual_s, uint64_t frames, const struct program_counts *c)
{
	printf("%.0f s, %" PRIu64 " frames, %" PRIu64 " connections (%" PRIu64
	       " ends clean, %" PRIu64 " cut, %" PRIu64 " timed out), %" PRIu64
	       " datagrams, %" PRIu64 " bytes checked",
	       virtual_s, frames, c->opened, c->clean, c->excused, c->timed_out,
	       c->datagrams_received, c->bytes);
}

static void run_one(const struct options *o, uint64_t seed, struct total *total)
{
	static struct scenario s;
	struct scenario_result first, second;
	char repeat[200], loss[32] = "", stacks[32] = "";
	FILE *pcap = o->pcap != NULL ? fopen(o->pcap, "wb") : NULL;

	if (o->wish.loss_percent >= 0)
		snprintf(loss, sizeof(loss), " --loss %g", o->wish.loss_percent);
	if (o->wish.hosts > 0)
		snprintf(stacks, sizeof(stacks), " --stacks %d", o->wish.hosts);
	snprintf(repeat, sizeof(repeat),
		 "build/tests/sim/sim --seed %" PRIu64 "%s%s --pcap sim.pcapng", seed, loss,
		 stacks);
	scenario_make(&s, seed, &o->wish);
	if (!o->quiet) {
		printf("seed %" PRIu64 ": %s\n", seed, s.text);
		fflush(stdout);
	}
	scenario_run(&s, repeat, pcap, &first);
	if (pcap != NULL)
		fclose(pcap);
	add(total, &first);
	if (!o->quiet) {
		printf("    ");
		print_counts((double)first.virtual_ns / 1e9, first.frames, &first.counts);
		printf(", hash %016" PRIx64 "\n", first.hash);
	}
	if (!o->twice)
		return;
	scenario_run(&s, repeat, NULL, &second);
	if (first.hash != second.hash) {
		fprintf(stderr, "FAILED: two runs of seed %" PRIu64 " differ\n", seed);
		exit(1);
	}
}

static uint64_t random_seed(void)
{
	uint64_t seed;

	if (getrandom(&seed, sizeof(seed), 0) != sizeof(seed)) {
		perror("getrandom");
		exit(1);
	}
	return seed >> 16;
}

int main(int argc, char **argv)
{
	struct options o;
	struct total total = {0};
	double start = seconds();

	parse(&o, argc, argv);
	if (o.minutes > 0) {
		if (!o.seeded)
			o.seed = random_seed();
		printf("from seed %" PRIu64 " on\n", o.seed);
		fflush(stdout);
		while (seconds() - start < o.minutes * 60)
			run_one(&o, o.seed++, &total);
	} else if (o.hours > 0) {
		while ((double)total.virtual_ns / 3.6e12 < o.hours)
			run_one(&o, o.seed++, &total);
	} else {
		for (; o.count > 0; o.count--)
			run_one(&o, o.seed++, &total);
	}
	printf("%" PRIu64 " simulations, %.2f virtual hours in %.1f s: ", total.runs,
	       (double)total.virtual_ns / 3.6e12, seconds() - start);
	print_counts((double)total.virtual_ns / 1e9, total.frames, &total.counts);
	printf(", none wrong\n");
	return 0;
}
