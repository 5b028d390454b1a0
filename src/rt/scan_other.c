/* scan_other.c - see scan.h, for processors that we have no instructions for: nothing is looked at.
 *
 * SPDX-License-Identifier: MIT
 */
#include "rt/scan.h"

bool scan_blocks(const demi_qtoken_t *qts, uint32_t from, uint32_t to, demi_qtoken_t qt,
		 uint32_t *low, uint32_t *high, uint32_t *at)
{
	(void)qts, (void)from, (void)to, (void)qt, (void)low, (void)high, (void)at;
	return false;
}
