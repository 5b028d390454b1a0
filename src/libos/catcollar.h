/* catcollar.h - TCP and UDP over kernel sockets through io_uring.
 *
 * A build without liburing has it by name, to say how to get it. How it works: catcollar_queue.h.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef LIBOS_CATCOLLAR_H
#define LIBOS_CATCOLLAR_H

#include "libos/libos.h"

extern const struct libos_class catcollar_class;

/* Of the class: what hinders it. */
void catcollar_examine(const struct config *c, struct findings *found);

#endif
