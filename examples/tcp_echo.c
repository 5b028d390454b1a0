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
#include "options.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <semaphore.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

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

/* An interval or a count of 0 means none, as in the reference. */
static void read_options(int argc, char **argv, struct echo_options *o)
{
	static const char *const sides[] = {"server", "client", NULL};
	static const char *const modes[] = {
	    [ECHO_SEQUENTIAL] = "sequential", [ECHO_CONCURRENT] = "concurrent", NULL};
	int side = 0, mode = ECHO_SEQUENTIAL;
	const struct option_spec specs[] = {
	    OPTION_WORD("peer", sides, &side),
	    OPTION_ENDPOINT("address", &o->address),
	    OPTION_NUMBER("bufsize", 1, MESSAGE_MAX_BYTES, &o->bufsize),
	    OPTION_NUMBER("nclients", 1, MAX_CLIENTS, &o->nclients),
	    OPTION_NUMBER("nthreads", 1, MAX_THREADS, &o->nthreads),
	    OPTION_NUMBER("nrequests", 0, UINT32_MAX, &o->nrequests),
	    OPTION_NUMBER("log", 0, MAX_LOG_S, &o->log_s),
	    OPTION_WORD("run-mode", modes, &mode),
	    {0}};

	options_read(argc, argv, help, specs);
	options_require("address", &o->address);
	o->server = side == 0;
	o->run_mode = (enum echo_run_mode)mode;
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
	struct echo_options o = {.bufsize = 64, .nclients = 1, .nthreads = 1};

	read_options(argc, argv, &o);
	interrupt_catch();
	return run(&o);
}
