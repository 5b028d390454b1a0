/* pmtu.h - path MTUs that ICMP errors have told of or that were found by probing, and which of such
 * errors are to be believed: two small keyed tables. ip.h has their verbs.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef INET_PMTU_H
#define INET_PMTU_H

#include "inet/core.h"

int pmtu_create(struct stack *s); /* -ENOMEM */
void pmtu_destroy(struct stack *s);

#endif
