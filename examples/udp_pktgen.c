/* udp_pktgen.c - the program udp-pktgen: sends datagrams at a rate.
 *
 * SPDX-License-Identifier: MIT
 */
#include "blocking.h"
#include "complain.h"
#include "inject.h"
#include "interrupt.h"
#include "options.h"

#include <arpa/inet.h>
#include <stdlib.h>

static const char help[] =
    "Usage: udp-pktgen --remote IP:PORT [--local IP:PORT] [--bufsize N] [--injection_rate US]\n"
    "\n"
    "Sends a datagram every so many microseconds, and prints every 5 seconds how many bytes\n"
    "went out in how many microseconds. Ends when it is interrupted.\n"
    "\n"
    "  --local IP:PORT       where they come from (127.0.0.1:12345); port 0 chooses one\n"
    "  --remote IP:PORT      who takes them: udp-dump, say\n"
    "  --bufsize N           bytes of a datagram (64)\n"
    "  --injection_rate US   microseconds from one to the next; 0: as fast as it goes (100)\n"
    "\n"
    "The environment variable LIBOS chooses the I/O path; see demikernel(7).\n"
    "Exit status: 0 interrupted, 1 a failure, 2 a wrong command line.\n";

enum {
	MAX_INTERVAL_US = 60000000,
	DATAGRAM_MAX_BYTES = 65507, /* what fits in an IPv4 datagram behind its headers */
};

int main(int argc, char **argv)
{
	struct sockaddr_in remote = {0}, local = {.sin_family = AF_INET,
						  .sin_port = htons(12345),
						  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	struct injection injection = {.bytes = 64, .interval_us = 100};
	const struct option_spec specs[] = {
	    OPTION_ENDPOINT("local", &local),
	    OPTION_ENDPOINT("remote", &remote),
	    OPTION_NUMBER("bufsize", 1, DATAGRAM_MAX_BYTES, &injection.bytes),
	    OPTION_NUMBER("injection_rate", 0, MAX_INTERVAL_US, &injection.interval_us),
	    {0}};
	int qd, error;

	options_read(argc, argv, help, specs);
	options_require("remote", &remote);
	interrupt_catch();
	error = demi_init(NULL);
	if (error)
		complain(error, "cannot start the library");
	else
		error = blocking_bind(&qd, &local);
	if (!error) {
		error = inject_run(qd, &remote, &injection);
		demi_close(qd);
	}
	return error ? EXIT_FAILURE : EXIT_SUCCESS;
}
