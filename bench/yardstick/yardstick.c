/* yardstick.c - see yardstick.h.
 *
 * SPDX-License-Identifier: MIT
 */
#include "yardstick.h"

#include "histogram.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

enum { BACKLOG = 1024 };

void die(const char *what)
{
	fprintf(stderr, "%s: %s: %s\n", program_invocation_short_name, what, strerror(errno));
	exit(1);
}

uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static struct sockaddr_in here(int port)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
	const char *address = getenv("YARDSTICK_ADDRESS");

	if (inet_pton(AF_INET, address ? address : "127.0.0.1", &a.sin_addr) != 1)
		die("YARDSTICK_ADDRESS is an IPv4 address");
	return a;
}

int listen_at(int port)
{
	struct sockaddr_in a = here(port);
	socklen_t len = sizeof(a);
	int fd = socket(AF_INET, SOCK_STREAM, 0), yes = 1;

	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes)) ||
	    bind(fd, (struct sockaddr *)&a, len) || listen(fd, BACKLOG) ||
	    getsockname(fd, (struct sockaddr *)&a, &len))
		die("cannot listen");
	printf("port %d\n", ntohs(a.sin_port));
	fflush(stdout);
	return fd;
}

void make_fast(int fd)
{
	int yes = 1;

	if (setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes)) ||
	    fcntl(fd, F_SETFL, O_NONBLOCK))
		die("cannot set up a connection");
}

int connect_blocking(int port)
{
	struct sockaddr_in a = here(port);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (fd < 0 || connect(fd, (struct sockaddr *)&a, sizeof(a)))
		die("cannot connect");
	return fd;
}

int connect_to(int port)
{
	int fd = connect_blocking(port);

	make_fast(fd);
	return fd;
}

void print_result(const struct histogram *h, uint64_t elapsed_ns)
{
	printf("messages=%llu p50_ns=%llu p99_ns=%llu rate=%.0f\n", (unsigned long long)h->count,
	       (unsigned long long)histogram_percentile(h, 50),
	       (unsigned long long)histogram_percentile(h, 99),
	       (double)h->count * 1e9 / (double)elapsed_ns);
}
