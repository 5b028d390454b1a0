/* catpowder.h - our TCP/IP over a network interface of the kernel's: AF_PACKET.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef LIBOS_CATPOWDER_H
#define LIBOS_CATPOWDER_H

#include "libos/libos.h"

extern const struct libos_class libos_catpowder;

#endif
