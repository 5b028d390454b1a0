/* SPDX-License-Identifier: MIT */
#include "base/entropy.h"
#include <errno.h>
#include <sys/random.h>

int entropy_fill(void *to, size_t bytes)
{
	char *at = to;

	while (bytes > 0) {
		ssize_t n = getrandom(at, bytes, 0);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		at += n;
		bytes -= (size_t)n;
	}
	return 0;
}
