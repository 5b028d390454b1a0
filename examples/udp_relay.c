/* udp_relay.c - the program udp-relay: stands between a server and those who talk to it.
 *
 * SPDX-License-Identifier: MIT
 */
#include "forward.h"
#include "options.h"

#include <stdlib.h>

static const char help[] =
    "Usage: udp-relay --remote IP:PORT [--local IP:PORT]\n"
    "\n"
    "Sends datagrams on to the remote, and its answers back to who sent the last one. Prints\n"
    "every 5 seconds how many bytes came in how many microseconds. Ends when it is interrupted.\n"
    "\n"
    "  --local IP:PORT    where it takes them (127.0.0.1:12345); port 0 chooses one\n"
    "  --remote IP:PORT   where they go: udp-echo, say\n"
    "\n"
    "The environment variable LIBOS chooses the I/O path; see demikernel(7).\n"
    "Exit status: 0 interrupted, 1 a failure, 2 a wrong command line.\n";

struct ends {
	struct sockaddr_in remote, last;
};

static bool across(void *context, const struct sockaddr_in *from, struct sockaddr_in *to)
{
	struct ends *e = context;

	if (from->sin_port == e->remote.sin_port &&
	    from->sin_addr.s_addr == e->remote.sin_addr.s_addr) {
		*to = e->last;
		return e->last.sin_family == AF_INET; /* somebody has sent something */
	}
	e->last = *from;
	*to = e->remote;
	return true;
}

int main(int argc, char **argv)
{
	struct ends ends = {0};
	struct forward f = {.local = OPTION_LOCAL_DEFAULT, .to = across, .context = &ends};
	const struct option_spec specs[] = {
	    OPTION_ENDPOINT("local", &f.local), OPTION_ENDPOINT("remote", &ends.remote), {0}};

	options_read(argc, argv, help, specs);
	options_require("remote", &ends.remote);
	return forward_run(&f) ? EXIT_FAILURE : EXIT_SUCCESS;
}
