/* checksum_other.c - no vector code for this processor: checksum.c does it all.
 *
 * SPDX-License-Identifier: MIT
 */
#include "base/checksum_bulk.h"

size_t csum_bulk(const uint8_t *p, size_t len, uint64_t *sum)
{
	(void)p;
	(void)len;
	*sum = 0;
	return 0;
}

size_t csum_bulk_copy(uint8_t *restrict dst, const uint8_t *restrict src, size_t len, uint64_t *sum)
{
	(void)dst;
	(void)src;
	(void)len;
	*sum = 0;
	return 0;
}
