/* tcp_icmp.h - what is left of an ICMP error that is not believed at once: see tcp_icmp.c.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef INET_TCP_ICMP_H
#define INET_TCP_ICMP_H

#include "inet/tcp_cb.h"

/* A time-out has come while cb->claimed_mtu is not 0: it is right, or is forgotten. */
void tcp_icmp_time_out(struct tcp_cb *cb);

#endif
