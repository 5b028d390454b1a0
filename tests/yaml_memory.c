/* yaml_memory.c - see yaml_memory.h.
 *
 * SPDX-License-Identifier: MIT
 */
#include "yaml_memory.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

static atomic_ulong calls;

#define SEEN __attribute__((visibility("default")))
SEEN void *yaml_malloc(size_t bytes);
SEEN void *yaml_realloc(void *p, size_t bytes);
SEEN char *yaml_strdup(const char *s);

void *yaml_malloc(size_t bytes)
{
	calls++;
	return malloc(bytes > 0 ? bytes : 1);
}

void *yaml_realloc(void *p, size_t bytes)
{
	calls++;
	return realloc(p, bytes > 0 ? bytes : 1);
}

char *yaml_strdup(const char *s)
{
	calls++;
	return s != NULL ? strdup(s) : NULL;
}

unsigned long yaml_memory_calls(void)
{
	return calls;
}
