/* dpdk_devices.h - the virtual devices that an environment's arguments name, and what can be seen
 * to be in their way: the sentence that says what to type, where drivers say less. Part of the
 * plug-in.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef LINK_DPDK_DEVICES_H
#define LINK_DPDK_DEVICES_H

#include "link/dpdk.h"

/* Before the environment starts. Removes the sockets of processes that were killed, and refuses
 * those that somebody listens at: a second driver would take them away from the first. 0; -errno
 * with *why. */
int dpdk_devices_clear(const struct dpdk_setup *s, char why[DPDK_WHY_BYTES]);

/* After something has failed: the likely reason, as -errno with *why; 0: none is seen. */
int dpdk_devices_explain(const struct dpdk_setup *s, char why[DPDK_WHY_BYTES]);

#endif
