/* vnet_header.h - what a frame asks of the kernel, as a TAP and a packet socket with
 * PACKET_VNET_HDR are told it: in a header in front.
 *
 * Source: the kernel's include/uapi/linux/virtio_net.h, packet(7).
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef LINK_VNET_HEADER_H
#define LINK_VNET_HEADER_H

#include "mem/frame.h"
#include <linux/virtio_net.h>

struct virtio_net_hdr vnet_header(const struct frame *f);

#endif
