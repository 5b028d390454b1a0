/* address.c - addresses and segments as callers give them.
 *
 * SPDX-License-Identifier: MIT
 */
#include "api/api.h"
#include <string.h>

int api_address(const struct sockaddr *addr, socklen_t size, struct endpoint *out)
{
	struct sockaddr_in sin;

	if (!addr || size < (socklen_t)sizeof(addr->sa_family))
		return -EINVAL;
	if (addr->sa_family == AF_INET6)
		return -EINVAL;
	if (addr->sa_family != AF_INET)
		return -ENOTSUP;
	if (size != sizeof(sin))
		return -EINVAL;
	memcpy(&sin, addr, sizeof(sin));
	*out = endpoint_from_sockaddr_in(&sin);
	return 0;
}

int api_segment(const demi_sgarray_t *sga, struct buf **b, const uint8_t **data, uint32_t *len)
{
	const demi_sgaseg_t *seg = &sga->sga_segs[0];
	uintptr_t offset;

	if (!sga->sga_buf || sga->sga_numsegs != 1 || seg->sgaseg_len == 0)
		return -EINVAL;
	*b = sga->sga_buf;
	*data = seg->sgaseg_buf;
	*len = seg->sgaseg_len;
	offset = (uintptr_t)seg->sgaseg_buf - (uintptr_t)(*b)->base;
	if (offset > (*b)->room || *len > (*b)->room - offset)
		return -EINVAL;
	return 0;
}
