/* tcp_pktgen.c - the program tcp-pktgen: sends messages over one connection at a rate.
 *
 * SPDX-License-Identifier: MIT
 */
#include "arguments.h"
#include "blocking.h"
#include "inject.h"
#include "interrupt.h"
#include "options.h"

#include <stdlib.h>

static const char help[] =
    "Usage: tcp-pktgen --remote IP:PORT [--bufsize N] [--injection_rate US]\n"
    "\n"
    "Connects, sends a message every so many microseconds, and prints every 5 seconds how\n"
    "many bytes went out in how many microseconds. Ends when it is interrupted.\n"
    "\n"
    "  --remote IP:PORT      who takes them: tcp-dump, say\n"
    "  --bufsize N           bytes of a message (64)\n"
    "  --injection_rate US   microseconds from one to the next; 0: as fast as it goes (100)\n"
    "\n"
    "The environment variable LIBOS chooses the I/O path; see demikernel(7).\n"
    "Exit status: 0 interrupted, 1 a failure, 2 a wrong command line.\n";

int main(int argc, char **argv)
{
	struct injection injection = INJECTION_DEFAULT;
	struct sockaddr_in remote = {0};
	const struct option_spec specs[] = {
	    OPTION_ENDPOINT("remote", &remote),
	    OPTION_NUMBER("bufsize", 1, MESSAGE_MAX_BYTES, &injection.bytes),
	    OPTION_NUMBER("injection_rate", 0, INJECTION_INTERVAL_MAX_US, &injection.interval_us),
	    {0}};
	int qd, error;

	options_read(argc, argv, help, specs);
	options_require("remote", &remote);
	interrupt_catch();
	error = blocking_init();
	if (!error)
		error = blocking_connect(&qd, &remote);
	if (!error) {
		error = inject_run(qd, NULL, &injection);
		demi_close(qd);
	}
	return error ? EXIT_FAILURE : EXIT_SUCCESS;
}
