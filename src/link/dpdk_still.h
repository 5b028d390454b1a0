/* dpdk_still.h - the environment's interrupt thread, held still while a port is polled. Part of the
 * plug-in.
 *
 * The memif driver answers its control channel in that thread, and when the peer has gone unmaps
 * there the rings that the poller may be reading, with nothing between the two. So for such a port
 * the thread waits inside a callback of ours, and goes through what has come since only when the
 * poller, who is not inside the driver then, lets it.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef LINK_DPDK_STILL_H
#define LINK_DPDK_STILL_H

#include <stdbool.h>

/* From now on, and to the end of the process, the thread is still: the port may be closed beside
 * it. 0, -ENOMEM, -EMFILE. One at a time in a process. */
int dpdk_still_begin(void);

/* Lets it go through what has come, and waits until it is still again: about two switches between
 * threads. */
void dpdk_still_breathe(void);
bool dpdk_still_has_begun(void);

#endif
