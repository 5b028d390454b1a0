/* alloc.h - proof that something allocates nothing: while alloc_forbid() holds, malloc and its kin
 * end the program with a message. Programs are linked with --wrap for each (meson.build).
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef SIM_ALLOC_H
#define SIM_ALLOC_H

#include <stdbool.h>

/* Says whether allocations are forbidden from now on, and returns what it was. */
bool alloc_forbid(bool forbid);

#endif
