/* table.c - what LIBOS may name. A new libOS is one line here and its files in meson.build.
 *
 * SPDX-License-Identifier: MIT
 */
#include "libos/table.h"
#include "libos/catcollar.h"
#include "libos/catnip.h"
#include "libos/catpowder.h"
#include "libos/kernel.h"
#include <stddef.h>
#include <stdio.h>
#include <strings.h>

static const struct libos_class *const table[] = {
    &kernel_class,
    &catcollar_class,
    &libos_catpowder,
    &libos_catnip,
};

enum { TABLE_LEN = sizeof(table) / sizeof(table[0]) };

const struct libos_class *libos_find(const char *name)
{
	for (unsigned i = 0; i < TABLE_LEN; i++)
		if (strcasecmp(table[i]->name, name) == 0)
			return table[i];
	return NULL;
}

const struct libos_class *libos_at(unsigned index)
{
	return index < TABLE_LEN ? table[index] : NULL;
}

const char *libos_names(char names[LIBOS_NAMES_BYTES])
{
	size_t used = 0;

	names[0] = '\0';
	for (unsigned i = 0; i < TABLE_LEN && used < LIBOS_NAMES_BYTES; i++) {
		if (table[i]->present && !table[i]->present())
			continue;
		used += (size_t)snprintf(names + used, LIBOS_NAMES_BYTES - used, "%s%s",
					 used > 0 ? ", " : "", table[i]->name);
	}
	return names;
}
