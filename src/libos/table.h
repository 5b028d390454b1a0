/* table.h - the ways to carry bytes that this build knows, by name.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef LIBOS_TABLE_H
#define LIBOS_TABLE_H

#include "libos/libos.h"

enum { LIBOS_NAMES_BYTES = 128 }; /* enough for libos_names() */

/* The libOS of that name, upper or lower case; NULL: there is none. */
const struct libos_class *libos_find(const char *name);

/* The first, second ... libOS; NULL beyond the last. */
const struct libos_class *libos_at(unsigned index);

/* Writes the names of those that are present to `names`, for a message: "catnap, catpowder".
 * Returns `names`. */
const char *libos_names(char names[LIBOS_NAMES_BYTES]);

#endif
