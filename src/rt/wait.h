/* wait.h - the one wait loop, and the finding of what is ready.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef RT_WAIT_H
#define RT_WAIT_H

#include "rt/instance.h"
#include <time.h>

/* All: 0 or -errno; results in order of completion; their tokens are consumed. timeout: an
 * interval, NULL: no limit. */

int wait_one(struct instance *in, demi_qresult_t *qr, demi_qtoken_t qt,
	     const struct timespec *timeout);
int wait_any(struct instance *in, demi_qresult_t *qr, int *offset, const demi_qtoken_t *qts,
	     uint32_t n, const struct timespec *timeout);
int wait_all(struct instance *in, demi_qresult_t *qrs, const demi_qtoken_t *qts, uint32_t n,
	     const struct timespec *timeout);
int wait_next_n(struct instance *in, demi_qresult_t *qrs, int n, int *written,
		const struct timespec *timeout);

#endif
