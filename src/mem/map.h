/* map.h - memory straight from the kernel: zeroed, on huge pages where there are some.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MEM_MAP_H
#define MEM_MAP_H

#include <stdbool.h>
#include <stddef.h>

enum { MAP_HUGE_BYTES = 2 << 20 }; /* a huge page */

/* Maps at least `bytes` and writes how many to *mapped: from 2 MiB on they are reserved huge pages
 * if the machine has any free, else memory that the kernel may make huge as it is touched. Returns
 * NULL when memory ran out; map_free(p, *mapped) gives it back. */
void *map_memory(size_t bytes, size_t *mapped);

/* Maps address space that costs memory only as it is touched; huge: in huge pages if the kernel
 * likes (it starts at one). Otherwise as map_memory(). */
void *map_reserve(size_t bytes, bool huge, size_t *mapped);

/* NULL is harmless. */
void map_free(void *p, size_t mapped);

#endif
