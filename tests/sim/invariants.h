/* invariants.h - what holds of every stack, whatever came in: for the simulator and the fuzzers.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef SIM_INVARIANTS_H
#define SIM_INVARIANTS_H

#include "inet/stack.h"
#include <stdint.h>

/* The sum of the counters that say where received frames ended; equals rx_frames + rx_reassembled.
 */
uint64_t invariant_frames_ended(const struct stack_stats *s);

/* NULL when nothing is left of any connection or socket, else what is. */
const char *invariant_rest(struct stack *s, uint64_t now_ns);

#endif
