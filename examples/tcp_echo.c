/* tcp_echo.c - the program tcp-echo: a TCP echo server for many clients, and a client that measures
 * it. This file has the command line and the threads.
 *
 * SPDX-License-Identifier: MIT
 */
#include "tcp_echo.h"

#include "arguments.h"
#include "blocking.h"
#include "complain.h"
#include "interrupt.h"

#include <arpa/inet.h>
#include <getopt.h>
#include <pthread.h>
#include <semaphore.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char help[] =
    "Usage: tcp-echo --peer server --address IP:PORT [OPTIONS]\n"
    "       tcp-echo --peer client --address IP:PORT [OPTIONS]\n"
    "\n"
    "The server sends back whatever its clients send, and ends when the last one has left.\n"
    "The client keeps one message on its way on each connection, and checks its echo.\n"
    "\n"
    "  --address IP:PORT   where the server is; port 0 lets a server choose one\n"
    "  --nthreads N        threads, each with its own library instance (1)\n"
    "  --log SECONDS       print statistics every so many seconds\n"
    "Client only:\n"
    "  --bufsize N         bytes of a message (64)\n"
    "  --nclients N        connections of each thread (1)\n"
    "  --nrequests N       messages of each connection (no end)\n"
    "  --run-mode MODE     sequential: connect one after the other; concurrent: all at once\n"
    "                      (sequential)\n"
    "\n"
    "The environment variable LIBOS chooses the I/O path; see demikernel(7).\n"
    "Exit status: 0 done (a client without --nrequests: interrupted), 1 a failure, 2 a wrong\n"
    "command line.\n";

enum {
	MAX_CLIENTS = 1000000, /* connections of a thread */
	MAX_THREADS = 64,
	MAX_LOG_S = 86400,
};

enum option_id {
	OPTION_PEER,
	OPTION_ADDRESS,
	OPTION_BUFSIZE,
	OPTION_NCLIENTS,
	OPTION_NTHREADS,
	OPTION_NREQUESTS,
	OPTION_LOG,
	OPTION_RUN_MODE,
	OPTION_HELP,
};

static const struct option long_options[] = {
    {"peer", required_argument, NULL, OPTION_PEER},
    {"address", required_argument, NULL, OPTION_ADDRESS},
    {"bufsize", required_argument, NULL, OPTION_BUFSIZE},
    {"nclients", required_argument, NULL, OPTION_NCLIENTS},
    {"nthreads", required_argument, NULL, OPTION_NTHREADS},
    {"nrequests", required_argument, NULL, OPTION_NREQUESTS},
    {"log", required_argument, NULL, OPTION_LOG},
    {"run-mode", required_argument, NULL, OPTION_RUN_MODE},
    {"help", no_argument, NULL, OPTION_HELP},
    {NULL, 0, NULL, 0},
};

/* Which of two words was given: 0 the first, 1 the second. */
static int choose(const char *option, const char *first, const char *second)
{
	if (strcmp(optarg, first) == 0)
		return 0;
	if (strcmp(optarg, second) != 0)
		usage_error("--%s is %s or %s, not '%s'", option, first, second, optarg);
	return 1;
}

static void number(const char *option, uint64_t min, uint64_t max, uint64_t *out)
{
	if (!parse_number(optarg, min, max, out))
		usage_error("--%s is a number of %llu to %llu, not '%s'", option,
			    (unsigned long long)min, (unsigned long long)max, optarg);
}

/* An interval or a count of 0 means none, as in the reference. */
static void read_option(int id, struct echo_options *o)
{
	switch (id) {
	case OPTION_PEER:
		o->server = choose("peer", "server", "client") == 0;
		break;
	case OPTION_ADDRESS:
		if (!parse_endpoint(optarg, &o->address))
			usage_error("--address is an IPv4 address and a port, "
				    "as in 127.0.0.1:12345, not '%s'",
				    optarg);
		break;
	case OPTION_BUFSIZE:
		number("bufsize", 1, MESSAGE_MAX_BYTES, &o->bufsize);
		break;
	case OPTION_NCLIENTS:
		number("nclients", 1, MAX_CLIENTS, &o->nclients);
		break;
	case OPTION_NTHREADS:
		number("nthreads", 1, MAX_THREADS, &o->nthreads);
		break;
	case OPTION_NREQUESTS:
		number("nrequests", 0, UINT32_MAX, &o->nrequests);
		break;
	case OPTION_LOG:
		number("log", 0, MAX_LOG_S, &o->log_s);
		break;
	case OPTION_RUN_MODE:
		o->run_mode = choose("run-mode", "sequential", "concurrent") == 0 ? ECHO_SEQUENTIAL
										  : ECHO_CONCURRENT;
		break;
	case OPTION_HELP:
		fputs(help, stdout);
		exit(EXIT_SUCCESS);
	default: /* getopt has said what is wrong */
		fprintf(stderr, "`tcp-echo --help` tells the options\n");
		exit(EXIT_USAGE);
	}
}

static void read_options(int argc, char **argv, struct echo_options *o)
{
	int id;

	while ((id = getopt_long(argc, argv, "", long_options, NULL)) != -1)
		read_option(id, o);
	if (argv[optind])
		usage_error("'%s' is not an option", argv[optind]);
	if (o->address.sin_family != AF_INET)
		usage_error("--address IP:PORT is missing");
	if (o->nrequests > (UINT64_MAX - 1) / (o->nclients * o->bufsize))
		usage_error(
		    "--nclients times --bufsize times --nrequests is more than can be counted");
}

/* What a thread is started with, and what becomes of it. */
struct worker {
	pthread_t thread;
	struct echo_options *options;
	struct echo_server_crew *crew;
	sem_t settled;  /* posted when a server's thread listens, or has failed to */
	bool listening; /* valid from then on */
	bool failed;    /* valid when it has been joined */
};

static void *run_server(void *arg)
{
	struct worker *w = arg;
	struct echo_options *o = w->options;
	int listener, error;

	error = blocking_init();
	if (!error)
		error = echo_server_open(&listener, &o->address, o->nthreads > 1);
	w->listening = !error;
	sem_post(&w->settled);
	if (!error)
		error = echo_server_run(listener, o, w->crew);
	w->failed = error != 0;
	return NULL;
}

static void *run_client(void *arg)
{
	struct worker *w = arg;

	w->failed = blocking_init() != 0 || echo_client_run(w->options) != 0;
	return NULL;
}

static bool start_worker(struct worker *w)
{
	int error;

	sem_init(&w->settled, 0, 0);
	error = pthread_create(&w->thread, NULL, w->options->server ? run_server : run_client, w);
	if (error)
		complain(error, "cannot start a thread");
	return !error;
}

static void wait_until_settled(struct worker *w)
{
	while (sem_wait(&w->settled) && errno == EINTR)
		;
}

/* Starts the threads, and returns how many could be. Those of a server one by one: the first may
 * choose the port, and when we say that we listen, all do. */
static uint64_t start_workers(struct worker workers[], struct echo_options *o,
			      struct echo_server_crew *crew)
{
	for (uint64_t i = 0; i < o->nthreads; i++) {
		workers[i] = (struct worker){.options = o, .crew = crew};
		if (!start_worker(&workers[i]))
			return i;
		if (o->server) {
			wait_until_settled(&workers[i]);
			if (!workers[i].listening)
				return i + 1;
		}
	}
	return o->nthreads;
}

static bool all_listen(const struct worker workers[], uint64_t n)
{
	return n > 0 && workers[n - 1].listening;
}

static void announce(const struct sockaddr_in *address)
{
	char ip[INET_ADDRSTRLEN];

	printf("INFO: listening on %s:%u\n", inet_ntop(AF_INET, &address->sin_addr, ip, sizeof(ip)),
	       ntohs(address->sin_port));
	fflush(stdout);
}

static int run(struct echo_options *o)
{
	static struct worker workers[MAX_THREADS];
	struct echo_server_crew crew = {0};
	uint64_t started = start_workers(workers, o, &crew);
	bool failed = started < o->nthreads;

	if (o->server && all_listen(workers, started) && !failed)
		announce(&o->address);
	else if (o->server)
		atomic_store(&crew.stop, true);
	for (uint64_t i = 0; i < started; i++) {
		pthread_join(workers[i].thread, NULL);
		sem_destroy(&workers[i].settled);
		failed |= workers[i].failed;
	}
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
	struct echo_options o = {.server = true, .bufsize = 64, .nclients = 1, .nthreads = 1};

	read_options(argc, argv, &o);
	interrupt_catch();
	return run(&o);
}
