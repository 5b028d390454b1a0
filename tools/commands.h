/* commands.h - the subcommands of the tool `demi`, one function each.
 *
 * To add one: declare its function here, write it in a file of its own (tools/NAME.c), and give it
 * a row in the table of tools/demi.c. argv[0] is the subcommand's name and the rest are its
 * arguments; it answers --help itself. The result is the exit status of the tool.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef TOOLS_COMMANDS_H
#define TOOLS_COMMANDS_H

enum demi_exit {
	DEMI_EXIT_OK = 0,
	DEMI_EXIT_FAILURE = 1, /* it was tried, and failed */
	DEMI_EXIT_USAGE = 2,   /* the arguments make no sense */
};

int demi_conformance_main(int argc, char **argv); /* what the RFCs ask, and what shows it */
int demi_doctor_main(int argc, char **argv);      /* what hinders each libOS here */
int demi_pkt_main(int argc, char **argv);         /* packetdrill scripts against the TCP/IP stack */
int demi_try_main(int argc, char **argv);         /* echo over every libOS there is */

#endif
