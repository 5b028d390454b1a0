/* listing_catnip.h - catnip's row of the listing.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef LIBOS_LISTING_CATNIP_H
#define LIBOS_LISTING_CATNIP_H

#include "libos/listing.h"

int catnip_probe(struct libos_lack *lack);

#endif
