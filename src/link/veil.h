/* veil.h - keeps the kernel's own stack from packets for our address. A packet socket gets a copy
 * only: the kernel goes on with the packet, looks for a route, finds that it is not its own, and,
 * as a router, sends it out again or an ICMP error back.
 *
 * A BPF program behind packet sockets and in front of the stack (tcx, since Linux 6.6) drops them.
 * It goes when its descriptor is closed, whatever way the process ends.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef LINK_VEIL_H
#define LINK_VEIL_H

#include "base/endpoint.h"

/* In front of what comes to the interface of that number for this IPv4 address, without a VLAN tag.
 * Returns a descriptor that holds it there, or -errno: -EPERM (needs CAP_BPF and CAP_NET_ADMIN),
 * -EINVAL (a kernel without tcx). Without a veil everything works, at the price above. */
int veil_drop(int interface_index, const struct ip_addr *addr);

#endif
