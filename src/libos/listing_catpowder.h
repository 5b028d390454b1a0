/* listing_catpowder.h - catpowder's rows of the listing: over each of its links, between two
 * interfaces in a network namespace of the trial's own.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef LIBOS_LISTING_CATPOWDER_H
#define LIBOS_LISTING_CATPOWDER_H

#include "libos/listing.h"

int catpowder_packet_probe(struct libos_lack *lack);
int catpowder_packet_prepare(struct libos_trial *trial, struct libos_lack *lack);
int catpowder_xdp_probe(struct libos_lack *lack);
int catpowder_xdp_prepare(struct libos_trial *trial, struct libos_lack *lack);

#endif
