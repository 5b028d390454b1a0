/* dpdk_quiet.h - what DPDK, its drivers and their libraries say, kept out of the program's output.
 * Part of the plug-in.
 *
 *     if (quiet_begin() == 0) {
 *             rte_something();
 *             quiet_end();
 *             while (quiet_line(line))
 *                     ...
 *     }
 *
 * Between the two the process's standard output and error are a file, since some of them write
 * there and nowhere else: one thread at a time, and for moments. DPDK's log goes to that file for
 * ever.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef LINK_DPDK_QUIET_H
#define LINK_DPDK_QUIET_H

#include <stdbool.h>

enum { QUIET_LINE_BYTES = 256 }; /* with its NUL; what is longer goes on in the next */

/* 0, -EMFILE or -ENOMEM: nothing has changed then. */
int quiet_begin(void);
void quiet_end(void);

/* The next line that was said between the last two, without its newline; false: there is none. Each
 * is logged for debugging. */
bool quiet_line(char line[QUIET_LINE_BYTES]);

#endif
