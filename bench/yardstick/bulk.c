/* bulk.c - a stream over kernel sockets, one way, by plain blocking calls.
 *
 *	bulk sink PORT			one sender; port 0 chooses, and "port N" is printed
 *	bulk source PORT SECONDS
 *
 * The sink then prints bytes= and rate=: bytes a second, from the first to the last that came.
 *
 * SPDX-License-Identifier: MIT
 */
#include "yardstick.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { PIECE_BYTES = 65536 };

static char bytes[4 * PIECE_BYTES];

static void sink(int port)
{
	int listener = listen_at(port), fd = accept(listener, NULL, NULL);
	uint64_t start_ns = 0, received = 0;
	ssize_t n;

	if (fd < 0)
		die("accept");
	while ((n = read(fd, bytes, sizeof(bytes))) > 0) {
		if (start_ns == 0)
			start_ns = now_ns();
		received += (uint64_t)n;
	}
	if (n < 0)
		die("read");
	printf("bytes=%llu rate=%.0f\n", (unsigned long long)received,
	       (double)received * 1e9 / (double)(now_ns() - start_ns));
}

static void source(int port, double seconds)
{
	int fd = connect_blocking(port);
	uint64_t end_ns = now_ns() + (uint64_t)(seconds * 1e9);

	while (now_ns() < end_ns) {
		if (write(fd, bytes, PIECE_BYTES) != PIECE_BYTES)
			die("write");
	}
	close(fd);
}

int main(int argc, char **argv)
{
	if (argc == 3 && strcmp(argv[1], "sink") == 0)
		sink(atoi(argv[2]));
	else if (argc == 4 && strcmp(argv[1], "source") == 0)
		source(atoi(argv[2]), strtod(argv[3], NULL));
	else
		die("usage: bulk sink PORT | source PORT SECONDS");
	return 0;
}
