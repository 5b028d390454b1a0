/* path.h - what ip.c and ip_send.c share about paths. Inside src/inet only.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef INET_PATH_H
#define INET_PATH_H

#include "inet/ip.h"

/* ip_path_find(); `answer`: for a packet that answers one, see neighbour_find(). After -EAGAIN the
 * headers are made but for the destination's MAC. */
int path_find(struct stack *s, struct ip_path *p, const struct ip_addr *src,
	      const struct ip_addr *dst, bool answer);

#endif
