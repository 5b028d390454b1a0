/* epoll_echo.c - the usual way to serve many TCP connections in one thread: one epoll_wait for many
 * of them, then a read and a write for each message. It spins: epoll_wait never sleeps.
 *
 *	epoll_echo PORT		port 0 chooses, and "port N" is printed; ends with its last client
 *
 * SPDX-License-Identifier: MIT
 */
#include "yardstick.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { EVENTS = 512, MAX_BYTES = 65536 };

static char bytes[MAX_BYTES];
static int epoll_fd, clients;

static void add(int fd)
{
	struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};

	if (epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &event))
		die("epoll_ctl");
}

static void take_client(int listener)
{
	int fd = accept(listener, NULL, NULL);

	if (fd < 0)
		die("accept");
	make_fast(fd);
	add(fd);
	clients++;
}

/* A client of this yardstick has one small message on its way, which always fits. */
static void echo(int fd)
{
	ssize_t n = read(fd, bytes, sizeof(bytes));

	if (n < 0 && errno == EAGAIN)
		return;
	if (n <= 0) {
		close(fd);
		clients--;
	} else if (write(fd, bytes, (size_t)n) != n) {
		die("write");
	}
}

int main(int argc, char **argv)
{
	struct epoll_event events[EVENTS];
	int listener, n;
	int visited = 0;

	if (argc != 2)
		die("usage: epoll_echo PORT");
	epoll_fd = epoll_create1(0);
	listener = listen_at(atoi(argv[1]));
	add(listener);
	while (!visited || clients > 0) {
		n = epoll_wait(epoll_fd, events, EVENTS, 0);
		for (int i = 0; i < n; i++) {
			if (events[i].data.fd == listener) {
				take_client(listener);
				visited = 1;
			} else {
				echo(events[i].data.fd);
			}
		}
	}
	return 0;
}
