/* catpowder_share.h - catpowder for several instances of a process, or over several queues.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef LIBOS_CATPOWDER_SHARE_H
#define LIBOS_CATPOWDER_SHARE_H

#include "base/config.h"
#include "libos/libos.h"

struct link;

/* AF_XDP's memory for each queue of a shared device: frames are copied from there to whom they
 * concern. */
#define CATPOWDER_SHARE_HEAP_BYTES (UINT64_C(32) << 20)

/* Whether the configuration wants a device for several. */
bool catpowder_is_shared(const struct config *c);

/* Makes the instance a member of the process's device for the interface and address, which is
 * opened for the first one. 0; -EBUSY: it has as many as raw_socket.instances allows; or another
 * -errno. */
int catpowder_share(struct link **out, const struct libos_env *env, const char *interface);

#endif
