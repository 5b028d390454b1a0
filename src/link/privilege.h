/* privilege.h - what this process is allowed.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef LINK_PRIVILEGE_H
#define LINK_PRIVILEGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Whether a capability (linux/capability.h) is effective. One of a number that the kernel does not
 * know is not. */
bool privilege_has(int capability);

/* Whether the process is in a user namespace of its own, whose capabilities reach no further. */
bool privilege_is_contained(void);

/* Writes those of `wanted` (ends with -1) that are missing, as "CAP_NET_RAW and CAP_BPF". Returns
 * how many; only the network's and BPF's have names here. */
unsigned privilege_missing(const int *wanted, char *names, size_t bytes);

/* Bytes that the process may lock in memory; UINT64_MAX: any. */
uint64_t privilege_memlock(void);

#endif
