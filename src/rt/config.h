/* config.h - what the environment and the configuration file say, as a struct config.
 *
 * The file is the one that CONFIG_PATH names; without it $XDG_CONFIG_HOME/demikernel/config.yaml
 * ($HOME/.config when that is not set), then /etc/demikernel/config.yaml, then no file at all. The
 * environment wins over the file, the file over the defaults. Keys are in config_keys.c, and
 * doc/configuration.md has them for people.
 *
 * Values are looked at only when the chosen libOS uses them: one file may serve several. Keys that
 * nobody knows are errors everywhere, since they are most often misspelt.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef RT_CONFIG_H
#define RT_CONFIG_H

#include "base/config.h"
#include <stddef.h>

enum { CONFIG_PROBLEM_BYTES = 512 }; /* one line, NUL included; longer ones are cut */

/* What is wrong, for people: place, key, what was found, what would be right. Empty: nothing. */
struct config_problem {
	char text[CONFIG_PROBLEM_BYTES];
};

/* Fills *out, which the caller gives to config_free() later. `libos` wins over LIBOS; NULL: LIBOS,
 * or catnap. Returns 0, or -EINVAL or -ENOMEM after one line in the log, with nothing to free. */
int config_load(struct config *out, const char *libos);

/* As config_load(), with the line in *problem and not in the log. */
int config_read(struct config *out, const char *libos, struct config_problem *problem);

/* Frees what *config owns, and zeroes it. A zeroed one is harmless. */
void config_free(struct config *config);

#endif
