/* pmtu.h - path MTUs that ICMP errors have told of: a small keyed table. ip.h has its verbs.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef INET_PMTU_H
#define INET_PMTU_H

#include "inet/core.h"

int pmtu_create(struct stack *s); /* -ENOMEM */
void pmtu_destroy(struct stack *s);

#endif
