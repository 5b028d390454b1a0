/* interrupt.h - lets a program end in order when the user types ^C.
 *
 * The signal only sets a flag, because a library call may be running when it arrives. So no wait
 * of these programs is longer than INTERRUPT_TICK: after each they look at the flag, and close what
 * they have opened.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef EXAMPLES_INTERRUPT_H
#define EXAMPLES_INTERRUPT_H

#include <stdbool.h>
#include <time.h>

/* 100 ms: people do not notice it, and a sleeping processor hardly does. */
#define INTERRUPT_TICK ((struct timespec){.tv_nsec = 100000000})

/* From now on SIGINT and SIGTERM are remembered, instead of ending the program. A second one ends
 * it at once. */
void interrupt_catch(void);

bool interrupted(void);

#endif
