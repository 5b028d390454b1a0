/* tcp_input.h - what the other doors share with the processing of segments.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef INET_TCP_INPUT_H
#define INET_TCP_INPUT_H

#include "inet/tcp_table.h"

/* Takes what the peer's SYN says: its sequence number, window, and the options, of which those
 * count that both sides want. */
void tcp_learn_syn(struct tcp_cb *cb, const struct tcp_segment *seg);

#endif
