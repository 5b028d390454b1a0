/* load.c - the load of a server with many connections: on each, one message on its way.
 *
 *	load PORT CONNECTIONS SIZE SECONDS	prints messages=, p50_ns=, p99_ns= and rate=
 *
 * A first tenth of the time warms up, and is not counted. It spins, and reads and writes as little
 * as it can, so that the server is what is measured.
 *
 * SPDX-License-Identifier: MIT
 */
#include "histogram.h"
#include "yardstick.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

enum { EVENTS = 512, MAX_BYTES = 65536, WARM_UP = 10 };

struct connection {
	int fd;
	size_t received; /* of the message that is on its way */
	uint64_t sent_ns;
};

static char bytes[MAX_BYTES];
static size_t size;
static struct histogram latencies;

static void send_next(struct connection *c, uint64_t now)
{
	c->received = 0;
	c->sent_ns = now;
	if (write(c->fd, bytes, size) != (ssize_t)size)
		die("write");
}

static void on_bytes(struct connection *c, uint64_t now)
{
	ssize_t n = read(c->fd, bytes, size - c->received);

	if (n < 0 && errno == EAGAIN)
		return;
	if (n <= 0)
		die("the server left");
	c->received += (size_t)n;
	if (c->received == size) {
		histogram_record(&latencies, now - c->sent_ns);
		send_next(c, now);
	}
}

/* The clock is read once for each batch. */
static void run_until(int epoll_fd, uint64_t end_ns)
{
	struct epoll_event events[EVENTS];
	uint64_t now;
	int n;

	while ((now = now_ns()) < end_ns) {
		n = epoll_wait(epoll_fd, events, EVENTS, 0);
		for (int i = 0; i < n; i++)
			on_bytes(events[i].data.ptr, now);
	}
}

static void connect_all(int epoll_fd, struct connection *connections, int count, int port)
{
	for (int i = 0; i < count; i++) {
		struct epoll_event event = {.events = EPOLLIN, .data.ptr = &connections[i]};

		connections[i].fd = connect_to(port);
		if (epoll_ctl(epoll_fd, EPOLL_CTL_ADD, connections[i].fd, &event))
			die("epoll_ctl");
	}
	for (int i = 0; i < count; i++)
		send_next(&connections[i], now_ns());
}

int main(int argc, char **argv)
{
	struct connection *connections;
	uint64_t start_ns, length_ns;
	int epoll_fd = epoll_create1(0), count;

	if (argc != 5)
		die("usage: load PORT CONNECTIONS SIZE SECONDS");
	count = atoi(argv[2]);
	size = strtoul(argv[3], NULL, 10);
	length_ns = (uint64_t)(strtod(argv[4], NULL) * 1e9);
	connections = calloc((size_t)count, sizeof(*connections));
	if (!connections || size < 1 || size > MAX_BYTES)
		die("CONNECTIONS is 1 or more, SIZE 1 to 65536");
	connect_all(epoll_fd, connections, count, atoi(argv[1]));
	run_until(epoll_fd, now_ns() + length_ns / WARM_UP);
	histogram_clear(&latencies);
	start_ns = now_ns();
	run_until(epoll_fd, start_ns + length_ns);
	print_result(&latencies, now_ns() - start_ns);
	free(connections);
	return 0;
}
