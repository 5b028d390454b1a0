/* catpowder.h - our TCP/IP over a network interface of the kernel's: AF_XDP or AF_PACKET.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef LIBOS_CATPOWDER_H
#define LIBOS_CATPOWDER_H

#include "libos/libos.h"

extern const struct libos_class libos_catpowder;

extern const bool catpowder_has_xdp; /* this build has AF_XDP */

struct link;

/* AF_XDP pins its memory. */
#define CATPOWDER_HEAP_BYTES (UINT64_C(128) << 20)

/* Opens the interface by AF_XDP, unless the configuration chooses AF_PACKET. claim_fd: see
 * packet.h. 0 or -errno; when that
 * leaves AF_PACKET, or nothing, a line was logged that says why. */
int catpowder_open_xdp(struct link **out, const struct libos_env *env, const char *interface,
		       int claim_fd);

#endif
