/* rest.c - connections over kernel sockets that rest, and then carry a message each: how long the
 * answer takes when the server sleeps. All calls block.
 *
 *	rest server PORT	a thread for each connection; port 0 chooses, and "port N" is
 *				printed; ends with its last client
 *	rest client PORT CONNECTIONS SECONDS	says "rests" and "wakes"; then first_ns=, p50_ns=,
 *						max_ns= of SAMPLES connections, one after the other
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

enum { SIZE = 64, SAMPLES = 50, STACK_BYTES = 65536 };

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

static void ask(int port, int count, double seconds)
{
	static struct histogram h;
	int *fds = calloc((size_t)count, sizeof(*fds));
	uint64_t first_ns = 0;

	if (!fds)
		die("no memory");
	for (int i = 0; i < count; i++) {
		fds[i] = connect_blocking(port);
		set_nodelay(fds[i]);
		exchange(fds[i]);
	}
	say("rests");
	pause_ns((uint64_t)(seconds * 1e9));
	say("wakes");
	histogram_clear(&h);
	for (int i = 0; i < count && i < SAMPLES; i++) {
		uint64_t ns = exchange(fds[i]);

		if (i == 0)
			first_ns = ns;
		histogram_record(&h, ns);
		pause_ns(PAUSE_NS);
	}
	printf("first_ns=%llu p50_ns=%llu max_ns=%llu\n", (unsigned long long)first_ns,
	       (unsigned long long)histogram_percentile(&h, 50),
	       (unsigned long long)histogram_percentile(&h, 100));
	free(fds);
}

int main(int argc, char **argv)
{
	if (argc == 3 && strcmp(argv[1], "server") == 0)
		serve(atoi(argv[2]));
	else if (argc == 5 && strcmp(argv[1], "client") == 0)
		ask(atoi(argv[2]), atoi(argv[3]), strtod(argv[4], NULL));
	else
		die("usage: rest server PORT | client PORT CONNECTIONS SECONDS");
	return 0;
}
