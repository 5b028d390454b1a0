/* config_value.h - the words of a configuration as values, and the line that says what is wrong.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef RT_CONFIG_VALUE_H
#define RT_CONFIG_VALUE_H

#include "rt/config.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Writes the line into *problem, unprintable bytes escaped, and returns -EINVAL. */
int config_refuse(struct config_problem *problem, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Each reads the whole of `text` and returns false when it is something else. */

/* true or false, also capitalised as YAML 1.2 allows. */
bool config_word_bool(const char *text, bool *out);

/* A decimal number, or a hexadecimal one with 0x. */
bool config_word_number(const char *text, uint64_t *out);

/* a.b.c.d, in host order. */
bool config_word_ip4(const char *text, uint32_t *out);

/* a.b.c.d or a.b.c.d/N with N from 1 to 32; *prefix_len is 0 when there is no /N. */
bool config_word_ip4_prefix(const char *text, uint32_t *out, uint8_t *prefix_len);

/* A netmask as 255.255.255.0, as /24 or as 24. */
bool config_word_netmask(const char *text, uint8_t *prefix_len);

/* Six hexadecimal bytes with colons or dashes between them. */
bool config_word_mac(const char *text, uint8_t mac[6]);

/* How many characters must be inserted, deleted, replaced or swapped with their neighbour to make
 * b of a; more than 255 count as 255. Longer words than 63 are infinitely (255) far. */
unsigned config_word_distance(const char *a, const char *b);

#endif
