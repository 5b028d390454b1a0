/* tcp_echo.h - the two halves of the program tcp-echo. tcp_echo.c reads the command line and runs
 * one of them in each thread.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef EXAMPLES_TCP_ECHO_H
#define EXAMPLES_TCP_ECHO_H

#include <netinet/in.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <time.h>

enum echo_run_mode { ECHO_SEQUENTIAL, ECHO_CONCURRENT };

struct echo_options {
	bool server;
	struct sockaddr_in address;
	uint64_t bufsize;  /* bytes of a message */
	uint64_t nclients; /* connections of each thread of a client */
	uint64_t nthreads;
	uint64_t nrequests; /* messages of each connection; 0: no end */
	uint64_t log_s;     /* statistics every so many seconds; 0: none */
	enum echo_run_mode run_mode;
};

/* What the threads of a server share. All zero to begin with. */
struct echo_server_crew {
	atomic_int clients;  /* connected now, to all threads */
	atomic_bool visited; /* somebody has connected */
	atomic_bool stop;    /* give up */
};

/* Opens a listener; several threads may open one for the same address. Port 0 chooses one, and
 * *address then has it. 0 or a positive errno, complained about. */
int echo_server_open(int *listener_out, struct sockaddr_in *address, bool shared);

/* Serves until the last client of the crew has left, and closes the listener. 0 or a positive
 * errno, complained about. */
int echo_server_run(int listener, const struct echo_options *o, struct echo_server_crew *crew);

/* Runs all connections of a thread to their end. 0 or a positive errno, complained about. */
int echo_client_run(const struct echo_options *o);

static inline uint64_t echo_clock_ns(clockid_t id)
{
	struct timespec now;

	clock_gettime(id, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

#endif
