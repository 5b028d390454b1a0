/* tcp_info.h - what a connection looks like from outside: TCP_INFO of tcp(7).
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef INET_TCP_INFO_H
#define INET_TCP_INFO_H

#include "inet/tcp_cb.h"

struct tcp_info; /* linux/tcp.h, which not everybody can include */

/* The kernel's structure, in its units: times in us (ages in ms), windows and what is outstanding
 * in segments, snd_wnd, rcv_ssthresh and not sent bytes. What the stack does not count is 0. */
void tcp_info_fill(const struct tcp_cb *cb, struct tcp_info *info);

#endif
