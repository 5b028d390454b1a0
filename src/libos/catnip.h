/* catnip.h - our TCP/IP over DPDK, by the plug-in of link/dpdk.h.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef LIBOS_CATNIP_H
#define LIBOS_CATNIP_H

#include "libos/libos.h"

extern const struct libos_class libos_catnip;

#endif
