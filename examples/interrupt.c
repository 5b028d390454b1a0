/* interrupt.c - see interrupt.h.
 *
 * SPDX-License-Identifier: MIT
 */
#include "interrupt.h"

#include <assert.h>
#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>

/* Written in the handler, read in every thread: lock-free atomics may do both. */
static atomic_bool caught;
static_assert(ATOMIC_BOOL_LOCK_FREE == 2, "a signal handler must not lock");

/* By hand and not by SA_RESETHAND, with which ThreadSanitizer loses a signal now and then. */
static void remember(int number)
{
	signal(number, SIG_DFL);
	atomic_store(&caught, true);
}

void interrupt_catch(void)
{
	struct sigaction action = {.sa_handler = remember};

	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
}

bool interrupted(void)
{
	return atomic_load_explicit(&caught, memory_order_relaxed);
}
