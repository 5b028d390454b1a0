/* vnet_header.c - see vnet_header.h.
 *
 * SPDX-License-Identifier: MIT
 */
#include "link/vnet_header.h"
#include "link/offload.h"

enum { TCP_CHECKSUM = 16, UDP_CHECKSUM = 6 }; /* offsets in headers: RFC 9293 3.1, RFC 768 */

struct virtio_net_hdr vnet_header(const struct frame *f)
{
	struct virtio_net_hdr h = {0};

	if (!(f->offload & (OFFLOAD_L4_CSUM | OFFLOAD_TSO)))
		return h;
	h.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM;
	h.csum_start = f->l4_offset;
	h.csum_offset = offload_is_tcp(f) ? TCP_CHECKSUM : UDP_CHECKSUM;
	if (f->offload & OFFLOAD_TSO) {
		h.gso_type = VIRTIO_NET_HDR_GSO_TCPV4;
		h.gso_size = f->tso_mss;
		h.hdr_len = (uint16_t)offload_tcp_headers(f);
	}
	return h;
}
