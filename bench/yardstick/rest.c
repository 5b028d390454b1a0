/* rest.c - connections over kernel sockets that rest, and then carry a message each: how long the
 * answer takes when the server sleeps. All calls block.
 *
 *	rest server PORT	a thread for each connection; port 0 chooses, and "port N" is
 *				printed; ends with its last client
 *	rest client CONNECTIONS SECONDS ADDRESS PORT [ADDRESS PORT]
 *
 * The client opens as many connections to each server, says "rests" and "wakes", sends a message on
 * SAMPLES connections, the servers in turn, and prints first_ns= and p50_ns= of each server.
 *
 * SPDX-License-Identifier: MIT
 */
#include "histogram.h"
#include "yardstick.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { SIZE = 64, SAMPLES = 100, STACK_BYTES = 65536 };

#define PAUSE_NS 20000000 /* between two samples: the server sleeps again */

static atomic_int clients;

static void set_nodelay(int fd)
{
	int yes = 1;

	if (setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes)))
		die("cannot set up a connection");
}

static void *serve_one(void *arg)
{
	int fd = (int)(intptr_t)arg;
	char bytes[SIZE];
	ssize_t n;

	while ((n = read(fd, bytes, sizeof(bytes))) > 0) {
		if (write(fd, bytes, (size_t)n) != n)
			break;
	}
	close(fd);
	if (atomic_fetch_sub(&clients, 1) == 1)
		exit(0);
	return NULL;
}

static void serve(int port)
{
	int listener = listen_at(port);
	pthread_attr_t attr;

	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, STACK_BYTES);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	for (;;) {
		int fd = accept(listener, NULL, NULL);
		pthread_t thread;

		if (fd < 0)
			die("accept");
		set_nodelay(fd);
		atomic_fetch_add(&clients, 1);
		if (pthread_create(&thread, &attr, serve_one, (void *)(intptr_t)fd))
			die("cannot start a thread");
	}
}

static uint64_t exchange(int fd)
{
	char bytes[SIZE] = "";
	uint64_t start_ns = now_ns();
	ssize_t n;

	if (write(fd, bytes, SIZE) != SIZE)
		die("write");
	for (size_t missing = SIZE; missing > 0; missing -= (size_t)n) {
		n = read(fd, bytes, missing);
		if (n <= 0)
			die("read");
	}
	return now_ns() - start_ns;
}

static void pause_ns(uint64_t ns)
{
	struct timespec t = {.tv_sec = (time_t)(ns / 1000000000),
			     .tv_nsec = (long)(ns % 1000000000)};

	while (nanosleep(&t, &t) < 0 && errno == EINTR)
		;
}

static void say(const char *what)
{
	puts(what);
	fflush(stdout);
}

struct server {
	const char *address;
	int port;
	int *fds;
	uint64_t first_ns;
	struct histogram *times;
};

static void open_all(struct server *s, int count)
{
	s->fds = calloc((size_t)count, sizeof(*s->fds));
	s->times = calloc(1, sizeof(*s->times));
	if (!s->fds || !s->times || setenv("YARDSTICK_ADDRESS", s->address, 1))
		die("no memory");
	histogram_clear(s->times);
	for (int i = 0; i < count; i++) {
		s->fds[i] = connect_blocking(s->port);
		set_nodelay(s->fds[i]);
		exchange(s->fds[i]);
	}
}

static void close_all(struct server *s, int count)
{
	for (int i = 0; i < count; i++)
		close(s->fds[i]);
	free(s->fds);
	free(s->times);
}

static void sample(struct server *s, int i)
{
	uint64_t ns = exchange(s->fds[i]);

	if (i == 0)
		s->first_ns = ns;
	histogram_record(s->times, ns);
	pause_ns(PAUSE_NS);
}

static void ask(int count, double seconds, struct server servers[], int n)
{
	for (int k = 0; k < n; k++)
		open_all(&servers[k], count);
	say("rests");
	pause_ns((uint64_t)(seconds * 1e9));
	say("wakes");
	for (int i = 0; i < count && i < SAMPLES; i++) {
		for (int k = 0; k < n; k++)
			sample(&servers[k], i);
	}
	for (int k = 0; k < n; k++) {
		printf("first_ns=%llu p50_ns=%llu\n", (unsigned long long)servers[k].first_ns,
		       (unsigned long long)histogram_percentile(servers[k].times, 50));
		close_all(&servers[k], count);
	}
}

int main(int argc, char **argv)
{
	struct server servers[2] = {0};

	if (argc == 3 && strcmp(argv[1], "server") == 0) {
		serve(atoi(argv[2]));
	} else if ((argc == 6 || argc == 8) && strcmp(argv[1], "client") == 0) {
		for (int k = 0; k < argc / 2 - 2; k++) {
			servers[k].address = argv[4 + 2 * k];
			servers[k].port = atoi(argv[5 + 2 * k]);
		}
		ask(atoi(argv[2]), strtod(argv[3], NULL), servers, argc / 2 - 2);
	} else {
		die("usage: rest server PORT | client CONNECTIONS SECONDS ADDRESS PORT ...");
	}
	return 0;
}
