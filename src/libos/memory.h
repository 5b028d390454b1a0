/* memory.h - queues in memory: what one part of a program pushes, another part of it pops.
 *
 * Messages keep their borders and their order. Short ones are copied, and their push completes at
 * once. Longer ones are not copied when the program has given its sga back by the time the push
 * completes, as it mostly has; when it still holds it, it may change the bytes from then on, so
 * they are copied once. Such a push completes at the next wait, or when its message is popped,
 * whichever comes first; beyond memory_queue_messages every push waits for a pop.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef LIBOS_MEMORY_H
#define LIBOS_MEMORY_H

#include "libos/libos.h"

extern const struct libos_class libos_memory;

#endif
