/* udp_relay.c - what a relay of datagrams costs by hand: recvmmsg and sendmmsg without blocking,
 * over and over. And who measures a relay, this one or another.
 *
 *	udp_relay relay PORT REMOTE	stands between the port REMOTE and whoever sent the last
 *					datagram to it; port 0 chooses, and "port N" is printed
 *	udp_relay client SIZE MESSAGES	prints "port N", where a relay is to send to; then reads the
 *					relay's port, sends to it, sends back what comes at N, and
 *					prints messages=, p50_ns=, p99_ns= and rate= of round trips,
 *					each twice through the relay
 *
 * The client is both ends, so that the relay has a processor for itself.
 *
 * SPDX-License-Identifier: MIT
 */
#include "histogram.h"
#include "yardstick.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

enum { BATCH = 16, MAX_BYTES = 2048 };
#define PATIENCE_NS UINT64_C(10000000000) /* on loopback nothing is lost */

static char bytes[BATCH][MAX_BYTES];

static struct sockaddr_in here(int port)
{
	return (struct sockaddr_in){.sin_family = AF_INET,
				    .sin_port = htons((uint16_t)port),
				    .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

static int socket_at(int port)
{
	struct sockaddr_in a = here(port);
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	if (fd < 0 || bind(fd, (struct sockaddr *)&a, sizeof(a)))
		die("cannot bind");
	return fd;
}

static void print_port(int fd)
{
	struct sockaddr_in a;
	socklen_t len = sizeof(a);

	if (getsockname(fd, (struct sockaddr *)&a, &len))
		die("getsockname");
	printf("port %d\n", ntohs(a.sin_port));
	fflush(stdout);
}

static void relay(int fd, struct sockaddr_in remote)
{
	struct sockaddr_in from[BATCH], last = {0};
	struct mmsghdr messages[BATCH];
	struct iovec pieces[BATCH];

	for (;;) {
		int n, sent = 0;

		for (int i = 0; i < BATCH; i++) {
			pieces[i] = (struct iovec){bytes[i], MAX_BYTES};
			messages[i].msg_hdr = (struct msghdr){.msg_name = &from[i],
							      .msg_namelen = sizeof(from[i]),
							      .msg_iov = &pieces[i],
							      .msg_iovlen = 1};
		}
		n = recvmmsg(fd, messages, BATCH, MSG_DONTWAIT, NULL);
		if (n < 0 && errno != EAGAIN && errno != ECONNREFUSED)
			die("recvmmsg");
		for (int i = 0; i < n; i++) {
			bool answer = from[i].sin_port == remote.sin_port;

			if (!answer)
				last = from[i];
			from[i] = answer ? last : remote;
			pieces[i].iov_len = messages[i].msg_len;
		}
		while (sent < n) {
			int more = sendmmsg(fd, messages + sent, (unsigned)(n - sent), 0);

			if (more < 0 && errno != EAGAIN && errno != ECONNREFUSED)
				die("sendmmsg");
			sent += more > 0 ? more : 0;
		}
	}
}

/* Waits for a datagram. Its sender. */
static struct sockaddr_in take(int fd, size_t size)
{
	uint64_t start_ns = now_ns();
	struct sockaddr_in from;
	socklen_t len = sizeof(from);
	ssize_t n;

	while ((n = recvfrom(fd, bytes[0], MAX_BYTES, MSG_DONTWAIT, (struct sockaddr *)&from,
			     &len)) < 0) {
		if (errno != EAGAIN || now_ns() - start_ns > PATIENCE_NS)
			die("a datagram did not come");
	}
	if ((size_t)n != size)
		die("a datagram came back with another length");
	return from;
}

static void give(int fd, size_t size, const struct sockaddr_in *to)
{
	if (sendto(fd, bytes[0], size, 0, (const struct sockaddr *)to, sizeof(*to)) < 0)
		die("sendto");
}

static void ask(size_t size, uint64_t messages)
{
	int near = socket_at(0), far = socket_at(0), port;
	struct sockaddr_in to, back;
	uint64_t start_ns, all_start_ns;
	static struct histogram h;

	print_port(far);
	if (scanf("%d", &port) != 1)
		die("no port of a relay came");
	to = here(port);
	histogram_clear(&h);
	all_start_ns = now_ns();
	for (uint64_t i = 0; i < messages; i++) {
		start_ns = now_ns();
		give(near, size, &to);
		back = take(far, size);
		give(far, size, &back);
		take(near, size);
		histogram_record(&h, now_ns() - start_ns);
	}
	print_result(&h, now_ns() - all_start_ns);
}

int main(int argc, char **argv)
{
	if (argc == 4 && strcmp(argv[1], "relay") == 0) {
		int fd = socket_at(atoi(argv[2]));

		print_port(fd);
		relay(fd, here(atoi(argv[3])));
	} else if (argc == 4 && strcmp(argv[1], "client") == 0) {
		size_t size = strtoul(argv[2], NULL, 10);

		errno = EINVAL;
		if (size < 1 || size > MAX_BYTES)
			die("SIZE is 1 to 2048");
		ask(size, strtoull(argv[3], NULL, 10));
	} else {
		errno = EINVAL;
		die("usage: udp_relay relay PORT REMOTE | client SIZE MESSAGES");
	}
	return 0;
}
