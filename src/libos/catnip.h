/* catnip.h - our TCP/IP over DPDK, by the plug-in of link/dpdk.h.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef LIBOS_CATNIP_H
#define LIBOS_CATNIP_H

#include "libos/libos.h"

extern const struct libos_class libos_catnip;

struct dpdk_plugin;

enum { CATNIP_WHY_BYTES = 256 };

/* Loads the plug-in, which stays loaded. NULL: it is not there, or not this library's; *why says
 * so. */
const struct dpdk_plugin *catnip_plugin(char why[CATNIP_WHY_BYTES]);

/* Of the class: all that there is to say. */
void catnip_examine(const struct config *c, struct findings *found);

#endif
