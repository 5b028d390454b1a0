/* rate.h - how often something may be done: a token bucket in one number (the generic cell rate
 * algorithm of ITU-T I.371: the time until which the tokens taken so far are spoken for).
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef INET_RATE_H
#define INET_RATE_H

#include <stdbool.h>
#include <stdint.h>

struct rate {
	uint64_t spoken_for_ns; /* zero in a fresh one, which is full */
};

/* Takes one token of `per_s` that come each second and `burst` that there can be; false: none. */
static inline bool rate_take(struct rate *r, uint32_t per_s, uint32_t burst, uint64_t now_ns)
{
	uint64_t step = UINT64_C(1000000000) / per_s;
	uint64_t from = r->spoken_for_ns > now_ns ? r->spoken_for_ns : now_ns;

	if (from - now_ns > (burst - 1) * step)
		return false;
	r->spoken_for_ns = from + step;
	return true;
}

#endif
