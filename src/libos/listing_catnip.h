/* listing_catnip.h - catnip's row of the listing: two processes over memif, shared memory that DPDK
 * treats as a port.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef LIBOS_LISTING_CATNIP_H
#define LIBOS_LISTING_CATNIP_H

#include "libos/listing.h"

int catnip_probe(struct libos_lack *lack);
int catnip_prepare(struct libos_trial *trial, struct libos_lack *lack);

#endif
