/* tcp_dump.c - the program tcp-dump: takes what its clients send, and counts it.
 *
 * SPDX-License-Identifier: MIT
 */
#include "blocking.h"
#include "drain.h"
#include "interrupt.h"
#include "options.h"

#include <stdlib.h>

static const char help[] =
    "Usage: tcp-dump [--local IP:PORT]\n"
    "\n"
    "Accepts connections, and prints every 5 seconds how many bytes came in how many\n"
    "microseconds. Ends when it is interrupted.\n"
    "\n"
    "  --local IP:PORT   where to listen (127.0.0.1:12345); port 0 chooses one\n"
    "\n"
    "The environment variable LIBOS chooses the I/O path; see demikernel(7).\n"
    "Exit status: 0 interrupted, 1 a failure, 2 a wrong command line.\n";

int main(int argc, char **argv)
{
	struct drain d = {.local = OPTION_LOCAL_DEFAULT, .tells = true};
	const struct option_spec specs[] = {OPTION_ENDPOINT("local", &d.local), {0}};
	int error;

	options_read(argc, argv, help, specs);
	interrupt_catch();
	error = blocking_init();
	if (!error)
		error = drain_run(&d);
	return error ? EXIT_FAILURE : EXIT_SUCCESS;
}
