/* wait.c - the waits.
 *
 * SPDX-License-Identifier: MIT
 */
#include "rt/wait.h"
#include "api/api.h"
#include "demi/ext.h"

DEMI_EXPORT int demi_wait(demi_qresult_t *qr_out, demi_qtoken_t qt, const struct timespec *timeout)
{
	struct instance *in = instance_self;
	struct api_call call;

	if (!in)
		return ENOSYS;
	if (!qr_out)
		return EINVAL;
	call = API_BEGIN(in, "demi_wait");
	return api_end(&call, wait_one(in, qr_out, qt, timeout));
}

DEMI_EXPORT int demi_wait_any(demi_qresult_t *qr_out, int *ready_offset, const demi_qtoken_t qts[],
			      int num_qts, const struct timespec *timeout)
{
	struct instance *in = instance_self;
	struct api_call call;

	if (!in)
		return ENOSYS;
	if (!qr_out || !ready_offset || num_qts < 0 || (!qts && num_qts > 0))
		return EINVAL;
	call = API_BEGIN(in, "demi_wait_any");
	return api_end(&call, wait_any(in, qr_out, ready_offset, qts, (uint32_t)num_qts, timeout));
}

DEMI_EXPORT int demi_wait_all(demi_qresult_t qr_out[], const demi_qtoken_t qts[], int num_qts,
			      const struct timespec *timeout)
{
	struct instance *in = instance_self;
	struct api_call call;

	if (!in)
		return ENOSYS;
	if (num_qts < 0 || ((!qr_out || !qts) && num_qts > 0))
		return EINVAL;
	call = API_BEGIN(in, "demi_wait_all");
	return api_end(&call, wait_all(in, qr_out, qts, (uint32_t)num_qts, timeout));
}

DEMI_EXPORT int demi_wait_next_n(demi_qresult_t *qr_out, int num_qrs, int *num_qrs_out,
				 const struct timespec *timeout)
{
	struct instance *in = instance_self;
	struct api_call call;

	if (!in)
		return ENOSYS;
	if (!qr_out || !num_qrs_out || num_qrs <= 0)
		return EINVAL;
	call = API_BEGIN(in, "demi_wait_next_n");
	return api_end(&call, wait_next_n(in, qr_out, num_qrs, num_qrs_out, timeout));
}
