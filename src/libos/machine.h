/* machine.h - what there is to say of this machine for all libOSes.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef LIBOS_MACHINE_H
#define LIBOS_MACHINE_H

struct findings;

/* Adds what the kernel does not have, or not allow; changes nothing. */
void machine_examine(struct findings *found);

#endif
