/* spin_echo.c - the least that a TCP echo over kernel sockets can cost: two processes that read and
 * write without blocking, and try again at once.
 *
 *	spin_echo server PORT			one client; port 0 chooses, and "port N" is printed
 *	spin_echo client PORT SIZE MESSAGES	prints messages=, p50_ns=, p99_ns= and rate=
 *
 * SPDX-License-Identifier: MIT
 */
#include "histogram.h"
#include "yardstick.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { MAX_BYTES = 65536 };

static char bytes[MAX_BYTES];

static void write_all(int fd, size_t n)
{
	size_t done = 0;
	ssize_t r;

	while (done < n) {
		r = write(fd, bytes + done, n - done);
		if (r > 0)
			done += (size_t)r;
		else if (errno != EAGAIN)
			die("write");
	}
}

/* 0: the end. */
static size_t read_some(int fd, size_t most)
{
	ssize_t r;

	do
		r = read(fd, bytes, most);
	while (r < 0 && errno == EAGAIN);
	if (r < 0)
		die("read");
	return (size_t)r;
}

static void serve(int port)
{
	int listener = listen_at(port), fd = accept(listener, NULL, NULL);
	size_t n;

	if (fd < 0)
		die("accept");
	make_fast(fd);
	while ((n = read_some(fd, sizeof(bytes))) > 0)
		write_all(fd, n);
}

static void exchange(int fd, size_t size)
{
	size_t n;

	write_all(fd, size);
	for (size_t missing = size; missing > 0; missing -= n) {
		n = read_some(fd, missing);
		if (n == 0)
			die("the server left");
	}
}

static void ask(int port, size_t size, uint64_t messages)
{
	static struct histogram h;
	int fd = connect_to(port);
	uint64_t start_ns, all_start_ns = now_ns();

	histogram_clear(&h);
	for (uint64_t i = 0; i < messages; i++) {
		start_ns = now_ns();
		exchange(fd, size);
		histogram_record(&h, now_ns() - start_ns);
	}
	print_result(&h, now_ns() - all_start_ns);
}

int main(int argc, char **argv)
{
	if (argc == 3 && strcmp(argv[1], "server") == 0) {
		serve(atoi(argv[2]));
	} else if (argc == 5 && strcmp(argv[1], "client") == 0) {
		size_t size = strtoul(argv[3], NULL, 10);

		if (size < 1 || size > MAX_BYTES)
			die("SIZE is 1 to 65536");
		ask(atoi(argv[2]), size, strtoull(argv[4], NULL, 10));
	} else {
		die("usage: spin_echo server PORT | client PORT SIZE MESSAGES");
	}
	return 0;
}
