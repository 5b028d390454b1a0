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
