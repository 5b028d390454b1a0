/* demi/wait.h - waiting for operations. All progress of a thread's queues happens inside these
 * calls and the others of this library: a program that makes none sends and answers nothing.
 *
 * In each, `timeout` is an interval; NULL waits without a limit, {0, 0} looks once. A token is
 * consumed by the wait that returns its result. All return 0 or a positive errno, and ENOSYS before
 * demi_init().
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef DEMI_WAIT_H
#define DEMI_WAIT_H

#include <demi/types.h>
#include <time.h>

DEMI_BEGIN_DECLS

/* Waits until the operation `qt` has completed, and writes its result to *qr_out.
 * EINVAL: qr_out is NULL, qt is not a token of this thread's, or timeout is out of range.
 * ETIMEDOUT: not completed in time; the token stays valid. */
int demi_wait(demi_qresult_t *qr_out, demi_qtoken_t qt, const struct timespec *timeout);

/* Waits until one of the num_qts operations in qts has completed. Of several, the one that
 * completed first is taken. Writes its result to *qr_out and its index in qts to *ready_offset.
 * num_qts 0 makes progress until the timeout, then gives ETIMEDOUT.
 * EINVAL: qr_out or ready_offset is NULL, qts is NULL though num_qts > 0, num_qts < 0, timeout is
 * out of range, or nothing has completed and one of the tokens is unknown. ETIMEDOUT. */
int demi_wait_any(demi_qresult_t *qr_out, int *ready_offset, const demi_qtoken_t qts[], int num_qts,
		  const struct timespec *timeout);

/* Waits until num_qrs operations of this thread, whichever, have completed, and writes their
 * results to qr_out[0..num_qrs-1] in the order of completion. Writes to *num_qrs_out how many it
 * has written, also with ETIMEDOUT, when those that had completed are handed out all the same.
 * EINVAL: qr_out or num_qrs_out is NULL, num_qrs <= 0, or timeout is out of range. ETIMEDOUT. */
int demi_wait_next_n(demi_qresult_t *qr_out, int num_qrs, int *num_qrs_out,
		     const struct timespec *timeout);

DEMI_END_DECLS

#endif
