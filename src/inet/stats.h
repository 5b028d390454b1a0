/* stats.h - the stack's counters, named once. Adding one is one line here.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef INET_STATS_H
#define INET_STATS_H

#include <stdint.h>

#define STACK_COUNTERS(X)                                                                          \
	X(rx_frames, "frames received")                                                            \
	X(tx_frames, "frames sent")                                                                \
	X(rx_copied_bytes, "payload bytes copied on the way in")                                   \
	X(tx_copied_bytes, "payload bytes copied on the way out")                                  \
	X(drop_short, "frames or headers cut short")                                               \
	X(drop_not_for_us, "frames for another MAC or address")                                    \
	X(drop_vlan, "frames with a VLAN tag that is not ours")                                    \
	X(drop_ethertype, "frames of an unknown EtherType")

struct stack_stats {
#define X(name, text) uint64_t name;
	STACK_COUNTERS(X)
#undef X
};

#endif
