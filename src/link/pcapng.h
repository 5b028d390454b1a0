/* pcapng.h - captures of frames in the pcapng format (draft-ietf-opsawg-pcapng), readable by
 * Wireshark, tcpdump and libpcap; and a link that captures what passes another.
 *
 * The writer is for whoever has the bytes at hand; the link wraps any device. Both write to a
 * stream of the caller's: buffered, so fflush() or fclose() it. A full disk is noted once (ferror()
 * on the stream) and never disturbs the traffic.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef LINK_PCAPNG_H
#define LINK_PCAPNG_H

#include "link/link.h"
#include <stdio.h>

enum { PCAPNG_INBOUND = 1, PCAPNG_OUTBOUND = 2 }; /* values of epb_flags, bits 0-1 */

/* Section and interface description: Ethernet, frames up to snap_bytes, timestamps in nanoseconds.
 * `name` is the interface's; borrowed for the call. 0 or -EIO. */
int pcapng_start(FILE *out, const char *name, uint32_t snap_bytes);

/* One frame that passed at time_ns (since 1970, or of any clock). 0 or -EIO. */
int pcapng_frame(FILE *out, int direction, uint64_t time_ns, const uint8_t *data, uint32_t len);

/* Wraps `inner`, which the new link owns from then on (and destroys with itself). `out` is
 * borrowed: it must stay open as long as the link. epoch_ns is added to the driver's now_ns: what
 * turns a monotonic clock into the time since 1970, 0 for virtual time. Frames are captured as the
 * wire would see them, checksums filled; those with OFFLOAD_TSO as one. 0, -ENOMEM or -EIO (inner
 * is then still the caller's). */
int pcapng_wrap(struct link **out_link, struct link *inner, FILE *out, uint64_t epoch_ns);

#endif
