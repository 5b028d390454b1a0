/* pkt_value.h - what the arguments of a script's system call stand for. Each returns 0, or -EINVAL
 * when the expression is not of that kind (or names an unknown symbol).
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef TOOLS_PKT_VALUE_H
#define TOOLS_PKT_VALUE_H

#include "pkt_script.h"

/* A number, a symbol, some of them joined by |, htons(N), or one of these alone in brackets. */
int pkt_value_number(const struct pkt_expr *e, int64_t *value);

/* {sa_family = AF_INET, sin_port = htons(N), sin_addr = inet_addr("A")}. */
int pkt_value_address(const struct pkt_expr *e, struct endpoint *value);

/* The field of a struct by its name, NULL: not there. */
const struct pkt_expr *pkt_value_field(const struct pkt_expr *e, const char *name);

/* [{..., N}, {..., M}]: N + M. */
int pkt_value_iovec(const struct pkt_expr *e, int64_t *bytes);

#endif
