/* udp_echo.c - the program udp-echo: sends datagrams back to where they come from.
 *
 * SPDX-License-Identifier: MIT
 */
#include "forward.h"
#include "options.h"

#include <stdlib.h>

static const char help[] =
    "Usage: udp-echo [--local IP:PORT]\n"
    "\n"
    "Sends each datagram back to its sender, and prints every 5 seconds how many bytes came\n"
    "in how many microseconds. Ends when it is interrupted.\n"
    "\n"
    "  --local IP:PORT   where it takes them (127.0.0.1:12345); port 0 chooses one\n"
    "\n"
    "The environment variable LIBOS chooses the I/O path; see demikernel(7).\n"
    "Exit status: 0 interrupted, 1 a failure, 2 a wrong command line.\n";

static bool back(void *context, const struct sockaddr_in *from, struct sockaddr_in *to)
{
	(void)context;
	*to = *from;
	return true;
}

int main(int argc, char **argv)
{
	struct forward f = {.local = OPTION_LOCAL_DEFAULT, .to = back};
	const struct option_spec specs[] = {OPTION_ENDPOINT("local", &f.local), {0}};

	options_read(argc, argv, help, specs);
	return forward_run(&f) ? EXIT_FAILURE : EXIT_SUCCESS;
}
