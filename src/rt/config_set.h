/* config_set.h - one value into its place, or the line that says why not.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef RT_CONFIG_SET_H
#define RT_CONFIG_SET_H

#include "rt/config_keys.h"

/* Checks `value` against the key's type and range, and stores it; an earlier one is replaced. 0,
 * -EINVAL with reader->problem filled, -ENOMEM. */
int config_set(struct config_reader *reader, const struct config_key *key,
	       const struct config_node *value);

/* config_set() of one word that stands in no file: a default, a variable. */
int config_set_word(struct config_reader *reader, const struct config_key *key, const char *word);

/* Starts a line of reader->problem with the place of a value: "FILE:LINE: KEY: " or "environment
 * variable NAME: ". Returns -EINVAL, as config_refuse() does. */
int config_blame(struct config_reader *reader, const struct config_key *key, uint32_t line,
		 const char *format, ...) __attribute__((format(printf, 4, 5)));

#endif
